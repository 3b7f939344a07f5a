package upstream_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/upstream"
)

// TestTranslatedCallsLeaveTheClientsProtocolBehind: nothing of the protocol or
// the SDK that the client used reaches a provider of another dialect, and what
// the provider's own dialect demands is set.
func TestTranslatedCallsLeaveTheClientsProtocolBehind(t *testing.T) {
	in := http.Header{
		"Accept": {"application/json"}, "Content-Type": {"application/json; charset=utf-8"}, "User-Agent": {"claude-cli/2.1"}, "Idempotency-Key": {"once"},
		"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a"}, "Openai-Beta": {"x"}, "X-Openai-Internal": {"y"}, "X-Goog-Api-Client": {"genai"},
		"X-Stainless-Lang": {"js"}, "X-App": {"cli"}, "X-Codex-Turn-Metadata": {"{}"}, "X-Claude-Code-Session-Id": {"u"}, "Originator": {"codex"}, "Session-Id": {"s"},
		"X-Tollgate-Strict": {"true"}, "Authorization": {"Bearer client"}, "X-Title": {"app"},
	}
	const secret = "sk-provider-0123456789"
	for _, c := range []struct {
		kind   string
		d      tollgate.Dialect
		stream bool
		url    string
		own    http.Header
	}{
		{"openai", chat, false, "https://api.openai.com/v1/chat/completions", http.Header{"Authorization": {"Bearer " + secret}, "Accept": {"application/json"}}},
		{"openai", responses, true, "https://api.openai.com/v1/responses", http.Header{"Authorization": {"Bearer " + secret}, "Accept": {"text/event-stream"}}},
		{"anthropic", messages, true, "https://api.anthropic.com/v1/messages", http.Header{
			"X-Api-Key": {secret}, "Anthropic-Version": {"2023-06-01"}, "Accept": {"text/event-stream"},
		}},
		{"gemini", gemini, true, "https://generativelanguage.googleapis.com/v1beta/models/m:streamGenerateContent?alt=sse", http.Header{
			"X-Goog-Api-Key": {secret}, "Accept": {"text/event-stream"},
		}},
		{"gemini", gemini, false, "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent", http.Header{
			"X-Goog-Api-Key": {secret}, "Accept": {"application/json"},
		}},
	} {
		e := newWorld(t).save(t, upstream.ProviderWrite{Name: some("p"), Kind: some(c.kind), Settings: some(json.RawMessage(`{"forward_headers":["x-title","anthropic-version"]}`))}, secret)
		call := &upstream.Call{Dialect: c.d, Operation: tollgate.OpGenerate, Model: "m", Stream: c.stream, Header: in, Body: []byte("{}"), Translated: true}
		if c.d == gemini && c.stream {
			call.Query = map[string][]string{"alt": {"sse"}}
		}
		req, err := e.NewRequest(t.Context(), e.Credentials()[0], call)
		if err != nil {
			t.Fatal(err)
		}
		want := c.own.Clone()
		want["Accept-Encoding"], want["Content-Type"], want["User-Agent"] = []string{"identity"}, []string{"application/json"}, []string{"tollgate"}
		want["Idempotency-Key"], want["X-Title"] = []string{"once"}, []string{"app"}
		if diff := cmp.Diff(want, req.Header); diff != "" {
			t.Errorf("%s: %s", c.d, diff)
		}
		if req.URL.String() != c.url {
			t.Errorf("%s: %s, want %s", c.d, req.URL, c.url)
		}
	}
}

func TestStrictSetting(t *testing.T) {
	for settings, want := range map[string]bool{"{}": false, `{"strict":true}`: true, `{"strict":false}`: false} {
		e := newWorld(t).save(t, upstream.ProviderWrite{Name: some("p"), Kind: some("openai"), Settings: some(json.RawMessage(settings))})
		if e.Strict() != want {
			t.Errorf("%s: %v", settings, e.Strict())
		}
	}
}
