package openai

import (
	"bytes"
	"encoding/json"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

func (d *chatReader) messages(v jsondoc.Value) {
	list := v.Array()
	if len(list) == 0 && v.Err() == nil {
		v.Fail("must be an array of at least one message")
	}
	head := true
	for _, m := range list {
		o := m.Object()
		role := o.Need("role")
		head = head && (role == "system" || role == "developer")
		switch role {
		case "system", "developer":
			d.system(o, head)
		case "user":
			d.req.Items = append(d.req.Items, ir.Message{
				Role: ir.RoleUser, Name: o.Str("name"), Parts: d.required(o.Get("content")), Extras: chatExtras(o, ""),
			})
		case "assistant":
			d.assistant(o)
		case "tool":
			d.result(o)
		case "function":
			d.functionResult(o)
		default:
			d.req.Items = append(d.req.Items, ir.Opaque{Dialect: chatName, Type: role, Raw: m.Raw()})
		}
	}
}

// system reads a system message: at the head of the conversation it is part of
// the system prompt, unless it says more than text (names mark examples).
func (d *chatReader) system(o *jsondoc.Object, head bool) {
	m := ir.Message{Role: ir.RoleSystem, Name: o.Str("name"), Parts: d.required(o.Get("content")), Extras: chatExtras(o, "")}
	if head && len(d.req.Items) == 0 && m.Name == "" && m.Extras == nil && chatOnlyText(m.Parts) {
		d.req.System = append(d.req.System, m.Parts...)
		return
	}
	d.req.Items = append(d.req.Items, m)
}

func chatOnlyText(parts []ir.Part) bool {
	for _, p := range parts {
		if _, ok := p.(ir.Text); !ok {
			return false
		}
	}
	return true
}

// assistant reads an assistant message: thoughts, then what was said, then
// calls. A message that says nothing is left out where there is something
// else; what it has beyond that then goes to the first call.
func (d *chatReader) assistant(o *jsondoc.Object) {
	m := ir.Message{Role: ir.RoleAssistant, Name: o.Str("name")}
	thoughts, parts := d.said(o)
	m.Parts = parts
	for _, t := range thoughts {
		d.req.Items = append(d.req.Items, t)
	}
	calls := d.calls(o)
	extras := chatExtras(o, "")
	if chatEmpty(m.Parts) && m.Name == "" && len(calls) > 0 {
		for i := range extras {
			extras[i].Path = chatOfMessage + extras[i].Path
		}
		calls[0].Extras = append(calls[0].Extras, extras...)
	} else if !chatEmpty(m.Parts) || m.Name != "" || extras != nil || len(thoughts) == 0 {
		m.Extras = extras
		d.req.Items = append(d.req.Items, m)
	}
	for _, c := range calls {
		d.req.Items = append(d.req.Items, c)
	}
}

// chatOfMessage marks an extra of a call that is one of the message around it.
const chatOfMessage = "message."

func chatEmpty(parts []ir.Part) bool {
	for _, p := range parts {
		if t, ok := p.(ir.Text); !ok || t.Text != "" || t.Citations != nil || t.Cache != nil {
			return false
		}
	}
	return true
}

func (d *chatReader) calls(o *jsondoc.Object) []ir.ToolCall {
	var out []ir.ToolCall
	for _, v := range o.Array("tool_calls") {
		c := chatCall(v.Object())
		if c.ID == "" {
			v.Object().Get("id").Fail("is missing")
		}
		d.remember(c)
		out = append(out, c)
	}
	if f := o.Object("function_call"); f.Present() {
		c := ir.ToolCall{Kind: ir.ToolFunction, Name: f.Need("name"), Arguments: chatArguments(f.Get("arguments"))}
		c.ID = d.ids.Call("", c.Name)
		c.Extras = chatExtras(f, "function.")
		d.remember(c)
		out = append(out, c)
	}
	return out
}

func (d *chatReader) remember(c ir.ToolCall) {
	if d.kinds == nil {
		d.kinds = map[string]ir.ToolKind{}
	}
	d.kinds[c.ID] = c.Kind
}

// chatCall reads a call of a request or an answer; it has no id or no name
// where the text has none.
func chatCall(o *jsondoc.Object) ir.ToolCall {
	c := ir.ToolCall{Kind: ir.ToolFunction}
	c.ID, c.Private = ir.OpenID(o.Str("id"))
	inner, member := o.Object("function"), "function."
	if o.Str("type") == "custom" || (!inner.Present() && o.Has("custom")) {
		c.Kind, inner, member = ir.ToolCustom, o.Object("custom"), "custom."
		c.Arguments = inner.Str("input")
	} else {
		c.Arguments = chatArguments(inner.Get("arguments"))
	}
	c.Name = inner.Need("name")
	if seal := chatExtraContent(o); seal != nil {
		c.Private = seal
	}
	o.Get("index")
	c.Extras = append(chatExtras(inner, member), chatExtras(o, "")...)
	return c
}

// chatExtraContent is what a provider of Chat sealed onto a call, as compact
// JSON; nil = nothing.
func chatExtraContent(o *jsondoc.Object) *ir.Private {
	raw := o.Raw("extra_content")
	if raw == nil {
		return nil
	}
	return &ir.Private{Vendor: ir.VendorChat, Data: chatCompact(raw)}
}

// chatArguments reads the arguments of a call: a string of JSON, or the JSON
// itself, as some servers and clients write it.
func chatArguments(v jsondoc.Value) string {
	if s := chatPiece(v); s != "" {
		return s
	}
	return "{}"
}

// chatPiece is chatArguments for a piece of them.
func chatPiece(v jsondoc.Value) string {
	if v.Kind() != jsondoc.IsObject {
		return v.Str()
	}
	return chatCompact(v.Raw())
}

func chatCompact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}

