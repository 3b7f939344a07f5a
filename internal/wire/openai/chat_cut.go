package openai

import (
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/sse"
)

// chatCutter follows a stream of Chat or of completions.
type chatCutter struct {
	op   tollgate.Operation
	last []byte // the last chunk with choices
	open []int64
	over map[int64]bool // choices that have ended; nil = none has
}

// Cutter implements wire.Outbound.
func (Chat) Cutter(op tollgate.Operation, _ wire.Framing) wire.Cutter { return &chatCutter{op: op} }

// Event implements wire.Cutter.
func (c *chatCutter) Event(_, data []byte) {
	limits := wire.AnswerLimits()
	at, ok := limits.Path(data, "choices")
	if !ok || data[at.Start] != '[' {
		return
	}
	found := false
	a := limits.Array(data, at.Start, 1)
	for a.Next() {
		found = true
		c.choice(a.Value.Of(data))
	}
	if found {
		c.last = append(c.last[:0], data...)
	}
}

func (c *chatCutter) choice(value []byte) {
	var index int64
	ended := false
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		switch v := o.Value.Of(value); string(o.Key.Of(value)) {
		case "index":
			index, _ = wire.TokenCount(v)
		case "finish_reason":
			ended = v[0] == '"'
		}
	}
	if ended {
		if c.over == nil {
			c.over = map[int64]bool{}
		}
		c.over[index] = true
	}
	if !slices.Contains(c.open, index) {
		c.open = append(c.open, index)
	}
}

// Cut implements wire.Cutter: a chunk with the finish reason of every choice
// that goes on, the usage if it was asked for, [DONE].
func (c *chatCutter) Cut(dst []byte, used tollgate.Tokens, usage bool) ([]byte, bool) {
	if c.last == nil {
		return dst, false
	}
	w := c.begin()
	w.Array("choices")
	for _, index := range c.open {
		if c.over[index] {
			continue
		}
		w.Object("")
		w.Int("index", index)
		if c.op == tollgate.OpComplete {
			w.Str("text", "")
		} else {
			w.Object("delta")
			w.End()
		}
		w.Null("logprobs")
		w.Str("finish_reason", "length")
		w.End()
	}
	w.End()
	w.End()
	dst = sse.AppendEvent(dst, nil, w.Bytes())
	if usage {
		w = c.begin()
		w.Array("choices")
		w.End()
		writeChatUsage(w, ir.Usage{Tokens: used})
		w.End()
		dst = sse.AppendEvent(dst, nil, w.Bytes())
	}
	return append(dst, "data: [DONE]\n\n"...), true
}

// begin opens a chunk with what every chunk of the stream says.
func (c *chatCutter) begin() *jsondoc.Writer {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	o := wire.AnswerLimits().Object(c.last, jsonscan.Space(c.last, 0), 0)
	for o.Next() {
		switch name := string(o.Key.Of(c.last)); name {
		case "id", "object", "created", "model", "system_fingerprint", "service_tier":
			w.Raw(name, o.Value.Of(c.last))
		}
	}
	return w
}
