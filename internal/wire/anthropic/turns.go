package anthropic

import (
	"encoding/json"
	"strings"
	"unicode"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// entry is an item of the conversation on its way into a message.
type entry struct {
	index int // in ir.Request.Items
	item  ir.Item
	role  ir.Role // of the message that it goes into
}

// assistantSide reports whether it is something that the model said.
func assistantSide(it ir.Item) bool {
	switch x := it.(type) {
	case ir.Message:
		return x.Role == ir.RoleAssistant
	case ir.ToolCall, ir.Thought, ir.Opaque:
		return true
	case ir.ToolResult:
		return false
	}
	return false
}

// writeMessages writes the conversation: items of one side that follow each
// other share a message, but for two Messages, whose border is kept.
func (e *encoder) writeMessages() {
	e.w.Array("messages")
	entries := e.entries()
	for from := 0; from < len(entries); {
		to := from + 1
		for to < len(entries) && joins(entries[from:to], entries[to]) {
			to++
		}
		e.writeMessage(entries[from:to])
		from = to
	}
	if len(entries) == 0 {
		e.writePromptAlone()
	}
	e.w.End()
}

// joins reports whether next goes into the message of the entries before it.
func joins(before []entry, next entry) bool {
	if next.role == ir.RoleSystem || next.role != before[0].role || hasExtras(messageLevel(next.item)) {
		return false
	}
	_, one := before[len(before)-1].item.(ir.Message)
	_, two := next.item.(ir.Message)
	return !one || !two
}

// messageLevel returns where an item keeps the members of its message.
func messageLevel(it ir.Item) (extras []ir.Extra, prefix string) {
	switch x := it.(type) {
	case ir.Message:
		for i := range x.Extras {
			if x.Extras[i].Dialect == own && !nested(x.Extras[i].Path) {
				return x.Extras, ""
			}
		}
	case ir.ToolCall:
		return x.Extras, onMessage
	case ir.ToolResult:
		return x.Extras, onMessage
	case ir.Thought:
		return x.Extras, onMessage
	case ir.Opaque:
	}
	return nil, ""
}

// entries returns the items that the vendor can be given, in its order: results
// of tools come first in their turn.
func (e *encoder) entries() []entry {
	var out []entry
	turn := 0 // where the turn of the user begins
	for i, it := range e.req.Items {
		it, role, ok := e.admit(i, it)
		if !ok {
			continue
		}
		if role != ir.RoleUser {
			out, turn = append(out, entry{i, it, role}), len(out)+1
			continue
		}
		out = append(out, entry{i, it, role})
		if !isResult(it) {
			continue
		}
		at := len(out) - 1
		for ; at > turn && !isResult(out[at-1].item); at-- {
			out[at] = out[at-1]
			e.Note(ir.ItemPath(out[at].index), "stands behind the results of tools")
		}
		if at < len(out)-1 {
			e.Note(ir.ItemPath(i), "results of tools stand first in their turn")
		}
		out[at] = entry{i, it, role}
	}
	return e.trimPrefill(out)
}

// admit returns item i as the vendor takes it, and the role of its message.
func (e *encoder) admit(i int, it ir.Item) (ir.Item, ir.Role, bool) {
	at := ir.ItemPath(i)
	switch x := it.(type) {
	case ir.Message:
		if x.Role == ir.RoleSystem && !e.systemFits(i) {
			e.Note(at, "a system message in the middle goes along as a tagged turn of the user")
			x = ir.TagSystem(x)
		}
		return x, x.Role, true
	case ir.ToolCall:
		return x, ir.RoleAssistant, true
	case ir.ToolResult:
		return x, ir.RoleUser, true
	case ir.Thought:
		switch {
		case x.Private == nil:
			e.Note(at, "a thought that nobody signed is not given back")
			return nil, "", false
		case !ownSeal(x.Private):
			e.Note(at, "a thought that "+string(x.Private.Vendor)+" signed is given back to it alone")
			return nil, "", false
		}
		return x, ir.RoleAssistant, true
	case ir.Opaque:
		if x.Dialect != own {
			e.Lose(at, "only "+x.Dialect+" has it")
			return nil, "", false
		}
		return x, ir.RoleAssistant, true
	}
	return nil, "", false
}

// systemFits reports whether a system message may stand at i: the vendor wants
// it behind a turn of the user and not before one.
func (e *encoder) systemFits(i int) bool {
	items := e.req.Items
	isSystem := func(k int) bool {
		m, ok := items[k].(ir.Message)
		return ok && m.Role == ir.RoleSystem
	}
	before, after := i-1, i+1
	for before >= 0 && isSystem(before) {
		before--
	}
	for after < len(items) && isSystem(after) {
		after++
	}
	return e.rules.system && before >= 0 && !assistantSide(items[before]) &&
		(after == len(items) || assistantSide(items[after]))
}

// trimPrefill cuts the white space off the end of an answer whose beginning is
// given: the vendor refuses it.
func (e *encoder) trimPrefill(list []entry) []entry {
	if len(list) == 0 {
		return list
	}
	last := &list[len(list)-1]
	m, ok := last.item.(ir.Message)
	if !ok || m.Role != ir.RoleAssistant || len(m.Parts) == 0 {
		return list
	}
	k := len(m.Parts) - 1
	t, ok := m.Parts[k].(ir.Text)
	if trimmed := strings.TrimRightFunc(t.Text, unicode.IsSpace); ok && trimmed != t.Text && trimmed != "" {
		e.Note(ir.PartPath(ir.ItemPath(last.index), k)+".text", "without the white space at its end")
		t.Text = trimmed
		m.Parts = append(m.Parts[:k:k], t)
		last.item = m
	}
	return list
}

// writeMessage writes entries as one message, unless nothing of them is left.
func (e *encoder) writeMessage(entries []entry) {
	extras, prefix := messageLevel(entries[0].item)
	outer := e.w
	e.w = jsondoc.NewWriter(e.scratch[:0])
	e.w.Array("")
	blocks := 0
	for i, x := range entries {
		n := e.item(ir.ItemPath(x.index), x.role, x.item)
		blocks += n
		if n == 0 && (i > 0 || !hasExtras(extras, prefix)) {
			e.Note(ir.ItemPath(x.index), "a message without content is not taken")
		}
	}
	e.w.End()
	content := e.w.Bytes()
	e.w, e.scratch = outer, content
	if blocks == 0 && !hasExtras(extras, prefix) {
		return
	}
	outer.Object("")
	outer.Str("role", string(entries[0].role))
	outer.Raw("content", json.RawMessage(content))
	writeExtras(outer, extras, prefix)
	outer.End()
}

// writePromptAlone gives the system prompt as the question where there is none:
// the vendor wants at least one message.
func (e *encoder) writePromptAlone() {
	var texts []string
	for _, p := range e.req.System {
		if t, ok := p.(ir.Text); ok && strings.TrimSpace(t.Text) != "" {
			texts = append(texts, t.Text)
		}
	}
	if len(texts) == 0 {
		return
	}
	e.Note("items", "the system prompt is the question too, since there is none")
	e.w.Object("")
	e.w.Str("role", string(ir.RoleUser))
	e.w.Str("content", strings.Join(texts, "\n\n"))
	e.w.End()
}
