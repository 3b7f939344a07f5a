package upstream_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/upstream"
)

const (
	chat      = tollgate.DialectOpenAIChat
	responses = tollgate.DialectOpenAIResponses
	messages  = tollgate.DialectAnthropic
	gemini    = tollgate.DialectGemini
)

func TestURLsByKindAndBaseURL(t *testing.T) {
	versionPath := func(v string) string { return `{"version_path":"` + v + `"}` }
	for _, c := range []struct {
		kind, base, settings string
		call                 upstream.Call
		want                 string
	}{
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://api.openai.com/v1/chat/completions"},
		{"openai", "", "", upstream.Call{Dialect: responses, Operation: tollgate.OpGenerate}, "https://api.openai.com/v1/responses"},
		{"openai", "", "", upstream.Call{Dialect: responses, Operation: tollgate.OpCount}, "https://api.openai.com/v1/responses/input_tokens"},
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpEmbed}, "https://api.openai.com/v1/embeddings"},
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpModerate}, "https://api.openai.com/v1/moderations"},
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpComplete}, "https://api.openai.com/v1/completions"},
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpListModels}, "https://api.openai.com/v1/models"},
		{"openai", "", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGetModel, Model: "ft:gpt-4o:a/b"}, "https://api.openai.com/v1/models/ft:gpt-4o:a/b"},
		{"openai-compatible", "https://llm.example.com:8443/openai/v1", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com:8443/openai/v1/chat/completions"},
		{"openai-compatible", "https://llm.example.com/v4beta", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com/v4beta/chat/completions"},
		{"openai-compatible", "https://llm.example.com/api/", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com/api/v1/chat/completions"},
		{"openai-compatible", "https://llm.example.com/vendor", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com/vendor/v1/chat/completions"},
		{"openai-compatible", "https://llm.example.com", versionPath(""), upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com/chat/completions"},
		{"openai-compatible", "https://llm.example.com", versionPath("/compat/v2/"), upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "https://llm.example.com/compat/v2/chat/completions"},
		{"openai-compatible", "http://127.0.0.1:9000", "", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate}, "http://127.0.0.1:9000/v1/chat/completions"},
		{"anthropic", "", "", upstream.Call{Dialect: messages, Operation: tollgate.OpGenerate, Query: url.Values{"beta": {"true"}}}, "https://api.anthropic.com/v1/messages?beta=true"},
		{"anthropic", "https://api.anthropic.com/v1", "", upstream.Call{Dialect: messages, Operation: tollgate.OpCount}, "https://api.anthropic.com/v1/messages/count_tokens"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "g-2.5", Version: "v1beta"}, "https://generativelanguage.googleapis.com/v1beta/models/g-2.5:generateContent"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "g-2.5", Version: "v1", Stream: true, Query: url.Values{"alt": {"sse"}, "key": {"sk-client"}}}, "https://generativelanguage.googleapis.com/v1/models/g-2.5:streamGenerateContent?alt=sse"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "g"}, "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent"},
		{"gemini", "https://g.example/v1alpha", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpCount, Model: "g", Version: "v1"}, "https://g.example/v1alpha/models/g:countTokens"},
		{"gemini", "https://g.example", versionPath("v2"), upstream.Call{Dialect: gemini, Operation: tollgate.OpEmbed, Model: "g", Version: "v1"}, "https://g.example/v2/models/g:embedContent"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpBatchEmbed, Model: "models/g"}, "https://generativelanguage.googleapis.com/v1beta/models/g:batchEmbedContents"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "tunedModels/t 1?x#y%2e"}, "https://generativelanguage.googleapis.com/v1beta/tunedModels/t%201%3Fx%23y%252e:generateContent"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpListModels, Version: "v1"}, "https://generativelanguage.googleapis.com/v1/models"},
		{"gemini", "", "", upstream.Call{Dialect: gemini, Operation: tollgate.OpGetModel, Model: "g"}, "https://generativelanguage.googleapis.com/v1beta/models/g"},
	} {
		e := newWorld(t).save(t, upstream.ProviderWrite{
			Name: some("p"), Kind: some(c.kind), BaseURL: some(c.base), Settings: some(json.RawMessage(c.settings)),
		}, "secret-0123456789")
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], &c.call)
		if err != nil {
			t.Errorf("%s %s: %v", c.kind, c.base, err)
			continue
		}
		if got := req.URL.String(); got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.kind, c.base, got, c.want)
		}
		if req.Host != req.URL.Host {
			t.Errorf("host %q", req.Host)
		}
	}
}

func TestModelNamesThatWalkPathsAreRefused(t *testing.T) {
	e := newWorld(t).provider(t, "gemini", "", "secret-0123456789")
	for _, m := range []string{"", "..", "../v1/files", "a/../../b", "a//b", "/a", "a/", "./a", `a\b`} {
		_, err := e.NewRequest(t.Context(), e.Credentials()[0], &upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: m})
		if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q: %v", m, err)
		}
	}
}

