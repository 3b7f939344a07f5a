package demo

import (
	"fmt"
	"slices"
	"strings"
)

const anthropicMembers = `model messages system max_tokens stream temperature top_p top_k stop_sequences tools tool_choice thinking
	metadata service_tier container mcp_servers context_management output_config output_format cache_control inference_geo speed fallbacks`

// checkMessages judges a Messages request.
func checkMessages(q object, beta, generate bool) *checker {
	c := &checker{}
	for _, k := range q.keys() {
		if !slices.Contains(words(anthropicMembers), k) {
			c.wrong("", "%s: Extra inputs are not permitted", k)
		}
	}
	c.anthropicNumbers(q, generate)
	c.anthropicTools(q)
	messages := q.list("messages")
	open := []string{}
	ids := map[string]bool{}
	for i, m := range messages {
		open = c.anthropicMessage(m, fmt.Sprintf("messages.%d", i), beta, open, ids)
	}
	if len(open) > 0 {
		c.unanswered(len(messages)-1, open)
	}
	c.anthropicThinking(q, messages)
	return c
}

func (c *checker) anthropicNumbers(q object, generate bool) {
	limit, limited := q.number("max_tokens")
	if generate && limited && limit < 1 {
		c.wrong("", "max_tokens: Input should be greater than or equal to 1")
	}
	t, given := q.number("temperature")
	if given && (t < 0 || t > 1) {
		c.wrong("", "temperature: range: 0..1")
	}
	thinking := q.object("thinking")
	on := thinking.text("type") == "enabled"
	if on && given && t != 1 {
		c.wrong("", "`temperature` may only be set to 1 when thinking is enabled.")
	}
	budget, _ := thinking.number("budget_tokens")
	switch {
	case on && budget < 1024:
		c.wrong("", "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
	case on && limited && budget >= limit:
		c.wrong("", "`max_tokens` must be greater than `thinking.budget_tokens`.")
	case on && (q.object("tool_choice").text("type") == "any" || q.object("tool_choice").text("type") == "tool"):
		c.wrong("", "Thinking may not be enabled when tool_choice forces tool use.")
	}
	for _, s := range anyList(q["stop_sequences"]) {
		if text, ok := s.(string); !ok || strings.TrimSpace(text) == "" {
			c.wrong("", "stop_sequences: each stop sequence must contain non-whitespace")
		}
	}
}

func anyList(v any) []any {
	l, _ := v.([]any)
	return l
}

func (c *checker) anthropicTools(q object) {
	names := map[string]bool{}
	for i, t := range q.list("tools") {
		at := fmt.Sprintf("tools.%d", i)
		kind := t.text("type")
		if name := t.text("name"); !matches(`^[a-zA-Z0-9_-]{1,128}$`, name) && (kind == "" || kind == "custom") {
			c.wrong("", "%s.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'", at)
		}
		if names[t.text("name")] && t.text("name") != "" {
			c.wrong("", "tools: Tool names must be unique.")
		}
		names[t.text("name")] = true
		if (kind == "" || kind == "custom") && t.object("input_schema").text("type") != "object" {
			c.wrong("", "%s.custom.input_schema.type: Field required", at)
		}
	}
	if ch := q.object("tool_choice"); ch.text("type") == "tool" && !names[ch.text("name")] {
		c.wrong("", "Tool '%s' not found in provided tools", ch.text("name"))
	}
}

// blocks returns a message's content as blocks.
func blocks(m object) []object {
	if s, ok := m["content"].(string); ok {
		return []object{{"type": "text", "text": s}}
	}
	return m.list("content")
}

// anthropicMessage judges one message. open are the calls that it must answer;
// it returns those that the next one must.
func (c *checker) anthropicMessage(m object, at string, beta bool, open []string, ids map[string]bool) []string {
	role := m.text("role")
	list := blocks(m)
	switch {
	case role == "system" && beta:
		return open
	case role != "user" && role != "assistant":
		c.wrong("", "%s.role: Input should be 'user' or 'assistant'", at)
	case len(list) == 0:
		c.wrong("", "%s: all messages must have non-empty content except for the optional final assistant message", at)
	}
	if role == "assistant" && len(open) > 0 {
		c.wrong("", "%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at, strings.Join(open, ", "))
	}
	var next []string
	other := false
	for k, b := range list {
		where := fmt.Sprintf("%s.content.%d", at, k)
		c.anthropicBlock(b, where, role)
		switch b.text("type") {
		case "tool_use":
			id := b.text("id")
			if ids[id] {
				c.wrong("", "messages: `tool_use` ids must be unique")
			}
			ids[id] = true
			next = append(next, id)
		case "tool_result":
			i := slices.Index(open, b.text("tool_use_id"))
			if i < 0 || other {
				c.wrong("", "%s: unexpected `tool_use_id` found in `tool_result` blocks: %s. Each `tool_result` block must have a corresponding `tool_use` block in the previous message.", where, b.text("tool_use_id"))
				continue
			}
			open = slices.Delete(open, i, i+1)
		default:
			other = true
		}
	}
	if role == "user" && len(open) > 0 {
		c.wrong("", "%s: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", at, strings.Join(open, ", "))
	}
	return next
}

func (c *checker) unanswered(i int, open []string) {
	c.wrong("", "messages.%d: `tool_use` ids were found without `tool_result` blocks immediately after: %s. Each `tool_use` block must have a corresponding `tool_result` block in the next message.", i, strings.Join(open, ", "))
}

func (c *checker) anthropicBlock(b object, at, role string) {
	switch b.text("type") {
	case "text":
		if b.text("text") == "" {
			c.wrong("", "messages: text content blocks must be non-empty")
		}
	case "thinking":
		switch {
		case role != "assistant":
			c.wrong("", "%s: thinking blocks may only be in assistant messages", at)
		case b.text("signature") == "":
			c.wrong("", "%s.thinking.signature: Field required", at)
		case !signed(b.text("signature"), signedThinking, b.text("thinking")):
			c.wrong("", "%s: Invalid `signature` in `thinking` block", at)
		}
	case "redacted_thinking":
		if !signedBy(b.text("data"), signedThinking) {
			c.wrong("", "%s: Invalid `data` in `redacted_thinking` block", at)
		}
	case "tool_use":
		if !matches(`^[a-zA-Z0-9_-]+$`, b.text("id")) {
			c.wrong("", "%s.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'", at)
		}
		if _, ok := b["input"].(map[string]any); !ok {
			c.wrong("", "%s.tool_use.input: Input should be a valid dictionary", at)
		}
	case "tool_result":
		for k, p := range b.list("content") {
			c.anthropicBlock(p, fmt.Sprintf("%s.tool_result.content.%d", at, k), "user")
		}
	case "image":
		c.anthropicSource(b.object("source"), at+".image.source", "image/jpeg image/png image/gif image/webp")
	case "document":
		c.anthropicSource(b.object("source"), at+".document.source", "application/pdf text/plain")
	case "":
		c.wrong("", "%s.type: Field required", at)
	}
}

func (c *checker) anthropicSource(s object, at, kinds string) {
	switch s.text("type") {
	case "base64":
		if !slices.Contains(words(kinds), s.text("media_type")) || s.text("data") == "" {
			c.wrong("", "%s.base64.media_type: Input should be one of %s", at, kinds)
		}
	case "url", "file", "text", "content":
	default:
		c.wrong("", "%s: Input tag '%s' found using 'type' does not match any of the expected tags", at, s.text("type"))
	}
}

// anthropicThinking wants the thoughts back in front of the calls of a turn
// that still goes on.
func (c *checker) anthropicThinking(q object, messages []object) {
	if q.object("thinking").text("type") != "enabled" {
		return
	}
	for i, m := range slices.Backward(messages) {
		list := blocks(m)
		if m.text("role") != "assistant" {
			if len(list) > 0 && list[0].text("type") != "tool_result" {
				return
			}
			continue
		}
		if len(list) == 0 {
			return
		}
		if kind := list[0].text("type"); kind != "thinking" && kind != "redacted_thinking" {
			c.wrong("", "messages.%d.content.0.type: Expected `thinking` or `redacted_thinking`, but found `%s`. When `thinking` is enabled, a final `assistant` message must start with a thinking block (preceding the lastmost set of `tool_use` and `tool_result` blocks).", i, kind)
		}
	}
}
