// Command bench measures a running gateway against nginx over the same fake
// upstream, everything on loopback, in one run:
//
//	go run ./bench            the table of docs/speed.md
//	go run ./bench -json      the same for machines
//
// Absolute times drift with the machine, so rounds alternate between the two
// and the figure to quote is the ratio of CPU time. The fake upstream is a
// process of its own (this program again), so that no CPU of it is counted.
// It takes about a minute and a half, needs nginx, and asks nothing of the network.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"time"
)

// options are the flags.
type options struct {
	binary string        // gateway binary; empty = build it
	rounds int           // rounds per case, each nginx then gateway
	window time.Duration // measured part of a round
	warm   time.Duration // part of a round before it
	cases  []string      // ids of cases to run
	json   bool
	// profile is where the gateway's CPU profile goes; empty = none.
	profile string
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == roleUpstream {
		if err := serveUpstream(os.Stdin, os.Stdout); err != nil {
			fail(err)
		}
		return
	}
	var o options
	var names string
	flag.StringVar(&o.binary, "binary", "", "gateway binary (default: build ./cmd/tollgate)")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds of each case, nginx and gateway in turn")
	flag.DurationVar(&o.window, "window", 2*time.Second, "measured part of a round")
	flag.DurationVar(&o.warm, "warm", 500*time.Millisecond, "part of a round before it is measured")
	flag.StringVar(&names, "cases", strings.Join(caseIDs(), ","), "cases to run")
	flag.BoolVar(&o.json, "json", false, "print JSON")
	flag.StringVar(&o.profile, "profile", "", "file for a CPU profile of the gateway, to be built by: see make profile")
	flag.Parse()
	o.cases = strings.Split(names, ",")

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	report, err := run(ctx, o, os.Stderr)
	stop()
	if err != nil {
		fail(err)
	}
	if o.json {
		enc := json.NewEncoder(os.Stdout)
		enc.SetIndent("", "  ")
		err = enc.Encode(report)
	} else {
		err = report.write(os.Stdout)
	}
	if err == nil {
		err = report.errs()
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "bench:", err)
	os.Exit(1)
}

// run starts the three processes, measures every case and stops them again.
func run(ctx context.Context, o options, progress io.Writer) (_ *report, err error) {
	for _, id := range o.cases {
		if !slices.Contains(caseIDs(), id) {
			return nil, fmt.Errorf("no case %q; there are %s", id, strings.Join(caseIDs(), ", "))
		}
	}
	dir, err := os.MkdirTemp("", "tollgate-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	b, err := startBed(ctx, dir, o, progress)
	if err != nil {
		return nil, err
	}
	defer b.stop()

	out := &report{Machine: machine(), Rounds: o.rounds, Window: o.window.Seconds()}
	for _, c := range cases() {
		if !slices.Contains(o.cases, c.id) {
			continue
		}
		r, err := b.measure(ctx, c, o, progress)
		if err != nil {
			return nil, fmt.Errorf("%s: %w%s", c.id, err, b.tail())
		}
		out.Results = append(out.Results, r)
	}
	return out, nil
}
