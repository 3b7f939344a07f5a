package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"tollgate/internal/demo"
)

// patience is how long a program may take for the task.
const patience = time.Minute

// try lets a program do the task on a provider's model and judges what came of it. It
// returns the program's requests as the gateway logged them.
func (b *bed) try(ctx context.Context, p program, to backend, model string) ([]front, error) {
	folder := filepath.Join(b.dir, p.name, model)
	s := setting{home: filepath.Join(folder, "home"), work: filepath.Join(folder, "work"), url: b.url, model: model}
	for _, f := range []string{s.home, s.work} {
		if err := os.MkdirAll(f, 0o700); err != nil {
			return nil, err
		}
	}
	t, err := newTask(s.work)
	if err != nil {
		return nil, err
	}
	if s.prompt, err = t.prompt(p); err != nil {
		return nil, err
	}
	b.reset()
	_, at, err := b.fronts(0)
	if err != nil {
		return nil, err
	}
	printed, failure := perform(ctx, p, s)
	fronts, _, err := b.fronts(at)
	requests := b.vendor.Requests()
	faults := []error{failure, err, keep(folder, requests), judgeOutside(t, fronts, printed), judge(to.dialect, t, requests)}
	for _, refusal := range b.reset() {
		faults = append(faults, errors.New(refusal))
	}
	return fronts, errors.Join(faults...)
}

// judgeOutside says what is wrong with what the program got and printed.
func judgeOutside(t task, fronts []front, printed string) error {
	var faults []error
	for _, f := range fronts {
		if f.Status >= http.StatusBadRequest {
			faults = append(faults, fmt.Errorf("the gateway answered %d to %s %s", f.Status, f.Method, f.Path))
		}
	}
	for _, mark := range t.marks {
		if !strings.Contains(printed, mark) {
			faults = append(faults, fmt.Errorf("%q was not printed: %s", mark, printed))
		}
	}
	return errors.Join(faults...)
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
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
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