func TestOperationsThatAProviderLacksAreUnsupported(t *testing.T) {
	e := newWorld(t).provider(t, "openai-compatible", "https://llm.example.com/v1")
	for _, c := range []upstream.Call{
		{Dialect: responses, Operation: tollgate.OpGenerate},
		{Dialect: messages, Operation: tollgate.OpGenerate},
		{Dialect: chat, Operation: tollgate.OpBatchEmbed},
		{Dialect: chat, Operation: tollgate.OpOther},
		{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "g"},
	} {
		if _, err := e.NewRequest(t.Context(), e.Credentials()[0], &c); tollgate.ErrorCode(err) != tollgate.CodeUnsupported || e.Serves(c.Dialect, c.Operation) {
			t.Errorf("%s %s: %v", c.Dialect, c.Operation, err)
		}
	}
	if !slices.Equal(e.Dialects(), []tollgate.Dialect{chat}) || !e.Serves(chat, tollgate.OpEmbed) {
		t.Errorf("dialects %v", e.Dialects())
	}
}

// canary is planted in every header that must stay here.
const canary = "CANARY-e7b1"

func TestN67OnlyTheProtocolsHeadersCross(t *testing.T) {
	stay := http.Header{}
	for _, k := range []string{
		"Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Access-Key", "Proxy-Authorization", "X-Goog-User-Project", "X-Goog-Iam-Authorization-Token",
		"Openai-Organization", "Openai-Project", "Anthropic-Organization-Id", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "Via", "X-Real-Ip",
		"True-Client-Ip", "Cf-Connecting-Ip", "Host", "Content-Length", "Content-Encoding", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Keep-Alive", "Expect",
		"Accept-Language", "Sec-Fetch-Mode", "Sec-Websocket-Key", "Origin", "Referer", "Metadata-Flavor", "X-Google-Metadata-Request", "X-Aws-Ec2-Metadata-Token",
		"X-Tollgate-Tags", "X-Team", "X_api_key", "X_forwarded_for", "Anthropic_version", "Openai_organization", "X-Stainless_lang", "X-Csrf-Token", "Range", "If-None-Match",
		"X-Custom", "Anthropic-Named", "X-Stainless-Named",
	} {
		stay[http.CanonicalHeaderKey(k)] = []string{canary}
	}
	cross := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"OpenAI/JS 6.49.0"}, "Idempotency-Key": {"abc"},
		"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a,b", "c"}, "Anthropic-Dangerous-Direct-Browser-Access": {"true"}, "Openai-Beta": {"x"},
		"X-Stainless-Lang": {"js"}, "X-Stainless-Retry-Count": {"0"}, "X-Goog-Api-Client": {"google-genai-sdk/1.30.0"}, "X-App": {"cli"},
		"X-Claude-Code-Session-Id": {"u"}, "X-Codex-Turn-Metadata": {"{}"}, "X-Codex-Beta-Features": {"f"}, "Originator": {"codex_exec"}, "Session-Id": {"s"},
		"Thread-Id": {"t"}, "X-Client-Request-Id": {"r"}, "Version": {"0.169.0"}, "X-Openai-Internal-Codex-Responses-Lite": {"true"},
	}
	in := stay.Clone()
	maps.Copy(in, cross)
	in["Connection"] = []string{"keep-alive, anthropic-named", "X-Stainless-Named"}
	const secret = "sk-provider-0123456789"
	for _, c := range []struct {
		kind string
		d    tollgate.Dialect
		key  string
		val  string
	}{
		{"openai", chat, "Authorization", "Bearer " + secret},
		{"anthropic", messages, "X-Api-Key", secret},
		{"gemini", gemini, "X-Goog-Api-Key", secret},
		{"openai-compatible", chat, "Authorization", "Bearer " + secret},
	} {
		e := newWorld(t).provider(t, c.kind, map[bool]string{true: "https://llm.example.com"}[c.kind == "openai-compatible"], secret)
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], &upstream.Call{
			Dialect: c.d, Operation: tollgate.OpGenerate, Model: "m", Header: in, Body: []byte("{}"),
			Query: url.Values{"key": {canary}, "api_key": {canary}, "Access_Token": {canary}, "alt": {"sse"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		want := cross.Clone()
		want[c.key] = []string{c.val}
		want["Accept-Encoding"] = []string{"identity"}
		for k, v := range req.Header {
			if !slices.Equal(v, want[k]) {
				t.Errorf("%s: %s: %q, want %q", c.kind, k, v, want[k])
			}
			delete(want, k)
		}
		if len(want) > 0 {
			t.Errorf("%s: missing %v", c.kind, want)
		}
		if strings.Contains(req.URL.String(), canary) || req.URL.RawQuery != "alt=sse" {
			t.Errorf("%s: %s", c.kind, req.URL)
		}
	}
}

func TestForwardHeadersOfTheSettings(t *testing.T) {
	e := newWorld(t).save(t, upstream.ProviderWrite{
		Name: some("p"), Kind: some("openai-compatible"), BaseURL: some("https://llm.example.com"), Settings: some(json.RawMessage(`{"forward_headers":["x-title","traceparent"]}`)),
	})
	req, err := e.NewRequest(t.Context(), e.Credentials()[0], &upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate, Header: http.Header{"X-Title": {"app"}, "X-Other": {"no"}}})
	if err != nil {
		t.Fatal(err)
	}
	if req.Header.Get("X-Title") != "app" || req.Header.Get("X-Other") != "" {
		t.Errorf("%v", req.Header)
	}
}

