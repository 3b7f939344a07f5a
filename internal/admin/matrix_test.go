package admin_test

import (
	"bytes"
	"crypto/rand"
	"flag"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web"
)

var update = flag.Bool("update", false, "write the golden files anew")

// callers are the columns of the matrix: a heading, the bearer, and the name
// of the user whose records are "own".
func callers() []struct{ head, bearer, user string } {
	return []struct{ head, bearer, user string }{
		{"nobody", "", ""},
		{"disabled", "gone", "gone"},
		{"disabled-session", "gone/session", "gone"},
		{"service", "service", ""},
		{"user-session", "alice/session", "alice"},
		{"user-key", "alice", "alice"},
		{"user-key-llm", "alice/llm", "alice"},
		{"user-key-user", "alice/user", "alice"},
		{"user-key-admin", "alice/admin", "alice"},
		{"other-session", "bob/session", "bob"},
		{"team-member", "mate/session", "mate"},
		{"team-key", "mate/team", "mate"},
		{"team-admin", "lead/session", "lead"},
		{"team-admin-key", "lead", "lead"},
		{"other-team-admin", "rival/session", "rival"},
		{"admin-session", "boss/session", "boss"},
		{"admin-key", "boss", "boss"},
		{"admin-key-llm", "boss/llm", "boss"},
		{"admin-key-admin", "boss/admin", "boss"},
		{"super-session", "root/session", "root"},
		{"super-key", "root", "root"},
	}
}

const noSuchID = 987654

// variant is one body of a route.
type variant struct {
	name string
	body func(r *rig, user string) string
}

func fixed(body string) []variant {
	return []variant{{"-", func(*rig, string) string { return body }}}
}

// perID makes a variant per user whose record is named, and one for a missing
// id; format has one %d.
func perID(format string, id func(r *rig, whose string) int64) []variant {
	var vs []variant
	for _, whose := range []string{"alice", "bob", "boss2", "root"} {
		vs = append(vs, variant{"of-" + whose, func(r *rig, _ string) string { return fmt.Sprintf(format, id(r, whose)) }})
	}
	vs = append(vs, variant{"own", func(r *rig, user string) string {
		if user == "" {
			return fmt.Sprintf(format, noSuchID)
		}
		return fmt.Sprintf(format, id(r, user))
	}})
	return append(vs, variant{"missing", func(*rig, string) string { return fmt.Sprintf(format, noSuchID) }})
}

// perMember makes a variant per user that an admin of a team may meet: of the
// field team a plain member, its admin and an admin of everything; of the other
// team a member and its admin; somebody in no team; nobody.
func perMember(format string, id func(r *rig, whose string) int64) []variant {
	var vs []variant
	for _, whose := range []string{"mate", "lead", "boss2", "owl", "rival", "alice"} {
		vs = append(vs, variant{"of-" + whose, func(r *rig, _ string) string { return fmt.Sprintf(format, id(r, whose)) }})
	}
	return append(vs, variant{"missing", func(*rig, string) string { return fmt.Sprintf(format, noSuchID) }})
}

// perTeamKey are keys of members' own, then keys of teams.
func perTeamKey(format string) []variant {
	vs := perMember(format, ofKey)
	for _, whose := range []string{"mate", "owl"} {
		vs = append(vs, variant{whose + "'s", func(r *rig, _ string) string { return fmt.Sprintf(format, r.keys[whose+"/team"]) }})
	}
	return vs
}

// perInvitation are those by the admin of each team, one to the field team that
// gives more than a plain member, one to no team, and none.
func perInvitation(format string) []variant {
	var vs []variant
	for name, key := range map[string]string{"by-lead": "lead/invitation", "by-root": "admins/invitation", "by-rival": "rival/invitation", "no-team": "invitation"} {
		vs = append(vs, variant{name, func(r *rig, _ string) string { return fmt.Sprintf(format, r.id[key]) }})
	}
	slices.SortFunc(vs, func(a, b variant) int { return strings.Compare(a.name, b.name) })
	return append(vs, variant{"missing", func(*rig, string) string { return fmt.Sprintf(format, noSuchID) }})
}

