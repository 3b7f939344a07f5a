package proxy_test

import (
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/proxy"
	"tollgate/internal/upstream"
)

// errorMarks are how an error ends a stream in each dialect.
func errorMarks() map[tollgate.Dialect]string {
	return map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat: `data: {"error"`, tollgate.DialectOpenAIResponses: "event: response.failed",
		tollgate.DialectAnthropic: "event: error", tollgate.DialectGemini: `{"error"`,
	}
}

// terminators are what no stream may end with that broke.
func terminators() map[tollgate.Dialect]string {
	return map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat: "[DONE]", tollgate.DialectOpenAIResponses: "event: response.completed",
		tollgate.DialectAnthropic: "event: message_stop", tollgate.DialectGemini: `"finishReason"`,
	}
}

// eachForeign calls fn for every client dialect and every provider of another.
func eachForeign(t *testing.T, fn func(t *testing.T, front, back tollgate.Dialect, ask demoAsk)) {
	t.Helper()
	for back, model := range foreign() {
		for front, ask := range asks(model, "") {
			if front != back {
				t.Run(string(front)+" to "+string(back), func(t *testing.T) { fn(t, front, back, streamed(front, ask)) })
			}
		}
	}
}

// TestTranslatedStreamsAreTheSameHoweverTheyAreCut cuts the vendor's bytes at
// every line, at every byte, and not at all.
func TestTranslatedStreamsAreTheSameHoweverTheyAreCut(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		_, stream := answers(back)
		rng := rand.New(rand.NewPCG(3, 4))
		var random []string
		for rest := stream; rest != ""; {
			k := min(1+rng.IntN(60), len(rest))
			random, rest = append(random, rest[:k]), rest[k:]
		}
		first := ""
		for _, parts := range [][]string{{stream}, strings.SplitAfter(stream, "\n"), strings.SplitAfter(stream, ""), random} {
			v.answer = pieces(eventStream, parts...)
			a := g.send("POST", ask.path, ask.body)
			n++
			// Where the vendor gave no id the answer's is made of the request's.
			got := strings.ReplaceAll(a.Body, strings.TrimPrefix(a.Header.Get("X-Tollgate-Request-Id"), "req_"), "ID")
			for _, field := range []string{`"created":`, `"created_at":`, `"completed_at":`} {
				got = withoutNumber(got, field)
			}
			if first == "" {
				first = got
			}
			if a.Status != 200 || a.Err != nil || got != first || !strings.Contains(got, terminators()[front]) {
				t.Fatalf("status %d, %v, got\n%s\nwant\n%s", a.Status, a.Err, got, first)
			}
			if row := g.last(n); row.FirstToken <= 0 || row.Tokens.Output == 0 {
				t.Errorf("row %+v", row)
			}
		}
	})
}

// unfinished is where the end of a stream begins, content being before it.
func unfinished(back tollgate.Dialect, stream string) int {
	last := strings.LastIndex(stream, "data: ")
	if back == tollgate.DialectGemini {
		return last
	}
	return strings.LastIndex(stream[:strings.LastIndex(stream[:last], "\n\n")+1], "\n\n") + 2
}

// withoutNumber takes the numbers behind a field out of s.
func withoutNumber(s, field string) string {
	parts := strings.Split(s, field)
	for i := range parts[1:] {
		parts[i+1] = strings.TrimLeft(parts[i+1], "0123456789")
	}
	return strings.Join(parts, field)
}

