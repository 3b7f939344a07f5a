package ledger

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
)

// Machine is the money of the whole instance in memory: what every quota has
// spent and holds, in its running window. It decides alone; the store is told
// by intents and settlements. Every admission leaves spent + held ≤ limit in
// each quota of the chain. There is no lock of the whole, but one for each
// quota, always taken in the same order. Set the fields, Load, then use it.
type Machine struct {
	// IDs makes the ids of requests. The machine draws from it where a quota
	// begins to count. Required.
	IDs *tollgate.RequestIDs
	// Now is the clock. Required.
	Now func() time.Time
	// Zone is the time zone of windows. Required.
	Zone *time.Location
	// Wait is how long money that others hold is waited for.
	Wait time.Duration

	accounts atomic.Pointer[registry]
	loading  sync.Mutex
	adjusted int64 // the last adjustment that is part of the balances
	watch    watch
	stats    machineCounters
}

func (m *Machine) registry() *registry {
	if r := m.accounts.Load(); r != nil {
		return r
	}
	return &registry{}
}

// Admit holds amount for a dispatch in every quota of its chain, or in none.
// Where it does not fit, but would once others settle, it waits its turn, for
// at most Wait; what is refused is CodeQuota with a *Refusal as its cause. An
// ended ctx is CodeUnavailable.
func (m *Machine) Admit(ctx context.Context, id tollgate.RequestID, c Chain, amount tollgate.Money) (*Hold, error) {
	h := &Hold{machine: m, id: id.Request(), amount: clampCost(amount)}
	accounts := m.registry().chain(c)
	err := m.wait(ctx, &h.first, func(w *waiter) (ok bool, err error) {
		accounts.lock()
		defer accounts.unlock()
		if h.pools, err = accounts.pools(h.id, h.inline[:0]); err != nil {
			w.leave()
			return false, err
		}
		return take(h.pools, w, h.amount)
	})
	if err != nil {
		m.stats.refused.Add(1)
		return nil, err
	}
	m.stats.admitted.Add(1)
	return h, nil
}

// wait calls try until it succeeds, fails, or nothing came free in time. try
// queues w when it reports false without an error.
func (m *Machine) wait(ctx context.Context, w *waiter, try func(*waiter) (bool, error)) error {
	if ok, err := try(w); ok || err != nil {
		return err
	}
	m.stats.waiting.Add(1)
	defer m.stats.waiting.Add(-1)
	patience := time.NewTimer(m.Wait)
	defer patience.Stop()
	for {
		select {
		case <-w.ready:
		case <-patience.C:
			w.last = true
		case <-ctx.Done():
			_ = w.giveUp() // why it waited matters less than that nobody waits
			return tollgate.WrapError(tollgate.CodeUnavailable, context.Cause(ctx), "the request ended while it waited for money")
		}
		if ok, err := try(w); ok || err != nil {
			return err
		}
		if w.last {
			return w.giveUp()
		}
	}
}

// giveUp leaves the queue with a refusal.
func (w *waiter) giveUp() error {
	p := w.at // changed by the waiter's own goroutine alone
	p.account.mu.Lock()
	defer p.account.mu.Unlock()
	w.leave()
	return p.refusal(w.own, true)
}

// Check refuses a request that has nothing left to spend (CONTRACT 9: a spent
// quota comes before a rate limit). It holds nothing.
func (m *Machine) Check(id tollgate.RequestID, c Chain) error {
	return m.look(id, c, func(p *pool) error {
		if !p.hopeless(0, 0) {
			return nil
		}
		m.stats.refused.Add(1)
		return p.refusal(0, false)
	})
}

// Free is the least that is neither spent nor held in the quotas of a request,
// 0 at least; limited is false when none of them has a limit.
func (m *Machine) Free(id tollgate.RequestID, c Chain) (free tollgate.Money, limited bool) {
	free = tollgate.MaxMoney
	err := m.look(id, c, func(p *pool) error {
		if p.account.limit != nil {
			free, limited = min(free, p.free()), true
		}
		return nil
	})
	if err != nil {
		return 0, true
	}
	return max(free, 0), limited
}

// look shows fn what a request spends from, all of it locked, until it errs.
func (m *Machine) look(id tollgate.RequestID, c Chain, fn func(*pool) error) error {
	accounts := m.registry().chain(c)
	accounts.lock()
	defer accounts.unlock()
	var room [inlinePools]*pool
	pools, err := accounts.pools(id.Request(), room[:0])
	if err != nil {
		return err
	}
	for _, p := range pools {
		if err := fn(p); err != nil {
			return err
		}
	}
	return nil
}

// Balance is a quota as it stands in memory.
type Balance struct {
	Spent, Held tollgate.Money
	Start, End  time.Time // of the window; zero for total
}

// Balance returns what a quota has spent and holds at a time in its running
// window; false for a quota that the machine does not know.
func (m *Machine) Balance(quotaID int64, at time.Time) (Balance, bool) {
	a, ok := m.registry().byQuota[quotaID]
	if !ok {
		return Balance{}, false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.now
	if id := tollgate.RequestIDAt(at); id >= p.past {
		p = a.newPool(at) // nobody has come yet in the new window
	}
	return Balance{Spent: p.spent, Held: p.held, Start: p.start, End: p.end}, true
}

// machineCounters are what MachineStats are read from.
type machineCounters struct{ admitted, refused, cut, overruns, waiting atomic.Int64 }

// MachineStats are a Machine's counts since its start, for metrics.
type MachineStats struct {
	Admitted int64 // holds taken
	Refused  int64 // admissions and checks that were refused
	Cut      int64 // extensions that were refused
	Overruns int64 // settlements above their hold; 0 with compliant providers
	Waiting  int64 // admissions and extensions that wait now
}

// Stats returns the counts now.
func (m *Machine) Stats() MachineStats {
	c := &m.stats
	return MachineStats{
		Admitted: c.admitted.Load(), Refused: c.refused.Load(), Cut: c.cut.Load(), Overruns: c.overruns.Load(), Waiting: c.waiting.Load(),
	}
}
