package main

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"
)

// upstream runs the fake upstream for the length of a test.
func upstream(t *testing.T) (addr string) {
	t.Helper()
	hold, release := io.Pipe()
	said, say := io.Pipe()
	done := make(chan error, 1)
	go func() { done <- serveUpstream(hold, say) }()
	t.Cleanup(func() {
		_ = release.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(said).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(line)
}

func TestLoadsRunAgainstTheFakeUpstream(t *testing.T) {
	addr := upstream(t)
	nothing := func() {}
	for _, c := range cases() {
		t.Run(c.id, func(t *testing.T) {
			l := c.load
			l.conns = 4
			l.rate /= 10
			s, err := l.run(t.Context(), addr, "sk-test", 50*time.Millisecond, 200*time.Millisecond, nothing, nothing, nothing)
			if err != nil {
				t.Fatal(err)
			}
			if s.failures != 0 || s.units == 0 || len(s.times) != s.units {
				t.Errorf("%d failures (%v), %d units, %d times", s.failures, s.first, s.units, len(s.times))
			}
			if p50, p99 := s.percentile(0.5), s.percentile(0.99); p50 <= 0 || p99 < p50 {
				t.Errorf("p50 is %g µs, p99 %g µs", p50, p99)
			}
		})
	}
}

func TestRefusalsAreFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				r := bufio.NewReader(conn)
				if n, err := readHead(r); err == nil {
					_, _ = r.Discard(n)
					_, _ = io.WriteString(conn, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\ngone")
				}
			}()
		}
	}()
	nothing := func() {}
	s, err := load{conns: 1, body: body(false, 10)}.run(t.Context(), l.Addr().String(), "k", 0, 100*time.Millisecond, nothing, nothing, nothing)
	if err != nil {
		t.Fatal(err)
	}
	if s.units != 0 || s.failures == 0 || !strings.Contains(s.first.Error(), "502") {
		t.Errorf("%d units, %d failures, first %v", s.units, s.failures, s.first)
	}
}

func TestEventsAreFoundWhereverTheyAreCut(t *testing.T) {
	text := "data: " + stamp + "1700000000000000000 \n\ndata: " + stamp + "1700000000000000001 \n\n"
	now := time.Now()
	for cut := range len(text) {
		c := client{window: window{open: now, close: now.Add(time.Hour)}, sample: &sample{}}
		rest := c.events([]byte(text[:cut]))
		c.events(append(rest, text[cut:]...))
		if c.sample.units != 2 {
			t.Fatalf("cut at %d: %d events", cut, c.sample.units)
		}
	}
}

func TestUsageOfThisProcess(t *testing.T) {
	u, err := treeUsage(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	if u.rss < 1<<20 {
		t.Errorf("resident memory is %d bytes", u.rss)
	}
}

func TestVerdicts(t *testing.T) {
	b := bar{must: 4, goal: 2}
	for v, want := range map[float64]string{1.5: "goal reached", 2: "goal reached", 3: "within the bar", 4.1: "OVER THE BAR"} {
		if got := verdict(v, b); got != want {
			t.Errorf("%g is %q, want %q", v, got, want)
		}
	}
	if m := median([]float64{3, 1, 2, 10}); m != 2.5 {
		t.Errorf("median is %g", m)
	}
}
