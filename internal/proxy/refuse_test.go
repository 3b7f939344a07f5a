package proxy_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/proxy"
)

// shapeOf fails the test unless body is an error in the dialect's own shape.
func shapeOf(t *testing.T, d tollgate.Dialect, a answer) {
	t.Helper()
	var v struct {
		Type  string
		Error struct {
			Message string
			Type    any
			Code    any
			Status  string
		}
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal([]byte(a.Body), &v); err != nil || v.Error.Message == "" {
		t.Errorf("%s: not an error of the protocol: %s", d, a.Body)
		return
	}
	var ok bool
	switch d {
	case tollgate.DialectAnthropic:
		ok = v.Type == "error" && v.Error.Type != nil
	case tollgate.DialectGemini:
		ok = v.Error.Status != "" && v.Error.Code == float64(a.Status)
	case tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses:
		ok = v.Error.Type != nil && v.Type == ""
	}
	if !ok {
		t.Errorf("%s: not the protocol's shape: %s", d, a.Body)
	}
	if a.Header.Get("X-Tollgate-Request-Id") == "" {
		t.Errorf("%s: no request id", d)
	}
}

// protocols are the ways in: path, model name and the rest of a valid body.
func protocols(g *gateway) []struct {
	dialect       tollgate.Dialect
	path, rest    string
	model, header string
} {
	return []struct {
		dialect       tollgate.Dialect
		path, rest    string
		model, header string
	}{
		{tollgate.DialectOpenAIChat, "/v1/chat/completions", `"messages":[{"role":"user","content":"hi"}]`, "oa-model", "Authorization"},
		{tollgate.DialectOpenAIResponses, "/v1/responses", `"input":"hi"`, "oa-model", "Authorization"},
		{tollgate.DialectAnthropic, "/v1/messages", `"max_tokens":1,"messages":[{"role":"user","content":"hi"}]`, "an-model", "X-Api-Key"},
		{tollgate.DialectGemini, "/v1beta/models/ge-model:generateContent", `"contents":[{"parts":[{"text":"hi"}]}]`, "ge-model", "X-Goog-Api-Key"},
	}
}

func TestBadInputIsRefusedInEveryProtocol(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v, limits: proxy.Limits{MaxBody: 4 << 10}})
	disabled, disabledKey, _ := g.addUser("disabled")
	g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) error {
		disabled.Enabled = false
		return tx.Users.Update(ctx, disabled)
	})
	_, poorKey, _ := g.addUser("nothing permitted")
	total := 0
	for _, p := range protocols(g) {
		gemini := p.dialect == tollgate.DialectGemini
		body := func(model string) string {
			if gemini {
				return "{" + p.rest + "}"
			}
			return `{"model":` + model + `,` + p.rest + `}`
		}
		good := body(`"` + p.model + `"`)
		flip := []byte(g.Key)
		flip[20] ^= 1
		cases := []struct {
			name, body string
			status     int
			header     []string
			path       string
			onlyBody   bool // the model is in the body
		}{
			{name: "empty body", body: " ", status: 400},
			{name: "malformed", body: good[:len(good)-2], status: 400},
			{name: "trailing garbage", body: good + "x", status: 400},
			{name: "two documents", body: good + good, status: 400},
			{name: "array", body: "[" + good + "]", status: 400},
			{name: "string", body: `"hi"`, status: 400},
			{name: "null", body: "null", status: 400},
			{name: "byte order mark", body: "\xef\xbb\xbf" + good, status: 400},
			{name: "duplicate model", body: `{"model":"a",` + good[1:], status: 400, onlyBody: true},
			{name: "escaped duplicate", body: `{"mod\u0065l":"a",` + good[1:], status: 400, onlyBody: true},
			{name: "case variant", body: `{"Model":"a",` + good[1:], status: 400, onlyBody: true},
			{name: "duplicate unknown key", body: `{"zz":1,"zz":2,` + good[1:], status: 400},
			{name: "missing model", body: `{` + p.rest + `}`, status: 400, onlyBody: true},
			{name: "number as model", body: body("7"), status: 400, onlyBody: true},
			{name: "object as model", body: body(`{"a":1}`), status: 400, onlyBody: true},
			{name: "null model", body: body("null"), status: 400, onlyBody: true},
			{name: "empty model", body: body(`""`), status: 400, onlyBody: true},
			{name: "control character in model", body: body(`"a\u0000b"`), status: 400, onlyBody: true},
			{name: "long model", body: body(`"` + strings.Repeat("m", 300) + `"`), status: 400, onlyBody: true},
			{name: "unknown model", body: body(`"no-such-model"`), status: 404, onlyBody: true},
			{name: "unknown provider", body: good, status: 404, path: "/nobody" + p.path},
			{name: "stream as string", body: strings.Replace(good, "{", `{"stream":"yes",`, 1), status: 400, onlyBody: true},
			{name: "too deep", body: strings.Replace(good, "{", `{"zz":`+strings.Repeat("[", 70)+strings.Repeat("]", 70)+",", 1), status: 400},
			{name: "oversize", body: strings.Replace(good, "hi", strings.Repeat("h", 5<<10), 1), status: 413},
			{name: "no content type", body: good, status: 415, header: []string{"Content-Type", ""}},
			{name: "plain text", body: good, status: 415, header: []string{"Content-Type", "text/plain"}},
			{name: "form", body: good, status: 415, header: []string{"Content-Type", "application/x-www-form-urlencoded"}},
			{name: "other charset", body: good, status: 415, header: []string{"Content-Type", "application/json; charset=utf-16"}},
			{name: "compressed", body: good, status: 415, header: []string{"Content-Encoding", "gzip"}},
			{name: "no credential", body: good, status: 401, header: []string{p.header, ""}},
			{name: "flipped character", body: good, status: 401, header: []string{p.header, bearer(p.header, string(flip))}},
			{name: "unknown key", body: good, status: 401, header: []string{p.header, bearer(p.header, "sk-something-else")}},
			{name: "basic credential", body: good, status: 401, header: []string{p.header, "", "Authorization", "Basic YTpi"}},
			{name: "disabled user", body: good, status: 401, header: []string{p.header, bearer(p.header, disabledKey)}},
			{name: "conflicting credentials", body: good, status: 400, header: []string{"Api-Key", "sk-another-key"}},
			{name: "cookie only", body: good, status: 401, header: []string{p.header, "", "Cookie", "tollgate_session=" + g.Key}},
			{name: "not permitted", body: good, status: 403, header: []string{p.header, bearer(p.header, poorKey)}},
			{name: "unknown and not permitted", body: body(`"no-such-model"`), status: 403, header: []string{p.header, bearer(p.header, poorKey)}, onlyBody: true},
		}
		for _, c := range cases {
			if c.onlyBody && gemini {
				continue
			}
			t.Run(string(p.dialect)+"/"+c.name, func(t *testing.T) {
				path := p.path
				if c.path != "" {
					path = c.path
				}
				a := g.send("POST", path, c.body, c.header...)
				total++
				if a.Status != c.status {
					t.Errorf("status %d, want %d: %s", a.Status, c.status, a.Body)
				}
				shapeOf(t, p.dialect, a)
				if a.Status != 503 && a.Header.Get("Retry-After") != "" {
					t.Error("a refusal that retrying cannot cure carries retry-after")
				}
				row := g.last(total)
				if row.Status != a.Status || row.ErrorClass == "" || row.Dialect != p.dialect {
					t.Errorf("row %+v", row)
				}
				if (row.UserID != 0) != (c.status != 401 && c.name != "conflicting credentials") {
					t.Errorf("the row names user %d", row.UserID)
				}
			})
		}
	}
	if v.count() != 0 {
		t.Errorf("%d refused requests reached the vendor", v.count())
	}
	if total < 75 {
		t.Errorf("only %d bad inputs tried", total)
	}
}

