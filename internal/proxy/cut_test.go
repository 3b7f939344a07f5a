package proxy_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/proxy"
)

// cutCase is a stream of 4,000 tokens, and how it ends when it is cut.
type cutCase struct {
	name, path, body string
	ends             []string
}

// long4000 asks the vendor for 4,000 tokens, about 4,650 by their bytes.
const long4000 = `[[demo:tokens=4000]] go on`

func cutCases() []cutCase {
	chat := func(model, more string) string {
		return `{"model":"` + model + `","stream":true,` + more + `"messages":[{"role":"user","content":"` + long4000 + `"}]}`
	}
	gemini := `{"contents":[{"role":"user","parts":[{"text":"` + long4000 + `"}]}]}`
	chatEnd := []string{`"finish_reason":"length"`, "data: [DONE]\n\n"}
	messagesEnd := []string{`"type":"content_block_stop","index":0`, `"stop_reason":"max_tokens"`, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"}
	responsesEnd := []string{"event: response.output_item.done", "event: response.incomplete", `"status":"incomplete"`, `"reason":"max_output_tokens"`, `"output_tokens":`}
	messages := func(model string) string { return chat(model, `"max_tokens":100000,`) }
	responses := func(model string) string { return `{"model":"` + model + `","stream":true,"input":"` + long4000 + `"}` }
	return []cutCase{
		{"chat", "/v1/chat/completions", chat("oa-model", ""), chatEnd},
		{"chat with usage", "/v1/chat/completions", chat("oa-model", `"stream_options":{"include_usage":true},`), []string{chatEnd[0], `"choices":[],"usage":{"prompt_tokens":`, chatEnd[1]}},
		{"completions", "/v1/completions", `{"model":"oa-model","stream":true,"max_tokens":100000,"prompt":"` + long4000 + `"}`, chatEnd},
		{"responses", "/v1/responses", responses("oa-model"), responsesEnd},
		{"messages", "/v1/messages", messages("an-model"), messagesEnd},
		{"gemini", "/v1beta/models/ge-model:streamGenerateContent?alt=sse", gemini, []string{`"finishReason":"MAX_TOKENS"`}},
		{"gemini array", "/v1beta/models/ge-model:streamGenerateContent", gemini, []string{`"finishReason":"MAX_TOKENS"`, "]"}},
		{"chat of anthropic", "/v1/chat/completions", chat("an-model", ""), chatEnd},
		{"responses of chat", "/v1/responses", responses("cp-model"), responsesEnd},
		{"messages of gemini", "/v1/messages", messages("ge-model"), []string{`"stop_reason":"max_tokens"`, "event: message_stop"}},
		{"gemini of responses", "/v1beta/models/rs-model:streamGenerateContent?alt=sse", gemini, []string{`"finishReason":"MAX_TOKENS"`}},
	}
}

func TestAStreamThatOutgrowsItsBalanceEndsAtItsLength(t *testing.T) {
	t.Parallel()
	for _, c := range cutCases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, options{prices: perToken, wait: time.Second})
			g.Vendor.AnyModel = true
			const limit = 2500 * token
			g.budget(limit)
			a := g.send("POST", c.path, c.body)
			if a.Status != 200 || a.Err != nil {
				t.Fatalf("%d %v %.300s", a.Status, a.Err, a.Body)
			}
			rest := a.Body
			for _, mark := range c.ends {
				_, after, ok := strings.Cut(rest, mark)
				if !ok {
					t.Fatalf("no %q in the end: …%s", mark, a.Body[max(0, len(a.Body)-1200):])
				}
				rest = after
			}
			if strings.Contains(a.Body, `"error":{`) || strings.Contains(a.Body, "event: error") {
				t.Errorf("an error: …%s", a.Body[max(0, len(a.Body)-600):])
			}
			if strings.Contains(c.name, "array") && !json.Valid([]byte(a.Body)) {
				t.Errorf("no JSON: …%s", a.Body[max(0, len(a.Body)-300):])
			}
			for line := range strings.SplitSeq(a.Body, "\n") {
				if data, ok := strings.CutPrefix(line, "data: "); ok && data != "[DONE]" && !json.Valid([]byte(data)) {
					t.Errorf("no JSON: %q", data)
				}
			}
			r := g.last(1)
			d := r.Dispatches[0]
			if r.ErrorClass != tollgate.CodeQuota || r.Status != 200 || !strings.Contains(r.ErrorText, "quota of the user") || d.Exactness != tollgate.ExactEstimated {
				t.Errorf("row %+v", r)
			}
			spent := g.evened(t)
			if spent > limit || spent < limit-1100*token || spent != r.Cost {
				t.Errorf("spent %s of %s, row %s", spent, limit, r.Cost)
			}
			if words := int64(strings.Count(a.Body, "the quick")); words == 0 && !strings.Contains(a.Body, "quick") {
				t.Errorf("nothing of the answer came: %.500s", a.Body)
			}
		})
	}
}

