package openai

import (
	"bytes"
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/sse"
)

// responsesCutter follows a stream of Responses. The event that ends one holds
// the whole answer, so that what was said has to be kept.
type responsesCutter struct {
	sequence int64
	response []byte // as the stream began
	items    []*cutItem
}

// cutItem is an output item of a stream.
type cutItem struct {
	index int64
	raw   []byte // as it was added, or, done, as it ended
	done  bool
	parts []*cutPart // of a message
	input []byte     // the arguments or input of a call, escaped
}

// cutPart is a part of a message; text is escaped as it came.
type cutPart struct {
	index int64
	raw   []byte
	done  bool
	text  []byte
}

// cutEvent is what an event of the stream says.
type cutEvent struct {
	kind                        string
	output, content             int64
	item, part, response, delta []byte
}

// Cutter implements wire.Outbound.
func (Responses) Cutter(tollgate.Operation, wire.Framing) wire.Cutter { return &responsesCutter{} }

// Event implements wire.Cutter.
func (c *responsesCutter) Event(name, data []byte) {
	e := cutEvent{kind: string(wire.EventType(data, name))}
	o := wire.AnswerLimits().Object(data, jsonscan.Space(data, 0), 0)
	for o.Next() {
		v := o.Value.Of(data)
		switch string(o.Key.Of(data)) {
		case "sequence_number":
			n, _ := wire.TokenCount(v)
			c.sequence = n + 1
		case "output_index":
			e.output, _ = wire.TokenCount(v)
		case "content_index":
			e.content, _ = wire.TokenCount(v)
		case "item":
			e.item = v
		case "part":
			e.part = v
		case "response":
			e.response = v
		case "delta":
			e.delta = v
		}
	}
	c.take(&e)
}

func (c *responsesCutter) take(e *cutEvent) {
	switch e.kind {
	case "response.created", "response.in_progress", "response.queued":
		c.response = slices.Clone(e.response)
	case "response.output_item.added":
		c.items = append(c.items, &cutItem{index: e.output, raw: slices.Clone(e.item)})
	case "response.output_item.done":
		if it := c.item(e.output); it != nil {
			*it = cutItem{index: e.output, raw: slices.Clone(e.item), done: true}
		}
	case "response.content_part.added":
		if it := c.item(e.output); it != nil {
			it.parts = append(it.parts, &cutPart{index: e.content, raw: slices.Clone(e.part)})
		}
	case "response.content_part.done":
		if p := c.part(e); p != nil {
			*p = cutPart{index: e.content, raw: slices.Clone(e.part), done: true}
		}
	case "response.output_text.delta", "response.refusal.delta":
		if p := c.part(e); p != nil && len(e.delta) > 2 && e.delta[0] == '"' {
			p.text = append(p.text, e.delta[1:len(e.delta)-1]...)
		}
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		if it := c.item(e.output); it != nil && len(e.delta) > 2 && e.delta[0] == '"' {
			it.input = append(it.input, e.delta[1:len(e.delta)-1]...)
		}
	}
}

func (c *responsesCutter) item(index int64) *cutItem {
	for _, it := range slices.Backward(c.items) {
		if it.index == index {
			return it
		}
	}
	return nil
}

func (c *responsesCutter) part(e *cutEvent) *cutPart {
	it := c.item(e.output)
	if it == nil {
		return nil
	}
	for _, p := range slices.Backward(it.parts) {
		if p.index == e.content {
			return p
		}
	}
	return nil
}

// Cut implements wire.Cutter: the parts and items that are open end as they
// are, incomplete; then the answer does.
func (c *responsesCutter) Cut(dst []byte, used tollgate.Tokens, _ bool) ([]byte, bool) {
	if c.response == nil {
		return dst, false
	}
	for _, it := range c.items {
		if !it.done {
			dst = c.end(dst, it)
		}
	}
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("type", "response.incomplete")
	w.Int("sequence_number", c.sequence)
	w.Object("response")
	with(w, c.response, map[string]func(){
		"status": func() { w.Str("status", "incomplete") },
		"incomplete_details": func() {
			w.Object("incomplete_details")
			w.Str("reason", "max_output_tokens")
			w.End()
		},
		"output": func() {
			w.Array("output")
			for _, it := range c.items {
				w.Raw("", it.raw)
			}
			w.End()
		},
		"usage": func() { writeResponsesUsage(w, &ir.Usage{Tokens: used, Reported: true}) },
	})
	w.End()
	w.End()
	return sse.AppendEvent(dst, []byte("response.incomplete"), w.Bytes()), true
}

