package telemetry_test

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tollgate/internal/telemetry"
)

// sink counts writes.
type sink struct {
	mu     sync.Mutex
	writes int
	bytes.Buffer
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes++
	return s.Buffer.Write(p)
}

func (s *sink) state() (int, string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes, s.String()
}

func TestALoneLineIsWrittenAtOnceAndFollowersTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		w := telemetry.NewLogWriter(&out)
		for i := range 10 {
			_, _ = fmt.Fprintf(w, "line %d\n", i)
		}
		if n, text := out.state(); n != 1 || text != "line 0\n" {
			t.Errorf("at once: %d writes, %q", n, text)
		}
		time.Sleep(telemetry.LogDelay + time.Millisecond)
		if n, text := out.state(); n != 2 || strings.Count(text, "\n") != 10 {
			t.Errorf("after the delay: %d writes, %q", n, text)
		}
		time.Sleep(3 * telemetry.LogDelay)
		_, _ = fmt.Fprintln(w, "alone again")
		if n, text := out.state(); n != 3 || !strings.HasSuffix(text, "alone again\n") {
			t.Errorf("after a pause: %d writes, %q", n, text)
		}
		_, _ = fmt.Fprintln(w, "waiting")
		w.Flush()
		if _, text := out.state(); !strings.HasSuffix(text, "waiting\n") {
			t.Errorf("after Flush: %q", text)
		}
		time.Sleep(3 * telemetry.LogDelay)
	})
}

func TestNoLineIsLostOrTornUnderConcurrency(t *testing.T) {
	var out sink
	w := telemetry.NewLogWriter(&out)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				_, _ = fmt.Fprintf(w, "writer %d line %04d\n", g, i)
			}
		})
	}
	wg.Wait()
	w.Flush()
	_, text := out.state()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != 16_000 {
		t.Fatalf("%d lines", len(lines))
	}
	for _, l := range lines {
		if len(l) != len("writer 0 line 0000") {
			t.Fatalf("torn line %q", l)
		}
	}
}

func TestL05MetricLabelsStayBounded(t *testing.T) {
	m := telemetry.New("test")
	m.Started()
	m.Done("/v1/chat/completions", 200, time.Millisecond)
	m.Dispatched("openai", "ok")
	m.Tokens("openai", 1, 2, 3, 4, 5)
	m.FirstToken("openai-chat", time.Millisecond)
	m.Revoked()
	for i := range 1000 {
		m.Lost("feature_"+strconv.Itoa(i), i == 0)
	}
	m.Lost("feature_1", false)
	m.Gauge("tollgate_test_gauge", "A gauge.", func() float64 { return 7 })
	text := scrape(t, m)
	for _, want := range []string{
		`tollgate_requests_total{route="/v1/chat/completions",status="200"} 1`, `tollgate_tokens_total{kind="output",provider="openai"} 4`,
		"tollgate_test_gauge 7", `tollgate_build_info{version="test"} 1`, "tollgate_streams_revoked_total 1",
		`tollgate_losses_total{feature="feature_0",kind="note"} 1`, `tollgate_losses_total{feature="feature_1",kind="loss"} 2`,
		`tollgate_losses_total{feature="other",kind="loss"} 744`,
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q", want)
		}
	}
}
