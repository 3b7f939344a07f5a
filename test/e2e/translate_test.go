package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// backend is a provider that speaks one dialect only.
type backend struct{ provider, dialect, model string }

func backends() []backend {
	return []backend{
		{"co", "openai-chat", "demo-large"},
		{"rs", "openai-responses", "demo-large"},
		{"an", "anthropic", "demo-large"},
		{"ge", "gemini", "gemini-3-demo"}, // whose calls must come back signed
	}
}

// pair is a client and a provider of another dialect.
type pair struct {
	speaker
	backend
}

func pairs() []pair {
	var out []pair
	for _, s := range speakers() {
		for _, b := range backends() {
			if s.name != b.dialect {
				out = append(out, pair{s, b})
			}
		}
	}
	return out
}

// bridges starts a gateway in front of one vendor, which it knows as a
// provider of each dialect alone.
func bridges(t *testing.T) (g *gateway, key string) {
	t.Helper()
	v := newVendor(t)
	v.AnyModel = true
	v.Record(true)
	g = start(t, v, "[[providers]]\nname = \"rs\"\nkind = \"openai\"\nbase_url = \""+v.URL+"\"\nsettings = { dialects = [\"openai-responses\"] }\n"+
		"[[providers.credentials]]\nlabel = \"a\"\napi_key = \""+providerKey+"\"\n")
	for _, b := range backends() {
		g.admin("/admin/prices/upsert", map[string]any{
			"provider_id": g.providerID(b.provider), "model_pattern": "*", "prices": map[string]any{"price_input_tokens": 1, "price_output_tokens": 10},
		}, nil)
	}
	_, key, _ = g.newUser("ada")
	return g, key
}

// expected is what tokens cost at the prices of bridges, in dollars.
func expected(input, output int64) float64 { return float64(input+10*output) / 1e6 }

// row is a request row as the admin API gives it.
type row struct {
	Status     int      `json:"status"`
	ErrorClass string   `json:"error_class"`
	Dialect    string   `json:"dialect"`
	Stream     bool     `json:"stream"`
	Losses     []string `json:"losses"`
	Input      int64    `json:"input_tokens"`
	CacheRead  int64    `json:"cache_read_input_tokens"`
	Output     int64    `json:"output_tokens"`
	Reasoning  int64    `json:"reasoning_tokens"`
	Exactness  string   `json:"exactness"`
	Cost       float64  `json:"cost"`
}

// rowOf returns the request row of an answer with the exactness of its last
// usage row.
func (g *gateway) rowOf(t *testing.T, r *reply) row {
	t.Helper()
	id := map[string]any{"request_id": map[string]any{"eq": r.header.Get("X-Tollgate-Request-Id")}}
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		var rows, uses []row
		g.admin("/admin/requests/query", id, &rows)
		if len(rows) == 1 {
			g.admin("/admin/usages/query", id, &uses)
			if len(uses) > 0 {
				rows[0].Exactness = uses[len(uses)-1].Exactness
			}
			return rows[0]
		}
		if time.Now().After(deadline) {
			t.Fatalf("no row of %v", id)
		}
	}
}

