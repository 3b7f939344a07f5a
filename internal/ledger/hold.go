package ledger

import (
	"context"
	"sync"

	"tollgate"
)

// inlinePools is how many quotas a hold keeps without a second allocation.
const inlinePools = 4

// Hold is money that is set aside for one dispatch, in every quota of its
// chain or in none. It is closed once, by Settle, Next or Release; what comes
// later does nothing. Safe for concurrent use.
type Hold struct {
	machine *Machine
	id      tollgate.RequestID // the request's
	pools   []*pool
	inline  [inlinePools]*pool

	first waiter // of Admit

	mu     sync.Mutex // taken before any account's
	amount tollgate.Money
	closed bool
}

// Amount is what is held now; 0 once closed.
func (h *Hold) Amount() tollgate.Money {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.amount
}

// Limited reports whether the hold counts in any quota.
func (h *Hold) Limited() bool { return len(h.pools) > 0 }

func (h *Hold) lock() {
	for _, p := range h.pools {
		p.account.mu.Lock()
	}
}

func (h *Hold) unlock() {
	for _, p := range h.pools {
		p.account.mu.Unlock()
	}
}

// Extend holds more, in every quota or in none. Where it would fit once others
// settle it waits as Admit does, ahead of those who hold nothing. When it
// cannot fit, or everybody who holds money waits for more, it returns
// CodeQuota and the hold is as it was: the stream is to be cut and settled.
func (h *Hold) Extend(ctx context.Context, more tollgate.Money) error {
	more = clampCost(more)
	err := h.machine.wait(ctx, &waiter{urgent: true}, func(w *waiter) (bool, error) { return h.take(w, more) })
	if err != nil {
		h.machine.stats.cut.Add(1)
	}
	return err
}

// take tries to hold more, on behalf of w. It reports false when w has been
// queued.
func (h *Hold) take(w *waiter, more tollgate.Money) (bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lock()
	defer h.unlock()
	if h.closed {
		w.leave()
		return false, tollgate.Errorf(tollgate.CodeInternal, "money was asked for after the dispatch was settled")
	}
	if h.amount+more > tollgate.MaxCost {
		more = tollgate.MaxCost - h.amount
	}
	w.own = h.amount
	ok, err := take(h.pools, w, more)
	if ok {
		h.amount += more
	}
	return ok, err
}

// take holds more in all pools or queues w at the first where it is blocked.
// The pools are locked, and so is the one that w waits at, being one of them.
func take(pools []*pool, w *waiter, more tollgate.Money) (bool, error) {
	for _, p := range pools {
		if p.hopeless(w.own, more) {
			w.leave()
			p.refuses()
			return false, p.refusal(w.own+more, false)
		}
	}
	for _, p := range pools {
		if !p.blocked(w, more) {
			continue
		}
		stalled := p.stalled
		if w.at != p {
			stalled += w.own
		}
		if w.urgent && stalled >= p.held {
			w.leave()
			return false, p.refusal(w.own+more, true) // nobody is left who would give something back
		}
		if w.at != p {
			w.leave()
			p.join(w)
		}
		return false, nil
	}
	w.leave()
	for _, p := range pools {
		p.held += more
	}
	return true, nil
}

// Outcome is what became of a hold.
type Outcome struct {
	// Charges are the quotas that the cost counts in, for the usage row.
	Charges []tollgate.Charge
	// Cost is what was charged, within what a dispatch can cost.
	Cost tollgate.Money
	// Overrun is what the cost is above the hold. It is charged all the same.
	Overrun tollgate.Money
	// Closed is false when the hold had been closed before; nothing was charged.
	Closed bool
}

// Settle closes the hold: cost is spent, the rest is free again.
func (h *Hold) Settle(cost tollgate.Money) Outcome {
	out, _ := h.close(cost, nil)
	return out
}

// Release closes the hold of a dispatch that never went out.
func (h *Hold) Release() { h.Settle(0) }

// Next closes the hold as Settle does and hands on amount of it to the next
// dispatch of the same request; nobody can come in between. What is missing is
// taken first, as by Extend: when that fails, the hold is settled all the same
// and there is no next one.
func (h *Hold) Next(ctx context.Context, cost, amount tollgate.Money) (*Hold, Outcome, error) {
	cost, amount = clampCost(cost), clampCost(amount)
	if missing := cost + amount - h.Amount(); missing > 0 {
		if err := h.Extend(ctx, missing); err != nil {
			return nil, h.Settle(cost), err
		}
	}
	out, next := h.close(cost, &amount)
	return next, out, nil
}

// close settles the hold and leaves heir of it to a new one; nil = none.
func (h *Hold) close(cost tollgate.Money, heir *tollgate.Money) (Outcome, *Hold) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return Outcome{}, nil
	}
	h.closed = true
	var keep tollgate.Money
	if heir != nil {
		keep = *heir
	}
	out := Outcome{Cost: clampCost(cost), Closed: true}
	out.Overrun = max(out.Cost+keep-h.amount, 0)
	if len(h.pools) > 0 {
		out.Charges = make([]tollgate.Charge, len(h.pools))
	}
	for i, p := range h.pools {
		out.Charges[i] = tollgate.Charge{QuotaID: p.account.quota, WindowStart: p.start}
		p.account.mu.Lock()
		if p.spent += out.Cost; p.spent >= p.alarm {
			p.notice()
		}
		p.held += keep - h.amount
		p.wake()
		p.account.mu.Unlock()
	}
	h.amount = 0
	if out.Overrun > 0 && len(h.pools) > 0 {
		h.machine.stats.overruns.Add(1)
	}
	if heir == nil {
		return out, nil
	}
	next := &Hold{machine: h.machine, id: h.id, amount: keep}
	next.pools = append(next.inline[:0], h.pools...)
	return out, next
}

// clampCost keeps an amount within what one dispatch can cost.
func clampCost(m tollgate.Money) tollgate.Money { return min(max(m, 0), tollgate.MaxCost) }