func ofUser(r *rig, name string) int64 { return r.users[name] }
func ofKey(r *rig, name string) int64  { return r.keys[name] }
func ofAsk(r *rig, name string) int64  { return r.id[name+"/ask"] }
func ofSession(r *rig, name string) int64 {
	if id, ok := r.id[name+"/session"]; ok {
		return id
	}
	return noSuchID
}

// ofIdentity links a new identity to a user and returns its id.
func ofIdentity(r *rig, name string) int64 {
	row := tollgate.Identity{UserID: r.users[name], Provider: "corp", Subject: rand.Text()}
	if row.UserID == 0 {
		return noSuchID
	}
	if err := r.store.Update(r.t.Context(), func(tx tollgate.Tx) error { return tx.Identities.Insert(r.t.Context(), &row) }); err != nil {
		r.t.Fatal(err)
	}
	return row.ID
}

// ofFactor is a TOTP factor of that user.
func ofFactor(r *rig, name string) int64 { return r.id[name+"/factor"] }

// record makes a variant for the one record of its kind and one for a missing id.
func record(format, kind string) []variant {
	return []variant{
		{"there", func(r *rig, _ string) string { return fmt.Sprintf(format, r.id[kind]) }},
		{"missing", func(*rig, string) string { return fmt.Sprintf(format, noSuchID) }},
	}
}

// perRequest are requests of some users and a missing one.
func perRequest() []variant {
	of := func(id tollgate.RequestID) string { return fmt.Sprintf(`{"id":%q}`, id) }
	var vs []variant
	for _, whose := range []string{"alice", "bob", "boss2", "root"} {
		vs = append(vs, variant{"of-" + whose, func(r *rig, _ string) string { return of(r.request[whose]) }})
	}
	return append(vs, variant{"missing", func(*rig, string) string { return of(tollgate.RequestIDAt(time.Unix(1, 0))) }})
}

