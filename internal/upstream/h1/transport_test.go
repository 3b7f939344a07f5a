package h1_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"tollgate/internal/upstream/h1"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newTransport(t *testing.T) *h1.Transport {
	t.Helper()
	tr := &h1.Transport{Dial: (&net.Dialer{}).DialContext, HeaderTimeout: 5 * time.Second}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// behaviours is a server with one path per way of answering.
func behaviours(t *testing.T, onState func(http.ConnState)) *httptest.Server {
	t.Helper()
	big := make([]byte, 3<<20)
	_, _ = rand.Read(big)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Got", fmt.Sprintf("%s %s %d %s", r.Method, r.URL.RequestURI(), len(body), r.Header.Get("X-Two")))
		switch r.URL.Path {
		case "/length":
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "hello")
		case "/chunked":
			for i := range 5 {
				_, _ = fmt.Fprintf(w, "part %d\n", i)
				_ = http.NewResponseController(w).Flush()
			}
		case "/trailer":
			w.Header().Set("Trailer", "X-T")
			_, _ = io.WriteString(w, "with trailer")
			_ = http.NewResponseController(w).Flush()
			w.Header().Set("X-T", "v")
		case "/big":
			_, _ = w.Write(big)
		case "/empty":
		case "/204":
			w.WriteHeader(http.StatusNoContent)
		case "/304":
			w.WriteHeader(http.StatusNotModified)
		case "/close":
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, "closing")
		case "/early":
			w.WriteHeader(http.StatusEarlyHints)
			_, _ = io.WriteString(w, "after hints")
		case "/echo":
			_, _ = w.Write(body)
		case "/500":
			http.Error(w, "broken", http.StatusInternalServerError)
		}
	}))
	if onState != nil {
		s.Config.ConnState = func(_ net.Conn, st http.ConnState) { onState(st) }
	}
	s.Start()
	t.Cleanup(s.Close)
	return s
}

// inMemory is a body as the relay has it.
type inMemory struct {
	io.Reader
	data []byte
}

func (b inMemory) Bytes() []byte { return b.data }
func (inMemory) Close() error    { return nil }

type answer struct {
	Status int
	Header http.Header
	Length int64
	Body   []byte
}

func fetch(t *testing.T, rt http.RoundTripper, method, url string, body []byte) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if body != nil {
		req.Body, req.ContentLength = inMemory{bytes.NewReader(body), body}, int64(len(body))
	}
	req.Header["X-Two"] = []string{"a", "b"}
	req.Header.Set("User-Agent", "test")
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := rt.RoundTrip(req)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: body: %v", method, url, err)
	}
	resp.Header.Del("Date")
	resp.Header.Del("Connection") // net/http removes it, also when it names headers
	return answer{resp.StatusCode, resp.Header, resp.ContentLength, b}
}

func TestAnswersAreThoseOfTheStandardTransport(t *testing.T) {
	s := behaviours(t, nil)
	ours, std := newTransport(t), &http.Transport{DisableCompression: true}
	t.Cleanup(std.CloseIdleConnections)
	bodies := [][]byte{nil, []byte(`{"a":1}`), bytes.Repeat([]byte("x"), 31<<10), bytes.Repeat([]byte("y"), 2<<20)}
	for _, path := range []string{"/length", "/chunked", "/trailer", "/big", "/empty", "/204", "/304", "/close", "/early", "/echo", "/500", "/length?q=1&r=%2F"} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			for i, body := range bodies {
				if method != "POST" && body != nil {
					continue
				}
				want := fetch(t, std, method, s.URL+path, body)
				got := fetch(t, ours, method, s.URL+path, body)
				if !bytes.Equal(want.Body, got.Body) {
					t.Errorf("%s %s body %d: the answers' bodies differ", method, path, i)
				}
				want.Body, got.Body = nil, nil
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("%s %s body %d: -net/http +h1\n%.600s", method, path, i, diff)
				}
			}
		}
	}
}

