package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/ledger"
	"tollgate/internal/meter/book"
	"tollgate/internal/proxy"
)

// perToken makes a token, of the prompt or the answer, cost a tenth of a cent.
const perToken = `{"price_input_tokens":1000,"price_output_tokens":1000}`

// token is what one token costs then.
const token = tollgate.Dollar / 1000

// budget gives the user so much to spend, in all.
func (g *gateway) budget(limit tollgate.Money) {
	g.tb.Helper()
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		_, err := g.Keys.SaveQuota(ctx, tx, by, auth.QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: g.User.ID, Limit: tollgate.Some(limit)})
		return err
	})
}

// balance is how the user's quota stands, in memory and in the store.
func (g *gateway) balance() (spent, held, stored tollgate.Money) {
	g.tb.Helper()
	ctx := context.Background()
	must(g.tb, g.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, _, err := tx.Quotas.Query(ctx, tollgate.QuotaFilter{}, tollgate.Page{All: true})
		if err == nil && len(rows) == 1 {
			b, _ := g.Money.Balance(rows[0].ID, time.Now())
			spent, held, stored = b.Spent, b.Held, rows[0].Spent
		}
		return err
	}))
	return spent, held, stored
}

// evened checks that nothing is held any more and that store and memory agree.
func (g *gateway) evened(t *testing.T) (spent tollgate.Money) {
	t.Helper()
	settled(t, g)
	spent, held, stored := g.balance()
	if held != 0 {
		t.Errorf("%s is still held", held)
	}
	if spent != stored {
		t.Errorf("spent %s in memory, %s in the store", spent, stored)
	}
	if n := g.Limits.Running(); n != 0 {
		t.Errorf("%d slots are still taken", n)
	}
	return spent
}

// estimated is what the gateway takes a body for, in tokens.
func estimated(body string) int64 { return int64(len(body))/3 + 1 }

// exact answers a chat request with a usage that is just what was held for it.
func exact(output int64) func(http.ResponseWriter, *http.Request, int) {
	return func(w http.ResponseWriter, r *http.Request, _ int) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"id":"c","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%d,"completion_tokens":%d}}`,
			r.ContentLength/3+1, output)
	}
}

func TestABudgetForSoManyRequestsAdmitsJustThose(t *testing.T) {
	t.Parallel()
	const budgeted, clients, output = 37, 200, 10
	body := `{"model":"oa-model","max_tokens":10,"messages":[{"role":"user","content":"hello there"}]}`
	v := &spy{answer: exact(output)}
	g := start(t, options{vendor: v, prices: perToken, wait: 10 * time.Second})
	each := tollgate.Money(estimated(body)+output) * token
	g.budget(budgeted * each)
	var served, refused atomic.Int64
	var wg sync.WaitGroup
	for range clients {
		wg.Go(func() {
			switch a := g.send("POST", "/v1/chat/completions", body); a.Status {
			case 200:
				served.Add(1)
			case 429:
				refused.Add(1)
				if a.Header.Get("X-Should-Retry") != "false" || a.Header.Get("Retry-After") != "" || !strings.Contains(a.Body, "insufficient_quota") {
					t.Errorf("refused as %v %s", a.Header, a.Body)
				}
			default:
				t.Errorf("%d %s", a.Status, a.Body)
			}
		})
	}
	wg.Wait()
	if served.Load() != budgeted || refused.Load() != clients-budgeted || v.count() != budgeted {
		t.Errorf("%d served, %d refused, %d dispatched; the budget is for %d", served.Load(), refused.Load(), v.count(), budgeted)
	}
	if spent := g.evened(t); spent != budgeted*each {
		t.Errorf("spent %s of %s", spent, budgeted*each)
	}
}

// dialects are a whole and a streamed request in every form, with the refusal
// of a spent quota.
func dialects() []struct {
	name, path, body string
	status           int
	says             string
} {
	return []struct {
		name, path, body string
		status           int
		says             string
	}{
		{"chat", "/v1/chat/completions", `{"model":"oa-model","max_tokens":10,"messages":[]}`, 429, `"code":"insufficient_quota"`},
		{"responses", "/v1/responses", `{"model":"oa-model","max_output_tokens":10,"input":"hi"}`, 429, `"code":"insufficient_quota"`},
		{"completions", "/v1/completions", `{"model":"oa-model","max_tokens":10,"prompt":"hi"}`, 429, `"code":"insufficient_quota"`},
		{"messages", "/v1/messages", `{"model":"an-model","max_tokens":10,"messages":[]}`, 402, `"type":"billing_error"`},
		{"gemini", "/v1beta/models/ge-model:generateContent", `{"contents":[],"generationConfig":{"maxOutputTokens":10}}`, 429, `"status":"RESOURCE_EXHAUSTED"`},
	}
}

