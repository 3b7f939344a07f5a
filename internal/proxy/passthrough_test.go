package proxy_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
)

// routes are all routes that are relayed, unscoped, with a body whose unknown
// fields, spacing and number spellings must reach the provider as they are.
func routes() []struct {
	name, path, body, answer, upstream string
	op                                 tollgate.Operation
	dialect                            tollgate.Dialect
	tokens                             tollgate.Tokens
} {
	type row = struct {
		name, path, body, answer, upstream string
		op                                 tollgate.Operation
		dialect                            tollgate.Dialect
		tokens                             tollgate.Tokens
	}
	chat, resp, anth, gem := tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses, tollgate.DialectAnthropic, tollgate.DialectGemini
	return []row{
		{"chat", "/v1/chat/completions", `{ "model" : "oa-model", "messages":[{"role":"user","content":"hi \u00e9 é"}],"temperature":1.0,"x_unknown":{"model":"inner","n":1e3}}`, chatAnswer, "/v1/chat/completions", tollgate.OpGenerate, chat, tollgate.Tokens{Input: 8, CacheRead: 3, Output: 7}},
		{"completions", "/v1/completions", `{"prompt":"hi","model":"oa-model","suffix":null}`, completionAnswer, "/v1/completions", tollgate.OpComplete, chat, tollgate.Tokens{Input: 4, Output: 2}},
		{"responses", "/v1/responses", `{"model":"oa-model","input":"hi","include":["reasoning.encrypted_content"],"store":false}`, responsesAnswer, "/v1/responses", tollgate.OpGenerate, resp, tollgate.Tokens{Input: 7, CacheRead: 2, Output: 5, Reasoning: 1}},
		{"input tokens", "/v1/responses/input_tokens", `{"model":"oa-model","input":"hi"}`, countAnswer, "/v1/responses/input_tokens", tollgate.OpCount, resp, tollgate.Tokens{}},
		{"embeddings", "/v1/embeddings", `{"model":"oa-model","input":["a","b"],"encoding_format":"base64"}`, embedAnswer, "/v1/embeddings", tollgate.OpEmbed, chat, tollgate.Tokens{Input: 6}},
		{"moderations", "/v1/moderations", `{"model":"oa-model","input":"a"}`, moderateAnswer, "/v1/moderations", tollgate.OpModerate, chat, tollgate.Tokens{}},
		{"messages", "/v1/messages", `{"model":"an-model","max_tokens":10,"messages":[{"role":"system","content":"mid"},{"role":"user","content":"hi"}],"context_management":{"edits":[]}}`, messagesAnswer, "/v1/messages", tollgate.OpGenerate, anth, tollgate.Tokens{Input: 12, CacheRead: 8, CacheWrite: 4, Output: 6}},
		{"count tokens", "/v1/messages/count_tokens", `{"model":"an-model","messages":[{"role":"user","content":"hi"}]}`, countAnswer, "/v1/messages/count_tokens", tollgate.OpCount, anth, tollgate.Tokens{}},
		{"generateContent", "/v1beta/models/ge-model:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}],"x":1}`, geminiAnswer, "/v1beta/models/ge-model:generateContent", tollgate.OpGenerate, gem, tollgate.Tokens{Input: 10, Output: 7, Reasoning: 3}},
		{"generateContent v1", "/v1/models/ge-model:generateContent", `{"contents":[{"parts":[{"text":"hi"}]}]}`, geminiAnswer, "/v1/models/ge-model:generateContent", tollgate.OpGenerate, gem, tollgate.Tokens{Input: 10, Output: 7, Reasoning: 3}},
		{"countTokens", "/v1beta/models/ge-model:countTokens", `{"contents":[{"parts":[{"text":"hi"}]}]}`, geminiCount, "/v1beta/models/ge-model:countTokens", tollgate.OpCount, gem, tollgate.Tokens{}},
		{"embedContent", "/v1beta/models/ge-model:embedContent", `{"content":{"parts":[{"text":"hi"}]}}`, geminiEmbed, "/v1beta/models/ge-model:embedContent", tollgate.OpEmbed, gem, tollgate.Tokens{}},
		{"batchEmbedContents", "/v1beta/models/ge-model:batchEmbedContents", `{"requests":[{"model":"models/ge-model","content":{"parts":[{"text":"hi"}]}}]}`, geminiEmbeds, "/v1beta/models/ge-model:batchEmbedContents", tollgate.OpBatchEmbed, gem, tollgate.Tokens{}},
	}
}

func TestEveryRoutePassesBytesBothWays(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	scope := map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat: "oa", tollgate.DialectOpenAIResponses: "oa", tollgate.DialectAnthropic: "an", tollgate.DialectGemini: "ge",
	}
	n := 0
	for _, r := range routes() {
		for _, prefix := range []string{"", "/" + scope[r.dialect]} {
			t.Run(r.name+prefix, func(t *testing.T) {
				v.answer = says(200, "application/json", r.answer, "Request-Id", "up-1", "Set-Cookie", "a=b", "Server-Timing", "x", "Openai-Organization", "org-secret", "X-Ratelimit-Remaining-Requests", "7")
				var header []string
				if r.dialect == tollgate.DialectGemini {
					header = []string{"X-Goog-Api-Key", g.Key, "Authorization", ""}
				}
				a := g.send("POST", prefix+r.path, r.body, append(header, "Anthropic-Beta", "some-beta-2026", "Openai-Beta", "beta=1", "X-Stainless-Lang", "go", "Cookie", "c=d", "X-Forwarded-For", "1.2.3.4")...)
				n++
				if a.Status != 200 || a.Body != r.answer {
					t.Fatalf("status %d, body %s, want the vendor's bytes", a.Status, a.Body)
				}
				got := v.all()[n-1]
				if got.Body != r.body || got.Path != r.upstream {
					t.Errorf("vendor got %s %s, want %s %s", got.Path, got.Body, r.upstream, r.body)
				}
				for _, h := range []string{"Cookie", "X-Forwarded-For", "X-Tollgate-Request-Id"} {
					if got.Header.Get(h) != "" {
						t.Errorf("header %s crossed to the vendor", h)
					}
				}
				if got.Header.Get("Anthropic-Beta") != "some-beta-2026" || got.Header.Get("Openai-Beta") != "beta=1" || got.Header.Get("X-Stainless-Lang") != "go" {
					t.Errorf("beta headers did not cross: %v", got.Header)
				}
				if flat := headerText(got.Header); strings.Contains(flat, g.Key) || !strings.Contains(flat, secretA) {
					t.Errorf("K-08: the vendor must get its own credential and never the client's: %s", flat)
				}
				for _, h := range []string{"Set-Cookie", "Server-Timing", "Openai-Organization"} {
					if a.Header.Get(h) != "" {
						t.Errorf("header %s crossed to the client", h)
					}
				}
				if a.Header.Get("X-Ratelimit-Remaining-Requests") != "7" || a.Header.Get("Content-Type") != "application/json" {
					t.Errorf("answer headers lost: %v", a.Header)
				}
				id, err := tollgate.ParseRequestID(a.Header.Get("X-Tollgate-Request-Id"))
				if err != nil {
					t.Fatal(err)
				}
				row := g.last(n)
				want := tollgate.Request{ID: id, UserID: g.User.ID, KeyID: g.KeyID, Dialect: r.dialect, Operation: r.op, Status: 200, ProviderID: g.ids[scope[r.dialect]]}
				have := tollgate.Request{ID: row.ID, UserID: row.UserID, KeyID: row.KeyID, Dialect: row.Dialect, Operation: row.Operation, Status: row.Status, ProviderID: row.ProviderID}
				if d := cmp.Diff(want, have); d != "" {
					t.Error(d)
				}
				if len(row.Dispatches) != 1 || row.Dispatches[0].Status != 200 || row.Dispatches[0].ErrorClass != "" {
					t.Fatalf("dispatches: %+v", row.Dispatches)
				}
				measured := row.Dispatches[0].Exactness == tollgate.ExactMeasured
				if wantMeasured := r.name != "embedContent" && r.name != "batchEmbedContents"; measured != wantMeasured {
					t.Errorf("exactness %q", row.Dispatches[0].Exactness)
				} else if measured && row.Dispatches[0].Tokens != r.tokens {
					t.Errorf("tokens %+v, want %+v", row.Dispatches[0].Tokens, r.tokens)
				}
			})
		}
	}
}

