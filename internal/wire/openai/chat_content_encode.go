package openai

import (
	"strings"

	"tollgate/internal/ir"
)

// carries says what of a part Chat cannot carry in a message of the role, and
// whether the part is written at all.
func (e *chatAsk) carries(at string, p ir.Part, role ir.Role) bool {
	switch x := p.(type) {
	case ir.Text:
		e.noteText(at, x)
		return true
	case ir.Refusal:
		if role == ir.RoleAssistant {
			return true
		}
		e.lost.Lose(at, "only the assistant refuses in Chat")
		return false
	case ir.Opaque:
		if x.Dialect != chatName {
			e.lost.Lose(at, "only "+x.Dialect+" has "+x.Type)
		}
		return x.Dialect == chatName
	case ir.Image:
		e.cached(at, x.Cache)
		return e.forUser(at, role, "images") && e.image(at, x)
	case ir.Audio:
		if role == ir.RoleAssistant && x.Source.ID != "" {
			return true
		}
		return e.forUser(at, role, "sounds") && e.audio(at, x)
	case ir.File:
		e.cached(at, x.Cache)
		return e.forUser(at, role, "files") && e.file(at, x)
	}
	return false
}

func (e *chatAsk) noteText(at string, t ir.Text) {
	e.cached(at, t.Cache)
	if t.Private != nil {
		e.lost.Note(at+".private", "what another vendor sealed is not shown to this one")
	}
	if t.Logprobs != nil {
		e.lost.Lose(at+".logprobs", "requests of Chat have none")
	}
	for _, c := range t.Citations {
		if c.Dialect != chatName {
			e.lost.Lose(at+".citations", "requests of Chat have none")
			return
		}
	}
}

func (e *chatAsk) cached(at string, c *ir.Cache) {
	if c != nil {
		e.lost.Note(at+".cache", "Chat providers cache by themselves")
	}
}

func (e *chatAsk) forUser(at string, role ir.Role, what string) bool {
	if role != ir.RoleUser {
		e.lost.Lose(at, "Chat has "+what+" in user messages alone")
	}
	return role == ir.RoleUser
}

func (e *chatAsk) image(at string, m ir.Image) bool {
	switch {
	case m.Source.ID != "":
		e.lost.Lose(at, "Chat has no images by file id")
		return false
	case m.Source.URL != "" && !strings.HasPrefix(m.Source.URL, "http"):
		e.refuse(at+".source.url", "only http addresses and data can be given to the provider")
	case m.Source.URL != "" && m.Source.MIME != "":
		e.lost.Note(at+".source.mime", "the address tells")
	case m.Source.Text != "":
		e.lost.Lose(at, "an image cannot be text")
		return false
	case m.Source.Data != "" && m.Source.MIME == "":
		e.lost.Note(at+".source.mime", "it is not said; image/png is assumed")
	}
	if m.Private != nil {
		e.lost.Note(at+".private", "what another vendor sealed is not shown to this one")
	}
	return true
}

func (e *chatAsk) audio(at string, a ir.Audio) bool {
	format, ok := openaiAudioFormat(a.Source.MIME)
	if a.Source.Data == "" || !ok {
		e.lost.Lose(at, "Chat has sounds as data in wav or mp3 alone")
		return false
	}
	if openaiAudioMIME(format) != a.Source.MIME {
		e.lost.Note(at+".source.mime", "another name of the same format")
	}
	if a.Transcript != "" {
		e.lost.Lose(at+".transcript", "sounds of Chat have no transcript")
	}
	return true
}

func (e *chatAsk) file(at string, f ir.File) bool {
	switch {
	case f.Source.URL != "":
		e.refuse(at+".source.url", "the provider takes no files by address; send the data")
	case f.Source.Text != "":
		e.lost.Note(at, "a document of plain text is a text in Chat")
	case f.Source.Data != "" && f.Name == "":
		e.lost.Note(at+".name", "files need a name in Chat; it is called file.pdf")
	case f.Source.ID != "" && f.Source.MIME != "":
		e.lost.Note(at+".source.mime", "the provider knows it by the id")
	}
	if f.Title != "" && f.Source.Text == "" {
		e.lost.Lose(at+".title", "files of Chat have a name alone")
	}
	if f.Context != "" && f.Source.Text == "" {
		e.lost.Lose(at+".context", "files of Chat have a name alone")
	}
	if f.Cite {
		e.lost.Lose(at+".cite", "the provider does not cite from files")
	}
	e.lost.Extras(at, f.Extras, chatName)
	return true
}