// bodies returns the variants of a route. A route that is not here fails the
// test: a new route is a decision.
func bodies(pattern string) ([]variant, bool) {
	pattern = strings.NewReplacer("/admin/permissions/", "/admin/user-permissions/", "/admin/rate-limits/", "/admin/user-rate-limits/",
		"/admin/quotas/", "/admin/user-quotas/").Replace(pattern)
	if strings.HasSuffix(pattern, "/query") || strings.HasSuffix(pattern, "/count") || strings.HasSuffix(pattern, "/summary") ||
		strings.HasSuffix(pattern, "/export") || strings.HasSuffix(pattern, "/live") || strings.Contains(pattern, "/dashboard/") {
		return fixed("{}"), true
	}
	known := map[string][]variant{
		"/": fixed(""), "/console": fixed(""), "/console/": fixed(""), "/docs": fixed(""), "/docs/style.css": fixed(""), "/openapi.json": fixed(""),
		"/login":  fixed(`{"username":"alice","password":"` + password + `"}`),
		"/logout": fixed("{}"), "/user/me": fixed("{}"), "/user/quota": fixed("{}"), "/user/models": fixed("{}"),
		"/user/password":               fixed(`{"current_password":"` + password + `","new_password":"another long password"}`),
		"/user/step-up":                fixed(`{"password":"` + password + `"}`),
		"/login/second-factor":         fixed(`{"login_token":"x","code":"123456"}`),
		"/auth/passkey/begin":          fixed(`{}`),
		"/auth/passkey/finish":         fixed(`{"token":"x","credential":{}}`),
		"/user/step-up/begin":          fixed(`{}`),
		"/user/factors/totp/begin":     fixed(`{"label":"phone"}`),
		"/user/factors/totp/confirm":   perID(`{"id":%d,"code":"`+totpCode()+`"}`, ofFactor),
		"/user/factors/passkey/begin":  fixed(`{}`),
		"/user/factors/passkey/finish": fixed(`{"token":"x","credential":{}}`),
		"/user/factors/delete":         perID(`{"id":%d}`, ofFactor),
		"/user/factors/recovery-codes": fixed(`{}`),
		"/admin/user-factors/delete":   perID(`{"id":%d}`, ofFactor),
		"/admin/user-sessions/delete":  append(perID(`{"id":%d}`, ofSession), perID(`{"user_id":%d}`, ofUser)...),
		"/user/keys/generate":          fixed(`{"label":"x"}`),
		"/user/keys/update-enabled":    perID(`{"id":%d,"enabled":true}`, ofKey),
		"/user/keys/rotate":            perID(`{"id":%d}`, ofKey),
		"/user/keys/delete":            perID(`{"id":%d}`, ofKey),
		"/user/sessions/delete":        perID(`{"id":%d}`, ofSession),

		"/auth/providers": fixed(""), "/auth/sso/": fixed(""), "/login/pending": fixed(""),
		"/user/identities/link":       fixed(`{"provider":"filed"}`),
		"/admin/sso-providers/upsert": append(record(`{"id":%d,"display_name":"Lab"}`, "sso"), fixed(`{"name":"new","kind":"github","client_id":"x","client_secret":"y"}`)...),
		"/admin/sso-providers/delete": record(`{"id":%d}`, "sso"),
		"/admin/sso-providers/test":   fixed(`{"name":"new","kind":"oidc","issuer":"http://127.0.0.1:1","client_id":"x","client_secret":"y"}`),

		"/user/requests/get":  perRequest(),
		"/admin/requests/get": perRequest(),

		"/user/requests/payload":  perRequest(),
		"/admin/requests/payload": perRequest(),
		"/admin/requests/clear":   fixed(`{"before":"2020-01-01T00:00:00Z"}`),

		"/user/identities/unlink":       perID(`{"id":%d}`, ofIdentity),
		"/admin/user-identities/upsert": perID(`{"user_id":%d,"provider":"corp","subject":"new"}`, ofUser),
		"/admin/user-identities/delete": perID(`{"id":%d}`, ofIdentity),

		"/admin/users/upsert":             append(perID(`{"id":%d,"email":"new@example.com"}`, ofUser), fixed(`{"name":"new"}`)...),
		"/admin/users/batch-upsert":       perID(`[{"id":%d,"enabled":false}]`, ofUser),
		"/admin/users/delete":             perID(`{"id":%d}`, ofUser),
		"/admin/users/batch-delete":       perID(`[%d]`, ofUser),
		"/admin/users/hand-over":          perID(`{"id":%d}`, ofUser),
		"/admin/users/effective":          perID(`{"id":%d}`, ofUser),
		"/admin/users/reset-link":         perID(`{"id":%d}`, ofUser),
		"/admin/invitations/create":       append(fixed(`{"label":"new"}`), variant{"admin", func(*rig, string) string { return `{"is_admin":true}` }}),
		"/admin/invitations/delete":       record(`{"id":%d}`, "invitation"),
		"/auth/invitation":                fixed(`{"token":"x"}`),
		"/auth/invitation/sign-in":        fixed(`{"token":"x","provider":"filed"}`),
		"/auth/invitation/accept":         fixed(`{"token":"x","username":"new","password":"another long password"}`),
		"/user/team":                      fixed(`{}`),
		"/user/team/members/remove":       perMember(`{"id":%d}`, ofUser),
		"/user/team/invitations/create":   fixed(`{"label":"new"}`),
		"/user/team/invitations/delete":   perInvitation(`{"id":%d}`),
		"/user/team/keys/generate":        perMember(`{"user_id":%d,"label":"x"}`, ofUser),
		"/user/team/keys/update-enabled":  append(perTeamKey(`{"id":%d,"enabled":false}`), perTeamKey(`{"id":%d,"enabled":true}`)...),
		"/user/team/keys/delete":          perTeamKey(`{"id":%d}`),
		"/admin/teams/upsert":             append(record(`{"id":%d,"name":"renamed"}`, "team"), fixed(`{"name":"new"}`)...),
		"/admin/teams/delete":             record(`{"id":%d}`, "team"),
		"/admin/teams/members/add":        perID(`{"id":%d,"team_id":1}`, ofUser),
		"/admin/teams/members/set-role":   perID(`{"id":%d,"team_id":1,"team_role":"member"}`, ofUser),
		"/admin/teams/members/remove":     perID(`{"id":%d,"team_id":1}`, ofUser),
		"/admin/teams/permissions/upsert": append(record(`{"id":%d,"model_pattern":"y"}`, "team permission"), record(`{"team_id":%d,"model_pattern":"x"}`, "team")...),
		"/admin/teams/permissions/delete": record(`{"id":%d}`, "team permission"),
		"/user/effective":                 fixed(`{}`),
		"/user/profile":                   fixed(`{"email":"me@example.com"}`),
		"/user/keys/update":               perID(`{"id":%d,"label":"x","quotas":[{"window":"day","quota":2}]}`, ofKey),
		"/user/asks/create":               fixed(`{"kind":"model","model":"m9"}`), "/user/asks/withdraw": perID(`{"id":%d}`, ofAsk),
		"/admin/asks/decide": append(perID(`{"id":%d,"approve":true}`, ofAsk), perID(`{"id":%d,"approve":false}`, ofAsk)...),
		"/auth/setup":        fixed(`{"token":"x","username":"new","password":"another long password"}`),
		"/auth/setup/check":  fixed(`{"token":"x"}`),
		"/auth/reset":        fixed(`{"token":"x","password":"another long password"}`),

		"/admin/user-keys/generate":       perID(`{"user_id":%d}`, ofUser),
		"/admin/user-keys/update":         perID(`{"id":%d,"label":"x"}`, ofKey),
		"/admin/user-keys/update-enabled": perID(`{"id":%d,"enabled":false}`, ofKey),
		"/admin/user-keys/rotate":         perID(`{"id":%d}`, ofKey),
		"/admin/user-keys/delete":         perID(`{"id":%d}`, ofKey),
		"/admin/user-keys/batch-upsert":   perID(`{"user_id":%d,"count":2}`, ofUser),
		"/admin/user-keys/batch-delete":   perID(`[%d]`, ofKey),

		"/admin/user-quotas/upsert":            perID(`{"user_id":%d,"quota":1}`, ofUser),
		"/admin/user-quotas/delete":            perID(`{"user_id":%d}`, ofUser),
		"/admin/user-permissions/upsert":       append(perID(`{"user_id":%d,"model_pattern":"x"}`, ofUser), record(`{"id":%d,"model_pattern":"y"}`, "permission")...),
		"/admin/user-permissions/delete":       record(`{"id":%d}`, "permission"),
		"/admin/user-permissions/batch-upsert": perID(`[{"user_id":%d}]`, ofUser),
		"/admin/user-permissions/batch-delete": record(`[%d]`, "permission"),

		"/admin/user-file-permissions/upsert":       append(perID(`{"user_id":%d}`, ofUser), record(`{"id":%d,"provider_id":null}`, "file")...),
		"/admin/user-file-permissions/delete":       record(`{"id":%d}`, "file"),
		"/admin/user-file-permissions/batch-upsert": perID(`[{"user_id":%d}]`, ofUser),
		"/admin/user-file-permissions/batch-delete": record(`[%d]`, "file"),

		"/admin/user-rate-limits/upsert":       append(perID(`{"user_id":%d,"model_pattern":"x","rpm":1}`, ofUser), record(`{"id":%d,"rpm":2}`, "limit")...),
		"/admin/user-rate-limits/delete":       record(`{"id":%d}`, "limit"),
		"/admin/user-rate-limits/batch-upsert": perID(`[{"user_id":%d,"model_pattern":"x","rpm":1}]`, ofUser),
		"/admin/user-rate-limits/batch-delete": record(`[%d]`, "limit"),

		"/admin/providers/upsert":     append(record(`{"id":%d,"enabled":false}`, "provider"), fixed(`{"name":"lab2","kind":"openai"}`)...),
		"/admin/providers/delete":     record(`{"id":%d}`, "provider"),
		"/admin/credentials/upsert":   append(record(`{"id":%d,"label":"b"}`, "credential"), record(`{"provider_id":%d,"label":"n","api_key":"sk-x"}`, "provider")...),
		"/admin/credentials/delete":   record(`{"id":%d}`, "credential"),
		"/admin/models/upsert":        append(record(`{"id":%d,"enabled":false}`, "model"), record(`{"provider_id":%d,"model_id":"n"}`, "provider")...),
		"/admin/models/delete":        record(`{"id":%d}`, "model"),
		"/admin/model-aliases/upsert": append(record(`{"id":%d,"target":"m2"}`, "alias"), fixed(`{"alias":"n","target":"m1"}`)...),
		"/admin/model-aliases/delete": record(`{"id":%d}`, "alias"),
		"/admin/prices/upsert":        append(record(`{"id":%d,"prices":{"price_input_tokens":2}}`, "price"), record(`{"provider_id":%d,"model_pattern":"n","prices":{"price_each_call":1}}`, "provider")...),
		"/admin/prices/delete":        record(`{"id":%d}`, "price"),
		"/admin/prices/import":        fixed(`{"models":[{"model_id":"n","price_each_call":1}]}`),
		"/admin/prices/re-rate":       fixed(`{"since":"2026-11-01T00:00:00Z","until":"2026-12-01T00:00:00Z"}`),
		"/admin/alarms/acknowledge":   record(`{"id":%d}`, "alarm"),
		"/admin/alarms/test":          fixed(`{}`),
		"/admin/system/reset":         fixed(`{"what":["statistics","logs","users"],"confirm":"RESET"}`),
		"/admin/settings/process":     fixed(`{}`),
		"/admin/about":                fixed(`{}`),
		"/admin/settings/upsert":      fixed(`{"name":"include_usage","value":true}`),
		"/admin/config/export-toml":   fixed(`{}`),
		"/admin/config/plan":          fixed(`{"toml":"[[teams]]\nname = \"x\"\n"}`),
		"/admin/config/apply":         {{"-", func(r *rig, _ string) string { return r.applicationOf("[[teams]]\nname = \"x\"\n") }}},
		"/admin/config/history":       fixed(`{}`),
		"/admin/config/version":       record(`{"id":%d}`, "version"),
		"/admin/config/rollback":      record(`{"version":%d,"before":true}`, "version"),
		"/admin/config-sync/upsert":   append(record(`{"id":%d,"username":"x"}`, "target"), fixed(`{"name":"n","kind":"folder","location":"x"}`)...),
		"/admin/config-sync/delete":   record(`{"id":%d}`, "target"),
		"/admin/config-sync/test":     record(`{"id":%d}`, "target"),
		"/admin/config-sync/versions": record(`{"id":%d}`, "target"),
		"/admin/config-sync/push":     record(`{"id":%d,"force":true}`, "target"),
		"/admin/config-sync/pull":     record(`{"id":%d}`, "target"),
		"/admin/settings/delete":      fixed(`{"name":"include_usage"}`),
	}
	vs, ok := known[pattern]
	return vs, ok
}

