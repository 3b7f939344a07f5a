package e2e

import (
	"bufio"
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestRevokedMeansRevoked races admin calls against load (Shown by 4, K-04):
// a request that starts after the admin call returned is never served, and
// open streams of the principal end within a second with an error event.
func TestRevokedMeansRevoked(t *testing.T) {
	g := start(t, newVendor(t), "")
	n := rounds(1000, 40)
	var served, refused atomic.Int64
	for i := range n {
		user, key, keyID := g.newUser("racer-" + time.Now().Format("150405.000000000"))
		var perms []struct{ ID int64 }
		g.admin("/admin/user-permissions/query", map[string]any{"user_id": map[string]any{"eq": user}}, &perms)
		revoke := []func(){
			func() { g.admin("/admin/user-keys/update-enabled", map[string]any{"id": keyID, "enabled": false}, nil) },
			func() { g.admin("/admin/user-keys/delete", map[string]any{"id": keyID}, nil) },
			func() { g.admin("/admin/users/upsert", map[string]any{"id": user, "enabled": false}, nil) },
			func() { g.admin("/admin/users/delete", map[string]any{"id": user}, nil) },
			func() { g.admin("/admin/user-permissions/delete", map[string]any{"id": perms[0].ID}, nil) },
		}[i%5]
		ends := make(chan streamEnd, 1)
		opened := make(chan struct{})
		go func() { ends <- g.readStream(t.Context(), key, opened) }()
		<-opened

		var acked atomic.Bool
		var wg sync.WaitGroup
		stop := make(chan struct{})
		for range 4 {
			wg.Go(func() {
				for after := 0; after < 3; {
					isAfter := acked.Load()
					status, _, body, err := g.post(context.Background(), "/oa/v1/chat/completions", key, chat(false, "hi"))
					switch {
					case err != nil:
						t.Errorf("round %d: %v", i, err)
					case status == http.StatusOK && isAfter:
						t.Errorf("round %d: served after the admin call returned", i)
					case status == http.StatusOK:
						served.Add(1)
					case status == http.StatusUnauthorized || status == http.StatusForbidden:
						refused.Add(1)
					default:
						t.Errorf("round %d: status %d %s", i, status, body)
					}
					if isAfter {
						after++
					}
					select {
					case <-stop:
						return
					default:
					}
				}
			})
		}
		time.Sleep(time.Duration(i%7) * time.Millisecond)
		revoke()
		ack := time.Now()
		acked.Store(true)
		wg.Wait()
		close(stop)
		select {
		case end := <-ends:
			if late := end.at.Sub(ack); late > time.Second {
				t.Errorf("round %d: the stream ended %v after the admin call", i, late)
			}
			if !strings.Contains(end.last, `"error"`) || end.clean {
				t.Errorf("round %d: the stream ended with %q, clean %v", i, end.last, end.clean)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("round %d: the stream did not end", i)
		}
		if t.Failed() {
			t.Log(g.output())
			return
		}
	}
	t.Logf("%d rounds: %d requests served before, %d refused, 0 served after", n, served.Load(), refused.Load())
}

type streamEnd struct {
	at    time.Time
	last  string // the last data line
	clean bool   // the body ended without an error
}

// readStream opens a slow, long stream and reads it to its end.
func (g *gateway) readStream(ctx context.Context, key string, opened chan<- struct{}) streamEnd {
	return g.readStreamOf(ctx, key, "[[demo:slow=50ms]] [[demo:tokens=2000]] tell me a story", opened)
}

func (g *gateway) readStreamOf(ctx context.Context, key, text string, opened chan<- struct{}) streamEnd {
	body := chat(true, text)
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/oa/v1/chat/completions", bytes.NewReader(body))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	resp, err := g.client.Do(req)
	if err != nil {
		close(opened)
		return streamEnd{at: time.Now(), last: err.Error()}
	}
	defer func() { _ = resp.Body.Close() }()
	end := streamEnd{}
	lines := bufio.NewScanner(resp.Body)
	once := sync.OnceFunc(func() { close(opened) })
	for lines.Scan() {
		once()
		if line := lines.Text(); strings.HasPrefix(line, "data:") {
			end.last = line
		}
	}
	once()
	end.at, end.clean = time.Now(), lines.Err() == nil
	return end
}
