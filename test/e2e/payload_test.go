package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/sqlstore"
)

// keptBody and keptBodies are what a test needs of a payload.
type keptBody struct {
	Text      string
	Bytes     int
	Truncated bool
}

type keptBodies struct{ Request, Sent, Response *keptBody }

// payloadState is what the requests say of a request's bodies, once they say
// that something is kept, or after a while.
func (g *gateway) payloadState(id string) string {
	g.t.Helper()
	var row struct{ Payload string }
	for range 100 {
		g.admin("/admin/requests/get", map[string]any{"id": id}, &row)
		if row.Payload != "none" {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	return row.Payload
}

func (g *gateway) payload(id string) (b keptBodies) {
	g.t.Helper()
	g.admin("/admin/requests/payload", map[string]any{"id": id}, &b)
	return b
}

// talk sends a chat and returns the request's id and the answer.
func (g *gateway) talk(key string, body []byte) (id string, status int, answer string) {
	g.t.Helper()
	status, header, text, err := g.post(g.t.Context(), "/oa/v1/chat/completions", key, body)
	if err != nil {
		g.t.Fatal(err)
	}
	return header.Get("X-Tollgate-Request-Id"), status, string(text)
}

// signedIn makes a user who may use everything, with a key that keeps bodies in
// a mode, and a session.
func (g *gateway) signedIn(name, mode string) (key, session string) {
	g.t.Helper()
	id, key, keyID := g.newUser(name)
	g.admin("/admin/users/upsert", map[string]any{"id": id, "name": name, "password": name + " has a long password"}, nil)
	if mode != "" {
		g.admin("/admin/user-keys/update", map[string]any{"id": keyID, "payloads": mode}, nil)
	}
	return key, g.login(name, name+" has a long password")
}

// TestBodiesAreKeptForWhoAsks looks at modes, streams, bounds, and who may read
// and clear, from outside.
func TestBodiesAreKeptForWhoAsks(t *testing.T) {
	g := start(t, newVendor(t), "[logging]\npayloads = \"errors\"\npayload_bytes = 16384\npayload_sent = true\n")
	ada, adas := g.signedIn("ada", "all")
	bob, bobs := g.signedIn("bob", "")
	fine, _, _ := g.talk(bob, chat(false, "hello"))
	failed, status, said := g.talk(bob, []byte(`{"model":"nobody-has-this","messages":[]}`))
	if status != http.StatusNotFound {
		t.Fatalf("%d %s", status, said)
	}
	if got := g.payloadState(failed); got != "kept" || g.payload(failed).Response.Text != said {
		t.Errorf("of an error: %s", got)
	}
	if got := g.payloadState(fine); got != "none" {
		t.Errorf("of a success, in mode errors: %s", got)
	}
	body := chat(true, "[[demo:tokens=30]] tell me")
	streamed, _, events := g.talk(ada, body)
	if got := g.payloadState(streamed); got != "kept" {
		t.Fatalf("of a stream: %s", got)
	}
	if b := g.payload(streamed); b.Request.Text != string(body) || b.Response.Text != events || !strings.Contains(events, "[DONE]") || b.Sent != nil {
		t.Errorf("of a stream: %+v, %+v", b.Request, b.Response)
	}
	long := chat(false, strings.Repeat("long ", 4000))
	cut, _, _ := g.talk(ada, long)
	if got := g.payloadState(cut); got != "truncated" {
		t.Errorf("of a long body: %s", got)
	}
	if b := g.payload(cut).Request; !b.Truncated || b.Bytes != len(long) || b.Text != string(long[:16384]) {
		t.Errorf("of a long body: %d of %d, %v", len(b.Text), b.Bytes, b.Truncated)
	}
	status, header, _, err := g.post(t.Context(), "/an/v1/chat/completions", ada, chat(false, "translate"))
	if err != nil || status != http.StatusOK {
		t.Fatal(status, err)
	}
	translated := header.Get("X-Tollgate-Request-Id")
	g.payloadState(translated)
	if b := g.payload(translated); b.Sent == nil || b.Sent.Text == b.Request.Text {
		t.Errorf("what was translated: %+v", b.Sent)
	}

	// Who may read: the owner by session, an admin; to others it does not exist.
	var own keptBodies
	status, b := g.adminAs(adas, "/user/requests/payload", map[string]any{"id": streamed})
	if status != http.StatusOK || json.Unmarshal(b, &own) != nil || own.Response.Text != events {
		t.Errorf("the owner: %d %s", status, b)
	}
	foreignStatus, foreign := g.adminAs(bobs, "/user/requests/payload", map[string]any{"id": streamed})
	_, missing := g.adminAs(bobs, "/user/requests/payload", map[string]any{"id": "req_0000000000000"})
	if cut := func(b []byte) string { s, _, _ := strings.Cut(string(b), `"request_id"`); return s }; foreignStatus != http.StatusNotFound || cut(foreign) != cut(missing) {
		t.Errorf("somebody else: %d %s, missing: %s", foreignStatus, foreign, missing)
	}
	for who, key := range map[string]string{"the owner's key": ada, "a user": bobs} {
		path := "/user/requests/payload"
		if who == "a user" {
			path = "/admin/requests/payload"
		}
		if status, b := g.adminAs(key, path, map[string]any{"id": streamed}); status != http.StatusForbidden {
			t.Errorf("%s: %d %s", who, status, b)
		}
	}
	var entries []struct{ Action string }
	g.admin("/admin/audit/query", map[string]any{"action": map[string]any{"eq": "payload.view"}}, &entries)
	if len(entries) != 4 {
		t.Errorf("%d views are audited, want 4", len(entries))
	}

	var gone struct{ Removed int }
	g.admin("/admin/requests/clear", map[string]any{"ids": []string{streamed, fine}}, &gone)
	if gone.Removed != 1 || g.payloadState(streamed) != "none" || g.payloadState(cut) != "truncated" {
		t.Errorf("cleared: %+v", gone)
	}
	g.admin("/admin/requests/clear", map[string]any{"all": true, "confirm": "CLEAR"}, &gone)
	if gone.Removed != 3 || g.metric("tollgate_payload_bytes") != 0 {
		t.Errorf("cleared all: %+v", gone)
	}
	if rows := len(g.usages()); rows != 5 {
		t.Errorf("%d usage rows are left of 5", rows)
	}
}

// TestAHistoryIsKeptOnceAndSurvives sends a conversation that grows, and finds it
// again after a backup and a restore, and after the master key has changed.
func TestAHistoryIsKeptOnceAndSurvives(t *testing.T) {
	const before, after = "the master key before rekeying", "the master key after rekeying.."
	g := prepare(t, newVendor(t), "[logging]\npayloads = \"all\"\n")
	g.env = []string{"DATABASE_SECRET_KEY=" + before}
	g.run()
	_, key, _ := g.newUser("talker")
	var messages []map[string]string
	sent, bodies := 0, map[string]string{}
	for i := range 30 {
		messages = append(messages, map[string]string{"role": []string{"user", "assistant"}[i%2], "content": fmt.Sprint(i, strings.Repeat(" some words", 100))})
		body, _ := json.Marshal(map[string]any{"model": "demo-small", "max_tokens": 16, "messages": messages})
		id, status, answer := g.talk(key, body)
		if status != http.StatusOK {
			t.Fatalf("%d %s", status, answer)
		}
		bodies[id] = string(body)
		sent += len(body) + len(answer)
	}
	check := func(g *gateway, when string) {
		t.Helper()
		for id, body := range bodies {
			if g.payloadState(id) != "kept" || g.payload(id).Request.Text != body {
				t.Errorf("%s: %s is not as it was sent", when, id)
			}
		}
	}
	check(g, "at first")
	if kept := g.metric("tollgate_payload_bytes"); kept == 0 || kept*10 > float64(sent) {
		t.Errorf("%.0f bytes are kept of %d", kept, sent)
	}
	file := filepath.Join(t.TempDir(), "tollgate.backup")
	if out, err := g.command("backup", file).CombinedOutput(); err != nil {
		t.Fatalf("backup: %v\n%s", err, out)
	}
	fresh := prepare(t, g.vendor, "")
	fresh.env = g.env
	if out, err := fresh.command("restore", file).CombinedOutput(); err != nil {
		t.Fatalf("restore: %v\n%s", err, out)
	}
	fresh.run()
	check(fresh, "after a restore")
	fresh.stop()
	rekey := g.command("rekey")
	rekey.Env = append(rekey.Env, "DATABASE_SECRET_KEY="+after, "DATABASE_SECRET_KEY_PREVIOUS="+before)
	if out, err := rekey.CombinedOutput(); err != nil {
		t.Fatalf("rekey: %v\n%s", err, out)
	}
	g.stop()
	g.env = []string{"DATABASE_SECRET_KEY=" + after}
	g.run()
	check(g, "after rekeying")
}

// TestBodiesAreConsistentAfterKill9 kills the gateway while bodies are written:
// what is said to be kept can be read, and nothing else is broken.
func TestBodiesAreConsistentAfterKill9(t *testing.T) {
	g := start(t, newVendor(t), "[logging]\npayloads = \"all\"\n")
	_, key, _ := g.newUser("victim")
	var mu sync.Mutex
	var ids []string
	for range rounds(50, 4) {
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for n := range 4 {
			wg.Go(func() {
				for i := 0; ctx.Err() == nil; i++ {
					body := chat(i%2 == 0, fmt.Sprint("round ", n, strings.Repeat(" said before", 50*(i%8))))
					if status, header, _, err := g.post(ctx, "/oa/v1/chat/completions", key, body); err == nil && status == http.StatusOK {
						mu.Lock()
						ids = append(ids, header.Get("X-Tollgate-Request-Id"))
						mu.Unlock()
					}
				}
			})
		}
		time.Sleep(time.Duration(150+rand.IntN(400)) * time.Millisecond)
		g.kill()
		cancel()
		wg.Wait()
		g.run()
	}
	kept, none := 0, 0
	for i := range ids {
		if i%max(1, len(ids)/300) != 0 {
			continue
		}
		var row struct{ Payload string }
		g.admin("/admin/requests/get", map[string]any{"id": ids[i]}, &row)
		if row.Payload == "none" {
			none++
			continue
		}
		kept++
		if b := g.payload(ids[i]); !bytes.Contains([]byte(b.Request.Text), []byte("round")) || b.Response == nil {
			t.Errorf("%s is said to be kept: %+v", ids[i], b.Request)
		}
	}
	if kept == 0 {
		t.Error("nothing was kept at all")
	}
	t.Logf("of %d answers looked at, the bodies of %d are kept, of %d they went with the process", kept+none, kept, none)
	g.admin("/admin/requests/clear", map[string]any{"all": true, "confirm": "CLEAR"}, nil)
	if left := g.metric("tollgate_payload_bytes"); left != 0 {
		t.Errorf("%.0f bytes are left of nothing", left)
	}
	g.stop()
	g.checkIntegrity()
}

// TestOldRequestsGoAndBalancesStay puts requests of four months into the
// database and starts the gateway: what is older than [logging] request_life
// goes, what is spent stays, and verify holds.
func TestOldRequestsGoAndBalancesStay(t *testing.T) {
	g := start(t, newVendor(t), "[logging]\nrequest_life = \"720h\"\npayload_life = \"720h\"\n[ledger]\nunpriced = \"serve\"\n")
	user, key, _ := g.newUser("spender")
	g.admin("/admin/user-quotas/upsert", map[string]any{"user_id": user, "quota": 1000}, nil)
	g.stop()

	const days, perDay = 120, 20
	g.record(user, days, perDay)
	verify := func() {
		t.Helper()
		if out, err := g.command("verify").CombinedOutput(); err != nil {
			t.Fatalf("verify: %v\n%s", err, out)
		}
	}
	verify()
	g.run()
	deadline := time.Now().Add(time.Minute)
	for !strings.Contains(g.whole(), "old requests were removed") {
		if time.Now().After(deadline) {
			t.Fatalf("nothing was removed:\n%s", g.output())
		}
		if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusOK {
			t.Fatalf("meanwhile: %d %v %s", status, err, body)
		}
		time.Sleep(100 * time.Millisecond)
	}
	var n struct{ Count int64 }
	g.admin("/admin/requests/count", map[string]any{"until": time.Now().Add(-720 * time.Hour)}, &n)
	if n.Count != 0 {
		t.Errorf("%d old requests are left", n.Count)
	}
	g.admin("/admin/requests/count", map[string]any{"until": time.Now().Add(-time.Hour)}, &n)
	if want := int64(30 * perDay); n.Count < want-perDay || n.Count > want {
		t.Errorf("%d younger ones are left, want about %d", n.Count, want)
	}
	var quotas []struct {
		CostUsed float64 `json:"cost_used"`
	}
	g.admin("/admin/user-quotas/query", map[string]any{"user_id": map[string]any{"eq": user}}, &quotas)
	if want := 0.01 * days * perDay; len(quotas) != 1 || quotas[0].CostUsed < want-1e-9 || quotas[0].CostUsed > want+0.1 {
		t.Errorf("what is spent: %+v, want %v", quotas, want)
	}
	var sums []struct{ Dispatches int64 }
	g.admin("/admin/usages/summary", map[string]any{"group_by": "user"}, &sums)
	if len(sums) != 1 || sums[0].Dispatches < days*perDay {
		t.Errorf("the sums no longer know what is gone: %+v", sums)
	}
	g.stop()
	verify()
}

// record appends requests of the past to the database of a gateway that is
// stopped, each of one cent in the user's quota.
func (g *gateway) record(user int64, days, perDay int) {
	g.t.Helper()
	ctx := g.t.Context()
	s, err := sqlstore.Open(ctx, sqlstore.Options{Dir: filepath.Join(g.dir, "data"), Now: time.Now})
	if err != nil {
		g.t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	var quotas []tollgate.Quota
	err = s.View(ctx, func(tx tollgate.Tx) (err error) {
		quotas, _, err = tx.Quotas.Query(ctx, tollgate.QuotaFilter{ScopeID: tollgate.Is(user)}, tollgate.Page{})
		return err
	})
	if err != nil || len(quotas) != 1 {
		g.t.Fatal(quotas, err)
	}
	var ids tollgate.RequestIDs
	first := time.Now().AddDate(0, 0, -days)
	opens := []tollgate.Opening{{QuotaID: quotas[0].ID, Since: tollgate.RequestIDAt(first)}}
	for day := range days {
		var rows []tollgate.Request
		for n := range perDay {
			at := first.AddDate(0, 0, day).Add(time.Duration(n) * time.Minute)
			r := tollgate.Request{
				ID: ids.Next(at), UserID: user, StartedAt: at, Dialect: tollgate.DialectOpenAIChat, Operation: tollgate.OpGenerate,
				Model: "demo-small", Status: http.StatusOK, Cost: tollgate.Dollar / 100,
			}
			r.Dispatches = []tollgate.Dispatch{{
				ID: r.ID.Dispatch(1), ProviderID: 1, Model: "demo-small", StartedAt: at, Status: http.StatusOK, Exactness: tollgate.ExactMeasured,
				Cost: r.Cost, Charges: []tollgate.Charge{{QuotaID: quotas[0].ID}},
			}}
			rows = append(rows, r)
		}
		intents := []tollgate.Intent{{ID: rows[0].Dispatches[0].ID, UserID: user, Dialect: tollgate.DialectOpenAIChat, Operation: tollgate.OpGenerate, Opens: opens}}
		if err := s.Append(ctx, nil, intents...); err != nil {
			g.t.Fatal(err)
		}
		if err := s.Append(ctx, rows); err != nil {
			g.t.Fatal(err)
		}
		opens = nil
	}
}
