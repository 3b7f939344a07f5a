package proxy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"tollgate"
	"tollgate/internal/demo"
	"tollgate/internal/ir"
	"tollgate/internal/proxy"
	"tollgate/internal/upstream"
)

// asks are the same question in every dialect, for a model that the path or
// the body names.
func asks(model, more string) map[tollgate.Dialect]demoAsk {
	return map[tollgate.Dialect]demoAsk{
		tollgate.DialectOpenAIChat:      {"chat", "/v1/chat/completions", `{"model":"` + model + `"` + more + `,"messages":[{"role":"user","content":"ping"}]}`, false},
		tollgate.DialectOpenAIResponses: {"responses", "/v1/responses", `{"model":"` + model + `"` + more + `,"input":"ping"}`, false},
		tollgate.DialectAnthropic:       {"messages", "/v1/messages", `{"model":"` + model + `"` + more + `,"max_tokens":99,"messages":[{"role":"user","content":"ping"}]}`, false},
		tollgate.DialectGemini:          {"gemini", "/v1beta/models/" + model + ":generateContent", `{"contents":[{"role":"user","parts":[{"text":"ping"}]}]` + more + `}`, false},
	}
}

// foreign are the models whose provider speaks one dialect alone.
func foreign() map[tollgate.Dialect]string {
	return map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat: "cp-model", tollgate.DialectOpenAIResponses: "rs-model",
		tollgate.DialectAnthropic: "an-model", tollgate.DialectGemini: "ge-model",
	}
}

// answers are the vendors' own, whole and streamed.
func answers(d tollgate.Dialect) (whole, stream string) {
	switch d {
	case tollgate.DialectOpenAIChat:
		return chatAnswer, chatStream + chatUsage + chatDone
	case tollgate.DialectOpenAIResponses:
		return responsesAnswer, responsesWhole
	case tollgate.DialectAnthropic:
		return messagesAnswer, messagesStream + messagesStop
	case tollgate.DialectGemini:
		return geminiAnswer, geminiStream + geminiLast
	}
	return "", ""
}

// responsesWhole is a stream with all the events that the protocol has.
const responsesWhole = "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"resp_1\",\"object\":\"response\",\"status\":\"in_progress\",\"model\":\"rs-model\",\"output\":[]}}\n\n" +
	"event: response.output_item.added\ndata: {\"type\":\"response.output_item.added\",\"sequence_number\":1,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"in_progress\",\"role\":\"assistant\",\"content\":[]}}\n\n" +
	"event: response.content_part.added\ndata: {\"type\":\"response.content_part.added\",\"sequence_number\":2,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"part\":{\"type\":\"output_text\",\"text\":\"\",\"annotations\":[]}}\n\n" +
	"event: response.output_text.delta\ndata: {\"type\":\"response.output_text.delta\",\"sequence_number\":3,\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\"pong\"}\n\n" +
	"event: response.output_item.done\ndata: {\"type\":\"response.output_item.done\",\"sequence_number\":4,\"output_index\":0,\"item\":{\"id\":\"msg_1\",\"type\":\"message\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"text\":\"pong\",\"annotations\":[]}]}}\n\n" +
	"event: response.completed\ndata: {\"type\":\"response.completed\",\"sequence_number\":5,\"response\":" + responsesAnswer + "}\n\n"

// streamed turns a request into one for a stream.
func streamed(d tollgate.Dialect, a demoAsk) demoAsk {
	if d == tollgate.DialectGemini {
		a.path = strings.Replace(a.path, ":generateContent", ":streamGenerateContent?alt=sse", 1)
	} else {
		a.body = strings.Replace(a.body, `{`, `{"stream":true,`, 1)
	}
	return a
}

