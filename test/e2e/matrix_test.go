package e2e

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	accessKey  = "access-key-canary-0123456789abcdef"
	matrixFile = "testdata/matrix.txt"
)

// caller is a column of the matrix: who, and how their credential is sent.
type caller struct {
	name string
	sign func(r *http.Request)
	// dead callers must be refused wherever a credential is needed, all with
	// the same words; deny ones must never get an answer from a provider.
	dead, deny bool
}

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

func bearer(token string) func(*http.Request) { return header("Authorization", "Bearer "+token) }

// matrixRow is a route of the matrix. answered is what a caller with every
// right gets there; call marks those that a provider answers.
type matrixRow struct {
	method, pattern, path, body string
	socket                      bool // asks for a WebSocket
	answered                    int
	public, page, call          bool
	session                     bool // only a session will do, also by cookie
}

const (
	bodyChat   = `{"model":"demo-small","max_tokens":16,"messages":[{"role":"user","content":"Hello"}]}`
	bodyGemini = `{"contents":[{"role":"user","parts":[{"text":"Hello"}]}]}`
	bodyEmbed  = `{"content":{"parts":[{"text":"Hello"}]}}`
)

// callRows are the operations that providers serve, unscoped and scoped to a
// provider that speaks their protocol.
func callRows() []matrixRow {
	var rows []matrixRow
	add := func(provider, pattern, model, body string) {
		path := strings.ReplaceAll(pattern, "{model}", model)
		for _, scope := range [][2]string{{"", ""}, {"/{provider}", "/" + provider}} {
			rows = append(rows, matrixRow{
				method: http.MethodPost, pattern: scope[0] + pattern, path: scope[1] + path, body: body,
				answered: http.StatusOK, call: true,
			})
		}
	}
	add("oa", "/v1/chat/completions", "", bodyChat)
	add("oa", "/v1/completions", "", `{"model":"demo-small","max_tokens":16,"prompt":"Hello"}`)
	add("oa", "/v1/responses", "", `{"model":"demo-small","input":"Hello"}`)
	add("oa", "/v1/responses/input_tokens", "", `{"model":"demo-small","input":"Hello"}`)
	add("oa", "/v1/responses/compact", "", `{"model":"demo-small","input":"Hello"}`)
	add("oa", "/v1/embeddings", "", `{"model":"demo-embed","input":"Hello"}`)
	add("oa", "/v1/moderations", "", `{"model":"demo-small","input":"Hello"}`)
	add("an", "/v1/messages", "", bodyChat)
	add("an", "/v1/messages/count_tokens", "", `{"model":"demo-small","messages":[{"role":"user","content":"Hello"}]}`)
	for _, version := range []string{"/v1beta", "/v1"} {
		add("ge", version+"/models/{model}:generateContent", "demo-small", bodyGemini)
		add("ge", version+"/models/{model}:streamGenerateContent", "demo-small", bodyGemini)
		add("ge", version+"/models/{model}:countTokens", "demo-small", bodyGemini)
		add("ge", version+"/models/{model}:embedContent", "demo-embed", bodyEmbed)
		add("ge", version+"/models/{model}:batchEmbedContents", "demo-embed", `{"requests":[{"model":"models/demo-embed","content":{"parts":[{"text":"Hello"}]}}]}`)
	}
	return rows
}

