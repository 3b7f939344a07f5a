package anthropic

import (
	"encoding/base64"
	"strings"
	"unicode/utf8"

	"tollgate/internal/ir"
)

func (b *blockWriter) image(at string, role ir.Role, x ir.Image, extras []ir.Extra, prefix string) int {
	b.noteIf(x.Private != nil, at+".private", "Anthropic has no place for a sealed image")
	if b.answer || role != ir.RoleUser {
		b.Lose(at, "with Anthropic users alone show images")
		return 0
	}
	if x.Source.ID != "" && !ownFile(x.Source.ID) {
		b.Lose(at, "the file is kept by another vendor")
		return 0
	}
	b.w.Object("")
	b.w.Str("type", "image")
	b.source(at, x.Source, extras, prefix+onSource)
	b.mark(at+".cache", x.Cache)
	writeExtras(b.w, withoutSource(extras, prefix), prefix)
	b.w.End()
	b.noteIf(x.Detail != "", at+".detail", "Anthropic has one level of detail")
	return 1
}

// withoutSource leaves out the members of a part's source.
func withoutSource(extras []ir.Extra, prefix string) []ir.Extra {
	var out []ir.Extra
	for _, e := range extras {
		if !strings.HasPrefix(e.Path, prefix+onSource) {
			out = append(out, e)
		}
	}
	return out
}

// ownFile reports whether an id is one of Anthropic's: OpenAI's begin with
// "file-", Gemini's with "files/".
func ownFile(id string) bool { return strings.HasPrefix(id, "file_") }

// source writes where bytes are. The vendor fetches https alone.
func (b *blockWriter) source(at string, s ir.Source, extras []ir.Extra, prefix string) {
	b.w.Object("source")
	switch {
	case s.URL != "":
		if scheme, _, _ := strings.Cut(s.URL, ":"); scheme != "https" && scheme != "http" {
			b.refusef(at+".source.url", "Anthropic cannot fetch %s: addresses; send the bytes", scheme)
		}
		b.w.Str("type", "url")
		b.w.Str("url", s.URL)
		b.noteIf(s.MIME != "", at+".source.mime", "Anthropic finds the type of what it fetches")
	case s.ID != "":
		b.w.Str("type", "file")
		b.w.Str("file_id", s.ID)
		b.noteIf(s.MIME != "", at+".source.mime", "Anthropic knows the type of its files")
	case s.Text != "":
		b.w.Str("type", "text")
		b.w.Str("media_type", plainText)
		b.w.Str("data", s.Text)
		b.noteIf(s.MIME != plainText, at+".source.mime", "Anthropic knows plain text alone")
	default:
		b.w.Str("type", "base64")
		b.w.Str("media_type", s.MIME)
		b.w.Str("data", s.Data)
	}
	writeExtras(b.w, extras, prefix)
	b.w.End()
}

func (b *blockWriter) audio(at string, role ir.Role, a ir.Audio) int {
	switch {
	case a.Transcript != "":
		b.Lose(at, "a sound is written as its words")
		b.text(at, ir.Text{Text: a.Transcript}, nil, "")
		return 1
	case role == ir.RoleUser && !b.answer:
		b.refusef(at, "models of Anthropic hear nothing; send the words")
	default:
		b.Lose(at, "Anthropic has no sounds")
	}
	return 0
}

func (b *blockWriter) file(at string, role ir.Role, f ir.File) int {
	if b.answer || role == ir.RoleSystem {
		b.Lose(at, "neither answers nor instructions of Anthropic hold files")
		return 0
	}
	b.losses.Extras(at, f.Extras, own)
	if raw := findExtra(f.Extras, wholeResult); raw != nil {
		if f.Cache != nil {
			b.marks++
		}
		b.w.Raw("", raw)
		return 1
	}
	f.Source = b.readable(at, f.Source)
	switch mime := f.Source.MIME; {
	case strings.HasPrefix(mime, "image/"):
		b.Note(at, "an image")
		return b.image(at, role, ir.Image{Source: f.Source, Cache: f.Cache}, nil, contentAt(0))
	case f.Source.ID != "" && !ownFile(f.Source.ID):
		b.Lose(at, "the file is kept by another vendor")
		return 0
	case f.Source.Data != "" && mime != "application/pdf":
		b.Lose(at, "Anthropic reads PDF and plain text")
		return 0
	case f.Source == ir.Source{MIME: mime}:
		b.Note(at, "an empty file")
		return 0
	}
	b.document(at, f)
	return 1
}

// readable decodes texts, which the vendor takes as they are.
func (b *blockWriter) readable(at string, s ir.Source) ir.Source {
	if s.Data == "" || (!strings.HasPrefix(s.MIME, "text/") && s.MIME != "application/json") {
		return s
	}
	text, err := base64.StdEncoding.DecodeString(s.Data)
	if err != nil || !utf8.Valid(text) || len(text) == 0 {
		return s
	}
	b.Note(at+".source", "a text is written as it is")
	return ir.Source{MIME: s.MIME, Text: string(text)}
}

func (b *blockWriter) document(at string, f ir.File) {
	b.w.Object("")
	b.w.Str("type", "document")
	if raw := findExtra(f.Extras, wholeSource); raw != nil {
		b.w.Raw("source", raw)
	} else {
		b.source(at, f.Source, f.Extras, onSource)
	}
	title := f.Title
	if title == "" && f.Name != "" {
		title = f.Name
		b.Note(at+".title", "the name stands for it")
	}
	b.noteIf(f.Name != "", at+".name", "carried as the title")
	b.w.OptStr("title", title)
	b.w.OptStr("context", f.Context)
	if f.Cite || hasExtras(f.Extras, onCitations) {
		b.w.Object("citations")
		b.w.Bool("enabled", f.Cite)
		writeExtras(b.w, f.Extras, onCitations)
		b.w.End()
	}
	b.mark(at+".cache", f.Cache)
	for _, e := range f.Extras {
		if e.Dialect == own && e.Path != wholeSource && !nested(e.Path) {
			b.w.Raw(memberName(e.Path), e.Raw)
		}
	}
	b.w.End()
}
