package admin_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/web"
)

// state is everything that is stored, as JSON by table: whatever can be queried
// without a condition, and the settings.
func (r *rig) state() map[string]string {
	r.t.Helper()
	ctx, state := r.t.Context(), map[string]string{}
	r.must(r.store.View(ctx, func(tx tollgate.Tx) error {
		note := func(name string, rows any, err error) error {
			b, jsonErr := json.Marshal(rows)
			state[name] = string(b)
			return errors.Join(err, jsonErr)
		}
		tables := reflect.ValueOf(tx)
		for i := range tables.NumField() {
			query := tables.Field(i).MethodByName("Query")
			if !query.IsValid() || query.Type().NumIn() != 3 || query.Type().In(2) != reflect.TypeFor[tollgate.Page]() {
				continue
			}
			out := query.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.Zero(query.Type().In(1)), reflect.ValueOf(tollgate.Page{All: true})})
			err, _ := reflect.TypeAssert[error](out[2])
			if err := note(tables.Type().Field(i).Name, out[0].Interface(), err); err != nil {
				return err
			}
		}
		settings, err := tx.Settings.All(ctx)
		return note("Settings", settings, err)
	}))
	if len(state) < 20 {
		r.t.Fatalf("the state is of %d tables only", len(state))
	}
	return state
}

// unchanged compares the state with an earlier one, but for some tables.
func (r *rig) unchanged(what string, before map[string]string, but ...string) {
	r.t.Helper()
	after := r.state()
	for _, table := range but {
		delete(before, table)
		delete(after, table)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		r.t.Errorf("%s changed something: %s", what, diff)
	}
}

