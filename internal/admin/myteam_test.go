package admin_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate/internal/web"
)

// TestZ03AnotherTeamIsMissing compares, for an admin of a team, the answers for
// members, keys and invitations of another team, and for who is in none, with
// that for an id that nobody has: status and body alike.
func TestZ03AnotherTeamIsMissing(t *testing.T) {
	r := newRig(t)
	r.requests("lead", "mate", "rival", "owl")
	r.seen.Store = rolledBack{r.store}
	seen := 0
	for _, route := range r.router.Routes() {
		if route.Policy.Access != web.AccessTeamAdmin {
			continue
		}
		variants, _ := bodies(route.Pattern)
		answers := map[string]string{}
		for _, v := range variants {
			body := v.body(r, "lead")
			a := r.send(route.Method, "lead/session", route.Pattern, body)
			_, rest, _ := strings.Cut(body, ":")
			id, _, _ := strings.Cut(strings.TrimRight(rest, "}"), ",")
			text, _, _ := strings.Cut(a.body, `"request_id"`)
			answers[v.name+":"+strings.Replace(body, id, "", 1)] = fmt.Sprint(a.status, strings.ReplaceAll(text, "id "+id, "id N"))
		}
		for name, got := range answers {
			who, _, _ := strings.Cut(name, ":")
			if !slices.Contains([]string{"of-owl", "of-rival", "of-alice", "owl's", "by-rival", "no-team"}, who) {
				continue
			}
			seen++
			for other, want := range answers {
				if strings.HasPrefix(other, "missing") && (got != want || !strings.HasPrefix(got, "404")) {
					t.Errorf("%s: %s = %s, missing = %s", route.Pattern, name, got, want)
				}
			}
		}
	}
	if seen < 20 {
		t.Errorf("%d answers were compared", seen)
	}
}