func bearer(header, key string) string {
	if header == "Authorization" {
		return "Bearer " + key
	}
	return key
}

func TestUnservedOperationsAnswer501InTheCallersShape(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, c := range []struct {
		method, path, body string
		status             int
		dialect            tollgate.Dialect
	}{
		{"POST", "/v1/images/generations", `{"model":"oa-model"}`, 501, tollgate.DialectOpenAIChat},
		{"POST", "/v1/files", `{}`, 501, tollgate.DialectOpenAIChat},
		{"POST", "/v1/responses/resp_1/steer", `{}`, 501, tollgate.DialectOpenAIResponses},
		{"POST", "/v1/messages/batches", `{"requests":[]}`, 501, tollgate.DialectAnthropic},
		{"POST", "/v1beta/cachedContents", `{}`, 501, tollgate.DialectGemini},
		{"POST", "/v1/completions", `{"model":"an-model","prompt":"x"}`, 501, tollgate.DialectOpenAIChat},
		{"POST", "/v1/moderations", `{"model":"ge-model","input":"x"}`, 501, tollgate.DialectOpenAIChat},
		{"POST", "/v1/embeddings", `{"model":"an-model","input":"x"}`, 501, tollgate.DialectOpenAIChat},
		{"POST", "/v1beta/models/an-model:embedContent", `{"content":{"parts":[{"text":"x"}]}}`, 501, tollgate.DialectGemini},
		{"POST", "/v1/nothing/here", `{}`, 404, tollgate.DialectOpenAIChat},
		{"GET", "/v1/chat/completions", "", 405, tollgate.DialectOpenAIChat},
	} {
		a := g.send(c.method, c.path, c.body)
		if a.Status != c.status {
			t.Errorf("%s: status %d, want %d: %s", c.path, a.Status, c.status, a.Body)
		}
		shapeOf(t, c.dialect, a)
	}
	if g.Vendor.Dispatches() != 0 {
		t.Error("an unserved operation reached the vendor")
	}
}