// TestZ02N07N14N38AuthorizationMatrix sends every route as every caller with own,
// others' and missing ids and compares the statuses with testdata/matrix.txt,
// which is read by eye whenever it changes.
func TestZ02N07N14N38AuthorizationMatrix(t *testing.T) {
	r := newRig(t)
	r.requests()
	r.seen.Store = rolledBack{r.store}
	var out bytes.Buffer
	fmt.Fprintf(&out, "# The answer of every route to every caller. Written by go test ./internal/admin -run Z02 -update; review every change.\n# columns:")
	for _, c := range callers() {
		fmt.Fprintf(&out, " %s", c.head)
	}
	out.WriteString("\n")
	cells := 0
	for _, route := range r.router.Routes() {
		variants, ok := bodies(route.Pattern)
		if !ok {
			t.Errorf("%s %s is in no matrix", route.Method, route.Pattern)
			continue
		}
		for _, v := range variants {
			fmt.Fprintf(&out, "%-5s %-44s %-11s %-8s", route.Method, route.Pattern, route.Policy.Access, v.name)
			var answers []answer
			for _, c := range callers() {
				a := r.send(route.Method, c.bearer, route.Pattern, v.body(r, c.user))
				answers = append(answers, a)
				cells++
				fmt.Fprintf(&out, " %d", a.status)
			}
			out.WriteString("\n")
			checkRow(t, route, v.name, answers)
		}
	}
	t.Logf("%d routes, %d cells", len(r.router.Routes()), cells)
	golden(t, "testdata/matrix.txt", out.Bytes())
}

