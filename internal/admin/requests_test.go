package admin_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
)

// list posts and returns the rows of the answer.
func (r *rig) list(who, path, body string) []map[string]any {
	r.t.Helper()
	a := r.post(who, path, body)
	var rows []map[string]any
	if a.status != 200 || json.Unmarshal([]byte(a.body), &rows) != nil {
		r.t.Fatalf("%s %s as %s: %d %s", path, body, who, a.status, a.body)
	}
	return rows
}

func TestRequestsAreFiltered(t *testing.T) {
	r := newRig(t)
	r.requests()
	for body, want := range map[string]int{
		`{}`: 6, `{"status":{"eq":200}}`: 6, `{"status_class":{"in":[4,5]}}`: 0, `{"error_text":"FOR admins"}`: 6, `{"error_text":"%"}`: 0, `{"tag":"alice"}`: 1, `{"tag":"x"}`: 6,
		`{"min_latency_ms":2000}`: 6, `{"min_latency_ms":2001}`: 0, `{"model":{"eq":"m1"},"user_id":{"eq":1}}`: 1, `{"until":"2020-01-01T00:00:00Z"}`: 0,
		`{"error_class":{"eq":"upstream"}}`: 0, `{"team_id":{"eq":9}}`: 0, `{"limit":2}`: 2,
	} {
		if rows := r.list("boss", "/admin/requests/query", body); len(rows) != want {
			t.Errorf("%s: %d rows, want %d", body, len(rows), want)
		}
	}
	if a := r.post("boss", "/admin/requests/count", `{"tag":"x"}`); a.body != "{\"count\":6}\n" {
		t.Errorf("count: %s", a.body)
	}
	own := r.list("alice", "/user/requests/query", `{}`)
	if len(own) != 1 || own[0]["error_text"] != nil {
		t.Errorf("alice sees %v", own)
	}
	// Who may not read an error's text may not search it either.
	if a := r.post("alice", "/user/requests/query", `{"error_text":"admins"}`); a.status < 400 {
		t.Errorf("alice may search errors: %d", a.status)
	}
	if a := r.post("alice", "/user/requests/query", `{"user_id":{"eq":1}}`); a.status < 400 {
		t.Errorf("alice may choose whose requests: %d", a.status)
	}
}

func TestSumsByTheHourAreBounded(t *testing.T) {
	r := newRig(t)
	ago := func(d time.Duration) string { return time.Now().Add(-d).UTC().Format(time.RFC3339) }
	for body, want := range map[string]int{
		`{"group_by":"hour"}`: 400, `{"group_by":"user","then_by":"hour","since":"` + ago(15*24*time.Hour) + `"}`: 400,
		`{"group_by":"hour","since":"` + ago(30*24*time.Hour) + `","until":"` + ago(20*24*time.Hour) + `"}`: 200,
		`{"group_by":"hour","since":"` + ago(13*24*time.Hour) + `"}`:                                        200,
		`{"group_by":"day"}`: 200,
	} {
		a := r.post("boss", "/admin/usages/summary", body)
		if a.status != want || want == 400 && !strings.Contains(a.body, "at most 14 days") {
			t.Errorf("%s: %d %s, want %d", body, a.status, a.body, want)
		}
	}
}

func TestRequestIsShownInDetail(t *testing.T) {
	r := newRig(t)
	r.requests()
	body := `{"id":"` + r.request["alice"].String() + `"}`
	for who, path := range map[string]string{"boss": "/admin/requests/get", "alice": "/user/requests/get"} {
		var got struct {
			ID        string
			ErrorText string `json:"error_text"`
			Attempts  []struct {
				Attempt    int
				Status     int
				ErrorClass string           `json:"error_class"`
				CostLines  []map[string]any `json:"cost_lines"`
			}
		}
		a := r.post(who, path, body)
		if json.Unmarshal([]byte(a.body), &got) != nil || len(got.Attempts) != 2 || got.Attempts[0].ErrorClass != "connect" || got.Attempts[1].Status != 200 ||
			got.Attempts[1].Attempt != 2 || len(got.Attempts[1].CostLines) != 1 || (got.ErrorText == "") != (who == "alice") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}
	// Somebody else's is like one that never was.
	foreign := r.post("bob", "/user/requests/get", body)
	missing := r.post("bob", "/user/requests/get", `{"id":"`+tollgate.RequestIDAt(time.Unix(9, 0)).String()+`"}`)
	if foreign.status != 404 || missing.status != 404 {
		t.Errorf("foreign %d, missing %d", foreign.status, missing.status)
	}
	if a := r.post("boss", "/admin/requests/get", `{"id":"nonsense"}`); a.status != 400 || !strings.Contains(a.body, "request id") {
		t.Errorf("a bad id: %d %s", a.status, a.body)
	}
}

