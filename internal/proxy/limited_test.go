package proxy_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
)

func TestRateLimitsRefuseInEachProtocol(t *testing.T) {
	t.Parallel()
	for _, c := range dialects() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
				answer := chatAnswer
				switch c.name {
				case "responses":
					answer = responsesAnswer
				case "completions":
					answer = completionAnswer
				case "messages":
					answer = messagesAnswer
				case "gemini":
					answer = geminiAnswer
				}
				says(200, "application/json", answer, "X-Ratelimit-Remaining-Requests", "4711", "Anthropic-Ratelimit-Requests-Remaining", "4711")(w, r, n)
			}}
			g := start(t, options{vendor: v})
			g.limit(tollgate.RateLimit{Scope: tollgate.ScopeKey, ScopeID: g.KeyID, ModelPattern: "*", RPM: new(int64(2)), TotalTokens: new(int64(100_000))})
			requests, tokens := "X-Ratelimit-Remaining-Requests", "X-Ratelimit-Remaining-Tokens"
			if c.name == "messages" {
				requests, tokens = "Anthropic-Ratelimit-Requests-Remaining", "Anthropic-Ratelimit-Tokens-Remaining"
			}
			for _, left := range []string{"1", "0"} {
				a := g.send("POST", c.path, c.body)
				if a.Status != 200 {
					t.Fatalf("%d %s", a.Status, a.Body)
				}
				if c.name != "gemini" && (a.Header.Get(requests) != left || a.Header.Get(tokens) == "") {
					t.Errorf("%s %q, want %s; tokens %q", requests, a.Header.Get(requests), left, a.Header.Get(tokens))
				}
			}
			a := g.send("POST", c.path, c.body)
			if a.Status != 429 || a.Header.Get("X-Should-Retry") == "false" || !strings.Contains(a.Body, "limit of 2 requests per minute") {
				t.Errorf("%d %v %s", a.Status, a.Header, a.Body)
			}
			if wait := a.Header.Get("Retry-After"); wait != "60" && wait != "61" && wait != "59" {
				t.Errorf("retry-after %q", wait)
			}
			if c.name != "gemini" && a.Header.Get(requests) != "0" {
				t.Errorf("%s %q", requests, a.Header.Get(requests))
			}
			if v.count() != 2 {
				t.Errorf("%d dispatches", v.count())
			}
			g.evened(t)
		})
	}
}

func TestTokensAreCorrectedByWhatWasUsed(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", strings.Replace(chatAnswer, `"completion_tokens":7`, `"completion_tokens":989`, 1))}
	g := start(t, options{vendor: v})
	g.limit(tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: g.User.ID, ModelPattern: "oa-*", TotalTokens: new(int64(1000))})
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 200 {
		t.Fatalf("%d %s", a.Status, a.Body)
	}
	settled(t, g)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 429 || !strings.Contains(a.Body, `"type":"tokens"`) {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	if a := g.send("POST", "/v1/chat/completions", strings.Replace(askChat, "oa-model", "cp-model", 1)); a.Status != 200 {
		t.Errorf("a model that is not limited: %d %s", a.Status, a.Body)
	}
}

func TestASpentQuotaComesBeforeARateLimit(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: says(500, "", "")}, prices: perToken})
	g.limit(tollgate.RateLimit{Scope: tollgate.ScopeInstance, ModelPattern: "*", RPM: new(int64(0))})
	g.budget(0)
	if a := g.send("POST", "/v1/messages", dialects()[3].body); a.Status != 402 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestSlotsAreGivenBack(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
		if n == 1 {
			<-hold
		}
		says(200, "application/json", chatAnswer)(w, r, n)
	}}
	g := start(t, options{vendor: v})
	g.limit(tollgate.RateLimit{Scope: tollgate.ScopeUser, ScopeID: g.User.ID, ModelPattern: "*", Concurrency: new(int64(1))})
	done := make(chan struct{})
	go func() { g.send("POST", "/v1/chat/completions", askChat); close(done) }()
	for v.count() == 0 {
		time.Sleep(time.Millisecond)
	}
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 429 || !strings.Contains(a.Body, "requests at once") {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	close(hold)
	<-done
	settled(t, g)
	if a := g.send("POST", "/v1/chat/completions", askChat); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	g.evened(t)
}
