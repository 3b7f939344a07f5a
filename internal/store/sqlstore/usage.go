package sqlstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// Bounds of texts in request and usage rows, in bytes.
const (
	maxRecordText = 256
	maxRecordNote = 512
	maxRecordLoss = 1024
)

// clockSlack is how far a row's start time may lie from the time inside its
// id: dispatches start after their request, and a clock may be set back. Time
// ranges are exact on the start time; the id only narrows what is read.
const clockSlack = 24 * time.Hour

// usageSpec declares the request and the usage table.
type usageSpec struct {
	requests   []column[tollgate.Request]
	dispatches []column[tollgate.UsageRow]
}

func newUsageSpec() *usageSpec {
	return &usageSpec{requests: requestColumns(), dispatches: dispatchColumns()}
}

func requestColumns() []column[tollgate.Request] {
	type row = tollgate.Request
	return append([]column[row]{
		integer("id", func(r *row) *tollgate.RequestID { return &r.ID }),
		integer("user_id", func(r *row) *int64 { return &r.UserID }),
		integer("key_id", func(r *row) *int64 { return &r.KeyID }),
		integer("session_id", func(r *row) *int64 { return &r.SessionID }),
		integer("team_id", func(r *row) *int64 { return &r.TeamID }),
		boolean("service", func(r *row) *bool { return &r.Service }),
		instant("started_at", func(r *row) *time.Time { return &r.StartedAt }),
		clipped("client_ip", maxRecordText, func(r *row) *string { return &r.ClientIP }),
		clipped("user_agent", maxRecordText, func(r *row) *string { return &r.UserAgent }),
		clipped("dialect", maxRecordText, func(r *row) *tollgate.Dialect { return &r.Dialect }),
		clipped("operation", maxRecordText, func(r *row) *tollgate.Operation { return &r.Operation }),
		boolean("stream", func(r *row) *bool { return &r.Stream }),
		clipped("model", maxRecordText, func(r *row) *string { return &r.Model }),
		integer("provider_id", func(r *row) *int64 { return &r.ProviderID }),
		clipped("served", maxRecordText, func(r *row) *string { return &r.Served }),
		integer("status", func(r *row) *int { return &r.Status }),
		clipped("error_class", maxRecordText, func(r *row) *tollgate.Code { return &r.ErrorClass }),
		clipped("error_text", maxRecordNote, func(r *row) *string { return &r.ErrorText }),
		span("first_token", func(r *row) *time.Duration { return &r.FirstToken }),
		span("latency", func(r *row) *time.Duration { return &r.Latency }),
		clipped("tags", maxRecordNote, func(r *row) *string { return &r.Tags }),
	}, append(tokenColumns(func(r *row) *tollgate.Tokens { return &r.Tokens }),
		integer("cost", func(r *row) *tollgate.Money { return &r.Cost }),
		clipped("losses", maxRecordLoss, func(r *row) *string { return &r.Losses }))...)
}

func dispatchColumns() []column[tollgate.UsageRow] {
	type row = tollgate.UsageRow
	return append([]column[row]{
		integer("id", func(r *row) *tollgate.RequestID { return &r.ID }),
		integer("user_id", func(r *row) *int64 { return &r.UserID }),
		integer("key_id", func(r *row) *int64 { return &r.KeyID }),
		clipped("dialect", maxRecordText, func(r *row) *tollgate.Dialect { return &r.Dialect }),
		clipped("operation", maxRecordText, func(r *row) *tollgate.Operation { return &r.Operation }),
		integer("provider_id", func(r *row) *int64 { return &r.ProviderID }),
		integer("credential_id", func(r *row) *int64 { return &r.CredentialID }),
		clipped("model", maxRecordText, func(r *row) *string { return &r.Model }),
		instant("started_at", func(r *row) *time.Time { return &r.StartedAt }),
		span("latency", func(r *row) *time.Duration { return &r.Latency }),
		integer("status", func(r *row) *int { return &r.Status }),
		clipped("error_class", maxRecordText, func(r *row) *string { return &r.ErrorClass }),
	}, append(tokenColumns(func(r *row) *tollgate.Tokens { return &r.Tokens }),
		clipped("exactness", maxRecordText, func(r *row) *tollgate.Exactness { return &r.Exactness }),
		clipped("service_tier", maxRecordText, func(r *row) *string { return &r.ServiceTier }),
		integer("cost", func(r *row) *tollgate.Money { return &r.Cost }),
		integer("price_version", func(r *row) *int64 { return &r.PriceVersion }))...)
}

