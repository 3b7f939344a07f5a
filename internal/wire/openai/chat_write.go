package openai

import (
	"encoding/json"
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

func chatWriteCitation(w *jsondoc.Writer, c ir.Citation) {
	if c.Raw != nil {
		w.Raw("", c.Raw)
		return
	}
	w.Object("")
	w.Str("type", "url_citation")
	w.Object("url_citation")
	w.OptInt("start_index", c.Start)
	w.OptInt("end_index", c.End)
	w.Str("url", c.URL)
	w.Str("title", c.Title)
	w.OptStr("content", c.Quote)
	w.End()
	w.End()
}

func chatWriteImage(w *jsondoc.Writer, m ir.Image) {
	w.Object("")
	w.Str("type", "image_url")
	w.Object("image_url")
	w.Str("url", chatImageURL(m.Source))
	w.End()
	w.End()
}

// chatWriteAudio writes a sound. Nobody keeps it, so that it is over at once.
func chatWriteAudio(w *jsondoc.Writer, a ir.Audio, id tollgate.RequestID) {
	w.Object("audio")
	w.Str("id", "audio_"+id.String()[len("req_"):])
	w.Str("data", a.Source.Data)
	w.Int("expires_at", id.Time().Unix())
	w.Str("transcript", a.Transcript)
	w.End()
}

// chatRestored gives a call the kind that its tool has for the client.
func chatRestored(lost chatLog, at string, req *ir.Request, c ir.ToolCall) ir.ToolCall {
	restored, ok := ir.RestoreTool(req.Tools, c)
	if ok {
		lost.Note(at, "the call is one of a custom tool for the client")
		if restored.Kind == ir.ToolCustom && c.Kind != ir.ToolCustom {
			restored.Arguments = ir.UnwrapInput(c.Arguments)
		}
	}
	if restored.Namespace != "" {
		lost.Note(at, "the namespace is part of the name")
	}
	lost.Extras(at, c.Extras, chatName)
	return restored
}

// chatWriteCall writes the members of a call. What a vendor sealed travels in
// the id, which clients give back, or where a provider of Chat had it.
func chatWriteCall(w *jsondoc.Writer, c ir.ToolCall) {
	kind := c.Kind
	if kind == "" {
		kind = ir.ToolFunction
	}
	chat := c.Private != nil && c.Private.Vendor == ir.VendorChat
	if chat {
		w.Str("id", c.ID)
	} else {
		w.Str("id", ir.CarryID(c.ID, c.Private))
	}
	w.Str("type", string(kind))
	w.Object(string(kind))
	w.Str("name", ir.FlatName(c.Namespace, c.Name))
	if kind == ir.ToolCustom {
		w.Str("input", c.Arguments)
	} else {
		w.Str("arguments", c.Arguments)
	}
	chatNested(w, c.Extras, string(kind)+".")
	w.End()
	if chat && json.Valid([]byte(c.Private.Data)) {
		w.Raw("extra_content", chatRaw(c.Private.Data))
	}
	chatNested(w, c.Extras, "")
}

func chatWriteLogprobs(w *jsondoc.Writer, list []ir.Logprob) {
	w.Object("logprobs")
	w.Array("content")
	for _, p := range list {
		w.Object("")
		chatWriteLogprob(w, p)
		w.Array("top_logprobs")
		for _, top := range p.Top {
			w.Object("")
			chatWriteLogprob(w, top)
			w.End()
		}
		w.End()
		w.End()
	}
	w.End()
	w.Null("refusal")
	w.End()
}

func chatWriteLogprob(w *jsondoc.Writer, p ir.Logprob) {
	w.Str("token", p.Token)
	w.Float("logprob", p.Logprob)
	if p.Bytes == nil {
		w.Null("bytes")
		return
	}
	w.Array("bytes")
	for _, b := range p.Bytes {
		w.Int("", int64(b))
	}
	w.End()
}

// chatFinish writes why choice n ended. Its words are few: what they do not
// tell is noted, and a stop sequence is named as vLLM does.
func chatFinish(w *jsondoc.Writer, lost chatLog, n int, s ir.Stop, f chatForm) {
	reason, exact := chatReason(s, f)
	switch {
	case s.Reason == ir.StopPause || s.Reason == ir.StopFailure:
		lost.Lose("choices["+strconv.Itoa(n)+"].stop", "said as finish_reason "+reason)
	case !exact:
		lost.Note("choices["+strconv.Itoa(n)+"].stop", "said as finish_reason "+reason)
	}
	w.Str("finish_reason", reason)
	if s.Reason == ir.StopSequence && s.Sequence != "" && reason == "stop" {
		w.Str("stop_reason", s.Sequence)
	}
}

// chatReason is the finish_reason of a stop, and whether it is read back as
// that.
func chatReason(s ir.Stop, f chatForm) (reason string, exact bool) {
	calls := "tool_calls"
	if f.legacy {
		calls = "function_call"
	}
	switch s.Reason {
	case ir.StopTools:
		return calls, true
	case ir.StopLength:
		return "length", s.Detail == ""
	case ir.StopContext:
		return "length", false
	case ir.StopFilter:
		return "content_filter", s.Detail == ""
	case ir.StopRefusal:
		if f.refused && !f.calls {
			return "stop", s.Detail == ""
		}
		return "content_filter", false
	case ir.StopFailure: // nobody is to take it for a whole answer
		return "content_filter", false
	case ir.StopEnd, ir.StopSequence, ir.StopPause, ir.StopUnknown:
	}
	if f.calls {
		return calls, false
	}
	exact = s.Reason == ir.StopEnd && s.Detail == "" || s.Reason == ir.StopSequence && s.Sequence != ""
	return "stop", exact && !f.refused
}