// TestAnswersComeInTheFormThatWasAskedFor: whatever the provider sends, whole
// or streamed, the client gets what it asked for, with the provider's numbers.
func TestAnswersComeInTheFormThatWasAskedFor(t *testing.T) {
	t.Parallel()
	want := map[tollgate.Dialect][2]string{ // what a whole and a streamed answer must hold
		tollgate.DialectOpenAIChat:      {`"object":"chat.completion"`, "data: [DONE]\n\n"},
		tollgate.DialectOpenAIResponses: {`"object":"response"`, "event: response.completed\n"},
		tollgate.DialectAnthropic:       {`"type":"message"`, "event: message_stop\n"},
		tollgate.DialectGemini:          {`"candidates"`, `"finishReason":"STOP"`},
	}
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	for back, model := range foreign() {
		for front, ask := range asks(model, "") {
			if front == back {
				continue
			}
			var tokens []tollgate.Tokens
			for _, c := range []struct{ asked, got bool }{{false, false}, {false, true}, {true, false}, {true, true}} {
				whole, stream := answers(back)
				v.answer = says(200, "application/json", whole)
				if c.got {
					v.answer = pieces(eventStream, strings.SplitAfter(stream, "\n")...)
				}
				ask := ask
				if c.asked {
					ask = streamed(front, ask)
				}
				a := g.send("POST", ask.path, ask.body)
				n++
				kind, mark := "application/json", want[front][0]
				if c.asked {
					kind, mark = eventStream, want[front][1]
				}
				if a.Status != 200 || a.Err != nil || a.Header.Get("Content-Type") != kind || !strings.Contains(a.Body, mark) || !strings.Contains(a.Body, "pong") && !strings.Contains(a.Body, `"ng"`) {
					t.Errorf("%s to %s, asked for a stream: %t, got one: %t: status %d, %v, %q\n%s", front, back, c.asked, c.got, a.Status, a.Err, a.Header, a.Body)
				}
				if !strings.Contains(a.Body, model) {
					t.Errorf("%s to %s: no model %s in %s", front, back, model, a.Body)
				}
				row := g.last(n)
				if row.Stream != c.asked || row.Status != 200 || len(row.Dispatches) != 1 || row.Dispatches[0].Exactness != tollgate.ExactMeasured || row.Tokens.Output == 0 {
					t.Errorf("%s to %s: row %+v", front, back, row)
				}
				tokens = append(tokens, row.Tokens)
			}
			if tokens[0] != tokens[2] || tokens[1] != tokens[3] {
				t.Errorf("%s to %s: tokens %+v", front, back, tokens)
			}
		}
	}
}

// TestTranslationKeepsProtocolsApart looks at headers on both sides.
func TestTranslationKeepsProtocolsApart(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", messagesAnswer, "Request-Id", "req_vendor", "Anthropic-Ratelimit-Requests-Limit", "5", "X-Ratelimit-Limit-Requests", "5")}
	g := start(t, options{vendor: v})
	a := g.send("POST", "/v1/chat/completions", asks("an-model", "")[tollgate.DialectOpenAIChat].body, "Openai-Beta", "x", "X-Stainless-Lang", "js", "X-Tollgate-Strict", "false")
	sent := v.all()[0]
	if sent.Path != "/v1/messages" || sent.Header.Get("Anthropic-Version") == "" || sent.Header.Get("X-Api-Key") != secretA || sent.Header.Get("Accept") != "application/json" {
		t.Errorf("sent %+v", sent)
	}
	for k := range sent.Header {
		if strings.HasPrefix(k, "Openai-") || strings.HasPrefix(k, "X-Stainless-") || strings.HasPrefix(k, "X-Tollgate-") || k == "Authorization" {
			t.Errorf("%s reached the vendor", k)
		}
	}
	if a.Header.Get("X-Request-Id") != a.Header.Get("X-Tollgate-Request-Id") || a.Header.Get("Request-Id") != "" {
		t.Errorf("headers %v", a.Header)
	}
	for k := range a.Header {
		if strings.Contains(k, "Ratelimit") {
			t.Errorf("%s of the vendor reached a client of another protocol", k)
		}
	}
	v.answer = says(200, "application/json", geminiAnswer)
	g.send("POST", "/v1/messages?beta=true", asks("ge-model", "")[tollgate.DialectAnthropic].body, "Anthropic-Beta", "y")
	if sent := v.all()[1]; sent.Path != "/v1beta/models/ge-model:generateContent" || sent.Query != "" || sent.Header.Get("Anthropic-Beta") != "" || sent.Header.Get("Anthropic-Version") != "" {
		t.Errorf("sent %+v", sent)
	}
}

