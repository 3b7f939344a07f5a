package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// asPage sends a call as the page of a browser that has signed in, with more
// headers, in pairs.
func (g *gateway) asPage(session, path string, body []byte, headers ...string) (*http.Response, string) {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+path, bytes.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.AddCookie(&http.Cookie{Name: "tollgate_session", Value: session})
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return resp, string(text)
}

// The playground is the data plane by cookie: in all dialects, streamed or
// not, on the caller's own account; for pages of this gateway alone.
func TestThePlaygroundCallsInTheNameOfWhoHasSignedIn(t *testing.T) {
	v := newVendor(t)
	g := start(t, v, "")
	id := g.person("ada", false, map[string]any{"model_pattern": "*"})
	session := g.login("ada", adminPassword+"ada")
	const prefix = "/user/playground"
	for name, c := range map[string]struct{ path, body string }{
		"chat":             {"/v1/chat/completions", bodyChat},
		"chat, streamed":   {"/v1/chat/completions", string(chat(true, "Hello"))},
		"responses":        {"/v1/responses", `{"model":"demo-small","input":"Hello"}`},
		"messages":         {"/v1/messages", bodyChat},
		"generate":         {"/v1beta/models/demo-small:generateContent", bodyGemini},
		"generate, stream": {"/v1beta/models/demo-small:streamGenerateContent?alt=sse", bodyGemini},
		"of a provider":    {"/v1/chat/completions", strings.Replace(bodyChat, "demo-small", "oa/demo-small", 1)},
	} {
		resp, body := g.asPage(session, prefix+c.path, []byte(c.body), "Sec-Fetch-Site", "same-origin")
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", name, resp.StatusCode, body)
			continue
		}
		var row struct {
			UserID int64  `json:"user_id"`
			KeyID  *int64 `json:"key_id"`
		}
		g.admin("/admin/requests/get", map[string]any{"id": resp.Header.Get("X-Tollgate-Request-Id")}, &row)
		if row.UserID != id || (row.KeyID != nil && *row.KeyID != 0) {
			t.Errorf("%s is on the account of user %d, key %v", name, row.UserID, row.KeyID)
		}
	}

	before := v.Dispatches()
	for name, c := range map[string]struct {
		path   string
		header []string
		status int
	}{
		"another site's page":         {prefix + "/v1/chat/completions", []string{"Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"another origin":              {prefix + "/v1/chat/completions", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"a form of another site":      {prefix + "/v1/chat/completions", []string{"Content-Type", "text/plain"}, http.StatusUnsupportedMediaType},
		"the data plane itself":       {"/v1/chat/completions", nil, http.StatusUnauthorized},
		"a scope, which is not there": {prefix + "/oa/v1/chat/completions", nil, http.StatusNotFound},
		"no way out of the prefix":    {prefix + "/v1/../../admin/users/query", nil, http.StatusBadRequest},
		"an operation of nobody's":    {prefix + "/v1/nothing", nil, http.StatusNotFound},
	} {
		if resp, body := g.asPage(session, c.path, []byte(bodyChat), c.header...); resp.StatusCode != c.status {
			t.Errorf("%s: %d %s, want %d", name, resp.StatusCode, body, c.status)
		}
	}
	if n := v.Dispatches() - before; n != 0 {
		t.Errorf("%d refused calls reached a provider", n)
	}

	resp, body := g.asPage(session, prefix+"/v1/messages", []byte(strings.Replace(bodyChat, "demo-small", "no-such", 1)))
	var refusal struct {
		Type  string
		Error struct{ Type string }
	}
	if err := json.Unmarshal([]byte(body), &refusal); err != nil || resp.StatusCode != http.StatusNotFound || refusal.Error.Type != "not_found_error" {
		t.Errorf("an unknown model is refused in another shape than its protocol's: %d %s", resp.StatusCode, body)
	}
	if status, body := g.adminAs(session, "/logout", map[string]any{}); status != http.StatusOK {
		t.Fatalf("logout: %d %s", status, body)
	}
	if resp, body := g.asPage(session, prefix+"/v1/chat/completions", []byte(bodyChat)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the session's end: %d %s", resp.StatusCode, body)
	}
}
