package openai

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// openaiSource reads an address as both dialects write them: a data: URL is
// the bytes themselves, everything else stays an address. A data: URL that
// cannot be read is false.
func openaiSource(address string) (ir.Source, bool) {
	rest, ok := cutDataScheme(address)
	if !ok {
		return ir.Source{URL: address}, true
	}
	head, data, ok := strings.Cut(rest, ",")
	if !ok {
		return ir.Source{}, false
	}
	mime, params, _ := strings.Cut(head, ";")
	if encoded := params == "base64" || strings.HasSuffix(params, ";base64"); !encoded {
		plain, err := url.PathUnescape(data)
		if err != nil {
			return ir.Source{}, false
		}
		data = base64.StdEncoding.EncodeToString([]byte(plain))
	}
	return ir.Source{MIME: strings.ToLower(mime), Data: data}, data != ""
}

func cutDataScheme(address string) (string, bool) {
	const scheme = "data:"
	if len(address) < len(scheme) || !strings.EqualFold(address[:len(scheme)], scheme) {
		return "", false
	}
	return address[len(scheme):], true
}

// openaiDataURL writes the bytes of a source as a data: URL; fallback is the
// media type where none is known.
func openaiDataURL(s ir.Source, fallback string) string {
	mime := s.MIME
	if mime == "" {
		mime = fallback
	}
	return "data:" + mime + ";base64," + s.Data
}

// openaiTextSource turns the bytes of a plain text document into its text, as
// the hub holds it; other sources stay as they are.
func openaiTextSource(s ir.Source) ir.Source {
	if s.MIME != plainText || s.Data == "" {
		return s
	}
	plain, err := base64.StdEncoding.DecodeString(s.Data)
	if err != nil || !utf8.Valid(plain) || len(plain) == 0 {
		return s
	}
	return ir.Source{MIME: plainText, Text: string(plain)}
}

// openaiBytesSource is the opposite: a text becomes its bytes.
func openaiBytesSource(s ir.Source) ir.Source {
	if s.Text == "" {
		return s
	}
	return ir.Source{MIME: plainText, Data: base64.StdEncoding.EncodeToString([]byte(s.Text))}
}

const plainText = "text/plain"

// openaiAudioMIME is the media type of an input_audio format.
func openaiAudioMIME(format string) string {
	if format == "mp3" {
		return "audio/mpeg"
	}
	return "audio/" + format
}

// openaiAudioFormat is the input_audio format of a media type; OpenAI takes wav
// and mp3 alone.
func openaiAudioFormat(mime string) (string, bool) {
	switch mime {
	case "audio/mpeg", "audio/mp3":
		return "mp3", true
	case "audio/wav", "audio/x-wav", "audio/wave":
		return "wav", true
	default:
		return "", false
	}
}

// detailAuto is the detail of an image that says none.
const detailAuto = "auto"

// openaiDetail reads how closely to look at an image; the default is as good as
// silence.
func openaiDetail(o *jsondoc.Object) string {
	if d := o.Str("detail"); d != detailAuto {
		return d
	}
	return ""
}