// TestBadRequestsAreRefusedBeforeAnythingIsSent names fields as the client
// spells them.
func TestBadRequestsAreRefusedBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	g := start(t, options{})
	for _, c := range []struct{ path, body, field string }{
		{"/v1/chat/completions", `{"model":"an-model","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":5}}]}]}`, "messages[0].content[0].image_url.url"},
		{"/v1/responses", `{"model":"an-model","input":[{"role":"user","content":[{"type":"input_text","text":5}]}]}`, "input[0].content[0].text"},
		{"/v1/messages", `{"model":"ge-model","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":5}]}]}`, "messages[0].content[0].text"},
		{"/v1beta/models/an-model:generateContent", `{"contents":[{"parts":[{"text":5}]}]}`, "contents[0].parts[0].text"},
	} {
		a := g.send("POST", c.path, c.body)
		if a.Status != 400 || !strings.Contains(a.Body, c.field) {
			t.Errorf("%s: %d %s, want 400 about %s", c.body, a.Status, a.Body, c.field)
		}
	}
	if g.Vendor.Dispatches() != 0 {
		t.Error("a bad request reached the vendor")
	}
}

// TestOwnDialectComesFirst: of the providers of a model those that speak the
// caller's protocol are tried first, then those that need a translation.
func TestOwnDialectComesFirst(t *testing.T) {
	t.Parallel()
	v := &spy{}
	v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
		if strings.HasSuffix(r.URL.Path, "/messages") {
			says(500, "application/json", `{"type":"error","error":{"type":"api_error","message":"no"}}`)(w, r, n)
			return
		}
		says(200, "application/json", chatAnswer)(w, r, n)
	}
	g := start(t, options{vendor: v})
	a := g.send("POST", "/v1/messages", asks("shared-model", "")[tollgate.DialectAnthropic].body)
	var paths []string
	for _, s := range v.all() {
		paths = append(paths, s.Path)
	}
	if want := []string{"/v1/messages", "/v1/responses"}; !slices.Equal(paths, want) && !slices.Equal(paths, append(want, "/v1/chat/completions")) {
		t.Errorf("tried %v, want the caller's own protocol first: %d %s", paths, a.Status, a.Body)
	}
}

// losing is a request that Anthropic cannot carry as it is.
const losing = `{"model":"an-model","seed":7,"logit_bias":{"50256":-100},"messages":[{"role":"user","content":"ping"}]}`

func TestLossesAreShownCountedAndKept(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	counted := map[string]int{}
	log := &lines{}
	v := &spy{answer: says(200, "application/json", messagesAnswer)}
	g := start(t, options{vendor: v, log: log, shape: func(p *proxy.Proxy) {
		p.Lost = func(feature string, note bool) {
			mu.Lock()
			defer mu.Unlock()
			counted[fmt.Sprint(feature, " ", note)]++
		}
	}})
	for i, body := range []string{losing, strings.Replace(losing, "{", `{"stream":true,`, 1)} {
		want := "extras.x_unknown, logit_bias, seed" // also of the answer, if it is known in time
		if i == 1 {
			want = "logit_bias, seed"
			v.answer = pieces(eventStream, messagesStream, messagesStop)
		}
		a := g.send("POST", "/v1/chat/completions", body)
		if got := a.Header.Get("X-Tollgate-Loss"); a.Status != 200 || got != want {
			t.Errorf("status %d, x-tollgate-loss %q, want %q: %s", a.Status, got, want, a.Body)
		}
		if row := g.last(i + 1); row.Losses != want {
			t.Errorf("row losses %q", row.Losses)
		}
	}
	mu.Lock()
	if counted["seed false"] != 2 || counted["logit_bias false"] != 2 {
		t.Errorf("counted %v", counted)
	}
	mu.Unlock()
	if !strings.Contains(log.String(), `"losses":"logit_bias, seed"`) {
		t.Errorf("no losses in the log: %s", log)
	}
	// What is carried whole has none.
	v.answer = pieces(eventStream, messagesStream, messagesStop)
	if a := g.send("POST", "/v1/chat/completions", asks("an-model", "")[tollgate.DialectOpenAIChat].body); a.Header.Get("X-Tollgate-Loss") != "" {
		t.Errorf("x-tollgate-loss %q", a.Header.Get("X-Tollgate-Loss"))
	}
}

