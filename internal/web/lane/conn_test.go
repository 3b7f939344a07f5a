package lane_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate/internal/web/lane"
)

const get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

// post is the head of a request with a body of n bytes.
func post(n int) string {
	return fmt.Sprintf("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n", n)
}

// start serves h in a lane with short timeouts.
func start(t *testing.T, h http.HandlerFunc) (*lane.Server, string) {
	t.Helper()
	s := lane.New(&http.Server{Handler: h, ReadHeaderTimeout: 300 * time.Millisecond, IdleTimeout: 600 * time.Millisecond})
	return s, serve(t, s)
}

// within fails the test if what does not come soon.
func within[T any](t *testing.T, ch <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-ch:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("%s: nothing after 10 s", what)
		panic("unreachable")
	}
}

func TestALeavingClientEndsTheContext(t *testing.T) {
	leave := map[string]func(*net.TCPConn){
		"close":      func(nc *net.TCPConn) { _ = nc.Close() },
		"reset":      func(nc *net.TCPConn) { _ = nc.SetLinger(0); _ = nc.Close() },
		"half close": func(nc *net.TCPConn) { _ = nc.CloseWrite() },
	}
	for name, leave := range leave {
		for _, raw := range []string{get, post(3) + "abc"} {
			t.Run(name, func(t *testing.T) {
				entered, ended := make(chan bool, 1), make(chan error, 1)
				_, addr := start(t, func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.ReadAll(r.Body)
					entered <- true
					<-r.Context().Done()
					ended <- r.Context().Err()
				})
				nc := dial(t, addr)
				_, _ = io.WriteString(nc, raw)
				within(t, entered, "the request")
				time.Sleep(50 * time.Millisecond) // the watch may or may not have begun
				leave(nc)
				if err := within(t, ended, "the end of the context"); !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			})
		}
	}
}

func TestAClientThatLeavesWithinItsBodyEndsTheContext(t *testing.T) {
	type outcome struct{ body, ctx error }
	ended := make(chan outcome, 1)
	_, addr := start(t, func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.ReadAll(r.Body)
		ended <- outcome{err, r.Context().Err()}
	})
	talk(t, addr, post(10)+"abc")
	if o := within(t, ended, "the handler"); !errors.Is(o.body, io.ErrUnexpectedEOF) || !errors.Is(o.ctx, context.Canceled) {
		t.Error(o)
	}
}

// A handler that runs long is watched; its answer and the requests behind it
// are not touched by that.
func TestLongRequestsKeepTheConnection(t *testing.T) {
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(70 * time.Millisecond)
		_, _ = fmt.Fprint(w, r.URL.Path, r.Context().Err())
	})
	nc := dial(t, addr)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	answer := func() string {
		b := make([]byte, 1024)
		n, err := nc.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		_, body, _ := strings.Cut(string(b[:n]), "\r\n\r\n")
		return body
	}
	for i := range 5 {
		path := fmt.Sprintf("/%d", i)
		_, _ = io.WriteString(nc, strings.Replace(get, "/", path, 1))
		if i%2 == 1 { // the next request comes while this one is watched
			time.Sleep(55 * time.Millisecond)
			_, _ = io.WriteString(nc, strings.Replace(get, "/", "/early", 1))
		}
		if got := answer(); got != path+"<nil>" {
			t.Fatalf("answer %d: %q", i, got)
		}
		if i%2 == 1 {
			if got := answer(); got != "/early<nil>" {
				t.Fatalf("the early one after %d: %q", i, got)
			}
		}
	}
}

func TestAFailedWriteEndsTheContext(t *testing.T) {
	ended := make(chan error, 1)
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
		var err error
		for err == nil {
			_, err = w.Write(bytes.Repeat([]byte("x"), 64<<10))
		}
		if r.Context().Err() == nil {
			err = errors.New("the context goes on")
		}
		ended <- err
	})
	nc := dial(t, addr)
	_, _ = io.WriteString(nc, get) // and never reads
	if err := within(t, ended, "the handler"); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}

