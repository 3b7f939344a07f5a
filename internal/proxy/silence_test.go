package proxy_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/proxy"
	"tollgate/internal/upstream"
)

// readUntil reads an answer until it holds all of marks, in order.
func readUntil(t *testing.T, r io.Reader, marks ...string) string {
	t.Helper()
	var got strings.Builder
	buf := make([]byte, 1024)
	for {
		rest, ok := got.String(), true
		for _, m := range marks {
			var found bool
			_, rest, found = strings.Cut(rest, m)
			ok = ok && found
		}
		if ok {
			return got.String()
		}
		n, err := r.Read(buf)
		got.Write(buf[:n])
		if err != nil {
			t.Fatalf("%v before %q came: %q", err, marks, got.String())
		}
	}
}

// TestSilenceIsBridgedBetweenWholeEvents lets a provider fall silent before
// its first event and in the middle of a later one. The client is sent signs
// of life at both, never inside an event, and the events are all there.
func TestSilenceIsBridgedBetweenWholeEvents(t *testing.T) {
	t.Parallel()
	for _, c := range streams()[:3] {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			early, late := make(chan struct{}), make(chan struct{})
			v := &spy{}
			v.answer = func(w http.ResponseWriter, _ *http.Request, _ int) {
				rc := http.NewResponseController(w)
				w.Header().Set("Content-Type", c.kind)
				_ = rc.Flush()
				<-early
				half := len(c.head) - 20
				_, _ = io.WriteString(w, c.head[:half])
				_ = rc.Flush()
				<-late
				_, _ = io.WriteString(w, c.head[half:]+c.last)
			}
			g := start(t, options{vendor: v, limits: proxy.Limits{KeepAlive: 10 * time.Millisecond}})
			resp, err := g.Client.Do(g.request(t.Context(), "POST", c.path, c.body))
			must(t, err)
			defer resp.Body.Close()
			ping := ": keep-alive\n\n"
			got := readUntil(t, resp.Body, ping)
			close(early)
			if c.name == "messages" {
				ping = "event: ping\ndata: {\"type\": \"ping\"}\n\n"
			}
			got += readUntil(t, resp.Body, c.head[:30], ping, ping)
			close(late)
			rest, err := io.ReadAll(resp.Body)
			must(t, err)
			got += string(rest)
			var events []string
			for _, ev := range strings.SplitAfter(got, "\n\n") {
				if !strings.HasPrefix(ev, ":") && !strings.HasPrefix(ev, "event: ping") {
					events = append(events, ev)
				}
			}
			want := strings.NewReplacer(": keep-alive\n\n", "", ping, "").Replace(c.head + c.last)
			if strings.Join(events, "") != want {
				t.Errorf("got\n%s, want\n%s", strings.Join(events, ""), want)
			}
			if row := g.last(1); row.Tokens != c.tokens || row.Status != 200 {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// TestSilentProviderIsGivenUpAllTheSame: signs of life are the gateway's own,
// they do not count as the provider's.
func TestSilentProviderIsGivenUpAllTheSame(t *testing.T) {
	t.Parallel()
	timeouts := upstream.DefaultTimeouts()
	timeouts.Idle = 200 * time.Millisecond
	for _, c := range streams() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v := &spy{}
			v.answer = func(w http.ResponseWriter, r *http.Request, n int) {
				pieces(c.kind, c.head)(w, r, n)
				<-r.Context().Done()
			}
			g := start(t, options{vendor: v, timeouts: timeouts, limits: proxy.Limits{KeepAlive: 10 * time.Millisecond}})
			a := g.send("POST", c.path, c.body)
			if a.Err == nil || !strings.Contains(a.Body, c.errorMark) {
				t.Errorf("%v, %q; want an error event and a cut", a.Err, a.Body)
			}
			// Gemini's SDKs know no comments, and an array has no room for one.
			pinged := strings.Contains(strings.Replace(a.Body, ": keep-alive\n\n", "", 1), ": keep-alive") || strings.Count(a.Body, "event: ping") > 1 || strings.Count(a.Body, ": keep-alive") > 0 && c.name == "responses"
			if gemini := strings.HasPrefix(c.name, "gemini"); pinged == gemini {
				t.Errorf("signs of life: %t in %q", pinged, a.Body)
			}
			if row := g.last(1); row.ErrorClass != tollgate.CodeTimeout || row.Dispatches[0].ErrorClass != "timeout" {
				t.Errorf("row %+v", row)
			}
		})
	}
}

// TestNothingIsSentBeforeTheProviderAnswers keeps the status open while the
// provider has not said whether it answers at all.
func TestNothingIsSentBeforeTheProviderAnswers(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
		<-hold
		says(503, "application/json", `{"error":{"message":"no"}}`)(w, r, n)
	}}
	g := start(t, options{vendor: v, limits: proxy.Limits{KeepAlive: time.Millisecond}})
	go func() {
		time.Sleep(30 * time.Millisecond)
		close(hold)
	}()
	if a := g.send("POST", "/v1/chat/completions", streams()[0].body); a.Status != 503 || a.Err != nil {
		t.Errorf("status %d, %v: %s", a.Status, a.Err, a.Body)
	}
}

func TestSignsOfLifeCanBeTurnedOff(t *testing.T) {
	t.Parallel()
	c := streams()[1]
	v := &spy{answer: func(w http.ResponseWriter, r *http.Request, n int) {
		pieces(c.kind, c.head)(w, r, n)
		time.Sleep(30 * time.Millisecond)
		pieces(c.kind, c.last)(w, r, n)
	}}
	g := start(t, options{vendor: v, limits: proxy.Limits{KeepAlive: -1}})
	if a := g.send("POST", c.path, c.body); a.Body != c.head+c.last {
		t.Errorf("got %q", a.Body)
	}
}
