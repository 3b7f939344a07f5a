package api

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"tollgate"
)

// Range is the time that a dashboard looks at.
type Range struct {
	Range string     `json:"range,omitempty" enum:"1h,6h,24h,7d,30d,90d" doc:"Up to now; the default is 24h."`
	Since *time.Time `json:"since,omitempty" doc:"Instead of range, with until."`
	Until *time.Time `json:"until,omitempty"`
}

const day = 24 * time.Hour

// maxRange bounds a dashboard's time.
const maxRange = 366 * day

// bounds returns the time as it stands at now.
func (r Range) bounds(now time.Time) (since, until time.Time, err error) {
	lengths := map[string]time.Duration{"": day, "1h": time.Hour, "6h": 6 * time.Hour, "24h": day, "7d": 7 * day, "30d": 30 * day, "90d": 90 * day}
	if r.Since == nil && r.Until == nil {
		return now.Add(-lengths[r.Range]), now, nil
	}
	switch {
	case r.Range != "":
		err = tollgate.Invalidf("range", "give either range, or since and until")
	case r.Since == nil || r.Until == nil || !r.Since.Before(*r.Until):
		err = tollgate.Invalidf("since", "give since and until, the first before the second")
	case r.Until.Sub(*r.Since) > maxRange:
		err = tollgate.Invalidf("since", "a dashboard looks at a year at most")
	default:
		since, until = *r.Since, *r.Until
	}
	return since, until, err
}

// step is the length of a plot's points: some sixty to ninety of them.
func step(since, until, now time.Time) time.Duration {
	length, fine := until.Sub(since), now.Sub(since) < tollgate.FineTraffic
	for _, s := range []struct{ upTo, step time.Duration }{
		{8 * time.Hour, tollgate.TrafficSpan}, {day, 15 * time.Minute}, {3 * day, time.Hour}, {8 * day, 2 * time.Hour}, {31 * day, 8 * time.Hour},
	} {
		if length <= s.upTo && (fine || s.step >= time.Hour) {
			return s.step
		}
	}
	return day
}

// Traffic is the JSON of what happened in a time.
type Traffic struct {
	Requests     int64 `json:"requests"`
	Succeeded    int64 `json:"succeeded"`
	Refused      int64 `json:"refused" doc:"Status 4xx."`
	Failed       int64 `json:"failed" doc:"Status 5xx."`
	ClientLeft   int64 `json:"client_left"`
	Streams      int64 `json:"streams"`
	Cost         Money `json:"cost"`
	InputTokens  int64 `json:"input_tokens" doc:"Cached ones included."`
	OutputTokens int64 `json:"output_tokens"`
	Latencies
}

// Latencies are quantiles in milliseconds, 0 where nothing was counted.
type Latencies struct {
	LatencyP50    float64 `json:"latency_p50_ms"`
	LatencyP95    float64 `json:"latency_p95_ms"`
	LatencyP99    float64 `json:"latency_p99_ms"`
	FirstTokenP50 float64 `json:"first_token_p50_ms"`
	FirstTokenP95 float64 `json:"first_token_p95_ms"`
}

// TrafficPoint is a step of a plot.
type TrafficPoint struct {
	At time.Time `json:"at" doc:"When the step begins."`
	Traffic
}

// Overview is the JSON of a dashboard.
type Overview struct {
	Since       time.Time      `json:"since"`
	Until       time.Time      `json:"until"`
	StepSeconds int64          `json:"step_seconds"`
	Total       Traffic        `json:"total"`
	Before      Traffic        `json:"before" doc:"The same of as long a time before."`
	Series      []TrafficPoint `json:"series" nullable:"false" doc:"Every step, those without traffic too."`
	Budgets     []Budget       `json:"budgets" nullable:"false" doc:"Limited ones, the most used first, at most twenty."`
}

// Budget is a quota with the share that is used.
type Budget struct {
	Quota
	Share float64 `json:"share" doc:"Spent and held, of the quota: 1 = all."`
}

// Dashboard reads what dashboards show.
type Dashboard struct {
	Store tollgate.Store
	Zone  *time.Location
	Held  Held
	Now   func() time.Time
}

// Overview shows the traffic of some users, or of all, and the budgets that f selects.
func (d Dashboard) Overview(ctx context.Context, r Range, users tollgate.Match[int64], budgets []tollgate.QuotaFilter) (Overview, error) {
	now := d.Now()
	since, until, err := r.bounds(now)
	if err != nil {
		return Overview{}, err
	}
	s := step(since, until, now)
	out := Overview{Since: since.UTC(), Until: until.UTC(), StepSeconds: int64(s / time.Second), Budgets: []Budget{}}
	return out, d.Store.View(ctx, func(tx tollgate.Tx) error {
		steps, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{UserID: users, Since: since, Until: until, Step: s})
		if err != nil {
			return err
		}
		out.Series = series(steps, since, until, s)
		out.Total = sumOf(steps)
		length := until.Sub(since)
		before := since.Add(-length)
		earlier, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{UserID: users, Since: before, Until: since, Step: step(before, since, now)})
		if err != nil {
			return err
		}
		out.Before = sumOf(earlier)
		if users.Set {
			if err := d.ownLatencies(ctx, tx, users, since, until, &out.Total); err != nil {
				return err
			}
		}
		out.Budgets, err = d.budgets(ctx, tx, budgets, now)
		return err
	})
}

// series puts in the steps without traffic.
func series(steps []tollgate.Traffic, since, until time.Time, s time.Duration) []TrafficPoint {
	out := []TrafficPoint{}
	for at := since.UTC().Truncate(s); at.Before(until); at = at.Add(s) {
		p := TrafficPoint{At: at}
		if i, ok := slices.BinarySearchFunc(steps, at, func(t tollgate.Traffic, at time.Time) int { return t.At.Compare(at) }); ok {
			p.Traffic = trafficRecord(&steps[i])
		}
		out = append(out, p)
	}
	return out
}

