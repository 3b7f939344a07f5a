package shipped_test

import (
	"testing"

	"tollgate"
	"tollgate/internal/meter"
	"tollgate/internal/meter/shipped"
)

func table(tb testing.TB) *shipped.Table {
	tb.Helper()
	table, err := shipped.Read()
	if err != nil {
		tb.Fatal(err)
	}
	return table
}

func TestEveryShippedPriceIsAPrice(t *testing.T) {
	vendors, priced, known := 0, 0, 0
	for v := range table(t).Vendors() {
		vendors++
		for m := range v.Models() {
			known++
			raw, err := m.Prices()
			if err != nil {
				t.Fatalf("%s/%s: %v", v.Name, m.ID, err)
			}
			if err := tollgate.ValidModelName("model_id", m.ID); err != nil {
				t.Errorf("%s/%s: %v", v.Name, m.ID, err)
			}
			if raw == nil {
				continue
			}
			if _, ok, err := meter.Parse("prices", raw); err != nil || !ok {
				t.Errorf("%s/%s: %s: %v, %v", v.Name, m.ID, raw, ok, err)
			}
			priced++
		}
	}
	if vendors < 15 || priced < 900 {
		t.Errorf("%d vendors, %d of %d models priced", vendors, priced, known)
	}
	t.Logf("%d vendors, %d models, %d with a price", vendors, known, priced)
}

func TestVendorsAreToldByTheirHost(t *testing.T) {
	tab := table(t)
	for host, want := range map[string]string{
		"api.openai.com": "openai", "api.anthropic.com": "anthropic", "generativelanguage.googleapis.com": "google",
		"api.groq.com": "groq", "openrouter.ai": "openrouter", "me.openai.azure.com": "azure", "api.deepseek.com": "deepseek",
		"europe-west1-aiplatform.googleapis.com": "google-vertex", "bedrock-runtime.us-east-1.amazonaws.com": "amazon-bedrock",
		"api.openai.com.evil.example": "", "llm.example.com": "", "": "", "127.0.0.1": "",
	} {
		v, ok := tab.Vendor(host)
		if ok != (want != "") || ok && v.Name != want {
			t.Errorf("%q is %v, want %q", host, v, want)
		}
	}
}

func TestKnownPrices(t *testing.T) {
	tab := table(t)
	for _, c := range []struct{ host, model, want string }{
		{"api.openai.com", "gpt-4o-2024-05-13", `{"price_input_tokens":5,"price_output_tokens":15}`},
		{"api.openai.com", "gpt-5-2025-08-07", `{"price_cache_read_input_tokens":0.125,"price_input_tokens":1.25,"price_output_tokens":10}`},
		{"api.anthropic.com", "claude-haiku-4-5", `{"price_cache_creation_input_tokens":1.25,"price_cache_creation_input_tokens_1h":2,"price_cache_read_input_tokens":0.1,"price_input_tokens":1,"price_output_tokens":5}`},
		{"generativelanguage.googleapis.com", "gemini-2.5-pro", `{"price_tiers":[{"input_tokens_up_to":200000,"price_cache_read_input_tokens":0.125,"price_input_tokens":1.25,"price_output_tokens":10},{"price_cache_read_input_tokens":0.25,"price_input_tokens":2.5,"price_output_tokens":15}]}`},
		{"api.perplexity.ai", "sonar-deep-research", `{"price_each_call":0.005,"price_input_tokens":2,"price_output_tokens":8,"price_reasoning_tokens":3}`},
	} {
		v, _ := tab.Vendor(c.host)
		m, ok := v.Find(c.model)
		got, err := m.Prices()
		if !ok || err != nil || string(got) != c.want {
			t.Errorf("%s: %v %v\n got %s\nwant %s", c.model, ok, err, got, c.want)
		}
	}
	v, _ := tab.Vendor("api.openai.com")
	if m, ok := v.Find("no-such-model"); ok {
		t.Errorf("an unknown model is %+v", m)
	}
	if m, _ := v.Find("gpt-4o"); m.ContextTokens != 128_000 || m.OutputTokens != 16_384 {
		t.Errorf("limits %+v", m)
	}
}

func TestUndated(t *testing.T) {
	for name, want := range map[string]string{
		"gpt-5-2025-08-07": "gpt-5", "claude-x-20251101": "claude-x", "gpt-5": "gpt-5", "-2025-08-07": "-2025-08-07",
		"o1-1925-09-07": "o1-1925-09-07", "o1-2025-d9-07": "o1-2025-d9-07", "m-12345678": "m-12345678", "": "",
	} {
		if got := shipped.Undated(name); got != want {
			t.Errorf("%q is %q, want %q", name, got, want)
		}
	}
}