func TestUsageIsExported(t *testing.T) {
	r := newRig(t)
	r.requests()
	read := func(who, path, body string) [][]string {
		t.Helper()
		a := r.post(who, path, body)
		rows, err := csv.NewReader(strings.NewReader(a.body)).ReadAll()
		if a.status != 200 || err != nil || !strings.HasPrefix(a.header.Get("Content-Type"), "text/csv") || !strings.Contains(a.header.Get("Content-Disposition"), "attachment") {
			t.Fatalf("%s %s: %d %v %s %s", path, body, a.status, err, a.header, a.body)
		}
		return rows
	}
	at := func(rows [][]string, row int, name string) string {
		for i, n := range rows[0] {
			if n == name {
				return rows[row][i]
			}
		}
		t.Fatalf("no column %s in %v", name, rows[0])
		return ""
	}
	requests := read("boss", "/admin/requests/export", `{}`)
	if len(requests) != 7 || at(requests, 1, "cost") != "0.0000025" || at(requests, 1, "model") != "'=m1" { // no formula
		t.Errorf("requests: %v", requests)
	}
	if rows := read("boss", "/admin/usages/export", `{}`); len(rows) != 13 || at(rows, 2, "attempt") != "2" {
		t.Errorf("usage: %v", rows)
	}
	if rows := read("boss", "/admin/usages/export", `{"group_by":"day","then_by":"user"}`); len(rows) != 7 || at(rows, 1, "dispatches") != "2" {
		t.Errorf("sums: %v", rows)
	}
	if rows := read("alice", "/user/usages/export", `{"group_by":"tag"}`); len(rows) != 3 {
		t.Errorf("own sums: %v", rows)
	}
	if rows := read("alice", "/user/requests/export", `{}`); len(rows) != 2 || at(rows, 1, "error_text") != "" {
		t.Errorf("own requests: %v", rows)
	}
	a := r.post("boss", "/admin/requests/export", `{"format":"json"}`)
	var rows []map[string]any
	if json.Unmarshal([]byte(a.body), &rows) != nil || len(rows) != 6 {
		t.Errorf("as JSON: %s", a.body)
	}
	if a := r.post("boss", "/admin/requests/export", `{"format":"json","tag":"none"}`); strings.TrimSpace(a.body) != "[]" {
		t.Errorf("nothing as JSON: %s", a.body)
	}
	if a := r.post("boss", "/admin/usages/export", `{"group_by":"tag","then_by":"day"}`); a.status != 400 || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("a bad export: %d %s", a.status, a.body)
	}
}

