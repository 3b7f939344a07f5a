package web_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web"
)

// doorRig is a door over a handler, with what it logged and reported.
type doorRig struct {
	log  bytes.Buffer
	done []web.Event
	http.Handler
}

func newDoor(next http.HandlerFunc, trusted ...string) *doorRig {
	rig := &doorRig{}
	d := &web.Door{
		IDs: &tollgate.RequestIDs{}, Now: time.Now, Log: slog.New(slog.NewJSONHandler(&rig.log, nil)),
		OnDone: func(e *web.Event) { rig.done = append(rig.done, *e) },
	}
	for _, t := range trusted {
		d.TrustedProxies = append(d.TrustedProxies, netip.MustParsePrefix(t))
	}
	rig.Handler = d.Wrap(next)
	return rig
}

func (rig *doorRig) serve(r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	rig.ServeHTTP(w, r)
	return w.Result()
}

func ok(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "served") }

func TestDoorWritesOneLineWithoutSecrets(t *testing.T) {
	rig := newDoor(func(w http.ResponseWriter, r *http.Request) {
		e := web.EventFrom(r.Context())
		e.Pattern = "/v1/chat/completions"
		e.Principal = tollgate.Principal{Kind: tollgate.PrincipalKey, User: &tollgate.User{ID: 7, Enabled: true, Role: tollgate.RoleUser}, Key: &tollgate.Key{ID: 9}}
		e.Call = &tollgate.Request{Model: "m\n\x1b[31m\u2028x", Tokens: tollgate.Tokens{Input: 3, Output: 4}}
		e.Provider = "lab"
		w.WriteHeader(http.StatusTeapot)
		ok(w, r)
	})
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions?key=canary-query", strings.NewReader("canary-body"))
	r.Header.Set("Authorization", "Bearer canary-header")
	r.Header.Set("User-Agent", "canary-agent")
	res := rig.serve(r)

	line := rig.log.String()
	if strings.Count(line, "\n") != 1 || strings.Contains(line, "canary") || strings.ContainsAny(line, "\x1b\u2028") {
		t.Fatalf("log = %q", line)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(line), &got); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]any{
		"method": "POST", "pattern": "/v1/chat/completions", "status": 418.0, "bytes": 6.0, "user_id": 7.0, "key_id": 9.0,
		"provider": "lab", "input_tokens": 3.0, "output_tokens": 4.0, "client_ip": "192.0.2.1", "request_id": res.Header.Get("X-Tollgate-Request-Id"),
	} {
		if got[name] != want {
			t.Errorf("%s = %v, want %v", name, got[name], want)
		}
	}
	if len(rig.done) != 1 || rig.done[0].Status != 418 || rig.done[0].Duration <= 0 {
		t.Errorf("done = %+v", rig.done)
	}
}

func TestDoorH03N63BelievesOnlyTrustedProxies(t *testing.T) {
	for _, c := range []struct {
		name, peer, xff, proto, want string
		secure                       bool
	}{
		{"untrusted peer", "9.9.9.9:1", "1.1.1.1", "https", "9.9.9.9", false},
		{"one hop", "10.0.0.1:1", "1.1.1.1", "https", "1.1.1.1", true},
		{"forged first hop", "10.0.0.1:1", "6.6.6.6, 1.1.1.1", "http", "1.1.1.1", false},
		{"two proxies", "10.0.0.1:1", "6.6.6.6, 1.1.1.1, 10.0.0.2", "http, https", "1.1.1.1", true},
		{"all trusted", "10.0.0.1:1", "10.0.0.3, 10.0.0.2", "", "10.0.0.3", false},
		{"garbage ends the walk", "10.0.0.1:1", "1.1.1.1, unknown, 10.0.0.2", "", "10.0.0.2", false},
		{"with port and brackets", "10.0.0.1:1", "[2001:db8::1]:443", "", "2001:db8::1", false},
		{"mapped", "[::ffff:10.0.0.1]:1", "1.1.1.1", "", "1.1.1.1", false},
		{"no header", "10.0.0.1:1", "", "", "10.0.0.1", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var seen http.Header
			rig := newDoor(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }, "10.0.0.0/8")
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr = c.peer
			if c.xff != "" {
				r.Header.Set("X-Forwarded-For", c.xff)
			}
			if c.proto != "" {
				r.Header.Set("X-Forwarded-Proto", c.proto)
			}
			res := rig.serve(r)
			if got := rig.done[0].ClientIP.String(); got != c.want || rig.done[0].Secure != c.secure {
				t.Errorf("client = %s secure %v, want %s %v", got, rig.done[0].Secure, c.want, c.secure)
			}
			if c.name == "untrusted peer" && seen.Get("X-Forwarded-For") != "" {
				t.Error("a forged forwarding header reached the handler")
			}
			if hsts := res.Header.Get("Strict-Transport-Security"); (hsts != "") != c.secure {
				t.Errorf("HSTS = %q", hsts)
			}
		})
	}
}

func TestDoorH10N54DropsUnderscoreTwins(t *testing.T) {
	var seen http.Header
	rig := newDoor(func(_ http.ResponseWriter, r *http.Request) { seen = r.Header.Clone() }, "192.0.2.0/24")
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	for _, name := range []string{"X_Forwarded_For", "X_Api_Key", "x_real_ip", "Authorization_", "X-Forwarded_Host", "Sec_Fetch_Site", "X_tollgate_tags"} {
		r.Header[name] = []string{"evil"}
	}
	r.Header["Session_id"] = []string{"codex sends this"}
	rig.serve(r)
	for name := range seen {
		if strings.Contains(name, "_") && name != "Session_id" && name != "Authorization_" {
			t.Errorf("%s reached the handler", name)
		}
	}
	if seen["Session_id"] == nil {
		t.Error("a harmless header was dropped")
	}
}

