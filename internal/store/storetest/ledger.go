package storetest

import (
	"context"
	"testing"
	"time"

	"tollgate"
)

// quotaOf stores a quota of the instance.
func quotaOf(t *testing.T, b *bench, w tollgate.Window) tollgate.Quota {
	t.Helper()
	limit := 10 * tollgate.Dollar
	q := tollgate.Quota{Scope: tollgate.ScopeInstance, Window: w, Limit: &limit}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Insert(ctx, &q) })
	return q
}

// wantBalance fails unless the quota's stored balance is this.
func wantBalance(t *testing.T, b *bench, id int64, spent tollgate.Money, start time.Time, since tollgate.RequestID) {
	t.Helper()
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		q, err := tx.Quotas.Get(ctx, id)
		must(t, err)
		if q.Spent != spent || !q.WindowStart.Equal(start) || q.Since != since {
			t.Fatalf("quota %d: spent %s from %v since %d, want %s from %v since %d", id, q.Spent, q.WindowStart, q.Since, spent, start, since)
		}
		return nil
	})
}

// intents returns the open intents.
func intents(t *testing.T, b *bench) (out []tollgate.Intent) {
	t.Helper()
	b.view(t, func(ctx context.Context, tx tollgate.Tx) (err error) {
		out, err = tx.Ledger.Intents(ctx)
		return err
	})
	return out
}

// totals returns the sums over the record.
func totals(t *testing.T, b *bench) (out tollgate.Totals) {
	t.Helper()
	b.view(t, func(ctx context.Context, tx tollgate.Tx) (err error) {
		out, err = tx.Ledger.Totals(ctx)
		return err
	})
	return out
}

// intentOf is what stands for the request's dispatch n before it goes out.
func intentOf(r tollgate.Request, n int, held tollgate.Money) tollgate.Intent {
	d := r.Dispatches[n-1]
	return tollgate.Intent{
		ID: d.ID, UserID: r.UserID, KeyID: r.KeyID, SessionID: r.SessionID, TeamID: r.TeamID, Service: r.Service, Dialect: r.Dialect,
		Operation: r.Operation, ProviderID: d.ProviderID, CredentialID: d.CredentialID, Model: d.Model, PriceVersion: d.PriceVersion, Held: held,
	}
}

func testIntents(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	first, second := request(ids, 1, day()), request(ids, 2, day())
	one, two := intentOf(first, 1, 50), intentOf(second, 1, 70)
	must(t, b.s.Append(t.Context(), nil, two, one))
	same(t, intents(t, b), []tollgate.Intent{one, two})
	grown, shrunk := one, two
	grown.Held, shrunk.Held = 80, 1
	must(t, b.s.Append(t.Context(), nil, grown, shrunk, one))
	same(t, intents(t, b), []tollgate.Intent{grown, two})

	// A second attempt settles the first one with it.
	next := intentOf(first, 2, 30)
	next.Settled = usageRows(first)[:1]
	must(t, b.s.Append(t.Context(), nil, next))
	next.Settled = nil
	same(t, intents(t, b), []tollgate.Intent{next, two})
	_, dispatches := recorded(t, b, tollgate.UsageFilter{})
	same(t, dispatches, usageRows(first)[:1])

	// The request brings both; what is there stays. A late word of an intent in
	// the same batch opens nothing.
	must(t, b.s.Append(t.Context(), []tollgate.Request{first}, next))
	same(t, intents(t, b), []tollgate.Intent{two})
	requests, dispatches := recorded(t, b, tollgate.UsageFilter{})
	same(t, requests, []tollgate.Request{bare(first)})
	same(t, dispatches, usageRows(first))
	must(t, b.s.Append(t.Context(), []tollgate.Request{second}))
	same(t, intents(t, b), nil)

	// Nothing went out: the intent is taken back, wherever it is.
	third := intentOf(request(ids, 3, day()), 1, 5)
	must(t, b.s.Append(t.Context(), nil, third))
	void := third
	void.Void = true
	must(t, b.s.Append(t.Context(), nil, void))
	must(t, b.s.Append(t.Context(), nil, third, void))
	must(t, b.s.Append(t.Context(), nil, void))
	same(t, intents(t, b), nil)
	if got := totals(t, b); got.Dispatches != 4 || got.Intents != 0 || got.Stale != 0 {
		t.Fatalf("totals %+v", got)
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		last, err := tx.Ledger.LastID(ctx)
		must(t, err)
		if want := second.ID.Dispatch(2); last != want {
			t.Fatalf("the last id is %d, want %d", last, want)
		}
		return nil
	})
}

