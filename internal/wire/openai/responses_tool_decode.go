package openai

import (
	"encoding/json"
	"slices"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesTools reads a list of tools. Groups (namespace) are taken apart; a
// tool that is defined again, as Codex's additional_tools items do, replaces
// the first definition.
func responsesTools(tools []ir.Tool, list []jsondoc.Value) []ir.Tool {
	for _, v := range list {
		o := v.Object()
		if o.Str("type") == "namespace" && len(o.Array("tools")) > 0 {
			tools = responsesNamespace(tools, o)
		} else {
			tools = responsesAddTool(tools, responsesTool(o, ""))
		}
	}
	return tools
}

func responsesAddTool(tools []ir.Tool, t ir.Tool) []ir.Tool {
	same := func(x ir.Tool) bool {
		return x.Kind == t.Kind && x.Name == t.Name && x.Namespace == t.Namespace
	}
	if i := slices.IndexFunc(tools, same); i >= 0 && t.Kind != ir.ToolServer {
		tools[i] = t
		return tools
	}
	return append(tools, t)
}

// responsesNamespace reads a group. What it says about itself is kept with its
// first tool.
func responsesNamespace(tools []ir.Tool, o *jsondoc.Object) []ir.Tool {
	name, members := o.Need("name"), o.Array("tools")
	var about []ir.Extra
	o.Rest(func(member string, raw json.RawMessage) {
		about = append(about, ir.Extra{Dialect: responsesDialect, Path: namespaceExtra + member, Raw: raw, Hint: true})
	})
	for i, m := range members {
		t := responsesTool(m.Object(), name)
		if i == 0 {
			t.Extras = append(t.Extras, about...)
		}
		tools = responsesAddTool(tools, t)
	}
	return tools
}

// namespaceExtra begins the path of what a group says about itself.
const namespaceExtra = "namespace."

func responsesTool(o *jsondoc.Object, namespace string) ir.Tool {
	t := ir.Tool{Kind: ir.ToolFunction, Namespace: namespace}
	switch kind := o.Need("type"); kind {
	case "function":
		t.Name, t.Description = o.Need("name"), o.Str("description")
		t.Schema, t.Strict = responsesSchema(o.Get("parameters")), o.Bool("strict")
		if t.Strict == nil {
			// Left out, it is "as strict as the schema allows" here, and false elsewhere.
			t.Extras = append(t.Extras, responsesSilence("strict"))
		}
	case "custom":
		t.Kind, t.Name, t.Description = ir.ToolCustom, o.Need("name"), o.Str("description")
		if f := o.Object("format"); f.Str("type") == "grammar" {
			t.Grammar = f.Value().Raw()
		}
	default:
		t.Kind, t.Name = ir.ToolServer, kind
		t.Server = ir.Extra{Dialect: responsesDialect, Path: kind, Raw: o.Value().Raw()}
		o.Keys()
	}
	t.Extras = responsesExtras(o, t.Extras)
	return t
}

// responsesSchema reads a JSON schema, which must be an object.
func responsesSchema(v jsondoc.Value) json.RawMessage {
	if k := v.Kind(); k != jsondoc.IsObject && k != jsondoc.Absent {
		v.Fail("must be an object")
	}
	return v.Raw()
}

// responsesSilence notes a member whose absence means something else here than
// in other dialects. It is not written.
func responsesSilence(path string) ir.Extra {
	return ir.Extra{Dialect: responsesDialect, Path: path, Raw: json.RawMessage("null"), Hint: true}
}

// responsesToolChoice reads all forms of tool_choice.
func responsesToolChoice(v jsondoc.Value) ir.ToolChoice {
	switch v.Kind() {
	case jsondoc.Absent:
		return ir.ToolChoice{}
	case jsondoc.String:
		return ir.ToolChoice{Mode: responsesToolMode(v)}
	case jsondoc.IsObject, jsondoc.Number, jsondoc.Bool, jsondoc.IsArray:
	}
	o := v.Object()
	switch kind := o.Str("type"); kind {
	case "function", "custom":
		return ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolKind(kind), Name: o.Need("name"), Namespace: o.Str("namespace")}
	case "allowed_tools":
		return responsesAllowed(o)
	case "":
		o.Get("type").Fail("is missing")
		return ir.ToolChoice{}
	default:
		return ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolServer, Name: kind, Server: ir.Extra{Dialect: responsesDialect, Path: kind, Raw: v.Raw()}}
	}
}

func responsesToolMode(v jsondoc.Value) ir.ToolMode {
	switch s := v.Str(); s {
	case "auto":
		return ir.ToolAuto
	case "none":
		return ir.ToolNone
	case "required":
		return ir.ToolRequired
	case "":
		return ir.ToolUnset
	default:
		v.Fail("must be auto, none, required or an object, not %q", s)
		return ir.ToolUnset
	}
}

// responsesAllowed reads a choice among some of the tools. One that also names
// tools of the vendor is kept whole beside the names.
func responsesAllowed(o *jsondoc.Object) ir.ToolChoice {
	c := ir.ToolChoice{Mode: ir.ToolAuto}
	if o.Has("mode") {
		c.Mode = responsesToolMode(o.Get("mode"))
	}
	for _, e := range o.Array("tools") {
		tool := e.Object()
		switch kind := tool.Str("type"); kind {
		case "function", "custom", "":
			c.Allowed = append(c.Allowed, ir.FlatName(tool.Str("namespace"), tool.Need("name")))
		default:
			c.Server = ir.Extra{Dialect: responsesDialect, Path: "allowed_tools", Raw: o.Value().Raw()}
		}
	}
	return c
}
