package sqlstore

import (
	"context"
	"database/sql"
	"errors"

	"tollgate"
)

// Remove removes the oldest requests with their dispatches. It touches no area:
// no snapshot is built from them.
func (l ledger) Remove(ctx context.Context, before tollgate.RequestID, limit int) (out tollgate.Removal, err error) {
	bound := before
	for _, table := range []string{"requests", "dispatches"} {
		var id int64
		err := l.s.tx.QueryRowContext(ctx, "SELECT id FROM "+table+" WHERE id < $1 ORDER BY id LIMIT 1 OFFSET $2", int64(bound), limit).Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return out, l.s.fail(ctx, err, "find the oldest requests")
		default:
			// A request goes with all of its dispatches or not at all.
			bound, out.More = tollgate.RequestID(id).Request(), true
		}
	}
	err = l.settlements(ctx, 0, bound, func(s tollgate.Settlement) { out.Settlements = append(out.Settlements, s) })
	if err != nil {
		return out, err
	}
	for _, table := range []string{"dispatches", "rerated", "requests"} { // requests last: their number is told
		if out.Requests, err = l.s.exec(ctx, "DELETE FROM "+table+" WHERE id < $1", int64(bound)); err != nil {
			return out, l.s.fail(ctx, err, "remove the oldest requests")
		}
	}
	return out, l.removed(ctx, &out)
}

// removed adds to what is known of rows that are gone.
func (l ledger) removed(ctx context.Context, r *tollgate.Removal) error {
	const query = "INSERT INTO removed (id, requests, dispatches, cost) VALUES (1, $1, $2, $3) ON CONFLICT (id) DO UPDATE SET" +
		" requests = removed.requests + excluded.requests, dispatches = removed.dispatches + excluded.dispatches, cost = removed.cost + excluded.cost"
	var cost tollgate.Money
	for _, s := range r.Settlements {
		cost += s.Cost
	}
	_, err := l.s.exec(ctx, query, r.Requests, len(r.Settlements), int64(cost))
	return l.s.fail(ctx, err, "note what was removed")
}

// Carry adds to what stands for removed settlements of a quota's window.
func (l ledger) Carry(ctx context.Context, a *tollgate.Adjustment) error {
	const query = "UPDATE adjustments SET amount = amount + $1, at = $2 WHERE id =" +
		" (SELECT MAX(id) FROM adjustments WHERE quota_id = $3 AND kind = 'carry' AND window_start = $4)"
	n, err := l.s.exec(ctx, query, int64(a.Amount), micros(a.At), a.QuotaID, micros(a.WindowStart))
	if err != nil || n > 0 {
		return l.s.fail(ctx, err, "carry a balance over")
	}
	a.Kind = tollgate.AdjustCarry
	return l.Adjust(ctx, a)
}
