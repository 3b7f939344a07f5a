package meter_test

import (
	"cmp"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/meter"
	"tollgate/internal/meter/shipped"
	"tollgate/internal/wire"
	"tollgate/internal/wire/anthropic"
	"tollgate/internal/wire/gemini"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/wiretest"
)

// dialect is how a recording is read, by the observer and by the judge, and
// whose prices it has.
type dialect struct {
	codec wire.Outbound
	judge func([]string) (tollgate.Tokens, bool)
	host  string
}

// dialectOf tells from a recording which dialect it is in; nil = none that bills tokens.
func dialectOf(r wiretest.Recording) *dialect {
	all := strings.ReplaceAll(r.Body+strings.Join(r.Events, "\n"), `": `, `":`)
	switch {
	case strings.Contains(all, `"candidates"`):
		return &dialect{gemini.Codec{}, wiretest.GeminiUsage, "generativelanguage.googleapis.com"}
	case strings.Contains(all, `"chat.completion`):
		return &dialect{openai.Chat{}, wiretest.OpenAIUsage, "api.openai.com"}
	case strings.Contains(all, `"response.completed"`) || strings.Contains(all, `"object":"response"`):
		return &dialect{openai.Responses{}, wiretest.OpenAIUsage, "api.openai.com"}
	case strings.Contains(all, `"message_start"`) || strings.Contains(all, `"type":"message"`):
		return &dialect{anthropic.Codec{}, wiretest.AnthropicUsage, "api.anthropic.com"}
	default:
		return nil
	}
}

// TestCostOfRecordings prices every recorded answer as the gateway does and as
// fractions of the numbers that a plain reading finds: with the shipped price
// of each model of its vendor, and with one that has every kind.
func TestCostOfRecordings(t *testing.T) {
	table, err := shipped.Read()
	if err != nil {
		t.Fatal(err)
	}
	sheets := map[string][]sheet{}
	dir := cmp.Or(os.Getenv("TOLLGATE_SHARED"), filepath.Join("..", "..", "..", "shared"))
	answers, costs := 0, 0
	for _, r := range wiretest.Recordings(t, filepath.Join(dir, "corpus")) {
		d := dialectOf(r)
		if d == nil || strings.Contains(r.File, "realtime") || strings.Contains(r.File, "speech") {
			continue
		}
		w := d.codec.Observe(tollgate.OpGenerate, wire.ObserveOptions{})
		texts, _ := wiretest.Replay(w, r)
		want, found := d.judge(texts)
		if !found {
			continue
		}
		if sheets[d.host] == nil {
			sheets[d.host] = vendorSheets(t, table, d.host)
		}
		answers++
		for _, s := range sheets[d.host] {
			got, err := s.prices.Cost(meter.ModeDefault, meter.Usage{Tokens: w.Usage().Tokens, Calls: 1})
			exact := nano(s.cost("", meter.Usage{Tokens: want, Calls: 1}))
			if err != nil || exact.Cmp(big.NewInt(int64(got))) != 0 {
				t.Fatalf("%s: %d nano-dollars (%v), want %v, for %+v", r.File, got, err, exact, want)
			}
			costs++
		}
	}
	t.Logf("%d recorded answers, %d costs compared", answers, costs)
}

// every is a price with all kinds and two tiers, none of them round.
const every = `{"price_each_call":0.000000001,"price_tiers":[{"input_tokens_up_to":1009,
	"price_input_tokens":1.000000007,"price_output_tokens":13.37,"price_cache_read_input_tokens":0.100000003,
	"price_cache_creation_input_tokens_5min":1.250000011,"price_cache_creation_input_tokens_1h":2.000000017,"price_reasoning_tokens":17.1,
	"price_input_audio_tokens":3.3,"price_input_image_tokens":2.9,"price_output_audio_tokens":40.1,"price_output_image_tokens":30.7},
	{"price_input_tokens":0.546875,"price_output_tokens":19.99}]}`

func vendorSheets(t *testing.T, table *shipped.Table, host string) []sheet {
	t.Helper()
	texts := []json.RawMessage{json.RawMessage(every)}
	v, ok := table.Vendor(host)
	if !ok {
		t.Fatalf("no vendor at %s", host)
	}
	for m := range v.Models() {
		raw, err := m.Prices()
		if err != nil {
			t.Fatal(err)
		}
		if raw != nil {
			texts = append(texts, raw)
		}
	}
	sheets := make([]sheet, len(texts))
	for i, raw := range texts {
		sheets[i] = readSheet(t, raw)
	}
	return sheets
}

// readSheet reads a price object of the default mode for the oracle.
func readSheet(t *testing.T, raw json.RawMessage) sheet {
	t.Helper()
	s := sheet{tiers: map[string][]map[string]json.Number{}, each: map[string]json.Number{}, prices: parse(t, string(raw))}
	var whole struct {
		Call  json.Number              `json:"price_each_call"`
		Tiers []map[string]json.Number `json:"price_tiers"`
	}
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	if whole.Call != "" {
		s.each["price_each_call"] = whole.Call
	}
	if whole.Tiers == nil {
		single := map[string]json.Number{}
		if err := json.Unmarshal(raw, &single); err != nil {
			t.Fatal(err)
		}
		whole.Tiers = []map[string]json.Number{single}
	}
	s.tiers[""] = whole.Tiers
	return s
}
