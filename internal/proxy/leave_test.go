package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/ledger"
	"tollgate/internal/proxy"
	"tollgate/internal/upstream"
)

// endless streams deltas until its client leaves, and tells when it did.
func endless(kind, head, delta string, ended chan<- struct{}) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", kind)
		_, _ = io.WriteString(w, head)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, delta); err != nil {
				break
			}
			_ = http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
			case <-time.After(time.Millisecond):
			}
		}
		ended <- struct{}{}
	}
}

const (
	chatDelta = "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"model\":\"oa-model\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"pong pong pong\"},\"finish_reason\":null}]}\n\n"
	askStream = `{"model":"oa-model","stream":true,"messages":[{"role":"user","content":"hi"}]}`
)

func TestClientThatLeavesMidStreamIsSettled(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	g := start(t, options{vendor: &spy{answer: endless(eventStream, chatStream, chatDelta, ended)}})
	ctx, cancel := context.WithCancel(t.Context())
	resp, err := g.Client.Do(g.request(ctx, "POST", "/v1/chat/completions", askStream))
	must(t, err)
	_, err = bufio.NewReader(resp.Body).ReadString('\n')
	must(t, err)
	cancel()
	resp.Body.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the provider was not told that the client left")
	}
	row := g.last(1)
	if row.Status != 499 || len(row.Dispatches) != 1 {
		t.Fatalf("row %+v", row)
	}
	if d := row.Dispatches[0]; d.ErrorClass != "canceled" || d.Exactness != tollgate.ExactEstimated || d.Tokens.Input == 0 || d.Tokens.Output == 0 {
		t.Errorf("dispatch %+v", d)
	}
}

// drains lets the user's key read answers to their end.
func (g *gateway) drains() {
	g.tb.Helper()
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		_, err := g.Keys.UpdateKey(ctx, tx, by, auth.KeyPatch{ID: g.KeyID, OnLeave: tollgate.Some(tollgate.LeaveDrain)})
		return err
	})
}

func TestAKeyThatDrainsIsChargedWhatTheProviderSays(t *testing.T) {
	t.Parallel()
	left := make(chan struct{})
	for _, c := range streams() {
		v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(c.kind, c.head)(w, r, n)
			<-left
			time.Sleep(time.Second) // until the gateway knows
			pieces(c.kind, c.last)(w, r, n)
		}}
		g := start(t, options{vendor: v})
		g.drains()
		ctx, cancel := context.WithCancel(t.Context())
		resp, err := g.Client.Do(g.request(ctx, "POST", c.path, c.body))
		must(t, err)
		_, err = resp.Body.Read(make([]byte, 64))
		must(t, err)
		cancel()
		resp.Body.Close()
		left <- struct{}{}
		row := g.last(1)
		if row.Status != 499 || len(row.Dispatches) != 1 {
			t.Fatalf("%s: row %+v", c.name, row)
		}
		if d := row.Dispatches[0]; d.ErrorClass != "" || d.Exactness != tollgate.ExactMeasured || d.Tokens != c.tokens {
			t.Errorf("%s: dispatch %+v", c.name, d)
		}
		settled(t, g)
	}
}

func TestDrainingIsBoundedInTime(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	g := start(t, options{
		vendor: &spy{answer: endless(eventStream, chatStream, chatDelta, ended)}, limits: proxy.Limits{Drain: 100 * time.Millisecond},
	})
	g.drains()
	resp, _ := openStream(t, g, "/v1/chat/completions", askStream)
	resp.Body.Close()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the answer is read for ever")
	}
	if row := g.last(1); row.Status != 499 || row.Dispatches[0].Exactness != tollgate.ExactEstimated {
		t.Errorf("row %+v", row)
	}
	settled(t, g)
}

