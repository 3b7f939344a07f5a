package tollgate

import (
	"math"
	"slices"
	"time"
)

// Traffic is what happened in one step of a period: a point of a plot.
type Traffic struct {
	At       time.Time // the step's begin
	Requests [TrafficClasses]int64
	Streams  int64
	Cost     Money
	// Input and Output count tokens, cached ones included.
	Input, Output int64
	// Latency and FirstToken say how long answers took, and how long the first
	// token of streams did. They are of everybody's requests and empty where
	// single users were asked for.
	Latency, FirstToken Histogram
}

// TrafficClasses is how many kinds of outcome are counted apart; see Request.Outcome.
const TrafficClasses = 6

// Outcome is the kind of end that traffic counts r as: the hundreds of the
// answer's status, or 0 when the client left before the end. An answer that
// began well and broke off counts as what broke it: 4 for a limit of the
// caller's, 5 for anything else.
func (r *Request) Outcome() int {
	const leftEarly, refused, failed = 499, 4, 5
	switch class := r.Status / 100; {
	case r.Status == leftEarly:
		return 0
	case class >= refused || r.ErrorClass == "":
		return max(0, min(class, failed))
	case r.ErrorClass == CodeQuota || r.ErrorClass == CodeRateLimited || r.ErrorClass == CodeForbidden || r.ErrorClass == CodeUnauthenticated:
		return refused
	}
	return failed
}

// Total returns the number of requests of every outcome.
func (t *Traffic) Total() (n int64) {
	for _, c := range t.Requests {
		n += c
	}
	return n
}

// Errors returns how many requests were refused or failed.
func (t *Traffic) Errors() int64 { return t.Requests[4] + t.Requests[5] }

// Add counts what u counted as well.
func (t *Traffic) Add(u *Traffic) {
	for i, n := range u.Requests {
		t.Requests[i] += n
	}
	t.Streams += u.Streams
	t.Cost += u.Cost
	t.Input += u.Input
	t.Output += u.Output
	t.Latency.Add(&u.Latency)
	t.FirstToken.Add(&u.FirstToken)
}

// TrafficFilter selects a part of the traffic.
type TrafficFilter struct {
	UserID Match[int64]
	// Since and Until bound the time and are cut to whole steps. Both are needed.
	Since, Until time.Time
	// Step is the length of a point: a multiple of five minutes up to an hour,
	// or of hours. Steps are counted from 1970 on.
	Step time.Duration
}

// TrafficSpan is the shortest step, and FineTraffic how long steps shorter than
// an hour are kept.
const (
	TrafficSpan = 5 * time.Minute
	FineTraffic = 3 * 24 * time.Hour
)

// latencyOctaves and latencySteps give the histograms their resolution: eight
// buckets for each doubling, from a millisecond to seventeen minutes.
const (
	latencyOctaves = 20
	latencySteps   = 8
	latencyBuckets = latencyOctaves*latencySteps + 2
)

// Histogram counts durations by length; a quantile of it is right to 5 %.
type Histogram struct{ n [latencyBuckets]int64 }

// LatencyBounds returns the lower ends of all buckets but the first, in
// microseconds, rising.
func LatencyBounds() []int64 {
	out := make([]int64, latencyBuckets-1)
	for i := range out {
		out[i] = int64(math.Round(1000 * math.Exp2(float64(i)/latencySteps)))
	}
	return out
}

// Put adds n to a bucket; one that does not exist is left out.
func (h *Histogram) Put(bucket int, n int64) {
	if bucket >= 0 && bucket < len(h.n) {
		h.n[bucket] += n
	}
}

// Add adds g.
func (h *Histogram) Add(g *Histogram) {
	for i, n := range g.n {
		h.n[i] += n
	}
}

// Count returns how many durations were counted.
func (h *Histogram) Count() (n int64) {
	for _, c := range h.n {
		n += c
	}
	return n
}

// Quantile returns the length that the share q of all is not above, 0 of an
// empty histogram.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := int64(math.Ceil(q * float64(h.Count())))
	if rank == 0 {
		return 0
	}
	i := slices.IndexFunc(h.n[:], func(n int64) bool { rank -= n; return rank <= 0 })
	// The middle of the bucket on the logarithmic scale.
	return time.Duration(1000*math.Exp2((float64(i)-0.5)/latencySteps)) * time.Microsecond
}
