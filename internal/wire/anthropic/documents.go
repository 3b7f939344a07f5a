package anthropic

import (
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// Extras that hold a whole source or block whose text ir carries too.
const (
	wholeSource = "source"
	wholeResult = "search_result"
)

const plainText = "text/plain"

// document reads a document block; false where its source has nothing that
// other dialects could carry.
func document(o *jsondoc.Object) (ir.Part, []ir.Extra, bool) {
	var f ir.File
	var extras []ir.Extra
	if v := o.Get("source"); v.Object().Str("type") == "content" {
		text, ok := joinedText(v.Object().Get("content"))
		if !ok {
			return nil, nil, false
		}
		f.Source = ir.Source{MIME: plainText, Text: text}
		f.Extras = append(f.Extras, carried(wholeSource, v))
	} else {
		src, more, ok := source(v)
		if !ok {
			return nil, nil, false
		}
		f.Source, f.Extras = src, more
	}
	f.Title, f.Context = o.Str("title"), o.Str("context")
	citations := o.Object("citations")
	if on := citations.Bool("enabled"); on != nil {
		f.Cite = *on
	}
	f.Extras = rest(f.Extras, citations, onCitations)
	f.Cache, extras = cacheMark(o)
	f.Extras = rest(append(f.Extras, extras...), o, "")
	return f, nil, true
}

// searchResult reads a passage that the client found; other dialects carry it
// as a document.
func searchResult(o *jsondoc.Object) (ir.Part, []ir.Extra, bool) {
	text, ok := joinedText(o.Get("content"))
	if !ok {
		return nil, nil, false
	}
	f := ir.File{
		Source: ir.Source{MIME: plainText, Text: text},
		Title:  o.Str("title"), Context: o.Str("source"),
		Extras: []ir.Extra{carried(wholeResult, o.Value())},
	}
	if on := o.Object("citations").Bool("enabled"); on != nil {
		f.Cite = *on
	}
	f.Cache, _ = cacheMark(o)
	return f, nil, true
}

// carried is an extra whose meaning ir carries in another form.
func carried(path string, v jsondoc.Value) ir.Extra {
	return ir.Extra{Dialect: own, Path: path, Raw: v.Raw(), Hint: true}
}

// joinedText returns the text of a string or of an array of text blocks; false
// where there is none.
func joinedText(v jsondoc.Value) (string, bool) {
	if v.Kind() == jsondoc.String {
		return v.Str(), v.Str() != ""
	}
	var texts []string
	for _, b := range v.Array() {
		if o := b.Object(); o.Str("type") == "text" {
			texts = append(texts, o.Str("text"))
		}
	}
	text := strings.Join(texts, "\n\n")
	return text, text != ""
}
