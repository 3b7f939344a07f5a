package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tollgate"
)

// corp sets a provider up that p plays, with further fields.
func (r *rig) corp(p *op, more string) int64 {
	r.t.Helper()
	a := r.post("root/session", "/admin/sso-providers/upsert",
		fmt.Sprintf(`{"name":"corp","kind":"oidc","issuer":%q,"client_id":"tollgate","client_secret":"canary-client-secret"%s}`, p.URL, more))
	var done struct{ ID int64 }
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &done) != nil {
		r.t.Fatalf("%d %s", a.status, a.body)
	}
	return done.ID
}

// linked links subject at corp to a user, and takes their second factors away.
func (r *rig) linked(user, subject string) {
	r.t.Helper()
	ctx := r.t.Context()
	r.update(func(tx tollgate.Tx) error {
		row := tollgate.Identity{UserID: r.users[user], Provider: "corp", Subject: subject}
		return tx.Identities.Insert(ctx, &row)
	})
	r.update(func(tx tollgate.Tx) error { return tx.Factors.Delete(ctx, r.id[user+"/factor"]) })
}

// confirm makes the factor of a user count.
func (r *rig) confirm(user string) {
	r.t.Helper()
	r.update(func(tx tollgate.Tx) error {
		f, err := tx.Factors.Get(r.t.Context(), r.id[user+"/factor"])
		if err != nil {
			return err
		}
		f.Confirmed = true
		return tx.Factors.Update(r.t.Context(), f)
	})
}

func person(sub string, more ...any) map[string]any {
	m := map[string]any{"sub": sub, "email": sub + "@example.com", "email_verified": true, "preferred_username": sub}
	for i := 0; i < len(more); i += 2 {
		m[fmt.Sprint(more[i])] = more[i+1]
	}
	return m
}

func TestSignInThroughAProvider(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, `,"display_name":"Corp login"`)
	r.linked("alice", "a-1")
	p.says(person("a-1", "email", "somebody.else@example.net"))
	b := r.browser()
	a := b.get("/auth/providers")
	if want := `{"name":"corp","title":"Corp login","display_name":"Corp login","kind":"oidc","login_url":"/auth/sso/corp/login"}`; !strings.Contains(a.body, want) {
		t.Errorf("providers: %s", a.body)
	}
	if strings.Contains(a.body, p.URL) || strings.Contains(a.body, "client") {
		t.Errorf("everybody is told more than the sign-in page needs: %s", a.body)
	}
	if to := b.through("corp", "/console/keys?page=2"); to != "/console/keys?page=2" {
		t.Errorf("led to %q", to)
	}
	if who := b.whoami(); who != "alice" {
		t.Errorf("signed in as %q", who)
	}
	if _, left := b.cookies["tollgate_sso_corp"]; left {
		t.Error("the cookie of the sign-in stayed behind")
	}
	if a := r.post("boss", "/admin/user-sessions/query", fmt.Sprintf(`{"user_id":{"eq":%d}}`, r.users["alice"])); !strings.Contains(a.body, `"method":"sso:corp"`) {
		t.Errorf("sessions: %s", a.body)
	}
	if strings.Contains(r.log.String(), "canary-access-token") || strings.Contains(r.log.String(), "canary-client-secret") {
		t.Error("a secret is in the log")
	}
}

// TestO05N33N46NobodyIsLinkedByAddress: a provider that asserts a victim's verified
// address makes no session of the victim's (N-33, N-46).
func TestO05N33N46NobodyIsLinkedByAddress(t *testing.T) {
	r, p := newRig(t), newOP(t)
	for _, signUp := range []string{"", `,"sign_up":true,"allowed_domains":["example.com"]`} {
		id := r.corp(p, signUp)
		for i, victim := range []string{"root", "boss", "alice"} {
			p.says(person(fmt.Sprint("attacker-", i, len(signUp)), "email", victim+"@example.com", "preferred_username", victim))
			b := r.browser()
			to := b.through("corp", "/console/")
			who := b.whoami()
			if signUp == "" && (who != "" || !strings.HasPrefix(to, "/console/sign-in?error=") || !strings.Contains(to, "invitation")) {
				t.Errorf("%s: %q, led to %s", victim, who, to)
			}
			if signUp != "" && (who == victim || !strings.HasPrefix(who, victim+"-")) {
				t.Errorf("with sign-up, %s: %q, led to %s", victim, who, to)
			}
		}
		r.post("root/session", "/admin/sso-providers/delete", fmt.Sprintf(`{"id":%d}`, id))
	}
}

