package limittest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/limit"
)

// model remembers every admission and judges by adding them up.
type model struct {
	limits []tollgate.RateLimit
	slack  func(tollgate.LimitKind) time.Duration
	used   []*use
}

// use is an admitted call, by each limit that held for it.
type use struct {
	at      time.Time
	limits  []int64
	tokens  int64
	running bool
	grant   limit.Grant
	settled bool
}

// chain returns the limits that hold for a call, found the plain way.
func (m *model) chain(c limit.Call) (out []tollgate.RateLimit) {
	for _, o := range c.Owners {
		var best *tollgate.RateLimit
		for i := range m.limits {
			l := &m.limits[i]
			if l.Scope == o.Scope && l.ScopeID == o.ID && tollgate.MatchGlob(l.ModelPattern, c.Model) && (best == nil || limit.Better(l, best) < 0) {
				best = l
			}
		}
		if best != nil {
			out = append(out, *best)
		}
	}
	return out
}

// counted adds up what counts against a limit at least (it was used within the
// window) and at most (or in the slack behind it).
func (m *model) counted(id int64, kind tollgate.LimitKind, now time.Time) (least, most int64) {
	length := limit.Minute
	if kind == tollgate.LimitRequestsDay {
		length = limit.Day
	}
	for _, u := range m.used {
		if !slices.Contains(u.limits, id) {
			continue
		}
		n, age := int64(1), now.Sub(u.at)
		if kind == tollgate.LimitTokensMinute {
			n = u.tokens
		}
		if kind == tollgate.LimitConcurrency {
			if !u.running {
				n = 0
			}
			age = 0
		}
		if age < length {
			least += n
		}
		if age < length+m.slack(kind) {
			most += n
		}
	}
	return least, most
}

// judge says whether a call must be admitted, must be refused, or may be either.
func (m *model) judge(c limit.Call, now time.Time) (must, mustNot bool) {
	must = true
	for _, l := range m.chain(c) {
		for _, kind := range limit.Kinds() {
			value, ok := limit.Value(&l, kind)
			if !ok {
				continue
			}
			need := int64(1)
			if kind == tollgate.LimitTokensMinute {
				need = max(c.Tokens, 1)
			}
			least, most := m.counted(l.ID, kind, now)
			must = must && most+need <= value
			mustNot = mustNot || least+need > value
		}
	}
	return must, mustNot
}

func drawLimits(t *rapid.T) []tollgate.RateLimit {
	var out []tollgate.RateLimit
	amount := func(what string, most int64) *int64 {
		if rapid.IntRange(0, 2).Draw(t, "has "+what) == 0 {
			return nil
		}
		v := rapid.Int64Range(0, most).Draw(t, what)
		return &v
	}
	for i := range rapid.IntRange(1, 6).Draw(t, "limits") {
		o := drawOwner(t)
		out = append(out, tollgate.RateLimit{
			ID: int64(i) + 1, Scope: o.Scope, ScopeID: o.ID, ModelPattern: rapid.SampledFrom([]string{"*", "gpt-*", "gpt-4", "gpt-?"}).Draw(t, "pattern"),
			RPM: amount("rpm", 8), RPD: amount("rpd", 20), TotalTokens: amount("tokens", 300), Concurrency: amount("concurrency", 4),
		})
	}
	return out
}

func drawOwner(t *rapid.T) limit.Owner {
	return rapid.SampledFrom([]limit.Owner{
		owner(tollgate.ScopeKey, 1), owner(tollgate.ScopeKey, 2), owner(tollgate.ScopeUser, 1), owner(tollgate.ScopeTeam, 1), owner(tollgate.ScopeInstance, 0),
	}).Draw(t, "owner")
}

func drawCall(t *rapid.T) limit.Call {
	var owners []limit.Owner
	for range rapid.IntRange(1, limit.MaxChain).Draw(t, "chain") {
		if o := drawOwner(t); !slices.Contains(owners, o) {
			owners = append(owners, o)
		}
	}
	return limit.Call{
		Owners: owners, Model: rapid.SampledFrom([]string{"gpt-4", "gpt-5", "claude"}).Draw(t, "model"), Tokens: rapid.Int64Range(0, 200).Draw(t, "tokens"),
	}
}

// testModel drives a limiter by chance and compares with the sums: whatever
// was used within the window counts, whatever lies behind window and slack
// does not.
func testModel(b *bench) {
	t, e := b.t, b.e
	steps := 0
	rapid.Check(t, func(r *rapid.T) {
		c := Clock()
		m := &model{limits: drawLimits(r), slack: e.Slack}
		l := e.open(t, c, m.limits)
		for range 60 {
			steps++
			switch rapid.IntRange(0, 9).Draw(r, "step") {
			case 0:
				c.Move(time.Duration(rapid.Int64Range(0, int64(limit.Minute)).Draw(r, "some seconds")))
			case 1:
				c.Move(time.Duration(rapid.Int64Range(0, int64(5*limit.Minute)).Draw(r, "some minutes")))
			case 2:
				c.Move(time.Duration(rapid.Int64Range(0, int64(8*time.Hour)).Draw(r, "some hours")))
			case 3, 4:
				m.finish(r)
			default:
				if err := m.ask(l, drawCall(r), c.Now()); err != nil {
					r.Fatal(err)
				}
			}
		}
	})
	t.Logf("%d steps", steps)
}

