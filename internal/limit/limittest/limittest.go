// Package limittest is the conformance suite of limit.Limiter: the contract in
// limit.go, line by line. An engine is supported when Run passes on it.
package limittest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/limit"
)

// Engine is a way to make limiters.
type Engine struct {
	// Open makes an empty limiter with limits in force. Times are told by now.
	Open func(tb testing.TB, now func() time.Time, limits []tollgate.RateLimit) limit.Limiter
	// Slack is how much longer than its window something may count.
	Slack func(kind tollgate.LimitKind) time.Duration
}

// Run runs the whole suite.
func Run(t *testing.T, e Engine) {
	t.Helper()
	for _, c := range []struct {
		name string
		run  func(*bench)
	}{
		{"WithoutLimitsEverythingIsAdmitted", testNoLimits},
		{"OfEachOwnerTheBestMatchHolds", testBestMatch},
		{"AllOrNothing", testAllOrNothing},
		{"WindowsRoll", testWindows},
		{"WindowsEndNeitherSoonerNorLater", testEdges},
		{"ZeroAdmitsNothing", testZero},
		{"WhatDoesNotFitIsNotToBeRetried", testTooLarge},
		{"TokensAreCorrected", testSettle},
		{"SlotsComeBackOnce", testConcurrency},
		{"RefusalsSayWhichLimit", testRefusal},
		{"HeadersTellTheTightest", testHeaders},
		{"NeverMoreNeverLessThanAModel", testModel},
		{"AThousandAtOnceAreCountedExactly", testThousand},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(&bench{t, e}) })
	}
	if _, ok := e.open(t, Clock(), nil).(limit.Keeper); ok {
		t.Run("WindowsSurviveARestart", func(t *testing.T) { testRestart(&bench{t, e}) })
	}
}

// bench is one test's engine.
type bench struct {
	t *testing.T
	e Engine
}

// clock is a settable time, safe for concurrent use.
type clock struct {
	start time.Time
	gone  atomic.Int64
}

// Clock returns a clock that stands still at a time of its own.
func Clock() *clock { //nolint:revive // tests of engines move it, nobody names its type
	return &clock{start: time.Date(2026, 3, 14, 15, 9, 26, 535_897_931, time.UTC)}
}

// Now is the time.
func (c *clock) Now() time.Time { return c.start.Add(time.Duration(c.gone.Load())) }

// Move moves the time on, or back.
func (c *clock) Move(d time.Duration) { c.gone.Add(int64(d)) }

func (e Engine) open(tb testing.TB, c *clock, limits []tollgate.RateLimit) limit.Limiter {
	tb.Helper()
	return e.Open(tb, c.Now, limits)
}

func owner(scope tollgate.Scope, id int64) limit.Owner { return limit.Owner{Scope: scope, ID: id} }

func user() []limit.Owner { return []limit.Owner{owner(tollgate.ScopeUser, 1)} }

// of is a limit of user 1.
func of(id int64, pattern string, set func(*tollgate.RateLimit)) tollgate.RateLimit {
	l := tollgate.RateLimit{ID: id, Scope: tollgate.ScopeUser, ScopeID: 1, ModelPattern: pattern}
	set(&l)
	return l
}

func rpm(v int64) func(*tollgate.RateLimit) { return func(l *tollgate.RateLimit) { l.RPM = &v } }
func rpd(v int64) func(*tollgate.RateLimit) { return func(l *tollgate.RateLimit) { l.RPD = &v } }
func tpm(v int64) func(*tollgate.RateLimit) {
	return func(l *tollgate.RateLimit) { l.TotalTokens = &v }
}

func atOnce(v int64) func(*tollgate.RateLimit) {
	return func(l *tollgate.RateLimit) { l.Concurrency = &v }
}

func admitted(tb testing.TB, l limit.Limiter, c limit.Call) limit.Grant {
	tb.Helper()
	g, err := l.Admit(c)
	if err != nil {
		tb.Fatalf("%+v is refused: %v", c, err)
	}
	return g
}

// refused fails unless the call is refused.
func refused(tb testing.TB, l limit.Limiter, c limit.Call) {
	tb.Helper()
	_ = refusal(tb, l, c)
}

func refusal(tb testing.TB, l limit.Limiter, c limit.Call) *tollgate.Error {
	tb.Helper()
	_, err := l.Admit(c)
	e, ok := errors.AsType[*tollgate.Error](err)
	if !ok || e.Code != tollgate.CodeRateLimited || e.Limit == nil || e.Message == "" {
		tb.Fatalf("%+v: %v, want a refusal that names its limit", c, err)
	}
	return e
}

