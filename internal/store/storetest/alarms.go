package storetest

import (
	"context"
	"time"

	"tollgate"
)

func testReratings(b *bench) {
	t := b.t
	record := func(version int64) tollgate.Rerating {
		return tollgate.Rerating{
			At: day(), Since: day().AddDate(0, -1, 0), Until: day(), Selection: "model m", PriceVersion: version, BookVersion: 9, Dispatches: 7,
			Changed: 2, Before: 5, After: 6, Reason: "typo", ActorID: 3, ActorName: "root", Via: "session",
		}
	}
	note := func(id, version int64, was, cost tollgate.Money) tollgate.Rerated {
		return tollgate.Rerated{Settlement: tollgate.Settlement{ID: tollgate.RequestID(id), Cost: cost}, Was: was, PriceVersion: version}
	}
	first, second := record(0), record(4)
	many := make([]tollgate.Rerated, 1200) // more than one statement
	for i := range many {
		many[i] = note(int64(i+1), 9, 1, 2)
	}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Ledger.Rerate(ctx, &first, many))
		return tx.Ledger.Rerate(ctx, &second, []tollgate.Rerated{note(7, 4, 2, 3)})
	})
	wantCode(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error {
		bad := record(0)
		return tx.Ledger.Rerate(ctx, &bad, []tollgate.Rerated{note(8, 1, 1, -1)})
	}), tollgate.CodeInternal)
	b.reopen(t)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		rows, next, err := tx.Ledger.Reratings(ctx, tollgate.Page{})
		must(t, err)
		same(t, rows, []tollgate.Rerating{first, second})
		if next != nil {
			t.Fatal("a second page of two rows")
		}
		got, err := tx.Ledger.Rerated(ctx, 6, 8)
		must(t, err)
		want := []tollgate.Rerated{note(6, 9, 1, 2), note(7, 4, 2, 3), note(8, 9, 1, 2)}
		want[0].ReratingID, want[1].ReratingID, want[2].ReratingID = first.ID, second.ID, first.ID
		same(t, got, want)
		got, err = tx.Ledger.Rerated(ctx, 1, 5000)
		if len(got) != len(many) {
			t.Fatalf("%d are noted, want %d", len(got), len(many))
		}
		return err
	})
}

// alarm is an alarm with every field set.
func alarm(event, subject string) tollgate.Alarm {
	return tollgate.Alarm{
		EventID: event, Kind: tollgate.AlarmQuota, Subject: subject, Open: true, At: day(), QuotaID: 1, Scope: tollgate.ScopeKey, ScopeID: 2, UserID: 3,
		Window: tollgate.WindowDay, WindowStart: day().Truncate(24 * time.Hour), WindowEnd: day().AddDate(0, 0, 1), Threshold: 80, Limit: 10, Spent: 8,
		ProviderID: 4, Model: "m", Attempts: 2, NextAt: day().Add(time.Minute), SentAt: day().Add(time.Hour), Failure: "503",
		AcknowledgedAt: day().Add(2 * time.Hour), AcknowledgedBy: 5,
	}
}

func testAlarms(b *bench) {
	t := b.t
	one, two := alarm("e1", "a"), alarm("e2", "b")
	two.NextAt, two.AcknowledgedAt, two.AcknowledgedBy, two.UserID = time.Time{}, time.Time{}, 0, 0
	two.Kind = tollgate.AlarmUnpriced
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Alarms.Insert(ctx, &one))
		must(t, tx.Alarms.Insert(ctx, &two))
		again := alarm("e3", "a")
		wantField(t, tx.Alarms.Insert(ctx, &again), tollgate.CodeConflict, "subject")
		again = alarm("e1", "c")
		wantField(t, tx.Alarms.Insert(ctx, &again), tollgate.CodeConflict, "event_id")
		again = alarm("e4", "c")
		again.Kind = "fire"
		wantField(t, tx.Alarms.Insert(ctx, &again), tollgate.CodeInvalid, "kind")
		return nil
	})
	yes, no := true, false
	selects := func(f tollgate.AlarmFilter, want ...tollgate.Alarm) {
		t.Helper()
		b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
			rows, _, err := tx.Alarms.Query(ctx, f, tollgate.Page{})
			must(t, err)
			same(t, rows, want)
			return nil
		})
	}
	selects(tollgate.AlarmFilter{}, one, two)
	selects(tollgate.AlarmFilter{Kind: tollgate.Is(tollgate.AlarmUnpriced)}, two)
	selects(tollgate.AlarmFilter{Subject: tollgate.Is("a"), QuotaID: tollgate.Is(int64(1)), Scope: tollgate.Is(tollgate.ScopeKey), Open: &yes}, one)
	selects(tollgate.AlarmFilter{UserID: tollgate.Is(int64(3))}, one)
	selects(tollgate.AlarmFilter{Open: &yes, At: one.WindowEnd.Add(-time.Second)}, one, two)
	selects(tollgate.AlarmFilter{Open: &yes, At: one.WindowEnd})
	selects(tollgate.AlarmFilter{Open: &no, At: one.WindowEnd}, one, two)
	selects(tollgate.AlarmFilter{Before: one.At})
	selects(tollgate.AlarmFilter{Before: one.At.Add(time.Second)}, one, two)
	selects(tollgate.AlarmFilter{Acknowledged: &no}, two)
	selects(tollgate.AlarmFilter{Acknowledged: &yes}, one)
	selects(tollgate.AlarmFilter{Pending: true}, one)
	selects(tollgate.AlarmFilter{DueBy: one.NextAt}, one)
	selects(tollgate.AlarmFilter{DueBy: one.NextAt.Add(-time.Microsecond)})
	one.Open, one.NextAt = false, time.Time{}
	next := alarm("e5", "a")
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Alarms.Update(ctx, one))
		return tx.Alarms.Insert(ctx, &next) // the subject is free again
	})
	selects(tollgate.AlarmFilter{Open: &no}, one)
	b.reopen(t)
	selects(tollgate.AlarmFilter{}, one, two, next)
}
