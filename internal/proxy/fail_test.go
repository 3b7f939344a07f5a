package proxy_test

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/proxy"
	"tollgate/internal/upstream"
)

const askChat = `{"model":"oa-model","messages":[{"role":"user","content":"hi"}]}`

// byKey answers by the credential that the request carries.
func byKey(answers map[string]func(http.ResponseWriter, *http.Request, int)) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, n int) {
		answers[strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")](w, r, n)
	}
}

func TestFailuresBeforeTheFirstByteMoveOn(t *testing.T) {
	t.Parallel()
	cut := func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }
	jsonError := `{"error":{"message":"no","type":"x"}}`
	for _, c := range []struct {
		name   string
		first  func(http.ResponseWriter, *http.Request, int)
		moves  bool
		status int
	}{
		{"401", says(401, "application/json", jsonError), true, 200},
		{"429", says(429, "application/json", jsonError), true, 200},
		{"500", says(500, "application/json", jsonError), true, 200},
		{"503", says(503, "text/html", "<html>"), true, 200},
		{"529", says(529, "application/json", jsonError), true, 200},
		{"closed", cut, true, 200},
		{"400", says(400, "application/json", jsonError), false, 400},
		{"403", says(403, "application/json", jsonError), false, 403},
		{"404", says(404, "application/json", jsonError), false, 404},
		{"html", says(200, "text/html", "<html>hello</html>"), false, 502},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &spy{answer: byKey(map[string]func(http.ResponseWriter, *http.Request, int){
				secretA: c.first, secretB: says(200, "application/json", chatAnswer),
			})}
			g := start(t, options{vendor: v, credentials: []string{secretA, secretB}})
			seenFirst := false
			for i := range 2 { // the credentials take turns
				a := g.send("POST", "/v1/chat/completions", askChat)
				row := g.last(i + 1)
				if row.Dispatches[0].Status == 200 && c.status == 200 && len(row.Dispatches) == 1 {
					continue
				}
				if a.Status == 200 && len(row.Dispatches) == 1 {
					continue // the good one's turn
				}
				seenFirst = true
				if a.Status != c.status {
					t.Errorf("status %d, want %d: %s", a.Status, c.status, a.Body)
				}
				want := 1
				if c.moves {
					want = 2
				}
				if len(row.Dispatches) != want || row.Status != c.status {
					t.Fatalf("row %+v", row)
				}
				for n, d := range row.Dispatches {
					if d.ID != row.ID.Dispatch(n+1) {
						t.Errorf("dispatch %d has id %v", n, d.ID)
					}
				}
				if c.moves && (row.Dispatches[0].CredentialID == row.Dispatches[1].CredentialID || row.Dispatches[0].ErrorClass == "" || row.Dispatches[1].ErrorClass != "") {
					t.Errorf("dispatches %+v", row.Dispatches)
				}
			}
			if !seenFirst {
				t.Error("the failing credential never had its turn")
			}
		})
	}
}

func TestDeadProviderGivesWayToTheNextOfTheSameModel(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v})
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		_, err := g.Catalog.SaveProvider(ctx, tx, by, upstream.ProviderWrite{
			ID: g.ids["oa"], BaseURL: tollgate.Some("http://" + freePort(t)), DropSecrets: true,
			Credentials: []upstream.CredentialWrite{{Label: tollgate.Some("new"), Secret: tollgate.Some(secretB)}},
		})
		return err
	})
	a := g.send("POST", "/v1/chat/completions", `{"model":"shared-model","messages":[]}`)
	row := g.last(1)
	if a.Status != 200 || len(row.Dispatches) != 2 || row.ProviderID != g.ids["cp"] {
		t.Fatalf("status %d %s, row %+v", a.Status, a.Body, row)
	}
	if d := row.Dispatches[0]; d.ErrorClass != "connect" || d.Status != 0 || d.Tokens != (tollgate.Tokens{}) {
		t.Errorf("dispatch %+v", d)
	}
	a = g.send("POST", "/oa/v1/chat/completions", askChat)
	if a.Status != 502 || strings.Contains(a.Body, "127.0.0.1") || strings.Contains(a.Body, "refused") {
		t.Errorf("F-10: a dead provider gives %d %s, want a generic 502", a.Status, a.Body)
	}
}

