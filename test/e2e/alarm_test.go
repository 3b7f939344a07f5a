package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// inbox is a receiver of alarms on the vendor's port.
type inbox struct {
	mu  sync.Mutex
	ids map[float64]map[string]int // webhook ids by user, with how often each came
}

func (b *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var e struct {
		Type string
		Data struct {
			ScopeID   float64 `json:"scope_id"`
			Threshold int
		}
	}
	body, _ := io.ReadAll(r.Body)
	if json.Unmarshal(body, &e) != nil || e.Type != "quota.threshold" || !strings.HasPrefix(r.Header.Get("webhook-signature"), "v1,") {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ids[e.Data.ScopeID] == nil {
		b.ids[e.Data.ScopeID] = map[string]int{}
	}
	b.ids[e.Data.ScopeID][r.Header.Get("webhook-id")]++
}

// of is how many alarms of a user have come.
func (b *inbox) of(user int64) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.ids[float64(user)])
}

// TestNoAlarmIsLostOnKill9 kills the gateway right after the limit of a
// quota falls below what is spent of it: the alarm comes after the restart, once.
func TestNoAlarmIsLostOnKill9(t *testing.T) {
	v, box := newVendor(t), &inbox{ids: map[float64]map[string]int{}}
	mux := http.NewServeMux()
	mux.Handle("/", v.Vendor)
	mux.Handle("/alarms", box)
	v.Config.Handler = mux
	g := start(t, v, fmt.Sprintf("[ledger]\nalarm_webhook = %q\nalarm_secret = \"a secret of more than 24 bytes\"\n", v.URL+"/alarms"))
	n := rounds(50, 4)
	var users []int64
	for i := range n {
		user, key, _ := g.newUser(fmt.Sprint("spender", i))
		g.budget(user, 0)
		g.admin("/admin/user-quotas/upsert", map[string]any{"user_id": user, "quota": 100}, nil)
		status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(true, "hello"))
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, body, err)
		}
		g.admin("/admin/user-quotas/upsert", map[string]any{"user_id": user, "quota": math.Round(g.quota(user).CostUsed*1000+1) / 1000}, nil)
		time.Sleep(time.Duration(rand.IntN(10)) * time.Millisecond)
		g.kill()
		g.run()
		users = append(users, user)
		for deadline := time.Now().Add(20 * time.Second); box.of(user) == 0; time.Sleep(5 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("round %d: no alarm came; spent %+v", i, g.quota(user))
			}
		}
	}
	for _, user := range users {
		if box.of(user) != 1 {
			t.Errorf("user %d has %d alarms: %v", user, box.of(user), box.ids[float64(user)])
		}
	}
	var rows []struct {
		Threshold int
		Webhook   struct{ State string }
	}
	g.admin("/admin/alarms/query", map[string]any{}, &rows)
	if len(rows) != n {
		t.Errorf("%d alarms are written down, want %d: %+v", len(rows), n, rows)
	}
	if out, err := g.command("verify").CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	t.Logf("%d kills, %d alarms", n, len(rows))
}
