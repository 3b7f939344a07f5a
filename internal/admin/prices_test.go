package admin_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/web/api"
)

type priceRecord struct {
	ID           int64
	ProviderID   *int64          `json:"provider_id"`
	ModelID      *int64          `json:"model_id"`
	ModelPattern string          `json:"model_pattern"`
	Prices       json.RawMessage `json:"prices"`
	Source       string          `json:"source"`
	InForce      bool            `json:"in_force"`
}

type modelRecord struct {
	ModelID string          `json:"model_id"`
	Prices  json.RawMessage `json:"prices"`
	Price   *struct {
		Version      int64
		Source       string
		ModelPattern string `json:"model_pattern"`
		Prices       json.RawMessage
	} `json:"price"`
}

func (r *rig) modelPrice(name string) modelRecord {
	r.t.Helper()
	models := decode[[]modelRecord](r.t, r.post("boss", "/admin/models/query", `{"model_id":{"eq":"`+name+`"}}`))
	if len(models) != 1 {
		r.t.Fatalf("%d models are called %s", len(models), name)
	}
	return models[0]
}

func TestPricesOverTheAPI(t *testing.T) {
	r := newRig(t)
	provider := r.id["provider"] // of kind openai: its shipped prices are there
	r.post("boss", "/admin/models/upsert", fmt.Sprintf(`{"provider_id":%d,"model_id":"gpt-4o-mini"}`, provider))
	m := r.modelPrice("gpt-4o-mini")
	if string(m.Prices) != "null" || m.Price == nil || m.Price.Source != "shipped" || !strings.Contains(string(m.Price.Prices), `"price_input_tokens":0.15`) {
		t.Errorf("as shipped: %+v", m)
	}
	first := decode[api.Done](t, r.post("boss", "/admin/prices/upsert", fmt.Sprintf(`{"provider_id":%d,"model_pattern":"gpt-4o-*","prices":{"price_input_tokens":7}}`, provider)))
	if m = r.modelPrice("gpt-4o-mini"); m.Price.Version != first.ID || m.Price.ModelPattern != "gpt-4o-*" || m.Price.Source != "api" {
		t.Errorf("by pattern: %+v", m.Price)
	}
	second := decode[api.Done](t, r.post("boss", "/admin/prices/upsert", fmt.Sprintf(`{"id":%d,"prices":{"price_input_tokens":8}}`, first.ID)))
	if second.ID == first.ID {
		t.Error("a version was edited in place")
	}
	r.post("boss", "/admin/models/upsert", fmt.Sprintf(`{"provider_id":%d,"model_id":"gpt-4o-own","prices":{"price_input_tokens":9}}`, provider))
	if m = r.modelPrice("gpt-4o-own"); string(m.Prices) != `{"price_input_tokens":9}` || string(m.Price.Prices) != string(m.Prices) {
		t.Errorf("its own: %+v", m)
	}
	query := func(body string, want ...int64) {
		t.Helper()
		var got []int64
		for _, p := range decode[[]priceRecord](t, r.post("boss", "/admin/prices/query", body)) {
			got = append(got, p.ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s found %v, want %v", body, got, want)
		}
	}
	query(`{"model_pattern":{"eq":"gpt-4o-*"}}`, second.ID)
	query(`{"model_pattern":{"eq":"gpt-4o-*"},"history":true,"sort":"-id"}`, second.ID, first.ID)
	query(`{"provider_id":{"eq":0},"source":{"eq":"api"}}`, r.id["price"])
	if a := r.post("boss", "/admin/prices/delete", fmt.Sprintf(`{"id":%d}`, first.ID)); a.status != http.StatusConflict {
		t.Errorf("a replaced version is withdrawn: %d %s", a.status, a.body)
	}
	decode[api.Done](t, r.post("boss", "/admin/prices/delete", fmt.Sprintf(`{"id":%d}`, second.ID)))
	if m = r.modelPrice("gpt-4o-mini"); m.Price.Source != "shipped" {
		t.Errorf("after the withdrawal: %+v", m.Price)
	}
	rows := decode[[]priceRecord](t, r.post("boss", "/admin/prices/query", `{"model_pattern":{"eq":"gpt-4o-*"}}`))
	if len(rows) != 1 || string(rows[0].Prices) != "null" || rows[0].InForce {
		t.Errorf("the withdrawal: %+v", rows)
	}
	shippedID := m.Price.Version
	if a := r.post("boss", "/admin/prices/delete", fmt.Sprintf(`{"id":%d}`, shippedID)); a.status != http.StatusConflict || !strings.Contains(a.body, "comes with the release") {
		t.Errorf("a shipped price is withdrawn: %d %s", a.status, a.body)
	}
}

func TestBadPricesOverTheAPI(t *testing.T) {
	r := newRig(t)
	for body, field := range map[string]string{
		`{"model_pattern":"x","prices":{"price_input_tokens":-1}}`:                                                                                         "prices.price_input_tokens",
		`{"model_pattern":"x","prices":{"price_input_tokens":1e300}}`:                                                                                      "prices.price_input_tokens",
		`{"model_pattern":"x","prices":{"price_input_tokens":0.0000000001}}`:                                                                               "prices.price_input_tokens",
		`{"model_pattern":"x","prices":{"price_tiers":[{"input_tokens_up_to":9,"price_input_tokens":1},{"input_tokens_up_to":9,"price_input_tokens":2}]}}`: "prices.price_tiers[1]",
		`{"model_pattern":"x","prices":{}}`:                                                                                                                "prices",
		`{"model_pattern":"x","prices":null}`:                                                                                                              "prices",
		`{"prices":{"price_each_call":1}}`:                                                                                                                 "model_pattern",
		`{"model_pattern":"x"}`:                                                                                                                            "prices",
		`{"model_pattern":"x","prices":{"price_input":1}}`:                                                                                                 "prices.price_input",
		`{"model_pattern":"x","valid_from":"soon","prices":{"price_each_call":1}}`:                                                                         "valid_from",
	} {
		a := r.post("boss", "/admin/prices/upsert", body)
		if a.status != 400 && a.status != 422 || !strings.Contains(a.body, field) {
			t.Errorf("%s: %d %s, want %s", body, a.status, a.body, field)
		}
	}
	if a := r.post("boss", "/admin/prices/upsert", `{"model_pattern":"x","prices":{"price_input_tokens":NaN}}`); a.status != 400 {
		t.Errorf("NaN: %d %s", a.status, a.body)
	}
}

func TestPriceImportOverTheAPI(t *testing.T) {
	r := newRig(t)
	type imported struct {
		OK      bool
		Changed int
		Entries []struct {
			ID           int64
			Provider     string
			ModelPattern string `json:"model_pattern"`
			Changed      bool
		}
	}
	list := `"provider":"lab","prices":[{"model_pattern":"a-*","prices":{"price_input_tokens":1}}],"models":[{"model_id":"m1","price_each_call":0.5},{"model_id":"free of any price"}]`
	look := decode[imported](t, r.post("boss", "/admin/prices/import", `{"dry_run":true,`+list+`}`))
	if !look.OK || look.Changed != 2 || len(look.Entries) != 2 || look.Entries[0].ID != 0 {
		t.Errorf("dry run: %+v", look)
	}
	if m := r.modelPrice("m1"); m.Price.ModelPattern != "m*" {
		t.Errorf("a dry run changed %+v", m.Price)
	}
	if done := decode[imported](t, r.post("boss", "/admin/prices/import", `{`+list+`}`)); done.Changed != 2 {
		t.Errorf("import: %+v", done)
	}
	if m := r.modelPrice("m1"); m.Price.ModelPattern != "m1" || m.Price.Source != "import" {
		t.Errorf("after the import: %+v", m.Price)
	}
	if again := decode[imported](t, r.post("boss", "/admin/prices/import", `{`+list+`}`)); again.Changed != 0 || len(again.Entries) != 2 {
		t.Errorf("again: %+v", again)
	}
	if a := r.post("boss", "/admin/prices/import", `{"models":[{"model_id":"ok","price_each_call":1},{"model_id":"bad","price_each_call":-1}]}`); a.status != 400 || !strings.Contains(a.body, "models[1]") {
		t.Errorf("a bad entry: %d %s", a.status, a.body)
	}
	if a := r.post("boss", "/admin/prices/import", `{}`); a.status != 400 {
		t.Errorf("an empty list: %d %s", a.status, a.body)
	}
}

// pricedAnew records a call of alice's that cost a dollar and, by a price that
// holds for it since, costs 7.5; it returns the period around it as JSON members.
func (r *rig) pricedAnew() (period string) {
	r.t.Helper()
	now := time.Now().UTC().Truncate(time.Second)
	ids := new(tollgate.RequestIDs)
	req := tollgate.Request{ID: ids.Next(now), UserID: r.users["alice"], StartedAt: now, Operation: tollgate.OpGenerate}
	req.Dispatches = []tollgate.Dispatch{{
		ID: req.ID.Dispatch(1), ProviderID: r.id["provider"], Model: "m1", StartedAt: now, Status: 200, Cost: tollgate.Dollar,
		Tokens: tollgate.Tokens{Input: 3_000_000}, Exactness: tollgate.ExactMeasured,
	}}
	r.must(r.store.Append(r.t.Context(), []tollgate.Request{req}))
	since, until := now.Add(-time.Hour).Format(time.RFC3339), now.Add(time.Hour).Format(time.RFC3339)
	r.made("boss", "/admin/prices/upsert", fmt.Sprintf(`{"model_pattern":"m1","valid_from":%q,"prices":{"price_input_tokens":2.5}}`, since))
	return fmt.Sprintf(`"since":%q,"until":%q`, since, until)
}

func TestReratingOverTheAPI(t *testing.T) {
	r := newRig(t)
	period := r.pricedAnew()
	got := r.post("boss", "/admin/prices/re-rate", `{`+period+`,"provider":"lab"}`)
	want := fmt.Sprintf(`{"dispatches":1,"changed":1,"unpriced":0,"cost_before":1,"cost_after":7.5,"difference":6.5,"models":[{"provider_id":%d,"model":"m1","dispatches":1,"cost_before":1,"cost_after":7.5}],"users":[{"user_id":%d,"dispatches":1,"cost_before":1,"cost_after":7.5}],"quotas":[],"applied":false}`, r.id["provider"], r.users["alice"])
	if strings.TrimSpace(got.body) != want {
		t.Errorf("got  %s\nwant %s", got.body, want)
	}
	type booked struct {
		Changed  int64
		Applied  bool
		RerateID int64 `json:"rerating_id"`
	}
	if done := decode[booked](t, r.post("boss", "/admin/prices/re-rate", `{`+period+`,"apply":true,"reason":"typo"}`)); !done.Applied || done.RerateID == 0 || done.Changed != 1 {
		t.Errorf("booked: %+v", done)
	}
	if again := decode[booked](t, r.post("boss", "/admin/prices/re-rate", `{`+period+`,"apply":true}`)); again.RerateID != 0 || again.Changed != 0 {
		t.Errorf("booked again: %+v", again)
	}
	if a := r.post("boss", "/admin/re-ratings/query", `{}`); !strings.Contains(a.body, `"cost_before":1,"cost_after":7.5,"reason":"typo"`) || strings.Count(a.body, `"id":`) != 1 {
		t.Errorf("the record: %d %s", a.status, a.body)
	}
	for body, status := range map[string]int{
		`{` + period + `,"price_version":99999}`: 404, `{` + period + `,"provider":"nobody"}`: 404,
		`{"since":"2026-01-02T00:00:00Z","until":"2026-01-01T00:00:00Z"}`: 400,
	} {
		if a := r.post("boss", "/admin/prices/re-rate", body); a.status != status {
			t.Errorf("%s: %d %s", body, a.status, a.body)
		}
	}
}