func TestLastErrorOfTheProviderIsPassedOnScrubbed(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	for _, c := range []struct {
		name, kind, body string
		status, want     int
		has              string
		retry            string
	}{
		{"rate limit", "application/json", `{"error":{"message":"slow down","type":"rate_limit"}}`, 429, 429, "slow down", ""},
		{"echoed key", "application/json", `{"error":{"message":"bad thing: ` + secretA + ` used"}}`, 400, 400, "bad thing", ""},
		{"overloaded", "application/json; charset=utf-8", `{"error":{"message":"overloaded"}}`, 529, 529, "overloaded", ""},
		{"html", "text/html", "<html>502</html>", 502, 502, `"error"`, ""},
		{"not json", "application/json", "{oops", 500, 502, `"error"`, ""},
		{"our credential", "application/json", `{"error":{"message":"Incorrect API key provided: ` + secretA + `"}}`, 401, 502, "credential", "false"},
		{"our bill", "application/json", `{"error":{"message":"pay"}}`, 402, 502, "credential", "false"},
		{"our proxy", "", ``, 407, 502, "credential", "false"},
		{"redirect", "", ``, 302, 502, "redirect", ""},
		{"huge", "application/json", `{"error":"` + strings.Repeat("x", 100<<10) + `"}`, 500, 502, `"error"`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.answer = says(c.status, c.kind, c.body, "Retry-After", "7", "Location", "http://evil.example/")
			// The credential cools down after failures; a fresh one is as good.
			a := g.send("POST", "/v1/chat/completions", askChat)
			n++
			if a.Status != c.want || !strings.Contains(a.Body, c.has) {
				t.Errorf("%d %s, want %d with %q", a.Status, a.Body, c.want, c.has)
			}
			if c.retry != "" && (a.Header.Get("X-Should-Retry") != c.retry || a.Header.Get("Retry-After") != "") {
				t.Errorf("retry headers %v", a.Header)
			}
			if a.Status == 429 && a.Header.Get("Retry-After") != "7" {
				t.Error("retry-after lost")
			}
			if a.Header.Get("Location") != "" {
				t.Error("the redirect's target reached the client")
			}
			row := g.last(n)
			if row.Status != c.want || row.ErrorClass == "" || strings.Contains(row.ErrorText, "upstream-secret") {
				t.Errorf("row %+v", row)
			}
			if d := row.Dispatches[0]; d.Status != c.status && c.status != 302 || d.ErrorClass != "status" || d.Tokens != (tollgate.Tokens{}) {
				t.Errorf("dispatch %+v", d)
			}
		})
	}
}

// TestStalePooledConnectionIsNoError: the provider closes the connections that
// the gateway keeps, and nobody notices.
func TestStalePooledConnectionIsNoError(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v})
	big := strings.Replace(askChat, "hi", strings.Repeat("x", 300<<10), 1)
	for i := range 30 {
		body := askChat
		if i%3 == 2 {
			body = big
		}
		a := g.send("POST", "/v1/chat/completions", body)
		if row := g.last(i + 1); a.Status != 200 || len(row.Dispatches) != 1 {
			t.Fatalf("request %d: %d %s, %d dispatches, %s, vendor got %d", i, a.Status, a.Body, len(row.Dispatches), row.ErrorText, v.count())
		}
		g.Upstr.CloseClientConnections()
	}
}

func TestAttemptsAreBounded(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(500, "application/json", `{"error":{"message":"no"}}`)}
	var creds []string
	for i := range 20 {
		creds = append(creds, secretA+strconv.Itoa(i))
	}
	g := start(t, options{vendor: v, credentials: creds})
	a := g.send("POST", "/v1/chat/completions", askChat)
	if a.Status != 500 || v.count() != tollgate.MaxDispatches {
		t.Errorf("status %d after %d dispatches, want 500 after %d", a.Status, v.count(), tollgate.MaxDispatches)
	}
	if row := g.last(1); len(row.Dispatches) != tollgate.MaxDispatches {
		t.Errorf("%d dispatches recorded", len(row.Dispatches))
	}
}

func TestSlowAnswersTimeOut(t *testing.T) {
	t.Parallel()
	timeouts := upstream.DefaultTimeouts()
	timeouts.Header, timeouts.Idle = 150*time.Millisecond, 150*time.Millisecond
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request, int){
		"no headers": func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() },
		"half a body": func(w http.ResponseWriter, r *http.Request, n int) {
			pieces("application/json", chatAnswer[:30])(w, r, n)
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := &spy{answer: answer}
			g := start(t, options{vendor: v, timeouts: timeouts, credentials: []string{secretA, secretB}})
			a := g.send("POST", "/v1/chat/completions", askChat)
			row := g.last(1)
			if a.Status != 504 || v.count() != 1 || row.Dispatches[0].ErrorClass != "timeout" || row.Dispatches[0].Exactness != tollgate.ExactEstimated {
				t.Errorf("%d %s, %d dispatches, row %+v", a.Status, a.Body, v.count(), row)
			}
		})
	}
}

