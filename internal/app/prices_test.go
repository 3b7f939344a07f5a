package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"tollgate/internal/app"
	"tollgate/internal/config"
)

// post sends JSON as the admin and decodes the answer.
func post(t *testing.T, url, body string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer sk-admin-of-the-test")
	req.Header.Set("Content-Type", "application/json")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s %v", url, resp.StatusCode, b, err)
	}
	if into == nil {
		return
	}
	if err := json.Unmarshal(b, into); err != nil {
		t.Fatalf("%s: %s: %v", url, b, err)
	}
}

// startDemo starts a gateway with the simulated vendor and returns its address.
func startDemo(t *testing.T) (base string) {
	t.Helper()
	cfg, err := config.Load(config.Sources{
		Demo: true,
		Environ: []string{
			"TOLLGATE_DATA_DIR=" + filepath.Join(t.TempDir(), "data"), "TOLLGATE_PORT=0", "TOLLGATE_DRAIN_TIMEOUT=1s",
			"TOLLGATE_ADMIN_PASSWORD=a password of the test", "TOLLGATE_ADMIN_API_KEY=sk-admin-of-the-test",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	a, err := app.New(t.Context(), app.Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Environ: []string{"GOGC=100"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Stop(context.Background()) })
	return "http://" + a.Addr()
}

// TestShippedLimitsFillModelLists adds a model without limits to a provider
// whose host has shipped ones.
func TestShippedLimitsFillModelLists(t *testing.T) {
	base := startDemo(t)
	var done struct{ ID int64 }
	post(t, base+"/admin/providers/upsert", `{"name":"oa","kind":"openai","credentials":[{"label":"a","api_key":"sk-nothing"}]}`, &done)
	for _, m := range []string{`"model_id":"gpt-4o"`, `"model_id":"gpt-4o-mini","context_tokens":7`, `"model_id":"a-name-nobody-knows"`} {
		post(t, base+"/admin/models/upsert", fmt.Sprintf(`{"provider_id":%d,%s}`, done.ID, m), nil)
	}
	var models []struct {
		ID      string `json:"id"`
		Context int64  `json:"context_tokens"`
		Output  int64  `json:"output_tokens"`
		Prices  map[string]any
	}
	post(t, base+"/user/models", `{}`, &models)
	got := map[string][2]int64{}
	for _, m := range models {
		got[m.ID] = [2]int64{m.Context, m.Output}
		if priced := len(m.Prices) > 0; priced != (m.ID != "a-name-nobody-knows") && !strings.Contains(m.ID, "demo") {
			t.Errorf("%s: prices %v", m.ID, m.Prices)
		}
	}
	for name, want := range map[string][2]int64{"gpt-4o": {128_000, 16_384}, "gpt-4o-mini": {7, 16_384}, "a-name-nobody-knows": {0, 0}} {
		if limits, there := got[name]; !there || limits != want {
			t.Errorf("%s: %v (listed: %v), want %v", name, limits, there, want)
		}
	}
}

// TestCallsArePriced sends real calls to the simulated vendor and looks at the
// rows: with a model's own price, with a new one while the process runs, and
// without any.
func TestCallsArePriced(t *testing.T) {
	base := startDemo(t)
	call := func() {
		post(t, base+"/v1/chat/completions", `{"model":"demo-small","messages":[{"role":"user","content":"Hello"}]}`, nil)
	}
	type usage struct {
		Input        int64       `json:"input_tokens"`
		Output       int64       `json:"output_tokens"`
		Exactness    string      `json:"exactness"`
		Cost         json.Number `json:"cost"`
		PriceVersion int64       `json:"price_version"`
	}
	last := func() usage {
		var rows []usage
		post(t, base+"/admin/usages/query", `{"sort":"-id","limit":1}`, &rows)
		return rows[0]
	}
	call()
	first := last()
	if first.PriceVersion == 0 || first.Exactness != "measured" || first.Cost == "0" || first.Cost == "" {
		t.Errorf("with the demo's price: %+v", first)
	}
	var models []struct{ ID int64 }
	post(t, base+"/admin/models/query", `{"model_id":{"eq":"demo-small"}}`, &models)
	set := func(prices string) {
		body, _ := json.Marshal(map[string]any{"id": models[0].ID, "prices": json.RawMessage(prices)})
		post(t, base+"/admin/models/upsert", string(body), nil)
		call()
	}
	set(`{"price_each_call":0.25}`)
	if u := last(); u.Cost != "0.25" || u.PriceVersion <= first.PriceVersion {
		t.Errorf("with a price per call: %+v", u)
	}
	set(`null`)
	if u := last(); u.Cost != "0" || u.PriceVersion != 0 || u.Exactness != "unpriced" || u.Input == 0 {
		t.Errorf("without a price: %+v", u)
	}
}
