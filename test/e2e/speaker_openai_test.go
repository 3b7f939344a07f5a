package e2e

import (
	"encoding/json"
	"strings"
)

// chatSpeaker is a client of chat completions.
func chatSpeaker() speaker {
	s := speaker{name: "openai-chat"}
	s.path = func(string, bool) string { return "/v1/chat/completions" }
	s.ask = func(model string, t turn) map[string]any {
		messages := append([]any{}, t.before...)
		if len(messages) == 0 {
			messages = append(messages, map[string]any{"role": "system", "content": "Be brief."})
		}
		for _, c := range t.answers {
			messages = append(messages, map[string]any{"role": "tool", "tool_call_id": c.id, "content": "result of " + c.name})
		}
		if t.text != "" {
			content := any(t.text)
			if t.image {
				content = []any{
					map[string]any{"type": "text", "text": t.text},
					map[string]any{"type": "image_url", "image_url": map[string]any{"url": "data:image/png;base64," + tokenPicture}},
				}
			}
			messages = append(messages, map[string]any{"role": "user", "content": content})
		}
		q := map[string]any{"model": model, "messages": messages, "stream": t.stream, "max_completion_tokens": 4000}
		if t.stream {
			q["stream_options"] = map[string]any{"include_usage": true}
		}
		if t.think {
			q["reasoning_effort"] = "high"
		}
		if t.tools {
			var tools []any
			for _, n := range toolNames {
				tools = append(tools, map[string]any{"type": "function", "function": map[string]any{"name": n, "description": "About " + n, "parameters": toolSchema()}})
			}
			q["tools"] = tools
		}
		if t.schema {
			q["response_format"] = map[string]any{"type": "json_schema", "json_schema": map[string]any{"name": "answer", "strict": true, "schema": answerSchema()}}
		}
		return q
	}
	finish := func(r *reply, message, sent map[string]any) {
		r.text = str(message, "content")
		r.thoughts = str(message, "reasoning_content")
		for _, c := range arr(message, "tool_calls") {
			r.calls = append(r.calls, toolCall{str(c, "id"), str(c, "function", "name"), str(c, "function", "arguments")})
		}
		r.said = append(append([]any{}, arr(sent, "messages")...), message)
	}
	s.read = func(r *reply, sent map[string]any) {
		m := decode([]byte(r.body))
		message, _ := at(m, "choices", 0, "message").(map[string]any)
		finish(r, message, sent)
		r.stop = str(m, "choices", 0, "finish_reason")
		r.input, r.output = num(m, "usage", "prompt_tokens"), num(m, "usage", "completion_tokens")
	}
	s.event = func(r *reply, a *assembly, _ string, data []byte) {
		if string(data) == "[DONE]" {
			r.ended = true
			return
		}
		m := decode(data)
		if a.whole == nil {
			a.whole = map[string]any{"role": "assistant", "content": ""}
		}
		if m["usage"] != nil {
			r.input, r.output = num(m, "usage", "prompt_tokens"), num(m, "usage", "completion_tokens")
		}
		if reason := str(m, "choices", 0, "finish_reason"); reason != "" {
			r.stop = reason
		}
		delta, _ := at(m, "choices", 0, "delta").(map[string]any)
		for name, v := range delta {
			switch old, text := a.whole[name], str(delta, name); {
			case name == "tool_calls":
				for _, c := range arr(v) {
					i := int(num(c, "index"))
					for len(a.blocks) <= i {
						a.blocks = append(a.blocks, map[string]any{})
						a.json = append(a.json, strings.Builder{})
					}
					if id := str(c, "id"); id != "" {
						block, _ := c.(map[string]any)
						a.blocks[i] = block
					}
					a.json[i].WriteString(str(c, "function", "arguments"))
				}
			case name == "content" || name == "reasoning_content" || name == "refusal":
				if text != "" {
					prev, _ := old.(string)
					a.whole[name] = prev + text
				}
			case v != nil:
				a.whole[name] = v
			}
		}
	}
	s.done = func(r *reply, a *assembly, sent map[string]any) {
		if a.whole == nil {
			return
		}
		var calls []any
		for i, b := range a.blocks {
			delete(b, "index")
			if f, ok := b["function"].(map[string]any); ok {
				f["arguments"] = a.json[i].String()
			}
			calls = append(calls, b)
		}
		if len(calls) > 0 {
			a.whole["tool_calls"] = calls
		}
		finish(r, a.whole, sent)
	}
	return s
}