func testNoLimits(b *bench) {
	t, e := b.t, b.e
	l := e.open(t, Clock(), nil)
	for range 100 {
		g := admitted(t, l, limit.Call{Owners: user(), Model: "m", Tokens: 1 << 40})
		if len(g.Limits()) != 0 {
			t.Fatalf("limits that are not there: %+v", g.Limits())
		}
		g.Settle(5)
		g.Release()
		g.Release()
	}
	l = e.open(t, Clock(), []tollgate.RateLimit{of(1, "gpt-*", rpm(1))})
	for range 3 { // of another owner, of another model
		admitted(t, l, limit.Call{Owners: []limit.Owner{owner(tollgate.ScopeKey, 1)}, Model: "gpt-4"})
		admitted(t, l, limit.Call{Owners: user(), Model: "claude"})
		admitted(t, l, limit.Call{Model: "gpt-4"})
	}
}

func testBestMatch(b *bench) {
	t, e := b.t, b.e
	l := e.open(t, Clock(), []tollgate.RateLimit{
		of(1, "*", rpm(1)), of(2, "gpt-*", rpm(2)), of(3, "gpt-4*", rpm(3)), of(4, "gpt-4o", rpm(4)), of(5, "gpt-?o", rpm(5)),
	})
	for model, want := range map[string]int{"claude": 1, "gpt-3": 2, "gpt-4-turbo": 3, "gpt-4o": 4, "gpt-5o": 2} {
		count := 0
		for {
			if _, err := l.Admit(limit.Call{Owners: user(), Model: model}); err != nil {
				break
			}
			count++
		}
		if model == "gpt-5o" { // "gpt-?o" is as long as "gpt-4*" and longer than "gpt-*"
			want = 5
		}
		if count != want {
			t.Errorf("%s: %d are admitted, want %d", model, count, want)
		}
	}
}

func testAllOrNothing(b *bench) {
	t, e := b.t, b.e
	team := tollgate.RateLimit{ID: 7, Scope: tollgate.ScopeTeam, ScopeID: 3, ModelPattern: "*", RPM: new(int64(2))}
	l := e.open(t, Clock(), []tollgate.RateLimit{
		of(9, "*", func(r *tollgate.RateLimit) {
			r.RPM, r.RPD, r.TotalTokens, r.Concurrency = new(int64(5)), new(int64(5)), new(int64(500)), new(int64(5))
		}), team,
	})
	both := limit.Call{Owners: []limit.Owner{owner(tollgate.ScopeUser, 1), owner(tollgate.ScopeTeam, 3)}, Model: "m", Tokens: 100}
	admitted(t, l, both)
	admitted(t, l, both)
	for range 10 {
		if err := refusal(t, l, both); err.Limit.ID != team.ID {
			t.Fatalf("refused by %+v", err.Limit)
		}
	}
	alone := limit.Call{Owners: user(), Model: "m", Tokens: 100}
	for range 3 { // what the team refused was not charged to the user
		admitted(t, l, alone)
	}
	refused(t, l, alone)
}

func testWindows(b *bench) {
	t, e := b.t, b.e
	for _, w := range []struct {
		kind tollgate.LimitKind
		set  func(int64) func(*tollgate.RateLimit)
	}{{tollgate.LimitRequestsMinute, rpm}, {tollgate.LimitRequestsDay, rpd}, {tollgate.LimitTokensMinute, tpm}} {
		kind, set := w.kind, w.set
		length := limit.Minute
		if kind == tollgate.LimitRequestsDay {
			length = limit.Day
		}
		c := Clock()
		l := e.open(t, c, []tollgate.RateLimit{of(1, "*", set(2))})
		call := limit.Call{Owners: user(), Model: "m", Tokens: 1}
		admitted(t, l, call)
		c.Move(length / 2)
		admitted(t, l, call)
		wait := refusal(t, l, call).RetryAfter
		if wait < length/2 || wait > length/2+e.Slack(kind) {
			t.Errorf("%s: wait %v with half a window gone", kind, wait)
		}
		c.Move(length/2 - 1)
		refused(t, l, call)
		c.Move(wait - length/2 + 1)
		admitted(t, l, call)
		refused(t, l, call)
		c.Move(length/2 + e.Slack(kind))
		admitted(t, l, call)
		c.Move(10 * length)
		admitted(t, l, call)
		admitted(t, l, call)
		refused(t, l, call)
	}
}

