package web_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/web"
)

// authFunc makes an authenticator of a function.
type authFunc func(*http.Request) (tollgate.Principal, bool, error)

func (f authFunc) Authenticate(r *http.Request) (tollgate.Principal, bool, error) { return f(r) }

func principal(kind tollgate.PrincipalKind, role tollgate.Role, surfaces ...tollgate.Surface) tollgate.Principal {
	p := tollgate.Principal{Kind: kind, User: &tollgate.User{ID: 1, Name: "u", Enabled: true, Role: role}}
	if kind == tollgate.PrincipalKey {
		p.Key = &tollgate.Key{ID: 2, Surfaces: surfaces}
	} else {
		p.Session = &tollgate.Session{ID: 3, SignedInAt: time.Now()}
	}
	return p
}

// byHeader signs in whoever the X-Test header names.
func byHeader(r *http.Request) (tollgate.Principal, bool, error) {
	switch r.Header.Get("X-Test") {
	case "user":
		return principal(tollgate.PrincipalSession, tollgate.RoleUser), false, nil
	case "cookie":
		return principal(tollgate.PrincipalSession, tollgate.RoleAdmin), true, nil
	case "admin":
		return principal(tollgate.PrincipalKey, tollgate.RoleAdmin), false, nil
	case "bad":
		return tollgate.Principal{}, false, tollgate.Errorf(tollgate.CodeUnauthenticated, "invalid credential")
	}
	return tollgate.Principal{}, false, nil
}

func newRouter(t *testing.T) *web.Router {
	t.Helper()
	rt := &web.Router{Auth: authFunc(byHeader), Now: time.Now, Hosts: web.Hosts{Names: []string{"gate.example"}}, PublicOrigin: "https://gate.example"}
	echo := func(w http.ResponseWriter, r *http.Request) error {
		var v map[string]any
		if err := web.ReadJSON(r, &v); err != nil {
			return err
		}
		web.WriteJSON(w, http.StatusOK, v)
		return nil
	}
	rt.Handle("POST", "/admin/things", web.Policy{Access: web.AccessAdmin, MaxBody: 64, Mutates: true}, echo)
	rt.Handle("GET", "/docs", web.Policy{Access: web.AccessAny}, echo)
	rt.Handle("GET", "/healthz", web.Policy{Access: web.AccessPublic, AnyHost: true}, echo)
	rt.Handle("GET", "/console/", web.Policy{Access: web.AccessPublic}, echo)
	rt.Fallback(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "data plane") }),
		web.Route{Method: "POST", Pattern: "/v1/chat/completions", Policy: web.Policy{Access: web.AccessLLM}})
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	return rt
}

func send(h http.Handler, method, target, who, body string, change ...func(*http.Request)) (int, string, http.Header) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "localhost:8787"
	if who != "" {
		r.Header.Set("X-Test", who)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code, w.Body.String(), w.Header()
}

func TestZ01RoutesWithoutPolicyStopTheStart(t *testing.T) {
	h := func(http.ResponseWriter, *http.Request) error { return nil }
	good := web.Policy{Access: web.AccessPublic}
	for name, mount := range map[string]func(*web.Router){
		"no policy":            func(rt *web.Router) { rt.Handle("GET", "/x", web.Policy{}, h) },
		"unknown access":       func(rt *web.Router) { rt.Handle("GET", "/x", web.Policy{Access: 99}, h) },
		"mutating GET":         func(rt *web.Router) { rt.Handle("GET", "/x", web.Policy{Access: web.AccessSelf, Mutates: true}, h) },
		"no handler":           func(rt *web.Router) { rt.Handle("GET", "/x", good, nil) },
		"twice":                func(rt *web.Router) { rt.Handle("GET", "/x", good, h); rt.Handle("GET", "/x", good, h) },
		"odd pattern":          func(rt *web.Router) { rt.Handle("GET", "/x/../y", good, h) },
		"fallback policy":      func(rt *web.Router) { rt.Fallback(nil, web.Route{Method: "GET", Pattern: "/v1"}) },
		"admin under any host": func(rt *web.Router) { rt.Handle("GET", "/x", web.Policy{Access: web.AccessAdmin, AnyHost: true}, h) },
		"public recent sign-in": func(rt *web.Router) {
			rt.Handle("GET", "/x", web.Policy{Access: web.AccessPublic, RecentSignIn: true}, h)
		},
	} {
		rt := &web.Router{Auth: authFunc(byHeader), Now: time.Now}
		if rt.Err() != nil {
			t.Fatal("an empty router must be fine")
		}
		mount(rt)
		if rt.Err() == nil {
			t.Errorf("%s: mounted", name)
		}
	}
}