// responsesSpeaker is a stateless client of the Responses API, as Codex is.
func responsesSpeaker() speaker {
	s := speaker{name: "openai-responses"}
	s.path = func(string, bool) string { return "/v1/responses" }
	s.ask = func(model string, t turn) map[string]any {
		input := append([]any{}, t.before...)
		for _, c := range t.answers {
			input = append(input, map[string]any{"type": "function_call_output", "call_id": c.id, "output": "result of " + c.name})
		}
		if t.text != "" {
			content := []any{map[string]any{"type": "input_text", "text": t.text}}
			if t.image {
				content = append(content, map[string]any{"type": "input_image", "image_url": "data:image/png;base64," + tokenPicture})
			}
			input = append(input, map[string]any{"type": "message", "role": "user", "content": content})
		}
		q := map[string]any{
			"model": model, "instructions": "Be brief.", "input": input, "stream": t.stream, "store": false, "max_output_tokens": 4000,
			"include": []any{"reasoning.encrypted_content"},
		}
		if t.think {
			q["reasoning"] = map[string]any{"effort": "high", "summary": "auto"}
		}
		if t.tools {
			var tools []any
			for _, n := range toolNames {
				tools = append(tools, map[string]any{"type": "function", "name": n, "description": "About " + n, "parameters": toolSchema(), "strict": false})
			}
			q["tools"] = tools
		}
		if t.schema {
			q["text"] = map[string]any{"format": map[string]any{"type": "json_schema", "name": "answer", "strict": true, "schema": answerSchema()}}
		}
		return q
	}
	whole := func(r *reply, m, sent map[string]any) {
		for _, it := range arr(m, "output") {
			switch str(it, "type") {
			case "message":
				for _, p := range arr(it, "content") {
					r.text += str(p, "text")
				}
			case "reasoning":
				for _, p := range arr(it, "summary") {
					r.thoughts += str(p, "text")
				}
			case "function_call":
				r.calls = append(r.calls, toolCall{str(it, "call_id"), str(it, "name"), str(it, "arguments")})
			}
		}
		r.stop = str(m, "status") + str(m, "incomplete_details", "reason")
		r.input, r.output = num(m, "usage", "input_tokens"), num(m, "usage", "output_tokens")
		r.said = append(append([]any{}, arr(sent, "input")...), arr(m, "output")...)
	}
	s.read = func(r *reply, sent map[string]any) { whole(r, decode([]byte(r.body)), sent) }
	s.event = func(r *reply, a *assembly, name string, data []byte) {
		m := decode(data)
		if len(a.json) == 0 {
			a.json = make([]strings.Builder, 1)
		}
		switch str(m, "type") {
		case "response.output_text.delta":
			a.json[0].WriteString(str(m, "delta"))
		case "response.completed", "response.incomplete":
			r.ended = true
			a.whole, _ = m["response"].(map[string]any)
		}
		if name != str(m, "type") {
			r.failure = "the event " + name + " holds " + string(data)
		}
	}
	s.done = func(r *reply, a *assembly, sent map[string]any) {
		if a.whole == nil {
			if len(a.json) > 0 {
				r.text = a.json[0].String()
			}
			return
		}
		whole(r, a.whole, sent)
		if got := a.json[0].String(); got != r.text {
			r.failure = "the deltas say " + got + ", the whole says " + r.text
		}
	}
	return s
}

// jsonEqual compares JSON texts.
func jsonEqual(a, b string) bool {
	var x, y any
	return json.Unmarshal([]byte(a), &x) == nil && json.Unmarshal([]byte(b), &y) == nil && compact(x) == compact(y)
}
