package proxy

import (
	"bytes"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/meter"
)

// unknownOutput is taken for the most that a model generates where neither its
// row nor the shipped table says so, in tokens.
const unknownOutput = 16 << 10

// cautiousBytes is how many bytes of a request's body make a token in the
// estimate of its price: fewer than usual, so that what it costs is rarely more
// than what was held.
const cautiousBytes = 3

// headerClamped tells the cap on output tokens that the gateway wrote into a
// request, because of the money that is left.
const headerClamped = "X-Tollgate-Clamped"

// offer is what a request to a target may cost, and what follows from it.
type offer struct {
	prices  *meter.Prices // nil = it has no price, or costs nothing
	version int64         // of the price
	ask     meter.Ask     // as held for
	hold    tollgate.Money
	// cap is written into the request; 0 = it stays as it is. lowered says that
	// the client gets less than it could have had.
	cap     int64
	lowered bool
}

// offer finds out what is to be held for a request to t. An error means that
// it is not to be sent: the model has no price.
func (c *call) offer(t *target) error {
	t.offer = offer{}
	if c.p.Prices == nil || !c.billed() {
		return nil
	}
	d := tollgate.Dispatch{ProviderID: t.ProviderID, Model: t.Model, StartedAt: c.p.Now()}
	price, ok := c.p.Prices.Find(t.ProviderID, t.Model, d.StartedAt)
	if !ok {
		return c.p.Prices.Admit(&d, c.limited)
	}
	q := &t.offer
	q.prices, q.version = price.Meter, price.ID
	q.ask = meter.Ask{Mode: meter.ModeOf(c.peeked.ServiceTier), Input: c.estimated(), NoCacheWrite: c.limited && !c.mayCache()}
	if c.row.Operation == tollgate.OpEmbed || c.row.Operation == tollgate.OpBatchEmbed {
		q.hold = q.bound(0)
		return nil
	}
	c.offerOutput(t)
	return nil
}

// offerOutput decides how much output is held for: a slice of it, or, where
// money is limited and the answer comes whole, all that there may be.
func (c *call) offerOutput(t *target) {
	q, asked := &t.offer, c.peeked.OutputCap
	most := asked
	if most == 0 {
		most = t.OutputTokens
	}
	if most == 0 {
		most = unknownOutput
	}
	choices := max(c.peeked.Choices, 1)
	if c.peeked.Stream || !c.limited {
		q.hold = q.bound(min(c.p.Limits.Slice, most) * choices)
		return
	}
	free, _ := c.p.Ledger.Free(c.id, ledger.ChainOf(&c.row))
	if c.claim != nil {
		free += c.claim.Held()
	}
	floor := max(c.p.Limits.Floor, c.peeked.ThinkingTokens+1)
	tokens, _ := ledger.Clamp(most, floor, free, func(output int64) tollgate.Money { return q.bound(output * choices) })
	q.hold = q.bound(tokens * choices)
	if tokens < asked || asked == 0 {
		q.cap = tokens
		q.lowered = asked != 0 || tokens != t.OutputTokens
	}
}

// bound is the most that the request costs with so many tokens of output.
func (q *offer) bound(output int64) tollgate.Money {
	q.ask.Output = output
	amount, _ := q.prices.Bound(q.ask) // too much for a bound is the greatest amount, which fits nowhere
	return amount
}

// billed reports whether the operation costs anything.
func (c *call) billed() bool {
	op := c.row.Operation
	return op != tollgate.OpCount && op != tollgate.OpModerate
}

// estimated is what the request's input comes to, in tokens.
func (c *call) estimated() int64 { return int64(len(c.body.data))/cautiousBytes + 1 }

// mayCache reports whether the request may write to a cache that is billed.
// Only Anthropic's does, and only where it is asked for.
func (c *call) mayCache() bool {
	return c.route.Dialect != tollgate.DialectAnthropic || bytes.Contains(c.body.data, []byte("cache_control"))
}

// recount replaces the estimate of the input by a count, where that decides
// whether the request can be paid for. It reports whether that is less.
func (c *call) recount(t *target) bool {
	q := &t.offer
	if q.prices == nil || c.p.Tokens == nil || c.codec.Front == nil || c.row.Operation != tollgate.OpGenerate || c.decode() != nil {
		return false
	}
	n, err := c.p.Tokens.Count(c.asked)
	if err != nil || n >= q.ask.Input {
		return false
	}
	q.ask.Input = n
	q.hold = q.bound(q.ask.Output)
	return true
}

// capName is the member of a body that caps the output of a request to t.
func (t *target) capName() string {
	switch {
	case t.dialect == tollgate.DialectGemini:
		return "generationConfig.maxOutputTokens"
	case t.dialect == tollgate.DialectOpenAIResponses:
		return "max_output_tokens"
	case t.dialect == tollgate.DialectOpenAIChat && t.op == tollgate.OpGenerate && t.endpoint.Provider().Kind == "openai":
		return "max_completion_tokens" // its reasoning models know no other
	default:
		return "max_tokens"
	}
}