func sumOf(steps []tollgate.Traffic) Traffic {
	var sum tollgate.Traffic
	for i := range steps {
		sum.Add(&steps[i])
	}
	return trafficRecord(&sum)
}

func trafficRecord(t *tollgate.Traffic) Traffic {
	return Traffic{
		Requests: t.Total(), Succeeded: t.Requests[1] + t.Requests[2] + t.Requests[3], Refused: t.Requests[4], Failed: t.Requests[5],
		ClientLeft: t.Requests[0], Streams: t.Streams, Cost: Money(t.Cost), InputTokens: t.Input, OutputTokens: t.Output,
		Latencies: latencies(&t.Latency, &t.FirstToken),
	}
}

func latencies(whole, first *tollgate.Histogram) Latencies {
	ms := func(h *tollgate.Histogram, q float64) float64 {
		return float64(h.Quantile(q).Round(10*time.Microsecond)) / float64(time.Millisecond)
	}
	return Latencies{
		LatencyP50: ms(whole, 0.5), LatencyP95: ms(whole, 0.95), LatencyP99: ms(whole, 0.99),
		FirstTokenP50: ms(first, 0.5), FirstTokenP95: ms(first, 0.95),
	}
}

// ownLatencies works the quantiles of single users out from their latest
// requests, a thousand at most: histograms are kept of everybody together.
func (d Dashboard) ownLatencies(ctx context.Context, tx tollgate.Tx, users tollgate.Match[int64], since, until time.Time, into *Traffic) error {
	f := tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{UserID: users, Since: since, Until: until}}
	rows, _, err := tx.Usage.Requests(ctx, f, tollgate.Page{Sort: "-id"})
	if err != nil {
		return err
	}
	var whole, first []time.Duration
	for i := range rows {
		whole = append(whole, rows[i].Latency)
		if rows[i].FirstToken > 0 {
			first = append(first, rows[i].FirstToken)
		}
	}
	into.Latencies = Latencies{
		LatencyP50: quantile(whole, 0.5), LatencyP95: quantile(whole, 0.95), LatencyP99: quantile(whole, 0.99),
		FirstTokenP50: quantile(first, 0.5), FirstTokenP95: quantile(first, 0.95),
	}
	return nil
}

// quantile is in milliseconds; it sorts all.
func quantile(all []time.Duration, q float64) float64 {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	i := min(int(q*float64(len(all))), len(all)-1)
	return float64(all[i].Round(10*time.Microsecond)) / float64(time.Millisecond)
}

// maxBudgets is how many budgets an overview shows.
const maxBudgets = 20

func (d Dashboard) budgets(ctx context.Context, tx tollgate.Tx, filters []tollgate.QuotaFilter, now time.Time) ([]Budget, error) {
	out := []Budget{}
	for _, f := range filters {
		rows, _, err := tx.Quotas.Query(ctx, f, tollgate.Page{All: true})
		if err != nil {
			return nil, err
		}
		for _, q := range rows {
			if q.Limit == nil || *q.Limit == 0 {
				continue
			}
			b := Budget{Quota: QuotaRecord(q, now, d.Zone, d.Held)}
			b.Share = float64(b.CostUsed+b.Held) / float64(*q.Limit)
			out = append(out, b)
		}
	}
	slices.SortStableFunc(out, func(a, b Budget) int { return cmp.Compare(b.Share, a.Share) })
	return out[:min(len(out), maxBudgets)], nil
}

// TopQuery asks for the most used.
type TopQuery struct {
	Range
	Limit int `json:"limit,omitempty" minimum:"1" maximum:"100" doc:"The default is 10."`
}

// Top is the JSON of one of the most used.
type Top struct {
	ID   int64  `json:"id" doc:"0 for models and for the access key."`
	Name string `json:"name"`
	Sum
}

// Top returns the most expensive of a group, with their names.
func (d Dashboard) Top(ctx context.Context, q TopQuery, by tollgate.UsageGroup, users tollgate.Match[int64], name func(ctx context.Context, tx tollgate.Tx, id int64) string) ([]Top, error) {
	since, until, err := q.bounds(d.Now())
	if err != nil {
		return nil, err
	}
	if until.Sub(since) > time.Hour { // whole hours come from roll-ups
		since, until = since.Truncate(time.Hour), until.Add(time.Hour-1).Truncate(time.Hour)
	}
	out := []Top{}
	return out, d.Store.View(ctx, func(tx tollgate.Tx) error {
		sums, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{UserID: users, Since: since, Until: until}, by)
		if err != nil {
			return err
		}
		for _, s := range sums[:min(len(sums), cmp.Or(q.Limit, 10))] {
			t := Top{Name: s.Keys[0], Sum: SumRecord(s)}
			if by != tollgate.GroupModel {
				t.ID, _ = strconv.ParseInt(s.Keys[0], 10, 64) // a number it is
				t.Name = name(ctx, tx, t.ID)
			}
			out = append(out, t)
		}
		return nil
	})
}

// Slow returns the requests that took longest.
func (d Dashboard) Slow(ctx context.Context, q TopQuery, users tollgate.Match[int64]) ([]Request, error) {
	since, until, err := q.bounds(d.Now())
	if err != nil {
		return nil, err
	}
	out := []Request{}
	return out, d.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, err := tx.Usage.Slowest(ctx, tollgate.UsageFilter{UserID: users, Since: since, Until: until}, cmp.Or(q.Limit, 10))
		for _, r := range rows {
			out = append(out, RequestRecord(r))
		}
		return err
	})
}
