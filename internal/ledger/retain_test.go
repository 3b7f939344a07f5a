package ledger_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
)

// retainer removes the rows of h in steps of a few, and verifies after each.
func (h *house) retainer() *ledger.Retainer {
	return &ledger.Retainer{
		Store: h.store, Zone: h.zone, Now: h.clock.now, Log: slog.New(slog.DiscardHandler), Step: 3,
		Took: func(time.Duration) { h.verify() },
	}
}

func (h *house) remove(before time.Time) ledger.Removed {
	h.t.Helper()
	out, err := h.retainer().Run(h.t.Context(), before)
	if err != nil {
		h.t.Fatal(err)
	}
	return out
}

// TestRemovalLeavesBalancesExact spends over four months in quotas of every
// scope and window, removes what is old bit by bit, and finds every balance as
// it was, in memory, in the store, and after a restart, with rows of all ages
// and of none left.
func TestRemovalLeavesBalancesExact(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		alice, bob := h.people(), h.people()
		var quotas []int64
		for _, w := range []tollgate.Window{tollgate.WindowTotal, tollgate.WindowDay, tollgate.WindowWeek, tollgate.WindowMonth} {
			quotas = append(quotas,
				h.quota(tollgate.ScopeUser, alice.UserID, w, tollgate.MaxMoney), h.quota(tollgate.ScopeKey, bob.KeyID, w, tollgate.MaxMoney),
				h.quota(tollgate.ScopeTeam, bob.TeamID, w, tollgate.MaxMoney), h.quota(tollgate.ScopeInstance, 0, w, tollgate.MaxMoney),
				h.quota(tollgate.ScopeService, 0, w, tollgate.MaxMoney))
		}
		const spends = 40
		for i := range spends {
			for _, c := range []ledger.Chain{alice, bob, {Service: true}} {
				if i > 20 && c == bob {
					continue // whose windows stand still since
				}
				if err := h.spend(c, tollgate.Money(i+1)*tollgate.Dollar); err != nil {
					t.Fatal(err)
				}
			}
			h.clock.move(3 * 24 * time.Hour)
		}
		before := map[int64]tollgate.Quota{}
		for _, id := range quotas {
			before[id] = h.stored(id)
		}
		same := func(when string) {
			t.Helper()
			for _, id := range quotas {
				q, was := h.stored(id), before[id]
				b, _ := h.Balance(id, h.clock.now())
				if q.Spent != was.Spent || !q.WindowStart.Equal(was.WindowStart) || b.Spent != q.SpentAt(h.clock.now(), h.zone) {
					t.Errorf("%s: quota %+v has spent %s in memory, was %+v", when, q, b.Spent, was)
				}
			}
		}
		var gone int64
		for _, age := range []int{200, 90, 89, 40, 2, -1} {
			gone += h.remove(h.clock.now().AddDate(0, 0, -age)).Dispatches
			same("in steps")
		}
		usage, _ := h.usage()
		if want := int64(3*spends - spends + 21); gone != want || len(usage) != 0 {
			t.Errorf("%d dispatches of %d were removed, %d are left", gone, want, len(usage))
		}
		if again := h.remove(h.clock.now()); again.Requests+again.Dispatches != 0 {
			t.Errorf("removed twice: %+v", again)
		}
		h.reopen()
		same("after a restart")
		if err := h.spend(alice, tollgate.Dollar); err != nil {
			t.Fatal(err)
		}
		h.zone = time.FixedZone("Far/East", 9*60*60)
		h.reopen()
		r := h.verify()
		if r.Adjustments > len(quotas) {
			t.Errorf("%d carries for %d quotas", r.Adjustments, len(quotas))
		}
		// A reset of all statistics forgets what was removed, too.
		h.update(func(ctx context.Context, tx tollgate.Tx) error {
			if _, err := tx.Usage.ForgetUsage(ctx); err != nil {
				return err
			}
			_, err := ledger.Restart(ctx, tx, tollgate.HostActor("test"), h.clock.now(), h.zone, "reset")
			return err
		})
		h.verify()
		for _, id := range quotas {
			if q := h.stored(id); q.Spent != 0 {
				t.Errorf("after a reset quota %d has spent %s", id, q.Spent)
			}
		}
	})
}

// stopping ends a context after some steps.
type stopping struct {
	tollgate.Store
	steps  int
	cancel context.CancelFunc
}

func (s *stopping) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	if s.steps--; s.steps == 0 {
		s.cancel()
	}
	return s.Store.Update(context.WithoutCancel(ctx), fn)
}

// TestARemovalThatBreaksOffGoesOn stops in the middle, and after a restart the
// rest goes.
func TestARemovalThatBreaksOffGoesOn(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		alice := h.people()
		total := h.quota(tollgate.ScopeUser, alice.UserID, tollgate.WindowTotal, tollgate.MaxMoney)
		for range 20 {
			if err := h.spend(alice, tollgate.Dollar); err != nil {
				t.Fatal(err)
			}
			h.clock.move(time.Hour)
		}
		ctx, cancel := context.WithCancel(t.Context())
		r := h.retainer()
		r.Store = &stopping{h.store, 2, cancel}
		if out, err := r.Run(ctx, h.clock.now()); !errors.Is(err, context.Canceled) || out.Dispatches == 0 || out.Dispatches == 20 {
			t.Fatalf("%+v, %v", out, err)
		}
		h.verify()
		h.reopen()
		h.remove(h.clock.now())
		if q := h.stored(total); q.Spent != 20*tollgate.Dollar {
			t.Errorf("the balance is %s", q.Spent)
		}
		if usage, _ := h.usage(); len(usage) != 0 {
			t.Errorf("%d rows are left", len(usage))
		}
	})
}
