package proxy_test

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/upstream"
)

// streamCase is a streamed answer of one dialect: what the vendor sends, what
// the client must get when nothing has to be changed, and what it costs.
type streamCase struct {
	name, path, body string
	kind             string
	head, last       string // last completes the answer
	tokens           tollgate.Tokens
	errorMark        string // how an error event of the dialect looks
}

const eventStream = "text/event-stream; charset=utf-8"

func streams() []streamCase {
	return []streamCase{
		{"chat", "/v1/chat/completions", `{"model":"oa-model","stream":true,"stream_options":{"include_usage":true},"messages":[]}`, eventStream, chatStream + chatUsage, chatDone, tollgate.Tokens{Input: 8, CacheRead: 3, Output: 7}, `data: {"error"`},
		{"responses", "/v1/responses", `{"model":"oa-model","stream":true,"input":"hi"}`, eventStream, responsesStream, responsesDone, tollgate.Tokens{Input: 7, CacheRead: 2, Output: 5, Reasoning: 1}, "event: response.failed"},
		{"messages", "/v1/messages", `{"model":"an-model","stream":true,"max_tokens":5,"messages":[]}`, eventStream, messagesStream, messagesStop, tollgate.Tokens{Input: 12, CacheRead: 8, CacheWrite: 4, Output: 6}, "event: error"},
		{"gemini", "/v1beta/models/ge-model:streamGenerateContent?alt=sse", `{"contents":[]}`, eventStream, geminiStream, geminiLast, tollgate.Tokens{Input: 10, Output: 7, Reasoning: 3}, `data: {"error"`},
		{"gemini array", "/v1beta/models/ge-model:streamGenerateContent", `{"contents":[]}`, "application/json; charset=UTF-8", geminiArrayOpen, geminiArrayLast + geminiArrayEnd, tollgate.Tokens{Input: 10, Output: 7, Reasoning: 3}, `{"error"`},
	}
}

func TestStreamsPassByteForByteHoweverTheyAreCut(t *testing.T) {
	t.Parallel()
	for _, c := range streams() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &spy{}
			g := start(t, options{vendor: v})
			whole := c.head + c.last
			rng := rand.New(rand.NewPCG(1, 2))
			cuts := [][]string{{whole}, strings.SplitAfter(whole, ""), strings.SplitAfter(whole, "\n")}
			for range 4 {
				var parts []string
				for rest := whole; rest != ""; {
					n := min(1+rng.IntN(90), len(rest))
					parts, rest = append(parts, rest[:n]), rest[n:]
				}
				cuts = append(cuts, parts)
			}
			for i, parts := range cuts {
				v.answer = pieces(c.kind, parts...)
				a := g.send("POST", c.path, c.body)
				if a.Err != nil || a.Status != 200 || a.Body != whole {
					t.Fatalf("cut %d: %v, status %d, got\n%q, want\n%q", i, a.Err, a.Status, a.Body, whole)
				}
				if kind := a.Header.Get("Content-Type"); kind != c.kind {
					t.Errorf("content type %q", kind)
				}
				row := g.last(i + 1)
				if len(row.Dispatches) != 1 || row.Dispatches[0].Tokens != c.tokens || row.Dispatches[0].Exactness != tollgate.ExactMeasured || !row.Stream {
					t.Fatalf("cut %d: row %+v", i, row)
				}
				if row.FirstToken <= 0 || row.Tokens != c.tokens {
					t.Errorf("cut %d: first token %v, tokens %+v", i, row.FirstToken, row.Tokens)
				}
			}
		})
	}
}

// TestUsageIsDurableBeforeTheTerminator holds the vendor's stream open behind
// its terminator: the row must be there although the stream has not ended.
func TestUsageIsDurableBeforeTheTerminator(t *testing.T) {
	t.Parallel()
	for _, c := range streams()[:3] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			hold := make(chan struct{})
			v := &spy{}
			v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
				pieces(c.kind, c.head, c.last)(w, r, n)
				<-hold
			}
			g := start(t, options{vendor: v})
			resp, err := g.Client.Do(g.request(t.Context(), "POST", c.path, c.body))
			must(t, err)
			defer resp.Body.Close()
			want := c.head + c.last
			buf := make([]byte, len(want))
			for n := 0; n < len(want); {
				m, err := resp.Body.Read(buf[n:])
				must(t, err)
				n += m
			}
			must(t, g.Store.View(t.Context(), func(tx tollgate.Tx) error {
				rows, _, err := tx.Usage.Requests(t.Context(), tollgate.RequestFilter{}, tollgate.Page{})
				if err == nil && len(rows) != 1 {
					t.Errorf("%d rows when the client has read the terminator, want 1", len(rows))
				}
				return err
			}))
			close(hold)
		})
	}
}

