package config

import (
	"bytes"
	"encoding/json"
	"strings"

	"tollgate"
)

// Prices are the price keys of a model, in dollars per million tokens
// (dollars per call for the *_each_call keys).
type Prices struct {
	EachCall         *tollgate.Money `toml:"price_each_call" json:"price_each_call,omitempty"`
	Tiers            []PriceTier     `toml:"price_tiers" json:"price_tiers,omitempty"`
	FlexEachCall     *tollgate.Money `toml:"flex_price_each_call" json:"flex_price_each_call,omitempty"`
	FlexTiers        []PriceTier     `toml:"flex_price_tiers" json:"flex_price_tiers,omitempty"`
	ScaleEachCall    *tollgate.Money `toml:"scale_price_each_call" json:"scale_price_each_call,omitempty"`
	ScaleTiers       []PriceTier     `toml:"scale_price_tiers" json:"scale_price_tiers,omitempty"`
	PriorityEachCall *tollgate.Money `toml:"priority_price_each_call" json:"priority_price_each_call,omitempty"`
	PriorityTiers    []PriceTier     `toml:"priority_price_tiers" json:"priority_price_tiers,omitempty"`
	TokenPrices
}

// PriceTier holds the prices up to a number of input tokens; 0 = without bound.
type PriceTier struct {
	InputTokensUpTo int64 `toml:"input_tokens_up_to" json:"input_tokens_up_to,omitempty"`
	TokenPrices
}

// TokenPrices are dollars per million tokens, by kind of token.
type TokenPrices struct {
	Input             *tollgate.Money `toml:"price_input_tokens" json:"price_input_tokens,omitempty"`
	Output            *tollgate.Money `toml:"price_output_tokens" json:"price_output_tokens,omitempty"`
	CacheRead         *tollgate.Money `toml:"price_cache_read_input_tokens" json:"price_cache_read_input_tokens,omitempty"`
	CacheCreation     *tollgate.Money `toml:"price_cache_creation_input_tokens" json:"price_cache_creation_input_tokens,omitempty"`
	CacheCreation5Min *tollgate.Money `toml:"price_cache_creation_input_tokens_5min" json:"price_cache_creation_input_tokens_5min,omitempty"`
	CacheCreation1h   *tollgate.Money `toml:"price_cache_creation_input_tokens_1h" json:"price_cache_creation_input_tokens_1h,omitempty"`
}

// settlePrices turns prices that stand directly on the model into a single tier, so
// that one meaning has one form. It reports prices given both ways.
func settlePrices(p *Prices) error {
	if p.TokenPrices == (TokenPrices{}) {
		return nil
	}
	if len(p.Tiers) > 0 {
		return tollgate.Invalidf("price_tiers", "prices stand beside price_tiers; put them into the tiers")
	}
	p.Tiers, p.TokenPrices = []PriceTier{{TokenPrices: p.TokenPrices}}, TokenPrices{}
	return nil
}

// JSON returns the price keys as a JSON object with exact numbers, nil when
// there is no price.
func (p Prices) JSON() (json.RawMessage, error) {
	b, err := json.Marshal(p)
	if err != nil || string(b) == "{}" {
		return nil, err
	}
	return b, nil
}

// ParsePrices reads a model's price object, prices that stand directly on it
// as a single tier. Errors are CodeInvalid.
func ParsePrices(b json.RawMessage) (Prices, error) {
	var p Prices
	if len(b) == 0 {
		return p, nil
	}
	keys := map[string]json.RawMessage{}
	if err := json.Unmarshal(b, &keys); err != nil {
		return p, tollgate.WrapError(tollgate.CodeInvalid, err, "the prices cannot be read")
	}
	for _, mode := range []string{"flex_", "scale_", "priority_"} {
		if err := tierOfMode(keys, mode); err != nil {
			return p, err
		}
	}
	whole, err := json.Marshal(keys)
	if err != nil {
		return p, err
	}
	d := json.NewDecoder(bytes.NewReader(whole))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		return p, tollgate.WrapError(tollgate.CodeInvalid, err, "the prices cannot be read")
	}
	return p, settlePrices(&p)
}

// tierOfMode turns the token prices of a service tier that stand directly on
// the object (flex_price_input_tokens…) into its single price tier.
func tierOfMode(keys map[string]json.RawMessage, mode string) error {
	tier := map[string]json.RawMessage{}
	for _, key := range sortedKeys(keys) {
		if name, ok := strings.CutPrefix(key, mode); ok && strings.HasPrefix(name, "price_") && strings.Contains(name, "_tokens") {
			tier[name] = keys[key]
			delete(keys, key)
		}
	}
	if len(tier) == 0 {
		return nil
	}
	raw, err := json.Marshal([]any{tier})
	keys[mode+"price_tiers"] = raw
	return err
}
