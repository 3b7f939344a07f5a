// Package memory is the rate limiter of one process: rolling windows counted
// in slots, a lock per limit and none for all. Which limits there are is an
// immutable index that is swapped when they change; counters outlive the swap.
package memory

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/limit"
)

// How windows are counted: what was used in a minute counts up to a second
// longer, what was used in a day up to ten minutes.
const (
	minuteSlot = time.Second
	daySlot    = 10 * time.Minute
)

// Slack is how much longer than its window something of a kind may count.
func Slack(kind tollgate.LimitKind) time.Duration {
	switch kind {
	case tollgate.LimitRequestsMinute, tollgate.LimitTokensMinute:
		return minuteSlot
	case tollgate.LimitRequestsDay:
		return daySlot
	case tollgate.LimitConcurrency:
	}
	return 0
}

// Limiter keeps the counters of one process. Create it with New.
type Limiter struct {
	now   func() time.Time
	start time.Time // what times are measured from: by its monotonic clock, if it has one
	// offset aligns slots with the wall clock, so that what is saved falls into
	// the same slots after a restart and counts no longer for it.
	offset time.Duration
	index  atomic.Pointer[index]
	set    sync.Mutex // held while an index is built
}

var _ limit.Limiter = (*Limiter)(nil)

// index finds the limits of an owner, the best match first.
type index struct {
	owners map[limit.Owner][]*counter
	byID   map[int64]*counter
}

// counter is a limit with what counts against it.
type counter struct {
	limit tollgate.RateLimit // never changed; see Set
	*tally
}

// tally is what counts against a limit. It stays when the limit's numbers change.
type tally struct {
	mu      sync.Mutex
	minute  window // requests
	day     window // requests
	tokens  window
	running int64
}

func newTally() *tally {
	minute, day := shape{minuteSlot, int64(limit.Minute / minuteSlot)}, shape{daySlot, int64(limit.Day / daySlot)}
	return &tally{minute: window{shape: minute}, day: window{shape: day}, tokens: window{shape: minute}}
}

// New returns a Limiter without limits. Times are told by now.
func New(now func() time.Time) *Limiter {
	l := &Limiter{now: now, start: now()}
	l.offset = time.Duration(l.start.UnixNano() % int64(daySlot))
	l.index.Store(&index{})
	return l
}

// Set puts limits in force in place of all before. What counts against a
// limit that stays, by its id, goes on counting, also when its numbers change.
func (l *Limiter) Set(limits []tollgate.RateLimit) {
	l.set.Lock()
	defer l.set.Unlock()
	was, next := l.index.Load(), &index{owners: map[limit.Owner][]*counter{}, byID: map[int64]*counter{}}
	for _, row := range limits {
		c := &counter{limit: row}
		if old, ok := was.byID[row.ID]; ok {
			c.tally = old.tally
		} else {
			c.tally = newTally()
		}
		at := limit.Owner{Scope: row.Scope, ID: row.ScopeID}
		next.owners[at] = append(next.owners[at], c)
		next.byID[row.ID] = c
	}
	for _, list := range next.owners {
		slices.SortFunc(list, func(a, b *counter) int { return limit.Better(&a.limit, &b.limit) })
	}
	l.index.Store(next)
}

// elapsed is the time since a little before the start: what slots are numbered by.
func (l *Limiter) elapsed() time.Duration { return l.since(l.now()) }

func (l *Limiter) since(wall time.Time) time.Duration { return wall.Sub(l.start) + l.offset }

// slot is the number of the slot that a time lies in.
func slot(at, length time.Duration) int64 {
	n := int64(at / length)
	if at < 0 && at%length != 0 {
		n--
	}
	return n
}

// Admit implements limit.Limiter.
func (l *Limiter) Admit(c limit.Call) (limit.Grant, error) {
	idx := l.index.Load()
	if len(idx.byID) == 0 {
		return none{}, nil
	}
	var held chain
	for _, owner := range c.Owners {
		for _, k := range idx.owners[owner] {
			if tollgate.MatchGlob(k.limit.ModelPattern, c.Model) {
				held.hold(k)
				break
			}
		}
	}
	if held.n == 0 {
		return none{}, nil
	}
	return held.admit(l, min(max(c.Tokens, 0), limitOfCounts))
}

// none is the grant of a call that no limit holds for.
type none struct{}

// Settle implements limit.Grant.
func (none) Settle(int64) {}

// Release implements limit.Grant.
func (none) Release() {}

// Limits implements limit.Grant.
func (none) Limits() []tollgate.LimitState { return nil }

// Running returns how many slots of concurrency are taken, for gauges and leak
// tests.
func (l *Limiter) Running() (n int64) {
	for _, c := range l.index.Load().byID {
		c.mu.Lock()
		n += c.running
		c.mu.Unlock()
	}
	return n
}
