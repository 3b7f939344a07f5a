package meter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/meter"
)

func TestPricesAreTakenAsWritten(t *testing.T) {
	for in, want := range map[string]string{
		``: ``, `null`: ``, `{}`: ``, `{"price_input_tokens":null}`: ``, `{"price_tiers":[]}`: ``,
		`{"price_each_call": 0.01}`: `{"price_each_call":0.01}`,
		`{"price_input_tokens":0.546875,"price_output_tokens":1e-3,"price_cache_read_input_tokens":0,"price_cache_creation_input_tokens_1h":6}`:                `{"price_input_tokens":0.546875,"price_output_tokens":1e-3,"price_cache_read_input_tokens":0,"price_cache_creation_input_tokens_1h":6}`,
		`{"price_tiers":[{"input_tokens_up_to":200000,"price_input_tokens":1.25},{"input_tokens_up_to":9223372036854775807,"price_input_tokens":2.5}]}`:        `{"price_tiers":[{"input_tokens_up_to":200000,"price_input_tokens":1.25},{"input_tokens_up_to":9223372036854775807,"price_input_tokens":2.5}]}`,
		`{"price_tiers":[{"price_input_tokens":1}],"flex_price_tiers":[{"price_input_tokens":0.5}],"priority_price_each_call":2,"scale_price_each_call":null}`: `{"price_tiers":[{"price_input_tokens":1}],"flex_price_tiers":[{"price_input_tokens":0.5}],"priority_price_each_call":2,"scale_price_each_call":null}`,
		`{"price_each_image":0.04,"batch_price_each_image":0.02}`: `{"price_each_image":0.04,"batch_price_each_image":0.02}`,
	} {
		got, err := meter.Canonical("prices", json.RawMessage(in))
		if err != nil || string(got) != want {
			t.Errorf("%s: %s %v", in, got, err)
		}
	}
}

func TestBadPricesSayWhere(t *testing.T) {
	for in, field := range map[string]string{
		`[]`: "prices", `{`: "prices", `1`: "prices", `{} {}`: "prices",
		`{"input":1}`:                                     "prices.input",
		`{"price_each_call":"1"}`:                         "prices.price_each_call",
		`{"price_each_call":-0.1}`:                        "prices.price_each_call",
		`{"price_each_call":1e10}`:                        "prices.price_each_call",
		`{"price_each_call":1000001}`:                     "prices.price_each_call",
		`{"price_each_call":true}`:                        "prices.price_each_call",
		`{"price_each_call":NaN}`:                         "prices",
		`{"price_each_image":-1}`:                         "prices.price_each_image",
		`{"price_input_tokens":1,"price_input_tokens":2}`: "prices",
		`{"price_input_tokens":1,"price_tiers":[]}`:       "prices.price_input_tokens",
		`{"flex_price_input_tokens":1,"flex_price_tiers":[{"price_input_tokens":1}]}`: "prices.flex_price_input_tokens",
		`{"flex_price_input_tokens":1}`:                                               "prices",
		`{"price_tiers":{}}`:                                                          "prices.price_tiers",
		`{"price_tiers":[1]}`:                                                         "prices.price_tiers[0]",
		`{"price_tiers":[{}]}`:                                                        "prices.price_tiers[0]",
		`{"price_tiers":[{"input_tokens_up_to":5}]}`:                                  "prices.price_tiers[0]",
		`{"price_tiers":[{"price_input_tokens":1},{"price_input_tokens":2}]}`:         "prices.price_tiers[0]",
		`{"price_tiers":[{"price_input_tokens":1,"input_tokens_up_to":5},{"price_input_tokens":1,"input_tokens_up_to":5}]}`: "prices.price_tiers[1]",
		`{"price_tiers":[{"price_input_tokens":1,"input_tokens_up_to":9},{"price_input_tokens":1,"input_tokens_up_to":5}]}`: "prices.price_tiers[1]",
		`{"price_tiers":[{"input_tokens_up_to":0}]}`:            "prices.price_tiers[0].input_tokens_up_to",
		`{"price_tiers":[{"input_tokens_up_to":1.5}]}`:          "prices.price_tiers[0].input_tokens_up_to",
		`{"price_tiers":[{"input_tokens_up_to":-1}]}`:           "prices.price_tiers[0].input_tokens_up_to",
		`{"price_tiers":[{"price_each_call":1}]}`:               "prices.price_tiers[0].price_each_call",
		`{"flex_price_tiers":[{"price_output_tokens":-1}]}`:     "prices.flex_price_tiers[0].price_output_tokens",
		`{"price_input_tokens":0.0000000001}`:                   "prices.price_input_tokens",
		`{"price_tiers":[` + strings.Repeat(`{},`, 40) + `{}]}`: "prices.price_tiers",
	} {
		_, err := meter.Canonical("prices", json.RawMessage(in))
		if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != field || !strings.Contains(e.Message, "prices") {
			t.Errorf("%s: %v (field %q), want field %q", in, err, e.Field, field)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`{"price_tiers":[{"input_tokens_up_to":1e99999999,"price_input_tokens":1}]}`)
	f.Add(`{"price_each_call":1e-9}`)
	f.Add(`{"price_input_tokens":1,"flex_price_tiers":null,"batch_price_each_image":3}`)
	f.Fuzz(func(t *testing.T, s string) {
		out, err := meter.Canonical("p", json.RawMessage(s))
		if err != nil || out == nil {
			return
		}
		again, err := meter.Canonical("p", out)
		if err != nil || string(again) != string(out) {
			t.Fatalf("%q is taken as %q, which is taken as %q (%v)", s, out, again, err)
		}
		p, ok, err := meter.Parse("p", out)
		if err != nil || !ok {
			t.Fatalf("%q does not parse again: %v", out, err)
		}
		if c, err := p.Cost(0, meter.Usage{Tokens: tollgate.Tokens{Input: 1, Output: 1}, Calls: 1}); err != nil || c < 0 {
			t.Fatalf("%q costs %v (%v)", out, c, err)
		}
	})
}