func TestDashboards(t *testing.T) {
	r := newRig(t)
	r.requests()
	var o struct {
		StepSeconds int64 `json:"step_seconds"`
		Total       struct {
			Requests, Succeeded int64
			Cost                float64
			P50                 float64 `json:"latency_p50_ms"`
			First               float64 `json:"first_token_p95_ms"`
		}
		Series  []struct{ Requests int64 }
		Budgets []struct {
			Quota, Share float64
			UserID       int64 `json:"user_id"`
		}
	}
	for _, c := range []struct {
		who, path, body string
		requests        int64
		steps           int
	}{
		{"boss", "/admin/dashboard/overview", `{}`, 6, 96},
		{"boss", "/admin/dashboard/overview", `{"range":"1h"}`, 6, 12},
		{"boss", "/admin/dashboard/overview", `{"range":"7d"}`, 6, 84},
		{"boss", "/admin/dashboard/overview", `{"range":"90d"}`, 6, 90},
		{"alice", "/user/dashboard/overview", `{"range":"6h"}`, 1, 72},
	} {
		a := r.post(c.who, c.path, c.body)
		if err := json.Unmarshal([]byte(a.body), &o); err != nil || a.status != 200 {
			t.Fatalf("%s: %d %s", c.path, a.status, a.body)
		}
		var sum int64
		for _, p := range o.Series {
			sum += p.Requests
		}
		if o.Total.Requests != c.requests || sum != c.requests || o.Total.Succeeded != c.requests || len(o.Series) < c.steps || len(o.Series) > c.steps+1 ||
			math.Abs(o.Total.Cost-0.0000025*float64(c.requests)) > 1e-12 || o.Total.P50 < 1900 || o.Total.P50 > 2100 || o.Total.First < 38 || o.Total.First > 42 {
			t.Errorf("%s %s: %d steps of %d s, %+v", c.path, c.body, len(o.Series), o.StepSeconds, o.Total)
		}
		if len(o.Budgets) != 1 || o.Budgets[0].Quota != 25.5 || o.Budgets[0].UserID != r.users["alice"] {
			t.Errorf("%s: budgets %+v", c.path, o.Budgets)
		}
	}
	for path, name := range map[string]string{"models": "m1", "providers": "lab", "users": ""} {
		rows := r.list("boss", "/admin/dashboard/top-"+path, `{"range":"1h"}`)
		if len(rows) == 0 || name != "" && rows[0]["name"] != name || fmt.Sprint(rows[0]["errors"]) != halfOf(rows[0]["dispatches"]) {
			t.Errorf("top %s: %v", path, rows)
		}
	}
	if rows := r.list("boss", "/admin/dashboard/top-users", `{"limit":2}`); len(rows) != 2 {
		t.Errorf("two users: %v", rows)
	}
	if rows := r.list("boss", "/admin/dashboard/slow", `{"limit":3}`); len(rows) != 3 || rows[0]["latency_ms"] != 2000.0 {
		t.Errorf("slow: %v", rows)
	}
	for _, body := range []string{`{"range":"1y"}`, `{"since":"2026-01-01T00:00:00Z"}`, `{"range":"1h","since":"2026-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z"}`, `{"since":"2020-01-01T00:00:00Z","until":"2026-01-02T00:00:00Z"}`} {
		if a := r.post("boss", "/admin/dashboard/overview", body); a.status != 400 && a.status != 422 {
			t.Errorf("%s: %d", body, a.status)
		}
	}
}

// watch opens a live feed over a real connection and returns its lines.
func (r *rig) watch(who, path, body string) <-chan string {
	r.t.Helper()
	srv := httptest.NewServer(r.handler)
	r.t.Cleanup(srv.Close)
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(body))
	r.must(err)
	req.Host = "127.0.0.1:8787"
	req.Header.Set("Authorization", "Bearer "+r.token[who])
	req.Header.Set("Content-Type", "application/json")
	res, err := srv.Client().Do(req)
	r.must(err)
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		r.t.Fatalf("watching as %s: %d %s", who, res.StatusCode, res.Header)
	}
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		defer func() { _ = res.Body.Close() }()
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			if s.Text() != "" {
				lines <- s.Text()
			}
		}
	}()
	if first := <-lines; first != ": watching" {
		r.t.Fatalf("the feed begins with %q", first)
	}
	return lines
}