func TestUsageChunkIsAskedForAndTakenOutAgain(t *testing.T) {
	t.Parallel()
	v := &spy{answer: pieces(eventStream, chatStream+chatUsage+chatDone)}
	g := start(t, options{vendor: v})
	for i, c := range []struct{ body, sent, got string }{
		{
			`{"model":"oa-model","stream":true,"messages":[]}`,
			"", chatStream + chatDone,
		},
		{
			`{"stream":true,"stream_options":{"include_usage":true},"model":"oa-model","messages":[]}`,
			`{"stream":true,"stream_options":{"include_usage":true},"model":"oa-model","messages":[]}`, chatStream + chatUsage + chatDone,
		},
		{`{"model":"oa-model","stream":true,"stream_options":{"include_usage":false,"x":1},"messages":[]}`, "", chatStream + chatDone},
	} {
		a := g.send("POST", "/v1/chat/completions", c.body)
		if a.Body != c.got {
			t.Errorf("%d: client got\n%s, want\n%s", i, a.Body, c.got)
		}
		sent := v.all()[i].Body
		if c.sent != "" && sent != c.sent {
			t.Errorf("%d: vendor got %s", i, sent)
		}
		if !strings.Contains(strings.ReplaceAll(sent, " ", ""), `"include_usage":true`) {
			t.Errorf("%d: usage was not asked for: %s", i, sent)
		}
		if row := g.last(i + 1); row.Tokens.Output != 7 {
			t.Errorf("%d: usage lost: %+v", i, row)
		}
	}
}

func TestIncludeUsageCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	v := &spy{answer: pieces(eventStream, chatStream+chatDone)}
	g := start(t, options{vendor: v, settings: `{"include_usage":false}`})
	body := `{"model":"oa-model","stream":true,"messages":[]}`
	if a := g.send("POST", "/v1/chat/completions", body); a.Body != chatStream+chatDone || v.all()[0].Body != body {
		t.Errorf("vendor got %s, client %s", v.all()[0].Body, a.Body)
	}
	if d := g.last(1).Dispatches[0]; d.Exactness != tollgate.ExactEstimated || d.Tokens.Output == 0 {
		t.Errorf("without numbers the row must be an estimate: %+v", d)
	}
}

func TestStreamedModelNameIsTheOneThatWasAskedFor(t *testing.T) {
	t.Parallel()
	v := &spy{answer: pieces(eventStream, chatStream+chatUsage+chatDone)}
	g := start(t, options{vendor: v})
	a := g.send("POST", "/v1/chat/completions", `{"model":"fast","stream":true,"stream_options":{"include_usage":true},"messages":[]}`)
	if want := strings.ReplaceAll(chatStream+chatUsage+chatDone, `"model":"oa-model"`, `"model":"fast"`); a.Body != want {
		t.Errorf("got\n%s, want\n%s", a.Body, want)
	}
}

// TestTruncatedStreamIsNeverACleanEnd cuts each dialect's stream in the ways a
// stream can end too early.
func TestTruncatedStreamIsNeverACleanEnd(t *testing.T) {
	t.Parallel()
	for _, c := range streams() {
		for _, end := range []struct {
			name, class string
			answer      func(http.ResponseWriter, *http.Request, int)
		}{
			{"clean end of file", "cut", pieces(c.kind, c.head)},
			{"half an event", "cut", pieces(c.kind, c.head, c.last[:len(c.last)/3])},
			{"connection cut", "cut", func(w http.ResponseWriter, r *http.Request, n int) {
				pieces(c.kind, c.head)(w, r, n)
				panic(http.ErrAbortHandler)
			}},
			{"silence", "timeout", func(w http.ResponseWriter, r *http.Request, n int) {
				pieces(c.kind, c.head)(w, r, n)
				<-r.Context().Done()
			}},
		} {
			t.Run(c.name+"/"+end.name, func(t *testing.T) {
				t.Parallel()
				timeouts := upstream.DefaultTimeouts()
				timeouts.Idle = 200 * time.Millisecond
				g := start(t, options{vendor: &spy{answer: end.answer}, timeouts: timeouts})
				a := g.send("POST", c.path, c.body)
				if a.Err == nil {
					t.Error("the answer ended as if it were whole")
				}
				if !strings.HasPrefix(a.Body, c.head[:len(c.head)/2]) || !strings.Contains(a.Body, c.errorMark) {
					t.Errorf("no error event in %q", a.Body)
				}
				row := g.last(1)
				d := row.Dispatches[0]
				if d.ErrorClass != end.class || d.Exactness != tollgate.ExactEstimated || row.ErrorClass == "" || row.Status != 200 {
					t.Errorf("row %+v, dispatch %+v", row, d)
				}
				if d.Tokens.Input == 0 || d.Tokens.Output == 0 {
					t.Errorf("what was seen is not accounted for: %+v", d.Tokens)
				}
			})
		}
	}
}

