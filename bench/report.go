package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// report is the outcome of a run.
type report struct {
	Machine string   `json:"machine"`
	Rounds  int      `json:"rounds"`
	Window  float64  `json:"window_s"`
	Results []result `json:"results"`
}

// result is one case. Times are microseconds, medians over the rounds.
type result struct {
	Case     string  `json:"case"`
	Title    string  `json:"title"`
	Unit     string  `json:"unit"`
	Nginx    figures `json:"nginx"`
	Gateway  figures `json:"gateway"`
	Ratio    float64 `json:"cpu_ratio"` // of CPU per unit, median over pairs of rounds
	AddedP50 float64 `json:"added_p50_us"`
	AddedP99 float64 `json:"added_p99_us"`
	Errors   int     `json:"errors"`

	bars  []bar
	first error
}

// figures are what one target did in a case.
type figures struct {
	CPU       float64 `json:"cpu_us"` // CPU time per unit
	P50       float64 `json:"p50_us"`
	P99       float64 `json:"p99_us"`
	PerSecond float64 `json:"per_second"`
	StreamKB  float64 `json:"kb_per_stream,omitempty"` // memory gained per open stream
	RSS       float64 `json:"rss_mib"`
}

// measure runs the rounds of a case, nginx (or what else the gateway is compared
// with) and gateway in turn.
func (b *bed) measure(ctx context.Context, c benchCase, o options, progress io.Writer) (result, error) {
	r := result{Case: c.id, Title: c.title, Unit: "request", bars: c.bars}
	if c.load.stream {
		r.Unit = "event"
	}
	ruler, tested := b.nginx, b.gateway
	switch {
	case c.money:
		ruler, tested = b.bare, b.money
	case c.storm > 0:
		ruler, tested = b.stormed, b.stormed
	}
	var nginx, gateway []figures
	var ratios []float64
	for i := range o.rounds {
		say(progress, "%s: round %d of %d", c.title, i+1, o.rounds)
		n, err := b.round(ctx, ruler, c.load, o, &r)
		if err != nil {
			return r, err
		}
		calm := func() {}
		if c.storm > 0 {
			end := tested.storm(ctx, c.storm)
			calm = func() { say(progress, "sign-ins by status: %v", end()) }
		}
		g, err := b.round(ctx, tested, c.load, o, &r)
		calm()
		if err != nil {
			return r, err
		}
		nginx, gateway = append(nginx, n), append(gateway, g)
		if n.CPU > 0 {
			ratios = append(ratios, g.CPU/n.CPU)
		}
	}
	r.Nginx, r.Gateway, r.Ratio = middle(nginx), middle(gateway), median(ratios)
	r.AddedP50, r.AddedP99 = r.Gateway.P50-r.Nginx.P50, r.Gateway.P99-r.Nginx.P99
	return r, nil
}

// round puts the load on one target once.
func (b *bed) round(ctx context.Context, t target, l load, o options, r *result) (figures, error) {
	var fault error
	read := func() usage {
		u, err := treeUsage(t.pid)
		if err != nil && fault == nil {
			fault = fmt.Errorf("%s is gone: %w", t.name, err)
		}
		return u
	}
	before := read()
	var open, full, end usage
	s, err := l.run(ctx, t.addr, b.key, o.warm, o.window, func() { open = read() }, func() { full = read() }, func() { end = read() })
	if err == nil {
		err = fault
	}
	if err != nil {
		return figures{}, err
	}
	r.Errors += s.failures
	if r.first == nil && s.first != nil {
		r.first = fmt.Errorf("%s: %w", t.name, s.first)
	}
	if s.units == 0 {
		return figures{}, fmt.Errorf("%s served nothing: %w", t.name, s.first)
	}
	f := figures{
		CPU:       float64((end.cpu - open.cpu).Microseconds()) / float64(s.units),
		P50:       s.percentile(0.50),
		P99:       s.percentile(0.99),
		PerSecond: float64(s.units) / s.elapsed.Seconds(),
		RSS:       float64(full.rss) / (1 << 20),
	}
	if l.stream {
		f.StreamKB = float64(full.rss-before.rss) / 1000 / float64(l.conns)
	}
	return f, nil
}

// middle takes the median of each figure. Memory per stream is the largest of
// the rounds: later ones reuse what the first has grown.
func middle(rounds []figures) figures {
	pick := func(get func(figures) float64) []float64 {
		var out []float64
		for _, f := range rounds {
			out = append(out, get(f))
		}
		return out
	}
	return figures{
		CPU:       median(pick(func(f figures) float64 { return f.CPU })),
		P50:       median(pick(func(f figures) float64 { return f.P50 })),
		P99:       median(pick(func(f figures) float64 { return f.P99 })),
		PerSecond: median(pick(func(f figures) float64 { return f.PerSecond })),
		StreamKB:  slices.Max(pick(func(f figures) float64 { return f.StreamKB })),
		RSS:       slices.Max(pick(func(f figures) float64 { return f.RSS })),
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	if n := len(v); n%2 == 0 {
		return (v[n/2-1] + v[n/2]) / 2
	}
	return v[len(v)/2]
}

// write prints the two tables: what was measured, and how it stands to the bars.
func (r *report) write(out io.Writer) error {
	say(out, "%s; medians of %d rounds of %g s, nginx and gateway in turn, all on loopback\n", r.Machine, r.Rounds, r.Window)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say(w, "case\truler CPU µs\tgateway CPU µs\tratio\tp50 µs\tadded\tp99 µs\tadded\tper second\tRSS MiB\terrors")
	for _, x := range r.Results {
		say(w, "%s\t%.1f\t%.1f\t%.2f\t%.0f\t%+.0f\t%.0f\t%+.0f\t%.0f %ss\t%.0f\t%d", x.Title, x.Nginx.CPU, x.Gateway.CPU, x.Ratio,
			x.Gateway.P50, x.AddedP50, x.Gateway.P99, x.AddedP99, x.Gateway.PerSecond, x.Unit, x.Gateway.RSS, x.Errors)
	}
	say(w, "\t\t\t\t\t\t\t\t\t\t")
	if err := w.Flush(); err != nil {
		return err
	}
	w = tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	say(w, "measured\tfigure\tbar\tgoal\t")
	for _, x := range r.Results {
		for _, b := range x.bars {
			v := b.of(x)
			say(w, "%s: %s\t%.2f\t%g\t%g\t%s", x.Title, b.name, v, b.must, b.goal, verdict(v, b))
		}
	}
	return w.Flush()
}

func verdict(v float64, b bar) string {
	switch {
	case v <= b.goal:
		return "goal reached"
	case v <= b.must:
		return "within the bar"
	default:
		return "OVER THE BAR"
	}
}

// errs returns an error when a request failed: figures with failures in them
// say nothing about speed.
func (r *report) errs() error {
	var bad []string
	for _, x := range r.Results {
		if x.Errors > 0 {
			bad = append(bad, fmt.Sprintf("%s: %d failed, first: %v", x.Case, x.Errors, x.first))
		}
	}
	if bad != nil {
		return fmt.Errorf("requests failed: %s", strings.Join(bad, "; "))
	}
	return nil
}