func TestClientThatLeavesBeforeTheHeadersIsSettled(t *testing.T) {
	t.Parallel()
	for _, body := range []string{askChat, askStream} {
		ended := make(chan struct{}, 1)
		begun := make(chan struct{}, 1)
		g := start(t, options{credentials: []string{secretA, secretB}, vendor: &spy{answer: func(_ http.ResponseWriter, r *http.Request, _ int) {
			begun <- struct{}{}
			<-r.Context().Done()
			ended <- struct{}{}
		}}})
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-begun; cancel() }()
		if _, err := g.Client.Do(g.request(ctx, "POST", "/v1/chat/completions", body)); err == nil {
			t.Fatal("an answer came")
		}
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			t.Fatal("the provider was not told that the client left")
		}
		row := g.last(1)
		if row.Status != 499 || len(row.Dispatches) != 1 || row.Dispatches[0].ErrorClass != "canceled" || row.Dispatches[0].Tokens.Input == 0 {
			t.Errorf("row %+v", row)
		}
	}
}

// TestClientsThatLeaveHarmNoneThatStay is a small Shown-by 5: among clients
// that leave at every stage, those that stay get whole answers, every served
// request has one row, and nothing is left behind.
func TestClientsThatLeaveHarmNoneThatStay(t *testing.T) {
	t.Parallel()
	v := &spy{answer: pieces(eventStream, chatStream, chatUsage, chatDone)}
	g := start(t, options{vendor: v})
	const each = 150
	var wg sync.WaitGroup
	var bad atomic.Int64
	for worker := range 6 {
		wg.Go(func() {
			for i := range each {
				if worker%2 == 0 {
					if a := g.send("POST", "/v1/chat/completions", askStream); a.Err != nil || !strings.HasSuffix(a.Body, chatDone) {
						bad.Add(1)
					}
					continue
				}
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(i*20)*time.Microsecond)
				if resp, err := g.Client.Do(g.request(ctx, "POST", "/v1/chat/completions", askStream)); err == nil {
					if i%3 == 0 {
						_, _ = io.CopyN(io.Discard, resp.Body, 40)
					}
					cancel()
					resp.Body.Close()
				}
				cancel()
			}
		})
	}
	wg.Wait()
	if bad.Load() != 0 {
		t.Errorf("%d of those that stayed got no whole answer", bad.Load())
	}
	settled(t, g)
	whole := 0
	for _, r := range g.rows(3 * each) {
		if r.Status == 200 && r.ErrorClass == "" {
			whole++
		}
		if len(r.Dispatches) > 1 {
			t.Errorf("row %v has %d dispatches", r.ID, len(r.Dispatches))
		}
	}
	if whole < 3*each {
		t.Errorf("%d rows of whole answers, want at least %d", whole, 3*each)
	}
}

// settled waits until no call is in flight, and checks that nothing is held.
func settled(t *testing.T, g *gateway) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); g.Proxy.Stats().Calls > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("still %+v", g.Proxy.Stats())
		}
	}
	if s := g.Proxy.Stats(); s.Streams != 0 || s.BodyBytes != 0 || g.Dir.Live() != 0 {
		t.Errorf("left behind: %+v, %d tracked", s, g.Dir.Live())
	}
}

// openStream starts an endless stream and reads its first line.
func openStream(t *testing.T, g *gateway, path, body string) (*http.Response, *bufio.Reader) {
	t.Helper()
	resp, err := g.Client.Do(g.request(t.Context(), "POST", path, body))
	must(t, err)
	t.Cleanup(func() { resp.Body.Close() })
	rd := bufio.NewReader(resp.Body)
	_, err = rd.ReadString('\n')
	must(t, err)
	return resp, rd
}

func TestRevocationEndsOpenStreamsWithinASecond(t *testing.T) {
	t.Parallel()
	type change func(context.Context, *gateway, tollgate.Tx, tollgate.Actor) error
	disableUser := func(ctx context.Context, g *gateway, tx tollgate.Tx, _ tollgate.Actor) error {
		u := g.User
		u.Enabled = false
		return tx.Users.Update(ctx, u)
	}
	for _, c := range []struct {
		name, path, body, head, delta, mark string
		change                              change
		after                               int
	}{
		{"key disabled", "/v1/chat/completions", askStream, chatStream, chatDelta, `data: {"error"`, func(ctx context.Context, g *gateway, tx tollgate.Tx, by tollgate.Actor) error {
			return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, false, false)
		}, 401},
		{"key deleted", "/v1/messages", `{"model":"an-model","stream":true,"max_tokens":9,"messages":[]}`, messagesStream, "event: ping\ndata: {\"type\":\"ping\"}\n\n", "event: error", func(ctx context.Context, g *gateway, tx tollgate.Tx, by tollgate.Actor) error {
			return g.Keys.DeleteKey(ctx, tx, by, g.KeyID, false)
		}, 401},
		{"user disabled", "/v1/responses", `{"model":"oa-model","stream":true,"input":"hi"}`, responsesStream, ": ping\n\n", "event: error", disableUser, 401},
		{"permission removed", "/v1beta/models/ge-model:streamGenerateContent?alt=sse", `{"contents":[]}`, geminiStream, geminiStream, `data: {"error"`, func(ctx context.Context, g *gateway, tx tollgate.Tx, _ tollgate.Actor) error {
			return tx.Permissions.Delete(ctx, g.PermID)
		}, 403},
		{"silent provider", "/v1/chat/completions", askStream, chatStream, "", `data: {"error"`, disableUser, 401},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ended := make(chan struct{}, 1)
			answer := endless(eventStream, c.head, c.delta, ended)
			if c.delta == "" {
				answer = func(w http.ResponseWriter, r *http.Request, n int) {
					pieces(eventStream, c.head)(w, r, n)
					<-r.Context().Done()
					ended <- struct{}{}
				}
			}
			g := start(t, options{vendor: &spy{answer: answer}})
			_, rd := openStream(t, g, c.path, c.body)
			g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error { return c.change(ctx, g, tx, by) })
			begun := time.Now()
			rest, err := io.ReadAll(rd)
			if took := time.Since(begun); took > time.Second {
				t.Errorf("the stream went on for %v", took)
			}
			if err == nil {
				t.Error("the stream ended as if it were whole")
			}
			if !strings.Contains(string(rest), c.mark) {
				t.Errorf("no error event in %q", tail(string(rest)))
			}
			select {
			case <-ended:
			case <-time.After(time.Second):
				t.Error("the provider goes on")
			}
			row := g.last(1)
			if d := row.Dispatches[0]; d.ErrorClass != "revoked" || d.Exactness != tollgate.ExactEstimated {
				t.Errorf("dispatch %+v", d)
			}
			if a := g.send("POST", c.path, c.body); a.Status != c.after {
				t.Errorf("the next request gives %d, want %d", a.Status, c.after)
			}
		})
	}
}

func tail(s string) string { return s[max(0, len(s)-300):] }

// TestRevocationDoesNotWaitForASlowReader: the client reads nothing, so that
// the gateway is stuck in a write when the key is taken away.
func TestRevocationDoesNotWaitForASlowReader(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", eventStream)
		big := strings.Replace(chatDelta, "pong pong pong", strings.Repeat("x", 64<<10), 1)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, big); err != nil {
				break
			}
		}
		ended <- struct{}{}
	}}
	g := start(t, options{vendor: v})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		t.Fatal("no TCP connection")
	}
	must(t, tcp.SetReadBuffer(4<<10))
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", g.Key, len(askStream), askStream)
	for g.Proxy.Stats().Streams == 0 {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(200 * time.Millisecond) // until the socket is full
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, false, false)
	})
	begun := time.Now()
	select {
	case <-ended:
	case <-time.After(2 * time.Second):
		t.Error("the provider goes on")
	}
	settled(t, g)
	if took := time.Since(begun); took > time.Second {
		t.Errorf("the call went on for %v", took)
	}
	if d := g.last(1).Dispatches[0]; d.ErrorClass != "revoked" {
		t.Errorf("dispatch %+v", d)
	}
}

// TestRevocationWhileWaitingForTheAnswer ends a call that is not streamed.
func TestRevocationWhileWaitingForTheAnswer(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 1)
	g := start(t, options{vendor: &spy{answer: func(_ http.ResponseWriter, r *http.Request, _ int) {
		begun <- struct{}{}
		<-r.Context().Done()
	}}})
	got := make(chan answer, 1)
	go func() { got <- g.send("POST", "/v1/chat/completions", askChat) }()
	<-begun
	at := time.Now()
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, false, false)
	})
	a := <-got
	if a.Status != 401 || time.Since(at) > time.Second {
		t.Errorf("%d %s after %v, want 401 within a second", a.Status, a.Body, time.Since(at))
	}
	if row := g.last(1); row.Status != 401 || row.Dispatches[0].ErrorClass != "revoked" {
		t.Errorf("row %+v", row)
	}
}

// slowStore is a log on a slow disk.
type slowStore struct {
	ledger.Log
	by time.Duration
}

func (s slowStore) Append(ctx context.Context, rows []tollgate.Request, intents ...tollgate.Intent) error {
	if len(rows) > 0 {
		time.Sleep(s.by)
	}
	return s.Log.Append(ctx, rows, intents...)
}

// TestLastWordsHaveATimeOfTheirOwn: the record of a revoked call may take longer
// than its client has for the last words, and does not eat them up.
func TestLastWordsHaveATimeOfTheirOwn(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{}, 1)
	const grace = 50 * time.Millisecond
	g := start(t, options{
		limits: proxy.Limits{Grace: grace},
		store:  func(l ledger.Log) ledger.Log { return slowStore{Log: l, by: 3 * grace} },
		vendor: &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
			if n > 1 {
				pieces("text/event-stream", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"so\"}}]}\n\n")(w, r, n)
			}
			begun <- struct{}{}
			<-r.Context().Done()
		}},
	})
	for _, body := range []string{askChat, strings.Replace(askChat, "{", `{"stream":true,`, 1)} {
		got := make(chan answer, 1)
		go func() {
			defer close(got)
			got <- g.send("POST", "/v1/chat/completions", body)
		}()
		<-begun
		time.Sleep(grace) // so that a streaming client has the head
		g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
			return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, false, false)
		})
		if a := <-got; !strings.Contains(a.Body, `"error"`) {
			t.Errorf("%d %q: no last words", a.Status, a.Body)
		}
		g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
			return g.Keys.SetKeyEnabled(ctx, tx, by, g.KeyID, true, false)
		})
	}
}

// TestRevokedIsNeverServed is a small Shown-by 4: a request that is started
// after the change returned is never served.
func TestRevokedIsNeverServed(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(200, "application/json", chatAnswer)}})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 { // load by another caller
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					g.send("POST", "/v1/chat/completions", askChat)
				}
			}
		})
	}
	_, key, keyID := g.addUser("mallory")
	u := tollgate.User{}
	g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) (err error) {
		k, err := tx.Keys.Get(ctx, keyID)
		if err == nil {
			u, err = tx.Users.Get(ctx, k.UserID)
		}
		return err
	})
	g.permit(u.ID, 0, "*")
	for i := range 40 {
		g.setKey(keyID, true)
		if a := g.send("POST", "/v1/chat/completions", askChat, "Authorization", "Bearer "+key); a.Status != 200 {
			t.Fatalf("round %d: enabled key gives %d", i, a.Status)
		}
		g.setKey(keyID, false)
		if a := g.send("POST", "/v1/chat/completions", askChat, "Authorization", "Bearer "+key); a.Status != 401 {
			t.Fatalf("round %d: a request started after the key was disabled gives %d", i, a.Status)
		}
	}
	close(stop)
	wg.Wait()
}

func (g *gateway) setKey(id int64, enabled bool) {
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		return g.Keys.SetKeyEnabled(ctx, tx, by, id, enabled, false)
	})
}

func TestDrainEndsOpenStreamsWithAnErrorEvent(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{}, 1)
	g := start(t, options{vendor: &spy{answer: endless(eventStream, chatStream, chatDelta, ended)}})
	_, rd := openStream(t, g, "/v1/chat/completions", askStream)
	read := make(chan error, 1)
	var rest []byte
	go func() {
		var err error
		rest, err = io.ReadAll(rd)
		read <- err
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	must(t, g.Proxy.Drain(ctx))
	if err := <-read; err == nil || !strings.Contains(string(rest), `data: {"error"`) {
		t.Errorf("%v, %q: want an error event and a cut", err, tail(string(rest)))
	}
	<-ended
	if row := g.last(1); len(row.Dispatches) != 1 || row.Dispatches[0].ErrorClass != "canceled" || row.ErrorClass != tollgate.CodeUnavailable {
		t.Errorf("row %+v", row)
	}
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 503 {
		t.Errorf("a request during the drain gives %d, want 503", a.Status)
	}
}

func TestDrainDoesNotWaitForABodyThatIsStillComing(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/messages HTTP/1.1\r\nHost: x\r\nX-Api-Key: %s\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{", g.Key)
	for g.Proxy.Stats().Calls == 0 {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	must(t, g.Proxy.Drain(ctx))
	_ = conn.SetReadDeadline(time.Now().Add(3 * time.Second))
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	must(t, err)
	defer resp.Body.Close()
	if resp.StatusCode != 529 || !resp.Close {
		t.Errorf("status %d, close %v; want 529 (Anthropic's 503) and a closed connection", resp.StatusCode, resp.Close)
	}
}

// TestSlowReaderIsCutOffAfterTheWriteDeadline: a client that takes nothing holds
// a stream for Limits.Write, no longer.
func TestSlowReaderIsCutOffAfterTheWriteDeadline(t *testing.T) {
	t.Parallel()
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", eventStream)
		big := strings.Replace(chatDelta, "pong pong pong", strings.Repeat("x", 64<<10), 1)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, big); err != nil {
				return
			}
		}
	}}
	g := start(t, options{vendor: v, limits: proxy.Limits{Write: 300 * time.Millisecond}})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", g.Key, len(askStream), askStream)
	row := g.last(1)
	if row.Status != 499 || row.Dispatches[0].ErrorClass != "canceled" {
		t.Errorf("row %+v", row)
	}
	settled(t, g)
}

// TestKeptAliveConnectionIsLeftAsItWas: deadlines of one request must not reach
// into the next one on the same connection.
func TestKeptAliveConnectionIsLeftAsItWas(t *testing.T) {
	t.Parallel()
	g := start(t, options{
		vendor: &spy{answer: says(200, "application/json", chatAnswer)}, limits: proxy.Limits{Write: 100 * time.Millisecond},
		timeouts: upstream.Timeouts{Dial: time.Second, TLS: time.Second, Header: time.Second, Idle: 100 * time.Millisecond},
	})
	conn, err := net.Dial("tcp", strings.TrimPrefix(g.URL, "http://"))
	must(t, err)
	defer conn.Close()
	rd := bufio.NewReader(conn)
	for i := range 3 {
		fmt.Fprintf(conn, "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", g.Key, len(askChat), askChat)
		resp, err := http.ReadResponse(rd, nil)
		if err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode != 200 || string(body) != chatAnswer {
			t.Fatalf("request %d: %v %d %s", i, err, resp.StatusCode, body)
		}
		time.Sleep(250 * time.Millisecond)
	}
}
