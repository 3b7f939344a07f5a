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
	// add up to, in number and in cost.
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
		r.Rollups = totals.HourlyCost == totals.Cost && totals.DailyCost == totals.Cost &&
			totals.HourlyDispatches == totals.Dispatches && totals.DailyDispatches == totals.Dispatches
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
	sums := make([]tollgate.Money, len(quotas))
	spans := make([]span, len(quotas))
	byOwner, byID := map[owner][]int{}, map[int64]int{}
	from := tollgate.RequestID(math.MaxInt64)
	for i, q := range quotas {
		spans[i] = spanOf(q, zone)
		byID[q.ID] = i
		if q.Since != 0 {
			o := owner{rankOf(q.Scope), q.ScopeID}
			byOwner[o] = append(byOwner[o], i)
			from = min(from, max(q.Since, spans[i].first))
		}
	}
	err := tx.Ledger.Settlements(ctx, from, func(s tollgate.Settlement) {
		for _, o := range ownersOf(&s) {
			for _, i := range byOwner[o] {
				if counts(quotas[i], s) && spans[i].first <= s.ID && s.ID < spans[i].past {
					sums[i] += s.Cost
				}
			}
		}
	})
	if err != nil {
		return nil, err
	}
	adjustments, _, err := tx.Ledger.Adjustments(ctx, tollgate.AdjustmentFilter{}, tollgate.Page{All: true})
	for _, a := range adjustments {
		i, ok := byID[a.QuotaID]
		if ok && !a.At.Before(spans[i].start) && (spans[i].end.IsZero() || a.At.Before(spans[i].end)) {
			sums[i] += a.Amount
		}
	}
	return sums, err
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
