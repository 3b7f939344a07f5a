package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

// invitation makes an invitation and returns its id and token.
func (r *rig) invitation(who, path, body string) (id int64, token string) {
	r.t.Helper()
	a := r.post(who, path, body)
	var made struct {
		ID  int64
		URL string
	}
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &made) != nil {
		r.t.Fatalf("%d %s", a.status, a.body)
	}
	_, token, _ = strings.Cut(made.URL, "#")
	return made.ID, token
}

// setOut begins to take an invitation up through corp and returns where the
// provider sends the browser back to.
func (b *browser) setOut(token string) string {
	b.t.Helper()
	a := b.do(http.MethodPost, "/auth/invitation/sign-in", fmt.Sprintf(`{"token":%q,"provider":"corp"}`, token))
	var out struct{ URL string }
	if a.status != http.StatusOK || json.Unmarshal([]byte(a.body), &out) != nil {
		b.t.Fatalf("%d %s", a.status, a.body)
	}
	if strings.Contains(out.URL, token) || strings.Contains(fmt.Sprint(b.cookies), token) {
		b.t.Error("the token travels in clear")
	}
	return b.visit(out.URL)
}

func (r *rig) userCount() (n int64) {
	r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) (err error) {
		n, err = tx.Users.Count(r.t.Context(), tollgate.UserFilter{})
		return err
	}))
	return n
}

// TestInvitationsAreTakenUpThroughAProvider: where registration is closed and
// nobody signs in with a password, by admins' invitations and team admins'.
func TestInvitationsAreTakenUpThroughAProvider(t *testing.T) {
	r, p := newRig(t), newOP(t)
	r.corp(p, "")
	_, theirs := r.invitation("lead/session", "/user/team/invitations/create", `{}`)
	if a := r.post("root/session", "/admin/settings/upsert", `{"name":"sso_only","value":true}`); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	_, mine := r.invitation("boss", "/admin/invitations/create", fmt.Sprintf(`{"label":"Cy","email":"cy@lab.example","is_admin":true,"team_id":%d,"team_role":"admin"}`, r.id["team"]))
	if a := r.post("", "/auth/invitation", fmt.Sprintf(`{"token":%q}`, mine)); !strings.Contains(a.body, `"sso_only":true`) {
		t.Errorf("shown: %s", a.body)
	}
	if a := r.post("", "/auth/invitation/accept", fmt.Sprintf(`{"token":%q,"username":"cy","password":"another long password"}`, mine)); a.status != http.StatusForbidden || !strings.Contains(a.body, "sso_only") {
		t.Errorf("N-37: with a password: %d %s", a.status, a.body)
	}
	p.says(person("cy-1", "preferred_username", "alice"))
	b := r.browser()
	if to := landed(b.get(b.setOut(mine))); to != "/console/" {
		t.Errorf("led to %s", to)
	}
	var u struct {
		account
		Email    string
		TeamRole string `json:"team_role"`
		Password bool   `json:"has_password"`
	}
	r.must(json.Unmarshal([]byte(b.do(http.MethodPost, "/user/me", "{}").body), &u))
	if u.Name != "alice-2" || !u.IsAdmin || u.IsSuper || u.TeamID == nil || *u.TeamID != r.id["team"] || u.TeamRole != "admin" ||
		u.Email != "cy@lab.example" || u.SSOProvider != "corp" || u.SSOID != "cy-1" || u.Password {
		t.Errorf("the account: %+v", u)
	}
	for _, again := range []string{mine, "x"} {
		if a := r.browser().do(http.MethodPost, "/auth/invitation/sign-in", fmt.Sprintf(`{"token":%q,"provider":"corp"}`, again)); a.status != http.StatusNotFound {
			t.Errorf("used, or made up: %d %s", a.status, a.body)
		}
	}
	p.says(person("dee-1", "email_verified", false))
	b = r.browser()
	b.get(b.setOut(theirs))
	u.Email, u.TeamRole = "", ""
	r.must(json.Unmarshal([]byte(b.do(http.MethodPost, "/user/me", "{}").body), &u))
	if u.Name != "dee-1" || u.IsAdmin || u.TeamID == nil || *u.TeamID != r.id["team"] || u.TeamRole != "member" || u.Email != "" {
		t.Errorf("by a team admin, with an address that nobody has verified: %+v", u)
	}
	for action, want := range map[string]int{"invitation.accept": 2, "user.register": 2, "login.failed": 0} {
		if rows := r.list("boss", "/admin/audit/query", fmt.Sprintf(`{"action":{"eq":%q}}`, action)); len(rows) != want {
			t.Errorf("%d entries of %s, want %d", len(rows), action, want)
		}
	}
	if again := r.browser(); again.through("corp", "/console/") != "/console/" || again.whoami() != "dee-1" {
		t.Error("the next sign-in is another account's")
	}
}

