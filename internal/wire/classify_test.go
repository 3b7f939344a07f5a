package wire_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/wire"
)

const (
	chat      = tollgate.DialectOpenAIChat
	responses = tollgate.DialectOpenAIResponses
	anthropic = tollgate.DialectAnthropic
	gemini    = tollgate.DialectGemini
)

// request is a request line and headers ("Name: value").
type request struct {
	line    string
	headers []string
}

func (r request) parse(tb testing.TB) (method string, u *url.URL, h http.Header) {
	tb.Helper()
	method, target, _ := strings.Cut(r.line, " ")
	u, err := url.ParseRequestURI(target)
	if err != nil {
		tb.Fatal(err)
	}
	h = http.Header{}
	for _, line := range r.headers {
		name, value, _ := strings.Cut(line, ": ")
		h.Set(name, value)
	}
	return method, u, h
}

func TestClassifyServedRoutes(t *testing.T) {
	sse := wire.FramingSSE
	tests := []struct {
		in   request
		want wire.Route
	}{
		{request{line: "POST /v1/chat/completions"}, wire.Route{Dialect: chat, Operation: tollgate.OpGenerate, Version: "v1", Framing: sse, Pattern: "/v1/chat/completions"}},
		{request{line: "POST /v1/completions"}, wire.Route{Dialect: chat, Operation: tollgate.OpComplete, Version: "v1", Framing: sse, Pattern: "/v1/completions"}},
		{request{line: "POST /v1/responses"}, wire.Route{Dialect: responses, Operation: tollgate.OpGenerate, Version: "v1", Framing: sse, Pattern: "/v1/responses"}},
		{request{line: "POST /v1/responses/compact"}, wire.Route{Dialect: responses, Operation: tollgate.OpCompact, Version: "v1", Framing: sse, Pattern: "/v1/responses/compact"}},
		{request{line: "GET /v1/responses", headers: []string{"Upgrade: WebSocket", "Connection: Upgrade"}}, wire.Route{Dialect: responses, Operation: tollgate.OpConnect, Version: "v1", Framing: sse, Pattern: "/v1/responses"}},
		{request{line: "GET /oa/v1/responses", headers: []string{"Upgrade: websocket"}}, wire.Route{Scope: "oa", Dialect: responses, Operation: tollgate.OpConnect, Version: "v1", Framing: sse, Pattern: "/v1/responses"}},
		{request{line: "GET /v1/responses/resp_1"}, wire.Route{Dialect: responses, Operation: tollgate.OpRetrieve, Version: "v1", Framing: sse, Pattern: "/v1/responses/{id}", ResponseID: "resp_1"}},
		{request{line: "HEAD /v1/responses/resp%5F1"}, wire.Route{Dialect: responses, Operation: tollgate.OpRetrieve, Version: "v1", Framing: sse, Pattern: "/v1/responses/{id}", ResponseID: "resp_1"}},
		{request{line: "DELETE /v1/responses/resp_1"}, wire.Route{Dialect: responses, Operation: tollgate.OpDelete, Version: "v1", Framing: sse, Pattern: "/v1/responses/{id}", ResponseID: "resp_1"}},
		{request{line: "GET /v1/responses/resp_1/input_items?limit=3"}, wire.Route{Dialect: responses, Operation: tollgate.OpInputItems, Version: "v1", Framing: sse, Pattern: "/v1/responses/{id}/input_items", ResponseID: "resp_1"}},
		{request{line: "POST /v1/responses/resp_1/cancel"}, wire.Route{Dialect: responses, Operation: tollgate.OpCancel, Version: "v1", Framing: sse, Pattern: "/v1/responses/{id}/cancel", ResponseID: "resp_1"}},
		{request{line: "POST /v1/responses/input_tokens"}, wire.Route{Dialect: responses, Operation: tollgate.OpCount, Version: "v1", Framing: sse, Pattern: "/v1/responses/input_tokens"}},
		{request{line: "POST /v1/embeddings"}, wire.Route{Dialect: chat, Operation: tollgate.OpEmbed, Version: "v1", Framing: sse, Pattern: "/v1/embeddings"}},
		{request{line: "POST /v1/moderations"}, wire.Route{Dialect: chat, Operation: tollgate.OpModerate, Version: "v1", Framing: sse, Pattern: "/v1/moderations"}},
		{request{line: "POST /v1/messages?beta=true"}, wire.Route{Dialect: anthropic, Operation: tollgate.OpGenerate, Version: "v1", Framing: sse, Pattern: "/v1/messages"}},
		{request{line: "POST /v1/messages/count_tokens"}, wire.Route{Dialect: anthropic, Operation: tollgate.OpCount, Version: "v1", Framing: sse, Pattern: "/v1/messages/count_tokens"}},
		{request{line: "POST /groq/v1/chat/completions"}, wire.Route{Scope: "groq", Dialect: chat, Operation: tollgate.OpGenerate, Version: "v1", Framing: sse, Pattern: "/v1/chat/completions"}},
		{
			request{line: "POST /v1beta/models/gemini-2.5-flash:generateContent"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpGenerate, Version: "v1beta", Model: "gemini-2.5-flash", Framing: sse, Pattern: "/v1beta/models/{m}:generateContent"},
		},
		{
			request{line: "POST /v1/models/gemini-2.5-flash:streamGenerateContent?alt=sse"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpGenerate, Version: "v1", Model: "gemini-2.5-flash", Stream: true, Framing: sse, Pattern: "/v1/models/{m}:streamGenerateContent"},
		},
		{
			request{line: "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?key=k&%24alt=sse"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpGenerate, Version: "v1beta", Model: "gemini-2.5-flash", Stream: true, Framing: sse, Pattern: "/v1beta/models/{m}:streamGenerateContent"},
		},
		{
			request{line: "POST /lab/v1beta/models/m:streamGenerateContent?alt=json"},
			wire.Route{Scope: "lab", Dialect: gemini, Operation: tollgate.OpGenerate, Version: "v1beta", Model: "m", Stream: true, Framing: wire.FramingJSONArray, Pattern: "/v1beta/models/{m}:streamGenerateContent"},
		},
		{
			request{line: "POST /v1beta/models/openai/gpt-4o:countTokens"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpCount, Version: "v1beta", Model: "openai/gpt-4o", Framing: sse, Pattern: "/v1beta/models/{m}:countTokens"},
		},
		{
			request{line: "POST /v1beta/models/openai%2Fgpt-4o%3AembedContent"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpEmbed, Version: "v1beta", Model: "openai/gpt-4o", Framing: sse, Pattern: "/v1beta/models/{m}:embedContent"},
		},
		{
			request{line: "POST /v1beta/models/ft:gpt-4o:org::id:batchEmbedContents"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpBatchEmbed, Version: "v1beta", Model: "ft:gpt-4o:org::id", Framing: sse, Pattern: "/v1beta/models/{m}:batchEmbedContents"},
		},
		{
			request{line: "POST /v1beta/tunedModels/mine-1:generateContent"},
			wire.Route{Dialect: gemini, Operation: tollgate.OpGenerate, Version: "v1beta", Model: "tunedModels/mine-1", Framing: sse, Pattern: "/v1beta/models/{m}:generateContent"},
		},
		{request{line: "GET /v1/models"}, wire.Route{Dialect: chat, Operation: tollgate.OpListModels, Version: "v1", Framing: sse, Pattern: "/v1/models"}},
		{request{line: "HEAD /v1/models"}, wire.Route{Dialect: chat, Operation: tollgate.OpListModels, Version: "v1", Framing: sse, Pattern: "/v1/models"}},
		{
			request{line: "GET /v1/models?limit=1000", headers: []string{"anthropic-version: 2023-06-01"}},
			wire.Route{Dialect: anthropic, Operation: tollgate.OpListModels, Version: "v1", Framing: sse, Pattern: "/v1/models"},
		},
		{
			request{line: "GET /v1/models", headers: []string{"anthropic-version: 2026-10-21", "x-goog-api-key: k"}},
			wire.Route{Dialect: gemini, Operation: tollgate.OpListModels, Version: "v1", Framing: sse, Pattern: "/v1/models"},
		},
		{request{line: "GET /v1/models?pageSize=5&key=k"}, wire.Route{Dialect: gemini, Operation: tollgate.OpListModels, Version: "v1", Framing: sse, Pattern: "/v1/models"}},
		{request{line: "GET /v1beta/models"}, wire.Route{Dialect: gemini, Operation: tollgate.OpListModels, Version: "v1beta", Framing: sse, Pattern: "/v1beta/models"}},
		{request{line: "GET /v1/models/openai/gpt-4o"}, wire.Route{Dialect: chat, Operation: tollgate.OpGetModel, Version: "v1", Model: "openai/gpt-4o", Framing: sse, Pattern: "/v1/models/{m}"}},
		{request{line: "GET /v1/models/openai%2Fgpt-4o"}, wire.Route{Dialect: chat, Operation: tollgate.OpGetModel, Version: "v1", Model: "openai/gpt-4o", Framing: sse, Pattern: "/v1/models/{m}"}},
		{
			request{line: "GET /v1/models/claude-sonnet-4-5", headers: []string{"anthropic-version: 2023-06-01"}},
			wire.Route{Dialect: anthropic, Operation: tollgate.OpGetModel, Version: "v1", Model: "claude-sonnet-4-5", Framing: sse, Pattern: "/v1/models/{m}"},
		},
		{request{line: "GET /v1beta/models/m"}, wire.Route{Dialect: gemini, Operation: tollgate.OpGetModel, Version: "v1beta", Model: "m", Framing: sse, Pattern: "/v1beta/models/{m}"}},
	}
	for _, tt := range tests {
		method, u, h := tt.in.parse(t)
		got, err := wire.Classify(method, u, h)
		if err != nil {
			t.Errorf("%s: %v", tt.in.line, err)
			continue
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", tt.in.line, diff)
		}
		if !wire.IsDataPath(u) {
			t.Errorf("%s is no data path", tt.in.line)
		}
	}
}

