package openai

import (
	"slices"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// items writes the items of a request; at gives the path of item i.
func (w *responsesWriter) items(items []ir.Item, at func(int) string) {
	for i, it := range items {
		path := at(i)
		switch x := it.(type) {
		case ir.Message:
			w.message(path, &x)
		case ir.ToolCall:
			w.call(path, &x)
		case ir.ToolResult:
			w.result(path, &x)
		case ir.Thought:
			w.thought(path, &x)
		case ir.Opaque:
			switch {
			case x.Dialect == responsesDialect:
				w.Raw("", x.Raw)
			case w.keep:
				w.opaque(x)
			default:
				w.losses.Lose(path, "only "+x.Dialect+" has "+x.Type)
			}
		}
	}
}

func (w *responsesWriter) opaque(x ir.Opaque) {
	w.Object("")
	w.Str("type", opaqueItem)
	w.Str("dialect", x.Dialect)
	w.Str("kind", x.Type)
	w.Raw("item", x.Raw)
	w.End()
}

func (w *responsesWriter) message(at string, m *ir.Message) {
	w.Object("")
	w.Str("type", "message")
	w.OptStr("id", m.ID)
	switch m.Role {
	case ir.RoleSystem:
		w.Str("role", "developer")
	case ir.RoleUser, ir.RoleAssistant:
		w.Str("role", string(m.Role))
	}
	w.OptStr("phase", m.Phase)
	if m.ID != "" && m.Role == ir.RoleAssistant {
		w.Str("status", "completed") // one with an id is described like those of answers
	}
	w.content("content", at, m.Role, m.Parts, m.Extras)
	w.extras(m.Extras, "")
	w.End()
	if m.Name != "" {
		w.losses.Lose(at+".name", "messages have no name")
	}
	w.losses.Extras(at, m.Extras, responsesDialect)
}

func (w *responsesWriter) call(at string, c *ir.ToolCall) {
	kind, member := "function_call", "arguments"
	if c.Kind == ir.ToolCustom {
		kind, member = "custom_tool_call", "input"
	}
	w.Object("")
	w.Str("type", kind)
	w.OptStr("id", c.ItemID)
	if w.keep {
		w.Str("call_id", ir.CarryID(c.ID, c.Private))
	} else {
		w.Str("call_id", c.ID)
		w.private(at, c.Private)
	}
	w.OptStr("namespace", c.Namespace)
	w.Str("name", c.Name)
	w.Str(member, c.Arguments)
	w.extras(c.Extras, "")
	w.End()
	if c.Cache != nil {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.losses.Extras(at, c.Extras, responsesDialect)
}

func (w *responsesWriter) result(at string, r *ir.ToolResult) {
	kind := "function_call_output"
	if r.Kind == ir.ToolCustom {
		kind = "custom_tool_call_output"
	}
	w.Object("")
	w.Str("type", kind)
	w.Str("call_id", r.CallID)
	w.OptStr("name", r.Name)
	if r.IsError {
		w.losses.Note(at+".is_error", "said in words: "+strings.TrimSpace(toolErrorMark))
	}
	parts := openaiMarkError(r.Parts, r.IsError)
	if len(parts) == 0 {
		w.Str("output", "")
		w.losses.Note(at+".parts", "an empty result is an empty text")
	} else {
		w.content("output", at, ir.RoleUser, parts, r.Extras)
	}
	w.extras(r.Extras, "")
	w.End()
	if r.Cache != nil {
		w.losses.Note(at+".cache", "prefixes are cached without marks")
	}
	w.losses.Extras(at, r.Extras, responsesDialect)
}

// thought writes reasoning that OpenAI made: sealed, or known by its id. Any
// other would be refused; it is left out, which changes no answer by the rule
// of the vendor that made it.
func (w *responsesWriter) thought(at string, th *ir.Thought) {
	own := th.Private != nil && th.Private.Vendor == ir.VendorOpenAI
	switch {
	case w.keep || own || (th.Private == nil && th.ID != ""):
	case th.Private != nil:
		w.losses.Note(at, "reasoning that "+string(th.Private.Vendor)+" sealed goes back to it alone")
		return
	default:
		w.losses.Note(at, "reasoning goes back to OpenAI in its sealed form alone")
		return
	}
	w.Object("")
	w.Str("type", "reasoning")
	w.OptStr("id", th.ID)
	writeThoughtTexts(w.Writer, th)
	w.OptStr("encrypted_content", responsesSeal(th))
	w.End()
}

// cachedElsewhere reports whether the request marks the ends of cached prefixes
// in a way that other dialects have.
func cachedElsewhere(req *ir.Request) bool {
	if responsesHasBreakpoint(req) || slices.ContainsFunc(req.Tools, func(t ir.Tool) bool { return t.Cache != nil }) {
		return true
	}
	return slices.ContainsFunc(req.Items, func(it ir.Item) bool {
		switch x := it.(type) {
		case ir.ToolCall:
			return x.Cache != nil
		case ir.ToolResult:
			return x.Cache != nil
		case ir.Message, ir.Thought, ir.Opaque:
		}
		return false
	})
}

// writeThoughtTexts writes what is readable of reasoning: summary, which is
// always there, and content for a chain of thought.
func writeThoughtTexts(w *jsondoc.Writer, th *ir.Thought) {
	w.Array("summary")
	if !th.Raw {
		writeThoughtBlocks(w, "summary_text", th.Texts)
	}
	w.End()
	if th.Raw {
		w.Array("content")
		writeThoughtBlocks(w, "reasoning_text", th.Texts)
		w.End()
	}
}

func writeThoughtBlocks(w *jsondoc.Writer, kind string, texts []string) {
	for _, t := range texts {
		w.Object("")
		w.Str("type", kind)
		w.Str("text", t)
		w.End()
	}
}