// TestTranslatedEventsGoOutAsTheyCome holds the vendor back until the client
// has read what came so far.
func TestTranslatedEventsGoOutAsTheyCome(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		_, stream := answers(back)
		text := "pong"
		if back == tollgate.DialectGemini {
			text = "po"
		}
		cut := strings.Index(stream, text)
		cut += strings.Index(stream[cut:], "\n\r\n") + 3
		if back != tollgate.DialectGemini {
			cut = strings.Index(stream, text)
			cut += strings.Index(stream[cut:], "\n\n") + 2
		}
		seen := make(chan struct{})
		v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
			pieces(eventStream, stream[:cut])(w, r, n)
			<-seen
			pieces(eventStream, stream[cut:])(w, r, n)
		}
		resp, err := g.Client.Do(g.request(t.Context(), "POST", ask.path, ask.body))
		must(t, err)
		defer resp.Body.Close()
		got := readUntil(t, resp.Body, `"`+text+`"`)
		if strings.Contains(got, terminators()[front]) {
			t.Errorf("the end before its time: %s", got)
		}
		close(seen)
		rest, err := io.ReadAll(resp.Body)
		if err != nil || !strings.Contains(string(rest), terminators()[front]) {
			t.Errorf("%v, rest %s", err, rest)
		}
	})
}

// TestTranslatedStreamsThatBreakAreNeverWhole breaks the vendor's stream at
// every line end, and once in the middle of an event.
func TestTranslatedStreamsThatBreakAreNeverWhole(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		_, stream := answers(back)
		lines := strings.SplitAfter(stream, "\n")
		last := len(lines) - 3 // the last event alone completes it
		if back == tollgate.DialectAnthropic || back == tollgate.DialectOpenAIResponses {
			last--
		}
		for i := 1; i <= last; i++ {
			head := strings.Join(lines[:i], "")
			for _, abort := range []bool{false, true} {
				v.answer = func(w http.ResponseWriter, r *http.Request, k int) {
					pieces(eventStream, head)(w, r, k)
					if abort {
						panic(http.ErrAbortHandler)
					}
				}
				a := g.send("POST", ask.path, ask.body)
				n++
				row := g.last(n)
				switch {
				case strings.Contains(a.Body, terminators()[front]) && front != tollgate.DialectGemini:
					t.Fatalf("after %d lines the answer is whole: %s", i, a.Body)
				case a.Status == 200 && (a.Err == nil || !strings.Contains(a.Body, errorMarks()[front])):
					t.Fatalf("after %d lines: %v, no error event in %s", i, a.Err, a.Body)
				case a.Status != 200 && a.Status != 502:
					t.Fatalf("after %d lines: status %d %s", i, a.Status, a.Body)
				case row.ErrorClass != tollgate.CodeUpstream || len(row.Dispatches) != 1 || row.Dispatches[0].ErrorClass != "cut":
					t.Fatalf("after %d lines: row %+v", i, row)
				}
			}
		}
	})
}

// TestMalformedAnswersOfForeignProviders are 502 in the client's shape, an
// error event once the stream has begun; nothing of them is shown.
func TestMalformedAnswersOfForeignProviders(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	const marker = "RAW-PROVIDER-TEXT"
	v := &spy{}
	g := start(t, options{vendor: v})
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		for _, body := range []string{`{"` + marker, `"` + marker + `"`, `[]`, `{"x":"` + marker + `"}`, "", "<html>" + marker} {
			v.answer = says(200, "application/json", body)
			a := g.send("POST", ask.path, ask.body)
			if a.Status != 502 || strings.Contains(a.Body, marker) {
				t.Errorf("%q: status %d %s", body, a.Status, a.Body)
			}
			shapeOf(t, front, a)
		}
		_, stream := answers(back)
		cut := strings.Index(stream, "pong")
		if back == tollgate.DialectGemini {
			cut = strings.Index(stream, "po")
		}
		cut = strings.LastIndex(stream[:cut], "data: ")
		v.answer = pieces(eventStream, stream[:cut]+"data: {\""+marker+" "+secretA+"\n\n"+stream[cut:])
		a := g.send("POST", ask.path, ask.body)
		if strings.Contains(a.Body, marker) || a.Status == 200 && (a.Err == nil || !strings.Contains(a.Body, errorMarks()[front])) {
			t.Errorf("in a stream: status %d, %v: %s", a.Status, a.Err, a.Body)
		}
	})
}

