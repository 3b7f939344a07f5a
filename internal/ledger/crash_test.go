package ledger_test

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
)

// hold keeps the database from being written until free is called.
func (h *house) hold() (free func()) {
	h.t.Helper()
	busy, end, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- h.store.Update(context.Background(), func(tollgate.Tx) error { close(busy); <-end; return nil })
	}()
	<-busy
	return func() {
		close(end)
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	}
}

// die opens another house on what this one would leave if it were killed now,
// while nothing happens in it.
func (h *house) die() *house {
	h.t.Helper()
	left := h.o
	left.Dir = h.t.TempDir()
	for _, name := range []string{"tollgate.db", "tollgate.db-wal", "tollgate.journal"} {
		b, err := os.ReadFile(filepath.Join(h.o.Dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(left.Dir, name), b, 0o600)
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
	next := &house{t: h.t, o: left, clock: h.clock, zone: h.zone}
	next.open()
	h.t.Cleanup(func() { next.close() })
	return next
}

// fate is what is known of dispatches when the process dies.
type fate struct {
	settled, open map[tollgate.RequestID]tollgate.Money
	sum           tollgate.Money
}

// live runs n requests of which some end, some are withdrawn, and some are on
// their way.
func (f *fate) live(h *house, c ledger.Chain, rnd *rand.Rand, n int) {
	h.t.Helper()
	for range n {
		r := h.request(c)
		d := dispatch(r, 1)
		claim, err := h.Begin(h.t.Context(), r, d, tollgate.Money(10+rnd.IntN(50)))
		if err != nil {
			h.t.Fatal(err)
		}
		if rnd.IntN(3) == 0 {
			err = claim.Extend(h.t.Context(), 7)
		}
		if rnd.IntN(4) == 0 { // another attempt
			next := dispatch(r, 2)
			d.Cost = 3
			claim, err = claim.Next(h.t.Context(), r, d, next, 20)
			f.settled[d.ID] = 3
			r.Dispatches, d = append(r.Dispatches, *d), next
		}
		switch rnd.IntN(4) {
		case 0:
			f.open[d.ID] = claim.Held()
		case 1:
			claim.Withdraw()
		default:
			cost := tollgate.Money(rnd.IntN(30))
			err = errors.Join(err, h.finish(r, d, claim, cost))
			f.settled[d.ID] = cost
		}
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// A process is killed again and again, with a part of its work in the database
// and a part in the journal alone: what was promised is there, at its cost; what
// was under way is there, at its hold; what never went out is not.
func TestAKilledProcessKeepsItsPromises(t *testing.T) {
	for _, durability := range []string{sqlstore.DurableProcess, sqlstore.DurablePower} {
		t.Run(durability, func(t *testing.T) {
			h := newHouse(t, sqlstore.Options{Dir: t.TempDir(), Durability: durability})
			c := h.people()
			quota := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, tollgate.MaxMoney)
			f := fate{settled: map[tollgate.RequestID]tollgate.Money{}, open: map[tollgate.RequestID]tollgate.Money{}}
			for n := range rounds(8, 200) {
				rnd := rand.New(rand.NewPCG(uint64(n), 13))
				f.live(h, c, rnd, rnd.IntN(40))
				free := func() {}
				if durability == sqlstore.DurableProcess {
					free = h.hold()
					f.live(h, c, rnd, rnd.IntN(40))
				} else {
					h.close() // withdrawals are not waited for
				}
				next := h.die()
				free()
				h.close()
				h = next
				f.check(h, quota)
			}
		})
	}
}

// check compares what a house says of every dispatch with what is known of it.
func (f *fate) check(h *house, quota int64) {
	h.t.Helper()
	if h.opened.Orphans != len(f.open) {
		h.t.Fatalf("%d orphans, want %d", h.opened.Orphans, len(f.open))
	}
	rows, intents := h.usage()
	if len(intents) != 0 {
		h.t.Fatalf("%d intents", len(intents))
	}
	known := map[tollgate.RequestID]tollgate.Money{}
	f.sum = 0
	for _, row := range rows {
		known[row.ID] = row.Cost
		f.sum += row.Cost
		if _, open := f.open[row.ID]; open != (row.Exactness == tollgate.ExactUnknownOutcome) && open {
			h.t.Fatalf("an orphan is %s", row.Exactness)
		}
	}
	maps.Copy(f.settled, f.open)
	clear(f.open)
	for id, cost := range f.settled {
		if got, ok := known[id]; !ok || got != cost {
			h.t.Fatalf("dispatch %d costs %s (there: %v), want %s", id, got, ok, cost)
		}
	}
	if len(known) != len(f.settled) || h.stored(quota).Spent != f.sum {
		h.t.Fatalf("%d rows, want %d; spent %s, rows add up to %s", len(known), len(f.settled), h.stored(quota).Spent, f.sum)
	}
	h.verify()
}