func TestProvidersErrorEventIsPassedOnAndThenCut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, path, body, head, event string }{
		{"chat", "/v1/chat/completions", `{"model":"oa-model","stream":true,"messages":[]}`, chatStream, "data: {\"error\":{\"message\":\"overloaded, key " + secretA + "\",\"type\":\"server_error\"}}\n\n"},
		{"messages", "/v1/messages", `{"model":"an-model","stream":true,"messages":[]}`, messagesStream, "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"},
		{"responses", "/v1/responses", `{"model":"oa-model","stream":true,"input":""}`, responsesStream, "event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"x\",\"sequence_number\":3}\n\nevent: response.failed\ndata: {\"type\":\"response.failed\",\"response\":{\"id\":\"resp_1\",\"status\":\"failed\"}}\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, options{vendor: &spy{answer: pieces(eventStream, c.head, c.event)}})
			a := g.send("POST", c.path, c.body)
			want := strings.ReplaceAll(c.head+c.event, secretA, "[redacted]")
			if a.Err == nil || a.Body != want {
				t.Errorf("L-03: err %v, body\n%s, want\n%s and a cut", a.Err, a.Body, want)
			}
			if row := g.last(1); row.ErrorClass != tollgate.CodeUpstream || row.Dispatches[0].ErrorClass != "status" || row.Dispatches[0].Exactness != tollgate.ExactEstimated {
				t.Errorf("row %+v", row)
			}
		})
	}
}

func TestStreamThatNeverBeginsIsAnOrdinaryError(t *testing.T) {
	t.Parallel()
	timeouts := upstream.DefaultTimeouts()
	timeouts.Header = 200 * time.Millisecond
	for _, c := range []struct {
		name   string
		status int
		answer func(http.ResponseWriter, *http.Request, int)
	}{
		{"empty", 502, pieces(eventStream)},
		{"half an event only", 502, pieces(eventStream, "data: {\"id\"")},
		{"cut", 502, func(w http.ResponseWriter, _ *http.Request, _ int) {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}},
		{"silence after headers", 504, func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(eventStream, "")(w, r, n)
			<-r.Context().Done()
		}},
		{"silence", 504, func(_ http.ResponseWriter, r *http.Request, _ int) { <-r.Context().Done() }},
		{"endless line", 502, func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(eventStream, "data: "+strings.Repeat("x", 5<<20))(w, r, n)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			g := start(t, options{vendor: &spy{answer: c.answer}, timeouts: timeouts})
			a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","stream":true,"messages":[]}`)
			if a.Status != c.status || !strings.Contains(a.Body, `"error"`) || a.Err != nil {
				t.Errorf("status %d, body %s, %v; want a plain %d", a.Status, a.Body, a.Err, c.status)
			}
			if row := g.last(1); row.Status != c.status || len(row.Dispatches) != 1 {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// TestContentTypeDecides: a JSON answer to a streamed request, and a stream
// for a request that asked for none, are relayed as what they are.
func TestContentTypeDecides(t *testing.T) {
	t.Parallel()
	v := &spy{answer: says(200, "application/json", chatAnswer)}
	g := start(t, options{vendor: v})
	if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","stream":true,"messages":[]}`); a.Status != 200 || a.Body != chatAnswer {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	v.answer = pieces(eventStream, chatStream+chatUsage+chatDone)
	if a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","messages":[]}`); a.Status != 200 || a.Body != chatStream+chatUsage+chatDone {
		t.Errorf("%d %s", a.Status, a.Body)
	}
	for _, r := range g.rows(2) {
		if r.Tokens.Output != 7 {
			t.Errorf("usage lost: %+v", r)
		}
	}
}

// TestUnterminatedTerminatorCounts: some back ends end a stream without the
// blank line behind its last event.
func TestUnterminatedTerminatorCounts(t *testing.T) {
	t.Parallel()
	g := start(t, options{vendor: &spy{answer: pieces(eventStream, chatStream+chatUsage+"data: [DONE]")}})
	a := g.send("POST", "/v1/chat/completions", `{"model":"oa-model","stream":true,"stream_options":{"include_usage":true},"messages":[]}`)
	if a.Err != nil || !strings.HasPrefix(a.Body, chatStream+chatUsage+"data: [DONE]") {
		t.Errorf("%v %q", a.Err, a.Body)
	}
	if row := g.last(1); row.ErrorClass != "" || row.Tokens.Output != 7 {
		t.Errorf("row %+v", row)
	}
}

// TestWhatFollowsTheTerminatorHarmsNobody: a vendor that keeps the connection
// open, or sends garbage, behind a complete answer.
func TestWhatFollowsTheTerminatorHarmsNobody(t *testing.T) {
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	whole := messagesStream + messagesStop
	for i, tail := range []func(http.ResponseWriter, *http.Request){
		func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte("data: " + strings.Repeat("x", 5<<20)))
		},
	} {
		v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(eventStream, whole)(w, r, n)
			tail(w, r)
		}
		a := g.send("POST", "/v1/messages", `{"model":"an-model","stream":true,"messages":[]}`)
		if a.Err != nil || a.Body != whole {
			t.Errorf("%d: %v %q", i, a.Err, a.Body)
		}
		if row := g.last(i + 1); row.ErrorClass != "" || row.Tokens.Output != 6 {
			t.Errorf("%d: row %+v", i, row)
		}
	}
}