func TestConnectionsAreReusedAndBounded(t *testing.T) {
	var opened atomic.Int64
	s := behaviours(t, func(st http.ConnState) {
		if st == http.StateNew {
			opened.Add(1)
		}
	})
	tr := newTransport(t)
	for range 50 {
		fetch(t, tr, "POST", s.URL+"/chunked", []byte("x"))
		fetch(t, tr, "POST", s.URL+"/length", []byte("x"))
		fetch(t, tr, "GET", s.URL+"/204", nil)
	}
	if n := opened.Load(); n != 1 {
		t.Errorf("%d connections for sequential requests", n)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for range 100 {
				fetch(t, tr, "POST", s.URL+"/echo", []byte("parallel"))
			}
		})
	}
	wg.Wait()
	if n := opened.Load(); n > 17 {
		t.Errorf("%d connections for 16 workers", n)
	}
}

// staleServer answers one request per connection, keeps it open as if it were
// reusable, and closes it when the next request is on its way.
func staleServer(t *testing.T, served *atomic.Int64) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer func() { _ = nc.Close() }()
				buf := make([]byte, 4096)
				if n, _ := nc.Read(buf); n == 0 {
					return
				}
				served.Add(1)
				_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
				_, _ = nc.Read(buf[:1]) // the next request's first byte, then hang up
			})
		}
	})
	return "http://" + l.Addr().String()
}

func TestAStalePooledConnectionNeverReachesTheCaller(t *testing.T) {
	var served atomic.Int64
	url := staleServer(t, &served)
	tr := newTransport(t)
	for range 500 {
		if a := fetch(t, tr, "POST", url+"/x", []byte("body")); string(a.Body) != "ok" {
			t.Fatalf("%+v", a)
		}
	}
	if n := served.Load(); n != 500 {
		t.Errorf("%d requests served, want each of 500 once", n)
	}
}

func TestAFreshConnectionThatDiesIsAnErrorAndNotSentAgain(t *testing.T) {
	var dialled atomic.Int64
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			dialled.Add(1)
			_, _ = nc.Read(make([]byte, 1024))
			_ = nc.Close()
		}
	}()
	defer func() { _ = l.Close(); <-done }()
	req, _ := http.NewRequestWithContext(t.Context(), "POST", "http://"+l.Addr().String(), nil)
	if _, err := newTransport(t).RoundTrip(req); err == nil {
		t.Fatal("no error")
	}
	if n := dialled.Load(); n != 1 {
		t.Errorf("sent %d times", n)
	}
}

func TestCancellationEndsEveryPhase(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/stream" {
			_, _ = io.WriteString(w, "first")
			_ = http.NewResponseController(w).Flush()
		}
		select {
		case <-release:
		case <-r.Context().Done():
		}
	}))
	defer s.Close()
	defer close(release)
	tr := newTransport(t)
	cause := errors.New("revoked")
	for _, path := range []string{"/header", "/stream"} {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(50*time.Millisecond, func() { cancel(cause) })
		req, _ := http.NewRequestWithContext(ctx, "GET", s.URL+path, nil)
		start := time.Now()
		resp, err := tr.RoundTrip(req)
		if path == "/stream" {
			if err != nil {
				t.Fatal(err)
			}
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if !errors.Is(err, cause) || time.Since(start) > time.Second {
			t.Errorf("%s: %v after %v", path, err, time.Since(start))
		}
	}
}

func TestD06HeaderTimeoutAndSize(t *testing.T) {
	release := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/large" {
			w.Header().Set("X-Large", strings.Repeat("x", 300<<10))
			return
		}
		<-release
	}))
	defer s.Close()
	defer close(release)
	tr := newTransport(t)
	tr.HeaderTimeout = 100 * time.Millisecond
	req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/slow", nil)
	if _, err := tr.RoundTrip(req); !errors.Is(err, h1.ErrHeaderTimeout) {
		t.Errorf("slow header: %v", err)
	}
	req, _ = http.NewRequestWithContext(t.Context(), "GET", s.URL+"/large", nil)
	if _, err := tr.RoundTrip(req); err == nil || !strings.Contains(err.Error(), "256 KiB") {
		t.Errorf("large header: %v", err)
	}
}

