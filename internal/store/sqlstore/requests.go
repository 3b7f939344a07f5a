package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"tollgate"
)

// maxScan bounds how many requests one page looks at where no index helps.
const maxScan = 50_000

// Requests returns request rows without their dispatches, sorted by id.
func (u usage) Requests(ctx context.Context, f tollgate.RequestFilter, p tollgate.Page) ([]tollgate.Request, *tollgate.Cursor, error) {
	pager := u.requestPager(func(w *where) { requestFilter(w, f) })
	if !scans(f) {
		return pager.run(ctx, u.s, p)
	}
	return scan(ctx, u, pager, func(w *where) { within(w, f.UsageFilter) }, p)
}

func (u usage) requestPager(filter func(*where)) pager[tollgate.Request] {
	return pager[tollgate.Request]{
		from: "requests", noun: "request", columns: u.requests, filter: filter,
		id: func(r *tollgate.Request) *int64 { return (*int64)(&r.ID) },
	}
}

func descending(p tollgate.Page) bool { return strings.HasPrefix(p.Sort, "-") }

// scans reports whether f asks for something that every row has to be read for.
func scans(f tollgate.RequestFilter) bool {
	return !f.RequestID.Set && (f.KeyID.Set || f.TeamID.Set || f.ProviderID.Set || f.Model.Set || f.Status.Set || f.Class.Set || f.ErrorClass.Set ||
		f.ErrorText != "" || f.Tag != "" || f.MinLatency > 0)
}

// scan reads a page for which every row has to be read that within selects by
// an index: it looks at maxScan of them, and may be short.
func scan[T any](ctx context.Context, u usage, rows pager[T], within func(*where), p tollgate.Page) ([]T, *tollgate.Cursor, error) {
	if p.All {
		return rows.run(ctx, u.s, p)
	}
	bound, err := u.scanEnd(ctx, rows.from, within, p)
	if err != nil {
		return nil, nil, u.s.fail(ctx, err, "read "+rows.noun+" rows")
	}
	filter := rows.filter
	rows.filter = func(w *where) {
		filter(w)
		if bound != nil {
			w.add("id" + map[bool]string{false: " <= ", true: " >= "}[descending(p)] + w.arg(bound.ID))
		}
	}
	out, next, err := rows.run(ctx, u.s, p)
	if err == nil && next == nil {
		next = bound
	}
	return out, next, err
}

// scanEnd is where a page that scans has looked at enough rows; nil = the rows
// that within selects end before.
func (u usage) scanEnd(ctx context.Context, table string, within func(*where), p tollgate.Page) (*tollgate.Cursor, error) {
	w := &where{engine: u.s.engine}
	within(w)
	o := order{name: "id", desc: descending(p)}
	if p.After != nil {
		if err := o.after(w, p); err != nil {
			return nil, err
		}
	}
	return u.nth(ctx, table, w, o, maxScan, p.Sort)
}

// nth is the position of the row behind the first n of a table in an order by id.
func (u usage) nth(ctx context.Context, table string, w *where, o order, n int64, sort string) (*tollgate.Cursor, error) {
	c := &tollgate.Cursor{Sort: sort}
	query := "SELECT id FROM " + table + w.clause() + o.by() + " LIMIT 1 OFFSET " + w.arg(n-1)
	err := u.s.tx.QueryRowContext(ctx, query, w.args...).Scan(&c.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // there is no such row
	}
	return c, err
}

// within selects by what an index knows: user and time.
func within(w *where, f tollgate.UsageFilter) {
	recordFilter(w, tollgate.UsageFilter{UserID: f.UserID})
	idPeriod(w, f)
}

// CountRequests returns how many request rows f selects.
func (u usage) CountRequests(ctx context.Context, f tollgate.RequestFilter) (int64, error) {
	w := &where{engine: u.s.engine}
	requestFilter(w, f)
	return u.s.count(ctx, "requests", w, "request")
}

// Slowest returns the requests that took longest, among the latest.
func (u usage) Slowest(ctx context.Context, f tollgate.UsageFilter, n int) ([]tollgate.Request, error) {
	if n < 1 || n > tollgate.MaxPage {
		return nil, tollgate.Invalidf("limit", "limit must be between 1 and %d", tollgate.MaxPage)
	}
	w := &where{engine: u.s.engine}
	within(w, f)
	first, err := u.nth(ctx, "requests", w, order{name: "id", desc: true}, tollgate.SlowestAmong, "-id")
	if err != nil {
		return nil, u.s.fail(ctx, err, "read requests")
	}
	p := u.requestPager(func(w *where) {
		requestFilter(w, tollgate.RequestFilter{UsageFilter: f})
		if first != nil {
			w.add("id >= " + w.arg(first.ID))
		}
	})
	p.sorts = []string{"latency"}
	rows, _, err := p.run(ctx, u.s, tollgate.Page{Sort: "-latency", Limit: n})
	return rows, err
}

