package admin_test

import (
	"fmt"
	"strings"
	"testing"

	"tollgate"
)

func TestBudgetsOfEveryScope(t *testing.T) {
	r := newRig(t)
	var team, key int64
	r.must(r.store.Update(t.Context(), func(tx tollgate.Tx) error {
		row := tollgate.Team{Name: "research"}
		err := tx.Teams.Insert(t.Context(), &row)
		team = row.ID
		return err
	}))
	r.must(r.store.View(t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Keys.Query(t.Context(), tollgate.KeyFilter{UserID: tollgate.Is(r.users["bob"])}, tollgate.Page{})
		key = rows[0].ID
		return err
	}))
	ask := func(path, body string, status int, want ...string) {
		t.Helper()
		a := r.post("root", path, body)
		for _, text := range want {
			if !strings.Contains(a.body, text) {
				t.Errorf("%s %s = %d %s, want %s", path, body, a.status, a.body, text)
			}
		}
		if a.status != status {
			t.Errorf("%s %s = %d %s, want %d", path, body, a.status, a.body, status)
		}
	}
	owners := map[string]string{
		fmt.Sprintf(`"key_id":%d`, key):             `"scope":"key"`,
		fmt.Sprintf(`"team_id":%d`, team):           `"scope":"team"`,
		fmt.Sprintf(`"user_id":%d`, r.users["bob"]): `"scope":"user"`,
	}
	for owner, scope := range owners {
		ask("/admin/quotas/upsert", `{`+owner+`,"quota":3,"cost_used":1.5,"window":"week","reason":"moved from the old system"}`, 200)
		filter := strings.Replace(owner, ":", `:{"eq":`, 1) + `}`
		ask("/admin/quotas/query", `{`+filter+`}`, 200, scope+","+owner+`,"quota":3,"cost_used":1.5,"held":0,"remaining":1.5,"window":"week"`)
	}
	for _, scope := range []string{"instance", "service"} {
		ask("/admin/quotas/upsert", `{"scope":"`+scope+`","quota":0}`, 200)
		ask("/admin/quotas/query", `{"scope":{"eq":"`+scope+`"}}`, 200, `[{"scope":"`+scope+`","quota":0,"cost_used":0,"held":0,"remaining":0,"window":"total","resets_at":null}]`)
		ask("/admin/quotas/delete", `{"scope":"`+scope+`"}`, 200)
		ask("/admin/quotas/query", `{"scope":{"eq":"`+scope+`"}}`, 200, `[]`)
	}
	all := r.post("root", "/admin/quotas/query", `{}`).body
	users := r.post("root", "/admin/user-quotas/query", `{}`).body
	if !strings.Contains(all, `"scope":"team"`) || strings.Contains(users, `"scope":"team"`) || !strings.Contains(users, `"scope":"user"`) {
		t.Errorf("all: %s\nof users: %s", all, users)
	}
	own := r.post("bob/session", "/user/quota", "{}").body
	if !strings.Contains(own, fmt.Sprintf(`"key_id":%d`, key)) || !strings.Contains(own, `"scope":"user"`) || strings.Contains(own, "team") {
		t.Errorf("bob sees %s", own)
	}
	ask("/admin/adjustments/query", `{}`, 200, `"kind":"correction"`, `"amount":1.5,"reason":"moved from the old system"`, `"actor_name":"root"`)
	for body, text := range map[string]string{
		`{"quota":1}`:                                               "say whose",
		`{"scope":"team","quota":1}`:                                "say whose",
		`{"user_id":4,"key_id":4}`:                                  "one of",
		`{"user_id":4,"scope":"instance"}`:                          "does not go with",
		`{"team_id":987654,"quota":1}`:                              "987654",
		`{"user_id":4,"window":"year"}`:                             "window",
		`{"user_id":4,"cost_used":-1}`:                              "cost_used",
		`{"user_id":4,"cost_used":1000000001}`:                      "too large",
		`{"user_id":4,"cost_used":null}`:                            "cost_used",
		`{"user_id":4,"quota":0.0000000001}`:                        "decimals",
		`{"user_id":4,"quota":1e400}`:                               "out of range",
		`{"scope":"galaxy","quota":1}`:                              "scope",
		`{"user_id":4,"reason":"` + strings.Repeat("x", 501) + `"}`: "reason",
	} {
		if a := r.post("root", "/admin/quotas/upsert", body); a.status < 400 || a.status >= 500 || !strings.Contains(a.body, text) {
			t.Errorf("%.60s = %d %s, want %q", body, a.status, a.body, text)
		}
	}
	ask("/admin/quotas/query", `{"user_id":{"eq":1},"team_id":{"eq":1}}`, 400, "ask by one of")
	ask("/admin/user-quotas/query", `{"window":{"eq":"year"}}`, 400, "window")
}

// TestBadBudgets sends money and windows that are none: clear errors, and
// nothing is changed.
func TestBadBudgets(t *testing.T) {
	r := newRig(t)
	before := r.state()
	user := fmt.Sprintf(`"user_id":%d`, r.users["bob"])
	for body, field := range map[string]string{
		`{` + user + `,"quota":-1}`:                  "quota",
		`{` + user + `,"quota":NaN}`:                 "JSON",
		`{` + user + `,"quota":1e300}`:               "quota",
		`{` + user + `,"quota":99999999999999}`:      "quota",
		`{` + user + `,"quota":0.0000000001}`:        "quota",
		`{` + user + `,"quota":"5"}`:                 "quota",
		`{` + user + `,"quota":5,"cost_used":-0.5}`:  "cost_used",
		`{` + user + `,"quota":5,"cost_used":1e99}`:  "cost_used",
		`{` + user + `,"quota":5,"cost_used":1e-99}`: "cost_used",
		`{` + user + `,"quota":5,"window":"hour"}`:   "window",
		`{` + user + `,"quota":5,"window":7}`:        "window",
		`{"quota":5}`:                                "user_id",
	} {
		if a := r.post("boss", "/admin/user-quotas/upsert", body); a.status != 400 && a.status != 422 || !strings.Contains(a.body, field) {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.body, field)
		}
	}
	r.unchanged("a bad budget", before)
}
