package gemini

import (
	"encoding/json"
	"slices"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// maxCitations bounds the citations of one answer.
const maxCitations = 1000

// source is a page that an answer rests on.
type source struct{ url, title string }

// stretch is a citation whose text may not have been read yet.
type stretch struct {
	source   source
	part     int64 // of the content that it comes with
	from, to int64 // bytes
	grounded bool  // of groundingMetadata
}

// citations reads the citations of a candidate that name an address and a
// stretch of text. What else there is (searches, suggestions, licences) is kept
// beside, and so are the pages where one of them found no text to stand on.
func (c *choice) citations(o *jsondoc.Object) {
	c.pending, c.adrift = c.pending[:0], false
	if v := o.Get("citationMetadata"); v.Kind() == jsondoc.IsObject {
		c.keep("citationMetadata", v)
		m := v.Object()
		found := append(list(m.Get("citationSources")), list(m.Get("citations"))...)
		for _, one := range found {
			s := one.Object()
			c.cite(source{s.Str("uri"), s.Str("title")}, s, false)
		}
	}
	if v := o.Get("groundingMetadata"); v.Kind() == jsondoc.IsObject {
		c.ground = v.Object()
		c.grounding(c.ground)
	}
}

func (c *choice) keep(name string, v jsondoc.Value) {
	if v.Present() {
		c.d.extras.put(candidateAt(c.index)+name, v.Raw(), &c.d.losses)
	}
}

// keepGrounding keeps what of groundingMetadata did not become citations.
func (c *choice) keepGrounding() {
	if c.ground == nil {
		return
	}
	if c.adrift || slices.ContainsFunc(c.pending, func(x stretch) bool { return x.grounded }) {
		c.keep("groundingMetadata.groundingChunks", c.ground.Get("groundingChunks"))
		c.keep("groundingMetadata.groundingSupports", c.ground.Get("groundingSupports"))
	}
	c.ground.Rest(func(name string, raw json.RawMessage) {
		c.d.extras.put(candidateAt(c.index)+"groundingMetadata."+name, raw, &c.d.losses)
	})
	c.ground = nil
}

func (c *choice) grounding(o *jsondoc.Object) {
	var sources []source
	for _, chunk := range list(o.Get("groundingChunks")) {
		g := chunk.Object()
		var s source
		for _, kind := range []string{"web", "maps", "retrievedContext"} {
			if g.Has(kind) {
				page := g.Object(kind)
				s = source{page.Str("uri"), page.Str("title")}
			}
		}
		sources = append(sources, s)
	}
	for _, support := range list(o.Get("groundingSupports")) {
		g := support.Object()
		segment := g.Object("segment")
		for _, index := range list(g.Get("groundingChunkIndices")) {
			if n := whole(index); n != nil && *n >= 0 && *n < int64(len(sources)) {
				c.cite(sources[*n], segment, true)
			} else {
				c.adrift = true
			}
		}
	}
}

// cite notes a source for the stretch that o bounds by startIndex and
// endIndex, in bytes; what is 0 is left out on the wire.
func (c *choice) cite(s source, o *jsondoc.Object, grounded bool) {
	to := whole(o.Get("endIndex"))
	if s.url == "" || to == nil || len(c.pending) >= maxCitations {
		c.adrift = c.adrift || grounded
		return
	}
	x := stretch{source: s, to: *to, grounded: grounded}
	if n := whole(o.Get("startIndex")); n != nil {
		x.from = *n
	}
	if n := whole(o.Get("partIndex")); n != nil {
		x.part = *n
	}
	c.pending = append(c.pending, x)
}

// giveCitations gives the citations of part n of the content, which was just read into
// the open text behind base bytes; n < 0 gives all that are left, which are
// about the text so far.
func (c *choice) giveCitations(n int64, base int) {
	if c.open != itemMessage || c.text.size == 0 {
		return
	}
	left := c.pending[:0]
	for _, x := range c.pending {
		if n >= 0 && x.part != n {
			left = append(left, x)
			continue
		}
		start, ok := c.text.chars(x.from + int64(base))
		end, also := c.text.chars(x.to + int64(base))
		mark := citeMark{x.source, start, end}
		if c.cited[mark] {
			continue
		}
		if !ok || !also || len(c.cited) >= maxCitations {
			c.adrift = c.adrift || x.grounded
			continue
		}
		if c.cited == nil {
			c.cited = map[citeMark]bool{}
		}
		c.cited[mark] = true
		c.d.emit(ir.Cited{Choice: c.index, Index: c.next, Part: c.part, Citation: ir.Citation{
			Kind: ir.CitationURL, URL: x.source.url, Title: x.source.title, Start: &start, End: &end,
		}})
	}
	c.pending = left
}

// citeMark tells citations apart, which every event may repeat.
type citeMark struct {
	source     source
	start, end int64
}

// grounding collects the citations of an answer to a client, as Gemini gives
// them: the pages, and which stretch of which part rests on which of them.
type grounding struct {
	sources  []source
	supports []support
}

type support struct {
	part, from, to int64
	source         int
}

// add takes a citation of the text whose positions o knows, which is part
// number part of the content; path is where it stands.
func (g *grounding) add(c *ir.Citation, o *offsets, part int64, losses *ir.Losses, path string) {
	switch {
	case c.URL == "" || c.Kind != ir.CitationURL:
		losses.Lose(path, "Gemini cites addresses alone")
		return
	case len(g.supports) >= maxCitations:
		losses.Lose(path, "too many citations")
		return
	}
	s := support{part: part, to: int64(o.size), source: g.source(source{c.URL, c.Title})}
	if c.Start == nil || c.End == nil {
		losses.Note(path, "a citation without place is one of the whole text")
	} else {
		from, ok := o.bytes(*c.Start)
		to, also := o.bytes(*c.End)
		if !ok || !also || from > to {
			losses.Note(path, "its place is not in the text: one of the whole text")
		} else {
			s.from, s.to = from, to
		}
	}
	if c.Quote != "" {
		losses.Lose(path+".quote", "Gemini does not quote")
	}
	if c.Raw != nil {
		losses.Note(path, "in Gemini's form")
	}
	g.supports = append(g.supports, s)
}

func (g *grounding) source(s source) int {
	for i := range g.sources {
		if g.sources[i] == s {
			return i
		}
	}
	g.sources = append(g.sources, s)
	return len(g.sources) - 1
}

// write writes groundingMetadata with what extras keep of it at at.
func (g *grounding) write(w *jsondoc.Writer, extras []ir.Extra, at string) {
	at += "groundingMetadata."
	if len(g.supports) == 0 && !extrasBelow(extras, at) {
		return
	}
	w.Object("groundingMetadata")
	if len(g.supports) > 0 && !extrasBelow(extras, at+"groundingChunks") {
		g.members(w)
	}
	withExtras(w, extras, at)
	w.End()
}

func (g *grounding) members(w *jsondoc.Writer) {
	w.Array("groundingChunks")
	for _, s := range g.sources {
		w.Object("")
		w.Object("web")
		w.Str("uri", s.url)
		w.OptStr("title", s.title)
		w.End()
		w.End()
	}
	w.End()
	w.Array("groundingSupports")
	for _, s := range g.supports {
		w.Object("")
		w.Object("segment")
		if s.part > 0 {
			w.Int("partIndex", s.part)
		}
		if s.from > 0 {
			w.Int("startIndex", s.from)
		}
		w.Int("endIndex", s.to)
		w.End()
		w.Array("groundingChunkIndices")
		w.Int("", int64(s.source))
		w.End()
		w.End()
	}
	w.End()
}