// TestLossHeaderIsBoundedWhateverTheClientSends plants names that would break
// a header, and more of them than it holds.
func TestLossHeaderIsBoundedWhateverTheClientSends(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	counted := map[string]bool{}
	v := &spy{answer: says(200, "application/json", messagesAnswer)}
	g := start(t, options{vendor: v, shape: func(p *proxy.Proxy) {
		p.Lost = func(feature string, _ bool) {
			mu.Lock()
			defer mu.Unlock()
			counted[feature] = true
		}
	}})
	members := []string{`"x, Set-Cookie: a=b":1`, `"größe":2`, `"` + strings.Repeat("long", 60) + `":3`}
	for i := range 200 {
		members = append(members, fmt.Sprintf(`"unknown_%03d":1`, i))
	}
	a := g.send("POST", "/v1/chat/completions", strings.Replace(losing, "{", "{"+strings.Join(members, ",")+",", 1))
	got := a.Header.Get("X-Tollgate-Loss")
	if a.Status != 200 || len(got) > 1024 || !strings.Contains(got, " more") || a.Header.Get("Set-Cookie") != "" {
		t.Errorf("status %d, %d bytes: %s", a.Status, len(got), got)
	}
	for _, r := range got {
		if r < ' ' || r > '~' {
			t.Fatalf("x-tollgate-loss %q", got)
		}
	}
	mu.Lock()
	defer mu.Unlock()
	if len(counted) > 5 || !counted["extras"] {
		t.Errorf("%d features are counted: %v", len(counted), counted)
	}
}

func TestStrictModeRefusesLosses(t *testing.T) {
	t.Parallel()
	refuses := func(t *testing.T, g *gateway, header ...string) {
		t.Helper()
		before := g.Vendor.Dispatches()
		a := g.send("POST", "/v1/chat/completions", losing, header...)
		if a.Status != 400 || !strings.Contains(a.Body, "seed") || !strings.Contains(a.Body, "logit_bias") || !strings.Contains(a.Body, `"translation_loss"`) {
			t.Errorf("status %d %s, want 400 that lists the losses", a.Status, a.Body)
		}
		if g.Vendor.Dispatches() != before {
			t.Error("a refused call was dispatched")
		}
		a = g.send("POST", "/v1/chat/completions", asks("an/demo-small", "")[tollgate.DialectOpenAIChat].body, header...)
		if a.Status != 200 {
			t.Errorf("a call without losses: %d %s", a.Status, a.Body)
		}
		a = g.send("POST", "/v1/chat/completions", strings.Replace(losing, "an-model", "oa/demo-small", 1), header...)
		if a.Status != 200 {
			t.Errorf("a call that passes through: %d %s", a.Status, a.Body)
		}
	}
	t.Run("by header", func(t *testing.T) {
		t.Parallel()
		g := start(t, options{vendor: nil})
		refuses(t, g, "X-Tollgate-Strict", "true")
		if a := g.send("POST", "/v1/chat/completions", strings.Replace(losing, "an-model", "an/demo-small", 1), "X-Tollgate-Strict", "false"); a.Status != 200 {
			t.Errorf("without: %d %s", a.Status, a.Body)
		}
		if a := g.send("POST", "/v1/chat/completions", losing, "X-Tollgate-Strict", "perhaps"); a.Status != 400 || !strings.Contains(a.Body, "x-tollgate-strict") {
			t.Errorf("nonsense: %d %s", a.Status, a.Body)
		}
	})
	t.Run("by the gateway", func(t *testing.T) {
		t.Parallel()
		g := start(t, options{shape: func(p *proxy.Proxy) { p.Strict = true }})
		refuses(t, g)
		refuses(t, g, "X-Tollgate-Strict", "false") // a caller can only be stricter
	})
	t.Run("by the provider", func(t *testing.T) {
		t.Parallel()
		refuses(t, start(t, options{settings: `{"strict":true}`}))
	})
}