// TestO08N47N51DisabledStaysOut: a disabled user, and a disabled provider (N-47, N-51).
func TestO08N47N51DisabledStaysOut(t *testing.T) {
	r, p := newRig(t), newOP(t)
	id := r.corp(p, "")
	r.linked("gone", "g-1")
	r.linked("alice", "a-1")
	p.says(person("g-1"))
	b := r.browser()
	if to := b.through("corp", "/console/"); !strings.Contains(to, "error=user+is+disabled") || b.whoami() != "" {
		t.Errorf("a disabled user was led to %s", to)
	}
	p.says(person("a-1"))
	if b.through("corp", "/console/"); b.whoami() != "alice" {
		t.Fatal("alice is not in")
	}
	half := r.browser() // on the way when the provider is disabled
	on := half.get("/auth/sso/corp/login").header.Get("Location")
	if a := r.post("root/session", "/admin/sso-providers/upsert", fmt.Sprintf(`{"id":%d,"enabled":false}`, id)); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	if who := b.whoami(); who != "" {
		t.Errorf("%s is still signed in through a disabled provider", who)
	}
	if to := landed(half.get(half.visit(on))); !strings.HasPrefix(to, "/console/sign-in?error=") || half.whoami() != "" {
		t.Errorf("a sign-in that was under way was led to %s", to)
	}
	if to := b.through("corp", "/console/"); !strings.HasPrefix(to, "/console/sign-in?error=") {
		t.Errorf("a disabled provider leads to %s", to)
	}
}

// TestO12ReturnToStaysHere: nothing that a link asks for leads elsewhere.
func TestO12ReturnToStaysHere(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	r.linked("alice", "a-1")
	p.says(person("a-1"))
	for _, to := range []string{
		"//evil.example", `/\evil.example`, "/%5cevil.example", "/%2f/evil.example", "https://evil.example", "\t//evil.example", "/\n//evil.example", "javascript:alert(1)",
		"/%252f%252fevil.example", "//evil.example@127.0.0.1:8787", "///evil", "\\\\evil", "/console/\r\nSet-Cookie: a=b", "",
	} {
		b := r.browser()
		if got := b.through("corp", to); got != "/" && got != "/console/" {
			t.Errorf("%q led to %q", to, got)
		}
		if b.whoami() != "alice" {
			t.Errorf("%q kept alice out", to)
		}
	}
}

// TestN34HostDecidesNothing: where people come back to is the public URL,
// whatever the request says its host is.
func TestN34HostDecidesNothing(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	r.router.Hosts.Names = []string{"other.example"}
	for _, forge := range []func(*http.Request){
		func(q *http.Request) { q.Host = "other.example" },
		func(q *http.Request) { q.Header.Set("X-Forwarded-Host", "evil.example") },
		func(q *http.Request) { q.Header.Set("Forwarded", "host=evil.example;proto=https") },
		func(q *http.Request) { q.Header.Set("X-Forwarded-Proto", "https") },
	} {
		a := r.browser().get("/auth/sso/corp/login", forge)
		to, err := url.Parse(a.header.Get("Location"))
		if err != nil || to.Query().Get("redirect_uri") != "http://127.0.0.1:8787/auth/sso/corp/callback" {
			t.Errorf("led to %s", a.header.Get("Location"))
		}
	}
	if a := r.browser().get("/auth/sso/corp/login", func(q *http.Request) { q.Host = "evil.example" }); a.status != http.StatusForbidden {
		t.Errorf("a foreign host: %d", a.status)
	}
}

