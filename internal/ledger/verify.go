package ledger

import (
	"context"
	"math"
	"time"

	"tollgate"
)

// Report is what Verify found.
type Report struct {
	Quotas      int   // balances compared
	Dispatches  int64 // usage rows read
	Adjustments int
	// Open are intents of dispatches on their way.
	Open int64
	// Drifts are balances that are not the sum of their rows.
	Drifts []Drift
	// Rollups says whether the roll-ups by hour and by day are what the rows
	// add up to, in number and in cost, with those that retention has removed.
	Rollups bool
	// Stale are intents that stand although their dispatch is settled.
	Stale int64
}

// Drift is a balance that is not the sum of its rows.
type Drift struct {
	Quota    tollgate.Quota
	Expected tollgate.Money
}

// OK reports whether everything adds up.
func (r *Report) OK() bool {
	return len(r.Drifts) == 0 && r.Rollups && r.Stale == 0
}

// Verify recomputes every stored balance from settlements and adjustments, and
// the roll-ups from the rows, as they were at one moment. It changes nothing.
func Verify(ctx context.Context, store tollgate.Store, zone *time.Location) (*Report, error) {
	var r Report
	err := store.View(ctx, func(tx tollgate.Tx) error {
		quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		sums, err := addUp(ctx, tx, quotas, zone)
		if err != nil {
			return err
		}
		for i, q := range quotas {
			if q.Spent != sums[i] {
				r.Drifts = append(r.Drifts, Drift{Quota: q, Expected: sums[i]})
			}
		}
		totals, err := tx.Ledger.Totals(ctx)
		if err != nil {
			return err
		}
		adjustments, _, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{}, tollgate.Page{All: true})
		r.Quotas, r.Dispatches, r.Adjustments, r.Open, r.Stale = len(quotas), totals.Dispatches, len(adjustments), totals.Intents, totals.Stale
		cost, dispatches := totals.Cost+totals.RemovedCost, totals.Dispatches+totals.RemovedDispatches
		r.Rollups = totals.HourlyCost == cost && totals.DailyCost == cost && totals.HourlyDispatches == dispatches && totals.DailyDispatches == dispatches
		return err
	})
	return &r, err
}

// span is the window that a balance is about.
type span struct {
	first, past tollgate.RequestID
	start, end  time.Time
}

// addUp returns what each quota has spent in the window that it stands at,
// from the rows alone, in one pass over them.
func addUp(ctx context.Context, tx tollgate.Tx, quotas []tollgate.Quota, zone *time.Location) ([]tollgate.Money, error) {
	t := newTotals(quotas, zone)
	if err := tx.Ledger.Settlements(ctx, t.from, t.add); err != nil {
		return nil, err
	}
	byID := map[int64]int{}
	for i, q := range quotas {
		byID[q.ID] = i
	}
	adjustments, _, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{}, tollgate.Page{All: true})
	for _, a := range adjustments {
		i, ok := byID[a.QuotaID]
		if span := t.spans[i]; ok && !a.At.Before(span.start) && (span.end.IsZero() || a.At.Before(span.end)) {
			t.sums[i] += a.Amount
		}
	}
	return t.sums, err
}

// totals are what settlements add up to in quotas, each in the window that it
// stands at.
type totals struct {
	quotas  []tollgate.Quota
	spans   []span
	byOwner map[owner][]int
	from    tollgate.RequestID // no earlier one counts anywhere
	sums    []tollgate.Money
	last    []tollgate.RequestID // that counted
}

func newTotals(quotas []tollgate.Quota, zone *time.Location) *totals {
	t := &totals{
		quotas: quotas, spans: make([]span, len(quotas)), byOwner: map[owner][]int{}, from: math.MaxInt64,
		sums: make([]tollgate.Money, len(quotas)), last: make([]tollgate.RequestID, len(quotas)),
	}
	for i, q := range quotas {
		t.spans[i] = spanOf(q, zone)
		if q.Since != 0 {
			o := owner{rankOf(q.Scope), q.ScopeID}
			t.byOwner[o] = append(t.byOwner[o], i)
			t.from = min(t.from, max(q.Since, t.spans[i].first))
		}
	}
	return t
}

// add counts a settlement wherever it counts. Settlements come by id.
func (t *totals) add(s tollgate.Settlement) {
	for _, o := range ownersOf(&s) {
		for _, i := range t.byOwner[o] {
			if counts(t.quotas[i], s) && t.spans[i].first <= s.ID && s.ID < t.spans[i].past {
				t.sums[i] += s.Cost
				t.last[i] = s.ID
			}
		}
	}
}

// ownersOf are all whose quotas a settlement may count in.
func ownersOf(s *tollgate.Settlement) [5]owner {
	return [5]owner{{rankKey, s.KeyID}, {rankUser, s.UserID}, {rankTeam, s.TeamID}, {rankService, 0}, {rankInstance, 0}}
}

// spanOf is the window that a quota's balance stands at. One that has never
// moved stands at the beginning of time.
func spanOf(q tollgate.Quota, zone *time.Location) span {
	if q.Window == tollgate.WindowTotal {
		return span{past: math.MaxInt64}
	}
	_, end := q.Window.Bounds(q.WindowStart, zone)
	return span{first: tollgate.RequestIDAt(q.WindowStart), past: tollgate.RequestIDAt(end), start: q.WindowStart, end: end}
}
