package sqlstore

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// The spans that traffic is counted by, in minutes.
const (
	fineSpan   = 5
	coarseSpan = 60
)

// The measures of latencies.
const (
	measureLatency = iota
	measureFirstToken
)

// maxTokens bounds what one request adds by kind, so that no sum overflows over
// what a provider may claim.
const maxTokens = 1 << 40

const minuteMicros = int64(time.Minute / time.Microsecond)

// flow is a row of traffic.
type flow struct {
	span, period, userID, class int64

	requests, streams int64
	cost              tollgate.Money
	input, output     int64
}

func (f *flow) same(g *flow) bool {
	return f.span == g.span && f.period == g.period && f.userID == g.userID && f.class == g.class
}

const flowKeys = 4

func trafficColumns() []column[flow] {
	return []column[flow]{
		integer("span", func(f *flow) *int64 { return &f.span }),
		integer("period", func(f *flow) *int64 { return &f.period }),
		integer("user_id", func(f *flow) *int64 { return &f.userID }),
		integer("class", func(f *flow) *int64 { return &f.class }),
		integer("requests", func(f *flow) *int64 { return &f.requests }),
		integer("streams", func(f *flow) *int64 { return &f.streams }),
		integer("cost", func(f *flow) *tollgate.Money { return &f.cost }),
		integer("input", func(f *flow) *int64 { return &f.input }),
		integer("output", func(f *flow) *int64 { return &f.output }),
	}
}

// bar is a row of latencies.
type bar struct{ span, period, measure, bucket, n int64 }

const barKeys = 4

func latencyColumns() []column[bar] {
	return []column[bar]{
		integer("span", func(b *bar) *int64 { return &b.span }),
		integer("period", func(b *bar) *int64 { return &b.period }),
		integer("measure", func(b *bar) *int64 { return &b.measure }),
		integer("bucket", func(b *bar) *int64 { return &b.bucket }),
		integer("n", func(b *bar) *int64 { return &b.n }),
	}
}

// grows is the end of an insert into table: what has the same first columns grows.
func grows[T any](table string, columns []column[T], keys int) string {
	sums := make([]string, 0, len(columns))
	for _, c := range columns[keys:] {
		sums = append(sums, c.name+" = "+table+"."+c.name+" + excluded."+c.name)
	}
	return " ON CONFLICT (" + names(columns[:keys]) + ") DO UPDATE SET " + strings.Join(sums, ", ")
}

// sumsOf are the sums of columns, each with a comma in front.
func sumsOf[T any](columns []column[T]) string {
	var b strings.Builder
	for _, c := range columns {
		b.WriteString(", CAST(SUM(" + c.name + ") AS BIGINT)")
	}
	return b.String()
}

// stream counts the requests of one append. Few periods and users meet in one
// batch, so that a list beats a map; the bars are an array for each period.
type stream struct {
	bounds []int64
	flows  []flow
	bars   []bars
}

// bars are the latencies of one period.
type bars struct {
	span, period int64
	n            [2][]int64 // by measure and bucket
}

func newStream() stream { return stream{bounds: tollgate.LatencyBounds()} }

func (s *stream) reset() { s.flows, s.bars = s.flows[:0], s.bars[:0] }

// add counts one request that was not there before.
func (s *stream) add(r *tollgate.Request) {
	f := flow{
		userID: r.UserID, class: int64(r.Outcome()), requests: 1, cost: min(r.Cost, tollgate.MaxCost),
		input:  min(r.Tokens.Input, maxTokens) + min(r.Tokens.CacheRead, maxTokens) + min(r.Tokens.CacheWrite, maxTokens) + min(r.Tokens.CacheWrite1h, maxTokens),
		output: min(r.Tokens.Output, maxTokens),
	}
	if r.Stream {
		f.streams = 1
	}
	latency, first := s.bucket(r.Latency), -1
	if r.FirstToken >= time.Microsecond {
		first = s.bucket(r.FirstToken)
	}
	for _, span := range [...]int64{fineSpan, coarseSpan} {
		f.span, f.period = span, micros(r.StartedAt)/(span*minuteMicros)
		s.flow(&f)
		b := s.period(span, f.period)
		b.n[measureLatency][latency]++
		if first >= 0 {
			b.n[measureFirstToken][first]++
		}
	}
}

// bucket is the index of the first bound above d.
func (s *stream) bucket(d time.Duration) int {
	us := d.Microseconds()
	return sort.Search(len(s.bounds), func(i int) bool { return us < s.bounds[i] })
}

func (s *stream) flow(f *flow) {
	for i := range s.flows {
		if g := &s.flows[i]; g.same(f) {
			g.requests += f.requests
			g.streams += f.streams
			g.cost += f.cost
			g.input += f.input
			g.output += f.output
			return
		}
	}
	s.flows = append(s.flows, *f)
}

func (s *stream) period(span, period int64) *bars {
	for i := range s.bars {
		if b := &s.bars[i]; b.span == span && b.period == period {
			return b
		}
	}
	b := bars{span: span, period: period}
	for m := range b.n {
		b.n[m] = make([]int64, len(s.bounds)+1)
	}
	s.bars = append(s.bars, b)
	return &s.bars[len(s.bars)-1]
}

