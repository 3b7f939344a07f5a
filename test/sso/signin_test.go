package sso

import (
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
)

// flow is one real provider with the way through its pages.
type flow struct {
	name   string
	start  func(t *testing.T, redirectURI string) (issuer string)
	signIn func(b *browser, who string)
}

func flows() []flow {
	return []flow{
		{"dex", func(t *testing.T, redirectURI string) string {
			t.Helper()
			return startDex(t, redirectURI, "alice", "root", "ops", "ops-2")
		}, func(b *browser, who string) {
			b.submit(map[string]string{"login": who + "@example.com", "password": password})
			if strings.Contains(b.at.Path, "/approval") {
				b.submit(map[string]string{"approval": "approve"})
			}
		}},
		{"npm", startNode, func(b *browser, who string) {
			b.submit(map[string]string{"login": who, "password": password})
			if strings.Contains(b.at.Path, "/interaction/") {
				b.submit(nil)
			}
		}},
	}
}

// setUp starts a provider, and a gateway whose file has it with further keys.
func (f flow) setUp(t *testing.T, more string) *gateway {
	t.Helper()
	port := freePort(t)
	issuer := f.start(t, fmt.Sprintf("%s/auth/sso/%s/callback", address(port), f.name))
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	return start(t, port, fmt.Sprintf(`
[upstream]
allow_private = ["127.0.0.1/32:%s"]
[sso.oidc.%s]
display_name = "The real one"
issuer = %q
client_id = "tollgate"
client_secret = "env:OIDC_SECRET"
scopes = ["groups"]
%s
`, u.Port(), f.name, issuer, more))
}

// through signs in through the provider and reports where the browser ends up.
func (f flow) through(g *gateway, who string) *browser {
	g.Helper()
	b := g.browser()
	b.get(g.url + "/auth/sso/" + f.name + "/login?return_to=/console/keys")
	if strings.HasPrefix(b.at.String(), g.url) {
		g.Fatalf("the provider's page did not open: %s", b.at)
	}
	f.signIn(b, who)
	return b
}

func TestSignUpThroughRealProviders(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			g := f.setUp(t, `
sign_up = true
allowed_domains = ["example.com"]
roles = [{ group = "ops", is_admin = true }]`)
			b := g.browser()
			b.get(g.url + "/auth/providers")
			if !strings.Contains(b.page, `"title":"The real one"`) {
				t.Errorf("providers: %s", b.page)
			}
			b = f.through(g, "alice")
			if b.at.Path != "/console/keys" {
				t.Fatalf("led to %s", b.at)
			}
			first := b.me()
			if first.Name != "alice" || first.IsAdmin || first.SSOProvider != f.name || first.SSOID == "" {
				t.Errorf("alice is %+v", first)
			}
			if again := f.through(g, "alice").me(); again.ID != first.ID {
				t.Errorf("alice got a second account: %+v", again)
			}
			if ops := f.through(g, "ops").me(); !ops.IsAdmin || ops.IsSuper {
				t.Errorf("ops is %+v", ops)
			}
			// Somebody there may be called what somebody here is.
			if root := f.through(g, "root").me(); root.IsAdmin || root.IsSuper {
				t.Errorf("a root of the provider's is %+v", root)
			}
			g.keepsSecrets()
		})
	}
}

// keepsSecrets reads the log for what must not be in it.
func (g *gateway) keepsSecrets() {
	g.Helper()
	text, err := os.ReadFile(g.log.Name())
	if err != nil {
		g.Fatal(err)
	}
	for _, secret := range []string{clientSecret, url.QueryEscape(clientSecret), password, "eyJ", "code="} {
		if strings.Contains(string(text), secret) {
			g.Errorf("the log says %q", secret)
		}
	}
}

func TestLinkThenSignInThenUnlinkThroughRealProviders(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			g := f.setUp(t, "")
			if b := f.through(g, "alice"); b.at.Path != "/console/sign-in" || !strings.Contains(b.at.Query().Get("error"), "invitation") || b.me().ID != 0 {
				t.Fatalf("a stranger was led to %s", b.at)
			}
			b := g.browser()
			if b.call("/login", map[string]string{"username": "admin", "password": adminPassword}, nil) != http.StatusOK {
				t.Fatal("the admin cannot sign in")
			}
			var link struct{ URL string }
			if b.call("/user/identities/link", map[string]string{"provider": f.name, "return_to": "/console/account"}, &link) != http.StatusOK {
				t.Fatal("no link began")
			}
			b.get(link.URL)
			if f.signIn(b, "alice"); b.at.Path != "/console/account" || b.at.RawQuery != "" {
				t.Fatalf("linking led to %s", b.at)
			}
			in := f.through(g, "alice")
			if me := in.me(); me.Name != "admin" || !me.IsSuper {
				t.Fatalf("signed in as %+v", me)
			}
			var rows []struct{ ID int64 }
			b.call("/user/identities/query", struct{}{}, &rows)
			if len(rows) != 1 || b.call("/user/identities/unlink", map[string]int64{"id": rows[0].ID}, nil) != http.StatusOK {
				t.Fatalf("unlinking: %+v", rows)
			}
			if in.me().ID != 0 {
				t.Error("the session outlived its link")
			}
			if b := f.through(g, "alice"); b.me().ID != 0 {
				t.Error("what was unlinked lets in")
			}
			g.keepsSecrets()
		})
	}
}

