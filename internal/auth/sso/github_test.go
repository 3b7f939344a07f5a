package sso_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth/sso"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// github is a look-alike with the quirks of the original: the token endpoint
// answers in a form unless JSON is asked for, with status 200 for errors too;
// scopes are separated by commas; the id is a number; the addresses are a list.
type github struct {
	*httptest.Server
	user, emails, orgs, teams string
	scope                     string
	redeemed                  map[string]bool
}

func newGitHub(t *testing.T) *github {
	t.Helper()
	g := &github{
		user:   `{"id": 583231, "login": "octocat", "email": "public@example.net"}`,
		emails: `[{"email":"old@example.com","primary":false,"verified":true},{"email":"octo@example.com","primary":true,"verified":true}]`,
		orgs:   `[{"state":"active","organization":{"login":"Acme"}},{"state":"pending","organization":{"login":"invited"}}]`,
		teams:  `[{"slug":"platform","organization":{"login":"Acme"}}]`,
		scope:  "read:org,user:email", redeemed: map[string]bool{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /login/oauth/access_token", g.token)
	for path, body := range map[string]*string{"/user": &g.user, "/user/emails": &g.emails, "/user/memberships/orgs": &g.orgs, "/user/teams": &g.teams} {
		mux.HandleFunc("GET /api/v3"+path, func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer gho_secret" || r.UserAgent() == "" {
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			_, _ = w.Write([]byte(*body))
		})
	}
	g.Server = httptest.NewServer(mux)
	t.Cleanup(g.Close)
	return g
}

func (g *github) token(w http.ResponseWriter, r *http.Request) {
	_ = r.ParseForm()
	out := map[string]string{"access_token": "gho_secret", "scope": g.scope, "token_type": "bearer"}
	code := r.Form.Get("code")
	if code != "good" || r.Form.Get("client_id") != "tollgate" || r.Form.Get("client_secret") != "a secret" || g.redeemed[code] {
		out = map[string]string{"error": "bad_verification_code", "error_description": "The code passed is incorrect or expired."}
	}
	g.redeemed[code] = true
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		_ = json.NewEncoder(w).Encode(out)
		return
	}
	form := url.Values{}
	for k, v := range out {
		form.Set(k, v)
	}
	w.Header().Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	_, _ = w.Write([]byte(form.Encode()))
}

func (g *github) settings(orgs ...string) sso.Settings {
	return sso.Settings{Name: "github", Kind: sso.KindGitHub, Issuer: g.URL, ClientID: "tollgate", ClientSecret: tollgate.NewSecret("a secret"), AllowedOrgs: orgs}
}

func (g *github) signIn(t *testing.T, code string, s sso.Settings) (sso.Identity, error) {
	t.Helper()
	r := newRig(t, newSealer(t), s)
	start, err := r.Begin(t.Context(), "github", sso.Intent{})
	if err != nil {
		t.Fatal(err)
	}
	u, _ := url.Parse(start.URL)
	id, _, err := r.Finish(t.Context(), "github", url.Values{"code": {code}, "state": u.Query()["state"]}, start.Cookie)
	return id, err
}

func TestGitHubSignIn(t *testing.T) {
	want := sso.Identity{Provider: "github", Subject: "583231", Email: "octo@example.com", EmailVerified: true, Name: "octocat"}
	for name, c := range map[string]struct {
		arrange func(*github)
		orgs    []string
		want    func(*sso.Identity)
		code    tollgate.Code
	}{
		"plain":         {},
		"renamed login": {arrange: func(g *github) { g.user = `{"id":583231,"login":"new"}` }, want: func(i *sso.Identity) { i.Name = "new" }},
		"unverified primary": {
			arrange: func(g *github) {
				g.emails = `[{"email":"victim@example.com","primary":true,"verified":false},{"email":"x@example.com","primary":false,"verified":true}]`
			},
			want: func(i *sso.Identity) { i.Email, i.EmailVerified = "", false },
		},
		"organisation, case aside": {orgs: []string{"acme"}, want: func(i *sso.Identity) { i.Groups = []string{"Acme"} }},
		"team":                     {orgs: []string{"acme/platform"}, want: func(i *sso.Identity) { i.Groups = []string{"Acme", "Acme/platform"} }},
		"other organisation":       {orgs: []string{"other"}, code: tollgate.CodeForbidden},
		"other team":               {orgs: []string{"acme/security"}, code: tollgate.CodeForbidden},
		"only invited":             {orgs: []string{"invited"}, code: tollgate.CodeForbidden},
		"scope struck out":         {orgs: []string{"acme"}, arrange: func(g *github) { g.scope = "user:email" }, code: tollgate.CodeUnauthenticated},
		"wider scope":              {arrange: func(g *github) { g.scope = "user" }},
		"no id":                    {arrange: func(g *github) { g.user = `{"login":"octocat"}` }, code: tollgate.CodeUnauthenticated},
		"id as text":               {arrange: func(g *github) { g.user = `{"id":"583231"}` }, code: tollgate.CodeUpstream},
		"used code":                {arrange: func(g *github) { g.redeemed["good"] = true }, code: tollgate.CodeUpstream},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGitHub(t)
			if c.arrange != nil {
				c.arrange(g)
			}
			got, err := g.signIn(t, "good", g.settings(c.orgs...))
			if tollgate.ErrorCode(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if c.code != "" {
				return
			}
			want := want
			if c.want != nil {
				c.want(&want)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
