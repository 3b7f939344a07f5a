package openai

import (
	"encoding/json"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// tools reads tools and the choice among them, also as they were before tools
// (functions, function_call), when a turn could hold one call at most.
func (d *chatReader) tools(o *jsondoc.Object) {
	r := d.req
	r.ParallelCalls = o.Bool("parallel_tool_calls")
	for _, v := range o.Array("tools") {
		r.Tools = append(r.Tools, chatTool(v))
	}
	d.choice(o.Get("tool_choice"))
	functions := o.Array("functions")
	for _, v := range functions {
		r.Tools = append(r.Tools, chatFunction(v.Object(), ""))
	}
	if functions == nil {
		return
	}
	r.Form.FunctionCall = true
	if one := false; r.ParallelCalls == nil {
		r.ParallelCalls = &one
	}
	call := o.Get("function_call")
	if call.Kind() == jsondoc.IsObject {
		r.ToolChoice = ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolFunction, Name: call.Object().Need("name")}
		return
	}
	d.choice(call)
}

func chatTool(v jsondoc.Value) ir.Tool {
	o := v.Object()
	typ := o.Str("type")
	var t ir.Tool
	switch {
	case typ == "function" || (typ == "" && o.Has("function")):
		f := o.Object("function")
		if !f.Present() {
			o.Get("function").Fail("is missing")
		}
		t = chatFunction(f, "function.")
	case typ == "custom":
		t = chatCustom(o.Object("custom"))
	case typ == "":
		o.Get("type").Fail("is missing")
	default:
		return ir.Tool{Kind: ir.ToolServer, Name: typ, Server: ir.Extra{Dialect: chatName, Path: typ, Raw: v.Raw()}}
	}
	if o.Has("cache_control") {
		t.Cache = chatCache(o)
	}
	t.Extras = append(t.Extras, chatExtras(o, "")...)
	return t
}

func chatFunction(o *jsondoc.Object, at string) ir.Tool {
	t := ir.Tool{
		Kind: ir.ToolFunction, Name: o.Need("name"), Description: o.Str("description"),
		Schema: chatSchema(o.Get("parameters")), Strict: o.Bool("strict"),
	}
	t.Extras = chatExtras(o, at)
	return t
}

func chatCustom(o *jsondoc.Object) ir.Tool {
	t := ir.Tool{Kind: ir.ToolCustom, Name: o.Need("name"), Description: o.Str("description")}
	if format := o.Object("format"); format.Present() {
		t.Grammar = chatGrammar(format)
	}
	t.Extras = chatExtras(o, "custom.")
	return t
}

// chatGrammar brings the format of a custom tool's input into the flat form of
// Responses, which package ir holds; nil = free text.
func chatGrammar(o *jsondoc.Object) json.RawMessage {
	typ := o.Need("type")
	if typ == "text" {
		return nil
	}
	g := o.Object("grammar")
	if typ != "grammar" || !g.Present() {
		o.Get("type").Fail("must be text, or grammar with a grammar beside it")
		return nil
	}
	var w jsondoc.Writer
	w.Object("")
	w.Str("type", typ)
	for _, k := range g.Keys() {
		w.Raw(k, g.Raw(k))
	}
	w.End()
	return w.Bytes()
}

func (d *chatReader) choice(v jsondoc.Value) {
	c := &d.req.ToolChoice
	switch v.Kind() {
	case jsondoc.Absent:
		return
	case jsondoc.String:
		c.Mode = chatMode(v)
		return
	case jsondoc.IsObject, jsondoc.Number, jsondoc.Bool, jsondoc.IsArray:
	}
	o := v.Object()
	switch typ := o.Need("type"); typ {
	case "function", "custom":
		*c = ir.ToolChoice{Mode: ir.ToolNamed, Kind: ir.ToolKind(typ), Name: o.Object(typ).Need("name")}
	case "allowed_tools":
		a := o.Object("allowed_tools")
		if c.Mode = chatMode(a.Get("mode")); c.Mode == ir.ToolUnset {
			c.Mode = ir.ToolAuto
		}
		for _, t := range a.Array("tools") {
			c.Allowed = append(c.Allowed, chatAllowed(t.Object()))
		}
	default:
		c.Mode, c.Server = ir.ToolNamed, ir.Extra{Dialect: chatName, Path: "tool_choice", Raw: v.Raw()}
	}
}

func chatMode(v jsondoc.Value) ir.ToolMode {
	switch s := v.Str(); s {
	case "":
		return ir.ToolUnset
	case "auto", "none", "required":
		return ir.ToolMode(s)
	case "any": // Mistral
		return ir.ToolRequired
	default:
		v.Fail("must be none, auto or required, or an object that names a tool")
		return ir.ToolUnset
	}
}

// chatAllowed is the name of a tool in a list of allowed ones.
func chatAllowed(o *jsondoc.Object) string {
	for _, inner := range []string{"function", "custom"} {
		if o.Has(inner) {
			return o.Object(inner).Need("name")
		}
	}
	return o.Need("name")
}