// TestAnInvitationIsTakenUpThroughRealProviders: where nobody may register, by
// the bearer alone and once.
func TestAnInvitationIsTakenUpThroughRealProviders(t *testing.T) {
	for _, f := range flows() {
		t.Run(f.name, func(t *testing.T) {
			g := f.setUp(t, "")
			admin := g.browser()
			if admin.call("/login", map[string]string{"username": "admin", "password": adminPassword}, nil) != http.StatusOK {
				t.Fatal("the admin cannot sign in")
			}
			var made struct{ URL string }
			if admin.call("/admin/invitations/create", map[string]any{"label": "for Alice", "is_admin": true}, &made) != http.StatusOK {
				t.Fatal("no invitation")
			}
			_, token, _ := strings.Cut(made.URL, "#")
			take := map[string]string{"token": token, "provider": f.name}
			var way struct{ URL string }
			alice, late := g.browser(), g.browser()
			for _, b := range []*browser{alice, late} {
				if b.call("/auth/invitation/sign-in", take, &way) != http.StatusOK {
					t.Fatal("the way to the provider is closed")
				}
				b.get(way.URL)
			}
			if f.signIn(alice, "alice"); alice.at.Path != "/console/" || !alice.me().IsAdmin || alice.me().SSOProvider != f.name {
				t.Errorf("led to %s as %+v", alice.at, alice.me())
			}
			if f.signIn(late, "ops"); late.at.Path != "/console/sign-in" || !strings.Contains(late.at.Query().Get("error"), "not valid") || late.me().ID != 0 {
				t.Errorf("the second was led to %s", late.at)
			}
			if late.call("/auth/invitation/sign-in", take, nil) != http.StatusNotFound {
				t.Error("a used invitation leads to the provider")
			}
			if again := f.through(g, "alice").me(); again.ID != alice.me().ID {
				t.Errorf("alice is %+v now", again)
			}
			g.keepsSecrets()
		})
	}
}

// TestWhatIsSetUpWronglyIsTold: people are told that it is not their fault, and
// the administrator what to do.
func TestWhatIsSetUpWronglyIsTold(t *testing.T) {
	f := flows()[0]
	g := f.setUp(t, "")
	b := g.browser()
	b.call("/login", map[string]string{"username": "admin", "password": adminPassword}, nil)
	var have []struct{ Issuer string }
	b.call("/admin/sso-providers/query", struct{}{}, &have)
	body := map[string]any{"name": "wrong", "kind": "oidc", "issuer": have[0].Issuer, "client_id": "tollgate", "client_secret": "not it"}
	if b.call("/admin/sso-providers/upsert", body, nil) != http.StatusOK {
		t.Fatal("not saved")
	}
	// Dex knows one redirect URI, so that it refuses this one on a page of its own.
	if b.get(g.url + "/auth/sso/wrong/login"); strings.HasPrefix(b.at.String(), g.url) || !strings.Contains(b.page, "redirect_uri") {
		t.Errorf("an unregistered redirect URI led to %s: %.300s", b.at, b.page)
	}
	body = map[string]any{"name": "gone", "kind": "oidc", "issuer": "http://127.0.0.1:9", "client_id": "x", "client_secret": "y"}
	if b.call("/admin/sso-providers/upsert", body, nil) != http.StatusOK {
		t.Fatal("not saved")
	}
	if b.get(g.url + "/auth/sso/gone/login"); b.at.Path != "/console/sign-in" || !strings.Contains(b.at.Query().Get("error"), "cannot be reached") {
		t.Errorf("an unreachable provider led to %s", b.at)
	}
	var found struct {
		OK       bool
		Findings []struct {
			OK         bool
			What, Text string
		}
	}
	b.call("/admin/sso-providers/test", body, &found)
	if last := found.Findings[len(found.Findings)-1]; found.OK || last.OK || last.What != "discovery" || !strings.Contains(last.Text, "allow_private") {
		t.Errorf("the test of an address that is not open: %+v", found)
	}
}