func TestDefaultsAndCredentialForms(t *testing.T) {
	get := func(kind, base, secret string, d tollgate.Dialect) http.Header {
		t.Helper()
		e := newWorld(t).save(t, upstream.ProviderWrite{
			Name: some("p"), Kind: some(kind), BaseURL: some(base),
			Settings: some(json.RawMessage(map[bool]string{true: `{"dialects":["openai-chat","anthropic"]}`}[kind == "openai-compatible"])),
		}, secret)
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], &upstream.Call{Dialect: d, Operation: tollgate.OpGenerate, Body: []byte(`{"a":1}`)})
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(req.Body); string(b) != `{"a":1}` || req.ContentLength != 7 {
			t.Errorf("body %q of %d", b, req.ContentLength)
		}
		again, err := req.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		if b, _ := io.ReadAll(again); string(b) != `{"a":1}` {
			t.Errorf("second body %q", b)
		}
		return req.Header
	}
	h := get("anthropic", "", "sk-ant-api03-0123456789", messages)
	if h.Get("Anthropic-Version") != "2023-06-01" || h.Get("X-Api-Key") == "" || h.Get("Authorization") != "" || h.Get("User-Agent") != "tollgate" || h.Get("Content-Type") != "application/json" {
		t.Errorf("%v", h)
	}
	if h = get("anthropic", "", "sk-ant-oat01-0123456789", messages); h.Get("Authorization") != "Bearer sk-ant-oat01-0123456789" || h.Get("X-Api-Key") != "" {
		t.Errorf("oauth token: %v", h)
	}
	if h = get("openai-compatible", "https://x.example", "k-0123456789abc", messages); h.Get("X-Api-Key") != "k-0123456789abc" {
		t.Errorf("compatible server in the Anthropic protocol: %v", h)
	}
}

func TestIncludeUsageSetting(t *testing.T) {
	w := newWorld(t)
	for settings, want := range map[string]bool{"": true, "{}": true, `{"include_usage":true}`: true, `{"include_usage":false}`: false} {
		e := w.save(t, upstream.ProviderWrite{Name: some("p" + map[bool]string{true: "1"}[len(settings)%2 == 0] + strings.Repeat("x", len(settings))), Kind: some("openai"), Settings: some(json.RawMessage(settings))})
		if e.IncludeUsage() != want {
			t.Errorf("%q: %v", settings, e.IncludeUsage())
		}
	}
}

// TestRecordedClientsKeepTheirHeaders: every header of real clients either
// crosses unchanged or is one of the few that must not.
func TestRecordedClientsKeepTheirHeaders(t *testing.T) {
	dir := os.Getenv("TOLLGATE_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, _ := filepath.Glob(filepath.Join(dir, "recordings", "*", "[0-9][0-9][0-9].json"))
	if len(files) == 0 {
		t.Log("left out: no outside recordings here (TOLLGATE_SHARED)")
		return
	}
	stay := []string{
		"authorization", "x-api-key", "x-goog-api-key", "cookie", "host", "connection", "content-length", "accept-encoding", "accept-language", "sec-fetch-mode",
		"openai-organization", "openai-project", "upgrade", "sec-websocket-version", "sec-websocket-key", "sec-websocket-extensions", "x-team",
	}
	e := newWorld(t).provider(t, "openai", "", "sk-provider-0123456789")
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var rec struct{ Headers [][2]string }
		if err := json.Unmarshal(raw, &rec); err != nil {
			t.Fatal(err)
		}
		in := http.Header{}
		for _, h := range rec.Headers {
			in.Add(h[0], h[1])
		}
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], &upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate, Header: in, Body: []byte("{}")})
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range in {
			crossed := slices.Equal(req.Header[k], v)
			if crossed == slices.Contains(stay, strings.ToLower(k)) {
				t.Errorf("%s: %s crossed: %v", filepath.Base(filepath.Dir(f)), k, crossed)
			}
		}
	}
	t.Logf("%d recorded requests", len(files))
}

