package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// link asks for a link and returns its token; the address must be ours, whatever
// the request says about its host (SECURITY A-09, N-50).
func (r *rig) link(who, path, body, page string) string {
	r.t.Helper()
	var first string
	for _, forged := range []func(*http.Request){
		func(*http.Request) {},
		func(q *http.Request) {
			for _, h := range []string{"X-Forwarded-Host", "X-Forwarded-Server", "X-Original-Host", "X-Forwarded-Prefix"} {
				q.Header.Set(h, "evil.example")
			}
			q.Header.Set("Forwarded", "host=evil.example;proto=http")
			q.Header.Set("X-Forwarded-Proto", "javascript")
		},
	} {
		a := r.post(who, path, body, forged)
		var made struct{ URL string }
		if a.status != 200 || json.Unmarshal([]byte(a.body), &made) != nil {
			r.t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
		token, ours := strings.CutPrefix(made.URL, r.origin+page+"#")
		if !ours || len(token) != 43 {
			r.t.Fatalf("the link is %q", made.URL)
		}
		first = token
	}
	if a := r.post(who, path, body, func(q *http.Request) { q.Host = "evil.example" }); a.status != http.StatusForbidden {
		r.t.Errorf("%s under a forged Host: %d %s", path, a.status, a.body)
	}
	return first
}

func TestN50ResetLinkOverHTTP(t *testing.T) {
	r := newRig(t)
	token := r.link("boss/session", "/admin/users/reset-link", fmt.Sprintf(`{"id":%d}`, r.users["alice"]), "/console/reset")
	use := fmt.Sprintf(`{"token":%q,"password":"another long password"}`, token)
	if a := r.post("", "/auth/reset", use); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.post("", "/auth/reset", use); a.status != 404 {
		t.Errorf("used twice: %d %s", a.status, a.body)
	}
	if a := r.post("alice/session", "/user/me", "{}"); a.status != 401 {
		t.Errorf("a sign-in outlived the reset: %d", a.status)
	}
	if a := r.post("", "/login", `{"username":"alice","password":"another long password"}`); a.status != 200 {
		t.Errorf("the new password: %d %s", a.status, a.body)
	}
	if log := r.log.String(); strings.Contains(log, token) || strings.Contains(log, "another long") {
		t.Error("the log holds the link or the password")
	}
}

func TestDeletedUsersAreShownUnderATombstone(t *testing.T) {
	r := newRig(t)
	r.requests()
	id := r.users["alice"]
	if a := r.post("boss", "/admin/users/delete", fmt.Sprintf(`{"id":%d}`, id)); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	names := map[any]bool{}
	for _, row := range r.list("boss", "/admin/dashboard/top-users", `{"range":"1h"}`) {
		names[row["name"]] = true
	}
	if !names[fmt.Sprintf("deleted user %d", id)] || names["alice"] {
		t.Errorf("names: %v", names)
	}
	audit := r.post("boss", "/admin/audit/query", `{"action":{"eq":"user.delete"}}`)
	if !strings.Contains(audit.body, `"name":"alice"`) {
		t.Errorf("the audit forgot the name: %s", audit.body)
	}
}

func TestInvitationOverHTTP(t *testing.T) {
	r := newRig(t)
	token := r.link("boss/session", "/admin/invitations/create", `{"label":"Bob","email":"new@example.com"}`, "/console/invitation")
	show := fmt.Sprintf(`{"token":%q}`, token)
	if a := r.post("", "/auth/invitation", show); a.status != 200 || !strings.Contains(a.body, `"label":"Bob"`) {
		t.Errorf("shown: %d %s", a.status, a.body)
	}
	use := fmt.Sprintf(`{"token":%q,"username":"bobby","password":"another long password"}`, token)
	if a := r.post("", "/auth/invitation/accept", use); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.post("", "/auth/invitation/accept", use); a.status != 404 {
		t.Errorf("used twice: %d %s", a.status, a.body)
	}
	if a := r.post("", "/login", `{"username":"bobby","password":"another long password"}`); a.status != 200 {
		t.Errorf("sign-in: %d %s", a.status, a.body)
	}
	a := r.post("boss", "/admin/invitations/query", `{}`)
	if !strings.Contains(a.body, `"state":"used"`) || !strings.Contains(a.body, `"state":"open"`) || strings.Contains(a.body, token) || strings.Contains(r.log.String(), token) {
		t.Errorf("listed: %s", a.body)
	}
}