func TestRequestsAreWatched(t *testing.T) {
	r := newWatchedRig(t)
	r.requests()
	all, mine := r.watch("boss", "/admin/requests/live", `{}`), r.watch("alice", "/user/requests/live", `{}`)
	failed := r.watch("boss/session", "/admin/requests/live", `{"status_class":5}`)
	began := tollgate.Request{ID: r.request["alice"], UserID: r.users["alice"], Model: "m1", ErrorText: "only for admins"}
	r.feed.Began(&began)
	r.feed.Ended(&tollgate.Request{ID: r.request["bob"], UserID: r.users["bob"], Status: 502})
	next := func(lines <-chan string) string {
		select {
		case l := <-lines:
			return l
		case <-time.After(5 * time.Second):
			t.Error("the feed is silent")
			return ""
		}
	}
	for _, want := range []string{"event: new", `data: {"id":"` + r.request["alice"].String(), "event: update", `data: {"id":"` + r.request["bob"].String()} {
		if got := next(all); !strings.HasPrefix(got, want) {
			t.Errorf("the admin saw %q, want %q", got, want)
		}
	}
	for _, want := range []string{"event: new", `data: {"id":"` + r.request["alice"].String()} {
		if got := next(mine); !strings.HasPrefix(got, want) || strings.Contains(got, "admins") {
			t.Errorf("alice saw %q, want %q", got, want)
		}
	}
	if got := next(failed); got != "event: update" {
		t.Errorf("who wants failures saw %q", got)
	}
	next(failed)
	// Revoked means revoked: a demotion ends feeds before the call returns.
	if a := r.post("root/session", "/admin/users/upsert", `{"id":`+jsonInt(r.users["boss"])+`,"is_admin":false}`); a.status != 200 {
		t.Fatal(a.body)
	}
	for name, lines := range map[string]<-chan string{"key": all, "session": failed} {
		if got := next(lines); got != "event: end" {
			t.Errorf("by %s: after the demotion came %q", name, got)
		}
	}
	r.feed.Ended(&began)
	if got := next(mine); got != "event: update" {
		t.Errorf("alice saw %q", got)
	}
	close(r.stopped)
	next(mine)
	for range mine { // until the feed ends
	}
}

// halfOf is half of a JSON number, as fmt prints it.
func halfOf(n any) string {
	f, _ := n.(float64)
	return fmt.Sprint(f / 2)
}

// demoting is a store whose first reader has lost its rights when it has read.
type demoting struct {
	tollgate.Store
	once   sync.Once
	demote func()
}

// View reads, and then the demotion happens.
func (d *demoting) View(ctx context.Context, fn func(tollgate.Tx) error) error {
	err := d.Store.View(ctx, fn)
	d.once.Do(d.demote)
	return err
}

// Revoked means revoked for downloads too: what was read before, but not sent,
// is not sent any more, and what came is not taken for whole.
func TestDownloadsEndWithTheRightToThem(t *testing.T) {
	for _, body := range []string{`{}`, `{"format":"json"}`} {
		for _, path := range []string{"/admin/requests/export", "/admin/usages/export"} {
			r := newRig(t)
			r.requests()
			r.seen.Store = &demoting{Store: r.store, demote: func() {
				r.seen.Store = r.store
				if a := r.post("root/session", "/admin/users/upsert", `{"id":`+jsonInt(r.users["boss"])+`,"is_admin":false}`); a.status != 200 {
					t.Error(a.body)
				}
			}}
			srv := httptest.NewServer(r.handler)
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+path, strings.NewReader(body))
			r.must(err)
			req.Host = "127.0.0.1:8787"
			req.Header.Set("Authorization", "Bearer "+r.token["boss"])
			req.Header.Set("Content-Type", "application/json")
			var got []byte
			res, err := srv.Client().Do(req)
			if err == nil {
				got, err = io.ReadAll(res.Body)
				_ = res.Body.Close()
			}
			srv.Close()
			if err == nil || bytes.Contains(got, []byte("req_")) {
				t.Errorf("%s %s: after the demotion came %q, %v", path, body, got, err)
			}
			if n := r.dir.Live(); n != 0 {
				t.Errorf("%s: %d streams are still registered", path, n)
			}
		}
	}
}

func jsonInt(n int64) string {
	b, _ := json.Marshal(n) //nolint:errchkjson // a number
	return string(b)
}