func headerText(h http.Header) string {
	var b strings.Builder
	_ = h.Write(&b)
	return b.String()
}

func TestModelNameIsTheOnlySplice(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v})
	for i, c := range []struct{ sent, path, upstream string }{
		{"oa-model", "/v1/chat/completions", "oa-model"},
		{"oa/oa-model", "/v1/chat/completions", "oa-model"},
		{"oa-model@oa", "/v1/chat/completions", "oa-model"},
		{"fast", "/v1/chat/completions", "oa-model"},
		{"shared-model", "/oa/v1/chat/completions", "shared-model"},
		{"unlisted-model", "/oa/v1/chat/completions", "unlisted-model"},
		{"cp/unlisted", "/v1/chat/completions", "unlisted"},
	} {
		a := g.send("POST", c.path, `{"x":[ 1,2 ],"model":"`+c.sent+`", "messages":[]}`)
		if want := `{"x":[ 1,2 ],"model":"` + c.upstream + `", "messages":[]}`; v.all()[i].Body != want {
			t.Errorf("%s: vendor got %s, want %s", c.sent, v.all()[i].Body, want)
		}
		want := chatAnswer
		if c.sent != c.upstream {
			want = strings.Replace(chatAnswer, `"model":"oa-model"`, `"model":"`+c.sent+`"`, 1)
		}
		if a.Body != want {
			t.Errorf("%s: client got %s, want %s", c.sent, a.Body, want)
		}
	}
}