// TestN33AnInvitationThatIsNotGoodGivesNothing spoils an invitation while its
// bearer is at the provider. No account comes of it, and the page says why.
func TestN33AnInvitationThatIsNotGoodGivesNothing(t *testing.T) {
	maker := func(w auth.UserWrite) func(*rig, int64) {
		return func(r *rig, _ int64) {
			w.ID = r.users["boss"]
			r.update(func(tx tollgate.Tx) error {
				_, err := r.acc.SaveUser(r.t.Context(), tx, tollgate.HostActor("test"), w)
				return err
			})
		}
	}
	change := func(edit func(*tollgate.Link)) func(*rig, int64) {
		return func(r *rig, id int64) {
			r.update(func(tx tollgate.Tx) error {
				l, err := tx.Links.Get(r.t.Context(), id)
				if err != nil {
					return err
				}
				edit(&l)
				return tx.Links.Update(r.t.Context(), l)
			})
		}
	}
	for name, c := range map[string]struct {
		spoil  func(r *rig, id int64)
		reason string
	}{
		"expired": {change(func(l *tollgate.Link) { l.ExpiresAt = time.Now().Add(-time.Second) }), "not+valid"},
		"used":    {change(func(l *tollgate.Link) { l.UsedAt = time.Now() }), "not+valid"},
		"taken back": {func(r *rig, id int64) {
			r.made("root/session", "/admin/invitations/delete", fmt.Sprintf(`{"id":%d}`, id))
		}, "not+valid"},
		"maker demoted":  {maker(auth.UserWrite{IsAdmin: tollgate.Some(false)}), "not+valid"},
		"maker disabled": {maker(auth.UserWrite{Enabled: tollgate.Some(false)}), "not+valid"},
		"maker deleted": {func(r *rig, _ int64) {
			r.made("root/session", "/admin/users/delete", fmt.Sprintf(`{"id":%d}`, r.users["boss"]))
		}, "not+valid"},
		"team deleted": {func(r *rig, _ int64) {
			r.made("root/session", "/admin/teams/delete", fmt.Sprintf(`{"id":%d}`, r.id["team"]))
		}, "not+valid"},
		"known already": {func(r *rig, _ int64) { r.linked("bob", "new-1") }, "new+one+only"},
		"provider off": {func(r *rig, _ int64) {
			r.made("root/session", "/admin/sso-providers/upsert", fmt.Sprintf(`{"id":%d,"enabled":false}`, r.id["corp"]))
		}, "sign-in+provider"},
		"provider's rules": {func(r *rig, _ int64) {
			r.made("root/session", "/admin/sso-providers/upsert", fmt.Sprintf(`{"id":%d,"allowed_domains":["lab.example"]}`, r.id["corp"]))
		}, "none+of+the+domains"},
	} {
		t.Run(name, func(t *testing.T) {
			r, p := newRig(t), newOP(t)
			r.id["corp"] = r.corp(p, "")
			id, token := r.invitation("boss", "/admin/invitations/create", fmt.Sprintf(`{"team_id":%d}`, r.id["team"]))
			p.says(person("new-1"))
			b := r.browser()
			back := b.setOut(token)
			c.spoil(r, id)
			before := r.userCount()
			to := landed(b.get(back))
			if !strings.HasPrefix(to, "/console/sign-in?error=") || !strings.Contains(to, c.reason) || b.whoami() != "" || r.userCount() != before {
				t.Errorf("led to %s as %q, %d accounts after %d", to, b.whoami(), r.userCount(), before)
			}
			if a := r.post("root/session", "/admin/audit/query", `{"action":{"in":["invitation.accept","user.register"]}}`); strings.TrimSpace(a.body) != "[]" {
				t.Errorf("on record: %s", a.body)
			}
			if e := r.list("root/session", "/admin/audit/query", `{"action":{"eq":"login.failed"}}`); len(e) != 1 && c.reason != "sign-in+provider" && c.reason != "none+of+the+domains" {
				t.Errorf("failures on record: %v", e)
			}
			if name == "known already" {
				if _, open := r.invited(token); !open {
					t.Error("the invitation was used up by somebody whom it gave nothing")
				}
				if b.through("corp", "/console/"); b.whoami() != "bob" {
					t.Error("without the invitation they are kept out")
				}
			}
		})
	}
}

// invited is what a token invites to, and whether it is good.
func (r *rig) invited(token string) (string, bool) {
	a := r.post("", "/auth/invitation", fmt.Sprintf(`{"token":%q}`, token))
	return a.body, a.status == http.StatusOK
}
