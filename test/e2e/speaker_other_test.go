package e2e

import (
	"encoding/json"
	"strings"
)

// messagesSpeaker is a client of Anthropic's Messages.
func messagesSpeaker() speaker {
	s := speaker{name: "anthropic"}
	s.path = func(string, bool) string { return "/v1/messages" }
	s.ask = func(model string, t turn) map[string]any {
		messages := append([]any{}, t.before...)
		var content []any
		for _, c := range t.answers {
			content = append(content, map[string]any{"type": "tool_result", "tool_use_id": c.id, "content": "result of " + c.name})
		}
		if t.image {
			content = append(content, map[string]any{"type": "image", "source": map[string]any{"type": "base64", "media_type": "image/png", "data": tokenPicture}})
		}
		if t.text != "" {
			content = append(content, map[string]any{"type": "text", "text": t.text})
		}
		messages = append(messages, map[string]any{"role": "user", "content": content})
		q := map[string]any{
			"model": model, "max_tokens": 4000, "stream": t.stream, "messages": messages,
			"system": []any{map[string]any{"type": "text", "text": "Be brief.", "cache_control": map[string]any{"type": "ephemeral"}}},
		}
		if t.think {
			q["thinking"] = map[string]any{"type": "enabled", "budget_tokens": 2000}
		}
		if t.tools {
			var tools []any
			for _, n := range toolNames {
				tools = append(tools, map[string]any{"name": n, "description": "About " + n, "input_schema": toolSchema()})
			}
			q["tools"] = tools
		}
		if t.schema {
			q["output_config"] = map[string]any{"format": map[string]any{"type": "json_schema", "schema": answerSchema()}}
		}
		return q
	}
	finish := func(r *reply, content []any, sent map[string]any) {
		for _, b := range content {
			switch str(b, "type") {
			case "text":
				r.text += str(b, "text")
			case "thinking":
				r.thoughts += str(b, "thinking")
			case "tool_use":
				r.calls = append(r.calls, toolCall{str(b, "id"), str(b, "name"), compact(at(b, "input"))})
			}
		}
		r.said = append(append([]any{}, arr(sent, "messages")...), map[string]any{"role": "assistant", "content": content})
	}
	count := func(r *reply, u any) {
		for _, name := range []string{"input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"} {
			if at(u, name) == nil {
				return
			}
		}
		r.input = num(u, "input_tokens") + num(u, "cache_read_input_tokens") + num(u, "cache_creation_input_tokens")
		r.output = num(u, "output_tokens")
	}
	s.read = func(r *reply, sent map[string]any) {
		m := decode([]byte(r.body))
		finish(r, arr(m, "content"), sent)
		r.stop = str(m, "stop_reason")
		count(r, m["usage"])
	}
	s.event = func(r *reply, a *assembly, name string, data []byte) {
		m := decode(data)
		i := int(num(m, "index"))
		switch str(m, "type") {
		case "message_start":
			count(r, at(m, "message", "usage"))
		case "content_block_start":
			if i != len(a.blocks) {
				r.failure = "blocks begin out of order: " + string(data)
				return
			}
			b, _ := m["content_block"].(map[string]any)
			a.blocks, a.json = append(a.blocks, b), append(a.json, strings.Builder{})
		case "content_block_delta":
			d := m["delta"]
			a.json[i].WriteString(str(d, "partial_json"))
			for _, f := range []string{"text", "thinking", "signature"} {
				if text := str(d, f); text != "" {
					a.blocks[i][f] = str(a.blocks[i], f) + text
				}
			}
		case "content_block_stop":
			if a.json[i].Len() > 0 {
				var input any
				if err := json.Unmarshal([]byte(a.json[i].String()), &input); err != nil {
					r.failure = "arguments are no JSON: " + a.json[i].String()
				}
				a.blocks[i]["input"] = input
			}
		case "message_delta":
			r.stop = str(m, "delta", "stop_reason")
			count(r, m["usage"])
			if n := num(m, "usage", "output_tokens"); n > 0 {
				r.output = n
			}
		case "message_stop":
			r.ended = true
		}
		if name != str(m, "type") {
			r.failure = "the event " + name + " holds " + string(data)
		}
	}
	s.done = func(r *reply, a *assembly, sent map[string]any) {
		var content []any
		for _, b := range a.blocks {
			content = append(content, b)
		}
		finish(r, content, sent)
	}
	return s
}

