package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
)

// event is one line of `go test -json` (see `go doc test2json`).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of build-output and build-fail
	Test        string
	Elapsed     float64 // seconds
	Output      string
	FailedBuild string
}

// summary counts tests and subtests, and keeps the output of those that have
// not ended so that a failure can be shown with all of its own.
type summary struct {
	out                     io.Writer
	passed, failed, skipped int
	output                  map[string][]string // package + test → lines
	running                 map[string]bool
	counts                  map[string]int // package → tests that ended
	broken                  map[string]int // package → tests that failed
}

func newSummary(out io.Writer) *summary {
	return &summary{
		out: out, output: map[string][]string{}, running: map[string]bool{},
		counts: map[string]int{}, broken: map[string]int{},
	}
}

// line takes one line of input; what is no event is printed as it is.
func (s *summary) line(line []byte) {
	var e event
	if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil {
		s.write(line)
		return
	}
	key := e.Package + " " + e.Test
	switch e.Action {
	case "build-output":
		s.write([]byte(e.Output))
	case "run":
		s.running[key] = true
	case "output":
		s.output[key] = append(s.output[key], e.Output)
	case "pass", "fail", "skip":
		delete(s.running, key)
		if e.Test == "" {
			s.endPackage(e)
		} else {
			s.endTest(e, key)
		}
		delete(s.output, key)
	}
}

func (s *summary) endTest(e event, key string) {
	s.counts[e.Package]++
	switch e.Action {
	case "pass":
		s.passed++
	case "skip":
		s.skipped++
		s.printf("--- skipped: %s %s\n%s", e.Package, e.Test, strings.Join(s.output[key], ""))
	case "fail":
		s.failed++
		s.broken[e.Package]++
		s.printf("--- failed: %s %s\n%s", e.Package, e.Test, strings.Join(s.output[key], ""))
	}
}

// endPackage closes a package. One that failed although no test in it did
// (it does not build, it panicked, it leaked) counts as one failure.
func (s *summary) endPackage(e event) {
	switch {
	case e.Action == "fail" && s.broken[e.Package] == 0:
		s.failed++
		for key := range maps.Keys(s.output) {
			if strings.HasPrefix(key, e.Package+" ") {
				s.write([]byte(strings.Join(s.output[key], "")))
				delete(s.output, key)
			}
		}
		s.printf("FAIL  %-48s %7.1fs  (the package itself)\n", e.Package, e.Elapsed)
	case e.Action == "fail":
		s.printf("FAIL  %-48s %7.1fs  (%d of %d)\n", e.Package, e.Elapsed, s.broken[e.Package], s.counts[e.Package])
	case s.counts[e.Package] > 0:
		s.printf("ok    %-48s %7.1fs  (%d)\n", e.Package, e.Elapsed, s.counts[e.Package])
	}
}

// pulse says what runs now, so that a long silence is not taken for a hang.
func (s *summary) pulse() {
	if names := slices.Sorted(maps.Keys(s.running)); len(names) > 0 {
		more := ""
		if len(names) > 3 {
			more = fmt.Sprintf(" and %d more", len(names)-3)
			names = names[:3]
		}
		s.printf("      … %d passed so far; running %s%s\n", s.passed, strings.Join(names, ", "), more)
	}
}

// close counts what started and never ended: a killed run is no success.
func (s *summary) close() {
	for _, name := range slices.Sorted(maps.Keys(s.running)) {
		s.failed++
		s.printf("--- never ended: %s\n", name)
	}
	s.printf("%d passed, %d failed, %d skipped\n", s.passed, s.failed, s.skipped)
}

// good reports whether something ran and nothing failed.
func (s *summary) good(strict bool) bool {
	return s.passed > 0 && s.failed == 0 && (!strict || s.skipped == 0)
}

// append adds the counts as one line to the file name.
func (s *summary) append(name string) error {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the tally: %w", err)
	}
	if _, err := fmt.Fprintln(f, s.passed, s.failed, s.skipped); err != nil {
		return fmt.Errorf("writing the tally: %w", err)
	}
	return f.Close()
}

// printf prints a formatted line; the terminal of a test run may go away unnoticed.
func (s *summary) printf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, format, args...)
}

// write prints b as it is.
func (s *summary) write(b []byte) {
	_, _ = s.out.Write(b)
}