func TestD01ReadDeadlinesHoldForBodies(t *testing.T) {
	ended := make(chan error, 2)
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		if r.URL.Path == "/woken" { // a deadline moved while the read waits
			time.AfterFunc(100*time.Millisecond, func() { _ = rc.SetReadDeadline(time.Now()) })
		} else {
			_ = rc.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
		_, err := io.ReadAll(r.Body)
		ended <- err
	})
	for _, path := range []string{"/", "/woken"} {
		nc := dial(t, addr)
		_, _ = io.WriteString(nc, strings.Replace(post(100), "/", path, 1)+"abc")
		if err := within(t, ended, "the body of "+path); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(path, err)
		}
	}
}

// A deadline that a handler leaves behind does not end the connection's next
// requests.
func TestDeadlinesEndWithTheRequest(t *testing.T) {
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		rc := http.NewResponseController(w)
		_ = rc.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_ = rc.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		body, err := io.ReadAll(r.Body)
		w.Header().Set("Content-Length", "7")
		_, _ = fmt.Fprint(w, len(body), err)
		_ = rc.Flush()
		_ = rc.SetWriteDeadline(time.Time{})
	})
	nc := dial(t, addr)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	for range 3 {
		_, _ = io.WriteString(nc, post(3))
		_, _ = io.WriteString(nc, "abc")
		b := make([]byte, 1024)
		if n, err := nc.Read(b); err != nil || !strings.Contains(string(b[:n]), "3 <nil>") {
			t.Fatalf("%q %v", b[:n], err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// ended waits until the peer has closed nc, and returns how long that took.
func ended(t *testing.T, nc *net.TCPConn) time.Duration {
	t.Helper()
	from := time.Now()
	_ = nc.SetReadDeadline(from.Add(20 * time.Second))
	if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection stays open")
	}
	return time.Since(from)
}

func TestD01SlowHeadersAndIdleConnectionsAreClosed(t *testing.T) {
	_, addr := start(t, echo)
	for _, c := range []struct {
		name, sent string
		limit      time.Duration
	}{
		{"nothing", "", 300 * time.Millisecond},
		{"part of a header", "GET / HTTP/1.1\r\nHo", 300 * time.Millisecond},
		{"no HTTP", "\x16\x03\x01", 300 * time.Millisecond},
		{"idle after a request", get, 600 * time.Millisecond},
		{"part of a second header", get + "GET /", 300 * time.Millisecond},
	} {
		nc := dial(t, addr)
		_, _ = io.WriteString(nc, c.sent)
		if d := ended(t, nc); d < c.limit*8/10 || d > c.limit+5*time.Second {
			t.Errorf("%s: closed after %v", c.name, d)
		}
	}
}

// The time for a header counts from the accept, also if the lane has waited
// for a part of it.
func TestD01AHandOverGivesNoMoreTime(t *testing.T) {
	_, addr := start(t, echo)
	nc := dial(t, addr)
	time.Sleep(200 * time.Millisecond)
	_, _ = io.WriteString(nc, "GET / HT")
	if d := ended(t, nc); d > 280*time.Millisecond {
		t.Errorf("closed %v after the first bytes", d)
	}
}

func TestShutdownWaitsForRequestsAndClosesIdleConnections(t *testing.T) {
	entered, release := make(chan bool, 2), make(chan bool)
	s, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			entered <- true
			<-release
		}
		_, _ = io.WriteString(w, "whole")
	})
	idle, busy, odd := dial(t, addr), dial(t, addr), dial(t, addr)
	_, _ = io.WriteString(idle, get)
	if n, err := idle.Read(make([]byte, 1024)); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	_, _ = io.WriteString(busy, strings.Replace(get, "/", "/slow", 1))
	_, _ = io.WriteString(odd, "GET /slow HTTP/1.1\r\nHost: a\r\nPragma: x\r\n\r\n")
	within(t, entered, "the first slow request")
	within(t, entered, "the second slow request")

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := s.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Shutdown with live requests: %v", err)
	}
	ended(t, idle)
	var d net.Dialer
	if nc, err := d.DialContext(t.Context(), "tcp", addr); err == nil {
		_ = nc.Close()
		t.Error("the listener is still open")
	}
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(t.Context()) }()
	close(release)
	for name, nc := range map[string]*net.TCPConn{"lane": busy, "net/http": odd} {
		answer, _ := io.ReadAll(nc)
		if text := string(answer); !strings.HasSuffix(text, "whole") || !strings.Contains(text, "Connection: close\r\n") {
			t.Errorf("%s: %q", name, text)
		}
	}
	if err := within(t, done, "Shutdown"); err != nil {
		t.Error(err)
	}
}

func TestCloseEndsEverythingAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	wg.Add(1)
	ctxEnded := make(chan error, 1)
	s, addr := start(t, func(_ http.ResponseWriter, r *http.Request) {
		wg.Done()
		<-r.Context().Done()
		ctxEnded <- r.Context().Err()
	})
	fresh, busy := dial(t, addr), dial(t, addr)
	_, _ = io.WriteString(busy, get)
	wg.Wait()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if err := within(t, ctxEnded, "the end of the context"); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	ended(t, fresh)
	ended(t, busy)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestAPanicIsLoggedAndEndsOneConnection(t *testing.T) {
	var text syncBuffer
	s := lane.New(&http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/" {
				panic("a reason")
			}
			panic(http.ErrAbortHandler)
		}),
		ErrorLog: slog.NewLogLogger(slog.NewTextHandler(&text, nil), slog.LevelError),
	})
	addr := serve(t, s)
	if got := talk(t, addr, get); got != "" {
		t.Errorf("%q", got)
	}
	if got := talk(t, addr, strings.Replace(get, "/", "/abort", 1)); got != "" {
		t.Errorf("%q", got)
	}
	if got := text.String(); strings.Count(got, "panic serving") != 1 || !strings.Contains(got, "a reason") {
		t.Errorf("%q", got)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.String()
}

// What a handler has kept does nothing to the connection's next request.
func TestTheWriterIsOfNoUseAfterTheHandler(t *testing.T) {
	kept := make(chan http.ResponseWriter, 1)
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/keep" {
			kept <- w
		}
		_, _ = io.WriteString(w, r.URL.Path)
	})
	nc := dial(t, addr)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.WriteString(nc, strings.Replace(get, "/", "/keep", 1))
	b := make([]byte, 1024)
	if _, err := nc.Read(b); err != nil {
		t.Fatal(err)
	}
	old := within(t, kept, "the writer")
	_, _ = io.WriteString(nc, strings.Replace(get, "/", "/next", 1))
	if n, err := nc.Read(b); err != nil || !strings.HasSuffix(string(b[:n]), "/next") {
		t.Fatalf("%q %v", b[:n], err)
	}
	rc := http.NewResponseController(old)
	if _, err := old.Write([]byte("x")); err == nil {
		t.Error("Write went through")
	}
	if rc.Flush() == nil {
		t.Error("Flush went through")
	}
	_, _, _ = rc.SetReadDeadline(time.Now()), rc.SetWriteDeadline(time.Now()), old.Header()
	_, _ = io.WriteString(nc, get)
	if n, err := nc.Read(b); err != nil || !strings.HasSuffix(string(b[:n]), "\r\n\r\n/") {
		t.Fatalf("%q %v", b[:n], err)
	}
}

// A client that sends more than anybody reads still gets the answer.
func TestAnAnswerBeforeTheBodyReachesTheClient(t *testing.T) {
	_, addr := start(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "too large", http.StatusRequestEntityTooLarge)
	})
	body := strings.Repeat("z", 300<<10)
	if got := talk(t, addr, post(len(body))+body); !strings.Contains(got, "413") || !strings.Contains(got, "Connection: close") || !strings.HasSuffix(got, "too large\n") {
		t.Errorf("%q", got)
	}
}
