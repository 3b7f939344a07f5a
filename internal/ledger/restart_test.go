package ledger_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
)

// restart forgets all usage and makes balances begin anew.
func (h *house) restart() (forgotten int64, moved int) {
	h.t.Helper()
	h.update(func(ctx context.Context, tx tollgate.Tx) (err error) {
		if forgotten, err = tx.Usage.ForgetUsage(ctx); err != nil {
			return err
		}
		moved, err = ledger.Restart(ctx, tx, tollgate.HostActor("cli"), h.clock.now(), h.zone, "system reset")
		return err
	})
	return forgotten, moved
}

func (h *house) wantBalances(want tollgate.Money, ids ...int64) {
	h.t.Helper()
	for _, id := range ids {
		b, _ := h.Balance(id, h.clock.now())
		if q := h.stored(id); q.SpentAt(h.clock.now(), time.UTC) != want || b.Spent != want {
			h.t.Errorf("quota %d: %s stored, %s in memory, want %s", id, q.Spent, b.Spent, want)
		}
	}
	if r := h.verify(); !r.OK() {
		h.t.Errorf("verify: %+v", r)
	}
}

func TestRestartedBalancesAreTheSumOfTheirRows(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		c := h.people()
		total := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, 1_000_000)
		day := h.quota(tollgate.ScopeKey, c.KeyID, tollgate.WindowDay, 1_000_000)
		untouched := h.quota(tollgate.ScopeService, 0, tollgate.WindowMonth, 5)
		for range 5 {
			if err := h.spend(c, 100); err != nil {
				t.Fatal(err)
			}
		}
		h.update(func(ctx context.Context, tx tollgate.Tx) error { // an admin's correction, which stays
			return tx.Ledger.Adjust(ctx, &tollgate.Adjustment{At: h.clock.now(), Kind: tollgate.AdjustCorrection, QuotaID: total, Window: tollgate.WindowTotal, Amount: -150})
		})
		h.wantBalances(350, total)
		h.wantBalances(500, day)
		if n, moved := h.restart(); n != 5 || moved != 2 {
			t.Errorf("%d dispatches forgotten, %d balances moved, want 5 and 2", n, moved)
		}
		h.wantBalances(0, total, day, untouched)
		if err := h.spend(c, 7); err != nil {
			t.Fatal(err)
		}
		h.wantBalances(7, total, day)
		h.clock.move(48 * time.Hour) // the stored window of the day is over
		h.restart()
		h.wantBalances(0, total, day, untouched)
		h.reopen()
		h.wantBalances(0, total, day, untouched)
	})
}

// TestRestartBesideTraffic forgets usage again and again while others spend.
func TestRestartBesideTraffic(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		c := h.people()
		id := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, 1_000_000_000)
		var spenders sync.WaitGroup
		for range 4 {
			spenders.Go(func() {
				for range 50 {
					if err := h.spend(c, 3); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		var forgotten int64
		for range 20 {
			n, _ := h.restart()
			forgotten += n
		}
		spenders.Wait()
		rows, _ := h.usage()
		if int(forgotten)+len(rows) != 200 {
			t.Errorf("%d dispatches were forgotten and %d are there, want 200 together", forgotten, len(rows))
		}
		h.wantBalances(tollgate.Money(3*len(rows)), id)
	})
}
