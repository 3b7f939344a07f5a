package demo

import (
	"fmt"
	"slices"
	"strings"
)

const responsesMembers = `background client_metadata context_management conversation include input instructions max_output_tokens max_tool_calls
	metadata model moderation parallel_tool_calls previous_response_id prompt prompt_cache_key prompt_cache_options prompt_cache_retention
	reasoning safety_identifier service_tier store stream stream_options temperature text tool_choice tools top_logprobs top_p
	truncation user type generate`

// checkResponses judges a Responses request.
func checkResponses(q object) *checker {
	c := &checker{}
	for _, k := range q.keys() {
		if !slices.Contains(words(responsesMembers), k) {
			c.wrongWith("unknown_parameter", k, "Unknown parameter: '%s'.", k)
		}
	}
	c.openAINumbers(q)
	if n, ok := q.number("max_output_tokens"); ok && n < 1 {
		c.wrong("max_output_tokens", "Invalid 'max_output_tokens': integer below minimum value.")
	}
	for i, t := range q.list("tools") {
		c.openAITool(t, t.text("type"), fmt.Sprintf("tools[%d]", i))
	}
	if f := q.object("text").object("format"); f.text("type") == "json_schema" {
		c.openAIFormat(f, "text.format")
	}
	if _, ok := q["input"].(string); !ok {
		c.responsesItems(q.list("input"))
	}
	return c
}

// responsesItems judges items, and that every call has its output.
func (c *checker) responsesItems(items []object) {
	calls := map[string]bool{} // id → answered
	for i, it := range items {
		at := fmt.Sprintf("input[%d]", i)
		switch kind := it.text("type"); kind {
		case "", "message":
			c.responsesMessage(it, at)
		case "function_call", "custom_tool_call":
			if _, twice := calls[it.text("call_id")]; twice {
				c.wrong(at+".call_id", "Duplicate call_id '%s'.", it.text("call_id"))
			}
			calls[it.text("call_id")] = false
			c.responsesCall(it, kind, at)
		case "function_call_output", "custom_tool_call_output":
			if _, known := calls[it.text("call_id")]; !known {
				c.wrong("input", "No tool call found for function call output with call_id %s.", it.text("call_id"))
			}
			calls[it.text("call_id")] = true
			if !it.has("output") {
				c.wrong(at+".output", "Missing required parameter: '%s.output'.", at)
			}
			c.responsesParts(it.list("output"), at+".output", "input_text input_image input_file input_audio")
		case "reasoning":
			c.responsesReasoning(it, at)
		case "compaction":
			c.responsesSealed(it, signedSummary, at)
		}
	}
	for _, it := range items {
		if answered, call := calls[it.text("call_id")]; call && !answered {
			c.wrong("input", "No tool output found for function call %s.", it.text("call_id"))
		}
	}
}

func (c *checker) responsesID(it object, prefix, at string) {
	if id := it.text("id"); id != "" && !strings.HasPrefix(id, prefix) {
		c.wrongWith("invalid_value", at+".id", "Invalid '%s.id': '%s'. Expected an ID that begins with '%s'.", at, id, prefix)
	}
}

func (c *checker) responsesCall(it object, kind, at string) {
	if id := it.text("call_id"); id == "" || len(id) > 64 {
		c.wrongWith("string_above_max_length", at+".call_id", "Invalid '%s.call_id': string too long. Expected a string with maximum length 64, but got a string with length %d instead.", at, len(id))
	}
	field, prefix := "arguments", "fc"
	if kind == "custom_tool_call" {
		field, prefix = "input", "ctc"
	}
	c.responsesID(it, prefix, at)
	if _, ok := it[field].(string); !ok {
		c.wrong(at+"."+field, "Missing required parameter: '%s.%s'.", at, field)
	}
	if !matches(`^[a-zA-Z0-9_.-]{1,128}$`, it.text("name")) {
		c.wrong(at+".name", "Invalid '%s.name': string does not match pattern.", at)
	}
}

func (c *checker) responsesReasoning(it object, at string) {
	c.responsesID(it, "rs", at)
	if _, ok := it["summary"].([]any); !ok {
		c.wrong(at+".summary", "Missing required parameter: '%s.summary'.", at)
	}
	if it.has("encrypted_content") {
		c.responsesSealed(it, signedReasoning, at)
	}
}

// responsesSealed refuses an encrypted content that the vendor did not make.
func (c *checker) responsesSealed(it object, kind, at string) {
	if seal := it.text("encrypted_content"); seal != "" && !signedBy(seal, kind) {
		c.wrongWith("invalid_encrypted_content", at+".encrypted_content", "The encrypted content %.10s... could not be verified. Reason: Encrypted content could not be decrypted or parsed.", seal)
	}
}

func (c *checker) responsesMessage(it object, at string) {
	role := it.text("role")
	c.responsesID(it, "msg", at)
	allowed := "input_text input_image input_file input_audio"
	switch role {
	case "user", "system", "developer":
	case "assistant":
		allowed = "output_text refusal"
	default:
		c.wrong(at+".role", "Invalid value: '%s'. Supported values are: 'assistant', 'system', 'developer', and 'user'.", role)
	}
	if !it.has("content") {
		c.wrong(at+".content", "Missing required parameter: '%s.content'.", at)
	}
	c.responsesParts(it.list("content"), at+".content", allowed)
}

func (c *checker) responsesParts(parts []object, at, allowed string) {
	for k, p := range parts {
		where := fmt.Sprintf("%s[%d]", at, k)
		kind := p.text("type")
		if !slices.Contains(words(allowed), kind) {
			c.wrongWith("invalid_value", where, "Invalid value: '%s'. Supported values are: '%s'.", kind, strings.Join(words(allowed), "', '"))
		}
		if kind == "input_image" && p.has("image_url") {
			c.imageURL(p.text("image_url"), where+".image_url")
		}
	}
}
