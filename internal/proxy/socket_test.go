package proxy_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tollgate"
	"tollgate/internal/proxy"
)

func TestAConnectionGoesOnFromWhatIsNotStored(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, model := range append(backends(), "rs/demo-small") {
		l := g.dial()
		unstored := create{"model": model, "store": false}
		r1, e, status := l.ask(unstored.with(create{"input": "The code word is cobalt."}))
		completed(t, r1, e, status)
		r2, e, status := l.ask(unstored.with(create{"input": "What is it?", "previous_response_id": r1.ID}))
		completed(t, r2, e, status)
		inOrder(t, g.lastBody(), "cobalt", "What is it?")
		if r2.Previous == nil || *r2.Previous != r1.ID {
			t.Errorf("%s: the answer goes on from %v", model, r2.Previous)
		}
		// Another connection knows nothing of it, and starts anew.
		other := g.dial()
		r, e, status := other.ask(unstored.with(create{"input": "x", "previous_response_id": r2.ID}))
		if model == "rs/demo-small" {
			if status != 400 || e.Code != "previous_response_not_found" {
				t.Errorf("the provider's own refusal: %d %+v", status, e)
			}
		} else {
			wantNotFound(t, r2.ID, r, e, status)
		}
		r, e, status = other.ask(unstored.with(create{"input": "recovered"}))
		completed(t, r, e, status)
	}
}

func TestAFailedTurnForgetsWhatItWentOnFrom(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, model := range backends() {
		for name, failing := range map[string]create{
			"a result without its call":    {"input": []create{{"type": "function_call_output", "call_id": "call_x", "output": "y"}}},
			"a refusal":                    {"input": 7},
			"a failing provider":           {"input": "[[demo:status=503]]"},
			"a provider that fails midway": {"input": "[[demo:error=6]] [[demo:tokens=30]]"},
			"a provider that breaks off":   {"input": "[[demo:cut=6]] [[demo:tokens=30]]"},
		} {
			l := g.dial()
			r1, e, status := l.ask(create{"model": model, "store": false, "input": "ember"})
			completed(t, r1, e, status)
			kept, e, status := l.ask(create{"model": model, "store": true, "input": "stored"})
			completed(t, kept, e, status)
			for _, id := range []string{r1.ID, kept.ID} {
				r, e, status := l.ask(create{"model": model, "store": false, "previous_response_id": id}.with(failing))
				if status == 200 && r.Status != "failed" {
					t.Fatalf("%s, %s: the turn did not fail: %+v", model, name, r)
				}
				if status != 200 && (status < 400 || e.Code == "" || e.Message == "") {
					t.Errorf("%s, %s: %d %+v", model, name, status, e)
				}
			}
			r, e, status := l.ask(create{"model": model, "store": false, "previous_response_id": r1.ID, "input": "stale"})
			if status == 200 {
				t.Error(model, name)
			}
			wantNotFound(t, r1.ID, r, e, status)
			r, e, status = l.ask(create{"model": model, "store": false, "previous_response_id": kept.ID, "input": "from the store"})
			completed(t, r, e, status)
		}
	}
}

func TestAPrewarmedConnectionAsksNobody(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, model := range append(backends(), "rs/demo-small") {
		l := g.dial()
		before := g.Vendor.Dispatches()
		l.send(encoded(t, create{"type": "response.create", "model": model, "store": false, "generate": false, "stream": true, "input": []create{
			{"type": "message", "role": "developer", "content": []create{{"type": "input_text", "text": "You are a coding agent."}}},
		}}))
		_, kind, err := l.next()
		if must(t, err); kind != "response.created" {
			t.Errorf("the first event is %s", kind)
		}
		var warm reply
		for kind != "response.completed" {
			var ev map[string]json.RawMessage
			ev, kind, err = l.next()
			must(t, err)
			if kind == "error" {
				t.Fatal(ev)
			}
			if kind == "response.completed" {
				warm = decoded[reply](t, string(ev["response"]))
			}
		}
		if warm.ID == "" || len(warm.Output) != 0 || warm.Model != model || g.Vendor.Dispatches() != before {
			t.Errorf("%s: prewarmed with %+v, %d dispatches", model, warm, g.Vendor.Dispatches()-before)
		}
		r, e, status := l.ask(create{"model": model, "store": false, "previous_response_id": warm.ID, "input": "hi"})
		completed(t, r, e, status)
		if body := g.lastBody(); !strings.Contains(body, "You are a coding agent.") || !strings.Contains(body, `"hi"`) {
			t.Errorf("%s was sent %s", model, body)
		}
	}
	for _, row := range g.rows(10) {
		if row.Status != 200 || row.Operation != tollgate.OpGenerate || row.UserID != g.User.ID {
			t.Errorf("the row of a turn is %+v", row)
		}
	}
	if _, e, status := g.dial().ask(create{"model": "nobody-has-it", "generate": false, "input": []any{}}); status != 404 || e.Code != "model_not_found" {
		t.Errorf("an unknown model: %d %+v", status, e)
	}
}