// geminiSpeaker is a client of generateContent that sends no call ids, as
// Google's SDKs do when the answer has none.
func geminiSpeaker() speaker {
	s := speaker{name: "gemini"}
	s.path = func(model string, stream bool) string {
		if stream {
			return "/v1beta/models/" + model + ":streamGenerateContent?alt=sse"
		}
		return "/v1beta/models/" + model + ":generateContent"
	}
	s.ask = func(_ string, t turn) map[string]any {
		contents := append([]any{}, t.before...)
		var parts []any
		for _, c := range t.answers {
			f := map[string]any{"name": c.name, "response": map[string]any{"output": "result of " + c.name}}
			if c.id != "" {
				f["id"] = c.id
			}
			parts = append(parts, map[string]any{"functionResponse": f})
		}
		if t.text != "" {
			parts = append(parts, map[string]any{"text": t.text})
		}
		if t.image {
			parts = append(parts, map[string]any{"inlineData": map[string]any{"mimeType": "image/png", "data": tokenPicture}})
		}
		contents = append(contents, map[string]any{"role": "user", "parts": parts})
		config := map[string]any{"maxOutputTokens": 4000}
		q := map[string]any{
			"contents": contents, "generationConfig": config,
			"systemInstruction": map[string]any{"parts": []any{map[string]any{"text": "Be brief."}}},
		}
		if t.think {
			config["thinkingConfig"] = map[string]any{"includeThoughts": true, "thinkingBudget": 2000}
		}
		if t.tools {
			var fns []any
			for _, n := range toolNames {
				fns = append(fns, map[string]any{"name": n, "description": "About " + n, "parametersJsonSchema": toolSchema()})
			}
			q["tools"] = []any{map[string]any{"functionDeclarations": fns}}
		}
		if t.schema {
			config["responseMimeType"], config["responseJsonSchema"] = "application/json", answerSchema()
		}
		return q
	}
	finish := func(r *reply, parts []any, sent map[string]any) {
		for _, p := range parts {
			switch {
			case at(p, "functionCall") != nil:
				args := at(p, "functionCall", "args")
				if args == nil {
					args = map[string]any{}
				}
				r.calls = append(r.calls, toolCall{str(p, "functionCall", "id"), str(p, "functionCall", "name"), compact(args)})
			case at(p, "thought") == true:
				r.thoughts += str(p, "text")
			default:
				r.text += str(p, "text")
			}
		}
		r.said = append(append([]any{}, arr(sent, "contents")...), map[string]any{"role": "model", "parts": parts})
	}
	take := func(r *reply, m map[string]any) []any {
		if reason := str(m, "candidates", 0, "finishReason"); reason != "" {
			r.stop, r.ended = reason, true
		}
		if u := m["usageMetadata"]; u != nil {
			r.input = num(u, "promptTokenCount") + num(u, "toolUsePromptTokenCount")
			r.output = num(u, "candidatesTokenCount") + num(u, "thoughtsTokenCount")
		}
		return arr(m, "candidates", 0, "content", "parts")
	}
	s.read = func(r *reply, sent map[string]any) { finish(r, take(r, decode([]byte(r.body))), sent) }
	s.event = func(r *reply, a *assembly, _ string, data []byte) {
		a.parts = append(a.parts, take(r, decode(data))...)
	}
	s.done = func(r *reply, a *assembly, sent map[string]any) {
		var kept []any
		for _, p := range a.parts {
			if compact(p) != `{"text":""}` {
				kept = append(kept, p)
			}
		}
		finish(r, kept, sent)
	}
	return s
}