func TestH05ResponseHeadersComeBackByAllowList(t *testing.T) {
	src, keep := http.Header{}, []string{
		"Content-Type", "Request-Id", "X-Request-Id", "Retry-After", "Retry-After-Ms", "X-Should-Retry", "Openai-Processing-Ms", "Openai-Version",
		"X-Ratelimit-Limit-Requests", "X-Ratelimit-Remaining-Tokens", "Anthropic-Ratelimit-Tokens-Limit", "Anthropic-Ratelimit-Requests-Reset", "X-Codex-Turn-State", "Ratelimit",
	}
	drop := []string{
		"Set-Cookie", "Server-Timing", "Www-Authenticate", "Proxy-Authenticate", "Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Openai-Organization",
		"Openai-Project", "Anthropic-Organization-Id", "Server", "Via", "Cf-Ray", "Alt-Svc", "Strict-Transport-Security", "Content-Security-Policy", "Location", "Refresh",
		"Content-Encoding", "Content-Length", "Transfer-Encoding", "Connection", "Keep-Alive", "Trailer", "Upgrade", "X-Accel-Redirect", "Clear-Site-Data", "Nel", "Report-To",
		"X-Tollgate-Request-Id", "X-Ratelimit_limit", "Link", "Authentication-Info", "X-Ratelimit-Named",
	}
	for _, k := range append(slices.Clone(keep), drop...) {
		src[k] = []string{"v"}
	}
	src["Connection"] = []string{"close, x-ratelimit-named"}
	dst := http.Header{}
	upstream.ResponseHeader(dst, src)
	for _, k := range keep {
		if dst.Get(k) != "v" {
			t.Errorf("%s is lost", k)
		}
	}
	for _, k := range drop {
		if _, ok := dst[k]; ok {
			t.Errorf("%s came back", k)
		}
	}
}

func BenchmarkNewRequest(b *testing.B) {
	header := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json"}, "User-Agent": {"OpenAI/JS 6.49.0"}, "Authorization": {"Bearer sk-tg-x"},
		"Accept-Encoding": {"gzip"}, "Content-Length": {"1000"}, "Connection": {"keep-alive"}, "X-Stainless-Lang": {"js"}, "X-Stainless-Os": {"Linux"}, "X-Stainless-Arch": {"x64"},
	}
	body := make([]byte, 1000)
	for name, c := range map[string]struct {
		kind string
		call upstream.Call
	}{
		"chat":   {"openai", upstream.Call{Dialect: chat, Operation: tollgate.OpGenerate, Header: header, Body: body}},
		"gemini": {"gemini", upstream.Call{Dialect: gemini, Operation: tollgate.OpGenerate, Model: "gemini-2.5-flash", Stream: true, Version: "v1beta", Query: url.Values{"alt": {"sse"}}, Header: header, Body: body}},
	} {
		b.Run(name, func(b *testing.B) {
			e := newWorld(b).provider(b, c.kind, "", "sk-a-0123456789", "sk-b-0123456789")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := e.NewRequest(b.Context(), e.Credentials()[0], &c.call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkResponseHeader(b *testing.B) {
	src := http.Header{
		"Content-Type": {"application/json"}, "Date": {"x"}, "Server": {"cloudflare"}, "X-Request-Id": {"r"}, "Openai-Organization": {"o"}, "Openai-Processing-Ms": {"1"},
		"Set-Cookie": {"a"}, "Cf-Ray": {"x"}, "X-Ratelimit-Limit-Requests": {"1"}, "X-Ratelimit-Remaining-Requests": {"1"}, "Connection": {"keep-alive"},
	}
	b.ReportAllocs()
	for b.Loop() {
		dst := make(http.Header, 8)
		upstream.ResponseHeader(dst, src)
	}
}

func TestWhoKeepsTheStateOfResponses(t *testing.T) {
	for _, c := range []struct {
		kind, settings string
		want           bool
	}{
		{"openai", `{}`, true},
		{"openai", `{"responses_state":"gateway"}`, false},
		{"openai-compatible", `{}`, false},
		{"openai-compatible", `{"dialects":["openai-responses"],"responses_state":"provider"}`, true},
		{"anthropic", `{}`, false},
		{"gemini", `{}`, false},
	} {
		w := upstream.ProviderWrite{Name: some("p"), Kind: some(c.kind), Settings: some(json.RawMessage(c.settings))}
		if c.kind == "openai-compatible" {
			w.BaseURL = some("https://llm.example.com")
		}
		if got := newWorld(t).save(t, w, "sk-secret-of-the-test").KeepsResponses(); got != c.want {
			t.Errorf("%s %s: %t", c.kind, c.settings, got)
		}
	}
}
