package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"tollgate"
)

// Prices are the price keys of a model: those of the default service tier,
// and with a prefix those of the others.
type Prices struct {
	ModePrices
	Flex     ModePrices `prefix:"flex_"`
	Scale    ModePrices `prefix:"scale_"`
	Priority ModePrices `prefix:"priority_"`
	Batch    ModePrices `prefix:"batch_"`
}

// ModePrices are the price keys of one service tier: dollars per call and per
// image, and prices by token. After loading, prices by token stand in Tiers
// alone, so that one meaning has one form.
type ModePrices struct {
	EachCall  *tollgate.Money `toml:"price_each_call" json:"price_each_call,omitempty"`
	EachImage *tollgate.Money `toml:"price_each_image" json:"price_each_image,omitempty"`
	Tiers     []PriceTier     `toml:"price_tiers" json:"price_tiers,omitempty"`
	TokenPrices
}

// PriceTier holds the prices up to a number of input tokens; 0 = without bound.
type PriceTier struct {
	InputTokensUpTo WholeTokens `toml:"input_tokens_up_to" json:"input_tokens_up_to,omitempty"`
	TokenPrices
}

// WholeTokens is a number of tokens. JSON may write it as 2e5 or 200000.0.
type WholeTokens int64

// UnmarshalJSON reads a number without a fraction.
func (w *WholeTokens) UnmarshalJSON(b []byte) error {
	var n int64
	if json.Unmarshal(b, &n) == nil {
		*w = WholeTokens(n)
		return nil
	}
	var f float64
	if err := json.Unmarshal(b, &f); err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return tollgate.Invalidf("input_tokens_up_to", "input_tokens_up_to is a number of tokens")
	}
	*w = WholeTokens(f)
	return nil
}

// TokenPrices are dollars per million tokens, by kind of token.
type TokenPrices struct {
	Input             *tollgate.Money `toml:"price_input_tokens" json:"price_input_tokens,omitempty"`
	Output            *tollgate.Money `toml:"price_output_tokens" json:"price_output_tokens,omitempty"`
	CacheRead         *tollgate.Money `toml:"price_cache_read_input_tokens" json:"price_cache_read_input_tokens,omitempty"`
	CacheCreation     *tollgate.Money `toml:"price_cache_creation_input_tokens" json:"price_cache_creation_input_tokens,omitempty"`
	CacheCreation5Min *tollgate.Money `toml:"price_cache_creation_input_tokens_5min" json:"price_cache_creation_input_tokens_5min,omitempty"`
	CacheCreation1h   *tollgate.Money `toml:"price_cache_creation_input_tokens_1h" json:"price_cache_creation_input_tokens_1h,omitempty"`
	Reasoning         *tollgate.Money `toml:"price_reasoning_tokens" json:"price_reasoning_tokens,omitempty"`
	InputAudio        *tollgate.Money `toml:"price_input_audio_tokens" json:"price_input_audio_tokens,omitempty"`
	InputImage        *tollgate.Money `toml:"price_input_image_tokens" json:"price_input_image_tokens,omitempty"`
	OutputAudio       *tollgate.Money `toml:"price_output_audio_tokens" json:"price_output_audio_tokens,omitempty"`
	OutputImage       *tollgate.Money `toml:"price_output_image_tokens" json:"price_output_image_tokens,omitempty"`
}

// modePart is one service tier of Prices.
type modePart struct {
	prefix string
	prices *ModePrices
}

func (p *Prices) modes() []modePart {
	return []modePart{{"", &p.ModePrices}, {"flex_", &p.Flex}, {"scale_", &p.Scale}, {"priority_", &p.Priority}, {"batch_", &p.Batch}}
}

