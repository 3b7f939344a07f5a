package openai

import (
	"encoding/json"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// Thoughts stand in reasoning_content, joined by blank lines. What a vendor
// sealed onto one stands beside it, as an element of reasoning_details in the
// form that OpenRouter made known and its clients give back:
//
//	{"type":"reasoning.encrypted","data":"tg1-…","index":0,"spans":[0,12,14,40]}
//
// data is ir.Carry of the seal; spans are where the thought's texts begin and
// end in reasoning_content, in bytes. "redacted":true is in their place where the
// vendor showed no text at all.

// chatGap stands between two texts in reasoning_content.
const chatGap = "\n\n"

// chatThoughts makes thoughts of reasoning_content and reasoning_details.
func chatThoughts(text string, details []jsondoc.Value) []ir.Thought {
	var out []ir.Thought
	var foreign chatDetails
	rest, stripped := chatRest{text: text}, -1
	for _, v := range details {
		o := v.Object()
		seal := ir.Open(o.Str("data"), "")
		if seal.Vendor == "" {
			foreign.add(o)
			continue
		}
		t := ir.Thought{ID: o.Str("id"), Private: &seal, Redacted: !o.Has("spans")}
		t.Raw = chatTrue(o.Bool("raw"))
		t.Texts = rest.cut(o.Array("spans"))
		out = append(out, t)
		if stripped < 0 && t.Redacted && !chatTrue(o.Bool("redacted")) {
			stripped = len(out) - 1
		}
	}
	unsealed := rest.left()
	if unsealed != "" && stripped >= 0 && len(rest.spans) == 0 { // a client that keeps but what it knows
		out[stripped].Texts, out[stripped].Redacted, unsealed = []string{unsealed}, false, ""
	}
	if unsealed == "" {
		unsealed = foreign.text()
	}
	if seal := foreign.seal(); seal != nil || unsealed != "" {
		t := ir.Thought{Private: seal, Raw: len(foreign.list) == 0, Redacted: unsealed == ""}
		if unsealed != "" {
			t.Texts = []string{unsealed}
		}
		out = append(out, t)
	}
	return out
}

func chatTrue(b *bool) bool { return b != nil && *b }

// chatRest is reasoning_content, from which spans are cut in order.
type chatRest struct {
	text  string
	spans [][2]int64
}

// cut returns the texts at the spans; none when they do not fit.
func (r *chatRest) cut(list []jsondoc.Value) []string {
	before, end := r.spans, int64(0)
	if n := len(before); n > 0 {
		end = before[n-1][1]
	}
	var texts []string
	for i := 0; i+1 < len(list); i += 2 {
		from, to := list[i].Int(), list[i+1].Int()
		if from == nil || to == nil || *from < end || *to < *from || *to > int64(len(r.text)) {
			r.spans = before
			return nil
		}
		texts, end = append(texts, r.text[*from:*to]), *to
		r.spans = append(r.spans, [2]int64{*from, *to})
	}
	return texts
}

// left is the text that no span covers.
func (r *chatRest) left() string {
	if len(r.spans) == 0 {
		return r.text
	}
	var pieces []string
	at := int64(0)
	for _, s := range append(r.spans, [2]int64{int64(len(r.text)), 0}) {
		if piece := strings.Trim(r.text[at:s[0]], "\n"); piece != "" {
			pieces = append(pieces, piece)
		}
		at = s[1]
	}
	return strings.Join(pieces, chatGap)
}

// chatSeal is a thought with a seal, and where its texts stand.
type chatSeal struct {
	thought ir.Thought
	spans   []int
}

// write writes the elements of reasoning_details that carry the seal: those of
// a provider of Chat as they came.
func (s *chatSeal) write(w *jsondoc.Writer, index int) {
	t := s.thought
	if t.Private.Vendor == ir.VendorChat {
		var list []json.RawMessage
		if json.Unmarshal([]byte(t.Private.Data), &list) == nil {
			for _, r := range list {
				w.Raw("", r)
			}
		}
		return
	}
	w.Object("")
	w.Str("type", "reasoning.encrypted")
	w.OptStr("id", t.ID)
	w.Str("data", ir.Carry(*t.Private))
	w.Int("index", int64(index))
	if t.Raw {
		w.Bool("raw", true)
	}
	if t.Redacted && len(s.spans) == 0 {
		w.Bool("redacted", true)
	} else {
		w.Array("spans")
		for _, n := range s.spans {
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

// chatMaxDetails bounds what is kept of a provider's reasoning_details, in bytes.
const chatMaxDetails = 1 << 20

func (c *chatDetails) add(o *jsondoc.Object) {
	d := chatDetail{
		typ: o.Str("type"), id: o.Str("id"), format: o.Str("format"), index: o.Int("index"),
		text: o.Str("text"), summary: o.Str("summary"), data: o.Str("data"), signature: o.Str("signature"),
		hasText: o.Has("text"), hasSummary: o.Has("summary"),
	}
	c.size += len(d.text) + len(d.summary) + len(d.data) + len(d.signature) + len(d.id)
	if c.full = c.full || c.size > chatMaxDetails || len(c.list) > chatMaxDetails/1024; c.full {
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