func TestGeminiModelIsRewrittenWhereverItStands(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", geminiEmbeds)}
	g := start(t, options{vendor: v})
	a := g.send("POST", "/v1beta/models/ge%2Fge-model:batchEmbedContents", `{"requests":[{"model":"models/ge/ge-model","content":{}}]}`)
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	got := v.all()[0]
	if got.Path != "/v1beta/models/ge-model:batchEmbedContents" || got.Body != `{"requests":[{"model":"models/ge-model","content":{}}]}` {
		t.Errorf("vendor got %s %s", got.Path, got.Body)
	}
}

func TestQueryKeyAuthenticatesGeminiAndStaysHere(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", geminiAnswer)}
	var log lines
	g := start(t, options{vendor: v, log: &log})
	a := g.send("POST", "/v1beta/models/ge-model:generateContent?key="+g.Key+"&alt=json", `{"contents":[]}`, "X-Goog-Api-Key", "")
	if a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if q := v.all()[0].Query; q != "alt=json" {
		t.Errorf("K-07: the query that crossed is %q", q)
	}
	if strings.Contains(log.String(), g.Key) {
		t.Error("K-07: the key is in the log")
	}
	if a := g.send("POST", "/v1/chat/completions?key="+g.Key, `{"model":"oa-model","messages":[]}`, "Authorization", ""); a.Status != 401 {
		t.Errorf("K-07: ?key= on an OpenAI path gives %d, want 401", a.Status)
	}
}

func TestTagsComeFromHeaderOrBody(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(200, "application/json", chatAnswer)}})
	g.send("POST", "/v1/chat/completions", `{"model":"oa-model","messages":[],"user":"from-body"}`)
	g.send("POST", "/v1/chat/completions", `{"model":"oa-model","messages":[],"user":"from-body"}`, "X-Tollgate-Tags", "team=a,"+strings.Repeat("é", 300))
	rows := g.rows(2)
	if rows[0].Tags != "from-body" {
		t.Errorf("tags %q", rows[0].Tags)
	}
	if tags := rows[1].Tags; !strings.HasPrefix(tags, "team=a,é") || len(tags) > 256 {
		t.Errorf("tags %q (%d bytes)", tags, len(tags))
	}
}

func TestModelListsHaveTheCallersShape(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	g := start(t, options{})
	bob, key, _ := g.addUser("bob")
	g.permit(bob.ID, g.ids["an"], "*")
	for _, c := range []struct {
		name, path string
		header     []string
		has, not   []string
	}{
		{"openai", "/v1/models", []string{"Authorization", "Bearer " + g.Key}, []string{`"object":"list"`, `"oa-model"`, `"oa/shared-model"`, `"fast"`}, nil},
		{"anthropic", "/v1/models", []string{"Authorization", "", "X-Api-Key", g.Key, "Anthropic-Version", "2023-06-01"}, []string{`"has_more"`, `"an-model"`}, []string{`"object"`}},
		{"gemini v1", "/v1/models", []string{"Authorization", "", "X-Goog-Api-Key", g.Key}, []string{`"models"`, `"models/ge-model"`}, []string{`"object"`}},
		{"gemini", "/v1beta/models", nil, []string{`"models/ge-model"`}, nil},
		{"scoped", "/an/v1/models", []string{"Authorization", "Bearer " + g.Key}, []string{`"an-model"`}, []string{`"oa-model"`}},
		{"permitted only", "/v1/models", []string{"Authorization", "Bearer " + key}, []string{`"an-model"`, `"shared-model"`}, []string{`"oa-model"`, `"fast"`, `"an/shared-model"`}},
		{"one", "/v1/models/oa/oa-model", nil, []string{`"object":"model"`, `oa-model`}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := g.send("GET", c.path, "", c.header...)
			if a.Status != 200 || a.Header.Get("Content-Type") != "application/json" {
				t.Fatalf("%d %v %s", a.Status, a.Header, a.Body)
			}
			flat := strings.ReplaceAll(a.Body, `": "`, `":"`)
			for _, s := range c.has {
				if !strings.Contains(flat, s) {
					t.Errorf("%s is not in %s", s, a.Body)
				}
			}
			for _, s := range c.not {
				if strings.Contains(flat, s) {
					t.Errorf("%s is in %s", s, a.Body)
				}
			}
		})
	}
	if a := g.send("GET", "/v1/models/oa-model", "", "Authorization", "Bearer "+key); a.Status != 404 && a.Status != 403 {
		t.Errorf("an unpermitted model gives %d", a.Status)
	}
	if g.Vendor.Dispatches() != 0 {
		t.Error("a model list reached the vendor")
	}
}
