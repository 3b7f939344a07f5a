package admin_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

func decode[T any](t *testing.T, a answer) T {
	t.Helper()
	var v T
	if a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUsersInBothSpellings(t *testing.T) {
	r := newRig(t)
	done := decode[api.Done](t, r.post("boss", "/admin/users/upsert", `{"username":"carol","is_active":false,"email":"carol@example.com","password":"`+password+`"}`))
	if !done.OK || done.ID == 0 {
		t.Fatal(done)
	}
	for _, q := range []string{`{"name":{"eq":"carol"}}`, `{"username":{"In":["carol","x"]}}`, `{"email":{"eq":"carol@example.com"}}`, fmt.Sprintf(`{"id":{"Eq":%d},"name":"All"}`, done.ID), `{"is_active":{"eq":false},"name":{"eq":"carol"}}`} {
		users := decode[[]api.User](t, r.post("boss", "/admin/users/query", q))
		if len(users) != 1 || users[0].Name != "carol" || users[0].Username != "carol" || users[0].Enabled || users[0].IsActive || !users[0].HasPassword {
			t.Errorf("%s = %+v", q, users)
		}
	}
	for q, want := range map[string]int{`{"is_admin":{"eq":true}}`: 3, `{"is_admin":{"eq":false}}`: 8, `{"is_super_admin":{"eq":true}}`: 1, `{"id":{"in":[]}}`: 0, `{"is_admin":{"in":[true,false]}}`: 11, `{}`: 11} {
		if got := decode[[]api.User](t, r.post("boss", "/admin/users/query", q)); len(got) != want {
			t.Errorf("%s found %d, want %d", q, len(got), want)
		}
	}
	// Absent keeps, "" keeps the password, null clears it and the e-mail.
	r.post("boss", "/admin/users/upsert", fmt.Sprintf(`{"id":%d,"password":""}`, done.ID))
	u := decode[[]api.User](t, r.post("boss", "/admin/users/query", `{"name":{"eq":"carol"}}`))[0]
	if !u.HasPassword || u.Email == nil || u.Enabled {
		t.Errorf("%+v", u)
	}
	r.post("boss", "/admin/users/upsert", fmt.Sprintf(`{"id":%d,"password":null,"email":null,"enabled":true}`, done.ID))
	u = decode[[]api.User](t, r.post("boss", "/admin/users/query", `{"name":{"eq":"carol"}}`))[0]
	if u.HasPassword || u.Email != nil || !u.IsActive {
		t.Errorf("%+v", u)
	}
	for _, c := range []struct {
		body   string
		status int
		text   string
	}{
		{`{"name":"alice"}`, 409, "name"},
		{`{"id":987654,"name":"x"}`, 404, "987654"},
		{`{"name":"x","username":"y"}`, 400, "username"},
		{`{"name":"x","enabled":true,"is_active":false}`, 400, "is_active"},
		{`{}`, 400, "name"},
		{`{"name":"x","password":"short"}`, 400, "12"},
		{`{"name":"x","password":"$argon2id$broken"}`, 400, "password"},
		{`{"name":null}`, 400, "name"},
		{`{"name":"x","email":"nope"}`, 400, "email"},
		{`{"name":"x","team_id":77}`, 404, "77"},
	} {
		a := r.post("boss", "/admin/users/upsert", c.body)
		if a.status != c.status || !strings.Contains(a.body, c.text) {
			t.Errorf("%s = %d %s", c.body, a.status, a.body)
		}
	}
}

func TestBatchesAreAllOrNothing(t *testing.T) {
	r := newRig(t)
	before := r.state()
	for path, body := range map[string]string{
		"/admin/users/batch-upsert":            `[{"name":"n1"},{"name":"n2"},{"name":"alice"}]`,
		"/admin/users/batch-delete":            fmt.Sprintf(`[%d,%d]`, r.users["alice"], noSuchID),
		"/admin/user-keys/batch-delete":        fmt.Sprintf(`[%d,%d]`, r.keys["alice"], r.keys["root"]),
		"/admin/user-permissions/batch-upsert": fmt.Sprintf(`[{"user_id":%d,"model_pattern":"z"},{"user_id":%d,"provider_id":987654}]`, r.users["bob"], r.users["bob"]),
		"/admin/user-rate-limits/batch-upsert": fmt.Sprintf(`[{"user_id":%d,"model_pattern":"z","rpm":1},{"rpm":1}]`, r.users["bob"]),
	} {
		a := r.post("boss", path, body)
		if a.status < 400 || a.status >= 500 || !strings.Contains(a.body, "item ") {
			t.Errorf("%s = %d %s", path, a.status, a.body)
		}
	}
	r.unchanged("a refused batch", before)
	if a := r.post("boss", "/admin/users/batch-upsert", `[]`); a.status != 200 {
		t.Error(a)
	}
	if a := r.post("boss", "/admin/users/batch-upsert", `[`+strings.TrimSuffix(strings.Repeat(`{"name":"x"},`, 1001), ",")+`]`); a.status != 400 {
		t.Error(a.status)
	}
	r.unchanged("an empty batch", before)
	many := decode[api.DoneMany](t, r.post("boss", "/admin/users/batch-upsert", `[{"name":"n1"},{"name":"n2","is_admin":true}]`))
	if len(many.IDs) != 2 || many.IDs[0] == many.IDs[1] {
		t.Error(many)
	}
}

func TestKeysAreShownOnceAndCutOffAtOnce(t *testing.T) {
	r := newRig(t)
	made := decode[api.NewKey](t, r.post("boss", "/admin/user-keys/generate", fmt.Sprintf(
		`{"user_id":%d,"label":"ci","models":["gpt-*"],"ip_allow":["192.0.2.0/24","2001:db8::1"],"surfaces":["user"],"expires_at":"2099-01-01T00:00:00Z",`+
			`"quotas":[{"window":"day","quota":1.000000001},{"quota":null}],"limits":[{"model_pattern":"a*","rpm":5}]}`, r.users["bob"])))
	if ok, _ := regexp.MatchString(`^sk-tg-[0-9A-Za-z]{38}$`, made.APIKey); !ok {
		t.Fatalf("key %q", made.APIKey)
	}
	a := r.post("boss", "/admin/user-keys/query", fmt.Sprintf(`{"id":{"eq":%d}}`, made.ID))
	if strings.Contains(a.body, made.APIKey) || !strings.Contains(a.body, `"quota":1.000000001`) {
		t.Error(a.body)
	}
	k := decode[[]api.Key](t, a)[0]
	if k.Label != "ci" || k.Last4 != made.APIKey[len(made.APIKey)-4:] || len(k.Quotas) != 2 || len(k.Limits) != 1 || *k.Limits[0].RPM != 5 ||
		!slices.Equal(k.IPAllow, []string{"192.0.2.0/24", "2001:db8::1/128"}) || *k.CreatedByKeyID != r.keys["boss"] {
		t.Errorf("%+v", k)
	}
	r.token["new"] = made.APIKey
	if a := r.post("new", "/user/quota", "{}"); a.status != 200 {
		t.Error(a)
	}
	if a := r.post("new", "/user/quota", "{}", func(q *http.Request) { q.RemoteAddr = "198.51.100.1:1" }); a.status != 403 {
		t.Error("from elsewhere", a)
	}
	// An absent field stays, null takes the bound away.
	r.post("boss", "/admin/user-keys/update", fmt.Sprintf(`{"id":%d,"models":null,"limits":[],"label":"cd"}`, made.ID))
	k = decode[[]api.Key](t, r.post("boss", "/admin/user-keys/query", fmt.Sprintf(`{"id":{"eq":%d}}`, made.ID)))[0]
	if k.Label != "cd" || len(k.Models) != 0 || len(k.Limits) != 0 || len(k.Quotas) != 2 || len(k.Surfaces) != 1 {
		t.Errorf("%+v", k)
	}
	unknown := r.post("", "/user/quota", "{}", func(q *http.Request) { q.Header.Set("Authorization", "Bearer sk-tg-nobody") })
	for _, step := range []struct {
		path, body string
		want       int
	}{
		{"update-enabled", `{"id":%d,"enabled":false}`, 401}, {"update-enabled", `{"id":%d,"enabled":true}`, 200}, {"delete", `{"id":%d}`, 401},
	} {
		if a := r.post("boss", "/admin/user-keys/"+step.path, fmt.Sprintf(step.body, made.ID)); a.status != 200 {
			t.Fatal(a)
		}
		a := r.post("new", "/user/quota", "{}")
		if a.status != step.want {
			t.Errorf("after %s the key gets %d", step.path, a.status)
		}
		if a.status == 401 && withoutID(a.body) != withoutID(unknown.body) {
			t.Errorf("a cut-off key is told apart: %s, unknown: %s", a.body, unknown.body)
		}
	}
}

func withoutID(body string) string {
	s, _, _ := strings.Cut(body, `"request_id"`)
	return s
}

func TestN73CursorsCannotBeForged(t *testing.T) {
	r := newRig(t)
	type page struct {
		users  []api.User
		cursor string
	}
	get := func(who, body string) (page, answer) {
		a := r.post(who, "/admin/users/query", body)
		var p page
		_ = json.Unmarshal([]byte(a.body), &p.users)
		p.cursor = a.header.Get("x-next-cursor")
		return p, a
	}
	var names []string
	body := `{"limit":2,"sort":"-name"}`
	first := ""
	for range 10 {
		p, a := get("boss", body)
		if a.status != 200 {
			t.Fatal(a)
		}
		for _, u := range p.users {
			names = append(names, u.Name)
		}
		if p.cursor == "" {
			break
		}
		if first == "" {
			first = p.cursor
		}
		body = `{"limit":2,"sort":"-name","cursor":"` + p.cursor + `"}`
	}
	if want := []string{"root", "rival", "owl", "mate", "lead", "gone", "boss2", "boss", "bob", "alice"}; !slices.Equal(names, want) {
		t.Errorf("pages = %v, want %v", names, want)
	}
	raw, err := base64.RawURLEncoding.DecodeString(first)
	if err != nil || bytes.Contains(raw, []byte("gone")) {
		t.Fatalf("the cursor can be read: %q %v", raw, err)
	}
	bad := map[string]answer{
		"another sort":   r.post("boss", "/admin/users/query", `{"limit":2,"sort":"name","cursor":"`+first+`"}`),
		"another caller": r.post("root", "/admin/users/query", `{"limit":2,"sort":"-name","cursor":"`+first+`"}`),
		"another route":  r.post("boss", "/admin/providers/query", `{"limit":2,"sort":"-name","cursor":"`+first+`"}`),
		"made up":        r.post("boss", "/admin/users/query", `{"cursor":"`+base64.RawURLEncoding.EncodeToString([]byte(`{"i":1}`))+`"}`),
		"no base64":      r.post("boss", "/admin/users/query", `{"cursor":"' OR 1=1"}`),
		"cut":            r.post("boss", "/admin/users/query", `{"sort":"-name","cursor":"`+first[:len(first)-2]+`"}`),
	}
	for i := range raw {
		flipped := slices.Clone(raw)
		flipped[i] ^= 1
		bad[fmt.Sprintf("bit of byte %d", i)] = r.post("boss", "/admin/users/query", `{"sort":"-name","cursor":"`+base64.RawURLEncoding.EncodeToString(flipped)+`"}`)
	}
	for name, a := range bad {
		if a.status != 400 || !strings.Contains(a.body, "cursor") {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if _, a := get("boss", `{"sort":"password"}`); a.status != 400 {
		t.Error("sorted by password:", a.status)
	}
}

func TestBodiesAreStrict(t *testing.T) {
	r := newRig(t)
	for _, c := range []struct {
		path, body string
		want       int
		text       string
	}{
		{"/admin/users/upsert", `{"name":"x","name":"y"}`, 400, "name"},
		{"/admin/users/upsert", `{"name":"x","NAME":"y"}`, 400, "NAME"},
		{"/admin/users/upsert", `{"nome":"x"}`, 422, "nome"},
		{"/admin/users/upsert", `{"name":5}`, 422, "name"},
		{"/admin/users/upsert", `{"name":"x"} {}`, 400, "behind"},
		{"/admin/users/query", `{"id":` + strings.Repeat("[", 70) + strings.Repeat("]", 70) + `}`, 400, "nested"},
		{"/admin/users/query", `{"name":{"eq":"` + strings.Repeat("a", 1<<20) + `"}}`, 413, "larger"},
		{"/login", `{"username":"` + strings.Repeat("a", 4<<10) + `","password":"x"}`, 413, "larger"},
		{"/admin/user-quotas/upsert", `{"user_id":4,"quota":0.0000000001}`, 400, "quota"},
		{"/admin/user-quotas/upsert", `{"user_id":4,"quota":"1"}`, 422, "quota"},
		{"/admin/user-permissions/upsert", `{"user_id":4,"provider_id":0}`, 422, "provider_id"},
		{"/admin/user-permissions/upsert", `{"user_id":4,"provider_id":987654}`, 404, "987654"},
		{"/admin/user-permissions/upsert", `{"model_pattern":"x"}`, 400, "user_id"},
		{"/admin/credentials/upsert", `{"provider_id":1,"api_key":"file:/etc/passwd"}`, 400, "file:"},
		{"/admin/providers/upsert", `{"id":1,"base_url":"https://evil.example"}`, 400, "origin"},
	} {
		if a := r.post("root", c.path, c.body); a.status != c.want || !strings.Contains(a.body, c.text) {
			t.Errorf("%s %.60s = %d %.300s", c.path, c.body, a.status, a.body)
		}
	}
	if a := r.post("root", "/admin/users/query", ""); a.status != 200 {
		t.Error("an empty body is an empty object:", a.status)
	}
}

func TestMoneyIsExact(t *testing.T) {
	r := newRig(t)
	for _, amount := range []string{"0.000000001", "123456789.123456789", "0", "25.5", "1000000000"} {
		body := fmt.Sprintf(`{"user_id":%d,"quota":%s,"cost_used":0.000000003,"window":"month"}`, r.users["bob"], amount)
		if a := r.post("boss", "/admin/quotas/upsert", body); a.status != 200 {
			t.Fatal(a)
		}
		a := r.post("boss", "/admin/user-quotas/query", fmt.Sprintf(`{"user_id":{"eq":%d},"window":{"eq":"month"}}`, r.users["bob"]))
		if !strings.Contains(a.body, `"quota":`+amount+`,"cost_used":0.000000003,"held":0,`) || !strings.Contains(a.body, `"resets_at":"20`) {
			t.Errorf("%s came back as %s", amount, a.body)
		}
	}
	if a := r.post("bob/session", "/user/quota", "{}"); !strings.Contains(a.body, `"remaining":999999999.999999997`) {
		t.Error(a.body)
	}
}

// TestB04OneSuperAdminAlwaysRemains lets the administrators take each other's
// rights, and the super admin hand over, all at once.
func TestB04OneSuperAdminAlwaysRemains(t *testing.T) {
	r := newRig(t)
	ids := []int64{r.users["root"], r.users["boss"], r.users["boss2"]}
	tokens := []string{"root", "boss", "boss2"}
	for round := range 15 {
		r.update(func(tx tollgate.Tx) error { // everybody is an admin again
			for _, id := range ids {
				u, err := tx.Users.Get(t.Context(), id)
				if err != nil {
					return err
				}
				if u.Role == tollgate.RoleSuperAdmin {
					continue
				}
				u.Role, u.Enabled = tollgate.RoleAdmin, true
				if err := tx.Users.Update(t.Context(), u); err != nil {
					return err
				}
			}
			return nil
		})
		var wg sync.WaitGroup
		for i, who := range tokens {
			for j, id := range ids {
				if i == j {
					continue
				}
				wg.Go(func() { r.post(who, "/admin/users/upsert", fmt.Sprintf(`{"id":%d,"is_admin":false}`, id)) })
				wg.Go(func() { r.post(who, "/admin/users/upsert", fmt.Sprintf(`{"id":%d,"enabled":false}`, id)) })
				wg.Go(func() { r.post(who, "/admin/users/hand-over", fmt.Sprintf(`{"id":%d}`, id)) })
			}
		}
		wg.Wait()
		users := decode[[]api.User](t, r.post(superAdmin(r), "/admin/users/query", `{"is_super_admin":{"eq":true}}`))
		if len(users) != 1 || !users[0].Enabled || !users[0].IsAdmin {
			t.Fatalf("round %d: %+v", round, users)
		}
	}
}

// superAdmin returns whose key reaches the super admin's account now.
func superAdmin(r *rig) string {
	for _, who := range []string{"root", "boss", "boss2"} {
		if r.post(who, "/admin/users/query", `{}`).status == http.StatusOK {
			return who
		}
	}
	r.t.Fatal("no administrator is left")
	return ""
}

// TestZ06OutputsHaveNoSecrets walks the OpenAPI document: no answer has a
// field for a secret but those that hand out a new one.
func TestZ06OutputsHaveNoSecrets(t *testing.T) {
	r := newRig(t)
	a := r.send(http.MethodGet, "alice/llm", "/openapi.json", "")
	var doc struct {
		OpenAPI    string
		Paths      map[string]map[string]json.RawMessage
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal([]byte(a.body), &doc); err != nil || !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Fatal(err, doc.OpenAPI)
	}
	secret := regexp.MustCompile(`password|secret|token$|api_key|hash|digest|sealed|phc`)
	allowed := map[string]bool{
		"NewKey.api_key": true, "LoginAnswer.session_token": true, "OwnFreshSession.session_token": true,
		"Asked.token": true, "OwnTotpBegun.secret": true, // shown once: the state of a ceremony, and what an app is fed with
		"Pulled.token": true, "Pulled.need_secret": true, "Target.has_password": true, "Target.with_secrets": true, "Plan.token": true, "RolledBack.token": true, "Plan.need_secret": true, "Applied.need_secret": true, "RolledBack.need_secret": true, // names alone; a state
		"User.has_password": true, "OwnMe.has_password": true, "Key.needs_secret": true, "Credential.needs_secret": true,
		"Record.hash": true, // of an audit entry: the chain
	}
	answers := regexp.MustCompile(`#/components/schemas/(\w+)`)
	for path, methods := range doc.Paths {
		var op struct{ Responses map[string]json.RawMessage }
		if err := json.Unmarshal(methods["post"], &op); err != nil {
			t.Fatal(err)
		}
		for _, m := range answers.FindAllStringSubmatch(string(op.Responses["200"]), -1) {
			var s struct{ Properties map[string]json.RawMessage }
			if err := json.Unmarshal(doc.Components.Schemas[m[1]], &s); err != nil {
				t.Fatal(err)
			}
			for field := range s.Properties {
				if secret.MatchString(field) && !allowed[m[1]+"."+field] {
					t.Errorf("%s answers %s.%s", path, m[1], field)
				}
			}
		}
	}
	for _, route := range r.router.Routes() {
		if route.Method == http.MethodPost && doc.Paths[route.Pattern] == nil {
			t.Errorf("%s is not in the document", route.Pattern)
		}
	}
}

func TestW04DocsLoadNothingFromOutside(t *testing.T) {
	r := newRig(t)
	a := r.send(http.MethodGet, "alice/session", "/docs", "")
	if a.status != 200 || !strings.Contains(a.header.Get("Content-Security-Policy"), "script-src 'self'") {
		t.Fatal(a.status, a.header)
	}
	for _, bad := range []string{"<script", "style=", "src=\"http", "href=\"http", "onclick", "//unpkg"} {
		if strings.Contains(a.body, bad) {
			t.Errorf("the page holds %q", bad)
		}
	}
	for _, want := range []string{"/admin/users/upsert", "batch-delete", "id=\"schemas\"", "prefers-color-scheme"} {
		text := a.body + r.send(http.MethodGet, "", "/docs/style.css", "").body
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}

func TestDocsSendABrowserToSignInAndShowItsOwnOrigin(t *testing.T) {
	r := newRig(t)
	html := func(q *http.Request) { q.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.8") }
	if a := r.send(http.MethodGet, "", "/docs", "", html); a.status != http.StatusSeeOther || a.header.Get("Location") != "/console/sign-in?next=/docs" {
		t.Errorf("a browser: %d %s", a.status, a.header.Get("Location"))
	}
	for path, bearer := range map[string]string{"/docs": "gone", "/openapi.json": ""} {
		if a := r.send(http.MethodGet, bearer, path, "", html); a.status != http.StatusUnauthorized {
			t.Errorf("%s as %q: %d", path, bearer, a.status)
		}
	}
	if a := r.send(http.MethodGet, "", "/docs", ""); a.status != http.StatusUnauthorized {
		t.Errorf("a program: %d", a.status)
	}
	named := func(q *http.Request) { q.Host = "localhost:4711" }
	if a := r.send(http.MethodGet, "alice/session", "/docs", "", named); !strings.Contains(a.body, "curl http://localhost:4711/admin/") || strings.Contains(a.body, "{{") {
		t.Error("the examples do not name the address that the page was opened at")
	}
}

func TestZ01OperationWithoutPolicyStopsTheStart(t *testing.T) {
	rt := &web.Router{Auth: newRig(t).router.Auth, Now: time.Now}
	ops := api.New(rt, "test")
	api.Handle(ops, api.Op{Path: "/admin/forgotten", Tag: "x"}, forgotten)
	if err := rt.Err(); err == nil || !strings.Contains(err.Error(), "/admin/forgotten") {
		t.Error(err)
	}
}

func TestAuditTellsWhoChangedWhat(t *testing.T) {
	r := newRig(t)
	r.post("boss", "/admin/users/upsert", fmt.Sprintf(`{"id":%d,"enabled":false}`, r.users["bob"]))
	a := r.post("root", "/admin/audit/query", fmt.Sprintf(`{"target":{"eq":"user"},"target_id":{"eq":%d},"limit":1,"sort":"-id"}`, r.users["bob"]))
	for _, want := range []string{`"actor_name":"boss"`, `"via":"api_key"`, `"ip":"192.0.2.7"`, `"action":"user.upsert"`, `"before":{`, `"request_id":"req_`, fmt.Sprintf(`"key_id":%d`, r.keys["boss"])} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
}

func forgotten(context.Context, *struct{}) (api.Done, error) { return api.Done{}, nil }