// settlePrices turns prices that stand directly on the model into a single tier, so
// that one meaning has one form. It reports prices given both ways.
func settlePrices(p *Prices) error {
	for _, m := range p.modes() {
		if m.prices.TokenPrices == (TokenPrices{}) {
			continue
		}
		if len(m.prices.Tiers) > 0 {
			return tollgate.Invalidf(m.prefix+"price_tiers", "prices stand beside %sprice_tiers; put them into the tiers", m.prefix)
		}
		m.prices.Tiers, m.prices.TokenPrices = []PriceTier{{TokenPrices: m.prices.TokenPrices}}, TokenPrices{}
	}
	return nil
}

// JSON returns the price keys as a JSON object with exact numbers, nil when
// there is no price.
func (p *Prices) JSON() (json.RawMessage, error) {
	whole := map[string]json.RawMessage{}
	for _, m := range p.modes() {
		part, err := json.Marshal(m.prices)
		if err != nil {
			return nil, err
		}
		keys := map[string]json.RawMessage{}
		if err := json.Unmarshal(part, &keys); err != nil {
			return nil, err
		}
		for key, value := range keys {
			whole[m.prefix+key] = value
		}
	}
	if len(whole) == 0 {
		return nil, nil
	}
	return json.Marshal(whole)
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
	modes := p.modes()
	parts := make([]map[string]json.RawMessage, len(modes))
	for key, value := range keys {
		at, name := 0, key
		for i, m := range modes[1:] {
			if rest, ok := strings.CutPrefix(key, m.prefix); ok {
				at, name = i+1, rest
			}
		}
		if parts[at] == nil {
			parts[at] = map[string]json.RawMessage{}
		}
		parts[at][name] = value
	}
	for i, m := range modes {
		if err := strictly(parts[i], m.prices); err != nil {
			return p, tollgate.WrapError(tollgate.CodeInvalid, err, "the prices cannot be read")
		}
	}
	return p, settlePrices(&p)
}

// strictly decodes an object whose keys must all be known.
func strictly(keys map[string]json.RawMessage, into any) error {
	raw, err := json.Marshal(keys)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// checkPrices settles the prices of a record and reports what cannot be.
func (c *seedCheck) checkPrices(at Place, what string, p *Prices) {
	c.valid(at, settlePrices(p))
	bad := false
	for _, m := range p.modes() {
		bad = bad || negative(m.prices.EachCall, m.prices.EachImage)
		for i, t := range m.prices.Tiers {
			bad = bad || t.negative()
			last := i == len(m.prices.Tiers)-1
			if t.InputTokensUpTo < 0 || (t.InputTokensUpTo == 0 && !last) ||
				(i > 0 && t.InputTokensUpTo != 0 && t.InputTokensUpTo <= m.prices.Tiers[i-1].InputTokensUpTo) {
				addf(c.problems, at, "price tiers of %s must rise in input_tokens_up_to; only the last may leave it out", what)
				break
			}
		}
	}
	if bad {
		addf(c.problems, at, "a price of %s is negative", what)
	}
}

func negative(amounts ...*tollgate.Money) bool {
	for _, a := range amounts {
		if a != nil && *a < 0 {
			return true
		}
	}
	return false
}

func (t TokenPrices) negative() bool {
	return negative(t.Input, t.Output, t.CacheRead, t.CacheCreation, t.CacheCreation5Min, t.CacheCreation1h,
		t.Reasoning, t.InputAudio, t.InputImage, t.OutputAudio, t.OutputImage)
}

// price checks a [[prices]] entry.
func (c *seedCheck) price(p *SeedPrice) {
	c.valid(p.At, tollgate.ValidPattern("model_pattern", p.ModelPattern))
	c.unique(p.At, "price", p.ModelPattern, p.ProviderName)
	what := "pattern " + clip(p.ModelPattern)
	c.checkPrices(p.At, what, &p.Prices)
	if raw, err := p.JSON(); err == nil && raw == nil {
		addf(c.problems, p.At, "%s", fmt.Sprintf("the entry for %s holds no price", what))
	}
}
