package anthropic

import (
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// blockReader turns content blocks, of a request's message or of an answer,
// into items. Texts, images and documents that follow each other are the parts
// of one Message; every other block is an item of its own.
type blockReader struct {
	role  ir.Role
	items []ir.Item
	from  int  // where the items of the message being read begin
	open  bool // the last item is a Message that takes more parts
}

// begin starts a message.
func (b *blockReader) begin(role ir.Role) {
	b.role, b.from, b.open = role, len(b.items), false
}

// content reads what a message says: a string, or an array of blocks.
func (b *blockReader) content(v jsondoc.Value) {
	switch v.Kind() {
	case jsondoc.String:
		if s := v.Str(); s != "" {
			b.part(ir.Text{Text: s})
		}
	case jsondoc.Absent:
		v.Fail("is missing")
	case jsondoc.IsArray:
		for _, block := range v.Array() {
			b.block(block)
		}
	case jsondoc.Number, jsondoc.Bool, jsondoc.IsObject:
		v.Fail("must be a string or an array of content blocks")
	}
}

func (b *blockReader) add(it ir.Item) { b.items, b.open = append(b.items, it), false }

// part adds a part to the message that is open, or to a new one. It returns
// the part's number.
func (b *blockReader) part(p ir.Part, extras ...ir.Extra) {
	if !b.open {
		b.items, b.open = append(b.items, ir.Message{Role: b.role}), true
	}
	last := len(b.items) - 1
	m, _ := b.items[last].(ir.Message)
	for _, e := range extras {
		e.Path = onContent + strconv.Itoa(len(m.Parts)) + "]." + e.Path
		m.Extras = append(m.Extras, e)
	}
	m.Parts = append(m.Parts, p)
	b.items[last] = m
}

func (b *blockReader) block(v jsondoc.Value) {
	o := v.Object()
	switch typ := o.Need("type"); typ {
	case "thinking":
		b.add(thought(o))
	case "redacted_thinking":
		p := ir.Open(o.Need("data"), ir.VendorAnthropic)
		b.add(ir.Thought{Private: &p, Redacted: true, Extras: rest(nil, o, "")})
	case "tool_use":
		b.add(toolUse(o))
	case "tool_result":
		b.add(toolResult(o))
	default:
		if p, extras, ok := contentPart(o, typ); ok {
			if t, isText := p.(ir.Text); !isText || t.Text != "" || len(t.Citations) > 0 {
				b.part(p, extras...)
			}
			return
		}
		block := ir.Opaque{Dialect: own, Type: typ, Raw: v.Raw()}
		if b.role == ir.RoleAssistant {
			b.add(block)
		} else {
			b.part(block)
		}
	}
}

// end gives the members of the message that ir has no field for to its first
// item that can hold them.
func (b *blockReader) end(extras []ir.Extra) {
	if len(extras) == 0 {
		return
	}
	inner := make([]ir.Extra, len(extras))
	for i, e := range extras {
		e.Path = onMessage + e.Path
		inner[i] = e
	}
	for i := b.from; i < len(b.items); i++ {
		switch it := b.items[i].(type) {
		case ir.Message:
			it.Extras = append(it.Extras, extras...)
			b.items[i] = it
		case ir.ToolCall:
			it.Extras = append(it.Extras, inner...)
			b.items[i] = it
		case ir.ToolResult:
			it.Extras = append(it.Extras, inner...)
			b.items[i] = it
		case ir.Thought:
			it.Extras = append(it.Extras, inner...)
			b.items[i] = it
		case ir.Opaque:
			continue
		}
		return
	}
	b.add(ir.Message{Role: b.role, Extras: extras})
}

// contentPart reads the blocks that messages and tool results share; false for
// a block that ir has no part for.
func contentPart(o *jsondoc.Object, typ string) (ir.Part, []ir.Extra, bool) {
	switch typ {
	case "text":
		t := ir.Text{Text: o.Str("text")}
		for _, c := range o.Array("citations") {
			t.Citations = append(t.Citations, citation(c))
		}
		cache, extras := cacheMark(o)
		t.Cache = cache
		return t, rest(extras, o, ""), true
	case "image":
		return image(o)
	case "document":
		return document(o)
	case "search_result":
		return searchResult(o)
	default:
		return nil, nil, false
	}
}

// cacheMark reads cache_control. One with members of its own (a scope) becomes
// an extra whole.
func cacheMark(o *jsondoc.Object) (*ir.Cache, []ir.Extra) {
	v := o.Get("cache_control")
	if !v.Present() {
		return nil, nil
	}
	c := v.Object()
	typ, life := c.Str("type"), c.Str("ttl")
	if more := rest(nil, c, ""); len(more) > 0 || typ != "ephemeral" {
		return nil, []ir.Extra{extra("cache_control", v.Raw())}
	}
	return &ir.Cache{Life: life}, nil
}

func thought(o *jsondoc.Object) ir.Thought {
	var t ir.Thought
	if s := o.Str("thinking"); s != "" {
		t.Texts = []string{s}
	}
	if s := o.Str("signature"); s != "" {
		p := ir.Open(s, ir.VendorAnthropic)
		t.Private = &p
	}
	t.Extras = rest(nil, o, "")
	return t
}

func toolUse(o *jsondoc.Object) ir.ToolCall {
	id, private := ir.OpenID(o.Need("id"))
	c := ir.ToolCall{ID: id, Kind: ir.ToolFunction, Name: o.Need("name"), Private: private, Arguments: "{}"}
	if in := o.Get("input"); in.Object().Present() {
		c.Arguments = string(in.Raw())
	}
	cache, extras := cacheMark(o)
	c.Cache, c.Extras = cache, rest(extras, o, "")
	return c
}

func toolResult(o *jsondoc.Object) ir.ToolResult {
	id, _ := ir.OpenID(o.Need("tool_use_id"))
	r := ir.ToolResult{CallID: id, Kind: ir.ToolFunction}
	if e := o.Bool("is_error"); e != nil {
		r.IsError = *e
	}
	switch content := o.Get("content"); content.Kind() {
	case jsondoc.String:
		r.Parts = []ir.Part{ir.Text{Text: content.Str()}}
	case jsondoc.Absent:
	case jsondoc.IsArray:
		for _, v := range content.Array() {
			b := v.Object()
			typ := b.Need("type")
			p, extras, ok := contentPart(b, typ)
			if !ok {
				p = ir.Opaque{Dialect: own, Type: typ, Raw: v.Raw()}
			}
			for _, e := range extras {
				e.Path = onContent + strconv.Itoa(len(r.Parts)) + "]." + e.Path
				r.Extras = append(r.Extras, e)
			}
			r.Parts = append(r.Parts, p)
		}
	case jsondoc.Number, jsondoc.Bool, jsondoc.IsObject:
		content.Fail("must be a string or an array of content blocks")
	}
	cache, extras := cacheMark(o)
	r.Cache = cache
	r.Extras = rest(append(r.Extras, extras...), o, "")
	return r
}

// image reads an image block; false where its source is of an unknown type.
func image(o *jsondoc.Object) (ir.Part, []ir.Extra, bool) {
	src, more, ok := source(o.Get("source"))
	if !ok {
		return nil, nil, false
	}
	cache, extras := cacheMark(o)
	return ir.Image{Source: src, Cache: cache}, rest(append(extras, more...), o, ""), true
}

// source reads the sources that images and documents share.
func source(v jsondoc.Value) (ir.Source, []ir.Extra, bool) {
	s := v.Object()
	var src ir.Source
	switch s.Need("type") {
	case "base64":
		src.MIME, src.Data = s.Need("media_type"), s.Need("data")
	case "url":
		src.URL = s.Need("url")
		if strings.HasPrefix(src.URL, "data:") {
			s.Get("url").Fail("must be an address that can be fetched, not a data URL")
		}
	case "file":
		src.ID = s.Need("file_id")
	case "text":
		src.MIME, src.Text = s.Str("media_type"), s.Need("data")
	default:
		return src, nil, false
	}
	return src, rest(nil, s, onSource), true
}
