package lane_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate/internal/web"
	"tollgate/internal/web/lane"
)

// pair is one handler behind the lane and behind net/http alone.
type pair struct {
	lane, plain string // addresses
	server      *lane.Server
	// kept counts the requests that the lane served itself.
	kept atomic.Int64
}

func newPair(t *testing.T, h http.HandlerFunc) *pair {
	t.Helper()
	p := &pair{}
	log := slog.New(slog.DiscardHandler)
	inLane := func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(fmt.Sprintf("%T", w), "*lane.") {
			p.kept.Add(1)
		}
		h(w, r)
	}
	plain := web.NewServer(h, log)
	p.server = lane.New(web.NewServer(http.HandlerFunc(inLane), log))
	p.plain, p.lane = serve(t, plain), serve(t, p.server)
	return p
}

type server interface {
	Serve(l net.Listener) error
	Shutdown(ctx context.Context) error
	Close() error
}

func serve(t *testing.T, s server) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if s.Shutdown(ctx) != nil {
			_ = s.Close()
		}
		if err := <-ended; err != http.ErrServerClosed { //nolint:errorlint // documented so
			t.Errorf("Serve returned %v", err)
		}
	})
	return l.Addr().String()
}

func dial(t *testing.T, addr string) *net.TCPConn {
	t.Helper()
	var d net.Dialer
	nc, err := d.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	tc, ok := nc.(*net.TCPConn)
	if !ok {
		t.Fatalf("%T", nc)
	}
	return tc
}

// talk sends parts, one write each, then the end of the stream, and returns
// all that comes back.
func talk(t *testing.T, addr string, parts ...string) string {
	t.Helper()
	nc := dial(t, addr)
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	for i, part := range parts {
		if i > 0 {
			time.Sleep(time.Millisecond)
		}
		if _, err := io.WriteString(nc, part); err != nil {
			break
		}
	}
	_ = nc.CloseWrite()
	got, _ := io.ReadAll(nc)
	return string(got)
}

// normal takes out of answers what may differ: the date, and the order of
// header fields with different names.
func normal(answers string) string {
	answers = regexp.MustCompile(`Date: [^\r]*GMT`).ReplaceAllString(answers, "Date: then")
	return regexp.MustCompile(`(?s)HTTP/1\.1 \d.*?\r\n\r\n`).ReplaceAllStringFunc(answers, func(head string) string {
		lines := strings.Split(strings.TrimSuffix(head, "\r\n\r\n"), "\r\n")
		slices.SortStableFunc(lines[1:], func(a, b string) int {
			an, _, _ := strings.Cut(a, ":")
			bn, _, _ := strings.Cut(b, ":")
			return strings.Compare(an, bn)
		})
		return strings.Join(lines, "\r\n") + "\r\n\r\n"
	})
}

// seen is what a handler can see of a request.
type seen struct {
	Method, URI, Path, RawPath, Query, URLHost, Proto, Host, Pattern string
	Major, Minor                                                     int
	Header                                                           http.Header
	Length                                                           int64
	Coding                                                           []string
	Close, NoBody, Remote, Local, Server                             bool
	Body, Err                                                        string
}

// echo answers with what it sees.
func echo(w http.ResponseWriter, r *http.Request) {
	_, local := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	_, server := r.Context().Value(http.ServerContextKey).(*http.Server)
	_, _, remoteErr := net.SplitHostPort(r.RemoteAddr)
	s := seen{
		Method: r.Method, URI: r.RequestURI, Path: r.URL.Path, RawPath: r.URL.RawPath, Query: r.URL.RawQuery, URLHost: r.URL.Host,
		Proto: r.Proto, Host: r.Host, Pattern: r.Pattern, Major: r.ProtoMajor, Minor: r.ProtoMinor, Header: r.Header, Length: r.ContentLength,
		Coding: r.TransferEncoding, Close: r.Close, NoBody: r.Body == http.NoBody, Remote: remoteErr == nil, Local: local, Server: server,
	}
	body, err := io.ReadAll(r.Body)
	s.Body = string(body)
	if err != nil {
		s.Err = err.Error()
	}
	var out bytes.Buffer
	_ = json.NewEncoder(&out).Encode(s)
	_, _ = w.Write(out.Bytes())
}
