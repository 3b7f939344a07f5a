package sso_test

import (
	"encoding/base64"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth/sso"
	"tollgate/test/lookalike"
)

func base64url(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// atGitHub is how somebody signs in at the look-alike.
type atGitHub struct {
	account lookalike.Account
	answers map[string]string // of the API instead of its own, by path
	trouble lookalike.Trouble
	scopes  []string // what the user consents to instead of all
	code    string   // instead of a good one
}

func octocat() *atGitHub {
	return &atGitHub{account: lookalike.Account{
		ID: 583231, Login: "octocat", PublicEmail: "public@example.net",
		Emails: []lookalike.Email{{Email: "old@example.com", Verified: true}, {Email: "octo@example.com", Primary: true, Verified: true}},
		Orgs:   map[string]string{"Acme": "active", "invited": "pending"}, Teams: []string{"Acme/platform"},
	}}
}

func (g *atGitHub) signIn(t *testing.T, orgs ...string) (sso.Identity, error) {
	t.Helper()
	site := lookalike.New(lookalike.App{ClientID: "tollgate", ClientSecret: "a secret", Callback: publicURL + "/auth/sso/github/callback"}, "", g.account)
	for path, text := range g.answers {
		site.Answer(path, text)
	}
	site.Make(g.trouble)
	server := httptest.NewServer(site)
	t.Cleanup(server.Close)
	r := newRig(t, newSealer(t), sso.Settings{
		Name: "github", Kind: sso.KindGitHub, Issuer: server.URL, ClientID: "tollgate", ClientSecret: tollgate.NewSecret("a secret"), AllowedOrgs: orgs,
	})
	start, err := r.Begin(t.Context(), "github", sso.Intent{})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(start.URL)
	if err != nil {
		t.Fatal(err)
	}
	asked, scopes := u.Query(), g.scopes
	if scopes == nil {
		scopes = strings.Fields(asked.Get("scope"))
	}
	code := site.Grant("tollgate", g.account.Login, asked.Get("code_challenge"), scopes...)
	if g.code != "" {
		code = g.code
	}
	id, _, err := r.Finish(t.Context(), "github", url.Values{"code": {code}, "state": asked["state"]}, start.Cookie)
	return id, err
}

func TestGitHubSignIn(t *testing.T) {
	want := sso.Identity{Provider: "github", Subject: "583231", Email: "octo@example.com", EmailVerified: true, Name: "octocat"}
	user := func(text string) func(*atGitHub) { return func(g *atGitHub) { g.answers = map[string]string{"/user": text} } }
	for name, c := range map[string]struct {
		arrange func(*atGitHub)
		orgs    []string
		want    func(*sso.Identity)
		code    tollgate.Code
		says    string
	}{
		"plain":         {},
		"renamed login": {arrange: func(g *atGitHub) { g.account.Login = "new" }, want: func(i *sso.Identity) { i.Name = "new" }},
		"unverified primary": {
			arrange: func(g *atGitHub) { g.account.Emails[1].Verified = false },
			want:    func(i *sso.Identity) { i.Email, i.EmailVerified = "", false },
		},
		"organisation, case aside": {orgs: []string{"acme"}, want: func(i *sso.Identity) { i.Groups = []string{"Acme"} }},
		"team":                     {orgs: []string{"acme/platform"}, want: func(i *sso.Identity) { i.Groups = []string{"Acme", "Acme/platform"} }},
		"other organisation":       {orgs: []string{"other"}, code: tollgate.CodeForbidden},
		"other team":               {orgs: []string{"acme/security"}, code: tollgate.CodeForbidden},
		"only invited":             {orgs: []string{"invited"}, code: tollgate.CodeForbidden},
		"scope struck out":         {orgs: []string{"acme"}, arrange: func(g *atGitHub) { g.scopes = []string{"user:email"} }, code: tollgate.CodeUnauthenticated},
		"wider scope":              {arrange: func(g *atGitHub) { g.scopes = []string{"user"} }},
		"no id":                    {arrange: user(`{"login":"octocat"}`), code: tollgate.CodeUnauthenticated},
		"id as text":               {arrange: user(`{"id":"583231"}`), code: tollgate.CodeUpstream},
		"made-up code":             {arrange: func(g *atGitHub) { g.code = "guess" }, code: tollgate.CodeUpstream},
		"revoked token":            {arrange: func(g *atGitHub) { g.trouble = lookalike.Revoked }, code: tollgate.CodeUpstream},
		"secondary rate limit":     {arrange: func(g *atGitHub) { g.trouble = lookalike.RateLimited }, code: tollgate.CodeUpstream, says: "no more requests for now"},
		"down":                     {arrange: func(g *atGitHub) { g.trouble = lookalike.Down }, code: tollgate.CodeUpstream, says: "cannot be reached"},
	} {
		t.Run(name, func(t *testing.T) {
			g := octocat()
			if c.arrange != nil {
				c.arrange(g)
			}
			got, err := g.signIn(t, c.orgs...)
			if tollgate.ErrorCode(err) != c.code {
				t.Fatalf("%v, want %q", err, c.code)
			}
			if c.code != "" {
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("%v, want one that says %q", err, c.says)
				}
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