// ask has the limiter decide and looks whether it may.
func (m *model) ask(l limit.Limiter, c limit.Call, now time.Time) error {
	must, mustNot := m.judge(c, now)
	g, err := l.Admit(c)
	if err != nil {
		if must {
			return fmt.Errorf("%+v is refused: %w", c, err)
		}
		return m.checkRefusal(c, err, now)
	}
	if mustNot {
		return fmt.Errorf("%+v is admitted", c)
	}
	u := &use{at: now, tokens: c.Tokens, running: true, grant: g}
	for _, row := range m.chain(c) {
		u.limits = append(u.limits, row.ID)
	}
	m.used = append(m.used, u)
	return nil
}

// checkRefusal looks whether the limit that is named refuses, and whether the
// wait that is told cures it.
func (m *model) checkRefusal(c limit.Call, err error, now time.Time) error {
	e, ok := errors.AsType[*tollgate.Error](err)
	if !ok || e.Limit == nil {
		return fmt.Errorf("a refusal without a limit: %w", err)
	}
	least, most := m.counted(e.Limit.ID, e.Limit.Kind, now)
	if e.Limit.Used < least || e.Limit.Used > most {
		return fmt.Errorf("%d are used by %+v, want %d to %d", e.Limit.Used, e.Limit, least, most)
	}
	if e.RetryAfter == 0 {
		return nil
	}
	if must, _ := m.judge(c, now.Add(e.RetryAfter-1)); must {
		return fmt.Errorf("%+v is to wait %v, though it fits before", c, e.RetryAfter)
	}
	if _, mustNot := m.judge(c, now.Add(e.RetryAfter)); mustNot {
		for _, l := range m.chain(c) { // unless it is the slots, which no time frees
			if running, _ := m.counted(l.ID, tollgate.LimitConcurrency, now); l.Concurrency != nil && running >= *l.Concurrency {
				return nil
			}
		}
		return fmt.Errorf("%+v is still refused after the wait of %v", c, e.RetryAfter)
	}
	return nil
}

// finish settles or releases an admitted call, perhaps again.
func (m *model) finish(r *rapid.T) {
	if len(m.used) == 0 {
		return
	}
	u := rapid.SampledFrom(m.used).Draw(r, "call")
	if rapid.Bool().Draw(r, "settle") {
		tokens := rapid.Int64Range(0, 400).Draw(r, "real tokens")
		u.grant.Settle(tokens)
		if !u.settled {
			u.tokens, u.settled = tokens, true
		}
		return
	}
	u.grant.Release()
	u.running = false
}

// testRestart saves and restores: what counted goes on counting, for as long
// as its window.
func testRestart(b *bench) {
	t, e := b.t, b.e
	rapid.Check(t, func(r *rapid.T) {
		c := Clock()
		m := &model{limits: drawLimits(r), slack: e.Slack}
		l := e.open(t, c, m.limits)
		for range 30 {
			c.Move(time.Duration(rapid.Int64Range(0, int64(limit.Minute)).Draw(r, "time goes on")))
			if rapid.IntRange(0, 5).Draw(r, "restart") > 0 {
				if err := m.ask(l, drawCall(r), c.Now()); err != nil {
					r.Fatal(err)
				}
				continue
			}
			rows := keeper(t, l).Save()
			c.Move(time.Duration(rapid.Int64Range(0, int64(limit.Minute)).Draw(r, "it takes a while")))
			l = e.open(t, c, m.limits)
			if lost := keeper(t, l).Restore(rows); lost != 0 {
				r.Fatalf("%d rows are lost", lost)
			}
			for _, u := range m.used { // what ran has ended
				u.running = false
			}
		}
	})
	l := e.open(t, Clock(), []tollgate.RateLimit{of(1, "*", rpm(1))})
	if lost := keeper(t, l).Restore([]tollgate.RateCounters{{LimitID: 99, State: []byte("{}")}, {LimitID: 1, State: []byte("nonsense")}}); lost != 2 {
		t.Errorf("%d rows are lost, want 2", lost)
	}
	admitted(t, l, limit.Call{Owners: user(), Model: "m"})
}

func keeper(t *testing.T, l limit.Limiter) limit.Keeper {
	t.Helper()
	k, ok := l.(limit.Keeper)
	if !ok {
		t.Fatalf("%T keeps nothing", l)
	}
	return k
}
