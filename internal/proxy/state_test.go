package proxy_test

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tollgate"
	"tollgate/internal/proxy"
	"tollgate/internal/tally"
)

// backends are the providers that a conversation is held with: one that speaks
// Responses and keeps nothing, and one of each other dialect.
func backends() []string {
	return []string{"gk/demo-small", "an/demo-small", "ge/demo-small", "cp/demo-small"}
}

// reply is an answer of the Responses API, over either transport.
type reply struct {
	ID       string          `json:"id"`
	Object   string          `json:"object"`
	Status   string          `json:"status"`
	Previous *string         `json:"previous_response_id"`
	Model    string          `json:"model"`
	Output   []outputItem    `json:"output"`
	Usage    *map[string]any `json:"usage"`
	Store    bool            `json:"store"`
}

type outputItem struct {
	Type      string `json:"type"`
	ID        string `json:"id"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Sealed    string `json:"encrypted_content"`
	Arguments string `json:"arguments"`
	Content   []struct {
		Type string `json:"type"`
		Text string `json:"text"`
	} `json:"content"`
}

func (r *reply) text() string {
	var b strings.Builder
	for _, it := range r.Output {
		for _, p := range it.Content {
			b.WriteString(p.Text)
		}
	}
	return b.String()
}

// refusal is the error of an answer or of an event.
type refusal struct {
	Type    string `json:"type"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Param   string `json:"param"`
}

// create is a request: members of the body.
type create map[string]any

func (c create) with(more create) create {
	out := create{}
	for _, m := range []create{c, more} {
		maps.Copy(out, m)
	}
	return out
}

func encoded(tb testing.TB, v any) string {
	tb.Helper()
	b, err := json.Marshal(v)
	must(tb, err)
	return string(b)
}

func decoded[T any](tb testing.TB, text string) (out T) {
	tb.Helper()
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		tb.Fatalf("%v in %s", err, text)
	}
	return out
}

// transport sends requests one after the other.
type transport interface {
	// ask returns the whole answer, or why there is none, with its status.
	ask(c create) (reply, refusal, int)
}

// post is plain HTTP, streamed or not.
type post struct {
	g      *gateway
	stream bool
	header []string
}

func (p post) ask(c create) (reply, refusal, int) {
	p.g.tb.Helper()
	a := p.g.send("POST", "/v1/responses", encoded(p.g.tb, c.with(create{"stream": p.stream})), p.header...)
	if a.Status != 200 {
		return reply{}, decoded[struct{ Error refusal }](p.g.tb, a.Body).Error, a.Status
	}
	if !p.stream {
		return decoded[reply](p.g.tb, a.Body), refusal{}, 200
	}
	var last reply
	for event := range strings.SplitSeq(strings.ReplaceAll(a.Body, "\r\n", "\n"), "\n\n") {
		if _, data, ok := strings.Cut(event, "data: "); ok && strings.Contains(data, `"response.completed"`) {
			last = decoded[struct{ Response reply }](p.g.tb, data).Response
		}
	}
	return last, refusal{}, 200
}

// link is a WebSocket of a client.
type link struct {
	tb   testing.TB
	conn *websocket.Conn
}

// dial opens a WebSocket that ends with the test.
func (g *gateway) dial(header ...string) *link {
	g.tb.Helper()
	h := http.Header{"Authorization": {"Bearer " + g.Key}, "Openai-Beta": {"responses_websockets=2026-02-06"}}
	for i := 0; i+1 < len(header); i += 2 {
		h.Set(header[i], header[i+1])
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, g.URL+"/v1/responses", &websocket.DialOptions{HTTPHeader: h, HTTPClient: g.Client})
	must(g.tb, err)
	conn.SetReadLimit(64 << 20)
	g.tb.Cleanup(func() { _ = conn.CloseNow() })
	return &link{tb: g.tb, conn: conn}
}

