package anthropic

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// Types of citations.
const (
	citeChars  = "char_location"
	citeWeb    = "web_search_result_location"
	citeSearch = "search_result_location"
)

// citation reads a citation. It keeps the whole of it: its indices and its
// encrypted parts mean something to the vendor alone.
func citation(v jsondoc.Value) ir.Citation {
	o := v.Object()
	c := ir.Citation{Kind: ir.CitationDocument, Dialect: own, Raw: v.Raw(), Quote: o.Str("cited_text"), FileID: o.Str("file_id")}
	switch o.Need("type") {
	case citeChars:
		c.Start, c.End = o.Int("start_char_index"), o.Int("end_char_index")
	case citeWeb:
		c.Kind, c.URL, c.Title = ir.CitationURL, o.Str("url"), o.Str("title")
		return c
	case citeSearch:
		c.Kind, c.URL, c.Title = ir.CitationURL, o.Str("source"), o.Str("title")
		return c
	}
	c.Document, c.Title = o.Int("document_index"), o.Str("document_title")
	return c
}

// writeCitation writes c into an answer, false where it has no form here. A
// page on the web becomes a result of web search without the encrypted index
// that only the vendor can make; unsealed recognises those when they come back.
func writeCitation(w *jsondoc.Writer, c ir.Citation) bool {
	switch {
	case c.Dialect == own:
		w.Raw("", c.Raw)
	case c.Kind == ir.CitationURL:
		w.Object("")
		w.Str("type", citeWeb)
		w.Str("cited_text", c.Quote)
		w.Str("url", c.URL)
		optNull(w, "title", c.Title)
		w.Str("encrypted_index", "")
		w.End()
	case c.Kind == ir.CitationDocument && c.Document != nil && c.Start != nil && c.End != nil:
		w.Object("")
		w.Str("type", citeChars)
		w.Str("cited_text", c.Quote)
		w.Int("document_index", *c.Document)
		optNull(w, "document_title", c.Title)
		w.Int("start_char_index", *c.Start)
		w.Int("end_char_index", *c.End)
		optNull(w, "file_id", c.FileID)
		w.End()
	default:
		return false
	}
	return true
}

// optNull writes a string, null when it is empty.
func optNull(w *jsondoc.Writer, name, s string) {
	if s == "" {
		w.Null(name)
	} else {
		w.Str(name, s)
	}
}

// lostOfCitation says what writeCitation leaves out or changes of c.
func lostOfCitation(l *ir.Losses, at string, c ir.Citation) {
	if c.Dialect == own {
		return
	}
	l.Note(at+".dialect", "written as a citation of Anthropic")
	l.Note(at+".raw", "written as a citation of Anthropic")
	if c.Kind != ir.CitationURL {
		return
	}
	if c.Start != nil || c.End != nil {
		l.Lose(at+".start", "Anthropic does not say which stretch of the answer cites")
		l.Lose(at+".end", "Anthropic does not say which stretch of the answer cites")
	}
	if c.Document != nil {
		l.Lose(at+".document", "a citation of a page has no document")
	}
	if c.FileID != "" {
		l.Lose(at+".file_id", "a citation of a page has no file")
	}
}

// unsealed reports whether c was written by writeCitation for an answer of
// another vendor: Anthropic would refuse it.
func unsealed(c ir.Citation) bool {
	o, err := jsondoc.Parse(c.Raw, jsondoc.Options{Lenient: true})
	return err != nil || (o.Str("type") == citeWeb && o.Str("encrypted_index") == "")
}