// otherRows are model lists and look-ups, what is known but not served, and
// the routes of operators and people.
func otherRows() []matrixRow {
	var rows []matrixRow
	add := func(method, pattern string, answered int) {
		path := strings.NewReplacer("{provider}", "oa", "{model}", "demo-small", "{id}", "resp_of_nobody").Replace(pattern)
		rows = append(rows, matrixRow{method: method, pattern: pattern, path: path, answered: answered})
	}
	for _, version := range []string{"/v1", "/v1beta"} {
		for _, scope := range []string{"", "/{provider}"} {
			add(http.MethodGet, scope+version+"/models", http.StatusOK)
			add(http.MethodHead, scope+version+"/models", http.StatusOK)
			add(http.MethodGet, scope+version+"/models/{model}", http.StatusOK)
		}
	}
	for _, scope := range []string{"", "/{provider}"} {
		add(http.MethodGet, scope+"/v1/responses", http.StatusSwitchingProtocols)
		rows[len(rows)-1].socket = true
		add(http.MethodGet, scope+"/v1/responses/{id}", http.StatusNotFound)
		add(http.MethodGet, scope+"/v1/responses/{id}/input_items", http.StatusNotFound)
		add(http.MethodDelete, scope+"/v1/responses/{id}", http.StatusNotFound)
		add(http.MethodPost, scope+"/v1/responses/{id}/cancel", http.StatusNotFound)
	}
	add(http.MethodPost, "/v1/models", http.StatusMethodNotAllowed)
	add(http.MethodGet, "/v1/chat/completions", http.StatusMethodNotAllowed)
	add(http.MethodPost, "/v1/images/generations", http.StatusNotImplemented)
	add(http.MethodPost, "/v1/files", http.StatusNotImplemented)
	add(http.MethodPost, "/{provider}/v1/completions", http.StatusNotImplemented)
	rows[len(rows)-1].path = "/an/v1/completions" // no other protocol has them
	rows[len(rows)-1].body = `{"model":"demo-small","prompt":"Hello"}`
	add(http.MethodPost, "/{provider}/v1/messages", http.StatusOK)
	rows[len(rows)-1].body, rows[len(rows)-1].call = bodyChat, true // translated: oa does not speak it
	add(http.MethodPost, "/nobody/v1/chat/completions", http.StatusNotFound)
	rows[len(rows)-1].body = bodyChat
	rows = append(rows, playgroundRows()...)
	add(http.MethodGet, "/v1/nothing", http.StatusNotFound)
	add(http.MethodGet, "/nothing", http.StatusNotFound)

	for _, path := range []string{"/healthz", "/readyz", "/version", "/console/"} {
		for _, method := range []string{http.MethodGet, http.MethodHead} {
			add(method, path, http.StatusOK)
			rows[len(rows)-1].public = true
		}
	}
	for _, path := range []string{"HEAD /", "HEAD /api/hello", "GET /docs/style.css"} {
		method, path, _ := strings.Cut(path, " ")
		add(method, path, http.StatusOK)
		rows[len(rows)-1].public = true
	}
	add(http.MethodGet, "/", http.StatusFound)
	rows[len(rows)-1].public = true
	for _, path := range []string{"/docs", "/openapi.json", "/metrics"} {
		add(http.MethodGet, path, http.StatusOK)
		rows[len(rows)-1].page = true
	}
	return rows
}

// playgroundRows are the data plane's paths for people who have signed in.
func playgroundRows() []matrixRow {
	const v1, v1beta = "/user/playground/v1/", "/user/playground/v1beta/"
	return []matrixRow{
		{method: http.MethodGet, pattern: v1, path: v1 + "models", answered: http.StatusOK, session: true},
		{method: http.MethodPost, pattern: v1, path: v1 + "chat/completions", body: bodyChat, answered: http.StatusOK, session: true, call: true},
		{method: http.MethodPost, pattern: v1, path: v1 + "responses", body: `{"model":"demo-small","input":"Hello"}`, answered: http.StatusOK, session: true, call: true},
		{method: http.MethodPost, pattern: v1, path: v1 + "messages", body: bodyChat, answered: http.StatusOK, session: true, call: true},
		{method: http.MethodGet, pattern: v1beta, path: v1beta + "models", answered: http.StatusOK, session: true},
		{method: http.MethodPost, pattern: v1beta, path: v1beta + "models/demo-small:generateContent", body: bodyGemini, answered: http.StatusOK, session: true, call: true},
		{method: http.MethodPost, pattern: v1, path: v1 + "nothing", body: `{}`, answered: http.StatusNotFound, session: true},
		{method: http.MethodGet, pattern: v1, path: v1 + "responses", answered: http.StatusNotImplemented, socket: true, session: true},
	}
}

// generate makes a key with the given limits and returns it with its id.
func (g *gateway) generate(user int64, with map[string]any) (key string, id int64) {
	g.t.Helper()
	in := map[string]any{"user_id": user, "label": "matrix"}
	maps.Copy(in, with)
	var made struct {
		ID     int64
		APIKey string `json:"api_key"`
	}
	g.admin("/admin/user-keys/generate", in, &made)
	return made.APIKey, made.ID
}

// person makes a user; permission is what they may use, nil for nothing.
func (g *gateway) person(name string, isAdmin bool, permission map[string]any) int64 {
	g.t.Helper()
	var made struct{ ID int64 }
	g.admin("/admin/users/upsert", map[string]any{"name": name, "password": adminPassword + name, "is_admin": isAdmin}, &made)
	if permission != nil {
		permission["user_id"] = made.ID
		g.admin("/admin/user-permissions/upsert", permission, nil)
	}
	return made.ID
}

func (g *gateway) providerID(name string) int64 {
	g.t.Helper()
	var found []struct{ ID int64 }
	g.admin("/admin/providers/query", map[string]any{"name": map[string]any{"eq": name}}, &found)
	if len(found) != 1 {
		g.t.Fatalf("%d providers are called %s", len(found), name)
	}
	return found[0].ID
}

