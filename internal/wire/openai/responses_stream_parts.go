package openai

import (
	"encoding/json"
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesOutPart is a part of a message, or a text of a thought.
type responsesOutPart struct {
	kind      partKind
	index     int // on the wire; lost parts have none
	open      bool
	text      strings.Builder
	citations []json.RawMessage
	cited     int // citations given, lost ones too
	logprobs  []ir.Logprob
	raw       json.RawMessage
}

type partKind uint8

const (
	partNone partKind = iota // not yet known
	partText
	partRefusal
	partSummary
	partThought // of a raw chain of thought
	partRaw
	partLost
)

// part returns part k of an item and opens it as kind if it is new. The texts of
// a thought are done when the next begins; the parts of a message stay open until
// it ends, because more of them may come late (Gemini cites at the end). nil =
// the part was lost, or is done.
func (e *responsesEncoder) part(dst []byte, out *responsesOut, k int, kind partKind) ([]byte, *responsesOutPart) {
	p := out.part(k)
	switch p.kind {
	case partLost:
		return dst, nil
	case partNone:
		dst = e.add(dst, out)
		for before := range k {
			if kind == partSummary || kind == partThought {
				dst = e.partEnd(dst, out, before)
			}
		}
		p.kind, p.open = kind, true
		for i := range k {
			if x := out.parts[i].kind; x != partNone && x != partLost {
				p.index++
			}
		}
		dst = e.partBegin(dst, out, p)
	case partText, partRefusal, partSummary, partThought, partRaw:
		if !p.open {
			e.losses.Lose(out.at+".texts["+strconv.Itoa(k)+"]", "more of it came after the next had begun")
			return dst, nil
		}
	}
	return dst, p
}

// part returns part k of the item, which may be new.
func (out *responsesOut) part(k int) *responsesOutPart {
	for len(out.parts) <= k {
		out.parts = append(out.parts, &responsesOutPart{})
	}
	return out.parts[k]
}

func (e *responsesEncoder) partBegin(dst []byte, out *responsesOut, p *responsesOutPart) []byte {
	kind, number := "response.content_part.added", "content_index"
	if p.kind == partSummary {
		kind, number = "response.reasoning_summary_part.added", "summary_index"
	}
	return e.about(dst, kind, out, number, p.index, func(w *jsondoc.Writer) { p.write(w, "part") })
}

// partEnd tells that a part is done, with all of it.
func (e *responsesEncoder) partEnd(dst []byte, out *responsesOut, k int) []byte {
	p := out.parts[k]
	if !p.open {
		return dst
	}
	p.open = false
	number, done := "content_index", "response.content_part.done"
	text := func(w *jsondoc.Writer) { w.Str("text", p.text.String()) }
	switch p.kind {
	case partText:
		dst = e.about(dst, "response.output_text.done", out, number, p.index, func(w *jsondoc.Writer) {
			text(w)
			writeLogprobs(w, p.logprobs)
		})
	case partRefusal:
		dst = e.about(dst, "response.refusal.done", out, number, p.index, func(w *jsondoc.Writer) { w.Str("refusal", p.text.String()) })
	case partSummary:
		number, done = "summary_index", "response.reasoning_summary_part.done"
		dst = e.about(dst, "response.reasoning_summary_text.done", out, number, p.index, text)
	case partThought:
		dst = e.about(dst, "response.reasoning_text.done", out, number, p.index, text)
	case partNone, partRaw, partLost:
	}
	return e.about(dst, done, out, number, p.index, func(w *jsondoc.Writer) { p.write(w, "part") })
}

// write writes the part as it is now.
func (p *responsesOutPart) write(w *jsondoc.Writer, name string) {
	switch p.kind {
	case partNone, partLost:
		return
	case partRaw:
		w.Raw(name, p.raw)
		return
	case partText, partRefusal, partSummary, partThought:
	}
	w.Object(name)
	switch p.kind {
	case partText:
		w.Str("type", "output_text")
		w.Str("text", p.text.String())
		w.Array("annotations")
		for _, c := range p.citations {
			w.Raw("", c)
		}
		w.End()
		writeLogprobs(w, p.logprobs)
	case partRefusal:
		w.Str("type", "refusal")
		w.Str("refusal", p.text.String())
	case partSummary:
		w.Str("type", "summary_text")
		w.Str("text", p.text.String())
	case partThought:
		w.Str("type", "reasoning_text")
		w.Str("text", p.text.String())
	case partNone, partRaw, partLost:
	}
	w.End()
}

func (e *responsesEncoder) textDelta(dst []byte, ev ir.TextDelta) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	dst, p := e.part(dst, out, ev.Part, partText)
	if p == nil || (ev.Text == "" && len(ev.Logprobs) == 0) {
		return dst
	}
	p.text.WriteString(ev.Text)
	p.logprobs = append(p.logprobs, ev.Logprobs...)
	return e.about(dst, "response.output_text.delta", out, "content_index", p.index, func(w *jsondoc.Writer) {
		w.Str("delta", ev.Text)
		writeLogprobs(w, ev.Logprobs)
	})
}