// TestO01N36AnswersAreBoundToTheirBrowser: replayed, crossed, missing and spoilt
// answers sign nobody in (N-36).
func TestO01N36AnswersAreBoundToTheirBrowser(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	r.linked("alice", "a-1")
	p.says(person("a-1"))
	mine, theirs := r.browser(), r.browser()
	on := mine.get("/auth/sso/corp/login").header.Get("Location")
	theirs.get("/auth/sso/corp/login")
	back, flow := mine.visit(on), mine.cookies["tollgate_sso_corp"]
	for what, try := range map[string]func() (*browser, answer){
		"another browser":  func() (*browser, answer) { return theirs, theirs.get(back) },
		"no cookie":        func() (*browser, answer) { b := r.browser(); return b, b.get(back) },
		"another provider": func() (*browser, answer) { return mine, mine.get(strings.Replace(back, "/corp/", "/lab-sso/", 1)) },
		"nothing at all":   func() (*browser, answer) { b := r.browser(); return b, b.get("/auth/sso/corp/callback") },
		"no such provider": func() (*browser, answer) {
			b := r.browser()
			return b, b.get("/auth/sso/nobody/callback?code=x&state=y")
		},
		"a state twice": func() (*browser, answer) {
			b := r.browser()
			b.cookies["tollgate_sso_corp"] = flow
			return b, b.get(back + "&state=x")
		},
		"refused over there": func() (*browser, answer) {
			b := r.browser()
			b.get("/auth/sso/corp/login")
			return b, b.get("/auth/sso/corp/callback?error=access_denied&state=x")
		},
	} {
		b, a := try()
		if to := landed(a); !strings.HasPrefix(to, "/console/sign-in?error=") || b.whoami() != "" {
			t.Errorf("%s: %d, led to %s as %q", what, a.status, to, b.whoami())
		}
	}
	if mine.get(back); mine.whoami() != "alice" {
		t.Error("the browser that began it is kept out")
	}
	again := r.browser()
	again.cookies["tollgate_sso_corp"] = flow
	if a := again.get(back); again.whoami() != "" || !strings.Contains(landed(a), "already+completed") {
		t.Errorf("a replay led to %s", landed(a))
	}
}

// TestTheLocalSecondFactorIsAsked: by default the provider's word is one
// factor; half a sign-in is none.
func TestTheLocalSecondFactorIsAsked(t *testing.T) {
	r, p := newRig(t), newOP(t)
	id := r.corp(p, "")
	r.update(func(tx tollgate.Tx) error {
		row := tollgate.Identity{UserID: r.users["alice"], Provider: "corp", Subject: "a-1"}
		return tx.Identities.Insert(t.Context(), &row)
	})
	r.confirm("alice")
	p.says(person("a-1"))
	b := r.browser()
	if to := b.through("corp", "/console/keys"); to != "/console/sign-in?next=%2Fconsole%2Fkeys&second_factor=1" || b.whoami() != "" {
		t.Fatalf("led to %s as %q", to, b.whoami())
	}
	a := b.get("/login/pending")
	var need struct {
		LoginToken string `json:"login_token"`
		Factors    []string
	}
	if json.Unmarshal([]byte(a.body), &need) != nil || a.status != http.StatusUnauthorized || len(need.Factors) != 1 || need.LoginToken == "" {
		t.Fatalf("pending: %d %s", a.status, a.body)
	}
	if a := r.browser().get("/login/pending"); strings.Contains(a.body, "login_token") {
		t.Errorf("another browser: %s", a.body)
	}
	a = b.do(http.MethodPost, "/login/second-factor", fmt.Sprintf(`{"login_token":%q,"code":%q}`, need.LoginToken, totpCode()))
	if a.status != http.StatusOK || b.whoami() != "alice" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.post("boss", "/admin/user-sessions/query", fmt.Sprintf(`{"user_id":{"eq":%d}}`, r.users["alice"])); !strings.Contains(a.body, `"method":"sso:corp+totp"`) {
		t.Errorf("sessions: %s", a.body)
	}
	// Unlinking ends that session too, and a sign-in that waits for its second factor.
	late := r.browser()
	late.through("corp", "/console/")
	if a := r.post("root/session", "/admin/sso-providers/upsert", fmt.Sprintf(`{"id":%d,"trusts_second_factor":true}`, id)); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	if to := r.browser().through("corp", "/console/"); to != "/console/" {
		t.Errorf("where the provider is trusted, led to %s", to)
	}
	r.must(json.Unmarshal([]byte(late.get("/login/pending").body), &need))
	if a := r.post("root/session", "/admin/sso-providers/delete", fmt.Sprintf(`{"id":%d}`, id)); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	if b.whoami() != "" {
		t.Error("a session outlived its provider")
	}
	a = late.do(http.MethodPost, "/login/second-factor", fmt.Sprintf(`{"login_token":%q,"code":%q}`, need.LoginToken, totpCode()))
	if a.status == http.StatusOK || late.whoami() != "" {
		t.Errorf("the second half of a sign-in whose first was taken away: %d %s", a.status, a.body)
	}
}