// recorded returns the messages that Codex sent in a recording; the second is
// false when there is none beside the project.
func recorded(t *testing.T, dir string) ([]create, bool) {
	t.Helper()
	root := filepath.Join(cmp.Or(os.Getenv("TOLLGATE_SHARED"), filepath.Join("..", "..", "..", "shared")), "recordings", dir)
	files, err := filepath.Glob(filepath.Join(root, "*-frame*.json"))
	must(t, err)
	var out []create
	for _, f := range files {
		b, err := os.ReadFile(f)
		must(t, err)
		out = append(out, decoded[struct{ Body create }](t, string(b)).Body)
	}
	return out, len(out) > 0
}

func TestRecordedFramesOfCodexRun(t *testing.T) {
	t.Parallel()
	g := start(t, options{shape: func(p *proxy.Proxy) { p.Limits.KeepAlive = time.Second }})
	for _, dir := range []string{"codex-ws", "codex-ws-tool"} {
		frames, ok := recorded(t, dir)
		if !ok {
			t.Log("left out: no recordings beside the project (TOLLGATE_SHARED)")
			return
		}
		for _, model := range backends() {
			l := g.dial()
			var last reply
			for i, f := range frames {
				f = f.with(create{"model": model})
				if i > 0 {
					f["previous_response_id"] = last.ID
				}
				if i == 1 && dir == "codex-ws-tool" {
					input, _ := f["input"].([]any)
					f["input"] = append(input, create{"role": "user", "content": "Call exec_command [[demo:parallel=2]] [[demo:reasoning=4]]"})
				}
				if i == 2 {
					var results []create
					for _, it := range last.Output {
						if it.CallID != "" {
							results = append(results, create{"type": map[bool]string{true: "function_call_output", false: "custom_tool_call_output"}[it.Type == "function_call"], "call_id": it.CallID, "output": "hi"})
						}
					}
					f["input"] = results
				}
				r, e, status := l.ask(f)
				if status != 200 || r.ID == "" || r.ID == last.ID {
					t.Fatalf("%s, %s, frame %d: %d %+v", dir, model, i+1, status, e)
				}
				last = r
			}
		}
	}
}

func TestEachTurnIsARequestOfItsOwn(t *testing.T) {
	t.Parallel()
	var log lines
	g := start(t, options{log: &log})
	l := g.dial("User-Agent", "codex/1", "X-Forwarded-For", "10.1.1.1")
	for range 3 {
		r, e, status := l.ask(create{"model": "an/demo-small", "input": "x", "store": false})
		completed(t, r, e, status)
	}
	rows := g.rows(3)
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, row := range rows {
		if row.KeyID != g.KeyID || row.Tokens.Output == 0 || len(row.Dispatches) != 1 || !row.Stream || row.UserAgent != "codex/1" || row.ClientIP != "127.0.0.1" {
			t.Errorf("row %+v", row)
		}
	}
	_ = l.conn.Close(websocket.StatusNormalClosure, "")
	for deadline := time.Now().Add(5 * time.Second); g.Proxy.Stats().Sockets > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection is still counted")
		}
	}
	if n := strings.Count(log.String(), `"pattern":"/v1/responses"`); n != 3 && n != 4 { // the upgrade's own comes last
		t.Errorf("%d lines in the log: %s", n, log.String())
	}
	if s := g.Proxy.Stats(); s.Calls != 0 || s.BodyBytes != 0 || s.Streams != 0 {
		t.Errorf("left behind: %+v", s)
	}
}

func TestTurnsRunOneAfterTheOther(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	l := g.dial()
	for i := range 3 {
		l.send(encoded(t, create{"type": "response.create", "model": "ge/demo-small", "store": false, "stream_id": fmt.Sprint("lane_", i), "input": fmt.Sprint("[[demo:delay=50ms]] turn ", i)}))
	}
	for i := range 3 {
		for {
			ev, kind, err := l.next()
			must(t, err)
			if lane := decoded[string](t, string(ev["stream_id"])); lane != fmt.Sprint("lane_", i) {
				t.Fatalf("event %s of lane %s during turn %d", kind, lane, i)
			}
			if kind == "response.completed" {
				break
			}
		}
	}
	for range 8 {
		l.send(encoded(t, create{"type": "response.create", "model": "ge/demo-small", "store": false, "input": "[[demo:delay=300ms]]"}))
	}
	refused := 0
	for range 8 {
		if _, e, status := l.answer(); status == 429 && strings.Contains(e.Message, "Too many turns wait") {
			refused++
		} else if status != 200 {
			t.Errorf("%d %+v", status, e)
		}
	}
	if refused == 0 || refused > 4 {
		t.Errorf("%d of 8 turns were refused", refused)
	}
}

