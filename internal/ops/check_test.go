package ops_test

import (
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/ops"
)

// TestCheckJudgesSignInProviders: what a start refuses is found before it.
func TestCheckJudgesSignInProviders(t *testing.T) {
	o := options(t.TempDir())
	of := func(name, kind string, s config.SignInSettings) config.SignInProvider {
		s.ClientID, s.ClientSecret = "tollgate", tollgate.NewSecret("canary-secret")
		return config.SignInProvider{Name: name, Kind: kind, SignInSettings: s}
	}
	o.Config.SSO = []config.SignInProvider{
		of("corp", "oidc", config.SignInSettings{Issuer: "https://id.example.com"}),
		of("github", "github", config.SignInSettings{Roles: []config.GroupMapping{{Group: "ops", Admin: true}}}),
	}
	findings := ops.Check(t.Context(), o)
	if !ops.Failed(findings) {
		t.Fatalf("nothing is wrong: %v", findings)
	}
	want := map[string]string{"sign-in provider corp (oidc)": "ok", "sign-in provider github: GitHub sends no group claim": "fail"}
	for _, f := range findings {
		for text, level := range want {
			if f.Level == level && strings.HasPrefix(f.Text, text) {
				delete(want, text)
			}
		}
		if strings.Contains(f.Text, "canary") {
			t.Errorf("a secret is shown: %s", f.Text)
		}
	}
	if len(want) > 0 {
		t.Errorf("missing %v in %v", want, findings)
	}
}
