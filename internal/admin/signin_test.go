package admin_test

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

func TestN13SignInByCookie(t *testing.T) {
	r := newRig(t)
	login := func(change ...func(*http.Request)) (*http.Cookie, answer) {
		a := r.post("", "/login", `{"username":"alice","password":"`+password+`"}`, change...)
		res := http.Response{Header: a.header}
		if len(res.Cookies()) != 1 {
			t.Fatalf("%d cookies: %v", len(res.Cookies()), a.header)
		}
		return res.Cookies()[0], a
	}
	overTLS := func(q *http.Request) { q.TLS = &tls.ConnectionState{} }
	c, _ := login(overTLS)
	if c.Name != "__Host-tollgate_session" || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" || c.MaxAge <= 0 {
		t.Errorf("S-01: %+v", c)
	}
	c, a := login()
	if c.Name != "tollgate_session" || c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode {
		t.Errorf("%+v", c)
	}
	if want := `"user_id":4,`; !strings.Contains(a.body, want) || !strings.Contains(a.body, `"is_admin":false,"is_super_admin":false`) || !strings.Contains(a.body, `"expires_in_secs":`) {
		t.Error(a.body)
	}
	cookie := func(q *http.Request) { q.AddCookie(c) }
	if a := r.post("", "/user/me", "{}", cookie); a.status != 200 || !strings.Contains(a.body, `"name":"alice"`) {
		t.Error(a)
	}
	// The cookie is no Bearer on another scheme, and crosses no origin.
	if a := r.post("", "/user/me", "{}", cookie, overTLS); a.status != 401 {
		t.Error("a plain cookie over TLS:", a.status)
	}
	if a := r.post("", "/logout", "{}", cookie); a.status != 200 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") || a.header.Get("Clear-Site-Data") == "" {
		t.Error(a)
	}
	a = r.post("", "/user/me", "{}", cookie)
	if a.status != 401 || !strings.Contains(a.header.Get("Set-Cookie"), "Max-Age=0") {
		t.Error("N-13: a logged-out cookie:", a)
	}
}

// TestW03N27EveryChangeIsSameOrigin sends every state change as a page of
// another site would.
func TestW03N27EveryChangeIsSameOrigin(t *testing.T) {
	r := newRig(t)
	before := r.state()
	session := http.Cookie{Name: "tollgate_session", Value: r.token["root/session"]}
	for _, route := range r.router.Routes() {
		variants, _ := bodies(route.Pattern)
		body := variants[0].body(r, "root")
		for name, change := range map[string]func(*http.Request){
			"cross-site": func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "cross-site") },
			"same-site":  func(q *http.Request) { q.Header.Set("Sec-Fetch-Site", "same-site") },
			"old":        func(q *http.Request) { q.Header.Set("Origin", "https://evil.example") },
			"form":       func(q *http.Request) { q.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
			"plain":      func(q *http.Request) { q.Header.Set("Content-Type", "text/plain") },
			"host":       func(q *http.Request) { q.Host = "rebound.example" },
		} {
			if route.Method != http.MethodPost {
				continue
			}
			a := r.post("", route.Pattern, body, func(q *http.Request) { q.AddCookie(&session) }, change)
			if a.status != http.StatusForbidden && a.status != http.StatusUnsupportedMediaType {
				t.Errorf("%s (%s) = %d", route.Pattern, name, a.status)
			}
		}
	}
	r.unchanged("a cross-site request", before, "Identities") // the bodies make some
}

func TestA07N58RefusedSignInsLookAlike(t *testing.T) {
	r := newRig(t)
	r.update(func(tx tollgate.Tx) error {
		w := auth.UserWrite{Name: tollgate.Some("keyonly")}
		_, err := r.acc.SaveUser(t.Context(), tx, tollgate.HostActor("test"), w)
		return err
	})
	r.acc.Hasher = auth.NewHasher(auth.HasherOptions{Slots: 1}, zeros{}) // the cost of policy
	w := auth.UserWrite{ID: r.users["alice"], Password: tollgate.Some(tollgate.NewSecret(password))}
	r.must(r.acc.Prepare(t.Context(), &w))
	gone := auth.UserWrite{ID: r.users["gone"], Password: tollgate.Some(tollgate.NewSecret(password))}
	r.must(r.acc.Prepare(t.Context(), &gone))
	r.update(func(tx tollgate.Tx) error {
		if _, err := r.acc.SaveUser(t.Context(), tx, tollgate.HostActor("test"), gone); err != nil {
			return err
		}
		_, err := r.acc.SaveUser(t.Context(), tx, tollgate.HostActor("test"), w)
		return err
	})
	fastest, bodies := map[string]time.Duration{}, map[string]string{}
	apart := func(name string) bool {
		return fastest[name] > 2*fastest["alice"] || 2*fastest[name] < fastest["alice"]
	}
	names := []string{"alice", "gone", "keyonly", "nobody-of-this-name"}
	// A busy machine spoils single samples, so the fastest ones are given time to
	// meet; those of different work never do.
	for round := 0; round < 5 || (round < 60 && slices.ContainsFunc(names, apart)); round++ {
		for _, name := range names {
			start := time.Now()
			a := r.post("", "/login", `{"username":"`+name+`","password":"wrong wrong wrong"}`)
			if took := time.Since(start); fastest[name] == 0 || took < fastest[name] {
				fastest[name] = took
			}
			a.header.Del("X-Tollgate-Request-Id")
			bodies[name] = fmt.Sprint(a.status, withoutID(a.body), a.header.Get("Content-Type"), a.header.Get("Set-Cookie"))
		}
	}
	for name, took := range fastest {
		if bodies[name] != bodies["alice"] || !strings.HasPrefix(bodies[name], "401") || !strings.Contains(bodies[name], "invalid username or password") {
			t.Errorf("%s: %s", name, bodies[name])
		}
		if apart(name) {
			t.Errorf("%s took %v, a wrong password %v", name, took, fastest["alice"])
		}
	}
	t.Log(fastest)
	if a := r.post("", "/login", `{"username":"gone","password":"`+password+`"}`); a.status != 403 || !strings.Contains(a.body, `"error":"user is disabled"`) {
		t.Error(a)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }
