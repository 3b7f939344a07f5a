package proxy_test

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/payload"
	"tollgate/internal/proxy"
)

// keeping starts a gateway that keeps bodies in a mode.
func keeping(t *testing.T, v http.Handler, mode tollgate.PayloadMode) *gateway {
	t.Helper()
	k := &payload.Keeper{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	g := start(t, options{vendor: v, shape: func(p *proxy.Proxy) { p.Payloads = k }})
	k.Store, k.Sealer, k.MAC = g.Store, g.Ring, g.Ring.MAC
	must(t, k.Open(payload.Settings{Mode: mode, Body: 64 << 10, Sent: true, Life: time.Hour, Total: 1 << 30}))
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); k.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return g
}

// bodies are what is kept of the request that was answered with a.
func (g *gateway) bodies(a answer) (c payload.Content, ok bool) {
	g.tb.Helper()
	id, err := tollgate.ParseRequestID(a.Header.Get("X-Tollgate-Request-Id"))
	must(g.tb, err)
	for range 200 { // the call ends after its answer
		must(g.tb, g.Proxy.Payloads.Flush(context.Background()))
		if c, _, err = g.Proxy.Payloads.Read(context.Background(), id, tollgate.Is(g.User.ID)); err == nil {
			return c, true
		}
		if g.Proxy.Stats().Calls == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	must(g.tb, g.Proxy.Payloads.Flush(context.Background()))
	c, _, err = g.Proxy.Payloads.Read(context.Background(), id, tollgate.Match[int64]{})
	return c, err == nil
}

const askWhole = `{ "model":"oa-model", "messages":[{"role":"user","content":"hi"}] }`

func TestBodiesAreKeptAsTheClientSentAndGotThem(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := keeping(t, v, tollgate.PayloadsAll)
	for _, c := range []struct {
		name, path, body string
		answer           func(http.ResponseWriter, *http.Request, int)
		kind             string
		sent             string // a part of what went out, translated
	}{
		{"whole", "/v1/chat/completions", askWhole, says(200, "application/json", chatAnswer), "application/json", ""},
		{"streamed", "/v1/chat/completions", askStream, pieces(eventStream, chatStream, chatUsage, chatDone), eventStream, ""},
		{"translated", "/v1/messages", `{"model":"oa-model","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}`, says(200, "application/json", responsesAnswer), "application/json", `"input":[`},
		{"refused by the provider", "/v1/chat/completions", askWhole, says(400, "application/json", `{"error":{"message":"no"}}`), "application/json", ""},
		{"refused here", "/v1/chat/completions", `{"model":"nothing","messages":[]}`, nil, "application/json", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.answer = c.answer
			a := g.send("POST", c.path, c.body)
			got, ok := g.bodies(a)
			if !ok || got.Request == nil || got.Response == nil {
				t.Fatalf("%d %s: kept %+v", a.Status, a.Body, got)
			}
			if string(got.Request.Data) != c.body || got.Request.Type != "application/json" {
				t.Errorf("request %s", got.Request.Data)
			}
			if string(got.Response.Data) != a.Body || !strings.HasPrefix(got.Response.Type, c.kind) {
				t.Errorf("response %q %s, the client got %s", got.Response.Type, got.Response.Data, a.Body)
			}
			if (got.Sent != nil) != (c.sent != "") || got.Sent != nil && !strings.Contains(string(got.Sent.Data), c.sent) {
				t.Errorf("sent %+v", got.Sent)
			}
		})
	}
}

func TestErrorsAloneAreKeptOnDemand(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := keeping(t, v, tollgate.PayloadsErrors)
	for _, c := range []struct {
		name, body string
		answer     func(http.ResponseWriter, *http.Request, int)
		want       string
	}{
		{"whole", askWhole, says(200, "application/json", chatAnswer), ""},
		{"streamed", askStream, pieces(eventStream, chatStream, chatUsage, chatDone), ""},
		{"broken off", askStream, pieces(eventStream, chatStream), `data: {"error"`},
		{"refused", askWhole, says(429, "application/json", `{"error":{"message":"slow down"}}`), "slow down"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.answer = c.answer
			resp, err := g.Client.Do(g.request(context.Background(), "POST", "/v1/chat/completions", c.body))
			must(t, err)
			var read strings.Builder
			_, _ = copyAll(&read, resp)
			got, ok := g.bodies(answer{Header: resp.Header})
			if ok != (c.want != "") || ok && (!strings.Contains(string(got.Response.Data), c.want) || string(got.Request.Data) != c.body) {
				t.Errorf("kept %v: %+v; the client got %s", ok, got.Response, read.String())
			}
		})
	}
}

func copyAll(w *strings.Builder, resp *http.Response) (int64, error) {
	defer resp.Body.Close()
	buf := make([]byte, 4096)
	for {
		n, err := resp.Body.Read(buf)
		w.Write(buf[:n])
		if err != nil {
			return int64(w.Len()), err
		}
	}
}

// TestL01NoSecretIsKept plants the secrets of both sides, and some of others,
// wherever a body can hold them.
func TestL01NoSecretIsKept(t *testing.T) {
	t.Parallel()
	v := &spy{}
	g := keeping(t, v, tollgate.PayloadsAll)
	planted := []string{g.Key, "ghp_0123456789abcdefABCDEF", "AKIAIOSFODNN7EXAMPLE", "MIIEvQIBADANBg"}
	text := "use " + strings.Join(planted[:3], " and ") + " or https://host/v1beta?key=abcdef0123456789 -----BEGIN PRIVATE KEY-----\\n" + planted[3] + "\\n-----END PRIVATE KEY-----"
	v.answer = says(200, "application/json", strings.Replace(chatAnswer, "pong", "your key is "+g.Key, 1))
	a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","messages":[{"role":"user","content":"`+text+`"}]}`)
	got, ok := g.bodies(a)
	if !ok || a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	kept := string(got.Request.Data) + string(got.Response.Data)
	for _, s := range append(planted, "abcdef0123456789") {
		if strings.Contains(kept, s) {
			t.Errorf("%s is kept: %s", s, kept)
		}
	}
	if !strings.Contains(kept, "[redacted]") || !strings.Contains(kept, "your key is [redacted]") {
		t.Errorf("kept: %s", kept)
	}
}

func TestAKeyAsksForItsBodiesToBeKept(t *testing.T) {
	t.Parallel()
	g := keeping(t, &spy{answer: says(200, "application/json", chatAnswer)}, tollgate.PayloadsOff)
	if _, ok := g.bodies(g.send("POST", "/v1/chat/completions", askWhole)); ok {
		t.Error("bodies are kept although nobody asked for it")
	}
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		_, err := g.Keys.UpdateKey(ctx, tx, by, auth.KeyPatch{ID: g.KeyID, Payloads: tollgate.Some(tollgate.PayloadsAll)})
		return err
	})
	if _, ok := g.bodies(g.send("POST", "/v1/chat/completions", askWhole)); !ok {
		t.Error("bodies are not kept although the key asks for it")
	}
}