// TestErrorsOfForeignProvidersAreScrubbedAndMapped plants our own credential in
// the vendor's words.
func TestErrorsOfForeignProvidersAreScrubbedAndMapped(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	body := map[tollgate.Dialect]string{
		tollgate.DialectOpenAIChat:      `{"error":{"message":"told ` + secretA + ` off","type":"invalid_request_error"}}`,
		tollgate.DialectOpenAIResponses: `{"error":{"message":"told ` + secretA + ` off","type":"invalid_request_error"}}`,
		tollgate.DialectAnthropic:       `{"type":"error","error":{"type":"TYPE","message":"told ` + secretA + ` off"}}`,
		tollgate.DialectGemini:          `{"error":{"code":400,"message":"told ` + secretA + ` off","status":"INVALID_ARGUMENT"}}`,
	}
	v := &spy{}
	g := start(t, options{vendor: v})
	n := 0
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		for _, c := range []struct {
			status, want int
			says, retry  string
		}{
			{400, 400, "told [redacted] off", ""},
			{404, 404, "told [redacted] off", ""},
			{413, 413, "told [redacted] off", ""},
			{429, 429, "told [redacted] off", "7"},
			{401, 502, "credential", ""},
			{402, 502, "credential", ""},
			{503, 503, "told [redacted] off", "7"},
		} {
			kind := map[int]string{400: "invalid_request_error", 404: "not_found_error", 413: "request_too_large", 429: "rate_limit_error", 503: "overloaded_error"}
			v.answer = says(c.status, "application/json", strings.Replace(body[back], "TYPE", kind[c.status], 1), "Retry-After", "7")
			a := g.send("POST", ask.path, ask.body)
			n++
			want := c.want
			if front == tollgate.DialectAnthropic && want == 503 {
				want = 529
			}
			if a.Status != want || !strings.Contains(a.Body, c.says) || a.Header.Get("Retry-After") != c.retry {
				t.Errorf("%d: status %d, want %d: retry-after %q, %s", c.status, a.Status, want, a.Header.Get("Retry-After"), a.Body)
			}
			shapeOf(t, front, a)
			if row := g.last(n); row.Status != want || row.ErrorClass == "" || row.Tokens != (tollgate.Tokens{}) {
				t.Errorf("%d: row %+v", c.status, row)
			}
		}
	})
}

func TestTranslatedAnswersThatCannotBeRecordedAreNotGivenOut(t *testing.T) {
	t.Parallel()
	v := &spy{}
	var broken atomic.Bool
	broken.Store(true)
	g := start(t, options{vendor: v, store: func(l ledger.Log) ledger.Log { return brokenStore{Log: l, broken: &broken} }, limits: proxy.Limits{Record: 50 * time.Millisecond}})
	for _, back := range []tollgate.Dialect{tollgate.DialectAnthropic, tollgate.DialectGemini} {
		whole, stream := answers(back)
		ask := asks(foreign()[back], "")[tollgate.DialectOpenAIChat]
		v.answer = says(200, "application/json", whole)
		if a := g.send("POST", ask.path, ask.body); a.Status != 503 || strings.Contains(a.Body, "pong") {
			t.Errorf("%s: %d %s", back, a.Status, a.Body)
		}
		ask = streamed(tollgate.DialectOpenAIChat, ask)
		v.answer = pieces(eventStream, strings.SplitAfter(stream, "\n")...)
		if a := g.send("POST", ask.path, ask.body); a.Err == nil || strings.Contains(a.Body, "[DONE]") || !strings.Contains(a.Body, `"error"`) {
			t.Errorf("%s: %d, %v, %s", back, a.Status, a.Err, a.Body)
		}
	}
}

