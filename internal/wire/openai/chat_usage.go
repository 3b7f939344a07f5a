package openai

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// chatUsage reads a usage object as the observer does, and what package ir
// shows beyond it.
func chatUsage(value []byte) (ir.Usage, bool) {
	if len(value) == 0 || value[0] != '{' {
		return ir.Usage{}, false
	}
	tokens, ok := readUsage(value)
	if !ok {
		return ir.Usage{}, false
	}
	u := ir.Usage{Tokens: tokens, Reported: true}
	for _, d := range []struct {
		member       string
		audio, image *int64
	}{
		{"prompt_tokens_details", &u.AudioInput, &u.ImageInput},
		{"completion_tokens_details", &u.AudioOutput, &u.ImageOutput},
	} {
		*d.audio, *d.image = chatTokens(value, d.member, "audio_tokens"), chatTokens(value, d.member, "image_tokens")
	}
	return u, true
}

func chatTokens(value []byte, path ...string) int64 {
	at, ok := wire.AnswerLimits().Path(value, path...)
	if !ok {
		return 0
	}
	n, _ := wire.TokenCount(at.Of(value))
	return n
}

// writeChatUsage writes a usage object. The prompt includes what was read from
// and written to a cache.
func writeChatUsage(w *jsondoc.Writer, u ir.Usage) {
	t := u.Tokens
	written := t.CacheWrite + t.CacheWrite1h
	prompt := t.Input + t.CacheRead + written
	w.Object("usage")
	w.Int("prompt_tokens", prompt)
	w.Int("completion_tokens", t.Output)
	w.Int("total_tokens", prompt+t.Output)
	w.Object("prompt_tokens_details")
	w.Int("cached_tokens", t.CacheRead)
	if written > 0 {
		w.Int("cache_write_tokens", written)
	}
	w.Int("audio_tokens", u.AudioInput)
	if u.ImageInput > 0 {
		w.Int("image_tokens", u.ImageInput)
	}
	w.End()
	w.Object("completion_tokens_details")
	w.Int("reasoning_tokens", t.Reasoning)
	w.Int("audio_tokens", u.AudioOutput)
	if u.ImageOutput > 0 {
		w.Int("image_tokens", u.ImageOutput)
	}
	w.End()
	w.End()
}

// noteChatUsage says what writeChatUsage cannot tell apart.
func noteChatUsage(lost chatLog, u ir.Usage) {
	if u.Tokens.CacheWrite1h > 0 {
		lost.Note("usage.tokens", "Chat does not tell how long a cache is kept")
	}
}