func TestRouterMatchesBytesOnly(t *testing.T) {
	rt := newRouter(t)
	for _, c := range []struct {
		method, target string
		want           int
		body           string
	}{
		{"GET", "/healthz", 200, ""},
		{"HEAD", "/healthz", 200, ""},
		{"GET", "/console/app.js", 200, ""},
		{"GET", "/console", 404, ""},
		{"POST", "/healthz", 405, ""},
		{"GET", "/admin/things", 405, ""},
		{"POST", "/admin/things/", 404, ""},
		{"POST", "/Admin/things", 200, "data plane"}, // another first segment: the data plane's 404
		{"POST", "/%61dmin/things", 404, ""},
		{"POST", "/admin%2Fthings", 404, ""},
		{"GET", "/admin/nothing", 404, ""},
		{"POST", "/v1/chat/completions", 200, "data plane"},
		{"POST", "/lab/v1/messages", 200, "data plane"},
		{"GET", "/v1/models/a%2Fb", 200, "data plane"},
	} {
		status, body, _ := send(rt, c.method, c.target, "", "")
		if status != c.want || (body == "data plane") != (c.body == "data plane") {
			t.Errorf("%s %s = %d %q", c.method, c.target, status, body)
		}
	}
}

func TestRouterChecksPolicyBeforeBody(t *testing.T) {
	rt := newRouter(t)
	big := strings.Repeat(" ", 100)
	for _, c := range []struct {
		who, body string
		want      int
		text      string
	}{
		{"", "{", 401, "a valid credential is required"},
		{"bad", big, 401, "invalid credential"},
		{"user", big, 403, "this needs an admin"},
		{"admin", big, 413, "larger than 64 bytes"},
		{"admin", "{", 400, "not valid JSON"},
		{"admin", `{"a":1}`, 200, `{"a":1}`},
	} {
		status, body, h := send(rt, "POST", "/admin/things", c.who, c.body)
		if status != c.want || !strings.Contains(body, c.text) {
			t.Errorf("%q = %d %s", c.who, status, body)
		}
		if status != 200 && (!strings.Contains(body, `"error":"`) || h.Get("Content-Type") != "application/problem+json") {
			t.Errorf("%q: no problem: %s", c.who, body)
		}
		if (status == 401) != (h.Get("WWW-Authenticate") != "") {
			t.Errorf("%q: challenge %q", c.who, h.Get("WWW-Authenticate"))
		}
	}
}

func TestH02N45HostAllowList(t *testing.T) {
	rt := newRouter(t)
	for host, want := range map[string]int{
		"localhost": 200, "LOCALHOST:1": 200, "127.0.0.1:8787": 200, "[::1]:8787": 200, "gate.example": 200, "Gate.Example.:443": 200,
		"evil.example": 403, "127.0.0.1.evil.example": 403, "10.1.2.3": 403, "": 403, "localhost.evil:80": 403, "[::1": 403, "2130706433": 403,
	} {
		status, _, _ := send(rt, "POST", "/admin/things", "admin", "{}", func(r *http.Request) { r.Host = host })
		if status != want {
			t.Errorf("Host %q = %d, want %d", host, status, want)
		}
		if status, _, _ = send(rt, "GET", "/healthz", "", "", func(r *http.Request) { r.Host = host }); status != 200 {
			t.Errorf("health under %q = %d", host, status)
		}
	}
}