func TestMessagesThatAreNoTurnsAreRefused(t *testing.T) {
	t.Parallel()
	g := start(t, options{limits: proxy.Limits{MaxBody: 4 << 10}})
	l := g.dial()
	for message, part := range map[string]string{
		`{`:                          "JSON",
		`[]`:                         "object",
		`{}`:                         "type",
		`{"type":"response.cancel"}`: "response.create",
		`{"type":7}`:                 "type",
		`{"type":"response.create"}`: "model",
		`{"type":"response.create","model":"an/demo-small","background":true}`:            "background",
		`{"type":"response.create","model":"an/demo-small","stream_id":"a b"}`:            "stream_id",
		`{"type":"response.create","model":"an/demo-small","generate":"no"}`:              "generate",
		`{"type":"response.create","model":"an/demo-small","previous_response_id":5}`:     "previous_response_id",
		`{"type":"response.create","model":"an/demo-small","store":"yes"}`:                "store",
		`{"type":"response.create","model":"an/demo-small","input":[{"type":"message"}]}`: "input",
	} {
		l.send(message)
		_, e, status := l.answer()
		if status != 400 || e.Type != "invalid_request_error" || e.Code == "" || !strings.Contains(e.Message+e.Param, part) {
			t.Errorf("%s: %d %+v", message, status, e)
		}
	}
	ctx := context.Background()
	must(t, l.conn.Write(ctx, websocket.MessageBinary, []byte("{}")))
	if _, e, status := l.answer(); status != 400 || !strings.Contains(e.Message, "text message") {
		t.Errorf("binary: %d %+v", status, e)
	}
	r, e, status := l.ask(create{"model": "an/demo-small", "input": "still here"})
	completed(t, r, e, status)
	l.send(`{"type":"response.create","input":"` + strings.Repeat("x", 5<<10) + `"}`)
	if _, e, status = l.answer(); status != 413 {
		t.Errorf("too large: %d %+v", status, e)
	}
	if code := l.closed(); code != websocket.StatusMessageTooBig {
		t.Errorf("closed with %v", code)
	}
}

func TestRevocationEndsAConnection(t *testing.T) {
	t.Parallel()
	disable := func(g *gateway) {
		g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
			return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, false, false)
		})
	}
	for name, busy := range map[string]bool{"idle": false, "in a turn": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, options{vendor: &spy{answer: endless(eventStream, responsesStream, ": ping\n\n", make(chan struct{}, 1))}})
			l := g.dial()
			if busy {
				l.send(`{"type":"response.create","model":"rs-model","input":"x"}`)
				_, kind, err := l.next()
				if must(t, err); kind != "response.created" {
					t.Fatal(kind)
				}
			} else {
				time.Sleep(20 * time.Millisecond)
			}
			begun := time.Now()
			disable(g)
			_, e, status := l.answer()
			if took := time.Since(begun); took > time.Second {
				t.Errorf("the client was told after %v", took)
			}
			if status != 401 || e.Code == "" {
				t.Errorf("%d %+v", status, e)
			}
			if code := l.closed(); code != websocket.StatusPolicyViolation {
				t.Errorf("closed with %v", code)
			}
			if took := time.Since(begun); took > 2*time.Second {
				t.Errorf("the connection ended after %v", took)
			}
			if busy {
				if row := g.last(1); row.Dispatches[0].ErrorClass != "revoked" {
					t.Errorf("row %+v", row)
				}
			}
		})
	}
}

func TestALostPermissionEndsTheTurnAlone(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: endless(eventStream, responsesStream, ": ping\n\n", make(chan struct{}, 1))}})
	l := g.dial()
	l.send(`{"type":"response.create","model":"rs-model","input":"x"}`)
	_, _, err := l.next()
	must(t, err)
	g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) error {
		return tx.Permissions.Delete(ctx, g.PermID)
	})
	if _, e, status := l.answer(); status != 403 {
		t.Errorf("%d %+v", status, e)
	}
	if _, e, status := l.ask(create{"model": "rs-model", "input": "x"}); status != 403 {
		t.Errorf("the next turn: %d %+v", status, e)
	}
}

