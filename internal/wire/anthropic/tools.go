package anthropic

import (
	"encoding/json"
	"slices"
	"strconv"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
)

// noSchema is the schema of a tool that has none.
const noSchema = `{"type":"object"}`

// writeTools writes the tools and the choice among them.
func (e *encoder) writeTools() {
	n := 0
	for i := range e.req.Tools {
		if !e.offered(i) {
			continue
		}
		if n == 0 {
			e.w.Array("tools")
		}
		n++
		e.writeTool(ir.ToolPath(i), &e.req.Tools[i])
	}
	if n > 0 {
		e.w.End()
	}
	e.writeToolChoice(n > 0)
}

// offered reports whether tool i is to be written. Tools that the client does
// not allow for this turn are left out of the list, since the vendor has no
// other way to say so.
func (e *encoder) offered(i int) bool {
	t, allowed := &e.req.Tools[i], e.req.ToolChoice.Allowed
	switch {
	case t.Kind == ir.ToolServer && t.Server.Dialect != own:
		e.Lose(ir.ToolPath(i), "only "+t.Server.Dialect+" runs it")
		return false
	case len(allowed) > 0 && !slices.Contains(allowed, t.Name):
		e.Note(ir.ToolPath(i), "not among the allowed tools")
		return false
	}
	return true
}

func (e *encoder) writeTool(at string, t *ir.Tool) {
	if t.Kind == ir.ToolServer {
		if _, ok := wire.AnswerLimits().Member(t.Server.Raw, "cache_control"); ok {
			e.marks++
		}
		e.w.Raw("", t.Server.Raw)
		return
	}
	e.w.Object("")
	e.w.Str("name", ir.FlatName(t.Namespace, t.Name))
	if t.Namespace != "" {
		e.Note(at+".namespace", "carried in the name")
		e.Note(at+".name", "with its namespace")
	}
	e.w.OptStr("description", t.Description)
	if t.Kind == ir.ToolCustom {
		e.w.Raw("input_schema", json.RawMessage(ir.InputSchema))
		e.Note(at+".kind", "a function with one text")
		e.Note(at+".schema", "a function with one text")
		e.loseIf(t.Grammar != nil, at+".grammar", "Anthropic holds the model to no grammar")
	} else {
		e.w.Raw("input_schema", e.objectSchema(at+".schema", t.Schema))
	}
	if t.Strict != nil && !e.rules.schema {
		e.loseIf(*t.Strict, at+".strict", "the model cannot be held to a schema")
		e.noteIf(!*t.Strict, at+".strict", "the model is not held to a schema")
	} else {
		e.w.OptBool("strict", t.Strict)
	}
	e.mark(at+".cache", t.Cache)
	e.losses.Extras(at, t.Extras, own)
	writeExtras(e.w, t.Extras, "")
	e.w.End()
}

// objectSchema returns a schema that says that the arguments are an object,
// which the vendor demands.
func (e *encoder) objectSchema(at string, schema json.RawMessage) json.RawMessage {
	if len(schema) == 0 {
		e.Note(at, "Anthropic demands a schema; it got one for any object")
		return json.RawMessage(noSchema)
	}
	if _, ok := wire.AnswerLimits().Member(schema, "type"); ok {
		return schema
	}
	e.Note(at, "Anthropic demands the type object")
	return setMember(schema, "type", []byte(`"object"`))
}

// setMember returns object with its member name set to value, at the place of
// the old value or at the end.
func setMember(object json.RawMessage, name string, value []byte) json.RawMessage {
	out := make(json.RawMessage, 0, len(object)+len(name)+len(value)+4)
	found, first := false, true
	add := func(key string, v []byte) {
		if !first {
			out = append(out, ',')
		}
		first = false
		out = append(append(append(append(out, '"'), key...), '"', ':'), v...)
	}
	out = append(out, '{')
	o := wire.AnswerLimits().Object(object, 0, 0)
	for o.Next() {
		key, v := string(o.Key.Of(object)), o.Value.Of(object)
		if key == name {
			found, v = true, value
		}
		add(key, v)
	}
	if !found {
		add(name, value)
	}
	return append(out, '}')
}

