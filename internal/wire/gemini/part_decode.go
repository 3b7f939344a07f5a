package gemini

import (
	"strings"
	"unicode/utf8"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// pieceKind says what a part of a content is.
type pieceKind uint8

const (
	pieceText    pieceKind = iota
	pieceThought           // readable thought, or the seal of one
	pieceMedia             // what is whole: an image, a file, something opaque
	pieceCall
	pieceResult
)

// piece is a part as it stands on the wire.
type piece struct {
	kind     pieceKind
	text     string
	content  ir.Part         // of pieceMedia
	body     *jsondoc.Object // of pieceCall and pieceResult
	private  *ir.Private
	redacted bool
	thoughts []keptThought // that a call brings along
	extras   []ir.Extra    // members beside the content, by their own names
}

// readPiece reads a part. A part of a kind that is not known stays whole.
func readPiece(v jsondoc.Value) piece {
	o := v.Object()
	var p piece
	thought := o.Get("thought").Bool()
	signature := o.Get("thoughtSignature")
	p.private, p.redacted, p.thoughts = openSeal(signature.Str())
	switch {
	case thought != nil && *thought && !o.Has("functionCall"):
		p.kind, p.text = pieceThought, o.Str("text")
	case o.Has("text"):
		p.text = o.Str("text")
	case o.Has("functionCall"):
		p.kind, p.body = pieceCall, o.Object("functionCall")
	case o.Has("functionResponse"):
		p.kind, p.body = pieceResult, o.Object("functionResponse")
	case o.Has("inlineData"):
		p.media(inline(o.Object("inlineData"), &p.extras), signature)
	case o.Has("fileData"):
		p.media(remote(o.Object("fileData"), &p.extras), signature)
	default:
		if name := unknownMember(o); name != "" {
			return piece{kind: pieceMedia, content: ir.Opaque{Dialect: own, Type: name, Raw: v.Raw()}}
		}
		return p // nothing, or the lone seal of the text before
	}
	p.extras = rest(p.extras, o, "")
	if p.kind == pieceThought && len(p.extras) > 0 { // a thought has no place for them
		return piece{kind: pieceMedia, content: ir.Opaque{Dialect: own, Type: "thought", Raw: v.Raw()}}
	}
	return p
}

// unknownMember returns the name of the member that is likely the content.
func unknownMember(o *jsondoc.Object) string {
	for _, name := range o.Keys() {
		switch camelCase(name) {
		case "thought", "thoughtSignature", "partMetadata", "videoMetadata", "mediaResolution":
		default:
			return name
		}
	}
	return ""
}

func (p *piece) media(content ir.Part, signature jsondoc.Value) {
	p.kind, p.content = pieceMedia, content
	if image, ok := content.(ir.Image); ok {
		image.Private = p.private
		p.content = image
	} else if signature.Str() != "" {
		p.extras = append(p.extras, ir.Extra{Dialect: own, Path: "thoughtSignature", Raw: signature.Raw()})
	}
	p.private = nil
}

// inline reads a blob by what its media type says it is.
func inline(o *jsondoc.Object, extras *[]ir.Extra) ir.Part {
	mime := o.Str("mimeType")
	v := o.Get("data")
	data, ok := standardBase64(v.Str())
	if !ok || data == "" {
		v.Fail("must be base64")
	}
	src := ir.Source{MIME: mime, Data: data}
	if text, ok := plainText(mime, data); ok {
		src = ir.Source{MIME: mime, Text: text}
	}
	*extras = rest(*extras, o, "inlineData.")
	return bySource(src)
}

// plainText returns the text that data is, where its media type says so.
func plainText(mime, data string) (string, bool) {
	if !strings.HasPrefix(mime, "text/") {
		return "", false
	}
	text, ok := decodeBase64(data)
	return string(text), ok && len(text) > 0 && utf8.Valid(text)
}

// remote reads a reference to a file.
func remote(o *jsondoc.Object, extras *[]ir.Extra) ir.Part {
	src := ir.Source{MIME: o.Str("mimeType")}
	if uri := o.Need("fileUri"); keptFile(uri) {
		src.ID = uri
	} else {
		src.URL = uri
	}
	*extras = rest(*extras, o, "fileData.")
	return bySource(src)
}

// keptFile reports whether uri names a file of the Files API, which means
// nothing to anybody else.
func keptFile(uri string) bool {
	return strings.HasPrefix(uri, "files/") || strings.HasPrefix(uri, "https://generativelanguage.googleapis.com/")
}

func bySource(src ir.Source) ir.Part {
	switch {
	case strings.HasPrefix(src.MIME, "image/"):
		return ir.Image{Source: src}
	case strings.HasPrefix(src.MIME, "audio/"):
		return ir.Audio{Source: src}
	default:
		return ir.File{Source: src}
	}
}

// readArgs returns the arguments of a call.
func readArgs(o *jsondoc.Object) string {
	args := o.Object("args")
	if !args.Present() {
		return "{}"
	}
	return string(args.Value().Raw())
}

// camelCase returns the canonical spelling of a member's name.
func camelCase(name string) string {
	if strings.IndexByte(name, '_') < 0 {
		return name
	}
	var b strings.Builder
	up := false
	for i := range len(name) {
		switch c := name[i]; {
		case c == '_' && i > 0:
			up = true
		case up && c >= 'a' && c <= 'z':
			b.WriteByte(c - 'a' + 'A')
			up = false
		default:
			b.WriteByte(c)
			up = false
		}
	}
	return b.String()
}