func TestADrainClosesConnections(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	idle, busy := g.dial(), g.dial()
	busy.send(encoded(t, create{"type": "response.create", "model": "an/demo-small", "input": "[[demo:tokens=20]] [[demo:slow=20ms]]"}))
	_, _, err := busy.next()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.Proxy.CloseSockets(ctx) }()
	if code := idle.closed(); code != websocket.StatusGoingAway {
		t.Errorf("an idle connection is closed with %v", code)
	}
	r, e, status := busy.answer() // a turn under way may end
	completed(t, r, e, status)
	if code := busy.closed(); code != websocket.StatusGoingAway {
		t.Errorf("a busy connection is closed with %v", code)
	}
	must(t, <-done)
	a := g.send("GET", "/v1/responses", "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-Websocket-Version", "13", "Sec-Websocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
	if a.Status != 503 {
		t.Errorf("a new connection: %d %s", a.Status, a.Body)
	}
}

func TestADrainEndsATurnThatDoesNotEnd(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: endless(eventStream, responsesStream, ": ping\n\n", make(chan struct{}, 1))}})
	l := g.dial()
	l.send(`{"type":"response.create","model":"rs-model","input":"x"}`)
	_, _, err := l.next()
	must(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- g.Proxy.Drain(ctx) }()
	if _, e, status := l.answer(); status != 503 {
		t.Errorf("%d %+v", status, e)
	}
	if code := l.closed(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %v", code)
	}
	must(t, <-done)
}

func TestConnectionsEndByTime(t *testing.T) {
	t.Parallel()
	g := start(t, options{limits: proxy.Limits{SocketLife: 300 * time.Millisecond, SocketPing: 20 * time.Millisecond}})
	l := g.dial()
	if _, e, status := l.answer(); status != 400 || e.Code != "websocket_connection_limit_reached" {
		t.Errorf("%d %+v", status, e)
	}
	if code := l.closed(); code != websocket.StatusGoingAway {
		t.Errorf("closed with %v", code)
	}
	g = start(t, options{limits: proxy.Limits{SocketIdle: 50 * time.Millisecond}})
	if code := g.dial().closed(); code != websocket.StatusNormalClosure {
		t.Errorf("an idle connection is closed with %v", code)
	}
}

func TestAClientThatStopsReadingIsLetGo(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	big := strings.Replace(responsesDelta(), "pong", strings.Repeat("x", 64<<10), 1)
	g := start(t, options{
		vendor: &spy{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
			w.Header().Set("Content-Type", eventStream)
			_, _ = io.WriteString(w, responsesStream)
			for r.Context().Err() == nil {
				if _, err := io.WriteString(w, big); err != nil {
					break
				}
			}
			ended <- struct{}{}
		}},
		limits: proxy.Limits{Write: 200 * time.Millisecond},
	})
	l := g.dial()
	l.send(`{"type":"response.create","model":"rs-model","input":"x"}`)
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Fatal("the provider still sends to nobody")
	}
	for deadline := time.Now().Add(5 * time.Second); g.Proxy.Stats().Sockets > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the connection is still open")
		}
	}
}

func responsesDelta() string {
	return "event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":1,\"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":\"pong\"}\n\n"
}

func TestAProviderThatAnswersWholeEndsTheTurn(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(200, "application/json", responsesAnswer)}})
	l := g.dial()
	r, e, status := l.ask(create{"model": "rs-model", "input": "x", "store": false})
	if completed(t, r, e, status); r.text() != "pong" {
		t.Errorf("%+v", r)
	}
}

func TestEventsTellWhatTheEndDoesNot(t *testing.T) {
	t.Parallel()
	item := `{"type":"message","id":"m","role":"assistant","content":[{"type":"output_text","text":"pong, told by an event"}]}`
	stream := responsesStream + "event: response.output_item.done\r\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":2,\"output_index\":0,\"item\":" + item + "}\r\n\r\n" + strings.ReplaceAll(responsesDone, "\n", "\r\n")
	v := &spy{answer: says(200, eventStream, stream)}
	g := start(t, options{vendor: v})
	l := g.dial()
	for _, tr := range []transport{l, post{g: g, stream: true}} {

		r, e, status := tr.ask(create{"model": "gk-model", "input": "x"})
		if status != 200 {
			t.Fatal(status, e)
		}
		_, e, status = tr.ask(create{"model": "gk-model", "previous_response_id": r.ID, "input": "y"})
		if status != 200 {
			t.Fatal(status, e)
		}
		all := v.all()
		inOrder(t, all[len(all)-1].Body, "pong, told by an event", `"y"`)
		if a := g.send("GET", "/v1/responses/"+r.ID, ""); !strings.Contains(a.Body, "told by an event") {
			t.Errorf("kept as %s", a.Body)
		}
	}
}
