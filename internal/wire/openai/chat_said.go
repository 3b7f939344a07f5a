package openai

import (
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// said reads what an assistant message says, in a request or an answer:
// thoughts, and the parts of the message. Images are OpenRouter's form of
// generated ones, thinking parts are Mistral's form of thoughts.
func (d *chatReader) said(o *jsondoc.Object) (thoughts []ir.Thought, parts []ir.Part) {
	text := chatReasoning(o)
	parts, thinking := d.spoken(o.Get("content"))
	if text == "" {
		text = thinking
	}
	thoughts = chatThoughts(text, o.Array("reasoning_details"))
	if s := o.Str("refusal"); s != "" {
		parts = append(parts, ir.Refusal{Text: s})
	}
	for _, v := range o.Array("images") {
		parts = append(parts, chatImage(v.Object()))
	}
	if a := o.Object("audio"); a.Present() {
		parts = append(parts, chatSpeech(a))
	}
	return thoughts, chatCited(parts, chatCitations(o))
}

// chatReasoning is the readable thought under its several names.
func chatReasoning(o *jsondoc.Object) string {
	text := o.Str("reasoning_content")
	if other := o.Get("reasoning"); other.Kind() == jsondoc.String && text == "" {
		text = other.Str()
	}
	return text
}

// spoken is content for an assistant: thinking parts are taken out.
func (d *chatReader) spoken(v jsondoc.Value) (parts []ir.Part, thinking string) {
	if v.Kind() != jsondoc.IsArray {
		return d.content(v), ""
	}
	var b strings.Builder
	for _, p := range v.Array() {
		if o := p.Object(); o.Get("type").Kind() == jsondoc.String && o.Str("type") == "thinking" {
			b.WriteString(chatThinking(o))
			continue
		}
		parts = append(parts, d.part(p))
	}
	return parts, b.String()
}

// chatThinking reads a thinking part, whose text is a string or parts.
func chatThinking(o *jsondoc.Object) string {
	v := o.Get("thinking")
	if v.Kind() != jsondoc.IsArray {
		return v.Str()
	}
	var b strings.Builder
	for _, p := range v.Array() {
		b.WriteString(p.Object().Str("text"))
	}
	return b.String()
}

// chatSpeech reads spoken audio: the data in an answer, its id in a request
// that continues the conversation.
func chatSpeech(o *jsondoc.Object) ir.Audio {
	id, data := o.Str("id"), o.Str("data")
	o.Get("expires_at")
	a := ir.Audio{Transcript: o.Str("transcript"), Source: ir.Source{Data: data}}
	if data == "" {
		a.Source.ID = id
	}
	return a
}

func chatCitations(o *jsondoc.Object) []ir.Citation {
	list := o.Array("annotations")
	if len(list) == 0 {
		return nil
	}
	out := make([]ir.Citation, 0, len(list))
	for _, v := range list {
		out = append(out, chatCitation(v))
	}
	return out
}

// chatCitation reads an annotation: of a web page, or, as some servers add, of
// something else, which only its raw form tells.
func chatCitation(v jsondoc.Value) ir.Citation {
	o := v.Object()
	c := ir.Citation{Kind: ir.CitationFile, Dialect: chatName, Raw: v.Raw()}
	if o.Str("type") != "url_citation" {
		return c
	}
	u := o.Object("url_citation")
	c.Kind, c.URL, c.Title, c.Quote = ir.CitationURL, u.Str("url"), u.Str("title"), u.Str("content")
	c.Start, c.End = u.Int("start_index"), u.Int("end_index")
	return c
}

// chatCited gives citations to the last text, which they count characters of.
func chatCited(parts []ir.Part, citations []ir.Citation) []ir.Part {
	if citations == nil {
		return parts
	}
	for i := len(parts) - 1; i >= 0; i-- {
		if t, ok := parts[i].(ir.Text); ok {
			t.Citations = citations
			parts[i] = t
			return parts
		}
	}
	return append(parts, ir.Text{Citations: citations})
}
