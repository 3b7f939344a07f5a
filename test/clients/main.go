// Command clients runs the command line programs that people point at a gateway
// (Claude Code, Codex, Gemini CLI) through a running gateway, on providers of
// every dialect: each does a task of two turns with two parallel tool calls,
// and what the vendor was sent is judged. See judge for what is looked at.
//
//	clients -gateway bin/tollgate [-program claude] [-dialect gemini] [-keep] [-v]
//
// The programs are taken from PATH; scripts/clients.sh installs them.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	if err := clients(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	gateway, program, dialect string
	keep, verbose             bool
}

func clients(args []string, out io.Writer) error {
	var o options
	flags := flag.NewFlagSet("clients", flag.ContinueOnError)
	flags.StringVar(&o.gateway, "gateway", "bin/tollgate", "the gateway's binary")
	flags.StringVar(&o.program, "program", "", "run this program alone")
	flags.StringVar(&o.dialect, "dialect", "", "use providers of this dialect alone")
	flags.BoolVar(&o.keep, "keep", false, "keep the folder with the programs' output and the gateway's log")
	flags.BoolVar(&o.verbose, "v", false, "show every request")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	dir, err := os.MkdirTemp("", "tollgate-clients-")
	if err != nil {
		return err
	}
	if !o.keep {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	binary, err := filepath.Abs(o.gateway)
	if err != nil {
		return err
	}
	b, err := start(ctx, binary, dir)
	if err != nil {
		return err
	}
	defer b.stop()
	if o.keep {
		defer func() { fmt.Fprintln(os.Stderr, "kept in", dir) }()
	}
	return matrix(ctx, b, o, out)
}

// matrix runs every program on every dialect, one after the other, and writes a
// line for each.
func matrix(ctx context.Context, b *bed, o options, out io.Writer) error {
	failed, ran := 0, 0
	for _, p := range programs() {
		for i, to := range backends() {
			if o.program != "" && o.program != p.name || o.dialect != "" && o.dialect != to.dialect {
				continue
			}
			for _, model := range []string{to.provider() + "/" + to.model, p.known[i]} {
				begun := time.Now()
				fronts, err := b.try(ctx, p, to, model)
				ran++
				if err != nil {
					failed++
				}
				r := run{p, to, model, time.Since(begun), fronts, err}
				if _, err := io.WriteString(out, r.line(o.verbose)); err != nil {
					return err
				}
			}
		}
	}
	switch {
	case ran == 0:
		return errors.New("no such program or dialect")
	case failed > 0:
		return fmt.Errorf("%d of %d failed", failed, ran)
	}
	return nil
}

// run is what became of one program with one model.
type run struct {
	program program
	backend backend
	model   string
	took    time.Duration
	fronts  []front
	err     error
}

// line tells of it.
func (r run) line(verbose bool) string {
	verdict, remark := "ok", ""
	if r.err != nil {
		verdict = "FAILED"
	}
	if r.program.native == r.backend.dialect {
		remark = ", its own dialect" // the control
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%-9s %-10s %-26s %-6s %5.1f s  %2d requests%s\n", r.program.name, r.backend.dialect, r.model, verdict, r.took.Seconds(), len(r.fronts), remark)
	for _, f := range r.fronts {
		if verbose {
			fmt.Fprintf(&b, "    %d %s %s  %s\n", f.Status, f.Method, f.Path, f.Losses)
		}
	}
	if r.err != nil {
		fmt.Fprintf(&b, "    %s\n", strings.ReplaceAll(r.err.Error(), "\n", "\n    "))
	}
	return b.String()
}
