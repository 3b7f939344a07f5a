package sqlstore

import (
	"context"
	"math"
	"time"

	"tollgate"
)

func adjustmentTable() *spec[tollgate.Adjustment, tollgate.AdjustmentFilter] {
	type row = tollgate.Adjustment
	return &spec[row, tollgate.AdjustmentFilter]{
		name: "adjustments", noun: "adjustment",
		area: tollgate.AreaMoney,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			instant("at", func(r *row) *time.Time { return &r.At }),
			text("kind", func(r *row) *tollgate.AdjustmentKind { return &r.Kind }),
			integer("quota_id", func(r *row) *int64 { return &r.QuotaID }),
			text("scope", func(r *row) *tollgate.Scope { return &r.Scope }),
			integer("scope_id", func(r *row) *int64 { return &r.ScopeID }),
			text("period", func(r *row) *tollgate.Window { return &r.Window }),
			instant("window_start", func(r *row) *time.Time { return &r.WindowStart }),
			integer("amount", func(r *row) *tollgate.Money { return &r.Amount }),
			text("reason", func(r *row) *string { return &r.Reason }),
			integer("actor_id", func(r *row) *int64 { return &r.ActorID }),
			text("actor_name", func(r *row) *string { return &r.ActorName }),
			text("via", func(r *row) *string { return &r.Via }),
			integer("rerating_id", func(r *row) *int64 { return &r.ReratingID }),
			integer("due", func(r *row) *tollgate.Money { return &r.Due }),
		},
		filter: func(w *where, f tollgate.AdjustmentFilter) {
			ints(w, "quota_id", f.QuotaID)
			if f.AfterID > 0 {
				w.add("id > " + w.arg(f.AfterID))
			}
		},
	}
}

// ledger is the money of one transaction.
type ledger struct {
	*usageSpec
	adjustments table[tollgate.Adjustment, tollgate.AdjustmentFilter]
	quotas      table[tollgate.Quota, tollgate.QuotaFilter]
	reratings   table[tollgate.Rerating, struct{}]
	s           *session
}

// Adjust appends an adjustment and moves the balance of its quota.
func (l ledger) Adjust(ctx context.Context, a *tollgate.Adjustment) error {
	if a.Amount < -tollgate.MaxMoney || a.Amount > tollgate.MaxMoney {
		return tollgate.Invalidf("amount", "an adjustment is at most %d dollars", tollgate.MaxMoney/tollgate.Dollar)
	}
	if err := l.adjustments.Insert(ctx, a); err != nil || a.Kind == tollgate.AdjustCarry {
		return err
	}
	n, err := l.s.exec(ctx, moveBalance, micros(a.WindowStart), int64(a.Amount), a.QuotaID)
	if err != nil {
		return l.quotas.refused(ctx, err, &tollgate.Quota{})
	}
	if n == 0 {
		return l.quotas.missing(a.QuotaID)
	}
	return nil
}

// Adjustments returns adjustments, sorted by id.
func (l ledger) Adjustments(ctx context.Context, f tollgate.AdjustmentFilter, p tollgate.Page) ([]tollgate.Adjustment, *tollgate.Cursor, error) {
	return l.adjustments.Query(ctx, f, p)
}

// Intents returns the dispatches that are not settled, by id.
func (l ledger) Intents(ctx context.Context) ([]tollgate.Intent, error) {
	rows, _, err := pager[tollgate.Intent]{
		from: "intents", noun: "intent", columns: l.intents,
		id:     func(r *tollgate.Intent) *int64 { return (*int64)(&r.ID) },
		filter: func(*where) {},
	}.run(ctx, l.s, tollgate.Page{All: true})
	return rows, err
}

// Settlements calls fn for every settled dispatch from an id on, by id.
func (l ledger) Settlements(ctx context.Context, from tollgate.RequestID, fn func(tollgate.Settlement)) error {
	return l.settlements(ctx, from, math.MaxInt64, fn)
}

// settlements reads those with from ≤ id < past.
func (l ledger) settlements(ctx context.Context, from, past tollgate.RequestID, fn func(tollgate.Settlement)) error {
	const query = "SELECT id, user_id, key_id, team_id, service, cost FROM dispatches WHERE id >= $1 AND id < $2 ORDER BY id"
	err := collect(ctx, l.s.tx, query, func(scan func(...any) error) error {
		var s tollgate.Settlement
		if err := scan(&s.ID, &s.UserID, &s.KeyID, &s.TeamID, &s.Service, &s.Cost); err != nil {
			return err
		}
		fn(s)
		return nil
	}, int64(from), int64(past))
	return l.s.fail(ctx, err, "read settlements")
}

// Totals adds up the whole record.
func (l ledger) Totals(ctx context.Context) (tollgate.Totals, error) {
	sums := func(table, n string) string {
		return "(SELECT CAST(COALESCE(" + n + ", 0) AS BIGINT) FROM " + table + "), (SELECT CAST(COALESCE(SUM(cost), 0) AS BIGINT) FROM " + table + "), "
	}
	query := "SELECT " + sums("dispatches", "COUNT(*)") + sums("usage_hours", "SUM(dispatches)") + sums("usage_days", "SUM(dispatches)") +
		"(SELECT COUNT(*) FROM intents), (SELECT COUNT(*) FROM intents JOIN dispatches ON dispatches.id = intents.id), " +
		"COALESCE((SELECT dispatches FROM removed), 0), COALESCE((SELECT cost FROM removed), 0)"
	var t tollgate.Totals
	err := l.s.tx.QueryRowContext(ctx, query).Scan(&t.Dispatches, &t.Cost, &t.HourlyDispatches, &t.HourlyCost,
		&t.DailyDispatches, &t.DailyCost, &t.Intents, &t.Stale, &t.RemovedDispatches, &t.RemovedCost)
	return t, l.s.fail(ctx, err, "add up the record")
}

// Restate sets the balance of a quota to what its rows add up to.
func (l ledger) Restate(ctx context.Context, quotaID int64, start time.Time, spent tollgate.Money) error {
	n, err := l.s.exec(ctx, "UPDATE quotas SET spent = $1, window_start = $2 WHERE id = $3", int64(spent), micros(start), quotaID)
	if err != nil {
		return l.quotas.refused(ctx, err, &tollgate.Quota{})
	}
	if n == 0 {
		return l.quotas.missing(quotaID)
	}
	l.s.touch(tollgate.AreaMoney)
	return nil
}

// LastID returns the highest id that any row of the record has.
func (l ledger) LastID(ctx context.Context) (tollgate.RequestID, error) {
	const query = "SELECT MAX(m) FROM (SELECT MAX(id) AS m FROM requests UNION ALL SELECT MAX(id) FROM dispatches UNION ALL SELECT MAX(id) FROM intents) AS t"
	var id int64
	err := l.s.tx.QueryRowContext(ctx, query).Scan(zeroNull{&id})
	return tollgate.RequestID(id), l.s.fail(ctx, err, "read the last id")
}