func testCharges(b *bench) {
	t := b.t
	total, daily := quotaOf(t, b, tollgate.WindowTotal), quotaOf(t, b, tollgate.WindowDay)
	ids := new(tollgate.RequestIDs)
	today := day().Truncate(24 * time.Hour)
	tomorrow := today.AddDate(0, 0, 1)
	spend := func(cost tollgate.Money, start time.Time) tollgate.Request {
		r := request(ids, 1, day())
		r.Dispatches = r.Dispatches[:1]
		r.Dispatches[0].Cost = cost
		r.Dispatches[0].Charges = []tollgate.Charge{{QuotaID: total.ID}, {QuotaID: daily.ID, WindowStart: start}}
		return r
	}
	first := spend(5, today)
	in := intentOf(first, 1, 9)
	in.Opens = []tollgate.Opening{{QuotaID: total.ID, Since: first.ID}, {QuotaID: daily.ID, Since: first.ID}}
	must(t, b.s.Append(t.Context(), nil, in))
	wantBalance(t, b, daily.ID, 0, time.Time{}, first.ID)
	again := intentOf(first, 1, 9)
	again.Opens = []tollgate.Opening{{QuotaID: total.ID, Since: first.ID + 16}}
	must(t, b.s.Append(t.Context(), nil, again)) // a quota opens once
	second, late, next := spend(7, today), spend(100, today), spend(2, tomorrow)
	must(t, b.s.Append(t.Context(), []tollgate.Request{first, second, first}))
	must(t, b.s.Append(t.Context(), []tollgate.Request{second}))
	wantBalance(t, b, total.ID, 12, time.Time{}, first.ID)
	wantBalance(t, b, daily.ID, 12, today, first.ID)
	// One batch over midnight, then one that is late.
	must(t, b.s.Append(t.Context(), []tollgate.Request{next, spend(1000, today)}))
	wantBalance(t, b, daily.ID, 2, tomorrow, first.ID)
	must(t, b.s.Append(t.Context(), []tollgate.Request{late}))
	wantBalance(t, b, daily.ID, 2, tomorrow, first.ID)
	wantBalance(t, b, total.ID, 1114, time.Time{}, first.ID)
	var sum tollgate.Money
	var n int
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		return tx.Ledger.Settlements(ctx, second.ID, func(s tollgate.Settlement) {
			n, sum = n+1, sum+s.Cost
			if s.UserID != 1 || s.KeyID != 2 || s.TeamID != 4 || !s.Service || s.ID < second.ID {
				t.Errorf("settlement %+v", s)
			}
		})
	})
	if n != 4 || sum != 1109 {
		t.Fatalf("%d settlements of %d in all, want 4 of 1109", n, sum)
	}
	gone := spend(3, tomorrow) // of a quota that is deleted meanwhile
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Quotas.Delete(ctx, daily.ID) })
	must(t, b.s.Append(t.Context(), []tollgate.Request{gone}))
	wantBalance(t, b, total.ID, 1117, time.Time{}, first.ID)
	b.reopen(t)
	wantBalance(t, b, total.ID, 1117, time.Time{}, first.ID)
}

func testRollups(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	var rows []tollgate.Request
	for i := range 6 {
		rows = append(rows, request(ids, int64(i%2), day().Add(time.Duration(i/3)*9*time.Hour)))
	}
	must(t, b.s.Append(t.Context(), rows[:2]))
	must(t, b.s.Append(t.Context(), rows))
	must(t, b.s.Append(t.Context(), rows[3:]))
	got := totals(t, b)
	const cost = 6 * 2_000_001
	want := tollgate.Totals{Dispatches: 12, Cost: cost, HourlyDispatches: 12, HourlyCost: cost, DailyDispatches: 12, DailyCost: cost}
	same(t, got, want)
}

// adjustment corrects q by amount.
func adjustment(q tollgate.Quota, start time.Time, amount tollgate.Money) tollgate.Adjustment {
	return tollgate.Adjustment{
		At: day(), Kind: tollgate.AdjustCorrection, QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: start,
		Amount: amount, Reason: "written by an admin", ActorID: 1, ActorName: "root", Via: "api_key",
	}
}

func testAdjustments(b *bench) {
	t := b.t
	q := quotaOf(t, b, tollgate.WindowDay)
	today := day().Truncate(24 * time.Hour)
	up, down := adjustment(q, today, 50), adjustment(q, today, -20)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Ledger.Adjust(ctx, &up))
		return tx.Ledger.Adjust(ctx, &down)
	})
	wantBalance(t, b, q.ID, 30, today, 0)
	wantField(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error {
		a := adjustment(q, today, -31)
		return tx.Ledger.Adjust(ctx, &a)
	}), tollgate.CodeInvalid, "spent")
	wantField(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error {
		a := adjustment(q, today, tollgate.MaxMoney+1)
		return tx.Ledger.Adjust(ctx, &a)
	}), tollgate.CodeInvalid, "amount")
	wantCode(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error {
		a := adjustment(tollgate.Quota{ID: unknown}, today, 1)
		return tx.Ledger.Adjust(ctx, &a)
	}), tollgate.CodeNotFound)
	carry := adjustment(q, today, 7)
	carry.Kind = tollgate.AdjustCarry
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Ledger.Adjust(ctx, &carry) })
	wantBalance(t, b, q.ID, 30, today, 0)
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		rows, next, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{QuotaID: tollgate.Is(q.ID)}, tollgate.Page{})
		must(t, err)
		same(t, rows, []tollgate.Adjustment{up, down, carry})
		if next != nil {
			t.Fatal("a second page of three rows")
		}
		rows, _, err = tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{AfterID: down.ID}, tollgate.Page{})
		must(t, err)
		same(t, rows, []tollgate.Adjustment{carry})
		return nil
	})
}