func TestStopSequencesAreAppliedWhereTheProviderKnowsNone(t *testing.T) {
	t.Parallel()
	v := &demo.Vendor{}
	g := start(t, options{vendor: v})
	for i, stream := range []bool{false, true} {
		body := `{"model":"rs/demo-small","stop":["your request","never"],"messages":[{"role":"user","content":"ping"}]}`
		if stream {
			body = strings.Replace(body, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)
		}
		a := g.send("POST", "/v1/chat/completions", body)
		if a.Status != 200 || a.Err != nil || !strings.Contains(a.Body, `"finish_reason":"stop"`) || strings.Contains(a.Body, `your request went`) || strings.Contains(a.Body, "way:") || !strings.Contains(a.Body, "think") {
			t.Errorf("status %d, %v: %s", a.Status, a.Err, a.Body)
		}
		if row := g.last(i + 1); row.Losses != "" || row.Dispatches[0].Exactness != tollgate.ExactMeasured || row.Tokens.Output < 25 {
			t.Errorf("row %+v", row) // the vendor's numbers, for what it has generated
		}
	}
}

func TestUsageIsNotAskedForWhereTheProviderDoesNotKnowHow(t *testing.T) {
	t.Parallel()
	for settings, asked := range map[string]bool{`{"include_usage":false}`: false, "": true} {
		v := &spy{answer: pieces(eventStream, chatStream, chatDone)}
		g := start(t, options{vendor: v, settings: settings})
		a := g.send("POST", "/v1/messages", streamed(tollgate.DialectAnthropic, asks("cp-model", "")[tollgate.DialectAnthropic]).body)
		if a.Status != 200 || a.Err != nil || strings.Contains(v.all()[0].Body, "include_usage") != asked {
			t.Errorf("%q: status %d, sent %s", settings, a.Status, v.all()[0].Body)
		}
		if row := g.last(1); row.Dispatches[0].Exactness != tollgate.ExactEstimated {
			t.Errorf("row %+v", row)
		}
	}
}

// TestSeveralChoicesAtOnce are asked for where the dialect has them, else refused.
func TestSeveralChoicesAtOnce(t *testing.T) {
	t.Parallel()
	two := strings.Replace(geminiAnswer, `"candidates":[`, `"candidates":[{"content":{"parts":[{"text":"ping"}],"role":"model"},"finishReason":"STOP","index":1},`, 1)
	v := &spy{answer: says(200, "application/json", two)}
	g := start(t, options{vendor: v})
	a := g.send("POST", "/v1/chat/completions", asks("ge-model", `,"n":2`)[tollgate.DialectOpenAIChat].body)
	if a.Status != 200 || !strings.Contains(strings.ReplaceAll(v.all()[0].Body, " ", ""), `"candidateCount":2`) || strings.Count(a.Body, `"finish_reason"`) != 2 {
		t.Errorf("status %d, sent %s, got %s", a.Status, v.all()[0].Body, a.Body)
	}
	for _, model := range []string{"an-model", "rs-model"} {
		a := g.send("POST", "/v1/chat/completions", asks(model, `,"n":2`)[tollgate.DialectOpenAIChat].body)
		if a.Status != 400 || !strings.Contains(a.Body, `"param":"n"`) {
			t.Errorf("%s: status %d %s", model, a.Status, a.Body)
		}
	}
	if v.count() != 1 {
		t.Error("a refused call was dispatched")
	}
}