// each calls fn for every bar that counted something.
func (s *stream) each(fn func(*bar) error) error {
	for i := range s.bars {
		b := &s.bars[i]
		for measure, counts := range b.n {
			for bucket, n := range counts {
				if n == 0 {
					continue
				}
				if err := fn(&bar{b.span, b.period, int64(measure), int64(bucket), n}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// Traffic returns the steps in which something happened, in order.
func (u usage) Traffic(ctx context.Context, f tollgate.TrafficFilter) ([]tollgate.Traffic, error) {
	t, err := newTrafficQuery(f)
	if err != nil {
		return nil, err
	}
	var out []tollgate.Traffic
	at := func(step int64) *tollgate.Traffic {
		begin := time.UnixMicro(step * t.step * t.span * minuteMicros).UTC()
		i := sort.Search(len(out), func(i int) bool { return !out[i].At.Before(begin) })
		if i == len(out) || !out[i].At.Equal(begin) {
			out = append(out, tollgate.Traffic{})
			copy(out[i+1:], out[i:])
			out[i] = tollgate.Traffic{At: begin}
		}
		return &out[i]
	}
	if err := u.flows(ctx, t, f, at); err != nil {
		return nil, u.s.fail(ctx, err, "read traffic")
	}
	if !f.UserID.Set {
		err = u.bars(ctx, t, at)
	}
	return out, u.s.fail(ctx, err, "read traffic")
}

// trafficQuery is a filter in the periods of a span.
type trafficQuery struct{ span, step, first, past int64 }

func newTrafficQuery(f tollgate.TrafficFilter) (trafficQuery, error) {
	q := trafficQuery{span: coarseSpan}
	unit := time.Hour
	if f.Step < time.Hour {
		q.span, unit = fineSpan, tollgate.TrafficSpan
	}
	if f.Step < unit || f.Step%unit != 0 {
		return q, tollgate.Invalidf("step", "a step is a multiple of five minutes, or of hours from an hour on")
	}
	if f.Since.IsZero() || !f.Until.After(f.Since) {
		return q, tollgate.Invalidf("until", "a plot needs a time since and a later time until")
	}
	q.step = int64(f.Step / unit)
	step := micros(time.UnixMicro(0).Add(f.Step))
	q.first = micros(f.Since) / step * q.step
	q.past = (micros(f.Until) + step - 1) / step * q.step
	return q, nil
}

// clause selects the periods of q.
func (q trafficQuery) clause(w *where) {
	w.add("span = " + w.arg(q.span))
	w.add("period >= " + w.arg(q.first))
	w.add("period < " + w.arg(q.past))
}

func (q trafficQuery) key() string { return "period / " + strconv.FormatInt(q.step, 10) }

func (u usage) flows(ctx context.Context, q trafficQuery, f tollgate.TrafficFilter, at func(int64) *tollgate.Traffic) error {
	w := &where{engine: u.s.engine}
	q.clause(w)
	ints(w, "user_id", f.UserID)
	query := "SELECT " + q.key() + ", class"
	query += sumsOf(u.traffic[flowKeys:])
	query += " FROM traffic" + w.clause() + " GROUP BY 1, 2"
	return collect(ctx, u.s.tx, query, func(scan func(...any) error) error {
		var step, class, n int64
		var part tollgate.Traffic
		if err := scan(&step, &class, &n, &part.Streams, &part.Cost, &part.Input, &part.Output); err != nil {
			return err
		}
		if class < 0 || class >= tollgate.TrafficClasses {
			return fmt.Errorf("traffic of class %d", class)
		}
		part.Requests[class] = n
		at(step).Add(&part)
		return nil
	}, w.args...)
}

func (u usage) bars(ctx context.Context, q trafficQuery, at func(int64) *tollgate.Traffic) error {
	w := &where{engine: u.s.engine}
	q.clause(w)
	query := "SELECT " + q.key() + ", measure, bucket, CAST(SUM(n) AS BIGINT) FROM latencies" + w.clause() + " GROUP BY 1, 2, 3"
	return collect(ctx, u.s.tx, query, func(scan func(...any) error) error {
		var step, measure, bucket, n int64
		if err := scan(&step, &measure, &bucket, &n); err != nil {
			return err
		}
		t := at(step)
		if measure == measureFirstToken {
			t.FirstToken.Put(int(bucket), n)
		} else {
			t.Latency.Put(int(bucket), n)
		}
		return nil
	}, w.args...)
}

// ForgetTraffic removes what is shorter than an hour and before a time.
func (u usage) ForgetTraffic(ctx context.Context, before time.Time) error {
	for _, table := range []string{"traffic", "latencies"} {
		_, err := u.s.exec(ctx, "DELETE FROM "+table+" WHERE span = $1 AND period < $2", int64(fineSpan), micros(before)/(fineSpan*minuteMicros))
		if err != nil {
			return u.s.fail(ctx, err, "forget traffic")
		}
	}
	u.s.touch(0)
	return nil
}