func TestW03N61CrossSiteMatrix(t *testing.T) {
	rt := newRouter(t)
	set := func(pairs ...string) func(*http.Request) {
		return func(r *http.Request) {
			for i := 0; i < len(pairs); i += 2 {
				r.Header.Set(pairs[i], pairs[i+1])
			}
		}
	}
	for _, c := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"same origin", set("Sec-Fetch-Site", "same-origin", "Origin", "http://localhost:8787"), 200},
		{"typed", set("Sec-Fetch-Site", "none"), 200},
		{"cross site", set("Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example"), 403},
		{"same site, other port or name", set("Sec-Fetch-Site", "same-site", "Origin", "http://localhost:9999"), 403},
		{"old browser, other origin", set("Origin", "https://evil.example"), 403},
		{"old browser, null origin", set("Origin", "null"), 403},
		{"old browser, own origin", set("Origin", "http://localhost:8787"), 200},
		{"public origin behind a proxy", set("Sec-Fetch-Site", "cross-site", "Origin", "https://gate.example"), 200},
		{"no browser", set(), 200},
		{"form content type", set("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"text content type", set("Content-Type", "text/plain"), 415},
		{"no content type", func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		{"other charset", set("Content-Type", "application/json; charset=utf-16"), 415},
		{"charset", set("Content-Type", "application/json; charset=UTF-8"), 200},
		{"compressed", set("Content-Encoding", "gzip"), 415},
	} {
		if status, body, _ := send(rt, "POST", "/admin/things", "cookie", "{}", c.change); status != c.want {
			t.Errorf("%s = %d %s, want %d", c.name, status, body, c.want)
		}
	}
}

func TestW01HeadersOnEveryAnswer(t *testing.T) {
	rt := newRouter(t)
	for _, c := range []struct{ method, target, who string }{
		{"GET", "/docs", "admin"}, {"GET", "/docs", ""}, {"GET", "/admin/none", ""}, {"PUT", "/docs", ""}, {"POST", "/admin/things", "bad"},
	} {
		_, _, h := send(rt, c.method, c.target, c.who, "")
		for name, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff",
		} {
			if got := h.Get(name); got != want {
				t.Errorf("%s %s: %s = %q", c.method, c.target, name, got)
			}
		}
		if h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s answers CORS", c.method, c.target)
		}
	}
}

// TestA14N10PartialPrincipalsAreDenied draws principals with parts missing and
// checks that no policy but the public one lets them through.
func TestA14N10PartialPrincipalsAreDenied(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := tollgate.Principal{Kind: tollgate.PrincipalKind(rapid.Uint8Range(0, 6).Draw(t, "kind"))}
		if rapid.Bool().Draw(t, "user") {
			p.User = &tollgate.User{ID: 1, Enabled: rapid.Bool().Draw(t, "enabled"), Role: tollgate.Role(rapid.Uint8Range(0, 3).Draw(t, "role"))}
		}
		if rapid.Bool().Draw(t, "key") {
			p.Key = &tollgate.Key{ID: 1}
		}
		if rapid.Bool().Draw(t, "session") {
			p.Session = &tollgate.Session{ID: 1}
		}
		access := web.Access(rapid.Uint8Range(uint8(web.AccessLLM), 12).Draw(t, "access"))
		err := web.Policy{Access: access}.Permits(p, time.Now())
		whole := p.User != nil && p.User.Enabled && p.User.Role != tollgate.RoleNone &&
			(p.Kind == tollgate.PrincipalKey && p.Key != nil || p.Kind == tollgate.PrincipalSession && p.Session != nil)
		if err == nil && (!whole || access == web.AccessLLM || access > web.AccessAny) {
			t.Fatalf("%s lets %+v through", access, p)
		}
	})
}

