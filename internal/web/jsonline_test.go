package web_test

import (
	"bytes"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/web"
)

// lines serves one request whose handler leaves e's fields, and returns the
// line without its time: that of slog, or the door's own.
func lines(t *testing.T, own bool, fill func(*web.Event)) string {
	t.Helper()
	var out bytes.Buffer
	at := time.Date(2026, 3, 14, 15, 9, 26, 535897932, time.UTC)
	d := &web.Door{IDs: &tollgate.RequestIDs{}, Now: func() time.Time { return at }, Log: slog.New(slog.NewJSONHandler(&out, nil))}
	if own {
		d.Lines = &out
	}
	h := d.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fill(web.EventFrom(r.Context()))
		w.WriteHeader(web.EventFrom(r.Context()).Call.Status)
		web.EventFrom(r.Context()).ID = 77
	}))
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/x", nil))
	head, line, ok := strings.Cut(out.String(), `,"level"`)
	when, err := time.Parse(time.RFC3339Nano, strings.TrimSuffix(strings.TrimPrefix(head, `{"time":"`), `"`))
	if ok && (err != nil || own && !when.Equal(at)) {
		t.Errorf("the line begins with %q", head)
	}
	return line
}

func TestTheDoorsOwnLinesAreThoseOfSlog(t *testing.T) {
	texts := []string{"", "plain", `"quotes" and \`, "tab\tline\nend\x00\x1f\x7f", "<&>", "ü\u2028\u2029€", "broken \xff\xc3", strings.Repeat("x", 3000)}
	for _, status := range []int{200, 404, 503} {
		for _, text := range texts {
			fill := func(e *web.Event) {
				e.Pattern, e.Provider, e.Quiet = text, text, text == "plain"
				e.Principal = tollgate.Principal{Kind: tollgate.PrincipalService}
				e.Call = &tollgate.Request{Status: status, Model: text, FirstToken: time.Duration(len(text)), Tokens: tollgate.Tokens{Input: int64(len(text)), CacheWrite1h: 5}}
				if status != 200 {
					e.Err = errors.New(text)
				}
			}
			want, got := lines(t, false, fill), lines(t, true, fill)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("status %d, text %.40q: -slog +own\n%s", status, text, diff)
			}
			if quiet := text == "plain" && status == 200; quiet != (got == "") {
				t.Errorf("status %d, text %.40q: line %q", status, text, got)
			}
		}
	}
}