func TestASpentQuotaIsToldInEachProtocol(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(500, "", "")}
	g := start(t, options{vendor: v, prices: perToken})
	g.budget(0)
	for _, c := range dialects() {
		a := g.send("POST", c.path, c.body)
		if a.Status != c.status || !strings.Contains(a.Body, c.says) || a.Header.Get("X-Should-Retry") != "false" || a.Header.Get("Retry-After") != "" {
			t.Errorf("%s: %d %v %s", c.name, a.Status, a.Header, a.Body)
		}
		if !strings.Contains(a.Body, "the total quota of the user: limit 0, spent 0, held 0 dollars") {
			t.Errorf("%s does not say which quota: %s", c.name, a.Body)
		}
	}
	if v.count() != 0 {
		t.Errorf("%d dispatches", v.count())
	}
	for _, r := range g.rows(5) {
		if r.ErrorClass != tollgate.CodeQuota || len(r.Dispatches) != 0 {
			t.Errorf("row %+v", r)
		}
	}
}

func TestMoneyThatIsHeldRefusesOnlyAfterAWaitAndForLater(t *testing.T) {
	t.Parallel()
	wait, answer := make(chan struct{}), exact(10)
	body := `{"model":"oa-model","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}`
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			<-wait
		}
		answer(w, r, n)
	}}
	g := start(t, options{vendor: v, prices: perToken, wait: 100 * time.Millisecond})
	each := tollgate.Money(estimated(body)+10) * token
	g.budget(3 * each / 2)
	first := make(chan answerOf)
	go func() { first <- answerOf(g.send("POST", "/v1/chat/completions", body)) }()
	for v.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	for _, c := range dialects() {
		began := time.Now()
		a := g.send("POST", c.path, c.body)
		if a.Status != 429 || a.Header.Get("X-Should-Retry") == "false" || time.Since(began) < 100*time.Millisecond ||
			strings.Contains(a.Body, "insufficient_quota") || strings.Contains(a.Body, "billing_error") || !strings.Contains(a.Body, "held by running requests") {
			t.Errorf("%s: %d %v %s", c.name, a.Status, a.Header, a.Body)
		}
		if a.Header.Get("Retry-After") != "1" {
			t.Errorf("%s: retry-after %q", c.name, a.Header.Get("Retry-After"))
		}
	}
	close(wait)
	if a := <-first; a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	g.evened(t)
}

type answerOf answer

func TestAWholeAnswerIsCappedByAQuarterOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v, prices: perToken})
	g.budget(4000 * token)
	for _, c := range []struct {
		name, path, body, answer string
		cap                      string // as the vendor reads it
	}{
		{"chat", "/v1/chat/completions", `{"model":"oa-model","messages":[]}`, chatAnswer, `"max_completion_tokens":`},
		{"chat lowered", "/v1/chat/completions", `{"model":"oa-model","max_tokens":128000,"messages":[]}`, chatAnswer, `"max_tokens":`},
		{"chat without a number", "/v1/chat/completions", `{"model":"oa-model","max_tokens":null,"messages":[]}`, chatAnswer, `"max_tokens":`},
		{"compatible", "/v1/chat/completions", `{"model":"cp-model","messages":[]}`, chatAnswer, `"max_tokens":`},
		{"completions", "/v1/completions", `{"model":"oa-model","prompt":"hi"}`, completionAnswer, `"max_tokens":`},
		{"responses", "/v1/responses", `{"model":"oa-model","input":"hi"}`, responsesAnswer, `"max_output_tokens":`},
		{"messages", "/v1/messages", `{"model":"an-model","max_tokens":64000,"messages":[]}`, messagesAnswer, `"max_tokens":`},
		{"gemini", "/v1beta/models/ge-model:generateContent", `{"contents":[]}`, geminiAnswer, `"generationConfig":{"maxOutputTokens":`},
		{"translated", "/v1/messages", `{"model":"cp-model","max_tokens":64000,"messages":[{"role":"user","content":"hi"}]}`, chatAnswer, `"max_tokens":`},
	} {
		v.answer = says(200, "application/json", c.answer)
		spent, _, _ := g.balance()
		a := g.send("POST", c.path, c.body)
		if a.Status != 200 {
			t.Fatalf("%s: %d %s", c.name, a.Status, a.Body)
		}
		sent := v.all()[v.count()-1].Body
		_, after, ok := strings.Cut(sent, c.cap)
		var capped int64
		_, _ = fmt.Sscanf(after, "%d", &capped)
		quarter := (4000*token - spent) / 4 / token
		most := int64(quarter) - estimated(c.body)
		if !ok || capped > most+1 || capped < most-64 || a.Header.Get("X-Tollgate-Clamped") != strconv.FormatInt(capped, 10) {
			t.Errorf("%s: sent %s, header %q; a quarter of what is left pays for %d", c.name, sent, a.Header.Get("X-Tollgate-Clamped"), most)
		}
	}
	v.answer = says(200, "application/json", chatAnswer)
	body := `{"model":"oa-model",  "max_tokens":20,"messages":[]}`
	if a := g.send("POST", "/v1/chat/completions", body); a.Header.Get("X-Tollgate-Clamped") != "" || v.all()[v.count()-1].Body != body {
		t.Errorf("a small request was changed: %s", v.all()[v.count()-1].Body)
	}
	g.evened(t)
}