func (d *chatReader) result(o *jsondoc.Object) {
	r := ir.ToolResult{Kind: ir.ToolFunction}
	r.CallID, _ = ir.OpenID(o.Need("tool_call_id"))
	if kind, ok := d.kinds[r.CallID]; ok {
		r.Kind = kind
	}
	r.Parts, r.IsError = d.resultParts(o.Get("content"))
	r.Name, r.Extras = o.Str("name"), chatExtras(o, "")
	d.req.Items = append(d.req.Items, r)
}

// resultParts reads what a tool gave back; an empty text is nothing.
func (d *chatReader) resultParts(v jsondoc.Value) (_ []ir.Part, isError bool) {
	parts := d.content(v)
	if len(parts) == 1 && chatEmpty(parts) {
		return nil, false
	}
	return openaiUnmarkError(parts)
}

// functionResult reads a result as it was before tools: it names the function
// and belongs to its oldest call without a result.
func (d *chatReader) functionResult(o *jsondoc.Object) {
	r := ir.ToolResult{Kind: ir.ToolFunction, CallID: d.ids.Result("", o.Need("name"))}
	r.Parts, r.IsError = d.resultParts(o.Get("content"))
	r.Extras = chatExtras(o, "")
	d.req.Items = append(d.req.Items, r)
}

func (d *chatReader) required(v jsondoc.Value) []ir.Part {
	if !v.Present() {
		v.Fail("is missing")
	}
	return d.content(v)
}

// content reads a string or an array of parts.
func (d *chatReader) content(v jsondoc.Value) []ir.Part {
	switch v.Kind() {
	case jsondoc.Absent:
		return nil
	case jsondoc.String:
		return []ir.Part{ir.Text{Text: v.Str()}}
	case jsondoc.IsArray:
		list := v.Array()
		out := make([]ir.Part, 0, len(list))
		for _, p := range list {
			out = append(out, d.part(p))
		}
		return out
	case jsondoc.Number, jsondoc.Bool, jsondoc.IsObject:
	}
	v.Fail("must be a string or an array of parts")
	return nil
}

// part reads a content part. Members that it does not know become extras of
// the request, since most parts have no place for them.
func (d *chatReader) part(v jsondoc.Value) ir.Part {
	o := v.Object()
	var p ir.Part
	switch typ := o.Need("type"); typ {
	case "text", "input_text", "output_text":
		p = ir.Text{Text: o.Get("text").Str(), Cache: chatCache(o)}
	case "refusal":
		p = ir.Refusal{Text: o.Str("refusal")}
	case "image_url":
		p = chatImage(o)
	case "input_audio":
		p = chatAudio(o)
	case "file":
		return chatFile(o)
	default:
		return ir.Opaque{Dialect: chatName, Type: typ, Raw: v.Raw()}
	}
	d.req.Extras = append(d.req.Extras, chatExtras(o, o.Path()+".")...)
	return p
}

// chatCache reads the marks of the end of a cached prefix: OpenAI's, and
// Anthropic's, which several compatible servers take.
func chatCache(o *jsondoc.Object) *ir.Cache {
	own, anthropic := o.Object("prompt_cache_breakpoint"), o.Object("cache_control")
	if !own.Present() && !anthropic.Present() {
		return nil
	}
	return &ir.Cache{Life: anthropic.Str("ttl")}
}

func chatImage(o *jsondoc.Object) ir.Part {
	at := o.Get("image_url")
	m := ir.Image{Cache: chatCache(o)}
	if at.Kind() == jsondoc.IsObject {
		m.Detail = openaiDetail(at.Object())
		at = at.Object().Get("url")
	}
	m.Source = chatURL(at)
	return m
}

// chatURL reads an address, which may hold the data itself.
func chatURL(v jsondoc.Value) ir.Source {
	s := v.Str()
	if s == "" {
		v.Fail("is missing")
	}
	source, ok := openaiSource(s)
	if !ok {
		v.Fail("must be an address or base64 data (data:image/png;base64,…)")
	}
	return source
}

func chatAudio(o *jsondoc.Object) ir.Part {
	a := o.Object("input_audio")
	return ir.Audio{Source: ir.Source{MIME: openaiAudioMIME(a.Need("format")), Data: a.Need("data")}}
}

func chatFile(o *jsondoc.Object) ir.Part {
	f := o.Object("file")
	out := ir.File{Name: f.Str("filename"), Cache: chatCache(o)}
	data, id := f.Get("file_data"), f.Str("file_id")
	switch {
	case id != "":
		out.Source.ID = id
		if raw := data.Raw(); raw != nil {
			out.Extras = append(out.Extras, ir.Extra{Dialect: chatName, Path: "file.file_data", Raw: raw})
		}
	case strings.HasPrefix(data.Str(), "data:") || strings.HasPrefix(data.Str(), "https:"):
		out.Source = openaiTextSource(chatURL(data))
	case data.Str() != "":
		out.Source = ir.Source{MIME: "application/pdf", Data: data.Str()} // the only type that OpenAI takes
	default:
		data.Fail("is missing, and so is file_id")
	}
	out.Extras = append(append(out.Extras, chatExtras(f, "file.")...), chatExtras(o, "")...)
	return out
}
