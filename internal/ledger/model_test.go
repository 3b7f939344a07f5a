package ledger_test

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/ledger"
)

// long reports whether tests run at full size.
func long() bool { return os.Getenv("TOLLGATE_TEST_LONG") != "" }

// model is the ledger as slices that are added up for every question.
type model struct {
	quotas  []tollgate.Quota
	since   []tollgate.RequestID
	entries []*entry
	adjust  []tollgate.Adjustment
}

// entry is one dispatch of the model.
type entry struct {
	id     tollgate.RequestID
	chain  ledger.Chain
	held   tollgate.Money
	cost   tollgate.Money
	closed bool
	hold   *ledger.Hold
}

// charges lists the quotas that a request counts in.
func (m *model) charges(id tollgate.RequestID, c ledger.Chain) (out []int) {
	for i, q := range m.quotas {
		var mine bool
		switch q.Scope {
		case tollgate.ScopeKey:
			mine = !c.Service && q.ScopeID == c.KeyID
		case tollgate.ScopeUser:
			mine = !c.Service && q.ScopeID == c.UserID
		case tollgate.ScopeTeam:
			mine = !c.Service && q.ScopeID == c.TeamID
		case tollgate.ScopeService:
			mine = c.Service
		case tollgate.ScopeInstance:
			mine = true
		}
		if mine && id >= m.since[i] {
			out = append(out, i)
		}
	}
	return out
}

// balance adds up what a quota has spent and holds in the window of a time.
func (m *model) balance(i int, at time.Time) (spent, held tollgate.Money) {
	start, _ := m.quotas[i].Window.Bounds(at, time.UTC)
	for _, e := range m.entries {
		if s, _ := m.quotas[i].Window.Bounds(e.id.Time(), time.UTC); !s.Equal(start) || !slices.Contains(m.charges(e.id, e.chain), i) {
			continue
		}
		if e.closed {
			spent += e.cost
		} else {
			held += e.held
		}
	}
	for _, a := range m.adjust {
		if a.QuotaID == m.quotas[i].ID && a.WindowStart.Equal(start) {
			spent += a.Amount
		}
	}
	return spent, held
}

// fits reports whether a request may hold more; own is what it holds already.
func (m *model) fits(id tollgate.RequestID, c ledger.Chain, own, more tollgate.Money) bool {
	for _, i := range m.charges(id, c) {
		limit := m.quotas[i].Limit
		if limit == nil {
			continue
		}
		spent, held := m.balance(i, id.Time())
		if spent+held+more > *limit || own == 0 && spent >= *limit {
			return false
		}
	}
	return true
}

// chains are the callers of the model.
func chains() []ledger.Chain {
	return []ledger.Chain{
		{KeyID: 1, UserID: 1, TeamID: 1},
		{KeyID: 2, UserID: 1, TeamID: 1},
		{KeyID: 3, UserID: 2, TeamID: 1},
		{UserID: 2, TeamID: 1},
		{KeyID: 4, UserID: 3},
		{Service: true},
	}
}

// TestTheMachineIsTheModel is issue 4's property: the machine in memory and a
// list that is added up anew for each question never disagree.
func TestTheMachineIsTheModel(t *testing.T) {
	steps, enough := 0, 10_000
	if long() {
		enough = 200_000
	}
	check := func(t *rapid.T) {
		w := newWorld(t)
		t.Repeat(map[string]func(*rapid.T){
			"admit":  w.admit,
			"extend": w.extend,
			"settle": w.settle,
			"next":   w.next,
			"limit":  w.changeLimit,
			"adjust": w.addAdjustment,
			"create": w.createQuota,
			"clock":  w.moveClock,
			"":       func(t *rapid.T) { steps++; w.compare(t) },
		})
	}
	for steps < enough {
		rapid.Check(t, check)
	}
}

// world is the machine and its model side by side.
type world struct {
	bank  *bank
	model model
}

func newWorld(t *rapid.T) *world {
	w := &world{}
	b := &bank{store: &memory{}, clock: &clock{at: noon()}, ids: new(tollgate.RequestIDs)}
	b.Machine = &ledger.Machine{IDs: b.ids, Now: b.clock.now, Zone: time.UTC}
	w.bank = b
	for range rapid.IntRange(0, 5).Draw(t, "quotas") {
		w.createQuota(t)
	}
	return w
}

func (w *world) load(t *rapid.T) {
	if err := w.bank.Load(t.Context(), w.bank.store); err != nil {
		t.Fatal(err)
	}
}

func (w *world) createQuota(t *rapid.T) {
	scopes := []tollgate.Scope{tollgate.ScopeKey, tollgate.ScopeUser, tollgate.ScopeTeam, tollgate.ScopeInstance, tollgate.ScopeService}
	windows := []tollgate.Window{tollgate.WindowTotal, tollgate.WindowDay, tollgate.WindowWeek, tollgate.WindowMonth}
	q := tollgate.Quota{
		ID: int64(len(w.model.quotas) + 1), Scope: rapid.SampledFrom(scopes).Draw(t, "scope"), Window: rapid.SampledFrom(windows).Draw(t, "window"),
	}
	if len(w.model.quotas) > 12 {
		t.Skip("enough quotas")
	}
	if q.Scope != tollgate.ScopeInstance && q.Scope != tollgate.ScopeService {
		q.ScopeID = rapid.Int64Range(1, 3).Draw(t, "owner")
	}
	limit := tollgate.Money(rapid.Int64Range(0, 400).Draw(t, "limit"))
	q.Limit = &limit
	w.bank.store.quotas = append(w.bank.store.quotas, q)
	w.load(t)
	w.model.quotas = append(w.model.quotas, q)
	w.model.since = append(w.model.since, w.bank.id())
}