func TestNothingIsChangedWhereNoMoneyIsLimited(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v, prices: perToken})
	body := `{"model":"oa-model","max_tokens":9000000, "messages":[]}`
	if a := g.send("POST", "/v1/chat/completions", body); a.Status != 200 || v.all()[0].Body != body {
		t.Errorf("%d, sent %s", a.Status, v.all()[0].Body)
	}
	if r := g.last(1); r.Cost != 18*token || r.Dispatches[0].PriceVersion == 0 {
		t.Errorf("row %+v", r)
	}
}

// TestAChoiceOfAnswersIsHeldFor asks for several answers at once, each of
// which may use the whole cap.
func TestAChoiceOfAnswersIsHeldFor(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v, prices: perToken})
	g.budget(500 * token)
	if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","n":8,"max_tokens":100,"messages":[]}`); a.Status != 429 {
		t.Errorf("%d %s: 8 answers of 100 tokens for a budget of 500", a.Status, a.Body)
	}
	if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","n":4,"max_tokens":100,"messages":[]}`); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	g.evened(t)
}

func TestEachAttemptIsPaidForAndTheMoneyHandedOn(t *testing.T) {
	t.Parallel()
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			says(503, "application/json", `{"error":{"message":"busy"}}`)(w, r, n)
			return
		}
		exact(10)(w, r, n)
	}}
	g := start(t, options{vendor: v, prices: perToken, credentials: []string{secretA, secretB}})
	body := `{"model":"oa-model","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}`
	each := tollgate.Money(estimated(body)+10) * token
	g.budget(each) // for one: the second try must get the money of the first
	if a := g.send("POST", "/v1/chat/completions", body); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	r := g.last(1)
	if len(r.Dispatches) != 2 || r.Dispatches[0].Cost != 0 || r.Dispatches[0].ErrorClass != "status" || r.Dispatches[1].Cost != each || r.Cost != each {
		t.Errorf("row %+v", r)
	}
	if spent := g.evened(t); spent != each {
		t.Errorf("spent %s, want %s", spent, each)
	}
}

func TestAModelWithoutAPriceIsRefusedUnderAQuota(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v})
	g.Proxy.Prices = g.Book
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if r := g.last(1); r.Dispatches[0].Exactness != tollgate.ExactUnpriced {
		t.Errorf("row %+v", r)
	}
	g.budget(tollgate.Dollar)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 403 || !strings.Contains(a.Body, "has no price") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if v.count() != 1 {
		t.Errorf("%d dispatches", v.count())
	}
	g.evened(t)
}

