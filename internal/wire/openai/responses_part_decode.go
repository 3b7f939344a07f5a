package openai

import (
	"encoding/json"
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesParts reads the content of a message or the output of a tool: a
// text, or an array of parts. What no field of a part holds goes to extra by
// its path below owner's.
func responsesParts(v jsondoc.Value, name string, extra *[]ir.Extra) []ir.Part {
	switch v.Kind() {
	case jsondoc.String:
		return []ir.Part{ir.Text{Text: v.Str()}}
	case jsondoc.IsArray:
	case jsondoc.Absent:
		return nil
	case jsondoc.Number, jsondoc.Bool, jsondoc.IsObject:
		v.Fail("must be a string or an array")
		return nil
	}
	list := v.Array()
	if len(list) == 0 {
		return nil
	}
	parts := make([]ir.Part, 0, len(list))
	for k, e := range list {
		if e.Kind() == jsondoc.String { // lenient: servers take a list of texts
			parts = append(parts, ir.Text{Text: e.Str()})
			continue
		}
		o := e.Object()
		parts = append(parts, responsesPart(o))
		o.Rest(func(member string, raw json.RawMessage) {
			if extra != nil {
				path := name + "[" + strconv.Itoa(k) + "]." + member
				*extra = append(*extra, ir.Extra{Dialect: responsesDialect, Path: path, Raw: raw})
			}
		})
	}
	return parts
}

// responsesPart reads a part and marks the members that it understood.
func responsesPart(o *jsondoc.Object) ir.Part {
	switch kind := o.Need("type"); kind {
	case "input_text", "output_text", "text", "summary_text", "reasoning_text":
		return responsesText(o)
	case "refusal":
		return ir.Refusal{Text: o.Str("refusal")}
	case "input_image":
		return responsesImage(o)
	case "input_audio":
		in := o.Object("input_audio")
		return ir.Audio{Source: ir.Source{MIME: openaiAudioMIME(in.Need("format")), Data: in.Need("data")}}
	case "input_file":
		return responsesFile(o)
	default:
		o.Keys()
		return ir.Opaque{Dialect: responsesDialect, Type: kind, Raw: o.Value().Raw()}
	}
}

func responsesText(o *jsondoc.Object) ir.Text {
	t := ir.Text{Text: o.Get("text").Str(), Cache: responsesBreakpoint(o)}
	for _, a := range o.Array("annotations") {
		t.Citations = append(t.Citations, responsesCitation(a.Object()))
	}
	t.Logprobs = responsesLogprobs(o.Array("logprobs"))
	return t
}

// responsesBreakpoint reads the mark that ends a cached prefix.
func responsesBreakpoint(o *jsondoc.Object) *ir.Cache {
	b := o.Object("prompt_cache_breakpoint")
	if !b.Present() {
		return nil
	}
	b.Keys()
	return &ir.Cache{}
}

func responsesImage(o *jsondoc.Object) ir.Image {
	img := ir.Image{Detail: openaiDetail(o), Cache: responsesBreakpoint(o)}
	address, id := o.Get("image_url"), o.Str("file_id")
	switch {
	case id != "":
		img.Source.ID = id
		address.Str()
	case address.Str() == "":
		address.Fail("is missing: an input_image needs image_url or file_id")
	default:
		s, ok := openaiSource(address.Str())
		if !ok {
			address.Fail("is not a data: URL that can be read")
		}
		img.Source = s
	}
	return img
}

func responsesFile(o *jsondoc.Object) ir.File {
	f := ir.File{Name: o.Str("filename"), Cache: responsesBreakpoint(o)}
	data, address, id := o.Get("file_data"), o.Str("file_url"), o.Str("file_id")
	switch {
	case id != "":
		f.Source.ID = id
	case address != "":
		f.Source.URL = address
	case data.Str() == "":
		o.Get("file_id").Fail("is missing: an input_file needs file_id, file_url or file_data")
	default:
		f.Source = responsesFileData(data, f.Name)
	}
	if d := o.Get("detail"); d.Present() {
		f.Extras = append(f.Extras, ir.Extra{Dialect: responsesDialect, Path: "detail", Raw: d.Raw()})
	}
	return f
}

// responsesFileData reads file_data, which is a data: URL; some clients send
// the bare base64.
func responsesFileData(v jsondoc.Value, name string) ir.Source {
	text := v.Str()
	if _, ok := cutDataScheme(text); !ok {
		s := ir.Source{Data: text}
		if strings.HasSuffix(strings.ToLower(name), ".pdf") {
			s.MIME = "application/pdf"
		}
		return s
	}
	s, ok := openaiSource(text)
	if !ok {
		v.Fail("is not a data: URL that can be read")
	}
	return openaiTextSource(s)
}

func responsesCitation(o *jsondoc.Object) ir.Citation {
	c := ir.Citation{Kind: ir.CitationFile, Dialect: responsesDialect, Raw: o.Value().Raw()}
	switch o.Str("type") {
	case "url_citation":
		c.Kind, c.URL, c.Title = ir.CitationURL, o.Str("url"), o.Str("title")
	default: // file_citation, container_file_citation, file_path
		c.FileID, c.Title = o.Str("file_id"), o.Str("filename")
	}
	c.Start, c.End = o.Int("start_index"), o.Int("end_index")
	o.Keys()
	return c
}

func responsesLogprobs(list []jsondoc.Value) []ir.Logprob {
	if len(list) == 0 {
		return nil
	}
	out := make([]ir.Logprob, 0, len(list))
	for _, e := range list {
		o := e.Object()
		p := ir.Logprob{Token: o.Str("token"), Top: responsesLogprobs(o.Array("top_logprobs"))}
		if f := o.Float("logprob"); f != nil {
			p.Logprob = *f
		}
		for _, b := range o.Array("bytes") {
			if n := b.Int(); n != nil {
				p.Bytes = append(p.Bytes, int(*n))
			}
		}
		out = append(out, p)
	}
	return out
}
