// Package telemetry holds the Prometheus metrics of the process. Every label
// has bounded cardinality: routes, dialects, operations, provider names and
// fixed classes; never a key, a user or a model name that a client sent
// (SECURITY L-05).
package telemetry

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are the process's metrics on a registry of their own.
type Metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	duration  *prometheus.HistogramVec
	first     *prometheus.HistogramVec
	inFlight  prometheus.Gauge
	dispatch  *prometheus.CounterVec
	tokens    *prometheus.CounterVec
	revoked   prometheus.Counter
	losses    *prometheus.CounterVec
	features  bounded
	tokenKind [5]string

	// What each request touches, found without making labels.
	answers           known[answered, prometheus.Counter]
	durations, firsts known[string, prometheus.Observer]
	outcomes          known[outcome, prometheus.Counter]
	uses              known[used, prometheus.Counter]
}

type (
	answered struct {
		route  string
		status int
	}
	outcome struct{ provider, outcome string }
	used    struct {
		provider string
		kind     int
	}
)

// New returns metrics of a process of the given version.
func New(version string) *Metrics {
	seconds := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 120, 300}
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_requests_total", Help: "Requests answered, by route and status.",
		}, []string{"route", "status"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tollgate_request_duration_seconds", Help: "Time from the door to the end of the answer.", Buckets: seconds,
		}, []string{"route"}),
		first: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "tollgate_time_to_first_token_seconds", Help: "Time from the door to the first content sent on.", Buckets: seconds,
		}, []string{"dialect"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "tollgate_requests_in_flight", Help: "Requests being answered.",
		}),
		dispatch: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_dispatches_total", Help: "Requests sent to providers, by provider and outcome (ok or an error class).",
		}, []string{"provider", "outcome"}),
		tokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_tokens_total", Help: "Tokens used, by provider and kind.",
		}, []string{"provider", "kind"}),
		revoked: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "tollgate_streams_revoked_total", Help: "Open calls ended because their principal was revoked.",
		}),
		losses: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "tollgate_losses_total",
			Help: "What translations between dialects did not carry (kind loss) or carried in another form (kind note), by feature.",
		}, []string{"feature", "kind"}),
		tokenKind: [5]string{"input", "cache_read", "cache_write", "output", "reasoning"},
	}
	info := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "tollgate_build_info", Help: "Constant 1, with the version.", ConstLabels: prometheus.Labels{"version": version},
	})
	info.Set(1)
	m.registry.MustRegister(m.requests, m.duration, m.first, m.inFlight, m.dispatch, m.tokens, m.revoked, m.losses, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Handler serves the metrics in the Prometheus text format.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// Gauge adds a gauge whose value is read when the metrics are scraped.
// Adding the same name twice is a programming error and panics.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}

// Counter adds a counter whose value is read when the metrics are scraped; as Gauge.
func (m *Metrics) Counter(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help}, read))
}

// Started counts a request in.
func (m *Metrics) Started() { m.inFlight.Inc() }

// Done counts a request out. route is a matched pattern, never a path.
func (m *Metrics) Done(route string, status int, took time.Duration) {
	m.inFlight.Dec()
	m.answers.get(answered{route, status}, func() prometheus.Counter { return m.requests.WithLabelValues(route, strconv.Itoa(status)) }).Inc()
	m.durations.get(route, func() prometheus.Observer { return m.duration.WithLabelValues(route) }).Observe(took.Seconds())
}

// FirstToken records the time to the first content of an answer.
func (m *Metrics) FirstToken(dialect string, took time.Duration) {
	m.firsts.get(dialect, func() prometheus.Observer { return m.first.WithLabelValues(dialect) }).Observe(took.Seconds())
}

// Dispatched counts a request sent to a provider; how is "ok" or an error class.
func (m *Metrics) Dispatched(provider, how string) {
	m.outcomes.get(outcome{provider, how}, func() prometheus.Counter { return m.dispatch.WithLabelValues(provider, how) }).Inc()
}

// Tokens adds what a request used; the arguments are counts of tokens.
func (m *Metrics) Tokens(provider string, input, cacheRead, cacheWrite, output, reasoning int64) {
	for i, n := range [...]int64{input, cacheRead, cacheWrite, output, reasoning} {
		if n > 0 {
			m.uses.get(used{provider, i}, func() prometheus.Counter { return m.tokens.WithLabelValues(provider, m.tokenKind[i]) }).Add(float64(n))
		}
	}
}

// Revoked counts an open call that was ended by a revocation.
func (m *Metrics) Revoked() { m.revoked.Inc() }

// Lost counts something that a translation did not carry, or with note set
// carried in another form. Of the features the first 256 have names of their
// own, the rest is "other".
func (m *Metrics) Lost(feature string, note bool) {
	kind := "loss"
	if note {
		kind = "note"
	}
	m.losses.WithLabelValues(m.features.label(feature), kind).Inc()
}

// maxLabels bounds the values of a label whose words come from many places.
const maxLabels = 256

// bounded hands out the values of a label. The zero value is ready.
type bounded struct {
	mu   sync.Mutex
	seen map[string]bool
}

func (b *bounded) label(name string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.seen[name] && len(b.seen) >= maxLabels {
		return "other"
	}
	if b.seen == nil {
		b.seen = map[string]bool{}
	}
	b.seen[name] = true
	return name
}