// checkRow holds for every row, whatever the golden file says.
func checkRow(t *testing.T, route web.Route, name string, answers []answer) {
	t.Helper()
	for i, c := range callers() {
		a := answers[i]
		refused := a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || a.status == http.StatusNotFound || a.status == http.StatusConflict
		if a.status >= 500 || a.status == http.StatusBadRequest || a.status == http.StatusUnprocessableEntity {
			t.Errorf("%s %s (%s) as %s: %d %s", route.Method, route.Pattern, name, c.head, a.status, a.body)
		}
		if route.Policy.Access == web.AccessPublic {
			continue
		}
		switch {
		case c.head == "nobody" || strings.HasPrefix(c.head, "disabled"):
			if a.status != http.StatusUnauthorized {
				t.Errorf("%s %s (%s) as %s: %d", route.Method, route.Pattern, name, c.head, a.status)
			}
		case c.head == "service", strings.HasPrefix(route.Pattern, "/admin/") && !slices.Contains([]string{"boss", "root"}, c.user):
			if a.status != http.StatusForbidden {
				t.Errorf("%s %s (%s) as %s: %d", route.Method, route.Pattern, name, c.head, a.status)
			}
		}
		ofTeam := c.bearer == "lead/session" || c.bearer == "rival/session"
		if route.Policy.Access == web.AccessTeamAdmin && !ofTeam && a.status != http.StatusUnauthorized && a.status != http.StatusForbidden {
			t.Errorf("%s %s (%s) as %s: %d", route.Method, route.Pattern, name, c.head, a.status)
		}
		if refused && !strings.Contains(a.body, `"error":"`) {
			t.Errorf("%s %s (%s) as %s: %s", route.Method, route.Pattern, name, c.head, a.body)
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(want, got) {
		return
	}
	was, is := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range max(len(was), len(is)) {
		var a, b string
		if i < len(was) {
			a = was[i]
		}
		if i < len(is) {
			b = is[i]
		}
		if a != b {
			t.Errorf("%s:%d\n was %s\n is  %s", file, i+1, a, b)
		}
	}
}

// TestZ03N42N43ForeignIsMissing compares, on self-service, the answer for another's
// id with that for an id that nobody has.
func TestZ03N42N43ForeignIsMissing(t *testing.T) {
	r := newRig(t)
	r.requests()
	r.seen.Store = rolledBack{r.store}
	for _, route := range r.router.Routes() {
		if !strings.HasPrefix(route.Pattern, "/user/") || route.Policy.Access == web.AccessTeamAdmin {
			continue
		}
		variants, _ := bodies(route.Pattern)
		if len(variants) < 2 {
			continue
		}
		got := map[string]string{}
		for _, v := range variants {
			body := v.body(r, "boss")
			a := r.send(route.Method, "boss/session", route.Pattern, body)
			id := strings.Trim(strings.SplitN(strings.SplitN(body, ":", 2)[1], ",", 2)[0], "{}")
			text, _, _ := strings.Cut(a.body, `"request_id"`)
			got[v.name] = fmt.Sprint(a.status, strings.ReplaceAll(text, "id "+id, "id N"))
		}
		for _, name := range []string{"of-alice", "of-boss2", "of-root"} {
			if got[name] != got["missing"] || !strings.HasPrefix(got[name], "404") {
				t.Errorf("%s: %s = %s, missing = %s", route.Pattern, name, got[name], got["missing"])
			}
		}
	}
}
