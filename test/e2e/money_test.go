package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// budget prices everything at a tenth of a cent a token and gives the user a
// budget, in dollars.
func (g *gateway) budget(user int64, dollars int) {
	g.t.Helper()
	g.admin("/admin/prices/upsert", map[string]any{
		"model_pattern": "demo-*", "prices": map[string]any{"price_input_tokens": 1000, "price_output_tokens": 1000},
	}, nil)
	g.admin("/admin/user-quotas/upsert", map[string]any{"user_id": user, "quota": dollars}, nil)
}

// quotaRow is what a test needs of a quota.
type quotaRow struct {
	CostUsed float64 `json:"cost_used"`
	Held     float64 `json:"held"`
}

func (g *gateway) quota(user int64) quotaRow {
	g.t.Helper()
	var rows []quotaRow
	g.admin("/admin/user-quotas/query", map[string]any{"user_id": map[string]any{"eq": user}}, &rows)
	if len(rows) != 1 {
		g.t.Fatalf("%d quotas", len(rows))
	}
	return rows[0]
}

// TestMoneyAddsUpOverKill9 kills the gateway under mixed load, again and
// again: every request that reached the vendor has a usage row, no row is there
// twice, every balance is the sum of its rows, and nothing stays held.
func TestMoneyAddsUpOverKill9(t *testing.T) {
	const workers = 12
	v := newVendor(t)
	v.Record(true)
	g := start(t, v, "")
	user, key, _ := g.newUser("load")
	g.budget(user, 1_000_000)
	var next atomic.Int64
	n := rounds(200, 4)
	for range n {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for range workers {
			wg.Go(func() {
				for ctx.Err() == nil {
					g.paid(ctx, key, next.Add(1))
				}
			})
		}
		time.Sleep(time.Duration(100+rand.IntN(rounds(600, 400))) * time.Millisecond)
		g.kill()
		cancel()
		wg.Wait()
		g.run()
		if held := g.quota(user).Held; held != 0 {
			t.Errorf("%v dollars are held after a restart", held)
		}
		if out, err := g.command("verify").CombinedOutput(); err != nil {
			t.Errorf("verify: %v\n%s", err, out)
		}
	}
	g.stop()
	g.checkIntegrity()
	rows, nameless, unknown, doubled := g.dispatched()
	lost, sent := 0, map[string]int{}
	marker := regexp.MustCompile(`marker-\d+-`)
	for _, r := range v.Requests() {
		if m := marker.Find(r.Body); m != nil {
			sent[string(m)]++
		}
	}
	for m, count := range sent {
		lost += max(count-rows[m], 0)
	}
	// The row of a request that was killed does not know its tag any more.
	if lost > nameless {
		t.Errorf("%d requests reached the vendor beyond those whose rows name them; %d rows name none", lost, nameless)
	}
	if doubled != 0 {
		t.Errorf("%d dispatches are there twice", doubled)
	}
	if unknown > n*workers {
		t.Errorf("%d dispatches of unknown outcome after %d kills with %d requests in flight", unknown, n, workers)
	}
	if len(sent) < 20*n {
		t.Errorf("only %d requests reached the vendor", len(sent))
	}
	t.Logf("%d kills: %d requests at the vendor, %d of them in the %d rows that name none; %d of unknown outcome", n, len(sent), lost, nameless, unknown)
}

// paid makes one request, a stream, a whole answer or one that takes a second
// attempt, and leaves its mark in the body and in the row.
func (g *gateway) paid(ctx context.Context, key string, i int64) {
	mark := fmt.Sprintf("marker-%d-", i)
	fault := [...]string{"", "[[demo:slow=1ms]]", "[[demo:status=500]]", "[[demo:tokens=2000]]"}[i%4]
	req, _ := http.NewRequestWithContext(ctx, http.MethodPost, g.url+"/oa/v1/chat/completions", bytes.NewReader(chat(i%3 != 0, fault+" "+mark)))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("X-Tollgate-Tags", mark)
	resp, err := g.client.Do(req)
	if err != nil {
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}

// dispatched reads the database that the gateway has left: dispatches by the
// tag of their request and without one, those of unknown outcome, and those that are there twice.
func (g *gateway) dispatched() (byTag map[string]int, nameless, unknown, doubled int) {
	g.t.Helper()
	files, _ := filepath.Glob(filepath.Join(g.dir, "data", "*.db"))
	db, err := sql.Open("sqlite", "file:"+strings.Join(files, ""))
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	byTag = map[string]int{}
	rows, err := db.QueryContext(g.t.Context(), `SELECT r.tags, count(*) FROM requests r JOIN dispatches d ON d.id - d.id % 16 = r.id GROUP BY r.tags`)
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var tag string
		var n int
		if err := rows.Scan(&tag, &n); err != nil {
			g.t.Fatal(err)
		}
		byTag[tag] = n
	}
	if err := rows.Err(); err != nil {
		g.t.Fatal(err)
	}
	err = db.QueryRowContext(g.t.Context(), `SELECT count(*) FILTER (WHERE exactness = 'unknown_outcome'), count(*) - count(DISTINCT id) FROM dispatches`).Scan(&unknown, &doubled)
	if err != nil {
		g.t.Fatal(err)
	}
	return byTag, byTag[""], unknown, doubled
}

// TestRateLimitsGoOnOverARestart counts requests of one window before and
// after the gateway was stopped.
func TestRateLimitsGoOnOverARestart(t *testing.T) {
	g := start(t, newVendor(t), "")
	user, key, _ := g.newUser("load")
	g.admin("/admin/user-rate-limits/upsert", map[string]any{"user_id": user, "model_pattern": "*", "rpd": 3}, nil)
	ask := func() int {
		status, _, _, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hello"))
		if err != nil {
			t.Fatal(err)
		}
		return status
	}
	if a, b := ask(), ask(); a != 200 || b != 200 {
		t.Fatalf("%d, %d", a, b)
	}
	g.stop()
	g.run()
	if a, b := ask(), ask(); a != 200 || b != 429 {
		t.Errorf("after a restart: %d, then %d; want the third of three, then a refusal", a, b)
	}
}

// TestABudgetIsSpentAndTold follows a budget from the first request to the
// refusal, through the binary and its API.
func TestABudgetIsSpentAndTold(t *testing.T) {
	g := start(t, newVendor(t), "")
	user, key, _ := g.newUser("load")
	g.budget(user, 1)
	for i := range 100 {
		status, header, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(i%2 == 0, "[[demo:tokens=40]] hello"))
		if err != nil {
			t.Fatal(err)
		}
		if status == http.StatusOK {
			continue
		}
		q := g.quota(user)
		if status != http.StatusTooManyRequests || header.Get("X-Should-Retry") != "false" || !bytes.Contains(body, []byte("insufficient_quota")) {
			t.Errorf("%d %v %s", status, header, body)
		}
		if q.CostUsed > 1 || q.CostUsed < 0.85 || q.Held != 0 || i < 5 {
			t.Errorf("refused at request %d with %+v of one dollar", i, q)
		}
		if m := g.metric("tollgate_quota_refusals_total"); m != 1 {
			t.Errorf("%v refusals counted", m)
		}
		return
	}
	t.Error("a dollar is never spent")
}
