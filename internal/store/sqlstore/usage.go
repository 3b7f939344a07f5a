package sqlstore

import (
	"context"
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

// usageSpec declares the tables of the record.
type usageSpec struct {
	requests   []column[tollgate.Request]
	dispatches []column[tollgate.UsageRow]
	intents    []column[tollgate.Intent]
	hours      []column[rollup]
	days       []column[rollup]
	traffic    []column[flow]
	latencies  []column[bar]
}

func newUsageSpec() *usageSpec {
	return &usageSpec{
		requests: requestColumns(), dispatches: dispatchColumns(), intents: intentColumns(),
		hours: rollupColumns("hour"), days: rollupColumns("day"), traffic: trafficColumns(), latencies: latencyColumns(),
	}
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
		integer("price_version", func(r *row) *int64 { return &r.PriceVersion }),
		// The parts by modality, which re-rating needs. Sums have none.
		integer("tokens_input_audio", func(r *row) *int64 { return &r.Tokens.InputAudio }),
		integer("tokens_input_image", func(r *row) *int64 { return &r.Tokens.InputImage }),
		integer("tokens_output_audio", func(r *row) *int64 { return &r.Tokens.OutputAudio }),
		integer("tokens_output_image", func(r *row) *int64 { return &r.Tokens.OutputImage }),
		integer("team_id", func(r *row) *int64 { return &r.TeamID }),
		boolean("service", func(r *row) *bool { return &r.Service }),
		integer("overrun", func(r *row) *tollgate.Money { return &r.Overrun }))...)
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

// Dispatches returns usage rows, sorted by id. Time and requests are in the id;
// nothing else has an index, which every row would pay for.
func (u usage) Dispatches(ctx context.Context, f tollgate.UsageFilter, p tollgate.Page) ([]tollgate.UsageRow, *tollgate.Cursor, error) {
	pager := pager[tollgate.UsageRow]{
		from: "dispatches", noun: "usage", columns: u.dispatches,
		id:     func(r *tollgate.UsageRow) *int64 { return (*int64)(&r.ID) },
		filter: func(w *where) { dispatchFilter(w, f) },
	}
	page := pager.run
	if !f.RequestID.Set && (f.UserID.Set || f.KeyID.Set || f.TeamID.Set || f.ProviderID.Set || f.Model.Set) {
		page = func(ctx context.Context, _ *session, p tollgate.Page) ([]tollgate.UsageRow, *tollgate.Cursor, error) {
			return scan(ctx, u, pager, func(w *where) { idPeriod(w, f) }, p)
		}
	}
	rows, next, err := page(ctx, u.s, p)
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

func recordFilter(w *where, f tollgate.UsageFilter) {
	ints(w, "user_id", f.UserID)
	ints(w, "key_id", f.KeyID)
	ints(w, "team_id", f.TeamID)
	ints(w, "provider_id", f.ProviderID)
	period(w, "started_at", f.Since, f.Until)
	idPeriod(w, f)
}

// idPeriod narrows the ids that a period can have.
func idPeriod(w *where, f tollgate.UsageFilter) {
	if !f.Since.IsZero() {
		w.add("id >= " + w.arg(int64(tollgate.RequestIDAt(f.Since.Add(-clockSlack)))))
	}
	if !f.Until.IsZero() {
		w.add("id < " + w.arg(int64(tollgate.RequestIDAt(f.Until.Add(clockSlack)))))
	}
}