func testBalancesAreDerived(b *bench) {
	t := b.t
	q := quotaOf(t, b, tollgate.WindowMonth)
	start := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		a := adjustment(q, start, 5)
		must(t, tx.Ledger.Adjust(ctx, &a))
		old, err := tx.Quotas.Get(ctx, q.ID)
		must(t, err)
		old.Spent, old.WindowStart, old.Since = 99, day(), 64
		return tx.Quotas.Update(ctx, old)
	})
	wantBalance(t, b, q.ID, 5, start, 0)
	later := start.AddDate(0, 1, 0)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Ledger.Restate(ctx, q.ID, later, 3) })
	wantBalance(t, b, q.ID, 3, later, 0)
	wantCode(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Ledger.Restate(ctx, unknown, later, 3) }), tollgate.CodeNotFound)
	wantField(t, b.try(t, func(ctx context.Context, tx tollgate.Tx) error { return tx.Ledger.Restate(ctx, q.ID, later, -1) }), tollgate.CodeInvalid, "spent")
}

func testBadCosts(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	for _, cost := range []tollgate.Money{-1, tollgate.MaxCost + 1} {
		r := request(ids, 1, day())
		r.Dispatches[1].Cost = cost
		wantCode(t, b.s.Append(t.Context(), []tollgate.Request{request(ids, 1, day()), r}), tollgate.CodeInvalid)
	}
	r := request(ids, 1, day())
	bad := intentOf(r, 1, -1)
	wantCode(t, b.s.Append(t.Context(), nil, bad), tollgate.CodeInvalid)
	bad = intentOf(r, 1, 1)
	bad.ID = r.ID
	wantCode(t, b.s.Append(t.Context(), nil, bad), tollgate.CodeInvalid)
	bad.ID, bad.Settled = r.ID.Dispatch(2), usageRows(request(ids, 1, day()))
	wantCode(t, b.s.Append(t.Context(), nil, bad), tollgate.CodeInvalid)
	if got := totals(t, b); got != (tollgate.Totals{}) {
		t.Fatalf("something was stored: %+v", got)
	}
	r.Dispatches[0].Cost = tollgate.MaxCost
	must(t, b.s.Append(t.Context(), []tollgate.Request{r}))
}

// testRemoval removes old rows in steps: a request goes with its dispatches,
// roll-ups stay, and what is gone is known.
func testRemoval(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	var rows []tollgate.Request
	for i := range 10 {
		rows = append(rows, request(ids, int64(i%2), day().Add(time.Duration(i)*time.Hour)))
	}
	must(t, b.s.Append(t.Context(), rows))
	quiet := 0
	b.s.Watch(func(context.Context, tollgate.Area) error { quiet++; return nil })
	var gone, steps int
	for more := true; more; steps++ {
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			out, err := tx.Ledger.Remove(ctx, rows[7].ID, 3)
			must(t, err)
			if int64(len(out.Settlements)) != 2*out.Requests || out.Requests > 3 {
				t.Fatalf("a step took %d requests and %d dispatches", out.Requests, len(out.Settlements))
			}
			for _, s := range out.Settlements {
				same(t, s.ID, rows[gone/2].Row(gone%2).ID)
				gone++
			}
			more = out.More
			return nil
		})
	}
	if gone != 14 || steps < 3 || quiet != 0 {
		t.Fatalf("%d dispatches in %d steps, the feed ran %d times", gone, steps, quiet)
	}
	got := totals(t, b)
	const cost = 2_000_001 // of a request
	same(t, got, tollgate.Totals{
		Dispatches: 6, Cost: 3 * cost, HourlyDispatches: 20, HourlyCost: 10 * cost, DailyDispatches: 20, DailyCost: 10 * cost,
		RemovedDispatches: 14, RemovedCost: 7 * cost,
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		n, err := tx.Usage.CountRequests(ctx, tollgate.RequestFilter{})
		must(t, err)
		same(t, n, 3)
		return nil
	})
}

// testCarry lets one carry grow for each window of a quota; no balance moves.
func testCarry(b *bench) {
	t := b.t
	q := quotaOf(t, b, tollgate.WindowDay)
	today := day().Truncate(24 * time.Hour)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i, start := range []time.Time{today, today, today.AddDate(0, 0, 1), today} {
			a := adjustment(q, start, tollgate.Money(1+i))
			a.At = start.Add(time.Duration(i) * time.Hour)
			must(t, tx.Ledger.Carry(ctx, &a))
		}
		rows, _, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{QuotaID: tollgate.Is(q.ID)}, tollgate.Page{})
		must(t, err)
		if len(rows) != 2 || rows[0].Amount != 1+2+4 || !rows[0].At.Equal(today.Add(3*time.Hour)) || rows[1].Amount != 3 || rows[0].Kind != tollgate.AdjustCarry {
			t.Fatalf("carries: %+v", rows)
		}
		return nil
	})
	wantBalance(t, b, q.ID, 0, time.Time{}, 0)
}