func TestClassifyKnowsWhatIsNotServed(t *testing.T) {
	anthropicHeader := []string{"anthropic-version: 2023-06-01"}
	tests := []struct {
		in      request
		dialect tollgate.Dialect
		pattern string
	}{
		{request{line: "POST /v1/images/generations"}, chat, "/v1/images/*"},
		{request{line: "POST /v1/audio/speech"}, chat, "/v1/audio/*"},
		{request{line: "POST /v1/audio/transcriptions"}, chat, "/v1/audio/*"},
		{request{line: "POST /v1/files"}, chat, "/v1/files/*"},
		{request{line: "GET /v1/files/file_1", headers: anthropicHeader}, anthropic, "/v1/files/*"},
		{request{line: "POST /v1/batches"}, chat, "/v1/batches/*"},
		{request{line: "POST /v1/realtime/client_secrets"}, chat, "/v1/realtime/*"},
		{request{line: "GET /v1/realtime?model=x", headers: []string{"Upgrade: websocket"}}, chat, "/v1/realtime/*"},
		{request{line: "POST /v1/responses/resp_1/steer"}, responses, "/v1/responses/*"},
		{request{line: "GET /v1/responses/a%2Fb"}, responses, "/v1/responses/*"},
		{request{line: "GET /v1/responses/"}, responses, "/v1/responses/*"},
		{request{line: "POST /v1/conversations"}, responses, "/v1/conversations/*"},
		{request{line: "GET /v1/chat/completions/id"}, chat, "/v1/chat/*"},
		{request{line: "POST /v1/messages/batches"}, anthropic, "/v1/messages/*"},
		{request{line: "POST /v1/complete"}, anthropic, "/v1/complete/*"},
		{request{line: "POST /upload/v1beta/files"}, gemini, "/upload/*"},
		{request{line: "POST /lab/upload/v1/files"}, gemini, "/upload/*"},
		{request{line: "POST /v1/cachedContents"}, gemini, "/v1/cachedContents/*"},
		{request{line: "POST /v1beta/interactions"}, gemini, "/v1beta/interactions/*"},
		{request{line: "GET /v1beta/files/x"}, gemini, "/v1beta/files/*"},
		{request{line: "GET /v1beta/tunedModels"}, gemini, "/v1beta/tunedModels/*"},
		{request{line: "POST /v1beta/models/veo-3.0:predictLongRunning"}, gemini, "/v1beta/models/{m}:predictLongRunning"},
		{request{line: "POST /v1/models/m:batchGenerateContent"}, gemini, "/v1/models/{m}:batchGenerateContent"},
		{request{line: "POST /v1beta/openai/chat/completions"}, chat, "/v1beta/openai/*"},
		{request{line: "GET /ws/google.ai.generativelanguage.v1.GenerativeService.BidiGenerateContent?key=k"}, gemini, "/ws/*"},
	}
	for _, tt := range tests {
		method, u, h := tt.in.parse(t)
		got, err := wire.Classify(method, u, h)
		if err != nil || got.Operation != tollgate.OpOther || got.Dialect != tt.dialect || got.Pattern != tt.pattern {
			t.Errorf("%s = %+v, %v; want other, %s, %s", tt.in.line, got, err, tt.dialect, tt.pattern)
		}
	}
	live := &url.URL{Path: "//ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent"}
	if got, err := wire.Classify("GET", live, nil); err != nil || got.Operation != tollgate.OpOther || !wire.IsDataPath(live) {
		t.Errorf("Live with a double slash = %+v, %v", got, err)
	}
}

