package demo_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tollgate/internal/demo"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func request(ctx context.Context, t *testing.T) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://demo.invalid/", strings.NewReader("{}"))
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestTransportStreamsAsTheHandlerWrites(t *testing.T) {
	step := make(chan struct{})
	rt := demo.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_ = http.NewResponseController(w).Flush()
		<-step
		_, _ = io.WriteString(w, "one")
		<-step
		_, _ = io.WriteString(w, "two")
	}))
	res, err := rt.RoundTrip(request(t.Context(), t)) // returns although the handler waits
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 10)
	for _, want := range []string{"one", "two"} {
		step <- struct{}{}
		if n, err := res.Body.Read(buf); err != nil || string(buf[:n]) != want {
			t.Fatalf("read %q, %v", buf[:n], err)
		}
	}
	if _, err := res.Body.Read(buf); !errors.Is(err, io.EOF) {
		t.Errorf("end: %v", err)
	}
	_ = res.Body.Close()
}

func TestTransportEndsTheHandlerWhenTheReaderLeaves(t *testing.T) {
	done := make(chan error, 1)
	rt := demo.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "x")
		<-r.Context().Done()
		_, err := io.WriteString(w, "late")
		done <- err
	}))
	t.Run("by closing", func(t *testing.T) {
		res, err := rt.RoundTrip(request(t.Context(), t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = res.Body.Read(make([]byte, 1))
		_ = res.Body.Close()
		if err := <-done; err == nil {
			t.Error("the handler still writes")
		}
	})
	t.Run("by its context", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		res, err := rt.RoundTrip(request(ctx, t))
		if err != nil {
			t.Fatal(err)
		}
		_, _ = res.Body.Read(make([]byte, 1))
		why := errors.New("revoked")
		cancel(why)
		if _, err := res.Body.Read(make([]byte, 1)); !errors.Is(err, why) {
			t.Errorf("read: %v", err)
		}
		if err := <-done; err == nil {
			t.Error("the handler still writes")
		}
		_ = res.Body.Close()
	})
}

func TestTransportGivesUpBeforeTheHeaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rt := demo.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			<-r.Context().Done()
			_, _ = io.WriteString(w, "nobody reads this")
		}))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if res, err := rt.RoundTrip(request(ctx, t)); !errors.Is(err, context.DeadlineExceeded) {
			_ = res.Body.Close()
			t.Errorf("%v", err)
		}
		synctest.Wait()
	})
}

func TestTransportReportsBrokenAnswers(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"aborted": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "x")
			panic(http.ErrAbortHandler)
		},
		"short": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "5")
			_, _ = io.WriteString(w, "x")
		},
		"panicked": func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x"); panic("oops") },
	} {
		res, err := demo.Transport(h).RoundTrip(request(t.Context(), t))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(res.Body)
		_ = res.Body.Close()
		if string(b) != "x" || err == nil {
			t.Errorf("%s: %q %v", name, b, err)
		}
	}
}