// testEdges uses a limit up at places all over an engine's slots.
func testEdges(b *bench) {
	t, e := b.t, b.e
	for _, w := range []struct {
		kind tollgate.LimitKind
		set  func(*tollgate.RateLimit)
	}{{tollgate.LimitRequestsMinute, rpm(1)}, {tollgate.LimitRequestsDay, rpd(1)}, {tollgate.LimitTokensMinute, tpm(10)}} {
		kind, set := w.kind, w.set
		length, slack := limit.Minute, e.Slack(kind)
		if kind == tollgate.LimitRequestsDay {
			length = limit.Day
		}
		for _, offset := range []time.Duration{0, 1, slack / 3, slack / 2, slack - 1, slack, 7*slack - 1} {
			c := Clock()
			l := e.open(t, c, []tollgate.RateLimit{of(1, "*", set)})
			c.Move(offset)
			call := limit.Call{Owners: user(), Model: "m", Tokens: 10}
			admitted(t, l, call)
			c.Move(length - 1)
			wait := refusal(t, l, call).RetryAfter
			if wait > slack+1 {
				t.Errorf("%s, offset %v: wait %v, with the window almost over", kind, offset, wait)
			}
			c.Move(wait - 1)
			if wait > 1 {
				refused(t, l, call)
			}
			c.Move(1)
			admitted(t, l, call)
		}
	}
}

func testZero(b *bench) {
	t, e := b.t, b.e
	for _, set := range []func(int64) func(*tollgate.RateLimit){rpm, rpd, tpm, atOnce} {
		c := Clock()
		l := e.open(t, c, []tollgate.RateLimit{of(1, "*", set(0))})
		for range 2 {
			if err := refusal(t, l, limit.Call{Owners: user(), Model: "m"}); err.RetryAfter != 0 {
				t.Errorf("retry after %v, though 0 is never less", err.RetryAfter)
			}
			c.Move(limit.Day)
		}
	}
}

func testTooLarge(b *bench) {
	t, e := b.t, b.e
	l := e.open(t, Clock(), []tollgate.RateLimit{of(1, "*", tpm(100))})
	if err := refusal(t, l, limit.Call{Owners: user(), Model: "m", Tokens: 101}); err.RetryAfter != 0 {
		t.Errorf("retry after %v, though it never fits", err.RetryAfter)
	}
	admitted(t, l, limit.Call{Owners: user(), Model: "m", Tokens: 100})
	if err := refusal(t, l, limit.Call{Owners: user(), Model: "m"}); err.RetryAfter == 0 {
		t.Error("a call of no tokens is admitted or not to be retried where none are left")
	}
	admitted(t, e.open(t, Clock(), []tollgate.RateLimit{of(1, "*", tpm(100))}), limit.Call{Owners: user(), Model: "m", Tokens: -5})
}

func testSettle(b *bench) {
	t, e := b.t, b.e
	c := Clock()
	l := e.open(t, c, []tollgate.RateLimit{of(1, "*", tpm(1000))})
	call := func(tokens int64) limit.Call { return limit.Call{Owners: user(), Model: "m", Tokens: tokens} }
	g := admitted(t, l, call(900))
	refused(t, l, call(101))
	c.Move(10 * time.Second)
	g.Settle(100)  // far less than it said
	g.Settle(1000) // only the first counts
	second := admitted(t, l, call(900))
	refused(t, l, call(1))
	second.Settle(5000) // more than the limit: truth beats it
	if used := refusal(t, l, call(1)).Limit.Used; used != 5100 {
		t.Errorf("%d tokens are used, want 5100", used)
	}
	c.Move(limit.Minute + e.Slack(tollgate.LimitTokensMinute))
	g = admitted(t, l, call(1000))
	c.Move(limit.Minute + e.Slack(tollgate.LimitTokensMinute))
	g.Settle(0) // long forgotten
	admitted(t, l, call(1000))
	refused(t, l, call(1))
}

func testConcurrency(b *bench) {
	t, e := b.t, b.e
	l := e.open(t, Clock(), []tollgate.RateLimit{of(1, "*", atOnce(2))})
	call := limit.Call{Owners: user(), Model: "m"}
	first, second := admitted(t, l, call), admitted(t, l, call)
	for range 5 {
		if err := refusal(t, l, call); err.Limit.Kind != tollgate.LimitConcurrency || err.Limit.Used != 2 || err.RetryAfter != 0 {
			t.Fatalf("%+v", err)
		}
	}
	first.Release()
	first.Release()
	first.Settle(5)
	c := admitted(t, l, call)
	refused(t, l, call)
	second.Release()
	c.Release()
	admitted(t, l, call)
	admitted(t, l, call)
	refused(t, l, call)
}

