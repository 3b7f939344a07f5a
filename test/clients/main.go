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
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"time"

	"tollgate/internal/demo"
)

// patience is how long a program may take for the task.
const patience = time.Minute

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	gateway, program, dialect string
	keep, verbose             bool
}

func run(args []string, out io.Writer) error {
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
	if o.keep {
		fmt.Fprintln(out, "folder:", dir)
	} else {
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
	return matrix(ctx, b, o, out)
}

// matrix runs every program on every dialect, one after the other, and prints a
// line for each.
func matrix(ctx context.Context, b *bed, o options, out io.Writer) error {
	failed, ran := 0, 0
	for _, p := range programs() {
		for _, to := range backends() {
			if o.program != "" && o.program != p.name || o.dialect != "" && o.dialect != to.dialect {
				continue
			}
			begun := time.Now()
			r, err := b.try(ctx, p, to)
			ran++
			verdict := "ok"
			if err != nil {
				failed++
				verdict = "FAILED"
			}
			fmt.Fprintf(out, "%-10s %-10s %-6s %5.1f s  %2d requests%s\n", p.name, to.dialect, verdict, time.Since(begun).Seconds(), len(r.fronts), note(p, to))
			if o.verbose {
				for _, f := range r.fronts {
					fmt.Fprintf(out, "    %d %s %s  %s\n", f.Status, f.Method, f.Path, f.Losses)
				}
			}
			if err != nil {
				fmt.Fprintf(out, "    %s\n", strings.ReplaceAll(err.Error(), "\n", "\n    "))
			}
		}
	}
	if ran == 0 {
		return errors.New("no such program or dialect")
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed", failed, ran)
	}
	fmt.Fprintf(out, "all %d did the task\n", ran)
	return nil
}

// note marks the control: a program on its own dialect.
func note(p program, to backend) string {
	if p.native == to.dialect {
		return ", its own dialect"
	}
	return ""
}

// result is what a run left behind.
type result struct{ fronts []front }

// try lets a program do the task on a provider, and judges what came of it.
func (b *bed) try(ctx context.Context, p program, to backend) (result, error) {
	var r result
	s := setting{home: filepath.Join(b.dir, p.name, to.dialect, "home"), work: filepath.Join(b.dir, p.name, to.dialect, "work")}
	for _, folder := range []string{s.home, s.work} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return r, err
		}
	}
	t, err := newTask(s.work)
	if err != nil {
		return r, err
	}
	s.url, s.model = b.url, to.provider()+"/"+to.model
	if s.prompt, err = t.prompt(p); err != nil {
		return r, err
	}
	b.reset()
	_, at, err := b.fronts(0)
	if err != nil {
		return r, err
	}
	printed, err := perform(ctx, p, s)
	faults := []error{err}
	if r.fronts, _, err = b.fronts(at); err != nil {
		return r, err
	}
	for _, f := range r.fronts {
		if f.Status >= 400 {
			faults = append(faults, fmt.Errorf("the gateway answered %d to %s %s", f.Status, f.Method, f.Path))
		}
	}
	for _, mark := range t.marks {
		if !strings.Contains(printed, mark) {
			faults = append(faults, fmt.Errorf("%q was not printed: %s", mark, printed))
		}
	}
	requests := b.vendor.Requests()
	faults = append(faults, judge(to.dialect, t, requests), keep(filepath.Join(s.home, ".."), requests))
	for _, refusal := range b.reset() {
		faults = append(faults, errors.New(refusal))
	}
	return r, errors.Join(faults...)
}

// keep writes what the vendor was sent into a folder.
func keep(folder string, requests []demo.Request) error {
	for _, r := range requests {
		file := filepath.Join(folder, fmt.Sprintf("request-%03d.json", r.Number))
		if err := os.WriteFile(file, r.Body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// perform runs the program, which sees nothing of this environment but PATH,
// and returns what it printed. What it printed on both outputs is kept beside
// its home folder.
func perform(ctx context.Context, p program, s setting) (string, error) {
	argv, env, err := p.command(s)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...) //nolint:gosec // one of the programs above
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = s.work, &stdout, &stderr, 5*time.Second
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + s.home, "TERM=dumb", "NO_COLOR=1", "CI=1"}, env...)
	if err = cmd.Run(); err != nil {
		err = fmt.Errorf("%s: %w: %s", p.name, err, tail(stderr.String()))
	}
	return stdout.String(), errors.Join(err, os.WriteFile(filepath.Join(s.home, "..", "output"), append(stdout.Bytes(), stderr.Bytes()...), 0o600))
}

// tail returns the last lines of a text.
func tail(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(len(lines)-12, 0):], "\n")
}
