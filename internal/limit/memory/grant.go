package memory

import (
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/limit"
)

// chain is the limits that hold for a call, by id: the order in which their
// locks are taken.
type chain struct {
	n    int
	held [limit.MaxChain]*counter
}

// hold adds a limit, unless it is there or the chain is full.
func (ch *chain) hold(c *counter) {
	at := 0
	for at < ch.n && ch.held[at].limit.ID < c.limit.ID {
		at++
	}
	if ch.n == len(ch.held) || at < ch.n && ch.held[at].limit.ID == c.limit.ID {
		return
	}
	copy(ch.held[at+1:], ch.held[at:ch.n])
	ch.held[at] = c
	ch.n++
}

func (ch *chain) all() []*counter { return ch.held[:ch.n] }

// admit charges all limits or none. The time is read with the locks held, so
// that it goes the same way for all who wait for one of them.
func (ch *chain) admit(l *Limiter, tokens int64) (limit.Grant, error) {
	for _, c := range ch.all() {
		c.mu.Lock()
	}
	defer func() {
		for _, c := range ch.all() {
			c.mu.Unlock()
		}
	}()
	now := l.elapsed()
	for _, c := range ch.all() {
		c.advance(now)
	}
	for _, c := range ch.all() {
		if !c.fits(tokens) {
			return nil, ch.refuse(now, tokens)
		}
	}
	g := &grant{chain: *ch, limiter: l, tokens: tokens}
	for i, c := range ch.all() {
		g.slots[i] = c.charge(tokens)
	}
	return g, nil
}

// refuse says which limit refuses longest. The locks are held.
func (ch *chain) refuse(now time.Duration, tokens int64) error {
	var worst *tollgate.LimitState
	var longest time.Duration
	for _, c := range ch.all() {
		for _, kind := range limit.Kinds() {
			wait, cures, refuses := c.wait(kind, now, tokens)
			if !refuses {
				continue
			}
			s := c.state(kind, now)
			if !cures {
				return limit.Refuse(s, 0)
			}
			if worst == nil || wait > longest {
				worst, longest = &s, wait
			}
		}
	}
	return limit.Refuse(*worst, longest)
}

// advance moves the windows that the limit uses on to now.
func (c *counter) advance(now time.Duration) {
	if c.limit.RPM != nil || c.limit.TotalTokens != nil {
		s := slot(now, minuteSlot)
		c.minute.advance(s)
		c.tokens.advance(s)
	}
	if c.limit.RPD != nil {
		c.day.advance(slot(now, daySlot))
	}
}

// fits reports whether one more request of so many tokens is within the limit.
func (c *counter) fits(tokens int64) bool {
	l := &c.limit
	return (l.RPM == nil || c.minute.sum < *l.RPM) &&
		(l.RPD == nil || c.day.sum < *l.RPD) &&
		(l.Concurrency == nil || c.running < *l.Concurrency) &&
		(l.TotalTokens == nil || c.tokens.sum <= *l.TotalTokens-atLeastOne(tokens))
}

// atLeastOne is what must be free for a call of so many tokens: one that says
// 0 is still refused by a limit that is used up.
func atLeastOne(tokens int64) int64 { return max(tokens, 1) }

// charge counts one request of so many tokens and returns the tokens' slot.
func (c *counter) charge(tokens int64) (slot int64) {
	l := &c.limit
	if l.RPM != nil {
		c.minute.add(1)
	}
	if l.RPD != nil {
		c.day.add(1)
	}
	if l.TotalTokens != nil {
		slot = c.tokens.add(tokens)
	}
	c.running++
	return slot
}

// wait reports whether the limit refuses the call by a kind, for how long, and
// whether waiting cures it. How long another request takes nobody knows.
func (c *counter) wait(kind tollgate.LimitKind, now time.Duration, tokens int64) (wait time.Duration, cures, refuses bool) {
	value, ok := limit.Value(&c.limit, kind)
	if !ok {
		return 0, true, false
	}
	if kind == tollgate.LimitConcurrency {
		return 0, value > 0, c.running >= value
	}
	need := int64(1)
	if kind == tollgate.LimitTokensMinute {
		need = atLeastOne(tokens)
	}
	w := c.window(kind)
	wait, cures = w.wait(now, value-need)
	return wait, cures, w.sum > value-need
}

// window is where a kind is counted; nil for concurrency.
func (c *counter) window(kind tollgate.LimitKind) *window {
	switch kind {
	case tollgate.LimitRequestsMinute:
		return &c.minute
	case tollgate.LimitRequestsDay:
		return &c.day
	case tollgate.LimitTokensMinute:
		return &c.tokens
	case tollgate.LimitConcurrency:
	}
	return nil
}

// state tells how the limit stands by a kind. The lock is held and the windows
// are up to date.
func (c *counter) state(kind tollgate.LimitKind, now time.Duration) tollgate.LimitState {
	s := tollgate.LimitState{RateLimit: c.limit, Kind: kind, Used: c.running}
	s.Value, _ = limit.Value(&c.limit, kind)
	if w := c.window(kind); w != nil {
		s.Used = w.sum
		s.Resets, _ = w.wait(now, 0)
	}
	return s
}

// grant is an admitted call.
type grant struct {
	chain
	limiter  *Limiter
	tokens   int64                 // as charged
	slots    [limit.MaxChain]int64 // where they were charged
	settled  atomic.Bool
	released atomic.Bool
}

// Settle implements limit.Grant.
func (g *grant) Settle(tokens int64) {
	if g.settled.Swap(true) {
		return
	}
	more := max(tokens, 0) - g.tokens
	if more == 0 {
		return
	}
	for i, c := range g.all() {
		if c.limit.TotalTokens != nil {
			c.mu.Lock()
			c.advance(g.limiter.elapsed())
			c.tokens.correct(g.slots[i], more)
			c.mu.Unlock()
		}
	}
}

// Release implements limit.Grant.
func (g *grant) Release() {
	if g.released.Swap(true) {
		return
	}
	for _, c := range g.all() {
		c.mu.Lock()
		c.running--
		c.mu.Unlock()
	}
}

// Limits implements limit.Grant.
func (g *grant) Limits() []tollgate.LimitState {
	var out []tollgate.LimitState
	for _, kind := range limit.Kinds() {
		var least *tollgate.LimitState
		for _, c := range g.all() {
			if _, limits := limit.Value(&c.limit, kind); !limits {
				continue
			}
			c.mu.Lock()
			now := g.limiter.elapsed()
			c.advance(now)
			s := c.state(kind, now)
			c.mu.Unlock()
			if least == nil || s.Remaining() < least.Remaining() {
				least = &s
			}
		}
		if least != nil {
			out = append(out, *least)
		}
	}
	return out
}
