package openai

import (
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// Thoughts stand in reasoning_content, joined by blank lines. What a vendor
// sealed onto one stands beside it, as an element of reasoning_details in the
// form that OpenRouter made known and its clients give back:
//
//	{"type":"reasoning.encrypted","data":"tg1-…","index":0,"lengths":[12,40]}
//
// data is ir.Carry of the seal; lengths are the bytes of the thought's texts in
// reasoning_content, from which they are cut again; they are missing where the
// vendor showed no text at all.

// thoughtGap stands between two texts in reasoning_content.
const thoughtGap = "\n\n"

// chatThoughts makes thoughts of reasoning_content and reasoning_details.
func chatThoughts(text string, details []jsondoc.Value) []ir.Thought {
	var out []ir.Thought
	var foreign chatDetails
	rest := text
	for _, v := range details {
		o := v.Object()
		seal := ir.Open(o.Str("data"), "")
		if seal.Vendor == "" {
			foreign.add(o)
			continue
		}
		t := ir.Thought{ID: o.Str("id"), Private: &seal}
		if raw := o.Bool("raw"); raw != nil {
			t.Raw = *raw
		}
		t.Texts, rest = chatCut(rest, o.Get("lengths"))
		t.Redacted = !o.Has("lengths")
		out = append(out, t)
	}
	if rest != "" && len(out) > 0 && len(out[0].Texts) == 0 { // a client that keeps no lengths
		out[0].Texts, out[0].Redacted, rest = []string{rest}, false, ""
	}
	if rest == "" {
		rest = foreign.text()
	}
	if seal := foreign.seal(); seal != nil || rest != "" {
		t := ir.Thought{Private: seal, Raw: len(foreign.list) == 0}
		if rest != "" {
			t.Texts = []string{rest}
		} else {
			t.Redacted = true
		}
		out = append(out, t)
	}
	return out
}

// chatCut cuts texts of the given lengths off text; none if they do not fit.
func chatCut(text string, lengths jsondoc.Value) (texts []string, rest string) {
	rest = text
	for _, v := range lengths.Array() {
		n := v.Int()
		if texts != nil || rest != text {
			rest = strings.TrimPrefix(rest, thoughtGap)
		}
		if n == nil || *n < 0 || *n > int64(len(rest)) {
			return nil, text
		}
		texts, rest = append(texts, rest[:*n]), rest[*n:]
	}
	if texts != nil {
		rest = strings.TrimPrefix(rest, thoughtGap)
	}
	return texts, rest
}

// chatSealed writes the element of reasoning_details that carries a seal.
func chatSealed(w *jsondoc.Writer, t ir.Thought, index int, lengths []int) {
	w.Object("")
	w.Str("type", "reasoning.encrypted")
	w.OptStr("id", t.ID)
	w.Str("data", ir.Carry(*t.Private))
	w.Int("index", int64(index))
	if t.Raw {
		w.Bool("raw", true)
	}
	if !t.Redacted || len(lengths) > 0 {
		w.Array("lengths")
		for _, n := range lengths {
			w.Int("", int64(n))
		}
		w.End()
	}
	w.End()
}

// chatDetails are the reasoning_details of a provider, put together.
type chatDetails struct {
	list   []chatDetail
	size   int
	sealed bool // there is something that the provider verifies
	full   bool // there was more than is kept
}

// chatDetail is one element. Of a stream, the pieces of one text are one.
type chatDetail struct {
	typ, id, format     string
	index               *int64
	text, summary       string
	data, signature     string
	hasText, hasSummary bool
}

// maxDetails bounds what is kept of a provider's reasoning_details, in bytes.
const maxDetails = 1 << 20

func (c *chatDetails) add(o *jsondoc.Object) {
	d := chatDetail{
		typ: o.Str("type"), id: o.Str("id"), format: o.Str("format"), index: o.Int("index"),
		text: o.Str("text"), summary: o.Str("summary"), data: o.Str("data"), signature: o.Str("signature"),
		hasText: o.Has("text"), hasSummary: o.Has("summary"),
	}
	c.size += len(d.text) + len(d.summary) + len(d.data) + len(d.signature) + len(d.id)
	if c.full = c.full || c.size > maxDetails || len(c.list) > maxDetails/1024; c.full {
		return
	}
	c.sealed = c.sealed || d.data != "" || d.signature != ""
	if n := len(c.list); n > 0 && c.list[n-1].goesOn(d) {
		c.list[n-1].join(d)
		return
	}
	c.list = append(c.list, d)
}

// goesOn reports whether next is a further piece of d.
func (d *chatDetail) goesOn(next chatDetail) bool {
	return d.typ == next.typ && next.data == "" && d.index != nil && next.index != nil && *d.index == *next.index
}

func (d *chatDetail) join(next chatDetail) {
	d.text += next.text
	d.summary += next.summary
	d.signature += next.signature
	d.hasText, d.hasSummary = d.hasText || next.hasText, d.hasSummary || next.hasSummary
	if d.id == "" {
		d.id = next.id
	}
	if d.format == "" {
		d.format = next.format
	}
}

// text is what can be read in them.
func (c *chatDetails) text() string {
	var b strings.Builder
	for _, d := range c.list {
		b.WriteString(d.text)
		b.WriteString(d.summary)
	}
	return b.String()
}

// seal is what has to be given back to the provider; nil when nothing of it is
// verified, or when it was too much to keep.
func (c *chatDetails) seal() *ir.Private {
	if !c.sealed || c.full {
		return nil
	}
	var w jsondoc.Writer
	w.Array("")
	for _, d := range c.list {
		w.Object("")
		w.OptStr("type", d.typ)
		if d.hasText {
			w.Str("text", d.text)
		}
		if d.hasSummary {
			w.Str("summary", d.summary)
		}
		w.OptStr("data", d.data)
		w.OptStr("signature", d.signature)
		w.OptStr("id", d.id)
		w.OptStr("format", d.format)
		w.OptInt("index", d.index)
		w.End()
	}
	w.End()
	return &ir.Private{Vendor: ir.VendorChat, Data: string(w.Bytes())}
}
