package admin_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
)

func TestIdentitiesAreShownWithTheirUser(t *testing.T) {
	r := newRig(t)
	link := func(who, user, subject string) answer {
		return r.post(who, "/admin/user-identities/upsert", fmt.Sprintf(`{"user_id":%d,"provider":"corp","subject":%q}`, r.users[user], subject))
	}
	for _, subject := range []string{"a-1", "a-2"} {
		if a := link("boss/session", "alice", subject); a.status != http.StatusOK {
			t.Fatalf("link: %d %s", a.status, a.body)
		}
	}
	if a := link("boss/session", "bob", "a-1"); a.status != http.StatusConflict || !strings.Contains(a.body, "linked already") {
		t.Errorf("linking what is alice's to bob: %d %s", a.status, a.body)
	}
	both := `"identities":[{"provider":"corp","id":"a-1"},{"provider":"corp","id":"a-2"}]`
	if a := r.post("boss", "/admin/users/query", fmt.Sprintf(`{"id":{"eq":%d}}`, r.users["alice"])); !strings.Contains(a.body, both) {
		t.Errorf("alice is shown as %s", a.body)
	}
	if a := r.post("boss", "/admin/users/query", fmt.Sprintf(`{"id":{"eq":%d}}`, r.users["bob"])); !strings.Contains(a.body, `"identities":[]`) {
		t.Errorf("bob is shown as %s", a.body)
	}
	if a := r.post("alice/session", "/user/me", `{}`); !strings.Contains(a.body, both) {
		t.Errorf("alice sees %s", a.body)
	}
	if a := r.post("bob/session", "/user/identities/query", `{}`); a.status != http.StatusOK || strings.Contains(a.body, "a-1") {
		t.Errorf("bob sees %d %s", a.status, a.body)
	}
	if a := r.post("alice/session", "/user/identities/query", `{}`); !strings.Contains(a.body, `"subject":"a-1"`) {
		t.Errorf("alice finds %d %s", a.status, a.body)
	}
}

// TestLinkingNeedsARecentSignIn: neither an old session nor a key will do.
func TestLinkingNeedsARecentSignIn(t *testing.T) {
	r := newRig(t)
	id := ofIdentity(r, "alice")
	r.update(func(tx tollgate.Tx) error {
		rows, _, err := tx.Sessions.Query(t.Context(), tollgate.SessionFilter{}, tollgate.Page{All: true})
		for _, row := range rows {
			row.SignedInAt = row.SignedInAt.Add(-11 * time.Minute)
			r.must(tx.Sessions.Update(t.Context(), row))
		}
		return err
	})
	for _, c := range [][3]string{
		{"alice/session", "/user/identities/unlink", fmt.Sprintf(`{"id":%d}`, id)},
		{"root/session", "/admin/user-identities/delete", fmt.Sprintf(`{"id":%d}`, id)},
		{"root/session", "/admin/user-identities/upsert", fmt.Sprintf(`{"user_id":%d,"provider":"corp","subject":"x"}`, r.users["alice"])},
		{"root", "/admin/user-identities/upsert", fmt.Sprintf(`{"user_id":%d,"provider":"corp","subject":"x"}`, r.users["alice"])},
	} {
		if a := r.post(c[0], c[1], c[2]); a.status != http.StatusForbidden || !strings.Contains(a.body, "recent_sign_in") {
			t.Errorf("%s as %s: %d %s", c[1], c[0], a.status, a.body)
		}
	}
}