// vendorSays sends what the vendor was last sent once more, past the gateway,
// and returns the usage that it answers with.
func (p pair) vendorSays(t *testing.T, g *gateway) (input, output int64) {
	t.Helper()
	all := g.vendor.Requests()
	last := all[len(all)-1]
	native := map[string]speaker{}
	for _, s := range speakers() {
		native[s.name] = s
	}
	path := last.Path
	if last.Query != "" {
		path += "?" + last.Query
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.vendor.URL+path, strings.NewReader(string(last.Body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = last.Header.Clone()
	resp, err := g.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	s := native[p.dialect]
	r, a := &reply{status: resp.StatusCode}, &assembly{}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		_ = events(resp.Body, func(_, name string, data []byte) {
			if data != nil {
				s.event(r, a, name, data)
			}
		})
		s.done(r, a, decode(last.Body))
	} else {
		var m json.RawMessage
		_ = json.NewDecoder(resp.Body).Decode(&m)
		r.body = string(m)
		s.read(r, decode(last.Body))
	}
	return r.input, r.output
}

// eachPair runs a test for every pair, streamed and not.
func eachPair(t *testing.T, fn func(t *testing.T, p pair, stream bool)) {
	t.Helper()
	for _, p := range pairs() {
		for _, stream := range []bool{false, true} {
			name := fmt.Sprintf("%s to %s", p.name, p.dialect)
			if stream {
				name += " streamed"
			}
			t.Run(name, func(t *testing.T) { fn(t, p, stream) })
		}
	}
}

// whole fails the test unless r is a whole answer.
func (r *reply) whole(t *testing.T, stream bool) {
	t.Helper()
	if r.status != http.StatusOK || r.err != nil || r.failure != "" || stream && !r.ended {
		t.Fatalf("status %d, %v, %q, ended %t: %s", r.status, r.err, r.failure, r.ended, r.body)
	}
}

func TestTranslatedAnswersAreWholeAndCounted(t *testing.T) {
	g, key := bridges(t)
	eachPair(t, func(t *testing.T, p pair, stream bool) {
		t.Helper()
		for _, x := range []struct {
			turn turn
			want string
		}{
			{turn{text: "good morning", stream: stream}, `You wrote: "good morning"`},
			{turn{text: "look at this", image: true, stream: stream}, "sent along 1 file(s)"},
			{turn{text: "where? [[demo:reasoning=5]]", think: true, stream: stream}, `You wrote: "where?"`},
		} {
			r := p.say(t.Context(), t, g, p.provider, key, p.model, x.turn)
			r.whole(t, stream)
			if !strings.Contains(r.text, x.want) {
				t.Errorf("answer %q, want %q in it", r.text, x.want)
			}
			if x.turn.think && r.thoughts == "" && p.dialect != "openai-chat" {
				t.Errorf("no thoughts in %s", r.body)
			}
			got := g.rowOf(t, r)
			input, output := p.vendorSays(t, g)
			if got.Input+got.CacheRead != input || got.Output != output || got.Exactness != "measured" || got.Cost != expected(input, output) || input == 0 || output == 0 {
				t.Errorf("row %+v, the vendor says %d and %d", got, input, output)
			}
			if r.input != input || r.output != output {
				t.Errorf("the client is told %d and %d, the vendor says %d and %d: %s", r.input, r.output, input, output, r.body)
			}
			if got.Status != http.StatusOK || got.Stream != stream || got.Dialect != p.name {
				t.Errorf("row %+v", got)
			}
		}
	})
}

func TestTranslatedToolRoundTrips(t *testing.T) {
	g, key := bridges(t)
	eachPair(t, func(t *testing.T, p pair, stream bool) {
		t.Helper()
		first := p.say(t.Context(), t, g, p.provider, key, p.model, turn{
			text: "how is Oslo? [[demo:parallel=2]][[demo:reasoning=3]]", tools: true, think: true, stream: stream,
		})
		first.whole(t, stream)
		if len(first.calls) != 2 || first.calls[0].name != toolNames[0] || first.calls[1].name != toolNames[1] {
			t.Fatalf("calls %+v: %s", first.calls, first.body)
		}
		for _, c := range first.calls {
			if !jsonEqual(c.args, `{"city":"Oslo?","days":2}`) && !jsonEqual(c.args, `{"city":"Oslo","days":2}`) {
				t.Errorf("arguments %s", c.args)
			}
		}
		second := p.say(t.Context(), t, g, p.provider, key, p.model, turn{
			before: first.said, answers: first.calls, tools: true, think: true, stream: stream,
		})
		second.whole(t, stream)
		for _, name := range toolNames {
			if !strings.Contains(second.text, "According to "+name) || !strings.Contains(second.text, "result of "+name) {
				t.Errorf("second answer %q, want the result of %s", second.text, name)
			}
		}
		third := p.say(t.Context(), t, g, p.provider, key, p.model, turn{before: second.said, text: "thank you", tools: true, think: true, stream: stream})
		third.whole(t, stream)
	})
}

func TestTranslatedStructuredOutput(t *testing.T) {
	g, key := bridges(t)
	eachPair(t, func(t *testing.T, p pair, stream bool) {
		t.Helper()
		r := p.say(t.Context(), t, g, p.provider, key, p.model, turn{text: "is it nice in Rome", schema: true, stream: stream})
		r.whole(t, stream)
		if !jsonEqual(r.text, `{"place":"Rome","good":true}`) {
			t.Errorf("answer %q", r.text)
		}
	})
}

func TestTranslatedErrorsHaveTheClientsShape(t *testing.T) {
	g, key := bridges(t)
	want := map[string]map[int]int{ // the vendor's status → the client's, by client
		"openai-chat":      {400: 400, 429: 429, 500: 502, 529: 503},
		"openai-responses": {400: 400, 429: 429, 500: 502, 529: 503},
		"anthropic":        {400: 400, 429: 429, 500: 502, 529: 529},
		"gemini":           {400: 400, 429: 429, 500: 502, 529: 503},
	}
	shape := map[string]string{"openai-chat": `{"error":{"message"`, "openai-responses": `{"error":{"message"`, "anthropic": `{"type":"error","error":{"type"`, "gemini": `{"error":{"code"`}
	eachPair(t, func(t *testing.T, p pair, stream bool) {
		t.Helper()
		for _, status := range []int{400, 429, 500, 529} {
			text := fmt.Sprintf("fail [[demo:status=%d]][[demo:retry-after=7]]", status)
			r := p.say(t.Context(), t, g, p.provider, key, p.model, turn{text: text, stream: stream})
			if r.status != want[p.name][status] || !strings.HasPrefix(strings.ReplaceAll(r.body, " ", ""), shape[p.name]) || !strings.Contains(r.failure, "asked to answer") {
				t.Errorf("%d became %d %s", status, r.status, r.body)
			}
			if after := r.header.Get("Retry-After"); (after == "7") != (status == 429 || status == 529) && status != 500 {
				t.Errorf("%d: retry-after %q", status, after)
			}
			if got := g.rowOf(t, r); got.Status != r.status || got.ErrorClass == "" || got.Output != 0 {
				t.Errorf("%d: row %+v", status, got)
			}
		}
	})
}

// TestTranslatedStreamsThatBreakNeverEndCleanly covers a cut connection, an end
// without the terminator, and the vendor's own report of a failure.
func TestTranslatedStreamsThatBreakNeverEndCleanly(t *testing.T) {
	g, key := bridges(t)
	for _, directive := range []string{"[[demo:cut=9]]", "[[demo:eof=9]]", "[[demo:error=9]]"} {
		for _, p := range pairs() {
			t.Run(fmt.Sprintf("%s to %s %s", p.name, p.dialect, directive), func(t *testing.T) {
				r := p.say(t.Context(), t, g, p.provider, key, p.model, turn{text: "tell me [[demo:tokens=40]][[demo:slow=1ms]]" + directive, stream: true})
				if r.status != http.StatusOK || r.err == nil || r.failure == "" || r.ended {
					t.Errorf("status %d, %v, %q, ended %t: %s", r.status, r.err, r.failure, r.ended, r.body)
				}
				got := g.rowOf(t, r)
				if got.ErrorClass == "" || got.Output == 0 {
					t.Errorf("row %+v", got)
				}
			})
		}
	}
}

func TestTranslatedStreamsEndWhenTheirKeyDoes(t *testing.T) {
	g, _ := bridges(t)
	for _, p := range pairs() {
		t.Run(fmt.Sprintf("%s to %s", p.name, p.dialect), func(t *testing.T) {
			_, key, id := g.newUser("u-" + p.name + "-" + p.dialect)
			done, begun := make(chan *reply, 1), make(chan struct{})
			go func() {
				done <- p.say(context.Background(), t, g, p.provider, key, p.model, turn{
					text: "talk [[demo:tokens=2000]][[demo:slow=20ms]]", stream: true, begun: sync.OnceFunc(func() { close(begun) }),
				})
			}()
			<-begun
			g.admin("/admin/user-keys/update-enabled", map[string]any{"id": id, "enabled": false}, nil)
			select {
			case r := <-done:
				if r.err == nil || r.failure == "" || r.ended {
					t.Errorf("status %d, %v, %q: %s", r.status, r.err, r.failure, r.body)
				}
				if got := g.rowOf(t, r); got.ErrorClass != "unauthenticated" || got.Exactness != "estimated" {
					t.Errorf("row %+v", got)
				}
			case <-time.After(5 * time.Second):
				t.Fatal("the stream goes on")
			}
		})
	}
}

// TestLossesAreSeenByOperators follows one loss to the row, the metrics, and
// the refusal of a strict gateway.
func TestLossesAreSeenByOperators(t *testing.T) {
	body := `{"model":"demo-large","seed":7,"messages":[{"role":"user","content":"Hello"}]}`
	ask := func(g *gateway, key string) *reply {
		status, header, b, err := g.post(t.Context(), "/an/v1/chat/completions", key, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		return &reply{status: status, header: header, body: string(b)}
	}
	g, key := bridges(t)
	r := ask(g, key)
	if got := g.rowOf(t, r); r.status != http.StatusOK || r.header.Get("X-Tollgate-Loss") != "seed" || len(got.Losses) != 1 || got.Losses[0] != "seed" {
		t.Errorf("status %d, loss %q, row %+v", r.status, r.header.Get("X-Tollgate-Loss"), got)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	bearer(adminKey)(req)
	resp, err := g.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	metrics, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(metrics), `tollgate_losses_total{feature="seed",kind="loss"} 1`) {
		t.Errorf("%v: no loss in the metrics", err)
	}

	v := newVendor(t)
	strict := start(t, v, "[server]\nstrict = true\nkeep_alive = \"5s\"\n")
	_, key, _ = strict.newUser("ada")
	if r := ask(strict, key); r.status != http.StatusBadRequest || !strings.Contains(r.body, "seed") || v.Dispatches() != 0 {
		t.Errorf("strict: status %d %s", r.status, r.body)
	}
}
