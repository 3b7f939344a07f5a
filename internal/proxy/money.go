package proxy

import (
	"context"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/limit"
)

// admit lets the call past what is spent and past its rate limits, in the
// order of CONTRACT 9. What it may cost is held later, for each target.
func (c *call) admit(first *target) error {
	chain := ledger.ChainOf(&c.row)
	if err := c.p.Ledger.Check(c.id, chain); err != nil {
		return err
	}
	_, c.limited = c.p.Ledger.Free(c.id, chain)
	if c.p.Limiter == nil {
		return nil
	}
	asked := limit.Call{Owners: c.owners(), Model: first.Asked}
	if c.billed() {
		asked.Tokens = int64(len(c.body.data))/bytesPerToken + min(c.peeked.OutputCap, c.p.Limits.Slice)
	}
	grant, err := c.p.Limiter.Admit(asked)
	if err != nil {
		return err
	}
	c.grant = grant
	return nil
}

// owners are whose rate limits hold for the call.
func (c *call) owners() []limit.Owner {
	out := c.owned[:0]
	if c.row.Service {
		out = append(out, limit.Owner{Scope: tollgate.ScopeService})
	}
	if c.row.KeyID != 0 {
		out = append(out, limit.Owner{Scope: tollgate.ScopeKey, ID: c.row.KeyID})
	}
	if c.row.UserID != 0 {
		out = append(out, limit.Owner{Scope: tollgate.ScopeUser, ID: c.row.UserID})
	}
	if c.row.TeamID != 0 {
		out = append(out, limit.Owner{Scope: tollgate.ScopeTeam, ID: c.row.TeamID})
	}
	return append(out, limit.Owner{Scope: tollgate.ScopeInstance})
}

// leaveLimits gives back what the call takes of its rate limits, and corrects
// the tokens by what was really used.
func (c *call) leaveLimits() {
	if c.grant == nil {
		return
	}
	t := &c.row.Tokens
	c.grant.Settle(t.Input + t.CacheRead + t.CacheWrite + t.CacheWrite1h + t.Output)
	c.grant.Release()
}

// limitHeader tells how the rate limits stand that the call is under.
func (c *call) limitHeader() {
	if c.grant == nil {
		return
	}
	if limits := c.grant.Limits(); len(limits) > 0 {
		c.codec.Inbound.LimitHeader(c.w.Header(), limits, c.p.Now())
	}
}

// hold claims what d may cost, a dispatch to t that is to go out next. After an
// error nothing may.
func (c *call) hold(t *target, d *tollgate.Dispatch) error {
	d.PriceVersion = t.offer.version
	claim, err := c.begin(d, t.offer.hold)
	if spent(err) && c.recount(t) {
		claim, err = c.begin(d, t.offer.hold)
	}
	if err != nil {
		if e := c.stopped(); e != nil {
			return e
		}
		if tollgate.ErrorCode(err) == tollgate.CodeInternal {
			err = tollgate.WrapError(tollgate.CodeUnavailable, err, "the request could not be written down, so it was not sent; send it again")
		}
		return err
	}
	c.claim, c.held = claim, d
	if e := c.stopped(); e != nil { // while the claim was written down
		c.claim, c.held = nil, nil
		claim.Withdraw()
		return e
	}
	if c.sent++; c.sent == 1 && c.p.Began != nil {
		c.p.Began(&c.row)
	}
	return nil
}

// spent reports whether a request was refused since money is spent, not held.
func spent(err error) bool {
	return tollgate.ErrorCode(err) == tollgate.CodeQuota && tollgate.AsError(err).Reason != ledger.ReasonHeld
}

// begin makes the claim for d: the call's first one, or the one that follows
// the dispatch that has failed.
func (c *call) begin(d *tollgate.Dispatch, amount tollgate.Money) (*ledger.Claim, error) {
	if c.done == nil {
		return c.p.Ledger.Begin(&c.ctx, &c.row, d, amount)
	}
	before, claim := c.done, c.claim
	c.done, c.claim = nil, nil
	next, err := claim.Next(&c.ctx, &c.row, before, d, amount)
	c.book(before)
	return next, err
}

// closeClaim charges the dispatch whose outcome is known, if it is not yet.
func (c *call) closeClaim() {
	if c.done == nil {
		return
	}
	d, claim := c.done, c.claim
	c.done, c.claim = nil, nil
	claim.Settle(d)
	c.book(d)
}

// book adds a settled dispatch to the row.
func (c *call) book(d *tollgate.Dispatch) {
	c.row.Dispatches = append(c.row.Dispatches, *d)
	c.row.Tokens = c.row.Tokens.Add(d.Tokens)
	c.row.Cost += d.Cost
}

// extend claims more for the dispatch that is under way. CodeQuota means that
// its answer is to be cut.
func (c *call) extend(ctx context.Context, more tollgate.Money) error {
	if more <= 0 {
		return nil
	}
	return c.claim.Extend(ctx, more)
}