func TestPolicyTable(t *testing.T) {
	now := time.Now()
	old := principal(tollgate.PrincipalSession, tollgate.RoleSuperAdmin)
	old.Session.SignedInAt = now.Add(-11 * time.Minute)
	for _, c := range []struct {
		name string
		who  tollgate.Principal
		p    web.Policy
		want tollgate.Code
	}{
		{"user session on self", principal(tollgate.PrincipalSession, tollgate.RoleUser), web.Policy{Access: web.AccessSelf}, ""},
		{"user key on self", principal(tollgate.PrincipalKey, tollgate.RoleUser), web.Policy{Access: web.AccessSelf}, tollgate.CodeForbidden},
		{"user key reads itself", principal(tollgate.PrincipalKey, tollgate.RoleUser), web.Policy{Access: web.AccessSelfRead}, ""},
		{"llm key reads itself", principal(tollgate.PrincipalKey, tollgate.RoleUser, tollgate.SurfaceLLM), web.Policy{Access: web.AccessSelfRead}, tollgate.CodeForbidden},
		{"llm key of an admin", principal(tollgate.PrincipalKey, tollgate.RoleAdmin, tollgate.SurfaceLLM), web.Policy{Access: web.AccessAdmin}, tollgate.CodeForbidden},
		{"admin key", principal(tollgate.PrincipalKey, tollgate.RoleAdmin, tollgate.SurfaceAdmin), web.Policy{Access: web.AccessAdmin}, ""},
		{"admin-surface key of a user", principal(tollgate.PrincipalKey, tollgate.RoleUser, tollgate.SurfaceAdmin), web.Policy{Access: web.AccessAdmin}, tollgate.CodeForbidden},
		{"admin is not super", principal(tollgate.PrincipalSession, tollgate.RoleAdmin), web.Policy{Access: web.AccessSuperAdmin}, tollgate.CodeForbidden},
		{"super admin", principal(tollgate.PrincipalKey, tollgate.RoleSuperAdmin), web.Policy{Access: web.AccessSuperAdmin}, ""},
		{"llm key reads the docs", principal(tollgate.PrincipalKey, tollgate.RoleUser, tollgate.SurfaceLLM), web.Policy{Access: web.AccessAny}, ""},
		{"service reads the docs", tollgate.Principal{Kind: tollgate.PrincipalService}, web.Policy{Access: web.AccessAny}, tollgate.CodeForbidden},
		{"step-up, old sign-in", old, web.Policy{Access: web.AccessSuperAdmin, RecentSignIn: true}, tollgate.CodeForbidden},
		{"step-up, fresh", principal(tollgate.PrincipalSession, tollgate.RoleSuperAdmin), web.Policy{Access: web.AccessSuperAdmin, RecentSignIn: true}, ""},
		{"step-up, key", principal(tollgate.PrincipalKey, tollgate.RoleSuperAdmin), web.Policy{Access: web.AccessSuperAdmin, RecentSignIn: true}, tollgate.CodeForbidden},
	} {
		if got := tollgate.ErrorCode(c.p.Permits(c.who, now)); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestUnknownErrorsTellNothing(t *testing.T) {
	rt := &web.Router{Auth: authFunc(byHeader), Now: time.Now}
	rt.Handle("GET", "/x", web.Policy{Access: web.AccessPublic}, func(http.ResponseWriter, *http.Request) error {
		return errors.New("sql: canary detail")
	})
	if err := rt.Err(); err != nil {
		t.Fatal(err)
	}
	status, body, _ := send(rt, "GET", "/x", "", "")
	if status != 500 || strings.Contains(body, "canary") || !strings.Contains(body, `"error":"internal error"`) {
		t.Errorf("%d %s", status, body)
	}
}
