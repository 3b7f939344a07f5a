package ledger

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
)

// watch hands on how quotas stand whose thresholds were reached or whose limit
// has changed. Whoever settles never waits for whoever listens: there is one
// standing for each quota and window, and a later one takes its place.
type watch struct {
	thresholds atomic.Pointer[[]int] // percent, rising

	mu      sync.Mutex // taken last
	wake    chan struct{}
	waiting map[watched]tollgate.Standing
}

type watched struct {
	quota int64
	start time.Time
}

// nearlyFull is how much of a limit, in percent, is spent at least where a
// refusal says that nothing fits any more.
const nearlyFull = 95

// SetThresholds sets at how many percent of their limits quotas are reported;
// they rise. All quotas are reported as they stand.
func (m *Machine) SetThresholds(percent []int) {
	m.watch.thresholds.Store(&percent)
	for _, a := range m.registry().byQuota {
		a.mu.Lock()
		a.notice()
		a.mu.Unlock()
	}
}

// Noticed returns a channel that has a signal when standings wait.
func (m *Machine) Noticed() <-chan struct{} {
	m.watch.mu.Lock()
	defer m.watch.mu.Unlock()
	return m.watch.signals()
}

// signals is the channel of signals. w.mu is held.
func (w *watch) signals() chan struct{} {
	if w.wake == nil {
		w.wake = make(chan struct{}, 1)
	}
	return w.wake
}

// Standings takes what waits: of each quota and window the latest.
func (m *Machine) Standings() []tollgate.Standing {
	w := &m.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make([]tollgate.Standing, 0, len(w.waiting))
	for _, s := range w.waiting {
		out = append(out, s)
	}
	w.waiting = nil
	return out
}

// Return puts standings back that could not be dealt with, unless later ones wait.
func (m *Machine) Return(standings []tollgate.Standing) {
	w := &m.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range standings {
		if _, later := w.waiting[watched{s.QuotaID, s.Start}]; !later {
			w.put(s)
		}
	}
}

// put adds a standing. w.mu is held.
func (w *watch) put(s tollgate.Standing) {
	if w.waiting == nil {
		w.waiting = map[watched]tollgate.Standing{}
	}
	w.waiting[watched{s.QuotaID, s.Start}] = s
	select {
	case w.signals() <- struct{}{}:
	default:
	}
}

// next is the lowest threshold above what is spent; more than any balance where
// there is none.
func (w *watch) next(limit *tollgate.Money, spent tollgate.Money) tollgate.Money {
	if percent := w.thresholds.Load(); percent != nil && limit != nil && *limit > 0 {
		for _, p := range *percent {
			if at := tollgate.PercentOf(*limit, p); at > spent {
				return at
			}
		}
	}
	return math.MaxInt64
}

// notice reports how the account stands in each of its windows. a.mu is held.
func (a *account) notice() {
	for _, p := range []*pool{a.before, a.now} {
		if p != nil {
			p.full = false
			p.notice()
		}
	}
}

// notice reports how the pool stands, and waits for the next threshold. The
// account's lock is held.
func (p *pool) notice() {
	a := p.account
	p.alarm = a.watch.next(a.limit, p.spent)
	s := tollgate.Standing{
		QuotaID: a.quota, Scope: a.scope, ScopeID: a.scopeID, Window: a.window, Start: p.start, End: p.end, Limit: a.limit, Spent: p.spent, Full: p.full,
	}
	a.watch.mu.Lock()
	a.watch.put(s)
	a.watch.mu.Unlock()
}

// refuses notes that a request was refused since it can never fit: when next to
// nothing is left, that is the end of the budget. The account's lock is held.
func (p *pool) refuses() {
	limit := p.account.limit
	if p.full || limit == nil || *limit <= 0 || p.spent < tollgate.PercentOf(*limit, nearlyFull) {
		return
	}
	p.full = true
	p.notice()
}
