package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// tools writes tools and the choice among them. Custom tools and allowed_tools
// are OpenAI's alone (chatReasoner): elsewhere a custom tool is a function and
// the tools that are not allowed are left out.
func (e *chatAsk) tools() {
	r := e.req
	open := false
	for i := range r.Tools {
		if !e.offered(i) {
			continue
		}
		if !open {
			e.w.Array("tools")
			open = true
		}
		e.tool(ir.ToolPath(i), &r.Tools[i])
	}
	if !open {
		if r.ToolChoice.Mode != ir.ToolUnset {
			e.lost.Note("tool_choice", "there are no tools to choose from")
		}
		if r.ParallelCalls != nil {
			e.lost.Note("parallel_calls", "there are no tools to call")
		}
		return
	}
	e.w.End()
	e.choice(r.ToolChoice)
	e.w.OptBool("parallel_tool_calls", r.ParallelCalls)
}

// offered reports whether tool i is written at all.
func (e *chatAsk) offered(i int) bool {
	t, allowed := &e.req.Tools[i], e.req.ToolChoice.Allowed
	switch {
	case t.Kind == ir.ToolServer && t.Server.Dialect != chatName:
		e.lost.Lose(ir.ToolPath(i), "only "+t.Server.Dialect+" runs "+t.Name)
		return false
	case e.family != chatReasoner && len(allowed) > 0 && !slices.Contains(allowed, t.Name):
		e.lost.Note(ir.ToolPath(i), "it is not allowed in this turn, which Chat says by leaving it out")
		return false
	}
	return true
}

func (e *chatAsk) tool(at string, t *ir.Tool) {
	w := &e.w
	if t.Kind == ir.ToolServer {
		w.Raw("", t.Server.Raw)
		return
	}
	e.noteTool(at, t)
	kind := t.Kind
	if e.family != chatReasoner {
		kind = ir.ToolFunction
	}
	w.Object("")
	w.Str("type", string(kind))
	w.Object(string(kind))
	w.Str("name", ir.FlatName(t.Namespace, t.Name))
	description := t.Description
	if t.Grammar != nil && kind == ir.ToolFunction {
		description = strings.TrimPrefix(description+"\n\nThe input has to follow this grammar: "+string(t.Grammar), "\n\n")
	}
	w.OptStr("description", description)
	switch {
	case kind == ir.ToolCustom:
		chatFormatOf(w, t.Grammar)
	case t.Kind == ir.ToolCustom:
		w.Raw("parameters", chatRaw(ir.InputSchema))
	default:
		w.OptRaw("parameters", t.Schema)
		w.OptBool("strict", t.Strict)
	}
	chatNested(w, t.Extras, string(kind)+".")
	w.End()
	chatNested(w, t.Extras, "")
	w.End()
}

func (e *chatAsk) noteTool(at string, t *ir.Tool) {
	if t.Namespace != "" {
		e.lost.Note(at+".namespace", "it is part of the name")
		e.lost.Note(at+".name", "the namespace is part of it")
	}
	if t.Cache != nil {
		e.lost.Note(at+".cache", "Chat providers cache by themselves")
	}
	if t.Kind == ir.ToolCustom && e.family != chatReasoner {
		e.lost.Note(at, "a tool with free text is a function with the argument input; its description tells the grammar")
	}
	e.lost.Extras(at, t.Extras, chatName)
}

// chatFormatOf undoes chatGrammar.
func chatFormatOf(w *jsondoc.Writer, grammar json.RawMessage) {
	if grammar == nil {
		return
	}
	o, err := jsondoc.Parse(grammar, jsondoc.Options{})
	if err != nil {
		return
	}
	w.Object("format")
	w.Str("type", o.Str("type"))
	w.Object("grammar")
	o.Rest(func(name string, raw json.RawMessage) { w.Raw(name, raw) })
	w.End()
	w.End()
}

func (e *chatAsk) choice(c ir.ToolChoice) {
	w := &e.w
	switch {
	case c.Server.Raw != nil && c.Server.Dialect == chatName:
		w.Raw("tool_choice", c.Server.Raw)
	case c.Server.Raw != nil:
		e.lost.Lose("tool_choice", "only "+c.Server.Dialect+" has the tool that is to be called")
	case len(c.Allowed) > 0 && e.family == chatReasoner:
		e.allowed(c)
	case c.Mode == ir.ToolNamed:
		e.named(c)
	case c.Mode != ir.ToolUnset:
		if len(c.Allowed) > 0 {
			e.lost.Note("tool_choice.allowed", "the other tools are left out")
		}
		w.Str("tool_choice", string(c.Mode))
	}
}

func (e *chatAsk) named(c ir.ToolChoice) {
	kind := ir.ToolFunction
	if c.Kind == ir.ToolCustom {
		if kind = ir.ToolCustom; e.family != chatReasoner {
			kind = ir.ToolFunction
			e.lost.Note("tool_choice.kind", "the tool is a function here")
		}
	}
	if c.Kind == "" {
		e.lost.Note("tool_choice.kind", "Chat names the kind of the tool too")
	}
	if c.Namespace != "" {
		e.lost.Note("tool_choice.namespace", "it is part of the name")
		e.lost.Note("tool_choice.name", "the namespace is part of it")
	}
	w := &e.w
	w.Object("tool_choice")
	w.Str("type", string(kind))
	e.reference(kind, ir.FlatName(c.Namespace, c.Name))
	w.End()
}

func (e *chatAsk) reference(kind ir.ToolKind, name string) {
	e.w.Object(string(kind))
	e.w.Str("name", name)
	e.w.End()
}

func (e *chatAsk) allowed(c ir.ToolChoice) {
	w := &e.w
	mode := c.Mode
	if mode != ir.ToolRequired {
		mode = ir.ToolAuto
	}
	if mode != c.Mode {
		e.lost.Note("tool_choice.mode", "a list of allowed tools is with auto or required")
	}
	w.Object("tool_choice")
	w.Str("type", "allowed_tools")
	w.Object("allowed_tools")
	w.Str("mode", string(mode))
	w.Array("tools")
	for _, name := range c.Allowed {
		kind := ir.ToolFunction
		if t, ok := ir.FindTool(e.req.Tools, name); ok {
			kind = t.Kind
		}
		w.Object("")
		w.Str("type", string(kind))
		e.reference(kind, name)
		w.End()
	}
	w.End()
	w.End()
	w.End()
}
