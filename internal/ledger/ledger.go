package ledger

import (
	"context"
	"sync"

	"tollgate"
)

// Ledger is the money as a caller sees it: each dispatch is begun before its
// first byte goes out and closed once its outcome is known.
type Ledger struct {
	*Machine
	*Recorder
}

// Claim is a dispatch that may go out: its money is held and its intent is
// durable. It is closed once: by Settle or Next once anything may have gone out,
// else by Withdraw. What comes later does nothing, so that whoever cleans up
// after a panic may settle again.
type Claim struct {
	ledger *Ledger
	hold   *Hold

	mu     sync.Mutex
	intent tollgate.Intent
}

// Begin holds amount for d, a dispatch of req that is not sent yet, and writes
// its intent. What req.Dispatches holds is settled, and becomes durable with it.
// Errors are Admit's and Intend's; nothing may go out then, and nothing is held.
func (l *Ledger) Begin(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch, amount tollgate.Money) (*Claim, error) {
	hold, err := l.Admit(ctx, d.ID, ChainOf(req), amount)
	if err != nil {
		return nil, err
	}
	return l.intend(ctx, hold, intentOf(req, d))
}

// intend makes a claim of a hold, or gives it back.
func (l *Ledger) intend(ctx context.Context, hold *Hold, in tollgate.Intent) (*Claim, error) {
	in.Held, in.Opens = hold.Amount(), hold.openings()
	if err := l.Intend(ctx, in); err != nil {
		hold.Release()
		return nil, err
	}
	if len(in.Opens) > 0 {
		hold.opened()
	}
	in.Opens, in.Settled = nil, nil
	return &Claim{ledger: l, hold: hold, intent: in}, nil
}

// intentOf is what stands for d until it is settled.
func intentOf(req *tollgate.Request, d *tollgate.Dispatch) tollgate.Intent {
	return tollgate.Intent{
		ID: d.ID, UserID: req.UserID, KeyID: req.KeyID, SessionID: req.SessionID, TeamID: req.TeamID, Service: req.Service,
		Dialect: req.Dialect, Operation: req.Operation, ProviderID: d.ProviderID, CredentialID: d.CredentialID, Model: d.Model,
		PriceVersion: d.PriceVersion, Settled: settledRows(req, req.Dispatches),
	}
}

// settledRows are settled dispatches of req as usage rows.
func settledRows(req *tollgate.Request, dispatches []tollgate.Dispatch) (rows []tollgate.UsageRow) {
	if len(dispatches) == 0 {
		return nil
	}
	whose := *req
	whose.Dispatches = dispatches
	for i := range dispatches {
		rows = append(rows, whose.Row(i))
	}
	return rows
}

// Held is what is set aside for the dispatch now.
func (c *Claim) Held() tollgate.Money { return c.hold.Amount() }

// Limited reports whether any quota bounds the dispatch.
func (c *Claim) Limited() bool { return c.hold.Limited() }

// Extend holds more for a dispatch on its way (Hold.Extend). The store is told
// without waiting for it: a crash closes the dispatch at what it knew.
func (c *Claim) Extend(ctx context.Context, more tollgate.Money) error {
	if err := c.hold.Extend(ctx, more); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.intent.Held = c.hold.Amount()
	if c.intent.Held > 0 { // 0 = closed meanwhile
		c.ledger.Grow(c.intent)
	}
	return nil
}

// Settle closes the claim with d.Cost and sets what the row of d needs of it:
// Charges, Overrun, and Cost within what a dispatch can cost. The row becomes durable by
// Record. It reports false, and changes nothing, when the claim was closed.
func (c *Claim) Settle(d *tollgate.Dispatch) bool { return charge(d, c.hold.Settle(d.Cost)) }

func charge(d *tollgate.Dispatch, out Outcome) bool {
	if !out.Closed {
		return false
	}
	d.Cost, d.Charges = out.Cost, out.Charges
	if len(out.Charges) > 0 { // what nobody limits is held for a crash alone
		d.Overrun = out.Overrun
	}
	return true
}

// Next settles d, whose outcome is known, and begins next, another attempt of
// the same request, with what d leaves of its hold and more if need be: nobody
// can take it in between. The settlement of d becomes durable with the intent
// of next; adding d to req.Dispatches is left to the caller. On an error d is
// settled and next must not go out.
func (c *Claim) Next(ctx context.Context, req *tollgate.Request, d, next *tollgate.Dispatch, amount tollgate.Money) (*Claim, error) {
	hold, out, err := c.hold.Next(ctx, d.Cost, amount)
	charge(d, out)
	if err != nil {
		return nil, err
	}
	if hold == nil {
		return nil, tollgate.Errorf(tollgate.CodeInternal, "a dispatch was followed by another after it was settled")
	}
	in := intentOf(req, next)
	in.Settled = append(in.Settled, settledRows(req, []tollgate.Dispatch{*d})...)
	return c.ledger.intend(ctx, hold, in)
}

// Withdraw closes a claim whose dispatch never went out: nothing is spent and
// nothing is recorded.
func (c *Claim) Withdraw() {
	if c.hold.Settle(0).Closed {
		c.ledger.Withdraw(c.intent)
	}
}