func (w *world) admit(t *rapid.T) {
	c := rapid.SampledFrom(chains()).Draw(t, "chain")
	amount := tollgate.Money(rapid.Int64Range(0, 120).Draw(t, "amount"))
	e := &entry{id: w.bank.id(), chain: c, held: amount}
	fits := w.model.fits(e.id, c, 0, amount)
	var err error
	if e.hold, err = w.bank.Admit(t.Context(), e.id, c, amount); (err == nil) != fits {
		t.Fatalf("the machine says %v, the model says %v", err, fits)
	}
	if err == nil {
		w.model.entries = append(w.model.entries, e)
	}
}

// open draws a dispatch that is not settled.
func (w *world) open(t *rapid.T) *entry {
	var open []*entry
	for _, e := range w.model.entries {
		if !e.closed {
			open = append(open, e)
		}
	}
	if len(open) == 0 {
		t.Skip("nothing is open")
	}
	return rapid.SampledFrom(open).Draw(t, "dispatch")
}

func (w *world) extend(t *rapid.T) {
	e := w.open(t)
	more := tollgate.Money(rapid.Int64Range(0, 60).Draw(t, "more"))
	fits := w.model.fits(e.id, e.chain, e.held, more)
	if err := e.hold.Extend(t.Context(), more); (err == nil) != fits {
		t.Fatalf("the machine says %v, the model says %v", err, fits)
	}
	if fits {
		e.held += more
	}
}

func (w *world) settle(t *rapid.T) {
	e := w.open(t)
	e.cost = tollgate.Money(rapid.Int64Range(0, 150).Draw(t, "cost"))
	e.closed = true
	out := e.hold.Settle(e.cost)
	if want := max(e.cost-e.held, 0); out.Overrun != want || out.Cost != e.cost || len(out.Charges) != len(w.model.charges(e.id, e.chain)) {
		t.Fatalf("outcome %+v of a cost of %s with %s held", out, e.cost, e.held)
	}
	if again := e.hold.Settle(7); again.Closed {
		t.Fatal("settled twice")
	}
}

func (w *world) next(t *rapid.T) {
	e := w.open(t)
	e.cost = tollgate.Money(rapid.Int64Range(0, 60).Draw(t, "cost"))
	n := &entry{id: e.id, chain: e.chain, held: tollgate.Money(rapid.Int64Range(0, 120).Draw(t, "amount"))}
	missing := e.cost + n.held - e.held
	fits := missing <= 0 || w.model.fits(e.id, e.chain, e.held, missing)
	e.closed = true
	var err error
	if n.hold, _, err = e.hold.Next(t.Context(), e.cost, n.held); (err == nil) != fits {
		t.Fatalf("the machine says %v, the model says %v", err, fits)
	}
	if fits {
		w.model.entries = append(w.model.entries, n)
	}
}

func (w *world) changeLimit(t *rapid.T) {
	if len(w.model.quotas) == 0 {
		t.Skip("no quota")
	}
	i := rapid.IntRange(0, len(w.model.quotas)-1).Draw(t, "quota")
	var limit *tollgate.Money
	if !rapid.Bool().Draw(t, "unlimited") {
		v := tollgate.Money(rapid.Int64Range(0, 500).Draw(t, "limit"))
		limit = &v
	}
	w.model.quotas[i].Limit = limit
	w.bank.store.quotas[i].Limit = limit
	w.load(t)
}

func (w *world) addAdjustment(t *rapid.T) {
	if len(w.model.quotas) == 0 {
		t.Skip("no quota")
	}
	i := rapid.IntRange(0, len(w.model.quotas)-1).Draw(t, "quota")
	q := w.model.quotas[i]
	at := w.bank.id().Time()
	spent, _ := w.model.balance(i, at)
	start, _ := q.Window.Bounds(at, time.UTC)
	a := tollgate.Adjustment{
		ID: int64(len(w.model.adjust) + 1), Kind: tollgate.AdjustCorrection, QuotaID: q.ID, WindowStart: start,
		Amount: tollgate.Money(rapid.Int64Range(0, 300).Draw(t, "spent")) - spent,
	}
	w.model.adjust = append(w.model.adjust, a)
	w.bank.store.adjustments = append(w.bank.store.adjustments, a)
	w.load(t)
}

// moveClock jumps, mostly a little, sometimes over a window, sometimes back.
func (w *world) moveClock(t *rapid.T) {
	w.bank.clock.move(time.Duration(rapid.SampledFrom([]int{0, 1, 30, 3600, 5 * 3600, 86_400, -10, -3600, -90_000, 31 * 86_400}).Draw(t, "seconds")) * time.Second)
}

// compare looks at every balance in the running window.
func (w *world) compare(t *rapid.T) {
	at := w.bank.id().Time()
	for i, q := range w.model.quotas {
		spent, held := w.model.balance(i, at)
		got, ok := w.bank.Balance(q.ID, at)
		if !ok || got.Spent != spent || got.Held != held {
			t.Fatalf("quota %s: the machine says %s spent and %s held, the model %s and %s", fmt.Sprint(q.ID, q.Scope, q.Window), got.Spent, got.Held, spent, held)
		}
	}
}