func TestABrokenHandshakeIsRefusedInTheProtocolsShape(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	whole := []string{"Connection", "keep-alive, Upgrade", "Upgrade", "websocket", "Sec-Websocket-Version", "13", "Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="}
	for name, c := range map[string]struct {
		change []string
		status int
	}{
		"no key":          {[]string{"Sec-Websocket-Key", ""}, 400},
		"a short key":     {[]string{"Sec-Websocket-Key", "AAAA"}, 400},
		"another version": {[]string{"Sec-Websocket-Version", "8"}, 400},
		"no connection":   {[]string{"Connection", "keep-alive"}, 400},
		"a wrong API key": {[]string{"Authorization", "Bearer sk-wrong"}, 401},
		"no API key":      {[]string{"Authorization", ""}, 401},
		"no upgrade":      {[]string{"Upgrade", ""}, 405},
	} {
		a := g.send("GET", "/v1/responses", "", append(whole, c.change...)...)
		if a.Status != c.status {
			t.Errorf("%s: status %d %s, want %d", name, a.Status, a.Body, c.status)
		}
		shapeOf(t, tollgate.DialectOpenAIResponses, a)
	}
}

func TestProbesOfClaudeCodeAreAnswered(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, path := range []string{"/", "/api/hello"} {
		if a := g.send("HEAD", path, "", "Authorization", ""); a.Status != 200 {
			t.Errorf("HEAD %s gives %d", path, a.Status)
		}
		if a := g.send("GET", path, "", "Authorization", ""); a.Status == 200 {
			t.Errorf("GET %s gives %d", path, a.Status)
		}
	}
	if rows := g.rows(2); len(rows) != 2 {
		t.Errorf("probes left rows: %+v", rows)
	}
}

