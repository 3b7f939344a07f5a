package admin_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

func TestEffectiveRightsSayWhereTheyComeFrom(t *testing.T) {
	r := newRig(t)
	r.made("boss", "/admin/teams/members/add", fmt.Sprintf(`{"team_id":%d,"id":%d,"team_role":"admin"}`, r.id["team"], r.users["alice"]))
	for path, body := range map[string]string{
		"/admin/quotas/upsert":      fmt.Sprintf(`{"team_id":%d,"quota":100,"window":"month"}`, r.id["team"]),
		"/admin/rate-limits/upsert": fmt.Sprintf(`{"team_id":%d,"rpm":600}`, r.id["team"]),
		"/admin/user-keys/update":   fmt.Sprintf(`{"id":%d,"models":["m*"],"quotas":[{"window":"day","quota":1}]}`, r.keys["alice"]),
		"/admin/user-quotas/upsert": `{"scope":"instance","quota":1000}`,
	} {
		if a := r.post("boss", path, body); a.status != 200 {
			t.Fatalf("%s: %d %s", path, a.status, a.body)
		}
	}
	type rights struct {
		Team        string
		TeamRole    string `json:"team_role"`
		Permissions []struct {
			ModelPattern string `json:"model_pattern"`
			Source       string
		}
		Quotas     []struct{ Scope string }
		RateLimits []struct{ Scope string } `json:"rate_limits"`
		Keys       []struct {
			KeyID int64 `json:"key_id"`
		}
	}
	for who, c := range map[string]struct {
		path, body string
		quotas     []string
	}{
		"boss":          {"/admin/users/effective", fmt.Sprintf(`{"id":%d}`, r.users["alice"]), []string{"user", "key", "team", "instance"}},
		"alice/session": {"/user/effective", `{}`, []string{"user", "key", "team"}},
	} {
		var got rights
		a := r.post(who, c.path, c.body)
		if a.status != 200 || json.Unmarshal([]byte(a.body), &got) != nil {
			t.Fatalf("%s: %d %s", c.path, a.status, a.body)
		}
		var scopes []string
		for _, q := range got.Quotas {
			scopes = append(scopes, q.Scope)
		}
		sources := map[string]string{}
		for _, p := range got.Permissions {
			sources[p.ModelPattern] = p.Source
		}
		if got.Team != "field team" || got.TeamRole != "admin" || sources["m*"] != "permission" || sources["team-*"] != "team" || !slices.Equal(scopes, c.quotas) ||
			len(got.RateLimits) != 2 || got.RateLimits[0].Scope != "user" || got.RateLimits[1].Scope != "team" || len(got.Keys) == 0 || got.Keys[0].KeyID != r.keys["alice"] {
			t.Errorf("%s: %s", c.path, a.body)
		}
	}
	if rows := r.list("boss", "/admin/rate-limits/query", fmt.Sprintf(`{"team_id":{"eq":%d}}`, r.id["team"])); len(rows) != 1 || rows[0]["team_id"] != float64(r.id["team"]) {
		t.Errorf("limits of the team: %v", rows)
	}
	if rows := r.list("boss", "/admin/user-rate-limits/query", `{}`); len(rows) != 1 || rows[0]["scope"] != "user" {
		t.Errorf("limits of users: %v", rows)
	}
}