// end closes an open item; what is left of it in raw is how it ended.
func (c *responsesCutter) end(dst []byte, it *cutItem) []byte {
	id, _ := wire.AnswerLimits().Path(it.raw, "id")
	place := func(w *jsondoc.Writer) {
		if !id.Empty() {
			w.Raw("item_id", id.Of(it.raw))
		}
		w.Int("output_index", it.index)
	}
	for _, p := range it.parts {
		if p.done {
			continue
		}
		text, kind := p.member()
		w := jsondoc.NewWriter(nil)
		w.Object("")
		with(w, p.raw, map[string]func(){text: func() { w.Raw(text, quoted(p.text)) }})
		w.End()
		p.raw = w.Bytes()
		dst = c.event(dst, kind+".done", func(w *jsondoc.Writer) {
			place(w)
			w.Int("content_index", p.index)
			w.Raw(text, quoted(p.text))
			if text == "text" {
				w.Array("logprobs")
				w.End()
			}
		})
		dst = c.event(dst, "response.content_part.done", func(w *jsondoc.Writer) {
			place(w)
			w.Int("content_index", p.index)
			w.Raw("part", p.raw)
		})
	}
	it.close()
	return c.event(dst, "response.output_item.done", func(w *jsondoc.Writer) {
		w.Int("output_index", it.index)
		w.Raw("item", it.raw)
	})
}

// member is where a part has its text, and what its events are called.
func (p *cutPart) member() (name, kind string) {
	if t, ok := wire.AnswerLimits().Path(p.raw, "type"); ok && string(t.Of(p.raw)) == `"refusal"` {
		return "refusal", "response.refusal"
	}
	return "text", "response.output_text"
}

// close makes raw the item as it is when it is cut.
func (it *cutItem) close() {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	members := map[string]func(){"status": func() { w.Str("status", "incomplete") }}
	kind, _ := wire.AnswerLimits().Path(it.raw, "type")
	switch {
	case it.parts != nil:
		members["content"] = func() {
			w.Array("content")
			for _, p := range it.parts {
				w.Raw("", p.raw)
			}
			w.End()
		}
	case it.input != nil && bytes.Equal(kind.Of(it.raw), []byte(`"custom_tool_call"`)):
		members["input"] = func() { w.Raw("input", quoted(it.input)) }
	case it.input != nil:
		members["arguments"] = func() { w.Raw("arguments", quoted(it.input)) }
	}
	with(w, it.raw, members)
	w.End()
	it.raw, it.done = w.Bytes(), true
}

func (c *responsesCutter) event(dst []byte, kind string, write func(*jsondoc.Writer)) []byte {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("type", kind)
	w.Int("sequence_number", c.sequence)
	c.sequence++
	write(w)
	w.End()
	return sse.AppendEvent(dst, []byte(kind), w.Bytes())
}

// with writes the members of an object, those in place of others that are
// named there, and then the rest of those.
func with(w *jsondoc.Writer, object []byte, instead map[string]func()) {
	o := wire.AnswerLimits().Object(object, jsonscan.Space(object, 0), 0)
	for o.Next() {
		name := string(o.Key.Of(object))
		if write, ok := instead[name]; ok {
			write()
			delete(instead, name)
			continue
		}
		w.Raw(name, o.Value.Of(object))
	}
	names := make([]string, 0, len(instead))
	for name := range instead {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		instead[name]()
	}
}

// quoted is a JSON string of text that is escaped already.
func quoted(escaped []byte) []byte {
	return append(append([]byte{'"'}, escaped...), '"')
}
