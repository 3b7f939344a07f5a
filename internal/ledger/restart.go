package ledger

import (
	"cmp"
	"context"
	"time"

	"tollgate"
)

// Restart makes every balance begin at 0 anew, in the transaction that removed
// the settlements: what they added up to is carried, so that each balance is
// still the sum of its rows, and then taken off by a correction. Corrections of
// before stay. It returns how many balances were not 0.
func Restart(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, now time.Time, zone *time.Location, reason string) (int, error) {
	zone = cmp.Or(zone, time.UTC)
	quotas, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, tollgate.Page{All: true})
	if err != nil {
		return 0, err
	}
	sums, err := addUp(ctx, tx, quotas, zone)
	if err != nil {
		return 0, err
	}
	moved := 0
	for i, q := range quotas {
		if q.Spent != 0 {
			moved++
		}
		if err := restart(ctx, tx, by, within(q, now, zone), q, q.Spent-sums[i], reason); err != nil {
			return 0, err
		}
	}
	return moved, nil
}

// restart carries what was settled and takes the balance off.
func restart(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, at time.Time, q tollgate.Quota, settled tollgate.Money, reason string) error {
	e := by.Entry(at, "", "", 0)
	for _, step := range []struct {
		kind   tollgate.AdjustmentKind
		amount tollgate.Money
	}{{tollgate.AdjustCarry, settled}, {tollgate.AdjustCorrection, -q.Spent}} {
		if step.amount == 0 {
			continue
		}
		err := tx.Ledger.Adjust(ctx, &tollgate.Adjustment{
			At: at, Kind: step.kind, QuotaID: q.ID, Scope: q.Scope, ScopeID: q.ScopeID, Window: q.Window, WindowStart: q.WindowStart,
			Amount: step.amount, Reason: reason, ActorID: e.ActorID, ActorName: e.ActorName, Via: e.Via,
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// within returns now, or the begin of the window that the balance stands at
// where now is not in it.
func within(q tollgate.Quota, now time.Time, zone *time.Location) time.Time {
	s := spanOf(q, zone)
	if now.Before(s.start) || !s.end.IsZero() && !now.Before(s.end) {
		return s.start
	}
	return now
}
