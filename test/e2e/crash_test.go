package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "modernc.org/sqlite" // integrity_check reads the database the gateway left
)

// TestNothingIsLostOnKill9 kills the gateway under load (Shown by 5): every
// answer that a client saw whole has its usage row, once.
func TestNothingIsLostOnKill9(t *testing.T) {
	g := start(t, newVendor(t), "")
	_, key, _ := g.newUser("load")
	var completed set
	n := rounds(25, 4)
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for w := range 16 {
			wg.Go(func() {
				for ctx.Err() == nil {
					if id, ok := g.complete(ctx, key, w%2 == 0); ok {
						completed.add(id)
					}
				}
			})
		}
		time.Sleep(time.Duration(50+rand.IntN(rounds(1500, 500))) * time.Millisecond)
		g.kill()
		cancel()
		wg.Wait()
		g.run()
	}
	rows := map[string]int{}
	seen := map[string]bool{}
	for _, u := range g.usages() {
		rows[u.RequestID]++
		if seen[u.ID] {
			t.Errorf("usage row %s twice", u.ID)
		}
		seen[u.ID] = true
	}
	for id := range completed.m {
		if rows[id] != 1 {
			t.Errorf("request %s: %d usage rows", id, rows[id])
		}
	}
	if len(completed.m) < 20*n {
		t.Errorf("only %d requests completed in %d rounds", len(completed.m), n)
	}
	g.stop()
	g.checkIntegrity()
	t.Logf("%d kills: %d completed answers, %d usage rows", n, len(completed.m), len(rows))
}

// complete makes one request and reports its id when the answer was seen whole.
func (g *gateway) complete(ctx context.Context, key string, stream bool) (string, bool) {
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/oa/v1/chat/completions", bytes.NewReader(chat(stream, "[[demo:slow=1ms]] hello")))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	whole := resp.StatusCode == http.StatusOK && err == nil
	if stream {
		// The client has all it waits for once it saw the terminator.
		whole = resp.StatusCode == http.StatusOK && strings.Contains(string(b), "data: [DONE]")
	}
	return resp.Header.Get("X-Tollgate-Request-Id"), whole
}

func (g *gateway) checkIntegrity() {
	g.t.Helper()
	files, _ := filepath.Glob(filepath.Join(g.dir, "data", "*.db"))
	if len(files) == 0 {
		g.t.Fatal("no database file")
	}
	for _, f := range files {
		db, err := sql.Open("sqlite", "file:"+f)
		if err != nil {
			g.t.Fatal(err)
		}
		var verdict string
		if err := db.QueryRow("PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			g.t.Errorf("%s: integrity_check: %s %v", filepath.Base(f), verdict, err)
		}
		_ = db.Close()
	}
}

// TestClientsThatLeaveHarmNobody mixes clients that leave before the headers,
// in mid-stream and while their row is being written with clients that stay.
func TestClientsThatLeaveHarmNobody(t *testing.T) {
	v := newVendor(t)
	g := start(t, v, "")
	_, key, _ := g.newUser("load")
	const workers = 64
	var whole set
	load := func(n int) (stayed, failed int64) {
		var ok, bad, next atomic.Int64
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for i := next.Add(1); i <= int64(2*n); i = next.Add(1) {
					if i%2 == 0 {
						g.leave(t, key, int(i/2))
						continue
					}
					if id, seen := g.complete(t.Context(), key, i%4 == 1); seen {
						ok.Add(1)
						whole.add(id)
					} else {
						bad.Add(1)
					}
				}
			})
		}
		wg.Wait()
		return ok.Load(), bad.Load()
	}
	load(500) // warm up: pools and caches reach the size of this concurrency
	settle := func() (goroutines, fds float64) {
		g.client.CloseIdleConnections()
		time.Sleep(500 * time.Millisecond)
		return g.metric("go_goroutines"), g.metric("process_open_fds")
	}
	g0, f0 := settle()
	n := rounds(10_000, 800)
	stayed, failed := load(n)
	if failed != 0 || stayed != int64(n) {
		t.Errorf("of %d clients that stayed %d were served whole, %d failed", n, stayed, failed)
	}
	g1, f1 := settle()
	for deadline := time.Now().Add(10 * time.Second); (g1 > g0+8 || f1 > f0+8) && time.Now().Before(deadline); {
		g1, f1 = settle()
	}
	if g1 > g0+8 || f1 > f0+8 {
		t.Errorf("goroutines %v → %v, file descriptors %v → %v", g0, g1, f0, f1)
	}
	sent := v.Dispatches()
	rows := g.usages()
	requests, answered := map[string]int{}, int64(0)
	for _, u := range rows {
		requests[u.RequestID]++
		if u.Status != 0 {
			answered++
		}
	}
	// A row without a status may or may not have reached the provider: its
	// client left before an answer came. Every other one did, and everything
	// that reached the provider has its row.
	if answered > sent || sent > int64(len(rows)) {
		t.Errorf("%d usage rows, %d of them with an answer, for %d requests that reached the provider", len(rows), answered, sent)
	}
	for id := range whole.m {
		if requests[id] != 1 {
			t.Errorf("request %s was served whole and has %d usage rows", id, requests[id])
		}
	}
	t.Logf("%d stayed, %d left; %d dispatches, %d rows; goroutines %v → %v, fds %v → %v", stayed, n, sent, len(rows), g0, g1, f0, f1)
}

// leave makes a request and abandons it at one of several moments.
func (g *gateway) leave(t *testing.T, key string, i int) {
	t.Helper()
	body := chat(i%3 != 0, "[[demo:slow=2ms]] hello again")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if i%3 == 1 {
		time.AfterFunc(time.Duration(i%40)*100*time.Microsecond, cancel) // before the headers, or soon after
	}
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/oa/v1/chat/completions", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		return
	}
	defer func() { _ = resp.Body.Close() }()
	switch i % 3 {
	case 0: // as soon as the header of the answer is there
	case 1:
		_, _ = io.Copy(io.Discard, resp.Body)
	case 2: // in mid-stream, up to the last event
		_, _ = io.CopyN(io.Discard, resp.Body, int64(100+i%2000))
	}
}