func tokenColumns[T any](at func(*T) *tollgate.Tokens) []column[T] {
	return []column[T]{
		integer("tokens_input", func(r *T) *int64 { return &at(r).Input }),
		integer("tokens_cache_read", func(r *T) *int64 { return &at(r).CacheRead }),
		integer("tokens_cache_write", func(r *T) *int64 { return &at(r).CacheWrite }),
		integer("tokens_cache_write_1h", func(r *T) *int64 { return &at(r).CacheWrite1h }),
		integer("tokens_output", func(r *T) *int64 { return &at(r).Output }),
		integer("tokens_reasoning", func(r *T) *int64 { return &at(r).Reasoning }),
	}
}

// usage reads what Append wrote.
type usage struct {
	*usageSpec
	s *session
}

// Dispatches returns usage rows, sorted by id.
func (u usage) Dispatches(ctx context.Context, f tollgate.UsageFilter, p tollgate.Page) ([]tollgate.UsageRow, *tollgate.Cursor, error) {
	rows, next, err := pager[tollgate.UsageRow]{
		from: "dispatches", noun: "usage", columns: u.dispatches,
		id:     func(r *tollgate.UsageRow) *int64 { return (*int64)(&r.ID) },
		filter: func(w *where) { dispatchFilter(w, f) },
	}.run(ctx, u.s, p)
	for i := range rows {
		rows[i].RequestID = rows[i].ID.Request()
	}
	return rows, next, err
}

// CountDispatches returns how many usage rows f selects.
func (u usage) CountDispatches(ctx context.Context, f tollgate.UsageFilter) (int64, error) {
	w := &where{engine: u.s.engine}
	dispatchFilter(w, f)
	return u.s.count(ctx, "dispatches", w, "usage")
}

// Requests returns request rows without their dispatches, sorted by id.
func (u usage) Requests(ctx context.Context, f tollgate.UsageFilter, p tollgate.Page) ([]tollgate.Request, *tollgate.Cursor, error) {
	return pager[tollgate.Request]{
		from: "requests", noun: "request", columns: u.requests,
		id:     func(r *tollgate.Request) *int64 { return (*int64)(&r.ID) },
		filter: func(w *where) { requestFilter(w, f) },
	}.run(ctx, u.s, p)
}

// Summarize sums the usage rows that f selects by group.
func (u usage) Summarize(ctx context.Context, f tollgate.UsageFilter, by tollgate.UsageGroup) ([]tollgate.UsageSum, error) {
	key, err := groupColumn(by)
	if err != nil {
		return nil, err
	}
	order := "8 DESC, 2 DESC, 1"
	if by == tollgate.GroupDay {
		order = "1"
	}
	w := &where{engine: u.s.engine}
	dispatchFilter(w, f)
	sums := []string{key, "COUNT(*)"}
	for _, c := range []string{"tokens_input", "tokens_cache_read", "tokens_cache_write", "tokens_cache_write_1h", "tokens_output", "cost", "tokens_reasoning"} {
		sums = append(sums, "CAST(SUM("+c+") AS BIGINT)")
	}
	query := fmt.Sprintf("SELECT %s FROM dispatches%s GROUP BY 1 ORDER BY %s LIMIT %s", //nolint:gosec // values are arguments, the rest is ours
		strings.Join(sums, ", "), w.clause(), order, w.arg(int64(tollgate.MaxPage)))
	rows, err := u.s.tx.QueryContext(ctx, query, w.args...)
	if err != nil {
		return nil, u.s.fail(ctx, err, "sum usage")
	}
	defer func() { _ = rows.Close() }()
	var out []tollgate.UsageSum
	for rows.Next() {
		var sum tollgate.UsageSum
		t := &sum.Tokens
		if err := rows.Scan(&sum.Key, &sum.Dispatches, &t.Input, &t.CacheRead, &t.CacheWrite, &t.CacheWrite1h,
			&t.Output, &sum.Cost, &t.Reasoning); err != nil {
			return nil, u.s.fail(ctx, err, "sum usage")
		}
		if by == tollgate.GroupDay {
			sum.Key = dayName(sum.Key)
		}
		out = append(out, sum)
	}
	return out, u.s.fail(ctx, rows.Err(), "sum usage")
}

