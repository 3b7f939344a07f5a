package ledger_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
)

// usage reads every dispatch and open intent.
func (h *house) usage() (rows []tollgate.UsageRow, intents []tollgate.Intent) {
	h.t.Helper()
	ctx := h.t.Context()
	err := h.store.View(ctx, func(tx tollgate.Tx) (err error) {
		if rows, _, err = tx.Usage.Dispatches(ctx, tollgate.UsageFilter{}, tollgate.Page{All: true}); err != nil {
			return err
		}
		intents, err = tx.Ledger.Intents(ctx)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return rows, intents
}

func TestADispatchIsWrittenDownBeforeItGoesOutAndOnceAfterwards(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		c := h.people()
		id := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, 100)
		r := h.request(c)
		first, other := dispatch(r, 1), dispatch(r, 2)
		claim, err := h.Begin(t.Context(), r, first, 40)
		if err != nil {
			t.Fatal(err)
		}
		rows, intents := h.usage()
		if len(rows) != 0 || len(intents) != 1 || intents[0].ID != first.ID || intents[0].Held != 40 || h.stored(id).Since == 0 {
			t.Fatalf("before the dispatch: %d rows, intents %+v, quota %+v", len(rows), intents, h.stored(id))
		}
		first.ErrorClass, first.Status, first.Cost = "status", 503, 1
		claim, err = claim.Next(t.Context(), r, first, other, 50)
		if err != nil {
			t.Fatal(err)
		}
		r.Dispatches = append(r.Dispatches, *first)
		rows, intents = h.usage()
		if len(rows) != 1 || rows[0].Cost != 1 || rows[0].Status != 503 || len(intents) != 1 || intents[0].ID != other.ID || h.stored(id).Spent != 1 {
			t.Fatalf("after the first attempt: rows %+v, intents %+v, spent %s", rows, intents, h.stored(id).Spent)
		}
		if err := claim.Extend(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
		if other.Cost = 4; !claim.Settle(other) {
			t.Fatal("an open claim could not be settled")
		}
		r.Dispatches = append(r.Dispatches, *other)
		last := dispatch(r, 3) // begun anew: what is settled goes along
		if claim, err = h.Begin(t.Context(), r, last, 61); err != nil {
			t.Fatal(err)
		}
		if rows, _ := h.usage(); len(rows) != 2 || h.stored(id).Spent != 5 {
			t.Fatalf("after the second attempt: %d rows, %s spent", len(rows), h.stored(id).Spent)
		}
		if err := h.finish(r, last, claim, 61); err != nil {
			t.Fatal(err)
		}
		if claim.Settle(other) {
			t.Fatal("settled twice")
		}
		claim.Withdraw() // too late: it does nothing
		if err := h.Record(t.Context(), *r); err != nil {
			t.Fatal(err)
		}
		rows, intents = h.usage()
		if len(rows) != 3 || len(intents) != 0 || h.stored(id).Spent != 66 {
			t.Fatalf("in the end: %d rows, %d intents, spent %s", len(rows), len(intents), h.stored(id).Spent)
		}
		if got := h.verify(); got.Dispatches != 3 || got.Quotas != 1 || got.Open != 0 {
			t.Fatalf("report %+v", got)
		}
	})
}

func TestWhatNeverWentOutLeavesNoTrace(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	c := h.people()
	id := h.quota(tollgate.ScopeKey, c.KeyID, tollgate.WindowTotal, 100)
	r := h.request(c)
	claim, err := h.Begin(t.Context(), r, dispatch(r, 1), 40)
	if err != nil {
		t.Fatal(err)
	}
	claim.Withdraw()
	claim.Withdraw()
	gone, leave := context.WithCancel(t.Context())
	leave()
	r = h.request(c)
	if _, err := h.Begin(gone, r, dispatch(r, 1), 40); err == nil {
		t.Fatal("a dispatch of somebody who left may go out")
	}
	if err := h.spend(c, 100); err != nil {
		t.Fatal(err)
	}
	rows, intents := h.usage()
	if len(rows) != 1 || len(intents) != 0 {
		t.Fatalf("%d rows and %d intents, want 1 and 0", len(rows), len(intents))
	}
	if b, _ := h.Balance(id, h.clock.now()); b.Held != 0 || b.Spent != 100 {
		t.Fatalf("balance %+v", b)
	}
	h.verify()
}