func TestLinkingAnAccountOfOnesOwn(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	p.says(person("a-1"))
	b := r.browser()
	b.do(http.MethodPost, "/login", `{"username":"bob","password":"`+password+`"}`)
	begin := func(b *browser) string {
		a := b.do(http.MethodPost, "/user/identities/link", `{"provider":"corp","return_to":"/console/account"}`)
		var out struct{ URL string }
		if json.Unmarshal([]byte(a.body), &out) != nil || a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		return out.URL
	}
	if to := landed(b.get(b.visit(begin(b)))); to != "/console/account" {
		t.Errorf("led to %s", to)
	}
	if a := b.do(http.MethodPost, "/user/identities/query", "{}"); !strings.Contains(a.body, `"subject":"a-1"`) {
		t.Errorf("linked: %s", a.body)
	}
	other := r.browser()
	if other.through("corp", "/console/"); other.whoami() != "bob" {
		t.Error("what was linked does not let in")
	}
	// It is somebody's now, and a session that has ended links nothing.
	c := r.browser()
	c.do(http.MethodPost, "/login", `{"username":"alice","password":"`+password+`"}`)
	if to := landed(c.get(c.visit(begin(c)))); !strings.HasPrefix(to, "/console/account?error=this+account+of") {
		t.Errorf("taking what is bob's led to %s", to)
	}
	p.says(person("a-2"))
	on := begin(c)
	c.do(http.MethodPost, "/logout", "{}")
	if to := landed(c.get(c.visit(on))); !strings.HasPrefix(to, "/console/account?error=") {
		t.Errorf("a link of an ended session led to %s", to)
	}
	if to := r.browser().through("corp", "/console/"); !strings.HasPrefix(to, "/console/sign-in?error=") {
		t.Errorf("and let in: %s", to)
	}
}

// account is what a user is told of themselves.
type account struct {
	Name        string `json:"name"`
	IsAdmin     bool   `json:"is_admin"`
	IsSuper     bool   `json:"is_super_admin"`
	SSOProvider string `json:"sso_provider"`
	SSOID       string `json:"sso_id"`
	TeamID      *int64 `json:"team_id"`
}

// TestO09N40SignUpAndGroups: an account is opened as a user, once; groups give
// and take role and team at each sign-in; nothing gives the super admin's role.
func TestO09N40SignUpAndGroups(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.update(func(tx tollgate.Tx) error { return tx.Teams.Insert(t.Context(), &tollgate.Team{Name: "Platform"}) })
	r.corp(p, `,"sign_up":true,"allowed_domains":["example.com"],"roles":[{"group":"ops","is_admin":true},{"group":"plat","team":"Platform"},{"group":"super_admin","team":"None"}]`)
	r.linked("root", "r-1")
	me := func() (u account) {
		b := r.browser()
		b.through("corp", "/console/")
		if a := b.do(http.MethodPost, "/user/me", "{}"); a.status == http.StatusOK {
			r.must(json.Unmarshal([]byte(a.body), &u))
		}
		return u
	}
	p.says(person("new", "groups", []string{"super_admin", "root", "*"}))
	if u := me(); u.Name != "new" || u.IsAdmin || u.IsSuper || u.TeamID != nil || u.SSOProvider != "corp" || u.SSOID != "new" {
		t.Errorf("a newcomer: %+v", u)
	}
	p.says(person("new", "groups", []string{"ops", "plat"}))
	if u := me(); u.Name != "new" || !u.IsAdmin || u.IsSuper || u.TeamID == nil {
		t.Errorf("with groups: %+v", u)
	}
	p.says(person("new"))
	if u := me(); u.IsAdmin || u.TeamID != nil {
		t.Errorf("a missing claim: %+v", u)
	}
	p.says(person("r-1", "groups", []string{}))
	if u := me(); !u.IsSuper {
		t.Errorf("the super admin was demoted: %+v", u)
	}
	for _, out := range []map[string]any{
		person("x1", "email_verified", false), person("x2", "email", "a@evil-example.com"), person("x3", "email", "a@example.com.evil.net"), person("x4", "email", ""),
	} {
		p.says(out)
		if u := me(); u.Name != "" {
			t.Errorf("%v got an account: %+v", out, u)
		}
	}
	if a := r.post("boss", "/admin/audit/query", `{"action":{"eq":"user.map_groups"}}`); strings.Count(a.body, `"user.map_groups"`) != 2 {
		t.Errorf("audit: %s", a.body)
	}
}

