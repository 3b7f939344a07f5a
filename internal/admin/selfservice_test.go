package admin_test

import (
	"fmt"
	"strings"
	"testing"
)

func TestOwnKeysCarryOwnBudgets(t *testing.T) {
	r := newRig(t)
	a := r.post("alice/session", "/user/keys/generate", `{"label":"ci","quotas":[{"window":"day","quota":2}],"limits":[{"rpm":5}]}`)
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	rows := r.list("alice/session", "/user/keys/query", `{"label":{"eq":"ci"}}`)
	if len(rows) != 1 || fmt.Sprint(rows[0]["quotas"]) != "[map[quota:2 window:day]]" || !strings.Contains(fmt.Sprint(rows[0]["limits"]), "rpm:5") {
		t.Fatalf("made: %v", rows)
	}
	id := fmt.Sprint(rows[0]["id"])
	a = r.post("alice/session", "/user/keys/update", `{"id":`+id+`,"label":"ci2","quotas":[{"window":"month","quota":9}],"limits":null}`)
	if a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	rows = r.list("alice/session", "/user/keys/query", `{"label":{"eq":"ci2"}}`)
	if len(rows) != 1 || fmt.Sprint(rows[0]["quotas"]) != "[map[quota:9 window:month]]" || fmt.Sprint(rows[0]["limits"]) != "[]" {
		t.Errorf("changed: %v", rows)
	}
	for _, body := range []string{
		`{"id":` + id + `,"quotas":[{"window":"day","quota":1,"cost_used":0}]}`, `{"id":` + id + `,"enabled":true}`, `{"id":` + id + `,"quotas":[{"quota":1},{"window":"total","quota":2}]}`,
	} {
		if a := r.post("alice/session", "/user/keys/update", body); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := r.post("bob/session", "/user/keys/update", `{"id":`+id+`,"quotas":[]}`); a.status != 404 {
		t.Errorf("another's key: %d %s", a.status, a.body)
	}
}

func TestProfileIsOnesOwn(t *testing.T) {
	r := newRig(t)
	if a := r.post("alice/session", "/user/profile", `{"name":"alicia","email":"alicia@example.com"}`); a.status != 200 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := r.post("alice/session", "/user/me", `{}`); !strings.Contains(a.body, `"name":"alicia"`) || !strings.Contains(a.body, `"email":"alicia@example.com"`) {
		t.Errorf("%s", a.body)
	}
	for body, want := range map[string]int{
		`{"name":"bob"}`: 409, `{"email":"bob@example.com"}`: 409, `{"name":"deleted user 3"}`: 400, `{"email":"nothing"}`: 400, `{"is_admin":true}`: 422, `{"team_id":1}`: 422,
	} {
		if a := r.post("alice/session", "/user/profile", body); a.status != want {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	if a := r.post("boss", "/admin/audit/query", `{"action":{"eq":"user.profile"}}`); !strings.Contains(a.body, `"name":"alicia"`) {
		t.Errorf("audit: %s", a.body)
	}
}
