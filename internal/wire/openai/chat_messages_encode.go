package openai

import (
	"strings"

	"tollgate/internal/ir"
)

// chatBilling begins the first block of Claude Code's system prompt, which
// is meant for Anthropic's billing and changes with every version.
const chatBilling = "x-anthropic-billing-header:"

func (e *chatAsk) messages() {
	e.w.Array("messages")
	e.system()
	head := true
	for i, it := range e.req.Items {
		if _, ok := it.(ir.ToolResult); !ok {
			e.showResults()
		}
		m, isMessage := it.(ir.Message)
		if head = head && isMessage && m.Role == ir.RoleSystem; head && m.Name == "" {
			e.lost.Note(ir.ItemPath(i), "a system message at the head is part of the system prompt")
			e.lost.Note("system", "system messages at the head are part of it")
		}
		switch x := it.(type) {
		case ir.Message:
			e.message(i, x)
		case ir.ToolCall:
			e.turn.calls = append(e.turn.calls, i)
		case ir.Thought:
			e.thought(i, x)
		case ir.ToolResult:
			e.flush()
			e.result(i, x)
		case ir.Opaque:
			e.opaque(i, x)
		}
	}
	e.flush()
	e.showResults()
	e.w.End()
}

// system writes the system prompt as one message.
func (e *chatAsk) system() {
	var parts []ir.Part
	for i, p := range e.req.System {
		if t, ok := p.(ir.Text); ok && strings.HasPrefix(t.Text, chatBilling) {
			e.lost.Note(ir.SystemPath(i), "a billing header of Claude Code for Anthropic alone")
			continue
		}
		if e.carries(ir.SystemPath(i), p, ir.RoleSystem) {
			parts = append(parts, p)
		}
	}
	if len(parts) == 0 {
		return
	}
	e.w.Object("")
	e.w.Str("role", "system")
	e.content(parts)
	e.w.End()
}

func (e *chatAsk) message(i int, m ir.Message) {
	at := ir.ItemPath(i)
	if m.ID != "" {
		e.lost.Note(at+".id", "messages of Chat have no id")
	}
	if m.Phase != "" {
		e.lost.Note(at+".phase", "messages of Chat have no phase")
	}
	e.lost.Extras(at, m.Extras, chatName)
	if m.Role == ir.RoleAssistant {
		e.say(i)
		return
	}
	e.flush()
	parts := e.carried(at, m)
	if len(parts) == 0 && len(m.Parts) > 0 {
		e.lost.Lose(at, "Chat has nothing of it")
		return
	}
	e.w.Object("")
	e.w.Str("role", string(m.Role))
	e.w.OptStr("name", m.Name)
	e.content(parts)
	chatNested(&e.w, m.Extras, "")
	e.w.End()
}

// carried returns the parts of m that Chat has in a message of its role.
func (e *chatAsk) carried(at string, m ir.Message) []ir.Part {
	out := make([]ir.Part, 0, len(m.Parts))
	for k, p := range m.Parts {
		if e.carries(ir.PartPath(at, k), p, m.Role) {
			out = append(out, p)
		}
	}
	return out
}

// result writes the result of a tool. Chat takes text in it alone: what else
// there is follows in a user message after the last result.
func (e *chatAsk) result(i int, r ir.ToolResult) {
	at := ir.ItemPath(i)
	var texts, shown []ir.Part
	for k, p := range r.Parts {
		switch p.(type) {
		case ir.Text, ir.Opaque:
			if e.carries(ir.PartPath(at, k), p, ir.RoleAssistant) {
				texts = append(texts, p)
			}
		case ir.Image, ir.Audio, ir.File:
			if e.carries(ir.PartPath(at, k), p, ir.RoleUser) {
				shown = append(shown, p)
				e.lost.Note(ir.PartPath(at, k), "results of tools are text in Chat; it follows in a user message")
			}
		case ir.Refusal:
			e.lost.Lose(ir.PartPath(at, k), "results of tools are text in Chat")
		}
	}
	id := e.callID(at+".call_id", r.CallID)
	if len(shown) > 0 {
		e.shown = append(append(e.shown, ir.Text{Text: "Content of the result of tool call " + id + ":"}), shown...)
		if len(texts) == 0 {
			texts = []ir.Part{ir.Text{Text: "The result is in the user message that follows."}}
			e.lost.Note(at+".parts", "a text stands for what follows in a user message")
		}
	}
	texts = openaiMarkError(texts, r.IsError)
	if r.IsError {
		e.lost.Note(at+".is_error", "the text is marked as an error, which Chat has no member for")
	}
	if r.Kind == "" || (r.Kind == ir.ToolCustom && e.family != chatReasoner) {
		e.lost.Note(at, "the tool is a function here")
	}
	if r.Cache != nil {
		e.lost.Note(at+".cache", "Chat providers cache by themselves")
	}
	e.lost.Extras(at, r.Extras, chatName)
	e.w.Object("")
	e.w.Str("role", "tool")
	e.w.Str("tool_call_id", id)
	e.w.OptStr("name", r.Name)
	e.content(texts)
	chatNested(&e.w, r.Extras, "")
	e.w.End()
}

// showResults writes what results of tools could not hold.
func (e *chatAsk) showResults() {
	if len(e.shown) == 0 {
		return
	}
	e.flush()
	e.w.Object("")
	e.w.Str("role", "user")
	e.content(e.shown)
	e.w.End()
	e.shown = nil
}

func (e *chatAsk) opaque(i int, x ir.Opaque) {
	if x.Dialect != chatName {
		e.lost.Lose(ir.ItemPath(i), "only "+x.Dialect+" has "+x.Type)
		return
	}
	e.flush()
	e.w.Raw("", x.Raw)
}