// document is as much of /openapi.json as tells which fields there are.
type document struct {
	Paths map[string]map[string]struct {
		RequestBody struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref        string `json:"$ref"`
	Items      *schema
	OneOf      []schema
	Properties map[string]schema
}

// fields are the names that a body may begin with.
func (d *document) fields(s schema) []string {
	if s.Ref != "" {
		s = d.Components.Schemas[strings.TrimPrefix(s.Ref, "#/components/schemas/")]
	}
	out := slices.Collect(maps.Keys(s.Properties))
	if s.Items != nil {
		out = append(out, d.fields(*s.Items)...)
	}
	for _, one := range s.OneOf {
		out = append(out, d.fields(one)...)
	}
	return out
}

// serverSet are the fields that a write does not take: every name that any record
// of the API has, and some that only the database has, less its own.
func serverSet(t *testing.T, r *rig, path string) []string {
	t.Helper()
	if r.document == nil {
		r.document = new(document)
		if a := r.send(http.MethodGet, "root/session", "/openapi.json", ""); a.status != http.StatusOK || json.Unmarshal([]byte(a.body), r.document) != nil {
			t.Fatalf("/openapi.json: %d", a.status)
		}
	}
	names := map[string]bool{}
	for _, field := range []string{
		"is_super_admin", "super_admin", "password_hash", "phc", "short_password", "digest", "sealed", "needs_secret", "automatic", "origin", "owner",
		"email_verified", "__proto__",
	} {
		names[field] = true
	}
	for _, s := range r.document.Components.Schemas {
		for field := range s.Properties {
			names[field] = true
		}
	}
	if len(names) < 150 {
		t.Fatalf("the document has %d names only", len(names))
	}
	body := r.document.Paths[path]["post"].RequestBody.Content["application/json"].Schema
	for _, own := range r.document.fields(body) {
		delete(names, own)
	}
	return slices.Sorted(maps.Keys(names))
}

// TestZ05N05N25N49MassAssignment sends, with every write, every field that only the
// server sets.
func TestZ05N05N25N49MassAssignment(t *testing.T) {
	r := newRig(t)
	before, sent := r.state(), 0
	for _, route := range r.router.Routes() {
		if !route.Policy.Mutates || route.Pattern == "/logout" {
			continue
		}
		variants, _ := bodies(route.Pattern)
		body := variants[0].body(r, "root")
		who, self := "root/session", "alice/session"
		if route.Policy.Access == web.AccessTeamAdmin {
			who, self = "lead/session", "lead/session"
		}
		if !strings.Contains(body, "{") {
			continue // a list of ids has no fields
		}
		for _, field := range serverSet(t, r, route.Pattern) {
			at := strings.Index(body, "{") + 1
			next := ","
			if body[at:] == "}" {
				next = ""
			}
			a := r.post(who, route.Pattern, body[:at]+`"`+field+`":1`+next+body[at:])
			sent++
			if a.status != http.StatusUnprocessableEntity && a.status != http.StatusBadRequest || !strings.Contains(a.body, field) {
				t.Errorf("%s with %s: %d %s", route.Pattern, field, a.status, a.body)
			}
		}
		if strings.HasPrefix(route.Pattern, "/user/") && route.Pattern != "/user/team/keys/generate" { // which is for a member
			at := strings.Index(body, "{") + 1
			if a := r.post(self, route.Pattern, strings.Replace(body[:at]+`"user_id":1,`+body[at:], ",}", "}", 1)); a.status != http.StatusUnprocessableEntity {
				t.Errorf("%s with user_id: %d", route.Pattern, a.status)
			}
		}
	}
	t.Logf("%d bodies", sent)
	r.unchanged("mass assignment", before, "Identities") // the bodies make some
}

func garbage() []string {
	return []string{
		`{`, `[`, `null`, `true`, `7`, `"x"`, `[[]]`, `[null]`, `[{}]`, `{"id":"x"}`, `{"id":1e400}`, `{"id":-1}`, `{"id":1.5}`, `{"id":{}}`, `{"id":99999999999999999999}`,
		`{"id":{"eq":1},"id":{"eq":2}}`, `{"ID":1,"id":2}`, strings.Repeat(`{"a":`, 200) + "1" + strings.Repeat("}", 200), `{"name":"\u0000"}`,
		`{"name":"' OR 1=1 --"}`, `{"sort":"id; DROP TABLE users"}`, `{"sort":"password"}`, `{"cursor":"AAAA"}`, `{"limit":-5}`, `{"since":"yesterday"}`,
		"{\"name\":\"\xff\xfe\"}", `{"user_id":null}`, `{"user_id":{"in":[1,"x"]}}`, `{"quota":1e-30,"user_id":1}`, `{"quota":9e99,"user_id":1}`, `{"quota":NaN}`, `{"id":1,"settings":7}`,
		`{"username":7,"password":[]}`, `{"enabled":"yes","id":1}`, `{"group_by":"password"}`, `{"request_id":{"eq":"req_x"}}`, `{"window":{"eq":"hour"}}`,
	}
}

// TestLeakScan sends garbage to every route as everybody and looks for what
// no answer and no log line may hold (STYLE 3, SECURITY L-01, Z-06).
func TestLeakScan(t *testing.T) {
	r := newRig(t)
	internals := []string{
		"goroutine", ".go:", "sqlite", "SQLITE", "SELECT ", "INSERT ", "sql:", "json: ", "reflect", "panic", "runtime error", "tollgate/internal", "huma",
		"strconv", "*struct", "api.Opt", "unmarshal", "$argon2", "context canceled",
	}
	secrets := []string{vendorKey, serviceKey, "canary-master-key", password}
	for name, token := range r.token {
		if name != "service" {
			secrets = append(secrets, token)
		}
	}
	check := func(where, text string, words []string) {
		t.Helper()
		for _, w := range words {
			if strings.Contains(text, w) {
				t.Errorf("%s holds %q: %.400s", where, w, text)
			}
		}
	}
	scanned := 0
	for _, route := range r.router.Routes() {
		for who, bodies := range map[string][]string{"root/session": append(garbage(), "{}"), "alice/session": garbage()[9:18], "lead/session": garbage()[:30], "": garbage()[9:12]} {
			for _, body := range bodies {
				if route.Pattern == "/logout" && who != "" {
					continue
				}
				a := r.send(route.Method, who, route.Pattern, body)
				scanned++
				if !slices.Contains([]string{"/docs", "/openapi.json", "/console/", "/admin/about"}, route.Pattern) {
					check(route.Pattern+" "+body, a.body, internals)
				}
				check(route.Pattern+" "+body, a.body, secrets)
				if a.status >= 500 {
					t.Errorf("%s %s: %d %s", route.Pattern, body, a.status, a.body)
				}
			}
		}
	}
	t.Logf("%d answers", scanned)
	check("the log", r.log.String(), secrets)
	check("the audit", r.state()["audit"], secrets)
}

// failingAudit is a store whose audit cannot be written.
type failingAudit struct{ tollgate.Store }

type brokenAudit struct{ tollgate.Audit }

func (brokenAudit) Append(context.Context, *tollgate.AuditEntry) error {
	return errors.New("disk full: canary-audit")
}

// Update runs fn with an audit that fails.
func (s failingAudit) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		tx.Audit = brokenAudit{tx.Audit}
		return fn(tx)
	})
}

// unaudited are the routes whose bodies in the matrix end before the audit, with
// where they are shown, or why there is nothing to show.
func unaudited() map[string]string {
	const shown = "TestU01WithRealTokens"
	return map[string]string{
		"/admin/prices/re-rate": shown, "/admin/requests/payload": shown, "/admin/teams/members/set-role": shown, "/auth/invitation/accept": shown,
		"/auth/reset": shown, "/auth/setup": shown, "/login/second-factor": shown, "/user/factors/recovery-codes": shown, "/user/keys/update-enabled": shown,
		"/auth/invitation/sign-in":     "the way to the provider stores nothing",
		"/auth/passkey/finish":         "needs a security key: TestU01PasskeysNeedTheirAuditEntry in internal/auth",
		"/user/factors/passkey/finish": "the same",
	}
}

