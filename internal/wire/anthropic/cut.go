package anthropic

import (
	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/sse"
)

// cutter follows a stream.
type cutter struct {
	begun bool
	open  bool  // a content block is
	block int64 // which one
}

// Cutter implements wire.Outbound.
func (Codec) Cutter(tollgate.Operation, wire.Framing) wire.Cutter { return &cutter{} }

// Event implements wire.Cutter.
func (c *cutter) Event(name, data []byte) {
	switch string(wire.EventType(data, name)) {
	case "message_start":
		c.begun = true
	case "content_block_start":
		c.open, c.block = true, 0
		if at, ok := wire.AnswerLimits().Path(data, "index"); ok {
			c.block, _ = wire.TokenCount(at.Of(data))
		}
	case "content_block_stop":
		c.open = false
	}
}

// Cut implements wire.Cutter: the open block ends, then the message, whose cap
// was reached.
func (c *cutter) Cut(dst []byte, used tollgate.Tokens, _ bool) ([]byte, bool) {
	if !c.begun {
		return dst, false
	}
	if c.open {
		dst = cutEvent(dst, "content_block_stop", func(w *jsondoc.Writer) { w.Int("index", c.block) })
	}
	dst = cutEvent(dst, "message_delta", func(w *jsondoc.Writer) {
		w.Object("delta")
		w.Str("stop_reason", "max_tokens")
		w.Null("stop_sequence")
		w.End()
		w.Object("usage")
		w.Int("output_tokens", used.Output)
		w.End()
	})
	return cutEvent(dst, "message_stop", func(*jsondoc.Writer) {}), true
}

func cutEvent(dst []byte, kind string, write func(*jsondoc.Writer)) []byte {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("type", kind)
	write(w)
	w.End()
	return sse.AppendEvent(dst, []byte(kind), w.Bytes())
}
