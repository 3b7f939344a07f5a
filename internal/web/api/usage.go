package api

import (
	"context"
	"slices"
	"time"

	"tollgate"
)

// UsageFields are the filters of usage, shared by query, count and summary.
type UsageFields struct {
	KeyID      Scope[int64]  `json:"key_id,omitzero"`
	ProviderID Scope[int64]  `json:"provider_id,omitzero"`
	Model      Scope[string] `json:"model,omitzero" doc:"The model as sent to the provider."`
	RequestID  Scope[string] `json:"request_id,omitzero" doc:"x-tollgate-request-id of an answer."`
	Since      *time.Time    `json:"since,omitempty" doc:"From then on, included."`
	Until      *time.Time    `json:"until,omitempty" doc:"Up to then, not included."`
}

// Filter returns what the store selects by.
func (u UsageFields) Filter() (tollgate.UsageFilter, error) {
	f := tollgate.UsageFilter{KeyID: u.KeyID.Match, ProviderID: u.ProviderID.Match, Model: u.Model.Match}
	f.Since, f.Until = Deref(u.Since), Deref(u.Until)
	var err error
	f.RequestID, err = RequestIDs(u.RequestID)
	return f, err
}

// RequestIDs reads the ids of requests that a query names.
func RequestIDs(scope Scope[string]) (tollgate.Match[tollgate.RequestID], error) {
	m := tollgate.Match[tollgate.RequestID]{Set: scope.Set}
	for _, s := range scope.Values {
		id, err := tollgate.ParseRequestID(s)
		if err != nil {
			return m, tollgate.Invalidf("request_id", "request_id is not a request id (req_ and 13 characters)")
		}
		m.Values = append(m.Values, id)
	}
	return m, nil
}

// Deref returns what t points at, the zero time for nil.
func Deref(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// Tokens is the JSON of token counts, each token in one field only
// (reasoning_tokens are a part of output_tokens).
type Tokens struct {
	Input      int64 `json:"input_tokens" doc:"Not from a cache."`
	Output     int64 `json:"output_tokens"`
	CacheRead  int64 `json:"cache_read_input_tokens"`
	CacheWrite int64 `json:"cache_creation_input_tokens" doc:"Written to a cache, of any life."`
	Reasoning  int64 `json:"reasoning_tokens" doc:"Part of output_tokens."`
}

func tokens(t tollgate.Tokens) Tokens {
	return Tokens{t.Input, t.Output, t.CacheRead, t.CacheWrite + t.CacheWrite1h, t.Reasoning}
}

// Usage is the JSON of a usage row: one request that went out to a provider.
type Usage struct {
	ID         string    `json:"id" doc:"The request's id with the attempt in it."`
	RequestID  string    `json:"request_id"`
	Attempt    int       `json:"attempt"`
	UserID     *int64    `json:"user_id" doc:"null = the access key"`
	KeyID      *int64    `json:"key_id" doc:"null = a session or the access key"`
	ProviderID int64     `json:"provider_id"`
	Model      string    `json:"model"`
	Dialect    string    `json:"dialect"`
	Operation  string    `json:"operation"`
	StartedAt  time.Time `json:"started_at"`
	LatencyMS  int64     `json:"latency_ms"`
	Status     int       `json:"status" doc:"The provider's; 0 = none came."`
	ErrorClass string    `json:"error_class"`
	Tokens
	InputAudio   int64  `json:"input_audio_tokens" doc:"Part of input_tokens, where the provider counts it apart; so are the next three."`
	InputImage   int64  `json:"input_image_tokens"`
	OutputAudio  int64  `json:"output_audio_tokens"`
	OutputImage  int64  `json:"output_image_tokens"`
	Exactness    string `json:"exactness"`
	ServiceTier  string `json:"service_tier"`
	Cost         Money  `json:"cost"`
	PriceVersion int64  `json:"price_version" doc:"0 = unpriced"`
	Overrun      Money  `json:"overrun" doc:"What cost is above the money that was held for the call."`
}

// UsageRecord returns the JSON of a usage row.
func UsageRecord(r tollgate.UsageRow) Usage {
	return Usage{
		ID: r.ID.String(), RequestID: r.RequestID.String(), Attempt: r.ID.Attempt(), UserID: OrNull(r.UserID), KeyID: OrNull(r.KeyID),
		ProviderID: r.ProviderID, Model: r.Model, Dialect: string(r.Dialect), Operation: string(r.Operation),
		StartedAt: r.StartedAt.UTC(), LatencyMS: r.Latency.Milliseconds(), Status: r.Status, ErrorClass: r.ErrorClass,
		Tokens: tokens(r.Tokens), InputAudio: r.Tokens.InputAudio, InputImage: r.Tokens.InputImage,
		OutputAudio: r.Tokens.OutputAudio, OutputImage: r.Tokens.OutputImage, Exactness: string(r.Exactness), ServiceTier: r.ServiceTier, Cost: Money(r.Cost), PriceVersion: r.PriceVersion,
		Overrun: Money(r.Overrun),
	}
}

// UsageRows is the Source of usage rows.
func UsageRows(ctx context.Context, tx tollgate.Tx, f tollgate.UsageFilter, p tollgate.Page) ([]tollgate.UsageRow, *tollgate.Cursor, error) {
	return tx.Usage.Dispatches(ctx, f, p)
}

// Count is the answer of a count.
type Count struct {
	Count int64 `json:"count"`
}

// Sum is the JSON of one row of a summary.
type Sum struct {
	Group      string `json:"group" doc:"An id, a model, a tag, a UTC day or hour, by what was grouped."`
	Then       string `json:"then" doc:"The same of then_by; empty without it."`
	Dispatches int64  `json:"dispatches" doc:"Requests that went out to providers; of tags, requests of clients."`
	Errors     int64  `json:"errors"`
	LatencyMS  int64  `json:"latency_ms" doc:"The mean."`
	Tokens
	Cost Money `json:"cost"`
}

// SumRecord returns the JSON of a sum.
func SumRecord(s tollgate.UsageSum) Sum {
	rec := Sum{Group: s.Keys[0], Dispatches: s.Dispatches, Errors: s.Errors, Tokens: tokens(s.Tokens), Cost: Money(s.Cost)}
	if len(s.Keys) > 1 {
		rec.Then = s.Keys[1]
	}
	if s.Dispatches > 0 {
		rec.LatencyMS = s.Latency.Milliseconds() / s.Dispatches
	}
	return rec
}

// Summary reads the sums of the rows that f selects, by model if by says nothing.
func Summary(ctx context.Context, store tollgate.Store, now time.Time, f tollgate.UsageFilter, by ...string) ([]Sum, error) {
	var recs []Sum
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		recs, err = SummaryIn(ctx, tx, now, f, by...)
		return err
	})
	return recs, err
}

