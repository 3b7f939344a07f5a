package upstream_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
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

	"go.uber.org/goleak"

	"tollgate"
	"tollgate/internal/demo"
	"tollgate/internal/upstream"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func generate(body string) *upstream.Call {
	return &upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate, Body: []byte(body), Header: http.Header{"Content-Type": {"application/json"}}}
}

// send sends one chat call and returns status and body.
func send(ctx context.Context, e *upstream.Endpoint, call *upstream.Call) (string, error) {
	res, err := e.Send(ctx, e.Credentials()[0], call)
	if err != nil {
		return "", err
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	return fmt.Sprintf("%d %s", res.StatusCode, b), err
}

// TestStalePooledConnectionsNeverShow: a server that closes kept-alive
// connections without a word, some before and some just as the next request
// arrives. 2,000 requests, no error, every body whole.
func TestStalePooledConnectionsNeverShow(t *testing.T) {
	ln, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var served, dropped atomic.Int64
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			go serveUnreliably(conn, &served, &dropped)
		}
	}()
	defer func() { _ = ln.Close() }()
	e := newWorld(t).provider(t, "openai-compatible", "http://"+ln.Addr().String(), "sk-0123456789")
	large := strings.Repeat("x", 200_000) // more than one write
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for i := range 500 {
				body := fmt.Sprintf(`{"n":%d,"of":%d}`, i, worker)
				if i%4 == 0 {
					body += large
				}
				call, want := generate(body), "200 "+body+"|"
				if i%10 == 0 { // the client's own key is kept
					call.Header.Set("Idempotency-Key", "mine")
					want += "mine"
				}
				if got, err := send(t.Context(), e, call); err != nil || got != want {
					t.Errorf("request %d: %.50q, %v; want %.50q", i, got, err, want)
				}
			}
		})
	}
	wg.Wait()
	if served.Load() != 2000 || dropped.Load() < 100 {
		t.Errorf("served %d, connections dropped under a request %d", served.Load(), dropped.Load())
	}
}

// serveUnreliably answers requests on conn with their body and idempotency
// key. After each answer it may close the connection: at once, a little later,
// or when the next request has begun to arrive.
func serveUnreliably(conn net.Conn, served, dropped *atomic.Int64) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	for n := 0; ; n++ {
		if n > 0 && n%2 == 0 { // drop when the next request arrives
			if _, err := r.Peek(1); err == nil {
				dropped.Add(1)
			}
			return
		}
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		key := strings.Join(req.Header["Idempotency-Key"], ",")
		out := string(body) + "|" + key
		served.Add(1)
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(out), out); err != nil {
			return
		}
		if n%2 == 0 && served.Load()%3 == 1 {
			return // close at once, without saying so
		}
	}
}

func TestF10UnreachableHostsLookAlike(t *testing.T) {
	closed, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	silent := httptest.NewUnstartedServer(nil) // speaks no TLS
	silent.Start()
	defer silent.Close()
	texts := map[string]bool{}
	for _, base := range []string{"http://" + address, strings.Replace(silent.URL, "http://", "https://", 1), "http://nowhere.invalid"} {
		e := newWorld(t).provider(t, "openai-compatible", base, "sk-0123456789")
		_, err := send(t.Context(), e, generate("{}"))
		te, ok := errors.AsType[*tollgate.Error](err)
		if !ok || te.Code != tollgate.CodeUpstream || upstream.ErrorClass(err) != upstream.ClassConnect {
			t.Errorf("%s: %v (%s)", base, err, upstream.ErrorClass(err))
			continue
		}
		texts[te.Message] = true
	}
	if len(texts) != 1 {
		t.Errorf("the messages differ: %v", texts)
	}
}

