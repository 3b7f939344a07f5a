package openai

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// DecodeResponse implements wire.Back. It also takes what compatible servers
// answer beyond OpenAI's description: thoughts, generated images, arguments
// that are objects, calls without ids, an error with status 200.
func (Chat) DecodeResponse(body []byte) (*ir.Response, []ir.Loss, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, nil, wire.NotAnAnswer(err)
	}
	if e := chatFailed(o, body); e != nil {
		return nil, nil, e
	}
	d := chatAnswer{reader: chatReader{req: &ir.Request{}}}
	d.head(o)
	for n, v := range o.Array("choices") {
		d.resp.Choices = append(d.resp.Choices, d.choice(n, v.Object()))
	}
	d.usage(body)
	d.resp.Extras = d.rest(o)
	switch {
	case o.Err() != nil:
		return nil, nil, wire.NotAnAnswer(o.Err())
	case len(d.resp.Choices) == 0:
		return nil, nil, wire.NotAnAnswer(errNoAnswer)
	}
	return &d.resp, d.lost.List(), nil
}

// chatFailed returns the error that an answer reports instead of choices.
func chatFailed(o *jsondoc.Object, body []byte) *tollgate.Error {
	if !isFailure(body) && (o.Has("choices") || o.Str("object") != "error") {
		return nil
	}
	return Chat{}.DecodeError(0, nil, body)
}

// chatAnswer reads one answer.
type chatAnswer struct {
	resp   ir.Response
	reader chatReader
	ids    ir.CallIDs
	lost   ir.Losses
}

func (d *chatAnswer) head(o *jsondoc.Object) {
	r := &d.resp
	r.ID, r.Model, r.ServiceTier = o.Str("id"), o.Str("model"), o.Str("service_tier")
	if at := o.Float("created"); at != nil {
		r.Created = int64(*at)
	}
}

// rest returns the members of an answer that nobody knows. Those that are
// known to say nothing of the answer itself are noted and left.
func (d *chatAnswer) rest(o *jsondoc.Object) []ir.Extra {
	o.Get("object")
	o.Get("usage")
	var out []ir.Extra
	for _, e := range chatExtras(o, "") {
		if chatMeta(e.Path) {
			d.lost.Note("extras."+e.Path, chatMetaWhy)
			continue
		}
		out = append(out, e)
	}
	return out
}

const chatMetaWhy = "it says how the provider runs, nothing of the answer"

// chatMeta knows the members of answers that tell about the server alone.
func chatMeta(name string) bool {
	switch name {
	case "system_fingerprint", "obfuscation", "provider", "x_groq", "prompt_filter_results", "timings", "time_info",
		"request_id", "kv_transfer_params", "prompt_logprobs", "prompt_token_ids", "nvext", "metadata", "warnings":
		return true
	default:
		return false
	}
}

func (d *chatAnswer) choice(n int, o *jsondoc.Object) ir.Choice {
	m := o.Object("message")
	if !m.Present() {
		m.Value().Fail("is missing")
	}
	var c ir.Choice
	thoughts, parts := d.reader.said(m)
	for _, t := range thoughts {
		c.Items = append(c.Items, t)
	}
	if parts = chatFull(parts); len(parts) > 0 {
		parts = d.logprobs(n, o.Object("logprobs"), parts)
		c.Items = append(c.Items, ir.Message{Role: ir.RoleAssistant, Parts: parts})
	} else if o.Object("logprobs").Present() {
		d.lost.Lose("choices["+strconv.Itoa(n)+"].logprobs", "they are of no text")
	}
	calls := d.calls(m)
	for _, call := range calls {
		c.Items = append(c.Items, call)
	}
	c.Stop = chatStop(o.Str("finish_reason"), chatSequence(o), chatRefused(parts), len(calls) > 0)
	d.noteRest(n, o, m)
	return c
}

// noteRest notes what a choice and its message have beyond what was read.
func (d *chatAnswer) noteRest(n int, choice, message *jsondoc.Object) {
	message.Get("role")
	choice.Get("index")
	at := "choices[" + strconv.Itoa(n) + "].extras."
	for _, e := range append(append(chatExtras(choice, ""), chatExtras(message, "")...), d.reader.req.Extras...) {
		d.lost.Note(at+e.Path, "only "+chatName+" has it")
	}
	d.reader.req.Extras = nil
}

// chatFull leaves out texts that say nothing.
func chatFull(parts []ir.Part) []ir.Part {
	out := parts[:0]
	for _, p := range parts {
		if !chatEmpty([]ir.Part{p}) {
			out = append(out, p)
		}
	}
	return out
}

func chatRefused(parts []ir.Part) bool {
	for _, p := range parts {
		if _, ok := p.(ir.Refusal); ok {
			return true
		}
	}
	return false
}

