package demo

import (
	"encoding/json"
	"strings"
)

// messagesRequest is what is read of a Messages request.
type messagesRequest struct {
	Model       string `json:"model"`
	Stream      bool   `json:"stream"`
	MaxTokens   *int64 `json:"max_tokens"`
	System      raw    `json:"system"`
	Temperature raw    `json:"temperature"`
	TopP        raw    `json:"top_p"`
	TopK        raw    `json:"top_k"`
	Messages    []struct {
		Role    string `json:"role"`
		Content raw    `json:"content"`
	} `json:"messages"`
	Tools []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		InputSchema raw    `json:"input_schema"`
	} `json:"tools"`
	ToolChoice struct {
		Type string `json:"type"`
		Name string `json:"name"`
	} `json:"tool_choice"`
	StopSequences []string `json:"stop_sequences"`
	OutputConfig  struct {
		Format struct {
			Schema raw `json:"schema"`
		} `json:"format"`
	} `json:"output_config"`
	OutputFormat struct {
		Schema raw `json:"schema"`
	} `json:"output_format"`
}

type messagesBlock struct {
	Type      string `json:"type"`
	Text      string `json:"text"`
	ID        string `json:"id"`
	Name      string `json:"name"`
	Input     raw    `json:"input"`
	ToolUseID string `json:"tool_use_id"`
	Content   raw    `json:"content"`
}

func (q *messagesRequest) prompt() *prompt {
	p := &prompt{model: q.Model, stop: q.StopSequences, choice: choice{none: q.ToolChoice.Type == "none", force: q.ToolChoice.Type == "any", name: q.ToolChoice.Name}}
	if q.MaxTokens != nil {
		p.maxOutput = *q.MaxTokens
	}
	p.add(contentText(q.System))
	names := map[string]string{}
	for _, m := range q.Messages {
		p.turn(m.Role, messageBlocks(m.Content), names)
	}
	for _, t := range q.Tools {
		p.offer(tool{name: t.Name, description: t.Description, schema: t.InputSchema})
	}
	p.schema = q.OutputConfig.Format.Schema
	if len(p.schema) == 0 {
		p.schema = q.OutputFormat.Schema
	}
	return p
}

func messageBlocks(content raw) []messagesBlock {
	var text string
	if json.Unmarshal(content, &text) == nil {
		return []messagesBlock{{Type: "text", Text: text}}
	}
	var blocks []messagesBlock
	_ = json.Unmarshal(content, &blocks) // blocks of unknown shape say nothing
	return blocks
}

// turn counts one message and notes what it says.
func (p *prompt) turn(role string, blocks []messagesBlock, names map[string]string) {
	var texts []string
	p.results, p.resultsOf = nil, nil
	for _, b := range blocks {
		switch b.Type {
		case "text":
			p.add(b.Text)
			texts = append(texts, b.Text)
		case "tool_use":
			names[b.ID] = b.Name
			p.add(string(b.Input))
		case "tool_result":
			text := contentText(b.Content)
			p.add(text)
			p.results = append(p.results, text)
			p.resultsOf = append(p.resultsOf, names[b.ToolUseID])
		}
	}
	if role == "user" && len(texts) > 0 {
		p.last, p.media = strings.Join(texts, "\n"), len(blocks)-len(texts)-len(p.results)
	}
}

// messages answers POST /messages.
func (x *exchange) messages() {
	q, ok := x.messagesRequest(true)
	if !ok {
		return
	}
	a := x.answer(q.prompt())
	if !x.begin() {
		return
	}
	if !q.Stream {
		x.reply(x.message(q, a))
		return
	}
	failure := func(int) []event {
		return []event{{name: "error", data: x.errorBody(529, "", "", "Overloaded")}}
	}
	x.stream(x.messageEvents(q, a), frameNamed, failure)
}

// messagesRequest reads and checks the request as the vendor does.
func (x *exchange) messagesRequest(generate bool) (*messagesRequest, bool) {
	var q messagesRequest
	version := x.r.Header.Get("Anthropic-Version")
	if version == "" {
		x.fail(400, "", "anthropic-version: header is required")
		return nil, false
	}
	if !x.decode(&q) || !x.model(q.Model, false) {
		return nil, false
	}
	var wrong string
	switch {
	case generate && q.MaxTokens == nil:
		wrong = "max_tokens: Field required"
	case len(q.Messages) == 0:
		wrong = "messages: at least one message is required"
	case version >= "2026-10-21" && len(q.Temperature)+len(q.TopP)+len(q.TopK) > 0:
		wrong = "temperature, top_p and top_k are not supported in this version"
	default:
		return &q, x.pass(checkMessages(x.parsed(), x.r.Header.Get("Anthropic-Beta") != "", generate))
	}
	x.fail(400, "", wrong)
	return nil, false
}