func TestOutputLimitOfTheModelIsTheDefaultWhereOneIsDemanded(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", messagesAnswer)}
	g := start(t, options{vendor: v})
	g.update(func(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
		_, err := g.Catalog.SaveModel(ctx, tx, by, upstream.ModelWrite{ProviderID: g.ids["an"], ModelID: tollgate.Some("limited"), OutputTokens: tollgate.Some(int64(1234))})
		return err
	})
	for i, c := range []struct{ more, want string }{{"", `"max_tokens":1234`}, {`,"max_completion_tokens":9`, `"max_tokens":9`}} {
		a := g.send("POST", "/v1/chat/completions", asks("limited", c.more)[tollgate.DialectOpenAIChat].body)
		if sent := v.all()[i].Body; a.Status != 200 || !strings.Contains(strings.ReplaceAll(sent, " ", ""), c.want) {
			t.Errorf("status %d, sent %s, want %s", a.Status, sent, c.want)
		}
	}
}

// files is a web in memory.
type files map[string]string

func (f files) Fetch(_ context.Context, url string) (string, []byte, error) {
	if data, ok := f[url]; ok {
		return "image/png", []byte(data), nil
	}
	return "", nil, tollgate.Errorf(tollgate.CodeInvalid, "the file could not be fetched")
}

func TestFilesAreFetchedForProvidersThatCannotIfTheOperatorAllows(t *testing.T) {
	t.Parallel()
	ask := func(url string) string {
		return `{"model":"ge-model","messages":[{"role":"user","content":[{"type":"text","text":"look"},{"type":"image_url","image_url":{"url":"` + url + `"}}]}]}`
	}
	v := &spy{answer: says(200, "application/json", geminiAnswer)}
	g := start(t, options{vendor: v, shape: func(p *proxy.Proxy) { p.Files = files{"https://example.com/a.png": "pixels"} }})
	a := g.send("POST", "/v1/chat/completions", ask("https://example.com/a.png"))
	if a.Status != 200 || v.count() != 1 || !strings.Contains(v.all()[0].Body, `"cGl4ZWxz"`) || strings.Contains(v.all()[0].Body, "example.com") {
		t.Errorf("status %d %s, sent %+v", a.Status, a.Body, v.all())
	}
	if a := g.send("POST", "/v1/chat/completions", ask("https://example.com/b.png")); a.Status != 400 || v.count() != 1 || !strings.Contains(a.Body, "could not be fetched") {
		t.Errorf("status %d %s", a.Status, a.Body)
	}
	off := start(t, options{vendor: v})
	if a := off.send("POST", "/v1/chat/completions", ask("https://example.com/a.png")); a.Status == 200 && !strings.Contains(a.Header.Get("X-Tollgate-Loss"), "items") {
		t.Errorf("status %d %s: neither refused nor lost", a.Status, a.Body)
	}
}

// ten counts every request as ten tokens.
type ten struct{}

func (ten) Count(*ir.Request) (int64, error) { return 10, nil }