// SummaryIn is Summary within a transaction.
func SummaryIn(ctx context.Context, tx tollgate.Tx, now time.Time, f tollgate.UsageFilter, by ...string) ([]Sum, error) {
	var groups []tollgate.UsageGroup
	for _, g := range by {
		if g != "" {
			groups = append(groups, tollgate.UsageGroup(g))
		}
	}
	if len(by) == 0 || by[0] == "" {
		groups = append([]tollgate.UsageGroup{tollgate.GroupModel}, groups...)
	}
	if err := hourly(f, now, groups); err != nil {
		return nil, err
	}
	recs := []Sum{}
	sums, err := tx.Usage.Summarize(ctx, f, groups...)
	for _, s := range sums {
		recs = append(recs, SumRecord(s))
	}
	return recs, err
}

// CountUsage counts the rows that f selects.
func CountUsage(ctx context.Context, store tollgate.Store, f tollgate.UsageFilter) (Count, error) {
	var c Count
	err := store.View(ctx, func(tx tollgate.Tx) (err error) {
		c.Count, err = tx.Usage.CountDispatches(ctx, f)
		return err
	})
	return c, err
}

// hourly refuses sums by the hour of a time that has too many hours.
func hourly(f tollgate.UsageFilter, now time.Time, by []tollgate.UsageGroup) error {
	if !slices.Contains(by, tollgate.GroupHour) {
		return nil
	}
	until := f.Until
	if until.IsZero() {
		until = now
	}
	if f.Since.IsZero() || until.Sub(f.Since) > tollgate.MaxHourly {
		return tollgate.Invalidf("since", "sums by the hour cover at most %d days: say since when, or group by day", tollgate.MaxHourly/(24*time.Hour))
	}
	return nil
}