func (l *link) send(text string) {
	l.tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	must(l.tb, l.conn.Write(ctx, websocket.MessageText, []byte(text)))
}

// next returns the next event.
func (l *link) next() (map[string]json.RawMessage, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	_, b, err := l.conn.Read(ctx)
	if err != nil {
		return nil, "", err
	}
	ev := decoded[map[string]json.RawMessage](l.tb, string(b))
	return ev, decoded[string](l.tb, string(ev["type"])), nil
}

// answer reads events to the one that ends the turn.
func (l *link) answer() (reply, refusal, int) {
	l.tb.Helper()
	for last := -1; ; {
		ev, kind, err := l.next()
		must(l.tb, err)
		switch kind {
		case "response.completed", "response.incomplete", "response.failed":
			return decoded[reply](l.tb, string(ev["response"])), refusal{}, 200
		case "error":
			return reply{}, decoded[refusal](l.tb, string(ev["error"])), decoded[int](l.tb, string(ev["status"]))
		default:
			number := decoded[int](l.tb, string(ev["sequence_number"]))
			if number < last || last >= 0 && number > last+1 {
				l.tb.Errorf("event %s has number %d after %d", kind, number, last)
			}
			last = number
		}
	}
}

func (l *link) ask(c create) (reply, refusal, int) {
	l.tb.Helper()
	l.send(encoded(l.tb, c.with(create{"type": "response.create"})))
	return l.answer()
}

