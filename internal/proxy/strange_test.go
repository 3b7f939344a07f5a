package proxy_test

import (
	"strings"
	"testing"

	"tollgate"
)

// TestStrangeUsageLeavesBalancesExact lets a provider report usage that no
// provider can mean: the row says what it is worth, and the quota has what the
// row costs, to the nano-dollar.
func TestStrangeUsageLeavesBalancesExact(t *testing.T) {
	t.Parallel()
	answer := func(usage string) string {
		return `{"id":"c","object":"chat.completion","model":"oa-model","choices":[{"index":0,"message":{"role":"assistant","content":"pong"},"finish_reason":"stop"}]` + usage + `}`
	}
	for name, c := range map[string]struct {
		usage   string
		exact   tollgate.Exactness
		cost    tollgate.Money // 0 = not said
		overrun bool
	}{
		"none":          {"", tollgate.ExactEstimated, 0, false},
		"null":          {`,"usage":null`, tollgate.ExactEstimated, 0, false},
		"negative":      {`,"usage":{"prompt_tokens":-5,"completion_tokens":-9}`, tollgate.ExactEstimated, 0, false},
		"half negative": {`,"usage":{"prompt_tokens":-5,"completion_tokens":7}`, tollgate.ExactMeasured, 7 * token, false},
		"10^18":         {`,"usage":{"prompt_tokens":1000000000000000000,"completion_tokens":1000000000000000000}`, tollgate.ExactEstimated, tollgate.MaxCost, true},
		"fractions":     {`,"usage":{"prompt_tokens":2.9,"completion_tokens":3.9}`, tollgate.ExactMeasured, 5 * token, false},
		"twice":         {`,"usage":{"prompt_tokens":3,"completion_tokens":4},"usage":{"prompt_tokens":3,"completion_tokens":4}`, tollgate.ExactMeasured, 7 * token, false},
		"over the cap":  {`,"usage":{"prompt_tokens":3,"completion_tokens":5000}`, tollgate.ExactMeasured, 5003 * token, true},
		"more cached":   {`,"usage":{"prompt_tokens":3,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":99}}`, tollgate.ExactMeasured, 7 * token, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, options{vendor: &spy{answer: says(200, "application/json", answer(c.usage))}, prices: perToken})
			g.budget(tollgate.MaxMoney)
			if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","max_tokens":10,"messages":[{"role":"user","content":"`+strings.Repeat("hi ", 20)+`"}]}`); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			spent := g.evened(t)
			d := g.last(1).Dispatches[0]
			if d.Exactness != c.exact || c.cost != 0 && d.Cost != c.cost || d.Cost <= 0 || (d.Overrun > 0) != c.overrun || spent != d.Cost {
				t.Errorf("%s, cost %s, overrun %s, spent %s", d.Exactness, d.Cost, d.Overrun, spent)
			}
		})
	}
}

// TestUsageInTwoEventsIsBilledOnce streams an answer whose usage comes twice.
func TestUsageInTwoEventsIsBilledOnce(t *testing.T) {
	t.Parallel()
	const chunk = `data: {"id":"c","object":"chat.completion.chunk","model":"oa-model","choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}` + "\n\n"
	g := start(t, options{prices: perToken, vendor: &spy{answer: pieces("text/event-stream",
		`data: {"id":"c","object":"chat.completion.chunk","model":"oa-model","choices":[{"index":0,"delta":{"content":"pong"},"finish_reason":"stop"}]}`+"\n\n",
		chunk, chunk, "data: [DONE]\n\n")}})
	g.budget(tollgate.MaxMoney)
	if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","stream":true,"messages":[{"role":"user","content":"hi"}]}`); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	if spent := g.evened(t); spent != 7*token {
		t.Errorf("spent %s, want %s", spent, 7*token)
	}
}
