package openai

import (
	"strings"

	"tollgate/internal/ir"
)

// tools writes the tools; those of a namespace that follow each other are one
// group.
func (w *responsesWriter) tools(name string, tools []ir.Tool) {
	w.Array(name)
	for i := 0; i < len(tools); {
		if tools[i].Namespace == "" {
			w.tool(ir.ToolPath(i), &tools[i])
			i++
			continue
		}
		end := i + 1
		for end < len(tools) && tools[end].Namespace == tools[i].Namespace {
			end++
		}
		w.namespace(tools[i:end], i)
		i = end
	}
	w.End()
}

func (w *responsesWriter) namespace(tools []ir.Tool, first int) {
	w.Object("")
	w.Str("type", "namespace")
	w.Str("name", tools[0].Namespace)
	described := false
	for _, e := range tools[0].Extras {
		if name, ok := strings.CutPrefix(e.Path, namespaceExtra); ok && e.Dialect == responsesDialect {
			w.Raw(name, e.Raw)
			described = described || name == "description"
		}
	}
	if !described {
		w.Str("description", tools[0].Namespace) // required
	}
	w.Array("tools")
	for i := range tools {
		w.tool(ir.ToolPath(first+i), &tools[i])
	}
	w.End()
	w.End()
}

func (w *responsesWriter) tool(at string, t *ir.Tool) {
	switch t.Kind {
	case ir.ToolServer:
		if t.Server.Dialect == responsesDialect {
			w.Raw("", t.Server.Raw)
		} else {
			w.losses.Lose(at, "only "+t.Server.Dialect+" runs "+t.Name)
		}
		return
	case ir.ToolCustom:
		w.Object("")
		w.Str("type", "custom")
		w.Str("name", t.Name)
		w.OptStr("description", t.Description)
		if len(t.Grammar) > 0 {
			w.Raw("format", t.Grammar)
		}
	case ir.ToolFunction:
		w.Object("")
		w.Str("type", "function")
		w.Str("name", t.Name)
		if w.echo {
			w.orNull("description", t.Description)
		} else {
			w.OptStr("description", t.Description)
		}
		w.Raw("parameters", t.Schema) // required, null for a function without any
		w.strict(at, t)
	}
	for i := range t.Extras {
		if e := &t.Extras[i]; e.Dialect == responsesDialect && !strings.HasPrefix(e.Path, namespaceExtra) && !silent(e) {
			w.Raw(e.Path, e.Raw)
		}
	}
	w.End()
	if t.Cache != nil {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.losses.Extras(at, t.Extras, responsesDialect)
}

// silent reports whether an extra is a responsesSilence.
func silent(e *ir.Extra) bool { return e.Hint && string(e.Raw) == "null" }

// strict says false where a client of another dialect said nothing: silence
// means as strict as possible here, which would change optional arguments.
func (w *responsesWriter) strict(at string, t *ir.Tool) {
	switch {
	case t.Strict != nil:
		w.Bool("strict", *t.Strict)
	case w.echo:
		w.Null("strict")
	case hasExtra(t.Extras, "strict"): // the client said nothing
	default:
		w.Bool("strict", false)
		w.losses.Note(at+".strict", "said to be false, which silence means in other dialects")
	}
}

// choice writes tool_choice; it may choose among tools alone.
func (w *responsesWriter) choice(name string, req *ir.Request) {
	c := &req.ToolChoice
	switch {
	case len(c.Server.Raw) > 0 && c.Server.Dialect == responsesDialect:
		w.Raw(name, c.Server.Raw)
		return
	case len(c.Server.Raw) > 0:
		w.losses.Lose("tool_choice", "only "+c.Server.Dialect+" has this tool")
		return
	case len(c.Allowed) > 0 && c.Mode != ir.ToolNone:
		w.allowed(name, req)
		return
	}
	switch c.Mode {
	case ir.ToolUnset:
	case ir.ToolAuto, ir.ToolNone, ir.ToolRequired:
		w.Str(name, string(c.Mode))
	case ir.ToolNamed:
		w.Object(name)
		w.chosen(c.Kind, c.Namespace, c.Name)
		w.End()
	}
}

// chosen writes the members that name a tool.
func (w *responsesWriter) chosen(kind ir.ToolKind, namespace, name string) {
	if kind != ir.ToolCustom {
		kind = ir.ToolFunction
	}
	w.Str("type", string(kind))
	w.Str("name", name)
	w.OptStr("namespace", namespace)
}

func (w *responsesWriter) allowed(name string, req *ir.Request) {
	c := &req.ToolChoice
	mode := "auto"
	switch c.Mode {
	case ir.ToolRequired, ir.ToolNamed:
		mode = "required"
	case ir.ToolUnset, ir.ToolAuto, ir.ToolNone:
	}
	if mode != string(c.Mode) {
		w.losses.Note("tool_choice.mode", "said as "+mode)
	}
	w.Object(name)
	w.Str("type", "allowed_tools")
	w.Str("mode", mode)
	w.Array("tools")
	for _, flat := range c.Allowed {
		w.Object("")
		if t, ok := ir.FindTool(req.Tools, flat); ok {
			w.chosen(t.Kind, t.Namespace, t.Name)
		} else {
			w.chosen(ir.ToolFunction, "", flat)
		}
		w.End()
	}
	w.End()
	w.End()
}
