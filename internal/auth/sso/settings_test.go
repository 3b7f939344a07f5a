package sso_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/auth/sso"
)

func TestSettingsAreChecked(t *testing.T) {
	for field, spoil := range map[string]func(*sso.Settings){
		"":                func(*sso.Settings) {},
		"name":            func(s *sso.Settings) { s.Name = "../x" },
		"kind":            func(s *sso.Settings) { s.Kind = "saml" },
		"client_id":       func(s *sso.Settings) { s.ClientID = "" },
		"client_secret":   func(s *sso.Settings) { s.ClientSecret = tollgate.Secret{} },
		"issuer":          func(s *sso.Settings) { s.Issuer = "http://idp.example.com" },
		"allowed_orgs":    func(s *sso.Settings) { s.AllowedOrgs = []string{"acme"} },
		"allowed_domains": func(s *sso.Settings) { s.SignUp = true },
		"roles":           func(s *sso.Settings) { s.Roles = []sso.Mapping{{Group: "staff"}} },
	} {
		s := sso.Settings{Name: "corp", Kind: sso.KindOIDC, Issuer: "https://idp.example.com", ClientID: "id", ClientSecret: tollgate.NewSecret("s")}
		spoil(&s)
		if err := s.Check(); (err == nil) != (field == "") || (err != nil && tollgate.AsError(err).Field != field) {
			t.Errorf("%q: %v", field, err)
		}
	}
}

func TestN55DomainsAreExact(t *testing.T) {
	s := sso.Settings{Name: "corp", Kind: sso.KindOIDC, AllowedDomains: []string{"example.com"}, SignUp: true}
	for email, in := range map[string]bool{
		"a@example.com": true, "a@EXAMPLE.com": true,
		"a@evil-example.com": false, "a@sub.example.com": false, "a@example.com.evil.net": false, "a@evil.net@example.com": false,
		`"a@example.com"@evil.net`: false, "a@example.com ": false, "@example.com": false, "example.com": false, "": false,
		"a@evil.net\x00@example.com": false, "a@example.com,b@evil.net": false, "<a@example.com>": false, "a@example.com.": false,
	} {
		id := sso.Identity{Provider: "corp", Subject: "1", Email: email, EmailVerified: true}
		if err := s.AdmitNew(id); (err == nil) != in {
			t.Errorf("%q: %v", email, err)
		}
		id.EmailVerified = false
		if s.AdmitNew(id) == nil {
			t.Errorf("%q came in unverified", email)
		}
	}
}

func TestO09SignUpIsOffByDefault(t *testing.T) {
	s := sso.Settings{Name: "corp", Kind: sso.KindOIDC, AllowedDomains: []string{"example.com"}}
	id := sso.Identity{Provider: "corp", Subject: "1", Email: "a@example.com", EmailVerified: true}
	if err := s.AdmitNew(id); tollgate.ErrorCode(err) != tollgate.CodeForbidden {
		t.Errorf("AdmitNew: %v", err)
	}
	if err := s.Admit(id); err != nil {
		t.Errorf("who has an account: %v", err)
	}
}

func TestGoogleDomainIsTheHostedOne(t *testing.T) {
	s := sso.Settings{Name: "google", Kind: sso.KindGoogle, AllowedDomains: []string{"example.com"}}
	id := sso.Identity{Provider: "google", Subject: "1", Email: "a@example.com", EmailVerified: true}
	if s.Admit(id) == nil {
		t.Error("a private account with an address of the domain came in")
	}
	id.HostedDomain = "example.com"
	if err := s.Admit(id); err != nil {
		t.Error(err)
	}
}

func TestO09GroupsGiveWhatIsMapped(t *testing.T) {
	s := sso.Settings{Roles: []sso.Mapping{{Group: "ops", Admin: true}, {Group: "ops", Team: "red"}, {Group: "dev", Team: "red"}, {Group: "dev", Team: "blue"}}}
	for name, c := range map[string]struct {
		groups []string
		want   sso.Rights
	}{
		"no claim":      {nil, sso.Rights{}},
		"unknown group": {[]string{"super_admin", "OPS"}, sso.Rights{}},
		"one":           {[]string{"dev"}, sso.Rights{Teams: []string{"red", "blue"}}},
		"both":          {[]string{"dev", "ops"}, sso.Rights{Admin: true, Teams: []string{"red", "blue"}}},
	} {
		if diff := cmp.Diff(c.want, s.Rights(sso.Identity{Groups: c.groups})); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}