// TestWhatIsBilledOfACutStreamIsWhatWasMadeUpToASlice compares with the
// words that the client got, each of which is a token of the vendor.
func TestWhatIsBilledOfACutStreamIsWhatWasMadeUpToASlice(t *testing.T) {
	t.Parallel()
	g := start(t, options{prices: perToken, wait: time.Second})
	g.Vendor.AnyModel = true
	g.budget(2500 * token)
	a := g.send("POST", "/v1/chat/completions", cutCases()[0].body)
	words := int64(0)
	for line := range strings.SplitSeq(a.Body, "\n") {
		if strings.Contains(line, `"content":"`) && !strings.Contains(line, `"content":""`) {
			words++
		}
	}
	d := g.last(1).Dispatches[0]
	if off := d.Tokens.Output - words; off < -1024 || off > 1024 || words < 500 {
		t.Errorf("billed %d tokens, the client got %d", d.Tokens.Output, words)
	}
}

func TestAStreamThatFitsIsNotTouched(t *testing.T) {
	t.Parallel()
	for i, c := range cutCases() {
		if i%2 == 1 {
			continue // half of them will do
		}
		g := start(t, options{prices: perToken, wait: time.Second})
		g.Vendor.AnyModel = true
		free := g.send("POST", c.path, c.body)
		g.budget(8000 * token)
		paid := g.send("POST", c.path, c.body)
		if len(paid.Body) < len(free.Body)-200 || strings.Contains(paid.Body, "MAX_TOKENS") || strings.Contains(paid.Body, `"finish_reason":"length"`) {
			t.Errorf("%s: %d bytes, want about %d: …%s", c.name, len(paid.Body), len(free.Body), paid.Body[max(0, len(paid.Body)-300):])
		}
		r := g.last(2)
		if r.ErrorClass != "" || r.Dispatches[0].Exactness != tollgate.ExactMeasured || r.Tokens.Output != 4000 {
			t.Errorf("%s: row %+v", c.name, r)
		}
		if spent := g.evened(t); spent != r.Cost {
			t.Errorf("%s: spent %s, row %s", c.name, spent, r.Cost)
		}
	}
}

// TestAgentsThatAskForMuchAreServedUntilTheMoneyIsSpent has agents ask for
// 128,000 tokens each of one budget, in parallel.
func TestAgentsThatAskForMuchAreServedUntilTheMoneyIsSpent(t *testing.T) {
	t.Parallel()
	for _, stream := range []bool{true, false} {
		t.Run(fmt.Sprint("stream ", stream), func(t *testing.T) {
			t.Parallel()
			g := start(t, options{prices: perToken, wait: 10 * time.Second, limits: proxy.Limits{Slice: 256}})
			g.Vendor.AnyModel = true
			g.Vendor.Record(false)
			const limit = 60_000 * token // eight slices are 3.4 % of it
			g.budget(limit)
			body := fmt.Sprintf(`{"model":"oa-model","stream":%t,"max_tokens":128000,"messages":[{"role":"user","content":"[[demo:tokens=300]] go on"}]}`, stream)
			var first atomic.Int64 // what was spent at the first refusal
			var wg sync.WaitGroup
			for range 8 {
				wg.Go(func() {
					for first.Load() == 0 {
						a := g.send("POST", "/v1/chat/completions", body)
						if a.Status == 200 {
							continue
						}
						spent, _, _ := g.balance()
						first.CompareAndSwap(0, int64(spent))
						if a.Status != 429 || !strings.Contains(a.Body, "insufficient_quota") {
							t.Errorf("refused while money is merely held: %d %s", a.Status, a.Body)
						}
					}
				})
			}
			wg.Wait()
			spent := g.evened(t)
			if at := tollgate.Money(first.Load()); at < limit*95/100 || spent > limit {
				t.Errorf("spent %s at the first refusal and %s in the end, of %s", at, spent, limit)
			}
			t.Logf("spent %s at the first refusal, %s in the end, of %s", tollgate.Money(first.Load()), spent, limit)
		})
	}
}
