package demo

import (
	"encoding/json"
	"strings"
)

// chatRequest is what is read of a chat completion request.
type chatRequest struct {
	Model         string `json:"model"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	Messages []struct {
		Role      string `json:"role"`
		Content   raw    `json:"content"`
		ToolCalls []struct {
			ID       string `json:"id"`
			Function struct {
				Name      string `json:"name"`
				Arguments string `json:"arguments"`
			} `json:"function"`
		} `json:"tool_calls"`
		ToolCallID string `json:"tool_call_id"`
	} `json:"messages"`
	Tools []struct {
		Type     string `json:"type"`
		Function struct {
			Name        string `json:"name"`
			Description string `json:"description"`
			Parameters  raw    `json:"parameters"`
		} `json:"function"`
		Custom struct {
			Name        string `json:"name"`
			Description string `json:"description"`
		} `json:"custom"`
	} `json:"tools"`
	ToolChoice          raw   `json:"tool_choice"`
	MaxTokens           int64 `json:"max_tokens"`
	MaxCompletionTokens int64 `json:"max_completion_tokens"`
	Stop                raw   `json:"stop"`
	ResponseFormat      struct {
		Type       string `json:"type"`
		JSONSchema struct {
			Schema raw `json:"schema"`
		} `json:"json_schema"`
	} `json:"response_format"`
}

// contentText returns the text of a content field: a string, or the text of its parts.
func contentText(content raw) string {
	var s string
	if json.Unmarshal(content, &s) == nil {
		return s
	}
	var parts []struct {
		Text    string `json:"text"`
		Refusal string `json:"refusal"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return ""
	}
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		if t := p.Text + p.Refusal; t != "" {
			texts = append(texts, t)
		}
	}
	return strings.Join(texts, "\n")
}

// media counts the parts of a content field that are no text.
func media(content raw) int {
	var parts []struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(content, &parts) != nil {
		return 0
	}
	n := 0
	for _, p := range parts {
		switch p.Type {
		case "text", "input_text", "output_text", "refusal", "tool_result":
		default:
			n++
		}
	}
	return n
}

// stopList reads a stop field: a string or a list of strings.
func stopList(stop raw) []string {
	var one string
	if json.Unmarshal(stop, &one) == nil && one != "" {
		return []string{one}
	}
	var many []string
	_ = json.Unmarshal(stop, &many) // anything else is no stop sequence
	return many
}

// openAIChoice reads tool_choice in the forms of chat and of responses.
func openAIChoice(c raw) choice {
	var word string
	if json.Unmarshal(c, &word) == nil {
		return choice{none: word == "none", force: word == "required"}
	}
	var named struct {
		Type     string `json:"type"`
		Name     string `json:"name"`
		Function struct {
			Name string `json:"name"`
		} `json:"function"`
		Custom struct {
			Name string `json:"name"`
		} `json:"custom"`
		Mode         string `json:"mode"`
		AllowedTools struct {
			Mode string `json:"mode"`
		} `json:"allowed_tools"`
	}
	if json.Unmarshal(c, &named) != nil {
		return choice{}
	}
	return choice{
		name:  named.Name + named.Function.Name + named.Custom.Name,
		force: named.Mode == "required" || named.AllowedTools.Mode == "required",
	}
}

func (q *chatRequest) prompt() *prompt {
	p := &prompt{model: q.Model, choice: openAIChoice(q.ToolChoice), stop: stopList(q.Stop), maxOutput: max(q.MaxCompletionTokens, q.MaxTokens)}
	names := map[string]string{}
	for _, m := range q.Messages {
		text := contentText(m.Content)
		p.add(text)
		switch m.Role {
		case "user":
			p.last, p.results, p.resultsOf, p.media = text, nil, nil, media(m.Content)
		case "assistant":
			p.results, p.resultsOf = nil, nil
			for _, c := range m.ToolCalls {
				names[c.ID] = c.Function.Name
				p.add(c.Function.Arguments)
			}
		case "tool", "function":
			p.results = append(p.results, text)
			p.resultsOf = append(p.resultsOf, names[m.ToolCallID])
		}
	}
	for _, t := range q.Tools {
		if t.Type == "custom" {
			p.offer(tool{name: t.Custom.Name, description: t.Custom.Description, custom: true})
		} else {
			p.offer(tool{name: t.Function.Name, description: t.Function.Description, schema: t.Function.Parameters})
		}
	}
	switch q.ResponseFormat.Type {
	case "json_schema":
		p.schema = or(q.ResponseFormat.JSONSchema.Schema, "{}")
	case "json_object":
		p.schema = raw(`{"type":"object","properties":{"answer":{"type":"string"}}}`)
	}
	return p
}

