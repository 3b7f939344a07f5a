package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// response is an answer of the Responses API.
type response struct {
	ID     string
	Status string
	Output []json.RawMessage
	Error  *struct{ Code, Message string }
}

// respond sends one request of the Responses API.
func (g *gateway) respond(key, method, path string, body map[string]any) (int, response, string) {
	g.t.Helper()
	b, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.url+path, bytes.NewReader(b))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	var out response
	if err := json.Unmarshal(text, &out); err != nil {
		g.t.Fatalf("%v in %s", err, text)
	}
	return resp.StatusCode, out, string(text)
}

// socket opens a WebSocket that ends with the test.
func (g *gateway) socket(key string) *websocket.Conn {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, strings.Replace(g.url, "http", "ws", 1)+"/v1/responses", &websocket.DialOptions{
		HTTPHeader: http.Header{"Authorization": {"Bearer " + key}},
	})
	if err != nil {
		g.t.Fatal(err)
	}
	conn.SetReadLimit(16 << 20)
	g.t.Cleanup(func() { _ = conn.CloseNow() })
	return conn
}

// turn sends one turn and reads to its end.
func (g *gateway) turn(conn *websocket.Conn, body map[string]any) (response, error) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	body["type"] = "response.create"
	b, err := json.Marshal(body)
	if err != nil {
		g.t.Fatal(err)
	}
	if err := conn.Write(ctx, websocket.MessageText, b); err != nil {
		return response{}, err
	}
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			return response{}, err
		}
		var ev struct {
			Type     string
			Status   int
			Response response
			Error    struct{ Code, Message string }
		}
		if err := json.Unmarshal(text, &ev); err != nil {
			g.t.Fatalf("%v in %s", err, text)
		}
		switch ev.Type {
		case "error":
			return response{Error: &ev.Error}, nil
		case "response.completed", "response.incomplete", "response.failed":
			return ev.Response, nil
		}
	}
}

func TestConversationsOutliveTheProcess(t *testing.T) {
	g, key := bridges(t)
	_, other, _ := g.newUser("eve")
	ids := map[string]string{}
	for _, b := range backends() {
		if b.provider == "rs" {
			continue // keeps its own
		}
		model := b.provider + "/" + b.model
		status, r, text := g.respond(key, "POST", "/v1/responses", map[string]any{"model": model, "input": "the canary sings"})
		if status != http.StatusOK || r.Status != "completed" {
			t.Fatalf("%s: %d %s", model, status, text)
		}
		ids[model] = r.ID
	}
	g.kill()
	g.run()
	for model, id := range ids {
		if status, _, text := g.respond(other, "POST", "/v1/responses", map[string]any{"model": model, "previous_response_id": id, "input": "x"}); status != 400 || !strings.Contains(text, "previous_response_not_found") {
			t.Errorf("%s: another user got %d %s", model, status, text)
		}
		status, r, text := g.respond(key, "POST", "/v1/responses", map[string]any{"model": model, "previous_response_id": id, "input": "and then?"})
		if status != http.StatusOK || r.Status != "completed" {
			t.Fatalf("%s: %d %s", model, status, text)
		}
		all := g.vendor.Requests()
		if body := string(all[len(all)-1].Body); !strings.Contains(body, "the canary sings") {
			t.Errorf("%s: the provider was sent %s", model, body)
		}
		if status, _, text := g.respond(key, "GET", "/v1/responses/"+r.ID, nil); status != http.StatusOK {
			t.Errorf("%s: GET %d %s", model, status, text)
		}
		r, err := g.turn(g.socket(key), map[string]any{"model": model, "previous_response_id": r.ID, "input": "over a socket", "store": false})
		if err != nil || r.Status != "completed" {
			t.Errorf("%s: %+v, %v", model, r, err)
		}
	}
	g.kill()
	files, err := filepath.Glob(filepath.Join(g.dir, "data", "*"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if b, err := os.ReadFile(f); err == nil && bytes.Contains(b, []byte("the canary sings")) {
			t.Errorf("%s holds a conversation in the clear", f)
		}
	}
}

func TestSocketsCloseWhenTheProcessStops(t *testing.T) {
	g := start(t, nil, "", "--demo")
	conn, idle := g.socket(adminKey), g.socket(adminKey)
	r, err := g.turn(conn, map[string]any{"model": "demo-small", "generate": false, "input": []any{map[string]any{"role": "developer", "content": "be brief"}}, "store": false})
	if err != nil || r.Status != "completed" || len(r.Output) != 0 {
		t.Fatalf("prewarmed: %+v, %v", r, err)
	}
	type end struct {
		r   response
		err error
	}
	done := make(chan end, 1)
	go func() {
		r, err := g.turn(conn, map[string]any{"model": "demo-small", "previous_response_id": r.ID, "input": "[[demo:tokens=30]] [[demo:slow=20ms]]", "store": false})
		done <- end{r, err}
	}()
	time.Sleep(200 * time.Millisecond)
	if err := g.signal(syscall.SIGTERM, 15*time.Second); err != nil {
		t.Fatal(err)
	}
	if e := <-done; e.err != nil || e.r.Status != "completed" {
		t.Errorf("the turn under way: %+v", e)
	}
	for name, c := range map[string]*websocket.Conn{"busy": conn, "idle": idle} {
		_, _, err := c.Read(t.Context())
		if code := websocket.CloseStatus(err); code != websocket.StatusGoingAway {
			t.Errorf("the %s connection ended with %v", name, errors.Unwrap(err))
		}
	}
}

func TestADisabledUsersSocketEndsAtOnce(t *testing.T) {
	g := start(t, newVendor(t), "")
	user, key, _ := g.newUser("ada")
	conn := g.socket(key)
	if r, err := g.turn(conn, map[string]any{"model": "demo-small", "input": "hi", "store": false}); err != nil || r.Status != "completed" {
		t.Fatalf("%+v, %v", r, err)
	}
	begun := time.Now()
	g.admin("/admin/users/upsert", map[string]any{"id": user, "name": "ada", "enabled": false}, nil)
	_, text, err := conn.Read(t.Context())
	if took := time.Since(begun); err != nil || !strings.Contains(string(text), `"status":401`) || took > time.Second {
		t.Errorf("%s, %v after %v", text, err, took)
	}
	if _, _, err = conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the connection ended with %v", err)
	}
}