func (d *chatAnswer) calls(m *jsondoc.Object) []ir.ToolCall {
	var out []ir.ToolCall
	for _, v := range m.Array("tool_calls") {
		c := chatCall(v.Object())
		c.ID = d.ids.Call(c.ID, c.Name)
		out = append(out, c)
	}
	if f := m.Object("function_call"); f.Present() {
		c := ir.ToolCall{Kind: ir.ToolFunction, Name: f.Need("name"), Arguments: chatArguments(f.Get("arguments"))}
		c.ID = d.ids.Call("", c.Name)
		out = append(out, c)
	}
	return out
}

// logprobs gives the log probabilities of the content to its text.
func (d *chatAnswer) logprobs(n int, o *jsondoc.Object, parts []ir.Part) []ir.Part {
	list := chatLogprobs(o)
	if len(o.Array("refusal")) > 0 {
		d.lost.Lose("choices["+strconv.Itoa(n)+"].logprobs.refusal", "only "+chatName+" has those of a refusal")
	}
	if list == nil {
		return parts
	}
	for i, p := range parts {
		if t, ok := p.(ir.Text); ok {
			t.Logprobs = list
			parts[i] = t
			return parts
		}
	}
	d.lost.Lose("choices["+strconv.Itoa(n)+"].logprobs", "they are of no text")
	return parts
}

func chatLogprobs(o *jsondoc.Object) []ir.Logprob {
	list := o.Array("content")
	if len(list) == 0 {
		return nil
	}
	out := make([]ir.Logprob, 0, len(list))
	for _, v := range list {
		out = append(out, chatLogprob(v.Object()))
	}
	return out
}

func chatLogprob(o *jsondoc.Object) ir.Logprob {
	p := ir.Logprob{Token: o.Str("token")}
	if f := o.Float("logprob"); f != nil {
		p.Logprob = *f
	}
	for _, v := range o.Array("bytes") {
		if n := v.Int(); n != nil {
			p.Bytes = append(p.Bytes, int(*n))
		}
	}
	for _, v := range o.Array("top_logprobs") {
		p.Top = append(p.Top, chatLogprob(v.Object()))
	}
	return p
}

// chatSequence is the stop sequence that fired, which vLLM tells; it says the
// number of a token there too.
func chatSequence(o *jsondoc.Object) string {
	if v := o.Get("stop_reason"); v.Kind() == jsondoc.String {
		return v.Str()
	}
	return ""
}

// chatStop reads why a choice ended. Some servers say stop where they call
// tools.
func chatStop(reason, sequence string, refused, calls bool) ir.Stop {
	switch reason {
	case "stop", "eos", "end_turn", "eos_token":
		switch {
		case calls:
			return ir.Stop{Reason: ir.StopTools}
		case refused:
			return ir.Stop{Reason: ir.StopRefusal}
		case sequence != "":
			return ir.Stop{Reason: ir.StopSequence, Sequence: sequence}
		}
		return ir.Stop{Reason: ir.StopEnd}
	case "tool_calls", "function_call":
		return ir.Stop{Reason: ir.StopTools}
	case "length", "max_tokens":
		return ir.Stop{Reason: ir.StopLength}
	case "model_length": // Mistral
		return ir.Stop{Reason: ir.StopContext}
	case "content_filter":
		return ir.Stop{Reason: ir.StopFilter}
	case "":
		if calls {
			return ir.Stop{Reason: ir.StopTools}
		}
		return ir.Stop{}
	case "error", "insufficient_system_resource": // OpenRouter, DeepSeek
		return ir.Stop{Reason: ir.StopFailure, Detail: reason}
	default:
		return ir.Stop{Detail: reason}
	}
}

// usage reads the usage of an answer where the observer does.
func (d *chatAnswer) usage(body []byte) {
	if u, ok := chatFindUsage(body); ok {
		d.resp.Usage = u
	}
}

// chatFindUsage looks for usage in an answer or a chunk: Moonshot puts it into
// the last choice of a stream, Groq into an extension.
func chatFindUsage(data []byte) (ir.Usage, bool) {
	limits := wire.AnswerLimits()
	if at, ok := limits.Path(data, "usage"); ok && data[at.Start] == '{' {
		return chatUsage(at.Of(data))
	}
	if at, ok := limits.Path(data, "x_groq", "usage"); ok {
		return chatUsage(at.Of(data))
	}
	at, ok := limits.Path(data, "choices")
	if !ok || data[at.Start] != '[' {
		return ir.Usage{}, false
	}
	first := data[jsonscan.Space(data, at.Start+1):]
	if at, ok = limits.Path(first, "usage"); ok {
		return chatUsage(at.Of(first))
	}
	return ir.Usage{}, false
}