// chat answers POST /chat/completions.
func (x *exchange) chat() {
	var q chatRequest
	if !x.decode(&q) {
		return
	}
	if q.Model == "" {
		x.fail(400, "model", "you must provide a model parameter")
		return
	}
	if !x.model(q.Model, false) {
		return
	}
	if len(q.Messages) == 0 {
		x.fail(400, "messages", "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.")
		return
	}
	if !x.pass(checkChat(x.parsed())) {
		return
	}
	a := x.answer(q.prompt())
	if !x.begin() {
		return
	}
	if q.Stream {
		x.stream(x.chatEvents(&q, a), frameData, func(int) []event { return []event{{data: x.streamError()}} })
		return
	}
	x.reply(x.chatBody(&q, a))
}

// streamError is the error object that OpenAI and Gemini put into a stream.
func (x *exchange) streamError() raw {
	return x.errorBody(500, "", "", "The server had an error while processing your request. Sorry about that!")
}

func chatUsage(u usage) raw {
	return o("prompt_tokens", u.input, "completion_tokens", u.output, "total_tokens", u.input+u.output,
		"prompt_tokens_details", o("cached_tokens", u.cached, "audio_tokens", 0),
		"completion_tokens_details", o("reasoning_tokens", u.reasoning, "audio_tokens", 0, "accepted_prediction_tokens", 0, "rejected_prediction_tokens", 0))
}

func chatFinish(s stopReason) string {
	switch s {
	case stopTools:
		return "tool_calls"
	case stopLength:
		return "length"
	case stopFilter:
		return "content_filter"
	case stopEnd, stopSequence:
	}
	return "stop"
}

// chatCall writes a tool call; index is set inside streams.
func chatCall(c call, args string, index any) raw {
	pairs := []any{}
	if index != nil {
		pairs = append(pairs, "index", index)
	}
	pairs = append(pairs, "id", "call_"+c.id)
	if c.custom {
		return o(append(pairs, "type", "custom", "custom", o("name", c.name, "input", args))...)
	}
	return o(append(pairs, "type", "function", "function", o("name", c.name, "arguments", args))...)
}

func (x *exchange) chatBody(q *chatRequest, a answer) raw {
	message := []any{"role", "assistant", "content", a.text}
	if len(a.calls) > 0 {
		calls := make([]raw, len(a.calls))
		for i, c := range a.calls {
			calls[i] = chatCall(c, c.args, nil)
		}
		message = []any{"role", "assistant", "content", nil, "tool_calls", calls}
	}
	message = append(message, "refusal", nil, "annotations", []raw{})
	if a.reasoning != "" { // as DeepSeek and others spell it
		message = append(message, "reasoning_content", a.reasoning)
	}
	pairs := []any{
		"id", x.id("chatcmpl-"), "object", "chat.completion", "created", x.created(), "model", q.Model,
		"choices",
		[]raw{o("index", 0, "message", o(message...), "logprobs", nil, "finish_reason", chatFinish(a.stop))},
	}
	if !x.d.noUsage {
		pairs = append(pairs, "usage", chatUsage(a.usage))
	}
	return o(append(pairs, "service_tier", "default", "system_fingerprint", "fp_demo")...)
}

