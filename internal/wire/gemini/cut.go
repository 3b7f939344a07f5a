package gemini

import (
	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/sse"
)

// cutter follows a stream.
type cutter struct {
	framing wire.Framing
	last    []byte // the last event with candidates
	seen    int64  // candidates
	over    map[int64]bool
}

// Cutter implements wire.Outbound.
func (Codec) Cutter(_ tollgate.Operation, f wire.Framing) wire.Cutter { return &cutter{framing: f} }

// Event implements wire.Cutter.
func (c *cutter) Event(_, data []byte) {
	limits := wire.AnswerLimits()
	at, ok := limits.Path(data, "candidates")
	if !ok || data[at.Start] != '[' {
		return
	}
	a := limits.Array(data, at.Start, 1)
	for a.Next() {
		c.candidate(a.Value.Of(data))
	}
	c.last = append(c.last[:0], data...)
}

func (c *cutter) candidate(value []byte) {
	var index int64
	ended := false
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		switch v := o.Value.Of(value); string(o.Key.Of(value)) {
		case "index":
			index, _ = wire.TokenCount(v)
		case "finishReason":
			ended = v[0] == '"'
		}
	}
	const most = 64 // more candidates than any model gives
	c.seen = max(c.seen, min(index, most)+1)
	if ended {
		if c.over == nil {
			c.over = map[int64]bool{}
		}
		c.over[index] = true
	}
}

// Cut implements wire.Cutter: one more answer, in which every candidate that
// goes on has reached its cap, and the end of the array.
func (c *cutter) Cut(dst []byte, used tollgate.Tokens, _ bool) ([]byte, bool) {
	if c.last == nil {
		return dst, false
	}
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Array("candidates")
	for i := range c.seen {
		if c.over[i] {
			continue
		}
		w.Object("")
		w.Object("content")
		w.Array("parts")
		w.Object("")
		w.Str("text", "")
		w.End()
		w.End()
		w.Str("role", "model")
		w.End()
		w.Str("finishReason", "MAX_TOKENS")
		w.Int("index", i)
		w.End()
	}
	w.End()
	c.usage(w, used)
	o := wire.AnswerLimits().Object(c.last, jsonscan.Space(c.last, 0), 0)
	for o.Next() {
		switch name := string(o.Key.Of(c.last)); name {
		case "modelVersion", "responseId", "createTime":
			w.Raw(name, o.Value.Of(c.last))
		}
	}
	w.End()
	if c.framing == wire.FramingJSONArray {
		return append(append(append(dst, ",\r\n"...), w.Bytes()...), "\r\n]"...), true
	}
	return sse.AppendEvent(dst, nil, w.Bytes()), true
}

func (c *cutter) usage(w *jsondoc.Writer, used tollgate.Tokens) {
	prompt := used.Input + used.CacheRead + used.CacheWrite + used.CacheWrite1h
	w.Object("usageMetadata")
	w.Int("promptTokenCount", prompt)
	w.Int("candidatesTokenCount", used.Output-used.Reasoning)
	if used.Reasoning > 0 {
		w.Int("thoughtsTokenCount", used.Reasoning)
	}
	if used.CacheRead > 0 {
		w.Int("cachedContentTokenCount", used.CacheRead)
	}
	w.Int("totalTokenCount", prompt+used.Output)
	w.End()
}
