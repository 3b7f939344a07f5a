package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func sum(t *testing.T, events ...string) (*summary, string) {
	t.Helper()
	var out strings.Builder
	s, err := run(strings.NewReader(strings.Join(events, "\n")+"\n"), &out, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s, out.String()
}

func TestCountsTestsAndSubtests(t *testing.T) {
	s, out := sum(
		t,
		`{"Action":"run","Package":"p","Test":"TestA"}`,
		`{"Action":"run","Package":"p","Test":"TestA/one"}`,
		`{"Action":"output","Package":"p","Test":"TestA/one","Output":"quiet\n"}`,
		`{"Action":"pass","Package":"p","Test":"TestA/one"}`,
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
		`{"Action":"pass","Package":"p","Elapsed":0.5}`,
	)
	if s.passed != 2 || s.failed != 0 || !s.good(true) {
		t.Errorf("counted %d passed, %d failed", s.passed, s.failed)
	}
	if strings.Contains(out, "quiet") {
		t.Errorf("the output of a passing test was shown:\n%s", out)
	}
	if !strings.HasSuffix(out, "2 passed, 0 failed, 0 skipped\n") {
		t.Errorf("closing line is wrong:\n%s", out)
	}
}

func TestShowsWhyATestFailed(t *testing.T) {
	s, out := sum(
		t,
		`{"Action":"run","Package":"p","Test":"TestB"}`,
		`{"Action":"output","Package":"p","Test":"TestB","Output":"b_test.go:1: want 1\n"}`,
		`{"Action":"fail","Package":"p","Test":"TestB"}`,
		`{"Action":"fail","Package":"p"}`,
	)
	if s.failed != 1 || s.good(false) {
		t.Errorf("counted %d failed, good %v", s.failed, s.good(false))
	}
	if !strings.Contains(out, "want 1") {
		t.Errorf("the reason is missing:\n%s", out)
	}
}

func TestFailuresWithoutATestCount(t *testing.T) {
	cases := map[string][]string{
		"build": {
			`{"Action":"build-output","ImportPath":"p","Output":"p.go:1: undefined: x\n"}`,
			`{"Action":"fail","Package":"p","FailedBuild":"p"}`,
		},
		"panic outside a test": {
			`{"Action":"output","Package":"p","Output":"panic: undefined: x\n"}`,
			`{"Action":"fail","Package":"p"}`,
		},
		"killed": {
			`undefined: x`,
			`{"Action":"run","Package":"p","Test":"TestC"}`,
		},
	}
	for name, events := range cases {
		t.Run(name, func(t *testing.T) {
			s, out := sum(t, append(events, `{"Action":"run","Package":"q","Test":"TestQ"}`, `{"Action":"pass","Package":"q","Test":"TestQ"}`)...)
			if s.failed != 1 || s.good(false) {
				t.Errorf("counted %d failed, good %v", s.failed, s.good(false))
			}
			if !strings.Contains(out, "undefined: x") {
				t.Errorf("the reason is missing:\n%s", out)
			}
		})
	}
}

func TestNothingRunIsNoSuccess(t *testing.T) {
	if s, _ := sum(t, `{"Action":"skip","Package":"p"}`); s.good(false) {
		t.Error("an empty run was called good")
	}
}

func TestStrictRefusesSkips(t *testing.T) {
	s, _ := sum(
		t,
		`{"Action":"pass","Package":"p","Test":"TestA"}`,
		`{"Action":"skip","Package":"p","Test":"TestD"}`,
		`{"Action":"pass","Package":"p"}`,
	)
	if !s.good(false) || s.good(true) {
		t.Errorf("good %v, strict %v; want true, false", s.good(false), s.good(true))
	}
}

func TestPulseNamesWhatRuns(t *testing.T) {
	tick := make(chan time.Time)
	r, w := io.Pipe()
	var out strings.Builder
	done := make(chan error, 1)
	go func() {
		_, err := run(r, &out, tick)
		done <- err
	}()
	for _, line := range []string{`{"Action":"run","Package":"p","Test":"TestSlow"}`, `{"Action":"output","Package":"p"}`} {
		if _, err := io.WriteString(w, line+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	tick <- time.Time{}
	_ = w.Close()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "running p TestSlow") {
		t.Errorf("nothing said about the running test:\n%s", out.String())
	}
}

func TestBrokenInputIsAnError(t *testing.T) {
	broken := errors.New("pipe broke")
	if _, err := run(iotest.ErrReader(broken), io.Discard, nil); !errors.Is(err, broken) {
		t.Errorf("error is %v", err)
	}
}

func TestTallyGrowsByALineARun(t *testing.T) {
	file := filepath.Join(t.TempDir(), "tally")
	for range 2 {
		if err := (&summary{passed: 3, failed: 1}).append(file); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != "3 1 0\n3 1 0\n" {
		t.Errorf("tally is %q", got)
	}
}
