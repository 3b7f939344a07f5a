package gemini

import (
	"encoding/base64"
	"encoding/json"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// parts writes the parts of a content, of a request or of an answer.
type parts struct {
	w      *jsondoc.Writer
	losses ir.Losses
	// refuse says that something cannot be asked at all; nil in answers, where
	// it is a loss.
	refuse func(path, message string)
	// wrote counts the parts, for callers that open a content only when there is one.
	wrote int
}

// answer reports whether this is what a client gets: what other vendors sealed
// is carried along there, and only there.
func (p *parts) answer() bool { return p.refuse == nil }

func (p *parts) open() {
	p.wrote++
	p.w.Object("")
}

// close writes what was kept beside the part and ends it.
func (p *parts) close(extras []ir.Extra, at string) {
	withExtras(p.w, extras, at)
	p.w.End()
}

// seal writes the signature of what stands at path at.
func (p *parts) seal(at string, private *ir.Private, redacted bool) {
	switch {
	case private == nil:
	case p.answer() || private.Vendor == ir.VendorGemini:
		p.w.Str("thoughtSignature", carrySeal(private, redacted))
	default:
		p.losses.Note(at+".private", "sealed by "+string(private.Vendor)+", which alone may see it")
	}
}

// message writes the parts of m, which stands at path at.
func (p *parts) message(at string, m *ir.Message) {
	for k, part := range m.Parts {
		p.part(ir.PartPath(at, k), part, m.Extras, beside(k))
	}
}

// part writes one part of a message.
func (p *parts) part(at string, part ir.Part, extras []ir.Extra, beside string) {
	switch x := part.(type) {
	case ir.Text:
		p.text(at, &x, extras, beside)
	case ir.Refusal:
		p.losses.Note(at, "Gemini has no refusals: plain text")
		p.open()
		p.w.Str("text", x.Text)
		p.close(nil, beside)
	case ir.Image:
		p.cache(at, x.Cache)
		if x.Detail != "" {
			p.losses.Lose(at+".detail", "Gemini decides itself how closely it looks")
		}
		p.file(at, x.Source, x.Private, extras, beside)
	case ir.Audio:
		if x.Transcript != "" {
			p.losses.Lose(at+".transcript", "Gemini has no transcripts")
		}
		p.file(at, x.Source, nil, extras, beside)
	case ir.File:
		p.document(at, &x, extras, beside)
	case ir.Opaque:
		if x.Dialect != own {
			p.losses.Lose(at, "only "+x.Dialect+" knows "+x.Type)
			return
		}
		p.wrote++
		p.w.Raw("", x.Raw)
	}
}

func (p *parts) text(at string, t *ir.Text, extras []ir.Extra, beside string) {
	p.cache(at, t.Cache)
	if !p.answer() {
		if len(t.Citations) > 0 {
			p.losses.Lose(at+".citations", "Gemini takes no citations back")
		}
		if len(t.Logprobs) > 0 {
			p.losses.Note(at+".logprobs", "they say nothing to the model")
		}
		if t.Text == "" && t.Private == nil {
			p.losses.Note(at, "Gemini refuses empty texts")
			return
		}
	}
	p.open()
	p.w.Str("text", t.Text)
	p.seal(at, t.Private, false)
	p.close(extras, beside)
}

func (p *parts) cache(at string, c *ir.Cache) {
	if c != nil {
		p.losses.Note(at+".cache", "Gemini caches prefixes by itself")
	}
}

func (p *parts) document(at string, f *ir.File, extras []ir.Extra, beside string) {
	p.cache(at, f.Cache)
	for _, x := range []struct {
		name string
		set  bool
	}{{"name", f.Name != ""}, {"title", f.Title != ""}, {"context", f.Context != ""}, {"cite", f.Cite}} {
		if x.set {
			p.losses.Lose(at+"."+x.name, "Gemini's files have none")
		}
	}
	p.losses.Extras(at, f.Extras, own)
	p.file(at, f.Source, nil, extras, beside)
}

// file writes bytes or a reference to them.
func (p *parts) file(at string, src ir.Source, private *ir.Private, extras []ir.Extra, beside string) {
	if !p.reachable(at, src) {
		return
	}
	p.open()
	p.source(at, src, extras, beside)
	p.seal(at, private, false)
	p.close(extras, beside)
}

// source writes inlineData or fileData into an open part.
func (p *parts) source(at string, src ir.Source, extras []ir.Extra, beside string) {
	mime := src.MIME
	if src.URL != "" || src.ID != "" {
		p.w.Object("fileData")
		p.w.OptStr("mimeType", mime)
		p.w.Str("fileUri", src.URL+src.ID)
		withExtras(p.w, extras, beside+"fileData.")
		p.w.End()
		return
	}
	data := src.Data
	if src.Text != "" {
		data = base64.StdEncoding.EncodeToString([]byte(src.Text))
		if mime == "" {
			mime = "text/plain"
			p.losses.Note(at+".source.mime", "a plain text")
		}
	}
	if mime == "" {
		mime = "application/octet-stream"
		p.losses.Note(at, "Gemini needs a media type: that of any bytes")
	}
	if _, isText := plainText(mime, src.Data); isText {
		p.losses.Note(at+".source", "the same bytes as a text")
	}
	p.w.Object("inlineData")
	p.w.Str("mimeType", mime)
	p.w.Str("data", data)
	withExtras(p.w, extras, beside+"inlineData.")
	p.w.End()
}

// reachable reports whether Gemini can get at the bytes of src. What lies
// elsewhere would have to be fetched first.
func (p *parts) reachable(at string, src ir.Source) bool {
	var path, why string
	switch {
	case src.ID != "" && !keptFile(src.ID):
		path, why = at+".source.id", "the file is kept by another provider; send its content"
	case src.URL != "" && !p.answer() && !fetchable(src.URL):
		path, why = at+".source.url", "Gemini does not fetch this address and remote files are not fetched here; send the content as base64"
	default:
		return true
	}
	if p.answer() {
		p.losses.Lose(at, why)
	} else {
		p.refuse(path, why)
	}
	return false
}

// fetchable reports whether Gemini reads url itself: Cloud Storage, and videos
// (ai.google.dev/gemini-api/docs/video-understanding).
func fetchable(url string) bool {
	for _, at := range []string{"gs://", "https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"} {
		if strings.HasPrefix(url, at) {
			return true
		}
	}
	return keptFile(url)
}

// thought writes what a model thought: a part for each text, the seal on the last.
func (p *parts) thought(at string, t *ir.Thought) {
	if t.ID != "" {
		p.losses.Note(at+".id", "Gemini's thoughts have no ids")
	}
	if t.Raw {
		p.losses.Note(at+".raw", "Gemini does not tell it from a summary")
	}
	private := t.Private
	if private != nil && !p.answer() && private.Vendor != ir.VendorGemini {
		p.losses.Note(at+".private", "sealed by "+string(private.Vendor)+", which alone may see it")
		private = nil
	}
	if private == nil && len(t.Texts) == 0 {
		p.losses.Note(at, "a thought that nobody but its vendor can read")
		return
	}
	before := p.wrote
	texts := t.Texts
	if len(texts) == 0 {
		texts = []string{""}
	}
	for i, text := range texts {
		if text == "" && (len(texts) > 1 || len(t.Texts) == 1) {
			p.losses.Note(at+".texts", "empty ones are left out")
			if i < len(texts)-1 || private == nil {
				continue
			}
		}
		p.open()
		p.w.Str("text", text)
		p.w.Bool("thought", true)
		if i == len(texts)-1 {
			p.seal(at, private, t.Redacted)
		}
		p.close(nil, "")
	}
	if p.wrote == before {
		p.losses.Note(at, "a thought without content")
	}
	if private == nil && t.Redacted {
		p.losses.Note(at+".redacted", "without its seal it is a thought like others")
	}
}

// call writes a call. sealed is the signature that goes with it, or empty.
func (p *parts) call(at string, c *ir.ToolCall, name, sealed string) {
	p.open()
	p.w.Object("functionCall")
	p.w.OptStr("id", c.ID)
	p.w.Str("name", name)
	p.arguments(at, c)
	withExtras(p.w, c.Extras, "functionCall.")
	p.w.End()
	p.w.OptStr("thoughtSignature", sealed)
	p.close(c.Extras, "")
}

// arguments writes an object whatever the model wrote.
func (p *parts) arguments(at string, c *ir.ToolCall) {
	args := c.Arguments
	switch {
	case c.Kind == ir.ToolCustom:
		p.losses.Note(at+".kind", "Gemini has no tools with free text: a function with one text called input")
		p.losses.Note(at+".arguments", "in an object")
		args = ir.WrapInput(args)
	case strings.TrimSpace(args) == "":
		p.losses.Note(at+".arguments", "no arguments are an empty object")
		args = "{}"
	default:
		if raw := []byte(args); wireLimits().Valid(raw) != nil || strings.TrimLeft(args, " \t\r\n")[0] != '{' {
			p.losses.Lose(at+".arguments", "they are no JSON object: given as a text called input")
			args = ir.WrapInput(args)
		}
	}
	raw := json.RawMessage(strings.TrimSpace(args))
	if len(raw) != len(args) {
		p.losses.Note(at+".arguments", "without the white space around them")
	}
	if short := jsonscan.AppendLine(nil, raw); len(short) != len(raw) { // it may become an event
		raw = short
		p.losses.Note(at+".arguments", "without the white space between them")
	}
	p.w.Raw("args", raw)
}
