package anthropic

import (
	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// counts is what the usage objects of one answer said so far. Each is
// cumulative and may leave members out: the last value of each member counts,
// nothing is added up (TRANSLATION 6.9).
type counts struct {
	input, output, thinking int64
	cacheRead, cacheWrite   int64
	life5m, life1h          int64
	hasWrite, hasLife       bool
	aside                   tollgate.Tokens
	tier                    string
}

// read takes a usage object and reports whether it had a count.
func (c *counts) read(value []byte) bool {
	found := false
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		found = c.member(o.Key.Of(value), o.Value.Of(value)) || found
	}
	return found
}

func (c *counts) member(key, value []byte) bool {
	n, ok := wire.TokenCount(value)
	switch string(key) {
	case "input_tokens":
		set(&c.input, n, ok)
	case "output_tokens":
		set(&c.output, n, ok)
	case "cache_read_input_tokens":
		set(&c.cacheRead, n, ok)
	case "cache_creation_input_tokens":
		set(&c.cacheWrite, n, ok)
		c.hasWrite = c.hasWrite || ok
	case "cache_creation":
		c.lives(value)
	case "output_tokens_details":
		if at, ok := wire.AnswerLimits().Path(value, "thinking_tokens"); ok {
			c.thinking, _ = wire.TokenCount(at.Of(value))
		}
	case "iterations":
		c.iterations(value)
	case "service_tier":
		if tier, ok := jsonscan.String(value); ok && len(tier) <= 64 {
			c.tier = tier
		}
	default:
		return false
	}
	return ok
}

func set(to *int64, n int64, ok bool) {
	if ok {
		*to = n
	}
}

// lives reads how many of the cache writes have which life.
func (c *counts) lives(value []byte) {
	o := wire.AnswerLimits().Object(value, 0, 0)
	for o.Next() {
		n, ok := wire.TokenCount(o.Value.Of(value))
		switch string(o.Key.Of(value)) {
		case "ephemeral_5m_input_tokens":
			set(&c.life5m, n, ok)
			c.hasLife = c.hasLife || ok
		case "ephemeral_1h_input_tokens":
			set(&c.life1h, n, ok)
			c.hasLife = c.hasLife || ok
		}
	}
}

// iterations sums the rounds that the counts beside them leave out: those that
// compact the context, and those of an advising model.
func (c *counts) iterations(value []byte) {
	var aside tollgate.Tokens
	a := wire.AnswerLimits().Array(value, 0, 0)
	for a.Next() {
		round := a.Value.Of(value)
		kind, ok := wire.AnswerLimits().Path(round, "type")
		if !ok {
			continue
		}
		switch string(kind.Of(round)) {
		case `"compaction"`, `"advisor_message"`:
			var r counts
			r.read(round)
			aside = aside.Add(r.tokens())
		}
	}
	c.aside = aside
}

// tokens gives every token one kind. Anthropic's input excludes cache reads
// and writes, its output includes thinking.
func (c *counts) tokens() tollgate.Tokens {
	t := tollgate.Tokens{
		Input: c.input, CacheRead: c.cacheRead, CacheWrite: c.cacheWrite, Output: c.output, Reasoning: min(c.thinking, c.output),
	}
	switch {
	case c.hasLife && !c.hasWrite:
		t.CacheWrite, t.CacheWrite1h = c.life5m, c.life1h
	case c.hasLife:
		t.CacheWrite1h = min(c.life1h, c.cacheWrite)
		t.CacheWrite = c.cacheWrite - t.CacheWrite1h
	}
	return t.Add(c.aside)
}
