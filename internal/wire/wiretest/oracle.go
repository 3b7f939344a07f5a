package wiretest

import (
	"encoding/json"

	"tollgate"
)

// The functions here read usage the slow and plain way, by decoding whole
// texts, so that the observers have a judge that shares no code with them.

type object = map[string]any

func decode(text string) object {
	var o object
	if json.Unmarshal([]byte(text), &o) != nil {
		return nil
	}
	return o
}

func dig(o object, path ...string) object {
	for _, name := range path {
		o, _ = o[name].(object)
	}
	return o
}

func count(o object, name string) int64 {
	f, _ := o[name].(float64)
	return int64(f)
}

// OpenAIUsage reads the last usage of the given texts (events or bodies) of
// either OpenAI dialect.
func OpenAIUsage(texts []string) (t tollgate.Tokens, found bool) {
	for _, text := range texts {
		o := decode(text)
		u := dig(o, "usage")
		if u == nil {
			u = dig(o, "response", "usage")
		}
		if u == nil {
			u = dig(o, "x_groq", "usage")
		}
		if u == nil {
			continue
		}
		found = true
		prompt, completion := count(u, "prompt_tokens")+count(u, "input_tokens"), count(u, "completion_tokens")+count(u, "output_tokens")
		in, out := dig(u, "prompt_tokens_details"), dig(u, "completion_tokens_details")
		if in == nil {
			in = dig(u, "input_tokens_details")
		}
		if out == nil {
			out = dig(u, "output_tokens_details")
		}
		cached, written, reasoning := count(in, "cached_tokens"), count(in, "cache_write_tokens"), count(out, "reasoning_tokens")
		if total := count(u, "total_tokens"); reasoning > 0 && total == prompt+completion+reasoning {
			completion += reasoning
		}
		t = tollgate.Tokens{Input: prompt - cached - written, CacheRead: cached, CacheWrite: written, Output: completion, Reasoning: min(reasoning, completion)}
		t.InputAudio, t.InputImage = min(count(in, "audio_tokens"), t.Input), count(in, "image_tokens")
		t.OutputAudio, t.OutputImage = count(out, "audio_tokens"), count(out, "image_tokens")
	}
	return t, found
}

// AnthropicUsage merges the usage objects of the given texts, the last value
// of each member first, then splits it.
func AnthropicUsage(texts []string) (t tollgate.Tokens, found bool) {
	merged := object{}
	for _, text := range texts {
		o := decode(text)
		for _, u := range []object{dig(o, "message", "usage"), dig(o, "usage")} {
			for name, value := range u {
				if value != nil {
					merged[name], found = value, true
				}
			}
		}
	}
	t = anthropicTokens(merged)
	rounds, _ := merged["iterations"].([]any)
	for _, r := range rounds {
		round, _ := r.(object)
		if kind := round["type"]; kind == "compaction" || kind == "advisor_message" {
			x := anthropicTokens(round)
			t.Input += x.Input
			t.CacheRead += x.CacheRead
			t.CacheWrite += x.CacheWrite
			t.CacheWrite1h += x.CacheWrite1h
			t.Output += x.Output
			t.Reasoning += x.Reasoning
		}
	}
	return t, found
}

func anthropicTokens(u object) tollgate.Tokens {
	long := count(dig(u, "cache_creation"), "ephemeral_1h_input_tokens")
	return tollgate.Tokens{
		Input: count(u, "input_tokens"), CacheRead: count(u, "cache_read_input_tokens"), CacheWrite: count(u, "cache_creation_input_tokens") - long,
		CacheWrite1h: long, Output: count(u, "output_tokens"), Reasoning: count(dig(u, "output_tokens_details"), "thinking_tokens"),
	}
}

// GeminiUsage reads the last usageMetadata with counts of the given texts.
func GeminiUsage(texts []string) (t tollgate.Tokens, found bool) {
	for _, text := range texts {
		u := dig(decode(text), "usageMetadata")
		if _, ok := u["promptTokenCount"]; !ok {
			continue
		}
		found = true
		cached := count(u, "cachedContentTokenCount")
		t = tollgate.Tokens{
			Input: count(u, "promptTokenCount") - cached + count(u, "toolUsePromptTokenCount"), CacheRead: cached,
			Output: count(u, "candidatesTokenCount") + count(u, "thoughtsTokenCount"), Reasoning: count(u, "thoughtsTokenCount"),
		}
		t.InputAudio = max(modality(u, "promptTokensDetails", "AUDIO")-modality(u, "cacheTokensDetails", "AUDIO"), 0)
		t.InputImage = max(modality(u, "promptTokensDetails", "IMAGE")-modality(u, "cacheTokensDetails", "IMAGE"), 0)
		t.OutputAudio, t.OutputImage = modality(u, "candidatesTokensDetails", "AUDIO"), modality(u, "candidatesTokensDetails", "IMAGE")
	}
	return t, found
}

// modality is the count of a kind in a list of {modality, tokenCount}.
func modality(u object, list, kind string) (n int64) {
	parts, _ := u[list].([]any)
	for _, p := range parts {
		if part, _ := p.(object); part["modality"] == kind {
			n = count(part, "tokenCount")
		}
	}
	return n
}
