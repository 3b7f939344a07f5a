package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"
)

// feed opens a live feed and returns its events with their data.
func (g *gateway) feed(path, key string) <-chan [2]string {
	g.t.Helper()
	req, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.url+path, strings.NewReader(`{}`))
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatal(err)
	}
	out := make(chan [2]string, 100)
	ready := make(chan struct{})
	go func() {
		defer close(out)
		defer func() { _ = res.Body.Close() }()
		var event string
		for s := bufio.NewScanner(res.Body); s.Scan(); {
			line := s.Text()
			switch {
			case line == ": watching":
				close(ready)
			case strings.HasPrefix(line, "event: "):
				event = line[len("event: "):]
			case strings.HasPrefix(line, "data: "):
				out <- [2]string{event, line[len("data: "):]}
			}
		}
	}()
	<-ready
	return out
}

// A request is seen to begin and to end by who may see it, is found by what it
// was, and is taken apart; when its caller is cut off, so is what it watches.
func TestRequestsAreSeenFoundAndWatched(t *testing.T) {
	g := start(t, newVendor(t), "")
	_, key, _ := g.newUser("ada")
	_, other, otherID := g.newUser("eve")
	g.admin("/admin/prices/upsert", map[string]any{
		"provider_id": g.providerID("oa"), "model_pattern": "*", "prices": map[string]any{"price_input_tokens": 1, "price_output_tokens": 10},
	}, nil)
	all, mine, foreign := g.feed("/admin/requests/live", adminKey), g.feed("/user/requests/live", key), g.feed("/user/requests/live", other)
	status, header, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(true, "[[demo:tokens=40]] hello"))
	if err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, body, err)
	}
	id := header.Get("X-Tollgate-Request-Id")
	for name, feed := range map[string]<-chan [2]string{"admin": all, "user": mine} {
		for _, want := range []string{"new", "update"} {
			select {
			case e := <-feed:
				if e[0] != want || !strings.Contains(e[1], id) {
					t.Errorf("the %s saw %v, want %s of %s", name, e, want, id)
				}
			case <-time.After(5 * time.Second):
				t.Errorf("the %s saw no %s", name, want)
			}
		}
	}
	var detail struct {
		Attempts []struct {
			Cost      float64
			CostLines []struct {
				Kind     string
				Quantity int64
			} `json:"cost_lines"`
		}
	}
	g.admin("/admin/requests/get", map[string]any{"id": id}, &detail)
	if len(detail.Attempts) != 1 || len(detail.Attempts[0].CostLines) == 0 || detail.Attempts[0].Cost <= 0 {
		t.Errorf("in detail: %+v", detail)
	}
	if status, body := g.adminAs(other, "/user/requests/get", map[string]any{"id": id}); status != http.StatusNotFound {
		t.Errorf("somebody else sees it: %d %s", status, body)
	}
	status, csv := g.adminAs(adminKey, "/admin/usages/export", map[string]any{"group_by": "user", "then_by": "model"})
	if status != http.StatusOK || bytes.Count(csv, []byte("\n")) != 2 {
		t.Errorf("as CSV: %d %s", status, csv)
	}
	var overview struct{ Total struct{ Requests int64 } }
	g.admin("/admin/dashboard/overview", map[string]any{"range": "1h"}, &overview)
	if overview.Total.Requests != 1 {
		t.Errorf("the dashboard counts %d requests", overview.Total.Requests)
	}
	if len(foreign) != 0 {
		t.Errorf("somebody else watched: %v", <-foreign)
	}
	g.admin("/admin/user-keys/delete", map[string]any{"id": otherID}, nil)
	select {
	case e := <-foreign:
		var end map[string]string
		if e[0] != "end" || json.Unmarshal([]byte(e[1]), &end) != nil || end["error"] == "" {
			t.Errorf("the feed of a deleted key says %v", e)
		}
	case <-time.After(time.Second):
		t.Error("the feed of a deleted key goes on")
	}
}
