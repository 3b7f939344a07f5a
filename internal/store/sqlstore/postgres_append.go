package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"tollgate"
)

// append adds the batch by one statement that takes an array per column: one
// round trip, all or nothing.
func (e *postgresEngine) append(ctx context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	if err := e.owner.err(); err != nil {
		return err
	}
	var batch entries
	batch.fill(rows, intents)
	batch.ordered()
	args, err := arrays(e.usage.requests, batch.requests, nil)
	if err != nil {
		return err
	}
	if args, err = arrays(e.usage.dispatches, batch.dispatches, args); err != nil {
		return err
	}
	if args, err = arrays(e.usage.intents, batch.intents, args); err != nil {
		return err
	}
	charged, quotas, windows := batch.charges()
	opened, since := batch.openings()
	_, err = e.db.ExecContext(ctx, e.query, append(args, charged, quotas, windows, opened, since, append([]int64{}, batch.closed...), e.bounds)...)
	return err
}

// charges are the charges of all dispatches, an array per column.
func (e *entries) charges() (dispatches, quotas, windows []int64) {
	dispatches, quotas, windows = []int64{}, []int64{}, []int64{}
	for i := range e.dispatches {
		for _, c := range e.dispatches[i].Charges {
			dispatches = append(dispatches, int64(e.dispatches[i].ID))
			quotas = append(quotas, c.QuotaID)
			windows = append(windows, micros(c.WindowStart))
		}
	}
	return dispatches, quotas, windows
}

// openings are the openings of all intents, an array per column.
func (e *entries) openings() (quotas, since []int64) {
	quotas, since = []int64{}, []int64{}
	for _, o := range e.opens {
		quotas, since = append(quotas, o.QuotaID), append(since, int64(o.Since))
	}
	return quotas, since
}

// appendQuery inserts requests, dispatches and intents, removes the intents of
// the dispatches, and counts those that were new in roll-ups and balances. A
// batch that spans the end of a window moves a balance to the latest one at
// once: what came before it is over.
func appendQuery(u *usageSpec) string {
	requests, n := unnest(u.requests, 0)
	dispatches, n := unnest(u.dispatches, n)
	intents, n := unnest(u.intents, n)
	list := func(i int) string { return fmt.Sprintf("CAST($%d AS BIGINT[])", n+i) }
	return "WITH told AS (INSERT INTO requests (" + names(u.requests) + ") SELECT * FROM " + requests + " ON CONFLICT DO NOTHING RETURNING *)," +
		" flows AS (" + countTraffic(u.traffic) + ")," +
		" bars AS (" + countLatencies(u.latencies, list(7)) + ")," +
		" added AS (INSERT INTO dispatches (" + names(u.dispatches) + ") SELECT * FROM " + dispatches + " ON CONFLICT DO NOTHING RETURNING *)," +
		" settled AS (DELETE FROM intents WHERE id IN (SELECT unnest(" + list(6) + ")))," +
		" intended AS (INSERT INTO intents (" + names(u.intents) + ") SELECT * FROM " + intents + moreHeld + ")," +
		" hours AS (" + rollUp(u.hours, hourMicros) + ")," +
		" days AS (" + rollUp(u.days, dayMicros) + ")," +
		" charged AS (SELECT c.quota_id, c.window_start, CAST(SUM(a.cost) AS BIGINT) AS amount" +
		" FROM unnest(" + list(1) + ", " + list(2) + ", " + list(3) + ") AS c (id, quota_id, window_start) JOIN added a ON a.id = c.id GROUP BY 1, 2)," +
		" latest AS (SELECT DISTINCT ON (quota_id) quota_id, window_start, amount FROM charged ORDER BY quota_id, window_start DESC)," +
		" opened AS (SELECT quota_id, MIN(since) AS since FROM unnest(" + list(4) + ", " + list(5) + ") AS o (quota_id, since) GROUP BY 1)," +
		" moves AS (SELECT quota_id, latest.window_start, latest.amount, opened.since FROM latest FULL JOIN opened USING (quota_id))" +
		" UPDATE quotas q SET" +
		" spent = CASE WHEN q.window_start = m.window_start THEN q.spent + m.amount WHEN q.window_start < m.window_start THEN m.amount ELSE q.spent END," +
		" window_start = CASE WHEN q.window_start < m.window_start THEN m.window_start ELSE q.window_start END," +
		" since = CASE WHEN q.since = 0 THEN COALESCE(m.since, 0) ELSE q.since END" +
		" FROM moves m WHERE q.id = m.quota_id"
}

// spansOf are the spans as a table, in minutes.
const spansOf = "(VALUES (CAST(5 AS BIGINT)), (CAST(60 AS BIGINT))) AS s (span)"

