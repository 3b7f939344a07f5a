package anthropic

import (
	"encoding/json"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// maxHeld bounds what a stream half keeps of a block or of items whose turn has
// not come, in bytes.
const maxHeld = 8 << 20

// StreamDecoder implements wire.Back.
func (Codec) StreamDecoder() wire.StreamDecoder { return &streamDecoder{} }

// streamDecoder reads a stream: one message, one block open at a time.
type streamDecoder struct {
	started, done bool
	id            string
	block         blockState
	next          int  // the index of the next item
	talking       bool // item next-1 is a Message that takes more parts
	part          int  // its latest part
	counts        counts
	usage         ir.Usage
	stop          ir.Stop
	extras        []ir.Extra
	losses        ir.Losses
	strange       int // how many losses were said
}

// Event implements wire.StreamDecoder.
func (d *streamDecoder) Event(dst []ir.Event, name, data []byte) ([]ir.Event, error) {
	if len(data) == 0 || d.done {
		return dst, nil
	}
	typ := string(wire.EventType(data, name))
	if typ == "content_block_delta" && d.started {
		return d.delta(dst, data)
	}
	o, err := jsondoc.Parse(data, jsondoc.Options{Limits: wire.AnswerLimits(), Lenient: true})
	if err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	o.Str("type")
	switch typ {
	case "ping":
		return append(dst, ir.Ping{}), nil
	case "error":
		d.done = true
		return append(dst, ir.Failed{Err: failure(0, o.Object("error"))}), nil
	case "message_start":
		return d.start(dst, o.Object("message"))
	case "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "message_stop":
		if !d.started {
			return dst, wire.NotAnAnswer(answerError("the stream does not begin with message_start"))
		}
	default:
		d.lose("events."+typ, "an event that is not known")
		return dst, nil
	}
	switch typ {
	case "content_block_start":
		return d.open(dst, o)
	case "content_block_stop":
		return d.close(dst)
	case "message_delta":
		return d.change(dst, o)
	default:
		return d.finish(dst)
	}
}

// End implements wire.StreamDecoder.
func (d *streamDecoder) End(dst []ir.Event) ([]ir.Event, error) {
	if d.done {
		return dst, nil
	}
	return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer ended before it was complete")
}

// Losses implements wire.StreamDecoder.
func (d *streamDecoder) Losses() []ir.Loss { return d.losses.List() }

// lose says a loss, up to a number that no honest stream reaches.
func (d *streamDecoder) lose(path, why string) {
	if d.strange++; d.strange <= 64 {
		d.losses.Lose(path[:min(len(path), 128)], why)
	}
}

// start takes message_start. Some servers send it twice, which is harmless;
// another message in the middle of this one is not: what was said cannot be
// taken back.
func (d *streamDecoder) start(dst []ir.Event, m *jsondoc.Object) ([]ir.Event, error) {
	id := m.Str("id")
	if d.started && id != d.id {
		return dst, wire.NotAnAnswer(answerError("another message begins before the end of the first"))
	}
	for _, name := range []string{"type", "role", "content", "stop_reason", "stop_sequence", stopDetails} {
		m.Get(name)
	}
	usage, extras := readUsage(&d.counts, m.Get("usage"), d.extras)
	model := m.Str("model")
	d.extras = extras
	m.Rest(func(name string, raw json.RawMessage) { d.extras = setExtra(d.extras, extra(escaped(name), raw)) })
	if err := m.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	if d.started {
		return dst, nil
	}
	d.started, d.id, d.usage = true, id, usage
	return append(dst, ir.Start{ID: id, Model: model, Usage: usage, ServiceTier: tierWord(d.counts.tier)}), nil
}

// change takes message_delta: how the answer ends, and what it cost so far.
func (d *streamDecoder) change(dst []ir.Event, o *jsondoc.Object) ([]ir.Event, error) {
	delta := o.Object("delta")
	if stop, extras := readStop(delta, d.extras); delta.Has(stopUnknown) {
		d.stop, d.extras = stop, extras
	}
	usage, extras := readUsage(&d.counts, o.Get("usage"), d.extras)
	d.extras = extras
	set := func(name string, raw json.RawMessage) { d.extras = setExtra(d.extras, extra(escaped(name), raw)) }
	delta.Rest(set)
	o.Rest(set)
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	if usage.Reported {
		d.usage = usage
		dst = append(dst, ir.Progress{Usage: usage})
	}
	return dst, nil
}

// finish takes message_stop.
func (d *streamDecoder) finish(dst []ir.Event) ([]ir.Event, error) {
	dst, err := d.close(dst)
	if err != nil {
		return dst, err
	}
	dst = d.hush(dst)
	d.done = true
	return append(dst, ir.Stopped{Stop: d.stop},
		ir.Finish{Usage: d.usage, ServiceTier: tierWord(d.counts.tier), Extras: d.extras}), nil
}

// hush ends the message that is open.
func (d *streamDecoder) hush(dst []ir.Event) []ir.Event {
	if !d.talking {
		return dst
	}
	d.talking = false
	return append(dst, ir.ItemEnd{Index: d.next - 1})
}

// begin opens an item that is no message.
func (d *streamDecoder) begin(dst []ir.Event, it ir.Item) []ir.Event {
	dst = d.hush(dst)
	d.next++
	return append(dst, ir.ItemStart{Index: d.next - 1, Item: it})
}

// delta takes content_block_delta, the one event that comes often.
func (d *streamDecoder) delta(dst []ir.Event, data []byte) ([]ir.Event, error) {
	var inner []byte
	index := int64(0)
	o := wire.AnswerLimits().Object(data, jsonscan.Space(data, 0), 0)
	for o.Next() {
		switch string(o.Key.Of(data)) {
		case "index":
			index, _ = wire.TokenCount(o.Value.Of(data))
		case "delta":
			inner = o.Value.Of(data)
		}
	}
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	if d.block.kind == blockNone || index != d.block.index {
		return dst, wire.NotAnAnswer(answerError("a delta belongs to no open block"))
	}
	return d.apply(dst, inner)
}

// piece is what a delta holds: its type, and the first string beside it.
func piece(delta []byte) (typ, text string, err error) {
	o := wire.AnswerLimits().Object(delta, 0, 0)
	found := false
	for o.Next() {
		value := o.Value.Of(delta)
		if value[0] != '"' {
			continue
		}
		s, ok := jsonscan.String(value)
		if !ok {
			s = repaired(value)
		}
		switch {
		case string(o.Key.Of(delta)) == "type":
			typ = s
		case !found:
			text, found = s, true
		}
	}
	if o.Err() != nil {
		return "", "", wire.NotAnAnswer(o.Err())
	}
	return typ, text, nil
}

// repaired returns a string value with U+FFFD in place of half characters.
func repaired(value []byte) string {
	var s string
	if json.Unmarshal(value, &s) != nil {
		return ""
	}
	return s
}

// apply adds a delta to the open block.
func (d *streamDecoder) apply(dst []ir.Event, delta []byte) ([]ir.Event, error) {
	typ, text, err := piece(delta)
	if err != nil {
		return dst, err
	}
	b := &d.block
	switch {
	case b.kind == blockOpaque:
		return dst, b.merge(typ, text, delta)
	case b.kind == blockText && typ == "text_delta":
		return d.say(dst, text), nil
	case b.kind == blockText && typ == "citations_delta":
		return d.cite(dst, delta)
	case b.kind == blockThinking && typ == "thinking_delta":
		if text != "" {
			dst = append(dst, ir.ThoughtDelta{Index: d.next - 1, Text: text})
		}
	case b.kind == blockThinking && typ == "signature_delta":
		return dst, b.hold(text)
	case b.kind == blockCall && typ == "input_json_delta":
		if text != "" {
			b.begun = true
			dst = append(dst, ir.ArgumentsDelta{Index: d.next - 1, Text: text})
		}
	default:
		d.lose("events.content_block_delta."+typ, "a delta that its block does not know")
	}
	return dst, nil
}

// say adds text to the message that is open, or to a new one. A block without
// text is no part.
func (d *streamDecoder) say(dst []ir.Event, text string) []ir.Event {
	if text == "" {
		return dst
	}
	dst = d.speak(dst)
	return append(dst, ir.TextDelta{Index: d.next - 1, Part: d.part, Text: text})
}

// speak makes sure that there is a part for the open block.
func (d *streamDecoder) speak(dst []ir.Event) []ir.Event {
	if !d.talking {
		dst = d.begin(dst, ir.Message{Role: ir.RoleAssistant})
		d.talking, d.part = true, -1
	}
	if !d.block.begun {
		d.block.begun = true
		d.part++
	}
	return dst
}

func (d *streamDecoder) cite(dst []ir.Event, delta []byte) ([]ir.Event, error) {
	o, err := jsondoc.Parse(delta, jsondoc.Options{Limits: wire.AnswerLimits(), Lenient: true})
	if err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	c := citation(o.Get("citation"))
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	dst = d.speak(dst)
	return append(dst, ir.Cited{Index: d.next - 1, Part: d.part, Citation: c}), nil
}