func TestDoorRefusesOddShapes(t *testing.T) {
	many := func(n int, name, value string) func(*http.Request) {
		return func(r *http.Request) {
			for range n {
				r.Header.Add(name, value)
			}
		}
	}
	for _, c := range []struct {
		name, method, target string
		change               func(*http.Request)
		want                 int
	}{
		{"plain", "GET", "/a/b?x=1", nil, 200},
		{"encoded slash is the handler's affair", "GET", "/v1/models/a%2Fb", nil, 200},
		{"H02 trace", "TRACE", "/", nil, 405},
		{"H02 star", "OPTIONS", "*", nil, 400},
		{"H02 absolute form of another host", "GET", "http://evil.example/admin", nil, 400},
		{"H02 absolute form of our own", "GET", "http://127.0.0.1/admin", nil, 200},
		{"H04 double slash", "GET", "/admin//users", nil, 400},
		{"H04 leading double slash", "GET", "//evil/x", func(r *http.Request) { r.URL.Path, r.URL.Host = "//evil/x", "" }, 400},
		{"H04 dot dot", "GET", "/a/../admin", nil, 400},
		{"H04 encoded dot dot", "GET", "/a/%2e%2e/admin", nil, 400},
		{"H04 encoded slash and dots", "GET", "/a%2f..%2fadmin", nil, 400},
		{"H04 dot", "GET", "/a/./b", nil, 400},
		{"H04 NUL", "GET", "/a%00b", nil, 400},
		{"H04 backslash", "GET", "/a%5cb", nil, 400},
		{"D02 long URL", "GET", "/" + strings.Repeat("a", 8200), nil, 414},
		{"D02 long query", "GET", "/?" + strings.Repeat("a", 8200), nil, 414},
		{"D02 query parameters", "GET", "/?" + strings.Repeat("a&", 201), nil, 400},
		{"D02 many headers", "GET", "/", many(101, "X-Many", "1"), 431},
		{"D02 large headers", "GET", "/", many(40, "X-Large", strings.Repeat("a", 900)), 431},
		{"D02 cookies", "GET", "/", many(51, "Cookie", "a=b"), 400},
		{"D02 cookies in one line", "GET", "/", many(1, "Cookie", strings.Repeat("a=b; ", 51)), 400},
	} {
		t.Run(c.name, func(t *testing.T) {
			rig := newDoor(ok)
			r := httptest.NewRequest(c.method, c.target, nil)
			if c.change != nil {
				c.change(r)
			}
			res := rig.serve(r)
			if res.StatusCode != c.want {
				t.Fatalf("status = %d, want %d", res.StatusCode, c.want)
			}
			if c.want >= 400 && res.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type = %q", res.Header.Get("Content-Type"))
			}
			if len(rig.done) != 1 {
				t.Error("no event for it")
			}
		})
	}
}

func TestD10PanicEndsOneRequest(t *testing.T) {
	t.Run("before the answer", func(t *testing.T) {
		rig := newDoor(func(http.ResponseWriter, *http.Request) { panic(io.ErrUnexpectedEOF) })
		res := rig.serve(httptest.NewRequest(http.MethodGet, "/", nil))
		body, _ := io.ReadAll(res.Body)
		if res.StatusCode != 500 || !strings.Contains(string(body), `"error":"internal error"`) && !strings.Contains(string(body), "panic in a handler") {
			t.Errorf("%d %s", res.StatusCode, body)
		}
		if strings.Contains(string(body), "goroutine") || !strings.Contains(rig.log.String(), "panic while serving") {
			t.Errorf("body %s log %s", body, rig.log.String())
		}
	})
	for name, p := range map[string]any{"after bytes went out": "boom", "wanted abort": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			rig := newDoor(func(w http.ResponseWriter, r *http.Request) { ok(w, r); panic(p) })
			defer func() {
				if got, _ := recover().(error); !errors.Is(got, http.ErrAbortHandler) {
					t.Errorf("recovered %v, want the connection to be aborted", got)
				}
				if len(rig.done) != 1 {
					t.Error("the request was not reported")
				}
			}()
			rig.serve(httptest.NewRequest(http.MethodGet, "/", nil))
		})
	}
}

func TestDoorStreamsThroughResponseController(t *testing.T) {
	step := make(chan struct{})
	rig := newDoor(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "first")
		if err := http.NewResponseController(w).Flush(); err != nil {
			t.Error(err)
		}
		<-step
	})
	srv := httptest.NewServer(rig)
	defer srv.Close()
	res, err := srv.Client().Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	buf := make([]byte, 5)
	if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != "first" {
		t.Fatalf("%q %v", buf, err)
	}
	close(step)
}

// nowhere takes what is written, so that the cost of writing it is measured.
type nowhere struct{}

func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

func BenchmarkDoor(b *testing.B) {
	d := &web.Door{IDs: &tollgate.RequestIDs{}, Now: time.Now, Log: slog.New(slog.NewJSONHandler(nowhere{}, nil)), Lines: nowhere{}}
	h := d.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil)
	for name, value := range map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json", "User-Agent": "bench", "Accept": "*/*"} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	b.ReportAllocs()
	for b.Loop() {
		clear(w.HeaderMap) //nolint:staticcheck // the recorder is reused
		h.ServeHTTP(w, r)
	}
}
