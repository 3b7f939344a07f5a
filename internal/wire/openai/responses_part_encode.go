package openai

import (
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesWriter writes items and what is in them. It is used for a provider's
// input, and with keep for conversations that the gateway stores, where nothing
// may be lost.
type responsesWriter struct {
	*jsondoc.Writer
	losses *ir.Losses
	// keep carries what only other vendors read.
	keep bool
	// marks writes the ends of cached prefixes.
	marks bool
	// echo repeats a request in its answer, with every member.
	echo bool
}

// content writes the parts of a message or of a tool's output. A single text
// is a string.
func (w *responsesWriter) content(name, at string, role ir.Role, parts []ir.Part, extras []ir.Extra) {
	if len(parts) == 1 && !slices.ContainsFunc(extras, func(e ir.Extra) bool { return strings.HasPrefix(e.Path, name+"[") }) {
		if t, ok := parts[0].(ir.Text); ok && len(t.Citations) == 0 && len(t.Logprobs) == 0 && (t.Cache == nil || !w.marks) {
			w.textLosses(ir.PartPath(at, 0), &t)
			w.Str(name, t.Text)
			return
		}
	}
	w.Array(name)
	for k, p := range parts {
		w.part(ir.PartPath(at, k), role, p, extras, name+"["+strconv.Itoa(k)+"].")
	}
	w.End()
}

// part writes one part; the extras whose path begins with prefix are its own.
func (w *responsesWriter) part(at string, role ir.Role, p ir.Part, extras []ir.Extra, prefix string) {
	switch x := p.(type) {
	case ir.Text:
		w.text(at, role, &x)
	case ir.Refusal:
		w.refusal(at, role, x)
	case ir.Image:
		if !w.image(at, role, &x) {
			return
		}
	case ir.Audio:
		if !w.audio(at, role, &x) {
			return
		}
	case ir.File:
		if !w.file(at, role, &x) {
			return
		}
	case ir.Opaque:
		if x.Dialect == responsesDialect {
			w.Raw("", x.Raw)
		} else if w.keep {
			w.opaque(x)
		} else {
			w.losses.Lose(at, "only "+x.Dialect+" has "+x.Type)
		}
		return
	}
	w.extras(extras, prefix)
	w.End()
}

// extras writes the extras of this dialect that stand directly below prefix.
func (w *responsesWriter) extras(extras []ir.Extra, prefix string) {
	for i := range extras {
		if e := &extras[i]; e.Dialect == responsesDialect {
			if name, ok := strings.CutPrefix(e.Path, prefix); ok && !strings.ContainsAny(name, "[") {
				w.Raw(name, e.Raw)
			}
		}
	}
}

func (w *responsesWriter) text(at string, role ir.Role, t *ir.Text) {
	w.Object("")
	if role == ir.RoleAssistant {
		w.Str("type", "output_text")
		w.Str("text", t.Text)
		writeCitations(w.Writer, w.losses, at, t.Citations)
		writeLogprobs(w.Writer, t.Logprobs)
	} else {
		w.Str("type", "input_text")
		w.Str("text", t.Text)
		for i := range t.Citations {
			w.losses.Lose(at+".citations["+strconv.Itoa(i)+"]", "only the model's own texts cite")
		}
	}
	w.mark(at, t.Cache)
	w.textLosses(at, t)
}

// textLosses reports what neither form of a text holds.
func (w *responsesWriter) textLosses(at string, t *ir.Text) {
	if t.Cache != nil && !w.marks {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.private(at, t.Private)
}

func (w *responsesWriter) private(at string, p *ir.Private) {
	if p != nil {
		w.losses.Note(at+".private", "only "+string(p.Vendor)+" reads it")
	}
}

func (w *responsesWriter) mark(at string, c *ir.Cache) {
	switch {
	case c == nil || !w.marks:
		return
	case c.Life != "":
		w.losses.Note(at+".cache.life", "all marks of a request live equally long")
	}
	w.Raw("prompt_cache_breakpoint", []byte(`{"mode":"explicit"}`))
}

func (w *responsesWriter) refusal(at string, role ir.Role, r ir.Refusal) {
	w.Object("")
	if role == ir.RoleAssistant {
		w.Str("type", "refusal")
		w.Str("refusal", r.Text)
		return
	}
	w.losses.Note(at, "carried as text: only the model refuses")
	w.Str("type", "input_text")
	w.Str("text", r.Text)
}

// given reports whether a message of role may hold a part that the model is
// given, and loses it if not.
func (w *responsesWriter) given(at string, role ir.Role, what string) bool {
	if role != ir.RoleAssistant || w.keep {
		return true
	}
	w.losses.Lose(at, "the model's own messages hold no "+what)
	return false
}

func (w *responsesWriter) image(at string, role ir.Role, x *ir.Image) bool {
	if !w.given(at, role, "images") {
		return false
	}
	w.Object("")
	w.Str("type", "input_image")
	if x.Source.ID != "" {
		w.fileID(at, x.Source)
	} else {
		w.Str("image_url", w.address(at, x.Source, "image/png"))
	}
	detail := x.Detail
	if detail == "" {
		detail = detailAuto // required here, and what silence means elsewhere
	}
	w.Str("detail", detail)
	w.mark(at, x.Cache)
	if x.Cache != nil && !w.marks {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.private(at, x.Private)
	return true
}

// fileID writes a file that the vendor keeps.
func (w *responsesWriter) fileID(at string, s ir.Source) {
	w.Str("file_id", s.ID)
	if s.MIME != "" {
		w.losses.Note(at+".source.mime", "the vendor knows the type of what it keeps")
	}
}

// address is a source as a URL.
func (w *responsesWriter) address(at string, s ir.Source, fallback string) string {
	if s = openaiBytesSource(s); s.Data == "" {
		if s.MIME != "" {
			w.losses.Note(at+".source.mime", "the type of what is fetched is found by fetching it")
		}
		return s.URL
	}
	if s.MIME == "" {
		w.losses.Note(at+".source.mime", "said to be "+fallback)
	}
	return openaiDataURL(s, fallback)
}

func (w *responsesWriter) audio(at string, role ir.Role, x *ir.Audio) bool {
	if !w.given(at, role, "audio") {
		return false
	}
	format, ok := openaiAudioFormat(x.Source.MIME)
	if !ok || x.Source.Data == "" {
		w.losses.Lose(at, "audio must be wav or mp3 and in the request itself")
		return false
	}
	if openaiAudioMIME(format) != x.Source.MIME {
		w.losses.Note(at+".source.mime", "said as "+format)
	}
	if x.Transcript != "" {
		w.losses.Lose(at+".transcript", "audio that is given has none")
	}
	w.Object("")
	w.Str("type", "input_audio")
	w.Object("input_audio")
	w.Str("data", x.Source.Data)
	w.Str("format", format)
	w.End()
	return true
}

func (w *responsesWriter) file(at string, role ir.Role, x *ir.File) bool {
	if !w.given(at, role, "files") {
		return false
	}
	if strings.HasPrefix(x.Source.URL, "gs:") {
		w.losses.Lose(at, "files in Google's storage cannot be reached")
		return false
	}
	w.Object("")
	w.Str("type", "input_file")
	name := x.Name
	if name == "" && x.Title != "" {
		name = x.Title
		w.losses.Note(at+".title", "carried as the file's name")
		w.losses.Note(at+".name", "it is the title")
	} else if x.Title != "" {
		w.losses.Lose(at+".title", "a file has a name alone")
	}
	switch {
	case x.Source.ID != "":
		w.fileID(at, x.Source)
	case x.Source.URL != "":
		w.Str("file_url", w.address(at, x.Source, ""))
	default:
		w.Str("file_data", w.address(at, x.Source, "application/pdf"))
		if name == "" {
			name = "document.pdf"
			if x.Source.Text != "" || x.Source.MIME == plainText {
				name = "document.txt"
			}
			w.losses.Note(at+".name", "a file needs one: "+name)
		}
	}
	w.OptStr("filename", name)
	w.fileLosses(at, x)
	return true
}

func (w *responsesWriter) fileLosses(at string, x *ir.File) {
	if x.Context != "" {
		w.losses.Lose(at+".context", "a file has no context beside it")
	}
	if x.Cite {
		w.losses.Lose(at+".cite", "citations of given files cannot be asked for")
	}
	w.mark(at, x.Cache)
	if x.Cache != nil && !w.marks {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.losses.Extras(at, x.Extras, responsesDialect)
	w.extras(x.Extras, "")
}

// writeCitations writes annotations, which every output text has.
func writeCitations(w *jsondoc.Writer, losses *ir.Losses, at string, list []ir.Citation) {
	w.Array("annotations")
	for i := range list {
		writeCitation(w, losses, at+".citations["+strconv.Itoa(i)+"]", &list[i])
	}
	w.End()
}

// writeCitation writes one; false = it has no form here.
func writeCitation(w *jsondoc.Writer, losses *ir.Losses, at string, c *ir.Citation) bool {
	if c.Dialect == responsesDialect && len(c.Raw) > 0 {
		w.Raw("", c.Raw)
		return true
	}
	if c.Kind != ir.CitationURL || c.URL == "" {
		losses.Lose(at, "only web pages and files that OpenAI keeps are cited")
		return false
	}
	if c.Quote != "" {
		losses.Lose(at+".quote", "citations do not quote")
	}
	losses.Note(at, "written as a url_citation")
	w.Object("")
	w.Str("type", "url_citation")
	w.Str("url", c.URL)
	w.Str("title", c.Title)
	w.Int("start_index", orZero(c.Start))
	w.Int("end_index", orZero(c.End))
	w.End()
	return true
}

func orZero(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// writeLogprobs writes logprobs, which every output text has.
func writeLogprobs(w *jsondoc.Writer, list []ir.Logprob) {
	w.Array("logprobs")
	for i := range list {
		writeLogprob(w, &list[i], true)
	}
	w.End()
}

func writeLogprob(w *jsondoc.Writer, p *ir.Logprob, top bool) {
	w.Object("")
	w.Str("token", p.Token)
	w.Float("logprob", p.Logprob)
	w.Array("bytes")
	for _, b := range p.Bytes {
		w.Int("", int64(b))
	}
	w.End()
	if top {
		w.Array("top_logprobs")
		for i := range p.Top {
			writeLogprob(w, &p.Top[i], false)
		}
		w.End()
	}
	w.End()
}