func TestErrorClasses(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		switch string(b) {
		case "silent":
			select {
			case <-release:
			case <-r.Context().Done():
			}
		case "cut":
			panic(http.ErrAbortHandler)
		case "redirect":
			http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
		case "odd":
			w.Header().Set("Content-Encoding", "br")
			_, _ = io.WriteString(w, "x")
		default:
			w.WriteHeader(http.StatusTeapot)
		}
	}))
	defer srv.Close()
	defer close(release)
	w := newWorld(t)
	w.fleet.Timeouts = upstream.Timeouts{Header: 80 * time.Millisecond}
	e := w.provider(t, "openai-compatible", srv.URL, "sk-0123456789")
	for body, want := range map[string]struct {
		code  tollgate.Code
		class string
	}{
		"silent":   {tollgate.CodeTimeout, upstream.ClassTimeout},
		"cut":      {tollgate.CodeUpstream, upstream.ClassCut},
		"redirect": {tollgate.CodeUpstream, upstream.ClassStatus},
		"odd":      {tollgate.CodeUpstream, upstream.ClassStatus},
	} {
		_, err := send(t.Context(), e, generate(body))
		if tollgate.ErrorCode(err) != want.code || upstream.ErrorClass(err) != want.class {
			t.Errorf("%s: %v, class %s", body, err, upstream.ErrorClass(err))
		}
	}
	if got, err := send(t.Context(), e, generate("status")); err != nil || !strings.HasPrefix(got, "418") {
		t.Errorf("a status is an answer: %q %v", got, err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(tollgate.Errorf(tollgate.CodeUnauthenticated, "revoked"))
	if _, err := send(ctx, e, generate("x")); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated || upstream.ErrorClass(err) != upstream.ClassCanceled {
		t.Errorf("revoked: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, err := send(ctx, e, generate("x")); !errors.Is(err, context.Canceled) || upstream.ErrorClass(err) != upstream.ClassCanceled {
		t.Errorf("client gone: %v", err)
	}
}

func TestD05CompressedAnswersAreBounded(t *testing.T) {
	zip := func(b []byte) []byte {
		var buf bytes.Buffer
		zw := gzip.NewWriter(&buf)
		_, _ = zw.Write(b)
		_ = zw.Close()
		return buf.Bytes()
	}
	small, bomb := zip([]byte(`{"ok":true}`)), zip(make([]byte, 32<<20))
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "identity" {
			t.Errorf("asked for %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		b, _ := io.ReadAll(r.Body)
		switch string(b) {
		case "small":
			_, _ = w.Write(small)
		case "bomb":
			_, _ = w.Write(bomb)
		default:
			_, _ = io.WriteString(w, "not gzip")
		}
	}))
	defer srv.Close()
	e := newWorld(t).provider(t, "openai-compatible", srv.URL, "sk-0123456789")
	if got, err := send(t.Context(), e, generate("small")); err != nil || got != `200 {"ok":true}` {
		t.Errorf("%q %v", got, err)
	}
	if got, err := send(t.Context(), e, generate("bomb")); err == nil || len(got) > 8<<20 {
		t.Errorf("bomb: %d bytes, %v", len(got), err)
	}
	if _, err := send(t.Context(), e, generate("junk")); err == nil {
		t.Error("junk was read")
	}
}

func TestDemoProvidersAreServedInProcess(t *testing.T) {
	w := newWorld(t)
	v := &demo.Vendor{}
	w.fleet.InProcess = demo.Transport(v)
	e := w.provider(t, "demo", "")
	if len(e.Credentials()) != 1 || e.Credentials()[0].ID != 0 {
		t.Fatalf("credentials %v", e.Credentials())
	}
	v.Record(true)
	for _, c := range []*upstream.Call{
		{Dialect: chat, Operation: tollgate.OpGenerate, Body: []byte(`{"model":"demo-small","messages":[{"role":"user","content":"hi"}]}`)},
		{Dialect: responses, Operation: tollgate.OpGenerate, Body: []byte(`{"model":"demo-small","input":"hi"}`)},
		{Dialect: messages, Operation: tollgate.OpGenerate, Body: []byte(`{"model":"demo-small","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`)},
		{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "demo-small", Version: "v1beta", Body: []byte(`{"contents":[{"parts":[{"text":"hi"}]}]}`)},
		{Dialect: messages, Operation: tollgate.OpCount, Body: []byte(`{"model":"demo-small","messages":[{"role":"user","content":"hi"}]}`)},
		{Dialect: chat, Operation: tollgate.OpEmbed, Body: []byte(`{"model":"demo-embed","input":"hi"}`)},
		{Dialect: gemini, Operation: tollgate.OpListModels, Version: "v1beta"},
	} {
		if got, err := send(t.Context(), e, c); err != nil || !strings.HasPrefix(got, "200 {") {
			t.Errorf("%s %s: %s %v", c.Dialect, c.Operation, got, err)
		}
	}
	if n := len(v.Requests()); n != 7 {
		t.Errorf("%d requests arrived", n)
	}
}

func BenchmarkExchange(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, `{"ok":true}`)
	}))
	defer srv.Close()
	e := newWorld(b).provider(b, "openai-compatible", srv.URL, "sk-0123456789")
	call := generate(strings.Repeat("x", 1000))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := send(b.Context(), e, call); err != nil {
			b.Fatal(err)
		}
	}
}