func TestTheHeaderTimeoutDoesNotBoundTheBody(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		time.Sleep(300 * time.Millisecond)
		_, _ = io.WriteString(w, "late")
	}))
	defer s.Close()
	tr := newTransport(t)
	tr.HeaderTimeout = 100 * time.Millisecond
	if a := fetch(t, tr, "POST", s.URL, bytes.Repeat([]byte("x"), 64<<10)); string(a.Body) != "late" {
		t.Errorf("%+v", a)
	}
}

func TestN66AConnectionWithUnreadBytesIsNotReused(t *testing.T) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	var conns atomic.Int64
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			conns.Add(1)
			wg.Go(func() {
				defer func() { _ = nc.Close() }()
				buf := make([]byte, 4096)
				for {
					if n, _ := nc.Read(buf); n == 0 {
						return
					}
					_, _ = io.WriteString(nc, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison")
				}
			})
		}
	})
	tr := newTransport(t)
	for range 3 {
		if a := fetch(t, tr, "GET", "http://"+l.Addr().String(), nil); string(a.Body) != "ok" {
			t.Fatalf("%+v", a)
		}
	}
	tr.CloseIdleConnections()
	_ = l.Close()
	wg.Wait()
	if n := conns.Load(); n != 3 {
		t.Errorf("%d connections", n)
	}
}

func TestHeadersCannotBreakTheFraming(t *testing.T) {
	s := behaviours(t, nil)
	tr := newTransport(t)
	for name, edit := range map[string]func(*http.Request){
		"CRLF in a value":   func(r *http.Request) { r.Header["X"] = []string{"a\r\nX-Evil: 1"} },
		"space in a name":   func(r *http.Request) { r.Header["X Y"] = []string{"a"} },
		"CRLF in the host":  func(r *http.Request) { r.Host = "a\r\nb" },
		"space in the path": func(r *http.Request) { r.URL.Opaque = "/a b" },
	} {
		req, _ := http.NewRequestWithContext(t.Context(), "GET", s.URL+"/length", nil)
		edit(req)
		if resp, err := tr.RoundTrip(req); err == nil {
			_ = resp.Body.Close()
			t.Errorf("%s: accepted", name)
		}
	}
	if a := fetch(t, tr, "GET", s.URL+"/length", nil); string(a.Body) != "hello" {
		t.Errorf("afterwards: %+v", a)
	}
}

func TestIdleConnectionsExpire(t *testing.T) {
	closed := make(chan struct{}, 1)
	s := behaviours(t, func(st http.ConnState) {
		if st == http.StateClosed {
			select {
			case closed <- struct{}{}:
			default:
			}
		}
	})
	tr := newTransport(t)
	tr.IdleTimeout = 50 * time.Millisecond
	fetch(t, tr, "GET", s.URL+"/length", nil)
	select {
	case <-closed:
	case <-time.After(2 * time.Second):
		t.Error("the idle connection was kept")
	}
}

func benchmark(b *testing.B, rt http.RoundTripper) {
	b.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(make([]byte, 1200))
	}))
	defer s.Close()
	body := make([]byte, 900)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			ctx, cancel := context.WithCancel(b.Context())
			req, _ := http.NewRequestWithContext(ctx, "POST", s.URL, inMemory{bytes.NewReader(body), body})
			req.ContentLength = int64(len(body))
			resp, err := rt.RoundTrip(req)
			if err != nil {
				b.Error(err)
				cancel()
				return
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			_ = resp.Body.Close()
			cancel()
		}
	})
}

func BenchmarkH1(b *testing.B) {
	tr := &h1.Transport{Dial: (&net.Dialer{}).DialContext, HeaderTimeout: time.Minute}
	defer tr.CloseIdleConnections()
	benchmark(b, tr)
}

func BenchmarkNetHTTP(b *testing.B) {
	tr := &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}
	defer tr.CloseIdleConnections()
	benchmark(b, tr)
}