// countMessages answers POST /messages/count_tokens.
func (x *exchange) countMessages() {
	q, ok := x.messagesRequest(false)
	if !ok {
		return
	}
	a := x.answer(q.prompt())
	if x.begin() {
		x.reply(o("input_tokens", a.usage.input))
	}
}

func messagesStop(s stopReason) string {
	switch s {
	case stopTools:
		return "tool_use"
	case stopLength:
		return "max_tokens"
	case stopSequence:
		return "stop_sequence"
	case stopFilter:
		return "refusal"
	case stopEnd:
	}
	return "end_turn"
}

// messagesUsage counts as this vendor does: input without what was cached.
func messagesUsage(u usage, output int64) []any {
	return []any{
		"input_tokens", u.input - u.cached, "cache_creation_input_tokens", 0, "cache_read_input_tokens", u.cached,
		"cache_creation", o("ephemeral_5m_input_tokens", 0, "ephemeral_1h_input_tokens", 0), "output_tokens", output, "service_tier", "standard",
	}
}

func (x *exchange) message(q *messagesRequest, a answer) raw {
	var content []raw
	if a.reasoning != "" {
		content = append(content, o("type", "thinking", "thinking", a.reasoning, "signature", sign(signedThinking, a.reasoning)))
	}
	for _, c := range a.calls {
		content = append(content, o("type", "tool_use", "id", "toolu_"+c.id, "name", c.name, "input", or(raw(c.args), "{}")))
	}
	if len(a.calls) == 0 {
		content = append(content, o("type", "text", "text", a.text))
	}
	pairs := []any{
		"model", q.Model, "id", x.id("msg_"), "type", "message", "role", "assistant", "content", content,
		"stop_reason", messagesStop(a.stop), "stop_sequence", orNull(a.sequence),
	}
	if !x.d.noUsage {
		pairs = append(pairs, "usage", o(messagesUsage(a.usage, a.usage.output)...))
	}
	return o(pairs...)
}

// messageEvents: message_start, ping, one block at a time, message_delta with
// the whole usage, message_stop.
func (x *exchange) messageEvents(q *messagesRequest, a answer) []event {
	var events []event
	add := func(content bool, kind string, pairs ...any) {
		events = append(events, event{name: kind, data: o(append([]any{"type", kind}, pairs...)...), content: content})
	}
	start := []any{
		"model", q.Model, "id", x.id("msg_"), "type", "message", "role", "assistant", "content",
		[]raw{},
		"stop_reason", nil, "stop_sequence", nil,
	}
	if !x.d.noUsage {
		start = append(start, "usage", o(messagesUsage(a.usage, 1)...))
	}
	add(false, "message_start", "message", o(start...))
	add(false, "ping")
	index := 0
	block := func(begin raw, deltas ...raw) {
		add(false, "content_block_start", "index", index, "content_block", begin)
		for _, d := range deltas {
			add(true, "content_block_delta", "index", index, "delta", d)
		}
		add(false, "content_block_stop", "index", index)
		index++
	}
	if a.reasoning != "" {
		deltas := deltasOf(pieces(a.reasoning), "thinking_delta", "thinking")
		block(o("type", "thinking", "thinking", "", "signature", ""), append(deltas, o("type", "signature_delta", "signature", sign(signedThinking, a.reasoning)))...)
	}
	for _, c := range a.calls {
		deltas := deltasOf(append([]string{""}, pieces(c.args)...), "input_json_delta", "partial_json")
		block(o("type", "tool_use", "id", "toolu_"+c.id, "name", c.name, "input", o()), deltas...)
	}
	if len(a.calls) == 0 {
		block(o("type", "text", "text", ""), deltasOf(a.parts, "text_delta", "text")...)
	}
	end := []any{"delta", o("stop_reason", messagesStop(a.stop), "stop_sequence", orNull(a.sequence))}
	if !x.d.noUsage {
		u := a.usage
		end = append(end, "usage", o("input_tokens", u.input-u.cached, "cache_creation_input_tokens", 0, "cache_read_input_tokens", u.cached, "output_tokens", u.output))
	}
	add(false, "message_delta", end...)
	add(false, "message_stop")
	return events
}

func deltasOf(parts []string, kind, field string) []raw {
	out := make([]raw, len(parts))
	for i, p := range parts {
		out[i] = o("type", kind, field, p)
	}
	return out
}