// matrixCallers makes everyone whom the columns need.
func matrixCallers(g *gateway) []caller {
	everything := func() map[string]any { return map[string]any{"model_pattern": "*"} }
	alice := g.person("alice", false, everything())
	nothing := g.person("nothing", false, nil)
	narrow := g.person("narrow", false, map[string]any{"model_pattern": "demo-large", "provider_id": g.providerID("oa")})
	gone := g.person("gone", false, everything())
	boss := g.person("boss", true, nil)

	good, _ := g.generate(alice, nil)
	second, _ := g.generate(alice, nil)
	expired, _ := g.generate(alice, map[string]any{"expires_at": time.Now().Add(time.Second).UTC().Format(time.RFC3339Nano)})
	expiry := time.Now().Add(1100 * time.Millisecond)
	disabled, id := g.generate(alice, nil)
	g.admin("/admin/user-keys/update-enabled", map[string]any{"id": id, "enabled": false}, nil)
	deleted, id := g.generate(alice, nil)
	g.admin("/admin/user-keys/delete", map[string]any{"id": id}, nil)
	ofGone, _ := g.generate(gone, nil)
	sessionOfGone := g.login("gone", adminPassword+"gone")
	g.admin("/admin/users/upsert", map[string]any{"id": gone, "enabled": false}, nil)
	limited := func(user int64, with map[string]any) func(*http.Request) {
		key, _ := g.generate(user, with)
		return bearer(key)
	}
	session := g.login("alice", adminPassword+"alice")
	flipped := []byte(good)
	flipped[10] ^= 1
	bossKey, _ := g.generate(boss, nil)
	cookie := func(token string) func(*http.Request) {
		return func(r *http.Request) { r.AddCookie(&http.Cookie{Name: "tollgate_session", Value: token}) }
	}

	columns := []caller{
		{name: "anonymous", sign: func(*http.Request) {}, deny: true},
		{name: "flipped-key", sign: bearer(string(flipped)), dead: true},
		{name: "deleted-key", sign: bearer(deleted), dead: true},
		{name: "disabled-key", sign: bearer(disabled), dead: true},
		{name: "expired-key", sign: bearer(expired), dead: true},
		{name: "key-of-disabled-user", sign: bearer(ofGone), dead: true},
		{name: "session-of-disabled-user", sign: bearer(sessionOfGone), dead: true},
		{name: "no-permission", sign: limited(nothing, nil), deny: true},
		{name: "other-permission", sign: limited(narrow, nil), deny: true},
		{name: "key", sign: bearer(good)},
		{name: "key-x-api-key", sign: header("X-Api-Key", good)},
		{name: "key-x-goog-api-key", sign: header("X-Goog-Api-Key", good)},
		{name: "key-api-key", sign: header("Api-Key", good)},
		{name: "key-query", sign: func(r *http.Request) { r.URL.RawQuery = "key=" + good }},
		{name: "key-x-access-key", sign: header("X-Access-Key", good), dead: true},
		{name: "key-for-user", sign: limited(alice, map[string]any{"surfaces": []string{"user"}}), deny: true},
		{name: "key-for-llm", sign: limited(alice, map[string]any{"surfaces": []string{"llm"}})},
		{name: "key-for-other-model", sign: limited(alice, map[string]any{"models": []string{"other-*"}}), deny: true},
		{name: "key-from-elsewhere", sign: limited(alice, map[string]any{"ip_allow": []string{"203.0.113.0/24"}}), deny: true},
		{name: "session", sign: bearer(session)},
		{name: "session-cookie", sign: cookie(session), deny: true},
		{name: "admin-key", sign: bearer(bossKey)},
		{name: "admin-key-for-user", sign: limited(boss, map[string]any{"surfaces": []string{"user"}}), deny: true},
		{name: "admin-key-for-llm", sign: limited(boss, map[string]any{"surfaces": []string{"llm"}})},
		{name: "admin-key-for-admin", sign: limited(boss, map[string]any{"surfaces": []string{"admin"}}), deny: true},
		{name: "admin-session-cookie", sign: cookie(g.login("boss", adminPassword+"boss")), deny: true},
		{name: "super-admin-key", sign: bearer(adminKey)},
		{name: "access-key", sign: bearer(accessKey)},
		{name: "x-access-key", sign: header("X-Access-Key", accessKey)},
		{name: "access-key-x-api-key", sign: header("X-Api-Key", accessKey), dead: true},
		{name: "same-twice", sign: func(r *http.Request) { bearer(good)(r); header("X-Api-Key", good)(r) }},
		{name: "conflicting", sign: func(r *http.Request) { bearer(good)(r); header("X-Api-Key", second)(r) }, deny: true},
		{name: "key-and-access-key", sign: func(r *http.Request) { bearer(good)(r); header("X-Access-Key", accessKey)(r) }, deny: true},
	}
	time.Sleep(time.Until(expiry))
	return columns
}