func TestWhatWasUnderWayIsClosedAtItsHoldOnTheNextStart(t *testing.T) {
	onEngines(t, func(t *testing.T, o sqlstore.Options) {
		t.Helper()
		h := newHouse(t, o)
		c := h.people()
		user := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, 1000)
		daily := h.quota(tollgate.ScopeTeam, c.TeamID, tollgate.WindowDay, 1000)
		if err := h.spend(c, 5); err != nil {
			t.Fatal(err)
		}
		grown := h.request(c)
		claim, err := h.Begin(t.Context(), grown, dispatch(grown, 1), 10)
		if err != nil {
			t.Fatal(err)
		}
		if err := claim.Extend(t.Context(), 7); err != nil {
			t.Fatal(err)
		}
		tried := h.request(c)
		first, next := dispatch(tried, 1), dispatch(tried, 2)
		if claim, err = h.Begin(t.Context(), tried, first, 30); err != nil {
			t.Fatal(err)
		}
		if _, err = claim.Next(t.Context(), tried, first, next, 20); err != nil {
			t.Fatal(err)
		}
		late := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowMonth, 1000) // stands since then, and counts none of them
		last := next.ID
		h.clock.move(-time.Hour) // and the clock is set back meanwhile
		h.reopen()
		if h.opened.Orphans != 2 {
			t.Fatalf("%d orphans, want 2", h.opened.Orphans)
		}
		if id := h.request(c).ID; id <= last {
			t.Fatalf("an id goes back: %d after %d", id, last)
		}
		rows, intents := h.usage()
		if len(intents) != 0 || len(rows) != 4 {
			t.Fatalf("%d intents, %d rows", len(intents), len(rows))
		}
		unknown := 0
		for _, row := range rows {
			if row.Exactness == tollgate.ExactUnknownOutcome {
				unknown++
				if want := map[tollgate.RequestID]tollgate.Money{grown.ID.Dispatch(1): 17, next.ID: 20}[row.ID]; row.Cost != want || row.UserID != c.UserID {
					t.Fatalf("orphan %+v costs %s, want %s", row, row.Cost, want)
				}
			}
		}
		if unknown != 2 {
			t.Fatalf("%d rows are flagged, want 2", unknown)
		}
		for id, want := range map[int64]tollgate.Money{user: 42, daily: 42, late: 0} {
			if got := h.stored(id); got.Spent != want {
				t.Fatalf("quota %d has spent %s, want %s", id, got.Spent, want)
			}
			if b, ok := h.Balance(id, h.clock.now()); !ok || b.Held != 0 || b.Spent != want {
				t.Fatalf("quota %d in memory: %+v", id, b)
			}
		}
		h.verify()
		before := rows
		h.reopen()
		rows, _ = h.usage()
		if diff := cmp.Diff(before, rows, cmpopts.EquateComparable()); diff != "" || h.opened.Orphans != 0 {
			t.Fatalf("a second start closed %d again: %s", h.opened.Orphans, diff)
		}
		h.verify()
	})
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	h := newHouse(t, sqlstore.Options{Dir: t.TempDir()})
	c := h.people()
	id := h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowDay, 1000)
	for range 3 {
		if err := h.spend(c, 5); err != nil {
			t.Fatal(err)
		}
	}
	h.update(func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
			At: h.clock.now(), Kind: tollgate.AdjustCorrection, QuotaID: id, Window: tollgate.WindowDay,
			WindowStart: noon().Truncate(24 * time.Hour), Amount: 100, Reason: "a correction",
		})
	})
	if got := h.verify(); got.Adjustments != 1 || got.Dispatches != 3 {
		t.Fatalf("report %+v", got)
	}
	if b, _ := h.Balance(id, h.clock.now()); b.Spent != 115 {
		t.Fatalf("the machine says %s", b.Spent)
	}
	h.update(func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Ledger.Restate(ctx, id, noon().Truncate(24*time.Hour), 114)
	})
	report, err := ledger.Verify(t.Context(), h.store, h.zone)
	if err != nil || report.OK() || len(report.Drifts) != 1 || report.Drifts[0].Expected != 115 || report.Drifts[0].Quota.Spent != 114 {
		t.Fatalf("report %+v", report)
	}
}
