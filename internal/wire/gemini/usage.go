package gemini

import (
	"bytes"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// counts is what one usageMetadata says.
type counts struct {
	prompt, toolUse, cached, candidates, thoughts, total int64
	tier                                                 string
	// Parts by modality: of the prompt, of what of it was cached, of the candidates.
	in, fromCache, out byModality
}

// byModality are the parts of a count that are neither text nor priced as text.
type byModality struct{ audio, image int64 }

// readByModality reads a list of {modality, tokenCount}. Most lists are of
// text alone, which takes no walk to see.
func readByModality(value []byte) (m byModality) {
	if !bytes.Contains(value, []byte("AUDIO")) && !bytes.Contains(value, []byte("IMAGE")) {
		return m
	}
	list := wire.AnswerLimits().Array(value, 0, 0)
	for list.Next() {
		part := list.Value.Of(value)
		kind, ok := wire.AnswerLimits().Path(part, "modality")
		at, counted := wire.AnswerLimits().Path(part, "tokenCount")
		if !ok || !counted {
			continue
		}
		n, _ := wire.TokenCount(at.Of(part))
		switch string(kind.Of(part)) {
		case `"AUDIO"`:
			m.audio = n
		case `"IMAGE"`:
			m.image = n
		}
	}
	return m
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
		case "promptTokensDetails":
			c.in = readByModality(member)
		case "cacheTokensDetails":
			c.fromCache = readByModality(member)
		case "candidatesTokensDetails":
			c.out = readByModality(member)
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
	t := tollgate.Tokens{
		Input:     c.prompt - cached + c.toolUse,
		CacheRead: cached,
		Output:    c.candidates + c.thoughts,
		Reasoning: c.thoughts,
	}
	t.InputAudio = min(max(c.in.audio-c.fromCache.audio, 0), t.Input)
	t.InputImage = min(max(c.in.image-c.fromCache.image, 0), t.Input-t.InputAudio)
	t.OutputAudio = min(c.out.audio, c.candidates)
	t.OutputImage = min(c.out.image, c.candidates-t.OutputAudio)
	return t
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