// TestSetUpOfProviders: what an administrator may write, and what they are told.
func TestSetUpOfProviders(t *testing.T) {
	r, p := newRig(t), newOP(t)
	id := r.corp(p, "")
	upsert := func(body string) answer { return r.post("boss/session", "/admin/sso-providers/upsert", body) }
	for body, want := range map[string]struct {
		status int
		text   string
	}{
		fmt.Sprintf(`{"id":%d,"issuer":"https://evil.example"}`, id):                                       {400, "secret anew"},
		`{"name":"filed","kind":"github","client_id":"x","client_secret":"y"}`:                             {409, "configuration file"},
		`{"name":"corp","kind":"github","client_id":"x","client_secret":"y"}`:                              {409, "name"},
		`{"name":"a b","kind":"github","client_id":"x","client_secret":"y"}`:                               {400, "a-z"},
		`{"name":"n","kind":"saml","client_id":"x","client_secret":"y"}`:                                   {400, "github, google, oidc"},
		`{"name":"n","kind":"github","client_id":"x","client_secret":"env:HOME"}`:                          {400, "env:"},
		`{"name":"n","kind":"oidc","issuer":"http://idp.example.com","client_id":"x","client_secret":"y"}`: {400, "https"},
		`{"name":"n","kind":"github","client_id":"x"}`:                                                     {400, "client secret"},
		`{"name":"n","kind":"google","client_id":"x","client_secret":"y","sign_up":true}`:                  {400, "domains"},
	} {
		if a := upsert(body); a.status != want.status || !strings.Contains(a.body, want.text) {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	r.linked("alice", "a-1")
	if a := upsert(fmt.Sprintf(`{"id":%d,"issuer":"https://evil.example","client_secret":"z"}`, id)); a.status != 409 || !strings.Contains(a.body, "linked") {
		t.Errorf("another issuer under linked accounts: %d %s", a.status, a.body)
	}
	a := r.post("boss", "/admin/sso-providers/query", `{}`)
	for _, want := range []string{`"name":"filed"`, `"read_only":true`, `"redirect_uri":"http://127.0.0.1:8787/auth/sso/corp/callback"`, `"in_force":true`} {
		if !strings.Contains(a.body, want) {
			t.Errorf("%s is missing in %s", want, a.body)
		}
	}
	if strings.Contains(a.body, "canary") {
		t.Errorf("a secret: %s", a.body)
	}
	test := func(body string) answer { return r.post("boss", "/admin/sso-providers/test", body) }
	good := fmt.Sprintf(`{"name":"corp","kind":"oidc","issuer":%q,"client_id":"x","client_secret":"y"}`, p.URL)
	if a := test(good); a.status != 200 || !strings.HasPrefix(a.body, `{"ok":true`) {
		t.Errorf("a good provider: %s", a.body)
	}
	if a := test(strings.Replace(good, p.URL, p.URL+"/", 1)); !strings.Contains(a.body, `"ok":false,"what":"issuer"`) {
		t.Errorf("a slash too many: %s", a.body)
	}
	if a := test(strings.Replace(good, `"client_id"`, `"roles":[{"group":"g","team":"Nope"}],"client_id"`, 1)); !strings.Contains(a.body, `There is no team`) {
		t.Errorf("a team that is not there: %s", a.body)
	}
	// An administrator's link is the super admin's to take away.
	r.linked("boss2", "b-1")
	if a := r.post("boss/session", "/admin/sso-providers/delete", fmt.Sprintf(`{"id":%d}`, id)); a.status != http.StatusForbidden {
		t.Errorf("boss takes boss2's sign-in away: %d", a.status)
	}
}

// TestN37SSOOnly: with sso_only on, the ways of our own are closed to all but
// the super admin (B-04), sessions that came by them end, and others go on.
func TestN37SSOOnly(t *testing.T) {
	r, p := newRig(t), newOP(t)
	set := func(on bool) answer {
		return r.post("root/session", "/admin/settings/upsert", fmt.Sprintf(`{"name":"sso_only","value":%t}`, on))
	}
	r.corp(p, "")
	r.linked("alice", "a-1")
	p.says(person("a-1"))
	b := r.browser()
	b.through("corp", "/console/")
	if a := set(true); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	if a := r.post("bob/session", "/user/me", "{}"); a.status != http.StatusUnauthorized {
		t.Errorf("a session by password goes on: %d", a.status)
	}
	if b.whoami() != "alice" {
		t.Error("the session through the provider ended")
	}
	for _, name := range []string{"alice", "bob", "boss"} {
		a := r.post("", "/login", `{"username":"`+name+`","password":"`+password+`"}`)
		if a.status != http.StatusForbidden || !strings.Contains(a.body, `"reason":"sso_only"`) {
			t.Errorf("%s by password: %d %s", name, a.status, a.body)
		}
	}
	r.signIn("root")
	if a := r.post("bob", "/user/quota", "{}"); a.status != http.StatusOK {
		t.Errorf("API keys are not sign-ins: %d", a.status)
	}
	if set(false); r.post("", "/login", `{"username":"bob","password":"`+password+`"}`).status != http.StatusOK {
		t.Error("bob stays out although sso_only is off")
	}
}