func testRefusal(b *bench) {
	t, e := b.t, b.e
	c := Clock()
	key := tollgate.RateLimit{ID: 2, Scope: tollgate.ScopeKey, ScopeID: 8, ModelPattern: "gpt-*", RPM: new(int64(1))}
	l := e.open(t, c, []tollgate.RateLimit{of(1, "*", rpd(1)), key})
	call := limit.Call{Owners: []limit.Owner{owner(tollgate.ScopeKey, 8), owner(tollgate.ScopeUser, 1)}, Model: "gpt-4"}
	admitted(t, l, call)
	got := refusal(t, l, call) // by both: the day is the longer wait
	want := tollgate.LimitState{RateLimit: of(1, "*", rpd(1)), Kind: tollgate.LimitRequestsDay, Value: 1, Used: 1, Resets: got.RetryAfter}
	if diff := cmp.Diff(&want, got.Limit); diff != "" || got.RetryAfter < limit.Day || got.Limit.Remaining() != 0 {
		t.Errorf("retry after %v (-want +got)\n%s", got.RetryAfter, diff)
	}
	c.Move(got.RetryAfter)
	admitted(t, l, call)
}

func testHeaders(b *bench) {
	t, e := b.t, b.e
	team := tollgate.RateLimit{ID: 7, Scope: tollgate.ScopeTeam, ScopeID: 3, ModelPattern: "*", RPM: new(int64(5)), TotalTokens: new(int64(1000))}
	l := e.open(t, Clock(), []tollgate.RateLimit{
		of(9, "*", func(r *tollgate.RateLimit) {
			r.RPM, r.TotalTokens, r.Concurrency = new(int64(100)), new(int64(300)), new(int64(4))
		}), team,
	})
	g := admitted(t, l, limit.Call{Owners: []limit.Owner{owner(tollgate.ScopeUser, 1), owner(tollgate.ScopeTeam, 3)}, Model: "m", Tokens: 120})
	var got []string
	for _, s := range g.Limits() {
		got = append(got, fmt.Sprintf("%s: %s %d of %d, %d left", s.Kind, s.Scope, s.Used, s.Value, s.Remaining()))
		if s.Kind != tollgate.LimitConcurrency && (s.Resets < limit.Minute || s.Resets > limit.Minute+e.Slack(s.Kind)) {
			t.Errorf("%s resets in %v", s.Kind, s.Resets)
		}
	}
	want := []string{"requests_minute: team 1 of 5, 4 left", "tokens_minute: user 120 of 300, 180 left", "concurrency: user 1 of 4, 3 left"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// testThousand sends a thousand at once against budgets of key, user and team
// chains, round after round: as many are admitted as the tightest allows.
func testThousand(b *bench) {
	t, e := b.t, b.e
	const callers, rounds = 1000, 20
	for name, set := range map[string]func(int64) func(*tollgate.RateLimit){"rpm": rpm, "rpd": rpd, "tokens": tpm, "concurrency": atOnce} {
		for round := range int64(rounds) {
			budget := 1 + round*37%700
			limits := []tollgate.RateLimit{of(1, "*", set(budget)), of(2, "other", set(1))}
			for _, o := range []limit.Owner{owner(tollgate.ScopeKey, 10), owner(tollgate.ScopeTeam, 20), owner(tollgate.ScopeInstance, 0)} {
				row := tollgate.RateLimit{ID: o.ID + 5, Scope: o.Scope, ScopeID: o.ID, ModelPattern: "*"}
				set(budget + round)(&row)
				limits = append(limits, row)
			}
			l := e.open(t, Clock(), limits)
			var count atomic.Int64
			var wg sync.WaitGroup
			begin := make(chan struct{})
			for i := range callers {
				owners := []limit.Owner{owner(tollgate.ScopeInstance, 0), owner(tollgate.ScopeUser, 1)}
				if i%2 == 0 { // in any order
					owners = []limit.Owner{owner(tollgate.ScopeUser, 1), owner(tollgate.ScopeTeam, 20), owner(tollgate.ScopeKey, 10), owner(tollgate.ScopeInstance, 0)}
				}
				wg.Go(func() {
					<-begin
					if _, err := l.Admit(limit.Call{Owners: owners, Model: "m", Tokens: 1}); err == nil {
						count.Add(1)
					}
				})
			}
			close(begin)
			wg.Wait()
			if count.Load() != budget {
				t.Fatalf("%s, round %d: %d of %d admitted, want %d", name, round, count.Load(), callers, budget)
			}
		}
	}
}
