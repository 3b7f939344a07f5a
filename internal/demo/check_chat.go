package demo

import (
	"fmt"
	"slices"
	"strings"
)

const chatMembers = `messages model audio frequency_penalty function_call functions logit_bias logprobs max_completion_tokens max_tokens
	metadata modalities moderation n parallel_tool_calls prediction presence_penalty prompt_cache_key prompt_cache_options prompt_cache_retention
	reasoning_effort response_format safety_identifier seed service_tier stop store stream stream_options temperature tool_choice tools
	top_logprobs top_p user verbosity web_search_options`

// checkChat judges a chat completion request.
func checkChat(q object) *checker {
	c := &checker{}
	for _, k := range q.keys() {
		if !slices.Contains(words(chatMembers), k) {
			c.wrong(k, "Unrecognized request argument supplied: %s", k)
		}
	}
	if q.has("max_tokens") && q.has("max_completion_tokens") {
		c.wrong("max_tokens", "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.")
	}
	c.openAINumbers(q)
	if n := len(anyList(q["stop"])); n > 4 {
		c.wrong("stop", "Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length %d instead.", n)
	}
	if q.has("stream_options") && q["stream"] != true {
		c.wrong("stream_options", "The 'stream_options' parameter is only allowed when 'stream' is enabled.")
	}
	for i, t := range q.list("tools") {
		c.openAITool(t.object("function"), t.text("type"), fmt.Sprintf("tools[%d].function", i))
	}
	c.parallelNeedsTools(q)
	if f := q.object("response_format"); f.text("type") == "json_schema" {
		c.openAIFormat(f.object("json_schema"), "response_format.json_schema")
	}
	c.chatMessages(q.list("messages"))
	return c
}

func (c *checker) openAINumbers(q object) {
	for _, limit := range []struct {
		name      string
		low, high float64
	}{{"temperature", 0, 2}, {"top_p", 0, 1}, {"frequency_penalty", -2, 2}, {"presence_penalty", -2, 2}, {"top_logprobs", 0, 20}} {
		if n, ok := q.number(limit.name); ok && (n < limit.low || n > limit.high) {
			c.wrong(limit.name, "Invalid '%s': decimal out of range. Expected a value between %v and %v, but got %v instead.", limit.name, limit.low, limit.high, n)
		}
	}
}

func (c *checker) parallelNeedsTools(q object) {
	if q.has("parallel_tool_calls") && len(q.list("tools")) == 0 {
		c.wrong("parallel_tool_calls", "Invalid value for 'parallel_tool_calls': 'parallel_tool_calls' is only allowed when 'tools' are specified.")
	}
	if q.has("tool_choice") && q["tool_choice"] != "none" && q["tool_choice"] != "auto" && len(q.list("tools")) == 0 {
		c.wrong("tool_choice", "Invalid value for 'tool_choice': 'tool_choice' is only allowed when 'tools' are specified.")
	}
}

func (c *checker) openAITool(f object, kind, at string) {
	if kind != "function" {
		return
	}
	if !matches(`^[a-zA-Z0-9_-]{1,64}$`, f.text("name")) {
		c.wrong(at+".name", "Invalid '%s.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.", at)
	}
	p := f.object("parameters")
	if f.has("parameters") && p.text("type") != "object" {
		c.wrongWith("invalid_function_parameters", at+".parameters", "Invalid schema for function '%s': schema must be a JSON Schema of 'type: \"object\"', got 'type: \"%s\"'.", f.text("name"), p.text("type"))
	}
	if f["strict"] == true {
		if fault := strictSchema(p, ""); fault != "" {
			c.wrongWith("invalid_function_parameters", at+".parameters", "Invalid schema for function '%s': %s", f.text("name"), fault)
		}
	}
}

func (c *checker) openAIFormat(f object, at string) {
	if !matches(`^[a-zA-Z0-9_-]{1,64}$`, f.text("name")) {
		c.wrong(at+".name", "Missing required parameter: '%s.name'.", at)
	}
	if f["strict"] == true {
		if fault := strictSchema(f.object("schema"), ""); fault != "" {
			c.wrong(at+".schema", "Invalid schema for response_format '%s': %s", f.text("name"), fault)
		}
	}
}

// chatMessages judges roles and parts, and that every call has its result.
func (c *checker) chatMessages(messages []object) {
	var open []string
	for i, m := range messages {
		at := fmt.Sprintf("messages[%d]", i)
		role := m.text("role")
		if role != "tool" && len(open) > 0 {
			c.wrong(at, "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(open, ", "))
			return
		}
		switch role {
		case "system", "developer", "user", "function":
			if !m.has("content") {
				c.wrong(at+".content", "Invalid value for 'content': expected a string, got null.")
			}
		case "assistant":
			if !m.has("content") && len(m.list("tool_calls")) == 0 && !m.has("refusal") && !m.has("audio") && !m.has("function_call") {
				c.wrong(at+".content", "Invalid value for 'content': expected a string, got null.")
			}
			if m.has("tool_calls") && len(m.list("tool_calls")) == 0 {
				c.wrong(at+".tool_calls", "Invalid '%s.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.", at)
			}
			for k, call := range m.list("tool_calls") {
				open = append(open, c.chatCall(call, fmt.Sprintf("%s.tool_calls[%d]", at, k)))
			}
		case "tool":
			k := slices.Index(open, m.text("tool_call_id"))
			if k < 0 {
				c.wrong(at+".role", "Invalid parameter: messages with role 'tool' must be a response to a preceding message with 'tool_calls'.")
				return
			}
			open = slices.Delete(open, k, k+1)
		default:
			c.wrong(at+".role", "Invalid value: '%s'. Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.", role)
		}
		c.chatParts(m, role, at)
	}
	if len(open) > 0 {
		c.wrong("messages", "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: %s", strings.Join(open, ", "))
	}
}

func (c *checker) chatCall(call object, at string) (id string) {
	id = call.text("id")
	if id == "" || len(id) > 64 {
		c.wrong(at+".id", "Invalid '%s.id': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", at, len(id))
	}
	if _, ok := call.object("function")["arguments"].(string); call.text("type") == "function" && !ok {
		c.wrong(at+".function.arguments", "Missing required parameter: '%s.function.arguments'.", at)
	}
	return id
}

func (c *checker) chatParts(m object, role, at string) {
	allowed := map[string]string{"user": "text image_url input_audio file", "assistant": "text refusal"}[role]
	if allowed == "" {
		allowed = "text"
	}
	for k, p := range m.list("content") {
		kind := p.text("type")
		if !slices.Contains(words(allowed), kind) {
			c.wrong(fmt.Sprintf("%s.content[%d].type", at, k), "Invalid value: '%s'. Supported values are: %s.", kind, "'"+strings.Join(words(allowed), "', '")+"'")
		}
		if kind == "image_url" {
			c.imageURL(p.object("image_url").text("url"), fmt.Sprintf("%s.content[%d].image_url.url", at, k))
		}
	}
}

func (c *checker) imageURL(url, at string) {
	if !strings.HasPrefix(url, "https://") && !strings.HasPrefix(url, "http://") && !matches(`^data:image/(png|jpeg|gif|webp);base64,.`, url) {
		c.wrongWith("invalid_image_url", at, "Invalid image data: expected a URL or a base64-encoded data URL with an image MIME type.")
	}
}