func TestBrokenAnswersAreRefused(t *testing.T) { //nolint:tparallel // the cases take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v, limits: proxy.Limits{MaxResponse: 1 << 20}})
	for i, c := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request, int)
	}{
		{"html", says(200, "text/html", "<html>login</html>")},
		{"half", says(200, "application/json", chatAnswer[:40])},
		{"nothing", says(200, "application/json", "")},
		{"no content", says(204, "", "")},
		{"array", says(200, "application/json", "[]")},
		{"over the limit", says(200, "application/json", `{"x":"`+strings.Repeat("x", 2<<20)+`"}`)},
		{"less than promised", func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", "500")
			_, _ = w.Write([]byte(chatAnswer[:100]))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			v.answer = c.answer
			a := g.send("POST", "/v1/chat/completions", askChat)
			if a.Status != 502 || !strings.Contains(a.Body, `"error"`) || strings.Contains(a.Body, "<html") {
				t.Errorf("%d %s, want a 502 of the protocol", a.Status, a.Body)
			}
			if row := g.last(i + 1); row.ErrorClass != tollgate.CodeUpstream || len(row.Dispatches) != 1 {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// brokenStore refuses to take rows while it is broken.
type brokenStore struct {
	ledger.Log
	broken  *atomic.Bool
	intents bool // it refuses intents too
}

// Append fails while the store is broken.
func (s brokenStore) Append(ctx context.Context, rows []tollgate.Request, intents ...tollgate.Intent) error {
	if s.broken.Load() && (len(rows) > 0 || s.intents) {
		return errors.New("disk full")
	}
	return s.Log.Append(ctx, rows, intents...)
}

func TestNothingGoesOutThatIsNotWrittenDown(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{
		vendor: v, store: func(s ledger.Log) ledger.Log { return brokenStore{Log: s, broken: &broken, intents: true} },
	})
	broken.Store(true)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 503 || !strings.Contains(a.Body, "was not sent") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if v.count() != 0 {
		t.Errorf("%d requests reached the vendor", v.count())
	}
	broken.Store(false)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 200 {
		t.Errorf("later: %d %s", a.Status, a.Body)
	}
}

func TestNoAnswerWithoutItsRow(t *testing.T) {
	t.Parallel()
	var broken atomic.Bool
	v := &spy{}
	g := start(t, options{
		vendor: v, limits: proxy.Limits{Record: 200 * time.Millisecond},
		store: func(s ledger.Log) ledger.Log { return brokenStore{Log: s, broken: &broken} },
	})
	for _, c := range streams() {
		broken.Store(true)
		v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(c.kind, c.head)(w, r, n)
			time.Sleep(50 * time.Millisecond) // so that the client has the head when the end fails
			_, _ = w.Write([]byte(c.last))
		}
		a := g.send("POST", c.path, c.body)
		if a.Err == nil || strings.Contains(a.Body, c.last) || !strings.Contains(a.Body, c.errorMark) {
			t.Errorf("%s: an answer that could not be recorded ended as %v %q", c.name, a.Err, a.Body)
		}
		broken.Store(false)
	}
	broken.Store(true)
	v.answer = says(200, "application/json", chatAnswer)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 503 || strings.Contains(a.Body, "pong") {
		t.Errorf("%d %s, want 503", a.Status, a.Body)
	}
	broken.Store(false)
}

// panicky panics at a stage of a call.
type panicky struct {
	proxy.Ledger
	hold, record bool
	none         map[string]int // stays nil: writing to it panics
}

func (p *panicky) Begin(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch, amount tollgate.Money) (*ledger.Claim, error) {
	if p.hold {
		panic("hold with payload 4711")
	}
	return p.Ledger.Begin(ctx, req, d, amount)
}

func (p *panicky) Record(ctx context.Context, req tollgate.Request) error {
	if p.record {
		p.none["payload 4711"]++
	}
	return p.Ledger.Record(ctx, req)
}

func TestD10PanicEndsOneRequestOnly(t *testing.T) {
	t.Parallel()
	var log lines
	stage := &panicky{}
	g := start(t, options{
		vendor: &spy{answer: says(200, "application/json", chatAnswer)}, log: &log,
		ledger: func(l proxy.Ledger) proxy.Ledger { stage.Ledger = l; return stage },
	})
	stage.hold = true
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 500 || strings.Contains(a.Body, "4711") || !strings.Contains(a.Body, `"error"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	stage.hold, stage.record = false, true
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 500 || strings.Contains(a.Body, "4711") || strings.Contains(a.Body, "pong") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	stage.record = false
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 200 {
		t.Errorf("the next request: %d %s", a.Status, a.Body)
	}
	rows := g.rows(3)
	if len(rows[1].Dispatches) != 1 || rows[1].Tokens.Output != 7 {
		t.Errorf("what was spent before the panic is lost: %+v", rows[1])
	}
	if rows[0].Status != 500 || rows[0].ErrorClass != tollgate.CodeInternal {
		t.Errorf("row %+v", rows[0])
	}
	if s := log.String(); !strings.Contains(s, "a call panicked") || strings.Contains(s, "4711") {
		t.Errorf("log: %s", s)
	}
	settled(t, g)
	if g.Proxy.Stats().Panics != 2 {
		t.Errorf("stats %+v", g.Proxy.Stats())
	}
}
