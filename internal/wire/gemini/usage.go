package gemini

import (
	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// counts is what one usageMetadata says.
type counts struct {
	prompt, toolUse, cached, candidates, thoughts, total int64
	tier                                                 string
}

// readCounts reads the usageMetadata object at data[at]. It reports whether it
// had a count (on some back ends it only names the traffic type until the last
// event) and where it ends, as Pass takes it.
func readCounts(data []byte, at int) (c counts, found bool, end int) {
	o := wire.AnswerLimits().Object(data, at, 1)
	for o.Next() {
		member := o.Value.Of(data)
		n, ok := wire.TokenCount(member)
		var to *int64
		switch string(o.Key.Of(data)) {
		case "promptTokenCount":
			to = &c.prompt
		case "toolUsePromptTokenCount":
			to = &c.toolUse
		case "cachedContentTokenCount":
			to = &c.cached
		case "candidatesTokenCount":
			to = &c.candidates
		case "thoughtsTokenCount":
			to = &c.thoughts
		case "totalTokenCount":
			to = &c.total
		case "serviceTier":
			if tier, ok := jsonscan.String(member); ok && len(tier) <= 64 {
				c.tier = tier
			}
		}
		if to != nil && ok {
			*to, found = n, true
		}
	}
	if sum := c.prompt + c.toolUse + c.candidates + c.thoughts; c.total < sum {
		c.total = sum
	}
	return c, found, o.Stop()
}

// tokens gives every token one kind. Gemini's prompt includes what was read
// from the cache, but not what its own tools fed back; its candidates exclude
// thoughts.
func (c *counts) tokens() tollgate.Tokens {
	cached := min(c.cached, c.prompt)
	return tollgate.Tokens{
		Input:     c.prompt - cached + c.toolUse,
		CacheRead: cached,
		Output:    c.candidates + c.thoughts,
		Reasoning: c.thoughts,
	}
}

// tally is what the events so far said about usage. Every event says it anew,
// in full; between the rounds of Google's own tools the numbers start over, so
// that until an event with a finish reason brings the final ones, the largest
// count.
type tally struct {
	total    int64
	tokens   tollgate.Tokens
	reported bool
	tier     string
}

// take takes the usage of an event.
func (t *tally) take(c *counts, counted, finished bool) {
	if counted && (finished || c.total >= t.total) {
		t.total = c.total
		t.reported, t.tokens = true, c.tokens()
	}
	if c.tier != "" {
		t.tier = c.tier
	}
}