func (e *responsesEncoder) refusalDelta(dst []byte, ev ir.RefusalDelta) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	dst, p := e.part(dst, out, ev.Part, partRefusal)
	if p == nil || ev.Text == "" {
		return dst
	}
	p.text.WriteString(ev.Text)
	return e.delta(dst, "response.refusal.delta", out, "content_index", p.index, ev.Text)
}

func (e *responsesEncoder) thoughtDelta(dst []byte, ev ir.ThoughtDelta) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	kind, event, number := partSummary, "response.reasoning_summary_text.delta", "summary_index"
	if th, ok := out.shell.(ir.Thought); ok && th.Raw {
		kind, event, number = partThought, "response.reasoning_text.delta", "content_index"
	}
	dst, p := e.part(dst, out, ev.Part, kind)
	if p == nil || ev.Text == "" {
		return dst
	}
	p.text.WriteString(ev.Text)
	return e.delta(dst, event, out, number, p.index, ev.Text)
}

// cited adds an annotation to a text.
func (e *responsesEncoder) cited(dst []byte, ev ir.Cited) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	dst, p := e.part(dst, out, ev.Part, partText)
	if p == nil || p.kind != partText {
		return dst
	}
	w := jsondoc.NewWriter(nil)
	at := ir.PartPath(out.at, ev.Part) + ".citations[" + strconv.Itoa(p.cited) + "]"
	p.cited++
	if !writeCitation(w, &e.losses, at, &ev.Citation) {
		return dst
	}
	p.citations = append(p.citations, w.Bytes())
	return e.about(dst, "response.output_text.annotation.added", out, "content_index", p.index, func(w *jsondoc.Writer) {
		w.Int("annotation_index", int64(len(p.citations)-1))
		w.Raw("annotation", p.citations[len(p.citations)-1])
	})
}

// partAdded adds a part that comes whole. A picture is an item of its own, as
// the API gives the pictures of its own tool.
func (e *responsesEncoder) partAdded(dst []byte, ev ir.PartAdded) []byte {
	out := e.item(ev.Choice, ev.Index)
	if out == nil {
		return dst
	}
	at := ir.PartPath(out.at, ev.Part)
	switch x := ev.Content.(type) {
	case ir.Opaque:
		if x.Dialect == responsesDialect {
			out.part(ev.Part).raw = x.Raw
			dst, _ = e.part(dst, out, ev.Part, partRaw)
			return dst
		}
		e.losses.Lose(at, "only "+x.Dialect+" has "+x.Type)
	case ir.Image:
		dst = e.picture(dst, at, x)
	case ir.Audio, ir.File:
		e.losses.Lose(at, "an answer holds text and pictures alone")
	case ir.Text:
		return e.textDelta(dst, ir.TextDelta{Choice: ev.Choice, Index: ev.Index, Part: ev.Part, Text: x.Text, Logprobs: x.Logprobs})
	case ir.Refusal:
		return e.refusalDelta(dst, ir.RefusalDelta{Choice: ev.Choice, Index: ev.Index, Part: ev.Part, Text: x.Text})
	}
	out.part(ev.Part).kind = partLost
	return dst
}

// picture writes a generated image as an image_generation_call.
func (e *responsesEncoder) picture(dst []byte, at string, x ir.Image) []byte {
	if x.Source.Data == "" {
		e.losses.Lose(at, "a picture must come in the answer itself")
		return dst
	}
	e.losses.Note(at, "an image_generation_call of its own")
	id := responsesMadeItemID(pictureID, e.id, len(e.output))
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("id", id)
	w.Str("type", "image_generation_call")
	w.Str("status", "completed")
	w.Str("result", x.Source.Data)
	w.OptStr("output_format", strings.TrimPrefix(x.Source.MIME, "image/"))
	w.End()
	out := &responsesOut{kind: outRaw, id: id, at: at, shell: ir.Opaque{Dialect: responsesDialect, Raw: w.Bytes()}}
	dst = e.add(dst, out)
	out.done = w.Bytes()
	if e.silent {
		return dst
	}
	return e.itemEvent(dst, "response.output_item.done", out, func(w *jsondoc.Writer) { w.Raw("item", out.done) })
}

// pictureID begins the ids of pictures.
const pictureID = "ig_"