func TestServiceKeyBypassesUsers(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(200, "application/json", chatAnswer)}})
	access := "a-service-key-of-thirty-characters"
	must(t, g.setAccess(access, "oa-*"))
	if a := g.send("POST", "/v1/chat/completions", askChat, "Authorization", "Bearer "+access); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if row := g.last(1); !row.Service || row.UserID != 0 {
		t.Errorf("row %+v", row)
	}
	if a := g.send("POST", "/v1/chat/completions", `{"model":"cp-model","messages":[]}`, "Authorization", "", "X-Access-Key", access); a.Status != 403 {
		t.Errorf("%d %s, want 403", a.Status, a.Body)
	}
}

func TestSessionTokenCallsForItsUser(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(200, "application/json", chatAnswer)}})
	token := g.signIn()
	a := g.send("POST", "/v1/chat/completions", askChat, "Authorization", "Bearer "+token)
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if row := g.last(1); row.UserID != g.User.ID || row.KeyID != 0 || row.SessionID == 0 {
		t.Errorf("row %+v", row)
	}
	if a := g.send("POST", "/v1/chat/completions", askChat, "Authorization", "", "X-Api-Key", token); a.Status != 401 {
		t.Errorf("a session token as x-api-key gives %d, want 401", a.Status)
	}
}

func TestD03BodiesInFlightAreBounded(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	v := &spy{}
	v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
		<-release
		says(200, "application/json", chatAnswer)(w, r, n)
	}
	g := start(t, options{vendor: v, limits: proxy.Limits{InFlightBytes: 300 << 10}})
	big := strings.Replace(askChat, "hi", strings.Repeat("x", 200<<10), 1)
	first := make(chan answer, 1)
	go func() { first <- g.send("POST", "/v1/chat/completions", big) }()
	for v.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	a := g.send("POST", "/v1/chat/completions", big)
	if a.Status != 503 || a.Header.Get("Retry-After") == "" {
		t.Errorf("the second body: %d %s, want 503 with retry-after", a.Status, a.Body)
	}
	close(release)
	if a := <-first; a.Status != 200 {
		t.Errorf("the first body: %d %s", a.Status, a.Body)
	}
	settled(t, g)
}

// TestChunkedOversizeIsCutOff sends a body of unknown length past the limit.
func TestChunkedOversizeIsCutOff(t *testing.T) {
	t.Parallel()
	g := start(t, options{limits: proxy.Limits{MaxBody: 64 << 10}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n", strings.TrimPrefix(g.URL, "http://"), g.Key)
	go func() {
		chunk := fmt.Sprintf("%x\r\n%s\r\n", 16<<10, strings.Repeat(" ", 16<<10))
		for {
			if _, err := io.WriteString(conn, chunk); err != nil {
				return
			}
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 413 || !resp.Close {
		t.Errorf("status %d, close %v; want 413 and a closed connection", resp.StatusCode, resp.Close)
	}
}

// TestUnauthenticatedBodyIsNotRead: the refusal must come before the body.
func TestUnauthenticatedBodyIsNotRead(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: sk-wrong\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n")
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 401 {
		t.Errorf("status %d, want 401", resp.StatusCode)
	}
}

// TestD01SlowBodyIsGivenUp sends a body at a trickle.
func TestD01SlowBodyIsGivenUp(t *testing.T) {
	t.Parallel()
	g := start(t, options{limits: proxy.Limits{Body: 200 * time.Millisecond}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n", g.Key)
	go func() {
		for {
			if _, err := io.WriteString(conn, " "); err != nil {
				return
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 400 || !resp.Close {
		t.Errorf("status %d, close %v; want 400 and a closed connection", resp.StatusCode, resp.Close)
	}
	if row := g.last(1); row.ErrorClass != tollgate.CodeInvalid || row.UserID != g.User.ID {
		t.Errorf("row %+v", row)
	}
}