// closed waits for the end of the connection and returns how it was closed.
func (l *link) closed() websocket.StatusCode {
	l.tb.Helper()
	for {
		if _, _, err := l.next(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// transports are the ways to the gateway, by name.
func transports(g *gateway) map[string]func() transport {
	return map[string]func() transport{
		"HTTP":      func() transport { return post{g: g} },
		"SSE":       func() transport { return post{g: g, stream: true} },
		"WebSocket": func() transport { return g.dial() },
	}
}

// everywhere runs a test for every back-end over every transport.
func everywhere(t *testing.T, run func(t *testing.T, g *gateway, model string, tr transport)) {
	t.Helper()
	t.Parallel()
	for _, model := range backends() {
		t.Run(strings.ReplaceAll(model, "/", " "), func(t *testing.T) {
			t.Parallel()
			g := start(t, options{})
			for name, open := range transports(g) {
				t.Run(name, func(t *testing.T) { run(t, g, model, open()) })
			}
		})
	}
}

func completed(t *testing.T, r reply, e refusal, status int) reply {
	t.Helper()
	if status != 200 || r.Status != "completed" || r.ID == "" || len(r.Output) == 0 || r.Usage == nil {
		t.Fatalf("status %d, answer %+v, error %+v", status, r, e)
	}
	return r
}

func wantNotFound(t *testing.T, id string, r reply, e refusal, status int) {
	t.Helper()
	want := refusal{Type: "invalid_request_error", Code: "previous_response_not_found", Param: "previous_response_id", Message: "Previous response with id '" + id + "' not found."}
	if status != 400 || e != want {
		t.Errorf("status %d, error %+v, answer %+v; want 400 %+v", status, e, r, want)
	}
}

// lastBody is what the vendor was sent last.
func (g *gateway) lastBody() string {
	g.tb.Helper()
	all := g.Vendor.Requests()
	if len(all) == 0 {
		g.tb.Fatal("the vendor was sent nothing")
	}
	return string(all[len(all)-1].Body)
}

// inOrder fails unless text holds the words in this order.
func inOrder(t *testing.T, text string, words ...string) {
	t.Helper()
	rest := text
	for _, w := range words {
		_, after, ok := strings.Cut(rest, w)
		if !ok {
			t.Fatalf("%q does not come in its place in %s", w, text)
		}
		rest = after
	}
}

func TestAConversationGoesOnFromItsLastAnswer(t *testing.T) {
	everywhere(t, func(t *testing.T, g *gateway, model string, tr transport) {
		t.Helper()
		base := create{"model": model, "instructions": "first orders"}
		r1, e, status := tr.ask(base.with(create{"input": "My name is Alice <&>."}))
		completed(t, r1, e, status)
		next := create{"model": model, "previous_response_id": r1.ID, "input": []create{{"role": "user", "content": "Who am I?"}}}
		r2, e, status := tr.ask(next)
		completed(t, r2, e, status)
		if r2.Previous == nil || *r2.Previous != r1.ID || r2.Model != model {
			t.Errorf("the answer says it goes on from %v, by %s", r2.Previous, r2.Model)
		}
		body := g.lastBody()
		inOrder(t, body, "My name is Alice", "Who am I?")
		if strings.Contains(body, "first orders") || strings.Contains(body, "previous_response_id") {
			t.Errorf("the provider was sent %s", body)
		}
		r3, e, status := tr.ask(create{"model": model, "previous_response_id": r2.ID, "input": "And now?"})
		completed(t, r3, e, status)
		inOrder(t, g.lastBody(), "My name is Alice", "Who am I?", "And now?")
		if n := strings.Count(g.lastBody(), "My name is Alice"); n > 3 { // said once, quoted by the vendor twice
			t.Errorf("what was said once is sent %d times: %s", n, g.lastBody())
		}
		fork, e, status := tr.ask(create{"model": model, "previous_response_id": r1.ID, "input": "Another way"})
		completed(t, fork, e, status)
		if body := g.lastBody(); strings.Contains(body, "Who am I?") {
			t.Errorf("a fork goes on from %s", body)
		}
	})
}

func TestToolsRunAcrossTurns(t *testing.T) {
	tools := []create{{"type": "function", "name": "get_weather", "parameters": create{
		"type": "object", "properties": create{"location": create{"type": "string"}}, "required": []string{"location"},
	}}}
	everywhere(t, func(t *testing.T, g *gateway, model string, tr transport) {
		t.Helper()
		r1, e, status := tr.ask(create{"model": model, "tools": tools, "input": "What's the weather? [[demo:parallel=2]] [[demo:reasoning=5]]"})
		completed(t, r1, e, status)
		var results []create
		for _, it := range r1.Output {
			if it.Type == "function_call" {
				results = append(results, create{"type": "function_call_output", "call_id": it.CallID, "output": "sunny in " + it.Arguments})
			}
		}
		if len(results) != 2 {
			t.Fatalf("%d calls in %+v", len(results), r1.Output)
		}
		r2, e, status := tr.ask(create{"model": model, "tools": tools, "previous_response_id": r1.ID, "input": results})
		completed(t, r2, e, status)
		if !strings.Contains(r2.text(), "sunny in") {
			t.Errorf("the answer is %q", r2.text())
		}
		_, e, status = tr.ask(create{"model": model, "tools": tools, "previous_response_id": r2.ID, "input": []create{
			{"type": "function_call_output", "call_id": "call_of_nobody", "output": "x"},
		}})
		if status != 400 || !strings.Contains(e.Message, "No tool call found for function call output with call_id call_of_nobody") {
			t.Errorf("a result without its call: %d %+v", status, e)
		}
	})
}

func TestImagesStayInTheConversation(t *testing.T) {
	const png = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
	everywhere(t, func(t *testing.T, g *gateway, model string, tr transport) {
		t.Helper()
		r1, e, status := tr.ask(create{"model": model, "input": []create{{"role": "user", "content": []create{
			{"type": "input_text", "text": "What is this?"}, {"type": "input_image", "image_url": png},
		}}}})
		completed(t, r1, e, status)
		r2, e, status := tr.ask(create{"model": model, "previous_response_id": r1.ID, "input": "Look again"})
		completed(t, r2, e, status)
		inOrder(t, g.lastBody(), "iVBORw0KGgo", "Look again")
	})
}

func TestAnUnknownAnswerIsRefused(t *testing.T) {
	everywhere(t, func(t *testing.T, g *gateway, model string, tr transport) {
		t.Helper()
		before := g.Vendor.Dispatches()
		r, e, status := tr.ask(create{"model": model, "previous_response_id": "resp_missing_1", "input": "x"})
		wantNotFound(t, "resp_missing_1", r, e, status)
		if g.Vendor.Dispatches() != before {
			t.Error("the provider was asked")
		}
		r, e, status = tr.ask(create{"model": model, "input": "fresh"})
		completed(t, r, e, status)
	})
}

func TestWhatIsNotToBeStoredIsNot(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, model := range backends() {
		for _, stream := range []bool{false, true} {
			tr := post{g: g, stream: stream}
			r, e, status := tr.ask(create{"model": model, "input": "x", "store": false})
			completed(t, r, e, status)
			again, e, status := tr.ask(create{"model": model, "previous_response_id": r.ID, "input": "x"})
			wantNotFound(t, r.ID, again, e, status)
			if a := g.send("GET", "/v1/responses/"+r.ID, ""); a.Status != 404 {
				t.Errorf("GET: %d %s", a.Status, a.Body)
			}
		}
	}
}

func TestOneTenantsAnswersAreUnknownToAnother(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	bob, bobsKey, _ := g.addUser("bob")
	g.permit(bob.ID, 0, "*")
	must(t, g.setAccess("an-access-key-of-the-tests", "*"))
	for _, model := range backends() {
		r, e, status := post{g: g}.ask(create{"model": model, "input": "a secret"})
		completed(t, r, e, status)
		for _, key := range []string{bobsKey, "an-access-key-of-the-tests"} {
			as := []string{"Authorization", "Bearer " + key}
			other, e, status := post{g: g, header: as}.ask(create{"model": model, "previous_response_id": r.ID, "input": "what was it?"})
			wantNotFound(t, r.ID, other, e, status)
			other, e, status = g.dial(as...).ask(create{"model": model, "previous_response_id": r.ID, "input": "what was it?"})
			wantNotFound(t, r.ID, other, e, status)
			for _, path := range []string{"", "/input_items"} {
				if a := g.send("GET", "/v1/responses/"+r.ID+path, "", as...); a.Status != 404 || strings.Contains(a.Body, "secret") {
					t.Errorf("GET %s: %d %s", path, a.Status, a.Body)
				}
			}
			if a := g.send("DELETE", "/v1/responses/"+r.ID, "", as...); a.Status != 404 {
				t.Errorf("DELETE: %d %s", a.Status, a.Body)
			}
		}
		if a := g.send("GET", "/v1/responses/"+r.ID, ""); a.Status != 200 {
			t.Errorf("its owner: %d %s", a.Status, a.Body)
		}
	}
}

func TestAKeptAnswerIsReadListedAndDeleted(t *testing.T) {
	everywhere(t, func(t *testing.T, g *gateway, model string, tr transport) {
		t.Helper()
		r1, e, status := tr.ask(create{"model": model, "input": "one"})
		completed(t, r1, e, status)
		r, e, status := tr.ask(create{"model": model, "previous_response_id": r1.ID, "input": []create{
			{"role": "user", "content": "two"}, {"role": "assistant", "content": "yes"}, {"type": "message", "role": "user", "content": []create{{"type": "input_text", "text": "three"}}},
		}})
		completed(t, r, e, status)
		a := g.send("GET", "/v1/responses/"+r.ID, "")
		if got := decoded[reply](t, a.Body); a.Status != 200 || got.ID != r.ID || got.text() != r.text() || got.Status != "completed" || got.Previous == nil {
			t.Errorf("GET: %d %s", a.Status, a.Body)
		}
		type list struct {
			Object  string
			Data    []map[string]any
			FirstID string `json:"first_id"`
			LastID  string `json:"last_id"`
			HasMore bool   `json:"has_more"`
		}
		a = g.send("GET", "/v1/responses/"+r.ID+"/input_items?order=asc&limit=2", "")
		page := decoded[list](t, a.Body)
		if a.Status != 200 || page.Object != "list" || len(page.Data) != 2 || !page.HasMore || page.Data[0]["id"] != page.FirstID || page.LastID == "" {
			t.Fatalf("input items: %d %s", a.Status, a.Body)
		}
		inOrder(t, a.Body, `"input_text","text":"two"`, `"output_text","text":"yes"`)
		a = g.send("GET", "/v1/responses/"+r.ID+"/input_items?order=asc&after="+page.LastID, "")
		if page = decoded[list](t, a.Body); len(page.Data) != 1 || page.HasMore {
			t.Errorf("the second page: %s", a.Body)
		}
		a = g.send("GET", "/v1/responses/"+r.ID+"/input_items", "")
		inOrder(t, a.Body, "three", "yes", "two")
		for _, bad := range []string{"?limit=0", "?limit=101", "?order=up", "?after=msg_x"} {
			if a := g.send("GET", "/v1/responses/"+r.ID+"/input_items"+bad, ""); a.Status != 400 {
				t.Errorf("%s: %d %s", bad, a.Status, a.Body)
			}
		}
		if a := g.send("POST", "/v1/responses/"+r.ID+"/cancel", "{}"); a.Status != 400 || !strings.Contains(a.Body, "Cannot cancel a synchronous response.") {
			t.Errorf("cancel: %d %s", a.Status, a.Body)
		}
		if a := g.send("GET", "/v1/responses/"+r.ID+"?stream=true", ""); a.Status != 400 {
			t.Errorf("GET as a stream: %d %s", a.Status, a.Body)
		}
		a = g.send("DELETE", "/v1/responses/"+r.ID, "")
		if a.Status != 200 || a.Body != `{"id":"`+r.ID+`","object":"response","deleted":true}` {
			t.Errorf("DELETE: %d %s", a.Status, a.Body)
		}
		for _, method := range []string{"GET", "DELETE"} {
			if a := g.send(method, "/v1/responses/"+r.ID, ""); a.Status != 404 {
				t.Errorf("%s after DELETE: %d %s", method, a.Status, a.Body)
			}
		}
		if _, ok := tr.(*link); !ok { // a connection still remembers it
			again, e, status := tr.ask(create{"model": model, "previous_response_id": r.ID, "input": "x"})
			wantNotFound(t, r.ID, again, e, status)
		}
	})
}

func TestTokensOfAWholeConversationAreCounted(t *testing.T) {
	t.Parallel()
	g := start(t, options{shape: func(p *proxy.Proxy) { p.Tokens = &tally.Counter{} }})
	for _, model := range backends() {
		r, e, status := post{g: g}.ask(create{"model": model, "input": "one two three four five six seven"})
		completed(t, r, e, status)
		count := func(body create) int {
			a := g.send("POST", "/v1/responses/input_tokens", encoded(t, body))
			if a.Status != 200 {
				t.Fatalf("%s: %d %s", model, a.Status, a.Body)
			}
			return decoded[struct {
				N int `json:"input_tokens"`
			}](t, a.Body).N
		}
		short, long := count(create{"model": model, "input": "eight"}), count(create{"model": model, "previous_response_id": r.ID, "input": "eight"})
		if long < short+7 {
			t.Errorf("%s: %d tokens alone, %d with what came before", model, short, long)
		}
		a := g.send("POST", "/v1/responses/input_tokens", encoded(t, create{"model": model, "previous_response_id": "resp_x", "input": "eight"}))
		if a.Status != 400 || !strings.Contains(a.Body, "previous_response_not_found") {
			t.Errorf("%s: %d %s", model, a.Status, a.Body)
		}
	}
}

func TestAProviderThatKeepsItsStateIsLeftAlone(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	body := `{"model":"rs/demo-small","previous_response_id":"resp_of_the_provider","input": "x" }`
	a := g.send("POST", "/v1/responses", body)
	if a.Status != 400 || !strings.Contains(a.Body, "previous_response_not_found") {
		t.Fatalf("the provider's own refusal: %d %s", a.Status, a.Body)
	}
	if got, want := g.lastBody(), strings.Replace(body, "rs/", "", 1); got != want {
		t.Errorf("the provider got %s, want %s", got, want)
	}
	r, e, status := post{g: g}.ask(create{"model": "rs/demo-small", "input": "x"})
	completed(t, r, e, status)
	if a := g.send("GET", "/v1/responses/"+r.ID, ""); a.Status != 404 {
		t.Errorf("an answer that the provider keeps is kept here: %d", a.Status)
	}
	// What the gateway keeps can be gone on from at any provider.
	r, e, status = post{g: g}.ask(create{"model": "an/demo-small", "input": "from elsewhere"})
	completed(t, r, e, status)
	r, e, status = post{g: g, stream: true}.ask(create{"model": "rs/demo-small", "previous_response_id": r.ID, "input": "go on"})
	completed(t, r, e, status)
	inOrder(t, g.lastBody(), "from elsewhere", "go on")
}

func TestReferencesToKeptItemsAreResolved(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, model := range backends() {
		r, e, status := post{g: g}.ask(create{"model": model, "input": "remember this"})
		completed(t, r, e, status)
		ref := create{"type": "item_reference", "id": r.Output[0].ID}
		if model != "gk/demo-small" { // whose ids do not tell where they belong
			next, e, status := post{g: g}.ask(create{"model": model, "input": []any{create{"role": "user", "content": "remember this"}, ref, create{"role": "user", "content": "and?"}}})
			completed(t, next, e, status)
			inOrder(t, g.lastBody(), "remember this", "remember this", "and?")
		}
		next, e, status := post{g: g}.ask(create{"model": model, "previous_response_id": r.ID, "input": []any{ref, create{"role": "user", "content": "twice?"}}})
		completed(t, next, e, status)
		ref["id"] = "msg_unknown"
		_, e, status = post{g: g}.ask(create{"model": model, "input": []any{ref}})
		if status != 400 || !strings.Contains(e.Message, "Item with id 'msg_unknown' not found.") {
			t.Errorf("%s: %d %+v", model, status, e)
		}
	}
}

func TestAConversationIsCompacted(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	bob, bobsKey, _ := g.addUser("bob")
	g.permit(bob.ID, 0, "*")
	type compaction struct {
		ID, Object string
		CreatedAt  int64 `json:"created_at"`
		Output     []json.RawMessage
		Usage      map[string]any
	}
	for i, model := range backends() {
		body := create{"model": model, "prompt_cache_key": "k", "tools": []create{{"type": "function", "name": "f", "parameters": create{"type": "object", "properties": create{}}}}, "input": []create{
			{"type": "message", "role": "user", "content": "The code word is slate."},
			{"type": "message", "role": "assistant", "content": "Understood."},
			{"type": "function_call", "call_id": "call_1", "name": "f", "arguments": "{}"},
			{"type": "function_call_output", "call_id": "call_1", "output": "done"},
		}}
		a := g.send("POST", "/v1/responses/compact", encoded(t, body))
		got := decoded[compaction](t, a.Body)
		if a.Status != 200 || got.Object != "response.compaction" || got.ID == "" || got.CreatedAt == 0 || got.Usage["output_tokens"] == 0.0 || len(got.Output) != 2 {
			t.Fatalf("%s: %d %s", model, a.Status, a.Body)
		}
		inOrder(t, g.lastBody(), "slate", "Understood", "summary")
		last := decoded[outputItem](t, string(got.Output[1]))
		if last.Type != "compaction" || last.ID == "" || last.Sealed == "" || strings.Contains(last.Sealed, "slate") {
			t.Errorf("%s: %s", model, got.Output[1])
		}
		row := g.last(len(g.rows(1)))
		if row.Operation != tollgate.OpCompact || row.Tokens.Output == 0 || len(row.Dispatches) != 1 || row.Status != 200 {
			t.Errorf("%s: the row is %+v", model, row)
		}
		input := []any{}
		for _, it := range got.Output {
			input = append(input, it)
		}
		input = append(input, create{"role": "user", "content": "Continue from here."})
		for name, open := range transports(g) {
			r, e, status := open().ask(create{"model": backends()[(i+1)%len(backends())], "store": false, "input": input, "tools": []any{}})
			completed(t, r, e, status)
			inOrder(t, g.lastBody(), "The code word is slate.", "Summary of the conversation so far", "Continue from here.")
			if strings.Contains(g.lastBody(), last.Sealed) {
				t.Errorf("%s: the sealed text went to the provider", name)
			}
		}
		_, e, status := post{g: g, header: []string{"Authorization", "Bearer " + bobsKey}}.ask(create{"model": model, "input": input})
		if status != 400 || e.Code != "invalid_encrypted_content" {
			t.Errorf("%s: another caller's compaction: %d %+v", model, status, e)
		}
	}
	r, e, status := post{g: g}.ask(create{"model": "an/demo-small", "input": "long ago"})
	completed(t, r, e, status)
	a := g.send("POST", "/v1/responses/compact", encoded(t, create{"model": "an/demo-small", "previous_response_id": r.ID}))
	if a.Status != 200 {
		t.Errorf("compacting what is kept: %d %s", a.Status, a.Body)
	}
	inOrder(t, g.lastBody(), "long ago", "summary")
	for _, bad := range []string{`{"input":[]}`, `{"model":"an/demo-small","previous_response_id":"resp_x"}`} {
		if a := g.send("POST", "/v1/responses/compact", bad); a.Status != 400 {
			t.Errorf("%s: %d %s", bad, a.Status, a.Body)
		}
	}
	if a := g.send("POST", "/v1/responses/compact", `{"model":"nobody-has-it","input":"x"}`); a.Status != 404 {
		t.Errorf("an unknown model: %d %s", a.Status, a.Body)
	}
}

func TestOnlyOnesOwnProvidersAreGoneOnFrom(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	r, e, status := post{g: g}.ask(create{"model": "an/demo-small", "input": "x"})
	completed(t, r, e, status)
	carol, key, _ := g.addUser("carol")
	g.permit(carol.ID, g.ids["an"], "*")
	_, e, status = post{g: g, header: []string{"Authorization", "Bearer " + key}}.ask(create{"model": "ge/demo-small", "previous_response_id": r.ID, "input": "x"})
	if status != 403 {
		t.Errorf("a model that is not permitted: %d %+v", status, e)
	}
}

func TestAProviderThatKeepsItsStateCompactsItself(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	body := `{"model":"rs/demo-small", "input":"x"}`
	a := g.send("POST", "/v1/responses/compact", body)
	if a.Status != 200 || !strings.Contains(a.Body, `"response.compaction"`) {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	all := g.Vendor.Requests()
	if last := all[len(all)-1]; last.Path != "/v1/responses/compact" || string(last.Body) != strings.Replace(body, "rs/", "", 1) {
		t.Errorf("the provider got %s %s", last.Path, last.Body)
	}
	if row := g.last(1); row.Operation != tollgate.OpCompact || row.Tokens.Output == 0 {
		t.Errorf("row %+v", row)
	}
	got := decoded[struct{ Output []json.RawMessage }](t, a.Body)
	r, e, status := g.dial().ask(create{"model": "rs/demo-small", "store": false, "input": []any{got.Output[0], create{"role": "user", "content": "on"}}})
	completed(t, r, e, status)
}