// content writes a message's content, as a string where it is one text.
func (e *chatAsk) content(parts []ir.Part) {
	switch len(parts) {
	case 0:
		e.w.Str("content", "")
		return
	case 1:
		if t, ok := parts[0].(ir.Text); ok {
			e.w.Str("content", t.Text)
			return
		}
	}
	e.w.Array("content")
	for _, p := range parts {
		e.part(p)
	}
	e.w.End()
}

// part writes a part that carries has let through.
func (e *chatAsk) part(p ir.Part) {
	w := &e.w
	switch x := p.(type) {
	case ir.Text:
		e.text(x.Text)
	case ir.Refusal:
		w.Object("")
		w.Str("type", "refusal")
		w.Str("refusal", x.Text)
		w.End()
	case ir.Image:
		w.Object("")
		w.Str("type", "image_url")
		w.Object("image_url")
		w.Str("url", chatImageURL(x.Source))
		w.OptStr("detail", x.Detail)
		w.End()
		w.End()
	case ir.Audio:
		format, _ := openaiAudioFormat(x.Source.MIME)
		w.Object("")
		w.Str("type", "input_audio")
		w.Object("input_audio")
		w.Str("data", x.Source.Data)
		w.Str("format", format)
		w.End()
		w.End()
	case ir.File:
		e.writeFile(x)
	case ir.Opaque:
		w.Raw("", x.Raw)
	}
}

func (e *chatAsk) text(text string) {
	e.w.Object("")
	e.w.Str("type", "text")
	e.w.Str("text", text)
	e.w.End()
}

func chatImageURL(s ir.Source) string {
	if s.URL != "" {
		return s.URL
	}
	return openaiDataURL(s, "image/png")
}

func (e *chatAsk) writeFile(f ir.File) {
	if f.Source.Text != "" {
		e.text(chatDocument(f))
		return
	}
	w := &e.w
	w.Object("")
	w.Str("type", "file")
	w.Object("file")
	if f.Source.ID != "" {
		w.OptStr("filename", f.Name)
		w.Str("file_id", f.Source.ID)
	} else {
		if f.Name == "" {
			f.Name = "file.pdf"
		}
		w.Str("filename", f.Name)
		w.Str("file_data", openaiDataURL(f.Source, "application/pdf"))
	}
	chatNested(w, f.Extras, "file.")
	w.End()
	chatNested(w, f.Extras, "")
	w.End()
}

// chatDocument is a plain text document with what describes it.
func chatDocument(f ir.File) string {
	var b strings.Builder
	for _, line := range []struct{ name, text string }{{"Title", f.Title}, {"File", f.Name}, {"Context", f.Context}} {
		if line.text != "" {
			b.WriteString(line.name + ": " + line.text + "\n")
		}
	}
	if b.Len() > 0 {
		b.WriteByte('\n')
	}
	b.WriteString(f.Source.Text)
	return b.String()
}

// apart takes out of an assistant's parts what has members of its own, and
// writes them.
func (e *chatAsk) apart(parts []ir.Part) []ir.Part {
	out := make([]ir.Part, 0, len(parts))
	for i, p := range parts {
		switch x := p.(type) {
		case ir.Refusal:
			if i == len(parts)-1 {
				e.w.Str("refusal", x.Text)
				continue
			}
		case ir.Audio:
			e.w.Object("audio")
			e.w.Str("id", x.Source.ID)
			e.w.End()
			continue
		case ir.Text, ir.Image, ir.File, ir.Opaque:
		}
		out = append(out, p)
	}
	return out
}

// annotations writes back the citations that a provider of Chat gave.
func (e *chatAsk) annotations(parts []ir.Part) {
	open := false
	for _, p := range parts {
		t, _ := p.(ir.Text)
		for _, c := range t.Citations {
			if c.Dialect != chatName {
				continue
			}
			if !open {
				e.w.Array("annotations")
				open = true
			}
			e.w.Raw("", c.Raw)
		}
	}
	if open {
		e.w.End()
	}
}
