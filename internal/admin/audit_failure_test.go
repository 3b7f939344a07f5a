package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tollgate"
)

// needsAudit checks that a command without its audit entry is refused, changes
// nothing, tells nothing of why and uses nothing up: it succeeds once the audit
// can be written again.
func (r *rig) needsAudit(who, path, body string) {
	r.t.Helper()
	r.audits[path] = true
	before := r.state()
	r.seen.Store = failingAudit{r.store}
	a := r.post(who, path, body)
	r.seen.Store = r.store
	if a.status != http.StatusInternalServerError && a.status != http.StatusServiceUnavailable {
		r.t.Errorf("%s without its audit entry: %d %s", path, a.status, a.body)
	}
	if strings.Contains(a.body, "canary") || a.header.Get("Set-Cookie") != "" {
		r.t.Errorf("%s without its audit entry tells %s and sets %q", path, a.body, a.header.Get("Set-Cookie"))
	}
	r.unchanged(path+" without its audit entry", before)
	if a := r.post(who, path, body); a.status != http.StatusOK {
		r.t.Errorf("%s when the audit is back: %d %s", path, a.status, a.body)
	}
}

// TestU01WithRealTokens covers what needs a link, a ticket, a factor or stored
// rows to come as far as the audit.
func TestU01WithRealTokens(t *testing.T) {
	shown := map[string]bool{}
	defer func() {
		for path, where := range unaudited() {
			if where == t.Name() && !shown[path] {
				t.Errorf("%s is not among what is shown here", path)
			}
		}
	}()
	t.Run("setup", func(t *testing.T) {
		r := newEmptyRig(t)
		r.audits = shown
		var token tollgate.Secret
		r.update(func(tx tollgate.Tx) (err error) { token, err = r.acc.OpenSetup(t.Context(), tx); return err })
		r.needsAudit("", "/auth/setup", fmt.Sprintf(`{"token":%q,"username":"first","password":%q}`, token.Reveal(), password))
		r.signIn("first")
	})
	r := newRig(t)
	r.audits = shown
	r.requests()
	t.Run("reset", func(t *testing.T) {
		token := r.link("boss/session", "/admin/users/reset-link", fmt.Sprintf(`{"id":%d}`, r.users["mate"]), "/console/reset")
		r.needsAudit("", "/auth/reset", fmt.Sprintf(`{"token":%q,"password":"another long password"}`, token))
	})
	t.Run("invitation", func(t *testing.T) {
		_, token := r.invitation("boss/session", "/admin/invitations/create", `{}`)
		r.needsAudit("", "/auth/invitation/accept", fmt.Sprintf(`{"token":%q,"username":"newcomer","password":%q}`, token, password))
	})
	t.Run("second factor", func(t *testing.T) {
		r.makeFactorIn("alice")
		r.needsAudit("", "/login/second-factor", fmt.Sprintf(`{"login_token":%q,"code":%q}`, r.needFactor("alice").LoginToken, totpCode()))
	})
	t.Run("recovery codes", func(t *testing.T) {
		a := r.post("bob/session", "/user/factors/totp/confirm", fmt.Sprintf(`{"id":%d,"code":%q}`, r.id["bob/factor"], totpCode()))
		var made struct {
			SessionToken string `json:"session_token"`
		}
		if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &made) != nil {
			t.Fatal(a)
		}
		r.token["bob/session"] = made.SessionToken
		r.needsAudit("bob/session", "/user/factors/recovery-codes", `{}`)
	})
	t.Run("rows", func(t *testing.T) {
		r.needsAudit("owl/session", "/user/keys/update-enabled", fmt.Sprintf(`{"id":%d,"enabled":false}`, r.keys["owl"]))
		r.needsAudit("root/session", "/admin/teams/members/set-role", fmt.Sprintf(`{"team_id":%d,"id":%d,"team_role":"admin"}`, r.id["night"], r.users["owl"]))
		r.needsAudit("boss", "/admin/requests/payload", r.byRequest("alice"))
	})
	t.Run("re-rating", func(t *testing.T) {
		r := newRig(t)
		r.audits = shown
		r.needsAudit("boss", "/admin/prices/re-rate", `{`+r.pricedAnew()+`,"apply":true,"reason":"typo"}`)
	})
}