// dayMicros is the length of a UTC day in microseconds.
const dayMicros = int64(24 * time.Hour / time.Microsecond)

func groupColumn(by tollgate.UsageGroup) (string, error) {
	switch by {
	case tollgate.GroupUser:
		return "user_id", nil
	case tollgate.GroupKey:
		return "key_id", nil
	case tollgate.GroupProvider:
		return "provider_id", nil
	case tollgate.GroupModel:
		return "model", nil
	case tollgate.GroupDay:
		return "started_at / " + strconv.FormatInt(dayMicros, 10), nil
	default:
		return "", tollgate.Invalidf("group", "cannot group usage by %q", by)
	}
}

// dayName turns a number of days since 1970 into 2006-01-02.
func dayName(number string) string {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return number
	}
	return time.UnixMicro(n * dayMicros).UTC().Format(time.DateOnly)
}

func dispatchFilter(w *where, f tollgate.UsageFilter) {
	if f.RequestID.Set {
		var ids []int64
		for _, id := range f.RequestID.Values {
			for n := 1; n <= tollgate.MaxDispatches; n++ {
				ids = append(ids, int64(id.Dispatch(n)))
			}
		}
		w.add(w.oneOf("id", ids))
	}
	recordFilter(w, f)
	texts(w, "model", f.Model)
}

// requestFilter is dispatchFilter for request rows; a model matches the name
// that was asked for or the one that was served.
func requestFilter(w *where, f tollgate.UsageFilter) {
	if f.RequestID.Set {
		ids := make([]int64, len(f.RequestID.Values))
		for i, id := range f.RequestID.Values {
			ids[i] = int64(id.Request())
		}
		w.add(w.oneOf("id", ids))
	}
	recordFilter(w, f)
	if f.Model.Set {
		names := asTexts(f.Model.Values)
		w.add("(" + w.oneOfTexts("model", names) + " OR " + w.oneOfTexts("served", names) + ")")
	}
}

func recordFilter(w *where, f tollgate.UsageFilter) {
	ints(w, "user_id", f.UserID)
	ints(w, "key_id", f.KeyID)
	ints(w, "provider_id", f.ProviderID)
	period(w, "started_at", f.Since, f.Until)
	if !f.Since.IsZero() {
		w.add("id >= " + w.arg(int64(tollgate.RequestIDAt(f.Since.Add(-clockSlack)))))
	}
	if !f.Until.IsZero() {
		w.add("id < " + w.arg(int64(tollgate.RequestIDAt(f.Until.Add(clockSlack)))))
	}
}

// checkRecords refuses rows whose ids do not belong together.
func checkRecords(rows []tollgate.Request) error {
	for i := range rows {
		r := &rows[i]
		if r.ID <= 0 || r.ID.Attempt() != 0 {
			return tollgate.Errorf(tollgate.CodeInvalid, "%d is not the id of a request", r.ID)
		}
		if len(r.Dispatches) > tollgate.MaxDispatches {
			return tollgate.Errorf(tollgate.CodeInvalid, "request %s has more than %d dispatches", r.ID, tollgate.MaxDispatches)
		}
		for _, d := range r.Dispatches {
			if d.ID != 0 && (d.ID.Request() != r.ID || d.ID.Attempt() == 0) {
				return tollgate.Errorf(tollgate.CodeInvalid, "dispatch %d does not belong to request %s", d.ID, r.ID)
			}
		}
	}
	return nil
}

// usageRow is the request's dispatch at index i as it is stored. A dispatch
// without an id gets it from its place.
func usageRow(r *tollgate.Request, i int) tollgate.UsageRow {
	u := tollgate.UsageRow{
		Dispatch: r.Dispatches[i], RequestID: r.ID, UserID: r.UserID, KeyID: r.KeyID, Dialect: r.Dialect, Operation: r.Operation,
	}
	if u.ID == 0 {
		u.ID = r.ID.Dispatch(i + 1)
	}
	return u
}