// cell is one answer of the matrix.
type cell struct {
	status int
	body   string
	models int // in a list; -1 elsewhere
	id     string
}

func (c cell) String() string {
	if c.models >= 0 {
		return fmt.Sprintf("%d:%d", c.status, c.models)
	}
	return strconv.Itoa(c.status)
}

func (g *gateway) cell(row matrixRow, sign func(*http.Request)) cell {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), row.method, g.url+row.path, strings.NewReader(row.body))
	if err != nil {
		g.t.Fatal(err)
	}
	if row.method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	if row.socket {
		for name, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-Websocket-Version": "13", "Sec-Websocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="} {
			req.Header.Set(name, v)
		}
	}
	sign(req)
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatalf("%s %s: %v", row.method, row.path, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return cell{status: resp.StatusCode, models: -1, id: resp.Header.Get("X-Tollgate-Request-Id")}
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatalf("%s %s: %v", row.method, row.path, err)
	}
	c := cell{status: resp.StatusCode, body: string(body), models: -1, id: resp.Header.Get("X-Tollgate-Request-Id")}
	if row.method == http.MethodGet && strings.HasSuffix(row.path, "/models") && c.status == http.StatusOK {
		var list struct{ Data, Models []json.RawMessage }
		if err := json.Unmarshal(body, &list); err != nil {
			g.t.Fatalf("%s %s: %v in %s", row.method, row.path, err, body)
		}
		c.models = len(list.Data) + len(list.Models)
	}
	return c
}

// TestZ02AuthorizationMatrixOfTheDataPlane sends every route of the data plane,
// of operators and of people as every kind of caller to the real binary, and
// compares the answers with testdata/matrix.txt, which is read by eye whenever
// it changes. The admin API and self-service have their own matrix in
// internal/admin.
func TestZ02AuthorizationMatrixOfTheDataPlane(t *testing.T) {
	v := newVendor(t)
	g := start(t, v, "[server]\naccess_key = \""+accessKey+"\"\n")
	g.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	columns := matrixCallers(g)
	rows := append(callRows(), otherRows()...)

	var out bytes.Buffer
	out.WriteString("# The answer of every data-plane and plain route to every caller; status, and for lists of models how many.\n" +
		"# Written by go test ./test/e2e -run Z02 -update; review every change.\n# columns:")
	for _, c := range columns {
		out.WriteString(" " + c.name)
	}
	out.WriteString("\n")
	for _, row := range rows {
		name := row.method + " " + row.path
		if row.path != row.pattern {
			name = row.method + " " + row.pattern + " = " + row.path
		}
		fmt.Fprintf(&out, "%s\n   ", name)
		refusal := ""
		for _, c := range columns {
			before := v.Dispatches()
			got := g.cell(row, c.sign)
			fmt.Fprintf(&out, " %s", got)
			checkCell(t, row, c, got, v.Dispatches()-before)
			if c.dead && !row.public {
				said := strings.ReplaceAll(got.body, got.id, "ID")
				if refusal == "" {
					refusal = said
				}
				if said != refusal {
					t.Errorf("%s as %s is told apart: %s, not %s", name, c.name, said, refusal)
				}
			}
		}
		out.WriteString("\n")
	}
	t.Logf("%d routes, %d callers", len(rows), len(columns))
	compareGolden(t, matrixFile, out.Bytes())
}

// checkCell holds for every cell, whatever the golden file says.
func checkCell(t *testing.T, row matrixRow, c caller, got cell, dispatched int64) {
	t.Helper()
	fail := func(format string, args ...any) {
		t.Helper()
		t.Errorf("%s %s as %s: %d %s: %s", row.method, row.path, c.name, got.status, got.body, fmt.Sprintf(format, args...))
	}
	if got.id == "" {
		fail("no request id")
	}
	if served := got.status == http.StatusOK && row.call; (dispatched == 1) != served || dispatched > 1 {
		fail("%d requests reached a provider", dispatched)
	}
	switch {
	case row.public:
		if got.status != row.answered {
			fail("want %d whoever asks", row.answered)
		}
	case c.dead || c.name == "anonymous":
		if got.status != http.StatusUnauthorized {
			fail("want 401")
		}
	case row.session && strings.Contains(c.name, "session"):
		if got.status != row.answered {
			fail("want %d", row.answered)
		}
	case row.session:
		if got.status/100 != 4 {
			fail("only a session will do")
		}
	case c.deny && row.call:
		if got.status/100 != 4 {
			fail("want a refusal")
		}
	case c.name == "super-admin-key":
		if got.status != row.answered {
			fail("want %d", row.answered)
		}
	case got.status >= http.StatusInternalServerError && got.status != http.StatusNotImplemented:
		fail("a refusal must not be a fault")
	}
}

func compareGolden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
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
