package proxy_test

import (
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/demo"
	"tollgate/internal/upstream"
)

// demoAsk is a request to the simulated vendor in one dialect.
type demoAsk struct {
	name, path, body string
	stream           bool
}

func demoAsks(directive string) []demoAsk {
	text := `"hello there ` + directive + `"`
	return []demoAsk{
		{"chat", "/oa/v1/chat/completions", `{"model":"demo-small","messages":[{"role":"user","content":` + text + `}]}`, false},
		{"chat stream", "/oa/v1/chat/completions", `{"model":"demo-small","stream":true,"messages":[{"role":"user","content":` + text + `}]}`, true},
		{"responses", "/oa/v1/responses", `{"model":"demo-small","input":` + text + `}`, false},
		{"responses stream", "/oa/v1/responses", `{"model":"demo-small","stream":true,"input":` + text + `}`, true},
		{"messages", "/an/v1/messages", `{"model":"demo-small","max_tokens":100,"messages":[{"role":"user","content":` + text + `}]}`, false},
		{"messages stream", "/an/v1/messages", `{"model":"demo-small","max_tokens":100,"stream":true,"messages":[{"role":"user","content":` + text + `}]}`, true},
		{"gemini", "/ge/v1beta/models/demo-small:generateContent", `{"contents":[{"parts":[{"text":` + text + `}]}]}`, false},
		{"gemini stream", "/ge/v1beta/models/demo-small:streamGenerateContent?alt=sse", `{"contents":[{"parts":[{"text":` + text + `}]}]}`, true},
		{"gemini array", "/ge/v1beta/models/demo-small:streamGenerateContent", `{"contents":[{"parts":[{"text":` + text + `}]}]}`, true},
	}
}

// TestEveryFailureModeOfTheVendor drives the simulated vendor through all that
// it can do wrong, in every dialect. What must hold: the client gets either a
// whole answer, an error of its protocol, or an error event and a cut; and the
// row says which.
func TestEveryFailureModeOfTheVendor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		directive     string
		whole, stream int // status; 0 = begins with 200 and is cut off
	}{
		{"", 200, 200},
		{"[[demo:status=503]]", 503, 503},
		{"[[demo:status=429]][[demo:retry-after=2]]", 429, 429},
		{"[[demo:status=401]]", 502, 502},
		{"[[demo:delay=20ms]]", 200, 200},
		{"[[demo:silence=5s]]", 504, 0},
		{"[[demo:slow=5ms]][[demo:tokens=5]]", 200, 200},
		{"[[demo:big=300000]]", 200, 200},
		{"[[demo:cut]]", 502, 0},
		{"[[demo:eof]]", 502, 0},
		{"[[demo:half]]", 502, 0},
		{"[[demo:error]]", 500, 0},
		{"[[demo:noise]]", 200, 200},
		{"[[demo:html]]", 502, 502},
		{"[[demo:empty]]", 502, 502},
		{"[[demo:nothing]]", 502, 502},
		{"[[demo:nousage]]", 200, 200},
		{"[[demo:reasoning=4]][[demo:cached=1]]", 200, 200},
	} {
		t.Run("mode "+c.directive, func(t *testing.T) {
			t.Parallel()
			timeouts := upstream.DefaultTimeouts()
			timeouts.Idle = 300 * time.Millisecond
			g := start(t, options{vendor: &demo.Vendor{Now: time.Now}, timeouts: timeouts})
			for i, ask := range demoAsks(c.directive) {
				a := g.send("POST", ask.path, ask.body)
				want := c.whole
				if ask.stream {
					want = c.stream
				}
				row := g.last(i + 1)
				switch {
				case want == 0 && (a.Status != 200 || a.Err == nil || !strings.Contains(a.Body, "error")):
					t.Errorf("%s: status %d, %v, want a stream that is cut off with an error event: %s", ask.name, a.Status, a.Err, tail(a.Body))
				case want == 0:
				case a.Status != want || a.Err != nil:
					t.Errorf("%s: status %d, %v, want %d: %s", ask.name, a.Status, a.Err, want, tail(a.Body))
				}
				if (row.ErrorClass == "") != (want == 200) || len(row.Dispatches) == 0 {
					t.Errorf("%s: row %+v", ask.name, row)
				}
				if want != 200 {
					continue
				}
				d := row.Dispatches[len(row.Dispatches)-1]
				estimated := strings.Contains(c.directive, "nousage")
				if (d.Exactness == tollgate.ExactEstimated) != estimated || d.Tokens.Output == 0 || d.Tokens.Input == 0 {
					t.Errorf("%s: dispatch %+v", ask.name, d)
				}
			}
		})
	}
}

// TestDemoEmbedsCountsAndModerates runs the routes that do not generate.
func TestDemoEmbedsCountsAndModerates(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &demo.Vendor{Now: time.Now}})
	for _, c := range []struct{ path, body string }{
		{"/oa/v1/embeddings", `{"model":"demo-embed","input":"hello"}`},
		{"/oa/v1/completions", `{"model":"demo-small","prompt":"hello"}`},
		{"/oa/v1/completions", `{"model":"demo-small","prompt":"hello","stream":true}`},
		{"/oa/v1/moderations", `{"model":"demo-small","input":"hello"}`},
		{"/oa/v1/responses/input_tokens", `{"model":"demo-small","input":"hello"}`},
		{"/an/v1/messages/count_tokens", `{"model":"demo-small","messages":[{"role":"user","content":"hello"}]}`},
		{"/ge/v1beta/models/demo-small:countTokens", `{"contents":[{"parts":[{"text":"hello"}]}]}`},
		{"/ge/v1beta/models/demo-embed:embedContent", `{"content":{"parts":[{"text":"hello"}]}}`},
		{"/ge/v1beta/models/demo-embed:batchEmbedContents", `{"requests":[{"model":"models/demo-embed","content":{"parts":[{"text":"hello"}]}}]}`},
	} {
		if a := g.send("POST", c.path, c.body); a.Status != 200 || a.Err != nil {
			t.Errorf("%s: %d %s", c.path, a.Status, a.Body)
		}
	}
	g.rows(9)
}