// TestNothingIsLeftHeld hunts leaks: clients that leave at any moment,
// providers that fail in every way, streams that are cut, panics at the stages
// that can have them.
func TestNothingIsLeftHeld(t *testing.T) {
	t.Parallel()
	stage := &stages{}
	g := start(t, options{
		prices: perToken, wait: 2 * time.Second,
		ledger: func(l proxy.Ledger) proxy.Ledger { stage.Ledger = l; return stage },
	})
	g.Proxy.Prices = stagedPrices{g.Proxy.Prices, stage}
	g.Vendor.AnyModel = true
	g.Vendor.Record(false)
	g.budget(1_000_000_000 * token)
	g.limit(tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: g.User.ID, ModelPattern: "*", Concurrency: new(int64(1000))})
	n := 600
	if long() {
		n = 100_000
	}
	faults := []string{"", "[[demo:tokens=3000]]", "[[demo:status=500]]", "[[demo:cut=4]]", "[[demo:half]]", "[[demo:badjson]]", "[[demo:error]]", "[[demo:slow=2ms]]", "[[demo:nothing]]", "[[demo:nousage]]"}
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				g.hunt(int(i), faults[int(i)%len(faults)], stage)
			}
		})
	}
	wg.Wait()
	g.evened(t)
	if got := stage.met.Load(); g.Proxy.Stats().Panics == 0 || got&(1<<stageEnd-2) != 1<<stageEnd-2 {
		t.Errorf("%d panics, at the stages %b", g.Proxy.Stats().Panics, got)
	}
	t.Logf("%d requests, %d panics", n, g.Proxy.Stats().Panics)
}

// hunt sends one request that may go wrong.
func (g *gateway) hunt(i int, fault string, stage *stages) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if i%7 == 0 {
		time.AfterFunc(time.Duration(i%40)*200*time.Microsecond, cancel)
	}
	if i%50 == 0 {
		stage.next.Store(int64(1 + i/50%(stageEnd-1)))
	}
	text := `"messages":[{"role":"user","content":"` + fault + ` hello"}]`
	path, body := "/v1/chat/completions", `{"model":"oa-model","stream":true,`+text+`}`
	switch i % 5 {
	case 1:
		path, body = "/v1/messages", `{"model":"an-model","stream":true,"max_tokens":4000,`+text+`}`
	case 2:
		body = `{"model":"an-model","stream":true,` + text + `}` // translated
	case 3:
		body = `{"model":"oa-model",` + text + `}`
	case 4:
		path, body = "/v1beta/models/ge-model:streamGenerateContent", `{"contents":[{"parts":[{"text":"`+fault+` hello"}]}]}`
	}
	resp, err := g.Client.Do(g.request(ctx, "POST", path, body))
	if err != nil {
		return
	}
	defer resp.Body.Close()
	if i%11 == 0 {
		_, _ = io.CopyN(io.Discard, resp.Body, int64(i%3000))
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
}

// The stages that can panic, in the order that a call comes to them.
const (
	stageCheck = 1 + iota
	stageFree
	stageOffer
	stageBegin
	stagePrice
	stageRecord
	stageEnd
)

// stages panics once where next says.
type stages struct {
	proxy.Ledger
	next, met atomic.Int64
}

func (s *stages) at(stage int64) {
	if s.next.CompareAndSwap(stage, 0) {
		s.met.Or(1 << stage)
		panic(fmt.Sprint("stage ", stage))
	}
}

func (s *stages) Check(id tollgate.RequestID, c ledger.Chain) error {
	s.at(stageCheck)
	return s.Ledger.Check(id, c)
}

func (s *stages) Free(id tollgate.RequestID, c ledger.Chain) (tollgate.Money, bool) {
	s.at(stageFree)
	return s.Ledger.Free(id, c)
}

func (s *stages) Begin(ctx context.Context, req *tollgate.Request, d *tollgate.Dispatch, amount tollgate.Money) (*ledger.Claim, error) {
	s.at(stageBegin)
	return s.Ledger.Begin(ctx, req, d, amount)
}

func (s *stages) Record(ctx context.Context, req tollgate.Request) error {
	if len(req.Dispatches) > 0 {
		s.at(stageRecord)
	}
	return s.Ledger.Record(ctx, req)
}

// stagedPrices panics where its stages say.
type stagedPrices struct {
	proxy.Prices
	stage *stages
}

func (p stagedPrices) Find(provider int64, model string, at time.Time) (book.Entry, bool) {
	p.stage.at(stageOffer)
	return p.Prices.Find(provider, model, at)
}

func (p stagedPrices) Price(r *tollgate.Request, d *tollgate.Dispatch) {
	p.stage.at(stagePrice)
	p.Prices.Price(r, d)
}

// long reports whether the counts of the issues are asked for.
func long() bool { return os.Getenv("TOLLGATE_TEST_LONG") != "" }

// limit adds a rate limit.
func (g *gateway) limit(l tollgate.RateLimit) {
	g.tb.Helper()
	g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) error {
		return tx.RateLimits.Insert(ctx, &l)
	})
}