// TestZ03QueriesOfATeamAdminStayInTheTeam asks with every filter for what is
// another team's.
func TestZ03QueriesOfATeamAdminStayInTheTeam(t *testing.T) {
	r := newRig(t)
	r.requests("lead", "mate", "rival", "owl")
	owl, key := r.users["owl"], r.keys["owl/team"]
	for path, filters := range map[string][]string{
		"/user/team/members/query":     {fmt.Sprintf(`{"id":{"eq":%d}}`, owl), `{"name":{"in":["owl","rival","alice"]}}`},
		"/user/team/keys/query":        {fmt.Sprintf(`{"user_id":{"in":[%d,%d]}}`, owl, r.users["lead"]), fmt.Sprintf(`{"id":{"in":[%d,%d,%d]}}`, key, r.keys["boss2"], r.keys["alice"])},
		"/user/team/invitations/query": {fmt.Sprintf(`{"id":{"in":[%d,%d]}}`, r.id["rival/invitation"], r.id["invitation"])},
		"/user/team/usages/summary":    {fmt.Sprintf(`{"user_id":{"eq":%d}}`, owl), fmt.Sprintf(`{"key_id":{"eq":%d}}`, r.keys["owl"])},
	} {
		for _, f := range filters {
			if a := r.post("lead/session", path, f); a.status != 200 || strings.TrimSpace(a.body) != "[]" {
				t.Errorf("%s %s: %d %s", path, f, a.status, a.body)
			}
		}
	}
	if a := r.post("lead/session", "/user/team/members/query", `{"team_id":{"eq":2}}`); a.status != 422 {
		t.Errorf("a team that the caller names: %d %s", a.status, a.body)
	}
	for _, body := range []string{`{"user_id":%d,"surfaces":["admin"]}`, `{"user_id":%d,"team_id":1}`, `{"user_id":%d,"payloads":"all"}`} {
		if a := r.post("lead/session", "/user/team/keys/generate", fmt.Sprintf(body, r.users["mate"])); a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
	for _, body := range []string{`{"is_admin":true}`, `{"team_id":2}`, `{"team_role":"admin"}`} {
		if a := r.post("lead/session", "/user/team/invitations/create", body); a.status != 422 {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}

func TestATeamAdminSeesTheTeam(t *testing.T) {
	r := newRig(t)
	r.requests("lead", "mate", "rival", "owl")
	r.made("root/session", "/admin/quotas/upsert", fmt.Sprintf(`{"team_id":%d,"quota":100,"window":"month"}`, r.id["team"]))
	var team struct {
		Name        string
		Members     int
		Quotas      []struct{ Quota, Remaining float64 }
		Permissions []struct {
			ModelPattern string `json:"model_pattern"`
		}
	}
	a := r.post("lead/session", "/user/team", `{}`)
	if a.status != 200 || json.Unmarshal([]byte(a.body), &team) != nil {
		t.Fatal(a.status, a.body)
	}
	if team.Name != "field team" || team.Members != 3 || len(team.Quotas) != 1 || team.Quotas[0].Quota != 100 || len(team.Permissions) != 1 || team.Permissions[0].ModelPattern != "team-*" {
		t.Errorf("the team: %s", a.body)
	}
	manageable := map[any]any{}
	for _, m := range r.list("lead/session", "/user/team/members/query", `{}`) {
		manageable[m["name"]] = m["manageable"]
		if m["email"] != nil {
			t.Errorf("an address is shown: %v", m)
		}
	}
	if fmt.Sprint(manageable) != "map[boss2:false lead:false mate:true]" {
		t.Errorf("members: %v", manageable)
	}
	keys := r.list("lead/session", "/user/team/keys/query", `{}`)
	if len(keys) != 2 || keys[0]["team_id"] != nil || keys[1]["team_id"] != float64(r.id["team"]) {
		t.Errorf("keys: %v", keys)
	}
	if rows := r.list("lead/session", "/user/team/invitations/query", `{}`); len(rows) != 2 {
		t.Errorf("invitations: %v", rows)
	}
	since := time.Now().Add(-2 * time.Hour).UTC().Format(time.RFC3339)
	sums := r.list("lead/session", "/user/team/usages/summary", `{"since":"`+since+`","then_by":"model"}`)
	var who []string
	for _, s := range sums {
		who = append(who, fmt.Sprint(s["group"], s["then"], s["dispatches"]))
	}
	slices.Sort(who)
	want := []string{}
	for _, name := range []string{"boss2", "lead", "mate"} {
		want = append(want, fmt.Sprint(r.users[name], "m1", 2))
	}
	slices.Sort(want)
	if !slices.Equal(who, want) {
		t.Errorf("usage: %v, want %v", who, want)
	}
}

// TestATeamKeyLivesAsLongAsTheMembership goes the whole way over HTTP: made
// with a budget, shown once, on record, ended when its owner is taken out.
func TestATeamKeyLivesAsLongAsTheMembership(t *testing.T) {
	r := newRig(t)
	a := r.post("lead/session", "/user/team/keys/generate", fmt.Sprintf(`{"user_id":%d,"label":"eval","models":["team-*"],"quotas":[{"window":"day","quota":2}],"limits":[{"rpm":5}]}`, r.users["mate"]))
	var made struct {
		ID     int64
		APIKey string `json:"api_key"`
	}
	if a.status != 200 || json.Unmarshal([]byte(a.body), &made) != nil || made.APIKey == "" {
		t.Fatal(a.status, a.body)
	}
	r.token["made"] = made.APIKey
	rows := r.list("mate/session", "/user/keys/query", fmt.Sprintf(`{"id":{"eq":%d}}`, made.ID))
	if len(rows) != 1 || rows[0]["team_id"] == nil || fmt.Sprint(rows[0]["quotas"], rows[0]["surfaces"]) != "[map[quota:2 window:day]] [llm]" {
		t.Errorf("its owner sees %v", rows)
	}
	for _, who := range []string{"lead/session", "mate/session", "boss"} {
		for _, path := range []string{"/user/team/keys/query", "/user/keys/query", "/admin/user-keys/query"} {
			if a := r.post(who, path, `{}`); strings.Contains(a.body, made.APIKey) {
				t.Errorf("%s shows the key to %s", path, who)
			}
		}
	}
	if a := r.post("made", "/user/quota", `{}`); a.status != 403 {
		t.Errorf("on another surface: %d %s", a.status, a.body)
	}
	if a := r.post("lead/session", "/user/team/members/remove", fmt.Sprintf(`{"id":%d}`, r.users["mate"])); a.status != 200 {
		t.Fatal(a.status, a.body)
	}
	if a := r.post("made", "/user/quota", `{}`); a.status != 401 {
		t.Errorf("after the membership: %d %s", a.status, a.body)
	}
	if a := r.post("mate", "/user/quota", `{}`); a.status != 200 {
		t.Errorf("the member's own key: %d %s", a.status, a.body)
	}
	for action, want := range map[string]int{"team.remove_member": 1, "key.delete": 2} {
		if rows := r.list("boss", "/admin/audit/query", fmt.Sprintf(`{"action":{"eq":%q},"actor_id":{"eq":%d}}`, action, r.users["lead"])); len(rows) != want {
			t.Errorf("%d entries of %s, want %d", len(rows), action, want)
		}
	}
}