// outcome is Request.Outcome of a row.
const outcome = "CASE WHEN status = 499 THEN 0 WHEN status >= 400 OR error_class = '' THEN GREATEST(0, LEAST(status / 100, 5))" +
	" WHEN error_class IN ('quota', 'rate_limited', 'forbidden', 'unauthenticated') THEN 4 ELSE 5 END"

// countTraffic counts the requests that were added.
func countTraffic(columns []column[flow]) string {
	return "INSERT INTO traffic (" + names(columns) + ") SELECT span, started_at / (span * 60000000), user_id," +
		" " + outcome + ", COUNT(*), COUNT(*) FILTER (WHERE stream)," +
		" CAST(SUM(LEAST(cost, " + strconv.FormatInt(int64(tollgate.MaxCost), 10) + ")) AS BIGINT), CAST(SUM(" + few("tokens_input") + " + " +
		few("tokens_cache_read") + " + " + few("tokens_cache_write") + " + " + few("tokens_cache_write_1h") + ") AS BIGINT)," +
		" CAST(SUM(" + few("tokens_output") + ") AS BIGINT) FROM told, " + spansOf + " GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4" + grows("traffic", columns, flowKeys)
}

func few(column string) string { return "LEAST(" + column + ", " + strconv.Itoa(maxTokens) + ")" }

// countLatencies counts how long they took; bounds is an array of all lower ends.
func countLatencies(columns []column[bar], bounds string) string {
	return "INSERT INTO latencies (" + names(columns) + ") SELECT span, started_at / (span * 60000000), m.measure," +
		" width_bucket(m.micros, " + bounds + "), COUNT(*) FROM told, " + spansOf + "," +
		" LATERAL (VALUES (CAST(0 AS BIGINT), latency), (1, first_token)) AS m (measure, micros)" +
		" WHERE m.measure = 0 OR m.micros > 0 GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4" + grows("latencies", columns, barKeys)
}

// rollUp adds up the dispatches that were added by what roll-ups are grouped
// by, in its order, and lets the roll-ups of a period grow.
func rollUp(columns []column[rollup], micros int64) string {
	exprs := map[string]string{
		columns[0].name: "started_at / " + strconv.FormatInt(micros, 10),
		"dispatches":    "COUNT(*)",
		"errors":        "COUNT(*) FILTER (WHERE error_class <> '')",
		"estimated":     "COUNT(*) FILTER (WHERE exactness IN ('estimated', 'unknown_outcome'))",
	}
	out, keys := make([]string, len(columns)), make([]string, rollupKeys)
	for i, c := range columns {
		expr, ok := exprs[c.name]
		switch {
		case ok:
			out[i] = expr
		case i < rollupKeys:
			out[i] = c.name
		default:
			out[i] = "CAST(SUM(" + c.name + ") AS BIGINT)"
		}
		if i < rollupKeys {
			keys[i] = strconv.Itoa(i + 1)
		}
	}
	by := strings.Join(keys, ", ")
	return "INSERT INTO " + rollupTable(columns) + " (" + names(columns) + ") SELECT " + strings.Join(out, ", ") +
		" FROM added GROUP BY " + by + " ORDER BY " + by + growRollup(columns)
}

// unnest is the call that turns the arrays behind the first n arguments into
// rows; it returns how many arguments are used then.
func unnest[T any](columns []column[T], n int) (string, int) {
	args := make([]string, len(columns))
	for i, c := range columns {
		n++
		args[i] = fmt.Sprintf("CAST($%d AS %s[])", n, c.kind.postgres())
	}
	return "unnest(" + strings.Join(args, ", ") + ")", n
}

// postgres is the type of a column in PostgreSQL.
func (k kind) postgres() string {
	switch k {
	case kindText:
		return "TEXT"
	case kindBool:
		return "BOOLEAN"
	case kindBlob:
		return "BYTEA"
	case kindInt:
	}
	return "BIGINT"
}

// arrays appends one array per column to args.
func arrays[T any](columns []column[T], rows []T, args []any) ([]any, error) {
	for _, c := range columns {
		var arg any
		var err error
		switch c.kind {
		case kindText:
			arg, err = array[string](c, rows)
		case kindBool:
			arg, err = array[bool](c, rows)
		case kindBlob:
			arg, err = array[[]byte](c, rows)
		case kindInt:
			arg, err = array[int64](c, rows)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

func array[V, T any](c column[T], rows []T) ([]V, error) {
	out := make([]V, len(rows))
	for i := range rows {
		v, err := c.bind(&rows[i])
		if err != nil {
			return nil, err
		}
		var ok bool
		if out[i], ok = v.(V); !ok {
			return nil, fmt.Errorf("column %s gives a %T", c.name, v)
		}
	}
	return out, nil
}
