package anthropic

import (
	"encoding/json"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// blockKind is what the open block is.
type blockKind uint8

const (
	blockNone blockKind = iota
	blockText
	blockThinking
	blockSealed // redacted_thinking
	blockCall
	blockOpaque
)

// blockState is the open block.
type blockState struct {
	kind  blockKind
	index int64
	begun bool            // something of it was passed on
	held  strings.Builder // a signature, or the input of an opaque block
	raw   json.RawMessage // the input of a call as its start gave it, or an opaque block
	typ   string          // of an opaque block
}

func (b *blockState) hold(text string) error {
	if b.held.Len()+len(text) > maxHeld {
		return wire.NotAnAnswer(answerError("a block is too long"))
	}
	b.held.WriteString(text)
	return nil
}

// merge adds a delta to an opaque block: pieces of its input are collected,
// texts go on the texts of the same name, other members take their place.
func (b *blockState) merge(typ, text string, delta []byte) error {
	if typ == "input_json_delta" {
		return b.hold(text)
	}
	o := wire.AnswerLimits().Object(delta, 0, 0)
	for o.Next() {
		name, value := string(o.Key.Of(delta)), o.Value.Of(delta)
		if _, ok := jsonscan.Text(o.Key.Of(delta)); !ok {
			return wire.NotAnAnswer(answerError("a delta has a member whose name is not proper Unicode"))
		}
		if name == "type" {
			continue
		}
		if len(b.raw)+len(value) > maxHeld {
			return wire.NotAnAnswer(answerError("a block is too long"))
		}
		old, _ := wire.AnswerLimits().Member(b.raw, name)
		if before, ok := jsonscan.String(old); ok {
			if more, isText := jsonscan.String(value); isText {
				value = jsonscan.AppendString(nil, before+more)
			}
		}
		b.raw = setMember(b.raw, name, value)
	}
	return nil
}

// open takes content_block_start.
func (d *streamDecoder) open(dst []ir.Event, o *jsondoc.Object) ([]ir.Event, error) {
	dst, err := d.close(dst) // what some servers leave open
	if err != nil {
		return dst, err
	}
	d.block = blockState{}
	if n := o.Int("index"); n != nil {
		d.block.index = *n
	}
	v := o.Get("content_block")
	b := v.Object()
	d.block.typ = b.Need("type")
	switch d.block.typ {
	case "text":
		d.block.kind = blockText
		dst = d.say(dst, b.Str("text"))
		for _, c := range b.Array("citations") {
			dst = append(d.speak(dst), ir.Cited{Index: d.next - 1, Part: d.part, Citation: citation(c)})
		}
		b.Rest(func(name string, _ json.RawMessage) {
			d.lose("choices[0].items.parts.extras."+name, "unknown in a stream")
		})
	case "thinking":
		dst = d.openThinking(dst, b)
	case "redacted_thinking":
		d.block.kind = blockSealed
		p := ir.Open(b.Need("data"), ir.VendorAnthropic)
		dst = d.begin(dst, ir.Thought{Redacted: true, Extras: rest(nil, b, "")})
		dst = append(dst, ir.Sealed{Index: d.next - 1, Private: p, Redacted: true})
	case "tool_use":
		dst = d.openCall(dst, b)
	default:
		d.block.kind, d.block.raw = blockOpaque, v.Raw()
	}
	if err := o.Err(); err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	return dst, nil
}

func (d *streamDecoder) openThinking(dst []ir.Event, b *jsondoc.Object) []ir.Event {
	d.block.kind = blockThinking
	text := b.Str("thinking")
	d.block.held.WriteString(b.Str("signature"))
	dst = d.begin(dst, ir.Thought{Extras: rest(nil, b, "")})
	if text != "" {
		dst = append(dst, ir.ThoughtDelta{Index: d.next - 1, Text: text})
	}
	return dst
}

func (d *streamDecoder) openCall(dst []ir.Event, b *jsondoc.Object) []ir.Event {
	call := toolUse(b)
	d.block.kind, d.block.raw = blockCall, json.RawMessage(call.Arguments)
	private := call.Private
	call.Arguments, call.Private = "", nil
	dst = d.begin(dst, call)
	if private != nil {
		dst = append(dst, ir.Sealed{Index: d.next - 1, Private: *private})
	}
	return dst
}

// close ends the open block, if there is one. A text block ends no message: the
// next may be one too.
func (d *streamDecoder) close(dst []ir.Event) ([]ir.Event, error) {
	b := &d.block
	switch b.kind {
	case blockNone, blockText:
	case blockThinking:
		if b.held.Len() > 0 {
			dst = append(dst, ir.Sealed{Index: d.next - 1, Private: ir.Open(b.held.String(), ir.VendorAnthropic)})
		}
		dst = append(dst, ir.ItemEnd{Index: d.next - 1})
	case blockSealed:
		dst = append(dst, ir.ItemEnd{Index: d.next - 1})
	case blockCall:
		if !b.begun { // without arguments, or with all of them at the start
			dst = append(dst, ir.ArgumentsDelta{Index: d.next - 1, Text: string(b.raw)})
		}
		dst = append(dst, ir.ItemEnd{Index: d.next - 1})
	case blockOpaque:
		raw := b.raw
		if in := []byte(b.held.String()); len(in) > 0 {
			if err := wire.AnswerLimits().Valid(in); err != nil {
				return dst, wire.NotAnAnswer(err)
			}
			raw = setMember(raw, "input", in)
		}
		dst = d.begin(dst, ir.Opaque{Dialect: own, Type: b.typ, Raw: raw})
		dst = append(dst, ir.ItemEnd{Index: d.next - 1})
	}
	b.kind = blockNone
	return dst, nil
}
