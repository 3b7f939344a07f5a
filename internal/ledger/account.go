package ledger

import (
	"math"
	"slices"
	"sync"
	"time"

	"tollgate"
)

// account is one quota in memory. The process owns the database, so that what
// stands here decides. Its lock is taken in the order of a chain (see registry)
// and never while another account's further along is held.
type account struct {
	quota   int64
	scope   tollgate.Scope
	scopeID int64
	window  tollgate.Window
	zone    *time.Location
	watch   *watch

	mu    sync.Mutex
	limit *tollgate.Money // nil = unlimited
	// since is the first request that counts; opened says that the store knows.
	since  tollgate.RequestID
	opened bool
	// now is the latest window that a request came for, before the one ahead of
	// it: a request belongs to the window that its id was made in, so that one
	// that began before midnight is settled there.
	now, before *pool
}

// pool is the money of one account in one window. The account's lock guards it.
type pool struct {
	account     *account
	start, end  time.Time // zero for total
	first, past tollgate.RequestID
	spent, held tollgate.Money
	// alarm is the next threshold: whoever spends up to it tells the watch. full
	// says that a request was refused since nothing fits any more.
	alarm tollgate.Money
	full  bool
	queue []*waiter
	// stalled is what the streams hold that wait here for more.
	stalled tollgate.Money
}

// newPool is the window that holds t.
func (a *account) newPool(t time.Time) *pool {
	p := &pool{account: a, past: math.MaxInt64}
	if p.start, p.end = a.window.Bounds(t, a.zone); !p.end.IsZero() {
		p.first, p.past = tollgate.RequestIDAt(p.start), tollgate.RequestIDAt(p.end)
	}
	p.alarm = a.watch.next(a.limit, 0)
	return p
}

func (p *pool) holds(id tollgate.RequestID) bool { return p.first <= id && id < p.past }

// pool returns the window of a request, moving on when it is the first one of
// a later window; nil when the window is long over. a.mu is held.
func (a *account) pool(id tollgate.RequestID) *pool {
	switch {
	case a.now.holds(id):
		return a.now
	case id >= a.now.past:
		a.before, a.now = a.now, a.newPool(id.Time())
		return a.now
	case a.before != nil && a.before.holds(id):
		return a.before
	}
	return nil
}

// free is what is neither spent nor held; below zero after an overrun or when
// the limit was lowered.
func (p *pool) free() tollgate.Money {
	if p.account.limit == nil {
		return tollgate.MaxMoney
	}
	return *p.account.limit - p.spent - p.held
}

// hopeless reports whether amount does not fit even when everything that
// others hold is given back; own is what the asker holds of it.
func (p *pool) hopeless(own, amount tollgate.Money) bool {
	if p.account.limit == nil {
		return false
	}
	left := *p.account.limit - p.spent
	return left <= 0 && own == 0 || own+amount > left
}

// blocked reports whether w has to wait here: there is too little, or somebody
// is ahead.
func (p *pool) blocked(w *waiter, amount tollgate.Money) bool {
	if p.account.limit == nil {
		return false
	}
	if amount > p.free() {
		return true
	}
	return len(p.queue) > 0 && p.queue[0] != w && !w.last && (p.queue[0].urgent || !w.urgent)
}

// waiter is somebody who waits in the queue of one pool.
type waiter struct {
	ready  chan struct{} // takes one signal
	at     *pool         // nil = in no queue
	urgent bool          // holds money already and wants more: goes ahead
	last   bool          // its time is up: takes what there is, whoever is ahead
	own    tollgate.Money
}

// join queues w: behind everybody, urgent ones behind the urgent ones.
func (p *pool) join(w *waiter) {
	i := len(p.queue)
	if w.urgent {
		p.stalled += w.own
		for i = 0; i < len(p.queue) && p.queue[i].urgent; i++ {
		}
	}
	p.queue = slices.Insert(p.queue, i, w)
	if w.at = p; w.ready == nil {
		w.ready = make(chan struct{}, 1)
	}
}

// leave takes w out of its queue, whose lock is held, and lets the next one
// look: what was too little for w may do.
func (w *waiter) leave() {
	p := w.at
	if p == nil {
		return
	}
	if w.urgent {
		p.stalled -= w.own
	}
	i := slices.Index(p.queue, w)
	p.queue = slices.Delete(p.queue, i, i+1)
	w.at = nil
	p.wake()
}

// wake lets the first in the queue look again. Whoever leaves the queue passes
// it on, so that no wake-up is lost.
func (p *pool) wake() {
	if len(p.queue) == 0 {
		return
	}
	select {
	case p.queue[0].ready <- struct{}{}:
	default: // it has been told
	}
}
