package openai

import (
	"unicode/utf8"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesIn is an item that is being read.
type responsesIn struct {
	kind   inKind
	at     int // its index in ir
	told   bool
	custom bool
	length int // of the arguments told so far
	parts  []responsesInPart
	// A reasoning item is two thoughts when it has both forms: at and parts are
	// those of the summary, raw is the chain of thought.
	id     string
	raw    *responsesIn
	sealed string
}

type inKind uint8

const (
	inMessage inKind = iota
	inThought
	inCall
	inOpaque
)

// responsesInPart is what was told of a part, so that the events that repeat it
// add the rest alone.
type responsesInPart struct {
	wire      int64 // its number on the wire
	length    int
	citations int
	logprobs  bool
	whole     bool
}

// begin opens an item that o describes, as far as it is known.
func (d *responsesDecoder) begin(dst []ir.Event, index int64, o *jsondoc.Object) ([]ir.Event, *responsesIn) {
	in := &responsesIn{}
	d.items[index] = in
	switch kind := o.Str("type"); kind {
	case "message", "":
		in.at, in.told = d.number(), true
		m := ir.Message{Role: ir.RoleAssistant, ID: responsesForeignID(o.Str("id")), Phase: o.Str("phase")}
		responsesKnown(o, "type", "status", "role", "content")
		m.Extras = responsesExtras(o, nil)
		return append(dst, ir.ItemStart{Index: in.at, Item: m}), in
	case "function_call", "custom_tool_call":
		in.kind, in.custom, in.at, in.told = inCall, kind == "custom_tool_call", d.number(), true
		d.calls = true
		call := responsesCall(o, kind)
		call.Arguments = ""
		private := call.Private
		call.Private = nil
		dst = append(dst, ir.ItemStart{Index: in.at, Item: call})
		if private != nil {
			dst = append(dst, ir.Sealed{Index: in.at, Private: *private})
		}
		return dst, in
	case "reasoning":
		in.kind, in.id = inThought, responsesForeignID(o.Str("id"))
		return dst, in
	default:
		in.kind = inOpaque
		return dst, in
	}
}

// end closes an item.
func (d *responsesDecoder) end(dst []ir.Event, index int64, in *responsesIn) []ir.Event {
	delete(d.items, index)
	d.seen[index] = true
	if in.kind == inThought {
		return d.endThought(dst, in)
	}
	if in.kind == inCall && !in.custom && in.length == 0 {
		dst = append(dst, ir.ArgumentsDelta{Index: in.at, Text: "{}"})
	}
	if in.told {
		dst = append(dst, ir.ItemEnd{Index: in.at})
	}
	return dst
}

// endThought seals the thought: the summary, else the chain of thought, else one
// without any text.
func (d *responsesDecoder) endThought(dst []ir.Event, in *responsesIn) []ir.Event {
	if raw := in.raw; raw != nil {
		if !in.told {
			dst = seal(dst, raw.at, in.sealed)
			return append(dst, ir.ItemEnd{Index: raw.at})
		}
		dst = append(dst, ir.ItemEnd{Index: raw.at})
	}
	dst = d.thought(dst, in)
	dst = seal(dst, in.at, in.sealed)
	return append(dst, ir.ItemEnd{Index: in.at})
}

func seal(dst []ir.Event, at int, sealed string) []ir.Event {
	p, redacted := responsesUnseal(sealed)
	if p == nil {
		return dst
	}
	return append(dst, ir.Sealed{Index: at, Private: *p, Redacted: redacted})
}

// thought opens the thought that the summary is.
func (d *responsesDecoder) thought(dst []ir.Event, in *responsesIn) []ir.Event {
	if in.told {
		return dst
	}
	in.at, in.told = d.number(), true
	return append(dst, ir.ItemStart{Index: in.at, Item: ir.Thought{ID: in.takeID()}})
}

// takeID gives the item's id to the first of its thoughts.
func (in *responsesIn) takeID() string {
	id := in.id
	in.id = ""
	return id
}

// rawThought opens the thought that the chain of thought is.
func (d *responsesDecoder) rawThought(dst []ir.Event, in *responsesIn) []ir.Event {
	if in.raw != nil {
		return dst
	}
	in.raw = &responsesIn{kind: inThought, at: d.number(), told: true}
	return append(dst, ir.ItemStart{Index: in.raw.at, Item: ir.Thought{ID: in.takeID(), Raw: true}})
}

// wholeThought takes a reasoning item that is done.
func (d *responsesDecoder) wholeThought(dst []ir.Event, in *responsesIn, o *jsondoc.Object) []ir.Event {
	in.sealed = o.Str("encrypted_content")
	content, summary := o.Array("content"), o.Array("summary")
	for k, v := range content {
		dst = d.rawThought(dst, in)
		dst = d.thoughtText(dst, in.raw, int64(k), v.Object().Str("text"), true)
	}
	for k, v := range summary {
		dst = d.thought(dst, in)
		dst = d.thoughtText(dst, in, int64(k), v.Object().Str("text"), true)
	}
	return dst
}

// rest returns what of a repeated text was not told; all of a delta. length
// counts what was told.
func rest(length *int, text string, repeated bool) string {
	if repeated {
		from := *length
		for from < len(text) && !utf8.RuneStart(text[from]) {
			from++ // the repetition differs from what it repeats
		}
		if from >= len(text) {
			return ""
		}
		text = text[from:]
	}
	*length += len(text)
	return text
}

func (d *responsesDecoder) thoughtText(dst []ir.Event, in *responsesIn, wire int64, text string, repeated bool) []ir.Event {
	k, fresh := in.part(wire)
	if text = rest(&in.parts[k].length, text, repeated); text == "" && !fresh {
		return dst
	}
	return append(dst, ir.ThoughtDelta{Index: in.at, Part: k, Text: text})
}

func (d *responsesDecoder) arguments(dst []ir.Event, in *responsesIn, text string, repeated bool) []ir.Event {
	if text = rest(&in.length, text, repeated); text == "" {
		return dst
	}
	return append(dst, ir.ArgumentsDelta{Index: in.at, Text: text})
}

// part returns the number in ir of a part by its number on the wire, which may
// leave numbers out.
func (in *responsesIn) part(wire int64) (k int, fresh bool) {
	for k := range in.parts {
		if in.parts[k].wire == wire {
			return k, false
		}
	}
	in.parts = append(in.parts, responsesInPart{wire: wire})
	return len(in.parts) - 1, true
}

// part takes an event about a part of an item. Events of other kinds, and of
// items that nothing is known of, are told by the item when it is done.
func (d *responsesDecoder) part(dst []ir.Event, kind string, o *jsondoc.Object) []ir.Event {
	n := o.Int("output_index")
	if n == nil {
		return dst
	}
	in := d.items[*n]
	if in == nil {
		return dst
	}
	switch in.kind {
	case inMessage:
		return d.messageEvent(dst, kind, in, o)
	case inThought:
		return d.thoughtEvent(dst, kind, in, o)
	case inCall:
		return d.callEvent(dst, kind, in, o)
	case inOpaque:
	}
	return dst
}

func (d *responsesDecoder) callEvent(dst []ir.Event, kind string, in *responsesIn, o *jsondoc.Object) []ir.Event {
	switch kind {
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta":
		return d.arguments(dst, in, o.Str("delta"), false)
	case "response.function_call_arguments.done":
		return d.arguments(dst, in, o.Str("arguments"), true)
	case "response.custom_tool_call_input.done":
		return d.arguments(dst, in, o.Str("input"), true)
	}
	return dst
}

func (d *responsesDecoder) thoughtEvent(dst []ir.Event, kind string, in *responsesIn, o *jsondoc.Object) []ir.Event {
	switch kind {
	case "response.reasoning_summary_text.delta":
		dst = d.thought(dst, in)
		return d.thoughtText(dst, in, number(o, "summary_index"), o.Str("delta"), false)
	case "response.reasoning_summary_text.done":
		dst = d.thought(dst, in)
		return d.thoughtText(dst, in, number(o, "summary_index"), o.Str("text"), true)
	case "response.reasoning_text.delta", "response.reasoning.delta": // Open Responses calls it the second
		dst = d.rawThought(dst, in)
		return d.thoughtText(dst, in.raw, number(o, "content_index"), o.Str("delta"), false)
	case "response.reasoning_text.done", "response.reasoning.done":
		dst = d.rawThought(dst, in)
		return d.thoughtText(dst, in.raw, number(o, "content_index"), o.Str("text"), true)
	}
	return dst
}

func number(o *jsondoc.Object, name string) int64 { return orZero(o.Int(name)) }

func (d *responsesDecoder) messageEvent(dst []ir.Event, kind string, in *responsesIn, o *jsondoc.Object) []ir.Event {
	wire := number(o, "content_index")
	switch kind {
	case "response.output_text.delta":
		return d.text(dst, in, wire, o.Str("delta"), responsesLogprobs(o.Array("logprobs")), false)
	case "response.output_text.done":
		return d.text(dst, in, wire, o.Str("text"), responsesLogprobs(o.Array("logprobs")), true)
	case "response.refusal.delta":
		return d.refusal(dst, in, wire, o.Str("delta"), false)
	case "response.refusal.done":
		return d.refusal(dst, in, wire, o.Str("refusal"), true)
	case "response.output_text.annotation.added":
		k, _ := in.part(wire)
		in.parts[k].citations++
		return append(dst, ir.Cited{Index: in.at, Part: k, Citation: responsesCitation(o.Object("annotation"))})
	case "response.content_part.done":
		return d.wholePart(dst, in, wire, o.Object("part"))
	}
	return dst
}

func (d *responsesDecoder) text(dst []ir.Event, in *responsesIn, wire int64, text string, logprobs []ir.Logprob, repeated bool) []ir.Event {
	k, fresh := in.part(wire)
	p := &in.parts[k]
	if repeated && p.logprobs {
		logprobs = nil
	}
	p.logprobs = p.logprobs || len(logprobs) > 0
	if text = rest(&p.length, text, repeated); text == "" && len(logprobs) == 0 && !fresh {
		return dst
	}
	return append(dst, ir.TextDelta{Index: in.at, Part: k, Text: text, Logprobs: logprobs})
}

func (d *responsesDecoder) refusal(dst []ir.Event, in *responsesIn, wire int64, text string, repeated bool) []ir.Event {
	d.refused = true
	k, fresh := in.part(wire)
	if text = rest(&in.parts[k].length, text, repeated); text == "" && !fresh {
		return dst
	}
	return append(dst, ir.RefusalDelta{Index: in.at, Part: k, Text: text})
}

// wholePart takes a part that is done.
func (d *responsesDecoder) wholePart(dst []ir.Event, in *responsesIn, wire int64, o *jsondoc.Object) []ir.Event {
	switch x := responsesPart(o).(type) {
	case ir.Text:
		dst = d.text(dst, in, wire, x.Text, x.Logprobs, true)
		k, _ := in.part(wire)
		for told := in.parts[k].citations; told < len(x.Citations); told++ {
			in.parts[k].citations++
			dst = append(dst, ir.Cited{Index: in.at, Part: k, Citation: x.Citations[told]})
		}
		return dst
	case ir.Refusal:
		return d.refusal(dst, in, wire, x.Text, true)
	case ir.Image, ir.Audio, ir.File, ir.Opaque:
		k, _ := in.part(wire)
		if !in.parts[k].whole {
			in.parts[k].whole = true
			dst = append(dst, ir.PartAdded{Index: in.at, Part: k, Content: x})
		}
	}
	return dst
}