// requestFilter is dispatchFilter for request rows; a model matches the name
// that was asked for or the one that was served.
func requestFilter(w *where, f tollgate.RequestFilter) {
	if f.RequestID.Set {
		ids := make([]int64, len(f.RequestID.Values))
		for i, id := range f.RequestID.Values {
			ids[i] = int64(id.Request())
		}
		w.add(w.oneOf("id", ids))
	}
	recordFilter(w, f.UsageFilter)
	if f.Model.Set {
		names := asTexts(f.Model.Values)
		w.add("(" + w.oneOfTexts("model", names) + " OR " + w.oneOfTexts("served", names) + ")")
	}
	if f.Status.Set {
		w.add(w.oneOf("status", asInts(f.Status.Values)))
	}
	if f.Class.Set {
		w.add(w.oneOf("status / 100", asInts(f.Class.Values)))
	}
	texts(w, "error_class", f.ErrorClass)
	if f.ErrorText != "" {
		// The database folds both sides: SQLite knows the case of ASCII alone.
		w.add("LOWER(error_text) LIKE LOWER(" + w.arg("%"+escapeLike(f.ErrorText)+"%") + ") ESCAPE '!'")
	}
	if f.Tag != "" {
		// REPLACE minds the case on every engine; LIKE does not on SQLite.
		const list = "(',' || REPLACE(tags, ' ', '') || ',')"
		w.add("REPLACE(" + list + ", " + w.arg(","+strings.ReplaceAll(f.Tag, " ", "")+",") + ", '') <> " + list)
	}
	if f.MinLatency > 0 {
		w.add("latency >= " + w.arg(f.MinLatency.Microseconds()))
	}
}

// escapeLike lets a text stand for itself in LIKE … ESCAPE '!'.
func escapeLike(s string) string {
	return strings.NewReplacer("!", "!!", "%", "!%", "_", "!_").Replace(s)
}

// sumTags sums the requests that f selects by each of their tags.
func (u usage) sumTags(ctx context.Context, f tollgate.UsageFilter) ([]tollgate.UsageSum, error) {
	w := &where{engine: u.s.engine}
	requestFilter(w, tollgate.RequestFilter{UsageFilter: f})
	w.add("tags <> ''")
	tokens := tokenColumns(func(t *tollgate.Tokens) *tollgate.Tokens { return t })
	query := "SELECT tags, COUNT(*), SUM(CASE WHEN status >= 400 THEN 1 ELSE 0 END), CAST(SUM(latency) AS BIGINT), CAST(SUM(cost) AS BIGINT)"
	query += sumsOf(tokens)
	sums := map[string]*tollgate.UsageSum{}
	err := collect(ctx, u.s.tx, query+" FROM requests"+w.clause()+" GROUP BY 1", func(scan func(...any) error) error {
		var tags string
		var part tollgate.UsageSum
		dests := []any{&tags, &part.Dispatches, &part.Errors, microSpan{&part.Latency}, &part.Cost}
		for _, c := range tokens {
			dests = append(dests, c.dest(&part.Tokens))
		}
		if err := scan(dests...); err != nil {
			return err
		}
		for _, tag := range splitTags(tags) {
			sum := sums[tag]
			if sum == nil {
				sum = &tollgate.UsageSum{Keys: []string{tag}}
				sums[tag] = sum
			}
			sum.Dispatches += part.Dispatches
			sum.Errors += part.Errors
			sum.Latency += part.Latency
			sum.Cost += part.Cost
			sum.Tokens = sum.Tokens.Add(part.Tokens)
		}
		return nil
	}, w.args...)
	out := make([]tollgate.UsageSum, 0, len(sums))
	for _, sum := range sums {
		out = append(out, *sum)
	}
	slices.SortFunc(out, largest)
	return out[:min(len(out), tollgate.MaxSums)], err
}

// splitTags cuts a request's tags, once each.
func splitTags(tags string) []string {
	var out []string
	for tag := range strings.SplitSeq(tags, ",") {
		if tag = strings.TrimSpace(tag); tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}
