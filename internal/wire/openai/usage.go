package openai

import (
	"tollgate"
	"tollgate/internal/wire"
)

// report is a usage object of either dialect: Chat says prompt and completion,
// Responses says input and output.
type report struct {
	prompt, completion, total        int64
	cached, cacheWritten, reasoning  int64
	in, out                          modalities
	hasPrompt, hasOutput, hasDetails bool
}

// modalities are the parts of a count that are no text.
type modalities struct{ audio, image int64 }

// readUsage reads the usage object that is value. It reports false when no
// count is in it.
func readUsage(value []byte) (tollgate.Tokens, bool) {
	var r report
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		r.member(o.Key.Of(value), o.Value.Of(value))
	}
	if o.Err() != nil || (!r.hasPrompt && !r.hasOutput && r.total == 0) {
		return tollgate.Tokens{}, false
	}
	return r.tokens(), true
}

func (r *report) member(key, value []byte) {
	switch string(key) {
	case "prompt_tokens", "input_tokens":
		r.prompt, r.hasPrompt = wire.TokenCount(value)
	case "completion_tokens", "output_tokens":
		r.completion, r.hasOutput = wire.TokenCount(value)
	case "total_tokens":
		r.total, _ = wire.TokenCount(value)
	case "prompt_tokens_details", "input_tokens_details":
		r.details(value, &r.in)
	case "completion_tokens_details", "output_tokens_details":
		r.details(value, &r.out)
	case "prompt_cache_hit_tokens", "cached_tokens": // DeepSeek and Moonshot, beside or instead of the details
		if !r.hasDetails {
			r.cached, _ = wire.TokenCount(value)
		}
	}
}

func (r *report) details(value []byte, parts *modalities) {
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		n, ok := wire.TokenCount(o.Value.Of(value))
		if !ok {
			continue
		}
		switch string(o.Key.Of(value)) {
		case "cached_tokens":
			r.cached, r.hasDetails = n, true
		case "cache_write_tokens":
			r.cacheWritten = n
		case "reasoning_tokens":
			r.reasoning = n
		case "audio_tokens":
			parts.audio = n
		case "image_tokens":
			parts.image = n
		}
	}
}

// tokens gives every token one kind. OpenAI's prompt includes what was read
// from and written to the cache, its completion includes reasoning. Some
// compatible vendors (xAI) leave reasoning out of the completion; their total
// tells.
func (r *report) tokens() tollgate.Tokens {
	if !r.hasPrompt && !r.hasOutput {
		r.prompt = r.total // embeddings of some vendors
	}
	if r.reasoning > 0 && r.total == r.prompt+r.completion+r.reasoning {
		r.completion += r.reasoning
	}
	cached := min(r.cached, r.prompt)
	written := min(r.cacheWritten, r.prompt-cached)
	t := tollgate.Tokens{
		Input:      r.prompt - cached - written,
		CacheRead:  cached,
		CacheWrite: written,
		Output:     r.completion,
		Reasoning:  min(r.reasoning, r.completion),
	}
	t.InputAudio = min(r.in.audio, t.Input)
	t.InputImage = min(r.in.image, t.Input-t.InputAudio)
	t.OutputAudio = min(r.out.audio, t.Output-t.Reasoning)
	t.OutputImage = min(r.out.image, t.Output-t.Reasoning-t.OutputAudio)
	return t
}
