package openai

import (
	"encoding/json"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesItems reads an array of items.
func responsesItems(list []jsondoc.Value) []ir.Item {
	items := make([]ir.Item, 0, len(list))
	for _, v := range list {
		items = responsesItem(items, v)
	}
	return items
}

// responsesItem appends what one item is. Reasoning that is shown both raw and
// as a summary becomes two thoughts. The ids of results and the state of items
// ("completed") name nothing that a model sees and are not kept.
func responsesItem(items []ir.Item, v jsondoc.Value) []ir.Item {
	o := v.Object()
	kind := o.Str("type")
	if kind == "" {
		switch {
		case o.Has("role"):
			kind = "message"
		case o.Has("id"):
			kind = "item_reference"
		default:
			o.Get("type").Fail("is missing")
			return items
		}
	}
	switch kind {
	case "message":
		return append(items, responsesMessage(o))
	case "function_call", "custom_tool_call":
		return append(items, responsesCall(o, kind))
	case "function_call_output", "custom_tool_call_output":
		return append(items, responsesResult(o, kind))
	case "reasoning":
		return responsesThoughts(items, o)
	case "image_generation_call":
		if responsesIsMade(o.Str("id")) {
			return append(items, responsesPicture(o))
		}
		return append(items, ir.Opaque{Dialect: responsesDialect, Type: kind, Raw: v.Raw()})
	case opaqueItem:
		return append(items, ir.Opaque{Dialect: o.Need("dialect"), Type: o.Need("kind"), Raw: o.Raw("item")})
	default:
		return append(items, ir.Opaque{Dialect: responsesDialect, Type: kind, Raw: v.Raw()})
	}
}

// opaqueItem is the type under which EncodeItems keeps an item of another
// dialect.
const opaqueItem = "tollgate:opaque"

func responsesMessage(o *jsondoc.Object) ir.Message {
	m := ir.Message{ID: responsesForeignID(o.Str("id")), Phase: o.Str("phase")}
	role := o.Get("role")
	switch s := role.Str(); s {
	case "user":
		m.Role = ir.RoleUser
	case "assistant":
		m.Role = ir.RoleAssistant
	case "system", "developer":
		m.Role = ir.RoleSystem
	case "":
		role.Fail("is missing")
	default:
		role.Fail("must be user, assistant, system or developer, not %q", s)
	}
	content := o.Get("content")
	if !content.Present() {
		content.Fail("is missing")
	}
	m.Parts = responsesParts(content, "content", &m.Extras)
	responsesKnown(o, "type", "status")
	m.Extras = responsesExtras(o, m.Extras)
	return m
}

// responsesPicture reads a picture that was written as an item of its own.
func responsesPicture(o *jsondoc.Object) ir.Message {
	source := ir.Source{Data: o.Str("result")}
	if format := o.Str("output_format"); format != "" {
		source.MIME = "image/" + format
	}
	return ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Image{Source: source}}}
}

func responsesCall(o *jsondoc.Object, kind string) ir.ToolCall {
	c := ir.ToolCall{Kind: ir.ToolFunction, Name: o.Need("name"), Namespace: o.Str("namespace")}
	c.ItemID = responsesForeignID(o.Str("id"))
	c.ID, c.Private = ir.OpenID(o.Need("call_id"))
	if kind == "custom_tool_call" {
		c.Kind, c.Arguments = ir.ToolCustom, o.Str("input")
	} else if c.Arguments = o.Str("arguments"); c.Arguments == "" {
		c.Arguments = "{}"
	}
	responsesKnown(o, "type", "status", "created_by")
	c.Extras = responsesExtras(o, nil)
	return c
}

func responsesResult(o *jsondoc.Object, kind string) ir.ToolResult {
	r := ir.ToolResult{Kind: ir.ToolFunction, Name: o.Str("name")}
	if kind == "custom_tool_call_output" {
		r.Kind = ir.ToolCustom
	}
	r.CallID, _ = ir.OpenID(o.Need("call_id"))
	output := o.Get("output")
	if !output.Present() {
		output.Fail("is missing")
	}
	r.Parts, r.IsError = openaiUnmarkError(responsesParts(output, "output", &r.Extras))
	responsesKnown(o, "type", "id", "status", "created_by")
	r.Extras = responsesExtras(o, r.Extras)
	return r
}

func responsesThoughts(items []ir.Item, o *jsondoc.Object) []ir.Item {
	th := ir.Thought{ID: responsesForeignID(o.Str("id")), Texts: responsesThoughtTexts(o.Get("summary"))}
	th.Private, th.Redacted = responsesUnseal(o.Str("encrypted_content"))
	raw := responsesThoughtTexts(o.Get("content"))
	switch {
	case len(raw) == 0:
		return append(items, th)
	case len(th.Texts) == 0:
		th.Texts, th.Raw = raw, true
		return append(items, th)
	default:
		first := ir.Thought{ID: th.ID, Texts: raw, Raw: true}
		th.ID = ""
		return append(items, first, th)
	}
}

func responsesThoughtTexts(v jsondoc.Value) []string {
	var texts []string
	for _, p := range v.Array() {
		texts = append(texts, p.Object().Str("text"))
	}
	return texts
}

// responsesKnown marks members that need no reading.
func responsesKnown(o *jsondoc.Object, names ...string) {
	for _, n := range names {
		o.Get(n)
	}
}

// responsesExtras appends the members of o that nobody has read. Codex tells
// the server about its turns in members whose names begin with internal_.
func responsesExtras(o *jsondoc.Object, extras []ir.Extra) []ir.Extra {
	o.Rest(func(name string, raw json.RawMessage) {
		extras = append(extras, ir.Extra{Dialect: responsesDialect, Path: name, Raw: raw, Hint: strings.HasPrefix(name, "internal_")})
	})
	return extras
}