func TestTranslatedStreamsAreInterruptedWithTheClientsErrorEvent(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"drain", "silence", "revoked"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			timeouts := upstream.DefaultTimeouts()
			if how == "silence" {
				timeouts.Idle = 50 * time.Millisecond
			}
			v := &spy{}
			g := start(t, options{vendor: v, timeouts: timeouts})
			eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
				t.Helper()
				if how == "drain" && (front != tollgate.DialectAnthropic || back != tollgate.DialectGemini) {
					return // there is no more after one
				}
				_, stream := answers(back)
				cut := unfinished(back, stream)
				v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
					pieces(eventStream, stream[:cut])(w, r, n)
					<-r.Context().Done()
				}
				key, id := g.Key, int64(0)
				if how == "revoked" {
					u, k, kid := g.addUser("u-" + string(front) + "-" + string(back))
					g.permit(u.ID, 0, "*")
					key, id = k, kid
				}
				req := g.request(t.Context(), "POST", ask.path, ask.body)
				for _, h := range []string{"Authorization", "X-Api-Key", "X-Goog-Api-Key"} {
					req.Header.Del(h)
				}
				req.Header.Set("X-Api-Key", key)
				resp, err := g.Client.Do(req)
				must(t, err)
				defer resp.Body.Close()
				if resp.StatusCode != 200 {
					t.Fatalf("status %d", resp.StatusCode)
				}
				switch how {
				case "drain":
					must(t, g.Proxy.Drain(t.Context()))
				case "revoked":
					g.update(func(ctx context.Context, tx tollgate.Tx, _ tollgate.Actor) error { return tx.Keys.Delete(ctx, id) })
				}
				body, err := io.ReadAll(resp.Body)
				if err == nil || !strings.Contains(string(body), errorMarks()[front]) {
					t.Errorf("%v: %s", err, body)
				}
			})
		})
	}
}

// TestSilenceOfForeignProvidersIsBridged sends the client's own sign of life.
func TestSilenceOfForeignProvidersIsBridged(t *testing.T) { //nolint:tparallel // the pairs take turns on one gateway
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v, limits: proxy.Limits{KeepAlive: 10 * time.Millisecond}})
	eachForeign(t, func(t *testing.T, front, back tollgate.Dialect, ask demoAsk) {
		t.Helper()
		if front == tollgate.DialectGemini {
			return // has none
		}
		_, stream := answers(back)
		mark := ": keep-alive\n\n"
		if front == tollgate.DialectAnthropic {
			mark = "event: ping\n"
		}
		early, late := make(chan struct{}), make(chan struct{})
		cut := unfinished(back, stream)
		v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
			w.Header().Set("Content-Type", eventStream)
			_ = http.NewResponseController(w).Flush()
			<-early
			pieces(eventStream, stream[:cut])(w, r, n)
			<-late
			pieces(eventStream, stream[cut:])(w, r, n)
		}
		resp, err := g.Client.Do(g.request(t.Context(), "POST", ask.path, ask.body))
		must(t, err)
		defer resp.Body.Close()
		got := readUntil(t, resp.Body, ": keep-alive\n\n")
		close(early)
		got += readUntil(t, resp.Body, "data: ", mark)
		close(late)
		rest, err := io.ReadAll(resp.Body)
		got += string(rest)
		if err != nil || !strings.Contains(got, terminators()[front]) {
			t.Errorf("%v: %s", err, got)
		}
	})
}

// TestArraysOfGeminiClientsAreWholeJSON covers the framing without alt=sse.
func TestArraysOfGeminiClientsAreWholeJSON(t *testing.T) {
	t.Parallel()
	v := &spy{}
	g := start(t, options{vendor: v, limits: proxy.Limits{KeepAlive: time.Millisecond}})
	for back, model := range foreign() {
		if back == tollgate.DialectGemini {
			continue
		}
		_, stream := answers(back)
		for _, broken := range []bool{false, true} {
			v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
				cut := unfinished(back, stream)
				pieces(eventStream, stream[:cut])(w, r, n)
				time.Sleep(10 * time.Millisecond)
				if !broken {
					pieces(eventStream, stream[cut:])(w, r, n)
				}
			}
			a := g.send("POST", "/v1beta/models/"+model+":streamGenerateContent", asks(model, "")[tollgate.DialectGemini].body)
			var list []map[string]any
			if err := json.Unmarshal([]byte(a.Body), &list); err != nil || len(list) == 0 || a.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %v, %q: %s", back, err, a.Header.Get("Content-Type"), a.Body)
				continue
			}
			if _, failed := list[len(list)-1]["error"]; failed != broken || (a.Err != nil) != broken {
				t.Errorf("%s, broken %t: %v %s", back, broken, a.Err, a.Body)
			}
		}
	}
}