func TestCountsAreTheProvidersOrAnEstimate(t *testing.T) {
	t.Parallel()
	v := &demo.Vendor{}
	vendor := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "missing") {
			http.NotFound(w, r)
			return
		}
		v.ServeHTTP(w, r)
	})
	g := start(t, options{vendor: vendor, shape: func(p *proxy.Proxy) { p.Tokens = ten{} }})
	messages := `{"model":"%s","messages":[{"role":"user","content":"one two three"}]}`
	n := 0
	for _, c := range []struct {
		path, body, how, want string
		dispatched            int
	}{
		{"/v1/messages/count_tokens", fmt.Sprintf(messages, "an/demo-small"), "provider", `"input_tokens":3`, 1},
		{"/v1/messages/count_tokens", fmt.Sprintf(messages, "rs/demo-small"), "provider", `"input_tokens":3`, 1},
		{"/v1/messages/count_tokens", fmt.Sprintf(messages, "ge/demo-small"), "provider", `"input_tokens":3`, 1},
		{"/v1/messages/count_tokens", fmt.Sprintf(messages, "cp/demo-small"), "estimated", `"input_tokens":10`, 0},
		{"/v1/messages/count_tokens", fmt.Sprintf(messages, "ge/missing"), "estimated", `"input_tokens":10`, 1},
		{"/v1/responses/input_tokens", `{"model":"an/demo-small","input":"one two three"}`, "provider", `"input_tokens":3`, 1},
		{"/v1/responses/input_tokens", `{"model":"cp/demo-small","input":"one two three"}`, "estimated", `"input_tokens":10`, 0},
		{"/an/v1beta/models/demo-small:countTokens", `{"contents":[{"parts":[{"text":"one two three"}]}]}`, "provider", `"totalTokens":3`, 1},
		{"/cp/v1beta/models/demo-small:countTokens", `{"contents":[{"parts":[{"text":"one two three"}]}]}`, "estimated", `"totalTokens":10`, 0},
	} {
		a := g.send("POST", c.path, c.body)
		n++
		if a.Status != 200 || a.Header.Get("X-Tollgate-Count") != c.how || !strings.Contains(strings.ReplaceAll(a.Body, " ", ""), c.want) {
			t.Errorf("%s %s: %d %q %s, want %s %s", c.path, c.body, a.Status, a.Header.Get("X-Tollgate-Count"), a.Body, c.how, c.want)
		}
		if row := g.last(n); len(row.Dispatches) != c.dispatched || row.Tokens != (tollgate.Tokens{}) || row.ProviderID == 0 || row.Status != 200 {
			t.Errorf("%s: row %+v", c.body, row)
		}
	}
}

func TestEmbeddingsCrossBetweenOpenAIAndGemini(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &demo.Vendor{}})
	vector := func(a answer, path ...any) []any {
		var v any
		must(t, json.Unmarshal([]byte(a.Body), &v))
		for _, p := range path {
			switch p := p.(type) {
			case string:
				m, _ := v.(map[string]any)
				v = m[p]
			case int:
				l, _ := v.([]any)
				if p >= len(l) {
					t.Fatalf("%s", a.Body)
				}
				v = l[p]
			}
		}
		l, _ := v.([]any)
		return l
	}
	native := vector(g.send("POST", "/oa/v1/embeddings", `{"model":"demo-embed","input":["hello","world"]}`), "data", 1, "embedding")
	for _, c := range []struct {
		path, body string
		at         []any
	}{
		{"/ge/v1/embeddings", `{"model":"demo-embed","input":["hello","world"]}`, []any{"data", 1, "embedding"}},
		{"/ge/v1/embeddings", `{"model":"demo-embed","input":"world"}`, []any{"data", 0, "embedding"}},
		{"/oa/v1beta/models/demo-embed:embedContent", `{"content":{"parts":[{"text":"world"}]}}`, []any{"embedding", "values"}},
		{"/oa/v1beta/models/demo-embed:batchEmbedContents", `{"requests":[{"model":"models/demo-embed","content":{"parts":[{"text":"hello"}]}},{"model":"models/demo-embed","content":{"parts":[{"text":"world"}]}}]}`, []any{"embeddings", 1, "values"}},
	} {
		a := g.send("POST", c.path, c.body)
		if got := vector(a, c.at...); a.Status != 200 || len(got) == 0 || !slices.Equal(got, native) {
			t.Errorf("%s: %d %s", c.path, a.Status, a.Body)
		}
	}
	for _, row := range g.rows(5) {
		if row.Tokens.Input == 0 || row.Status != 200 {
			t.Errorf("row %+v", row)
		}
	}
}