// TestU01NoChangeWithoutItsAuditEntry breaks the audit: every change must be
// undone, and no detail told.
func TestU01NoChangeWithoutItsAuditEntry(t *testing.T) {
	r := newRig(t)
	r.must(r.store.Update(t.Context(), func(tx tollgate.Tx) error {
		return tx.Settings.Put(t.Context(), tollgate.Setting{Name: "include_usage", Value: json.RawMessage("true")})
	}))
	r.seen.Store = failingAudit{r.store}
	before, refused := r.state(), 0
	for _, route := range r.router.Routes() {
		if !route.Policy.Mutates {
			continue
		}
		variants, _ := bodies(route.Pattern)
		who, earlier := "root/session", refused
		if route.Policy.Access == web.AccessTeamAdmin {
			who = "lead/session"
		}
		for _, v := range variants {
			body := v.body(r, "root")
			a := r.post(who, route.Pattern, body)
			switch {
			case strings.Contains(a.body, "canary"):
				t.Errorf("%s tells %s", route.Pattern, a.body)
			case a.status == http.StatusInternalServerError || a.status == http.StatusServiceUnavailable:
				refused++
			case a.status == http.StatusOK && strings.Contains(route.Pattern, "update-enabled"): // enabling what is enabled changes nothing
			case a.status == http.StatusOK && strings.Contains(route.Pattern, "teams/members/"): // neither does what is so already
			case a.status == http.StatusOK && strings.HasSuffix(route.Pattern, "/re-rate"): // shows, unless asked to apply
			case a.status == http.StatusOK:
				t.Errorf("%s %s succeeded without an audit entry: %s", route.Pattern, body, a.body)
			}
		}
		if shown := unaudited()[route.Pattern]; refused == earlier && shown == "" {
			t.Errorf("%s never came as far as the audit", route.Pattern)
		}
	}
	if refused < 40 {
		t.Errorf("only %d changes came as far as the audit", refused)
	}
	r.unchanged("a change without audit", before, "Identities") // the bodies make some
}

// TestL01NoWriteLeavesItsSecretInTheAudit sends every write with a secret in
// every field of its own that can hold one, and in documents of free form.
func TestL01NoWriteLeavesItsSecretInTheAudit(t *testing.T) {
	const canary = "canary-planted-0123456789"
	r := newRig(t)
	var entries strings.Builder
	r.seen.Store = overheard{rolledBack{r.store}, &entries}
	taken := 0
	for _, route := range r.router.Routes() {
		if !route.Policy.Mutates || route.Pattern == "/logout" || route.Pattern == "/admin/system/reset" {
			continue
		}
		variants, _ := bodies(route.Pattern)
		for _, v := range variants {
			body := v.body(r, "root")
			at := strings.Index(body, "{") + 1
			if at == 0 {
				continue
			}
			for _, field := range []string{
				`"password":"` + canary + `"`, `"new_password":"` + canary + `"`, `"current_password":"` + canary + `"`, `"api_key":"` + canary + `"`,
				`"code":"` + canary + `"`, `"login_token":"` + canary + `"`, `"token":"` + canary + `"`, `"client_secret":"` + canary + `"`,
				`"settings":{"api_key":"` + canary + `"}`, `"settings":{"headers":{"authorization":"` + canary + `"}}`,
				`"credentials":[{"label":"c","api_key":"` + canary + `"}]`, `"credential":{"id":"` + canary + `"}`,
			} {
				name, _, _ := strings.Cut(field, ":")
				sent := body[:at] + field + "," + body[at:]
				if strings.Contains(body, name+":") {
					sent = body[:at-1] + "{" + replaceField(body[at:], name, field)
				}
				if a := r.post("root/session", route.Pattern, strings.Replace(sent, ",}", "}", 1)); a.status == http.StatusOK {
					taken++
				}
			}
		}
	}
	if a := r.post("root/session", "/admin/settings/upsert", `{"name":"some_secret","value":"`+canary+`"}`); a.status != http.StatusOK {
		t.Errorf("a setting: %d %s", a.status, a.body)
	}
	if taken < 15 {
		t.Errorf("only %d writes with a secret were taken", taken)
	}
	if at := strings.Index(entries.String(), canary); at >= 0 {
		t.Errorf("the audit holds a secret: %s", entries.String()[max(0, at-300):at+40])
	}
	t.Logf("%d writes with a secret were taken", taken)
}

// overheard is a store that notes every audit entry, also of what is undone.
type overheard struct {
	tollgate.Store
	entries *strings.Builder
}

type noted struct {
	tollgate.Audit
	entries *strings.Builder
}

// Append notes the entry as it is stored.
func (n noted) Append(ctx context.Context, e *tollgate.AuditEntry) error {
	err := n.Audit.Append(ctx, e)
	fmt.Fprintf(n.entries, "%s %s %s %s %s\n", e.Action, e.ActorName, e.Target, e.IP, e.Detail)
	return err
}

// Update runs fn with an audit that is noted.
func (s overheard) Update(ctx context.Context, fn func(tollgate.Tx) error) error {
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		tx.Audit = noted{tx.Audit, s.entries}
		return fn(tx)
	})
}

// replaceField puts field in place of the text field of that name.
func replaceField(rest, name, field string) string {
	begin := strings.Index(rest, name+":")
	end := begin + len(name) + 2
	if end = strings.IndexAny(rest[end:], ",}") + end; end < begin {
		return rest
	}
	return rest[:begin] + field + rest[end:]
}