// writeToolChoice writes the choice. Without tools the vendor takes none.
func (e *encoder) writeToolChoice(tools bool) {
	c, parallel := e.req.ToolChoice, e.req.ParallelCalls
	if raw := findExtra(e.req.Extras, "tool_choice"); raw != nil {
		return // a kind of choice that ir does not know, written as it came
	}
	typ := ""
	switch c.Mode {
	case ir.ToolUnset:
		if parallel != nil && tools {
			typ = "auto"
			e.Note("tool_choice.mode", "said along with parallel_calls")
		}
	case ir.ToolAuto:
		typ = "auto"
	case ir.ToolNone:
		typ = "none"
	case ir.ToolRequired:
		typ = "any"
	case ir.ToolNamed:
		typ = "tool"
	}
	e.noteIf(len(c.Allowed) > 0, "tool_choice.allowed", "the others are left out of the list")
	switch {
	case c.Server.Dialect != "" && c.Server.Dialect != own:
		e.Lose("tool_choice", "only "+c.Server.Dialect+" runs that tool")
		typ = ""
	case typ != "" && !tools:
		e.loseIf(typ == "any" || typ == "tool", "tool_choice", "there is no tool left to call")
		e.noteIf(typ == "auto" || typ == "none", "tool_choice", "there is no tool to call")
		typ = ""
	}
	if parallel != nil && (typ == "" || typ == "none") {
		e.Note("parallel_calls", "nothing is called")
	}
	if typ == "" {
		e.loseIf(hasExtras(e.req.Extras, onToolChoice), "extras.tool_choice", "nothing is called")
		return
	}
	e.w.Object("tool_choice")
	e.w.Str("type", typ)
	if typ == "tool" {
		e.w.Str("name", ir.FlatName(c.Namespace, c.Name))
		e.noteIf(c.Namespace != "", "tool_choice.namespace", "carried in the name")
		e.noteIf(c.Namespace != "", "tool_choice.name", "with its namespace")
		e.noteIf(c.Kind != ir.ToolFunction, "tool_choice.kind", "Anthropic names tools of every kind alike")
	}
	if parallel != nil && typ != "none" {
		e.w.Bool("disable_parallel_tool_use", !*parallel)
	}
	writeExtras(e.w, e.req.Extras, onToolChoice)
	e.w.End()
}

// closedSchema returns a schema whose objects take no members but those named,
// which the vendor demands of the schemas of answers.
func (e *encoder) closedSchema(at string, schema json.RawMessage) json.RawMessage {
	out, changed := closeObjects(schema)
	e.noteIf(changed, at, "Anthropic demands additionalProperties: false of every object")
	return out
}

// closeObjects adds additionalProperties: false to every object schema in
// schema that does not say it.
func closeObjects(schema json.RawMessage) (json.RawMessage, bool) {
	changed := false
	switch {
	case len(schema) == 0:
		return schema, false
	case schema[0] == '[':
		var out []byte
		a := wire.AnswerLimits().Array(schema, 0, 0)
		for a.Next() {
			v, c := closeObjects(a.Value.Of(schema))
			out, changed = append(append(out, ','), v...), changed || c
		}
		if !changed {
			return schema, false
		}
		out[0] = '['
		return append(out, ']'), true
	case schema[0] != '{':
		return schema, false
	}
	out := schema
	typ, _ := wire.AnswerLimits().Member(schema, "type")
	_, properties := wire.AnswerLimits().Member(schema, "properties")
	object := string(typ) == `"object"` || (typ == nil && properties)
	if said, ok := wire.AnswerLimits().Member(schema, "additionalProperties"); object && (!ok || string(said) == "true") {
		out, changed = setMember(out, "additionalProperties", []byte("false")), true
	}
	o := wire.AnswerLimits().Object(schema, 0, 0)
	for o.Next() {
		key := string(o.Key.Of(schema))
		switch key {
		case "enum", "const", "default", "examples", "example":
			continue // values, not schemas
		}
		if v, c := closeMember(key, o.Value.Of(schema)); c {
			out, changed = setMember(out, key, v), true
		}
	}
	return out, changed
}

// closeMember closes a member of a schema. Under properties and definitions
// every member is a schema, whatever its name.
func closeMember(key string, value json.RawMessage) (json.RawMessage, bool) {
	switch key {
	case "properties", "$defs", "definitions", "patternProperties", "dependentSchemas":
	default:
		return closeObjects(value)
	}
	out, changed := value, false
	if len(value) == 0 || value[0] != '{' {
		return value, false
	}
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		if v, c := closeObjects(o.Value.Of(value)); c {
			out, changed = setMember(out, string(o.Key.Of(value)), v), true
		}
	}
	return out, changed
}

// contentAt is the prefix of the members of part k.
func contentAt(k int) string { return onContent + strconv.Itoa(k) + "]." }