// chatEvents: the role first, then one token per chunk, the finish reason in a
// chunk of its own, usage only when asked for, and [DONE].
func (x *exchange) chatEvents(q *chatRequest, a answer) []event {
	chunk := func(choices []raw, usage raw) raw {
		pairs := []any{
			"id", x.id("chatcmpl-"), "object", "chat.completion.chunk", "created", x.created(), "model", q.Model,
			"service_tier", "default", "system_fingerprint", "fp_demo", "choices", choices,
		}
		if q.StreamOptions.IncludeUsage {
			pairs = append(pairs, "usage", usage)
		}
		return o(pairs...)
	}
	delta := func(d raw, finish any) raw {
		return chunk([]raw{o("index", 0, "delta", d, "logprobs", nil, "finish_reason", finish)}, nil)
	}
	content := any("")
	if len(a.calls) > 0 {
		content = nil
	}
	events := []event{{data: delta(o("role", "assistant", "content", content, "refusal", nil), nil)}}
	for _, p := range pieces(a.reasoning) {
		events = append(events, event{data: delta(o("reasoning_content", p), nil), content: true})
	}
	for _, p := range a.parts {
		events = append(events, event{data: delta(o("content", p), nil), content: true})
	}
	for i, c := range a.calls {
		events = append(events, event{data: delta(o("tool_calls", []raw{chatCall(c, "", i)}), nil), content: true})
		for _, p := range pieces(c.args) {
			part := o("index", i, "function", o("arguments", p))
			if c.custom {
				part = o("index", i, "custom", o("input", p))
			}
			events = append(events, event{data: delta(o("tool_calls", []raw{part}), nil), content: true})
		}
	}
	events = append(events, event{data: delta(o(), chatFinish(a.stop))})
	if q.StreamOptions.IncludeUsage && !x.d.noUsage {
		events = append(events, event{data: chunk([]raw{}, chatUsage(a.usage))})
	}
	return append(events, event{data: raw("[DONE]")})
}

// completionRequest is what is read of a legacy completion request.
type completionRequest struct {
	Model         string `json:"model"`
	Prompt        raw    `json:"prompt"`
	Stream        bool   `json:"stream"`
	StreamOptions struct {
		IncludeUsage bool `json:"include_usage"`
	} `json:"stream_options"`
	MaxTokens int64 `json:"max_tokens"`
	Stop      raw   `json:"stop"`
}

// completions answers POST /completions.
func (x *exchange) completions() {
	var q completionRequest
	if !x.decode(&q) || !x.model(q.Model, false) {
		return
	}
	text := strings.Join(stopList(q.Prompt), "\n")
	p := &prompt{model: q.Model, last: text, maxOutput: q.MaxTokens, stop: stopList(q.Stop)}
	p.add(text)
	a := x.answer(p)
	if !x.begin() {
		return
	}
	object := func(text string, finish any, more ...any) raw {
		pairs := []any{
			"id", x.id("cmpl-"), "object", "text_completion", "created", x.created(), "model", q.Model,
			"choices",
			[]raw{o("text", text, "index", 0, "logprobs", nil, "finish_reason", finish)},
		}
		return o(append(pairs, more...)...)
	}
	if !q.Stream {
		if x.d.noUsage {
			x.reply(object(a.text, chatFinish(a.stop)))
		} else {
			x.reply(object(a.text, chatFinish(a.stop), "usage", chatUsage(a.usage)))
		}
		return
	}
	var events []event
	for _, part := range a.parts {
		events = append(events, event{data: object(part, nil), content: true})
	}
	events = append(events, event{data: object("", chatFinish(a.stop))})
	if q.StreamOptions.IncludeUsage && !x.d.noUsage {
		events = append(events, event{data: o("id", x.id("cmpl-"), "object", "text_completion", "created", x.created(), "model", q.Model,
			"choices", []raw{}, "usage", chatUsage(a.usage))})
	}
	events = append(events, event{data: raw("[DONE]")})
	x.stream(events, frameData, func(int) []event { return []event{{data: x.streamError()}} })
}