func TestClassifyRefuses(t *testing.T) {
	tests := []struct {
		in      request
		code    tollgate.Code
		dialect tollgate.Dialect
	}{
		{request{line: "POST /v1/nope"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /v1/nope", headers: []string{"anthropic-version: x"}}, tollgate.CodeNotFound, anthropic},
		{request{line: "POST /v1/chat"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /v1/messages/nope"}, tollgate.CodeNotFound, anthropic},
		{request{line: "POST /v1beta/nope"}, tollgate.CodeNotFound, gemini},
		{request{line: "POST /v1beta/chat/completions"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /v1beta/models/m:nope"}, tollgate.CodeNotFound, gemini},
		{request{line: "POST /v1beta/models/m"}, tollgate.CodeNotFound, gemini},
		{request{line: "POST /v1"}, tollgate.CodeNotFound, chat},
		{request{line: "GET /chat/completions"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /admin/v1/chat/completions"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /Groq/v1/chat/completions"}, tollgate.CodeNotFound, chat},
		{request{line: "POST /v1/responses/resp_1"}, tollgate.CodeInvalid, responses},
		{request{line: "DELETE /v1/responses/resp_1/input_items"}, tollgate.CodeInvalid, responses},
		{request{line: "GET /v1/responses/resp_1/cancel"}, tollgate.CodeInvalid, responses},
		{request{line: "GET /v1/responses/compact"}, tollgate.CodeInvalid, responses},
		{request{line: "GET /v1/responses"}, tollgate.CodeInvalid, responses},
		{request{line: "DELETE /v1/models/m"}, tollgate.CodeInvalid, chat},
		{request{line: "POST /v1/models"}, tollgate.CodeInvalid, chat},
	}
	for _, tt := range tests {
		method, u, h := tt.in.parse(t)
		got, err := wire.Classify(method, u, h)
		if tollgate.ErrorCode(err) != tt.code || got.Dialect != tt.dialect {
			t.Errorf("%s = %s, %v; want %s, %s", tt.in.line, got.Dialect, err, tt.dialect, tt.code)
		}
	}
}

func TestClassifyNamesTheMethod(t *testing.T) {
	for line, allow := range map[string]string{"GET /v1/chat/completions": "POST", "POST /v1/models": "GET", "PUT /v1beta/models/m": "GET"} {
		method, u, h := request{line: line}.parse(t)
		_, err := wire.Classify(method, u, h)
		e := tollgate.AsError(err)
		na, ok := errors.AsType[wire.NotAllowed](err)
		if e.Reason != wire.ReasonMethod || e.Field == "" || !ok || na.Allow != allow {
			t.Errorf("%s: %+v", line, e)
		}
	}
}

func TestH04OddPathsReachNoOtherHandler(t *testing.T) {
	for _, target := range []string{
		"/V1/chat/completions", "/v1/Chat/completions", "/v1/chat/completions/", "/v1//chat/completions", "//v1/chat/completions",
		"/v1/%63hat/completions", "/v1%2fchat/completions", "/v1/chat%2fcompletions", "/%761/chat/completions", "/v1/./chat/completions",
		"/v1/x/../chat/completions", "/gr%6fq/v1/chat/completions", "/v1/chat/completions%00", "/v1/chat\\completions", "/v1/chat%5ccompletions",
	} {
		u, err := url.Parse(target)
		if strings.HasPrefix(target, "//") {
			u, err = &url.URL{Path: target}, nil
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.Classify("POST", u, nil); tollgate.ErrorCode(err) != tollgate.CodeNotFound {
			// stored completions are known but not served; nothing is reached by them
			if err == nil && got.Operation == tollgate.OpOther {
				continue
			}
			t.Errorf("%s = %+v, %v; want not found", target, got, err)
		}
	}
	for _, target := range []string{
		"/v1beta/models/..:generateContent", "/v1beta/models/%2e%2e:generateContent", "/v1beta/models/a/../b:generateContent", "/v1beta/models/a%2f..%2fb:generateContent",
		"/v1beta/models/a//b:generateContent", "/v1beta/models//a:generateContent", "/v1beta/models/a%00:generateContent", "/v1beta/models/a%0d%0ab:generateContent",
		"/v1beta/models/a%5cb:generateContent", "/v1beta/models/:generateContent", "/v1beta/models/%ff:generateContent", "/v1beta/tunedModels/../x:generateContent",
		"/v1beta/models/" + strings.Repeat("a", 300) + ":generateContent",
	} {
		u, err := url.Parse(target)
		if err != nil {
			t.Fatal(err)
		}
		_, err = wire.Classify("POST", u, nil)
		if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != "model" {
			t.Errorf("%s: %v, want an invalid model", target, err)
		}
	}
	// What is unescaped once is not unescaped again.
	u, _ := url.Parse("/v1beta/models/a%252f..:generateContent")
	if got, err := wire.Classify("POST", u, nil); err != nil || got.Model != "a%2f.." {
		t.Errorf("double escapes: %q, %v", got.Model, err)
	}
}

func TestIsDataPath(t *testing.T) {
	for target, want := range map[string]bool{
		"/v1": true, "/v1/x": true, "/v1beta/x": true, "/upload/v1/files": true, "/groq/v1/x": true, "/groq/v1beta/x": true,
		"/": false, "/admin/users/query": false, "/admin/v1/x": false, "/console/": false, "/groq": false, "/groq/v2/x": false, "/v10/x": false, "/healthz": false, "": false,
	} {
		if got := wire.IsDataPath(&url.URL{Path: target}); got != want {
			t.Errorf("IsDataPath(%q) = %v", target, got)
		}
	}
}

func TestGuessDialect(t *testing.T) {
	tests := []struct {
		in   request
		want tollgate.Dialect
	}{
		{request{line: "POST /v1/messages"}, anthropic},
		{request{line: "POST /x/v1/messages/count_tokens"}, anthropic},
		{request{line: "POST /v1/responses"}, responses},
		{request{line: "POST /v1/chat/completions", headers: []string{"anthropic-version: x"}}, chat},
		{request{line: "POST /v1/models/m:generateContent"}, gemini},
		{request{line: "GET /v1beta/models"}, gemini},
		{request{line: "POST /upload/v1/files"}, gemini},
		{request{line: "POST /v1beta/openai/embeddings"}, chat},
		{request{line: "GET /v1/models", headers: []string{"x-goog-api-key: k"}}, gemini},
		{request{line: "HEAD /"}, chat},
	}
	for _, tt := range tests {
		_, u, h := tt.in.parse(t)
		if got := wire.GuessDialect(u, h); got != tt.want {
			t.Errorf("%s = %s, want %s", tt.in.line, got, tt.want)
		}
	}
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"/v1/chat/completions", "/a/v1beta/models/m%2fx:generateContent", "/v1/models/..", "//ws/google.x", "/v1beta/models/%", "/v1/%zz"} {
		f.Add(s, "key=1&alt=sse")
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		u, err := url.Parse(path)
		if err != nil {
			u = &url.URL{Path: path}
		}
		u.RawQuery = query
		for _, method := range []string{"GET", "POST"} {
			r, err := wire.Classify(method, u, http.Header{})
			if r.Dialect == "" {
				t.Fatalf("%q has no dialect", path)
			}
			if err != nil && tollgate.ErrorCode(err) == tollgate.CodeInternal {
				t.Fatalf("%q: %v", path, err)
			}
			for segment := range strings.SplitSeq(r.Model, "/") {
				if err == nil && r.Model != "" && (segment == "" || segment == ".." || strings.ContainsAny(segment, "\x00\r\n\\")) {
					t.Fatalf("%q gives the model %q", path, r.Model)
				}
			}
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	for _, target := range []string{"/v1/chat/completions", "/groq/v1/chat/completions", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"} {
		b.Run(target, func(b *testing.B) {
			u, err := url.Parse(target)
			if err != nil {
				b.Fatal(err)
			}
			h := http.Header{}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := wire.Classify("POST", u, h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
