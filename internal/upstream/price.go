package upstream

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"tollgate"
)

// maxPriceTiers bounds a tier list.
const maxPriceTiers = 32

// tierKeys are the prices of one tier, in dollars per million tokens.
func tierKeys() []string {
	return []string{
		"price_input_tokens", "price_output_tokens", "price_cache_read_input_tokens", "price_cache_creation_input_tokens",
		"price_cache_creation_input_tokens_5min", "price_cache_creation_input_tokens_1h",
	}
}

// priceModes are the prefixes of the service tiers that may be priced apart.
func priceModes() []string { return []string{"", "flex_", "scale_", "priority_"} }

// ValidPrices checks a model's price object and returns it compact, nil for
// none: per mode price_each_call (dollars) and price_tiers (a rising list with
// input_tokens_up_to and prices in dollars per million tokens), or the prices
// of a single tier directly. Prices are not negative and exact to a
// nano-dollar. Errors are CodeInvalid and name the key below field.
func ValidPrices(field string, raw json.RawMessage) (json.RawMessage, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	keys, err := object(raw)
	if err != nil {
		return nil, tollgate.Invalidf(field, "%s %s", field, err)
	}
	for _, k := range keys {
		mode, name := splitMode(k.name)
		at := field + "." + k.name
		switch {
		case k.null: // the seed system writes null for "no price"
		case name == "price_tiers":
			if err := validTiers(at, k.value); err != nil {
				return nil, err
			}
		case name == "price_each_call" || slices.Contains(tierKeys(), name):
			if err := validPrice(at, k.value); err != nil {
				return nil, err
			}
			if name != "price_each_call" && hasKey(keys, mode+"price_tiers") {
				return nil, tollgate.Invalidf(at, "%s stands beside %sprice_tiers; put it into the tiers", at, mode)
			}
		default:
			return nil, tollgate.Invalidf(at, "%s is no price key; the keys are price_each_call, price_tiers, %s, each also with flex_, scale_ or priority_ in front",
				at, strings.Join(tierKeys(), ", "))
		}
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, tollgate.Invalidf(field, "%s is not JSON", field)
	}
	return out.Bytes(), nil
}

func splitMode(key string) (mode, name string) {
	for _, m := range priceModes()[1:] {
		if rest, ok := strings.CutPrefix(key, m); ok {
			return m, rest
		}
	}
	return "", key
}

func hasKey(keys []member, name string) bool {
	return slices.ContainsFunc(keys, func(m member) bool { return m.name == name })
}

func validTiers(at string, raw json.RawMessage) error {
	var tiers []json.RawMessage
	if err := json.Unmarshal(raw, &tiers); err != nil || len(tiers) > maxPriceTiers {
		return tollgate.Invalidf(at, "%s is a list of at most %d tiers", at, maxPriceTiers)
	}
	last := int64(0)
	for i, t := range tiers {
		here := fmt.Sprintf("%s[%d]", at, i)
		keys, err := object(t)
		if err != nil {
			return tollgate.Invalidf(here, "%s %s", here, err)
		}
		bound := int64(0) // 0 = none
		for _, k := range keys {
			switch {
			case k.name == "input_tokens_up_to":
				n, ok := wholeNumber(string(k.value))
				if !ok || n <= 0 {
					return tollgate.Invalidf(here+"."+k.name, "%s.%s is a number of tokens above 0", here, k.name)
				}
				bound = n
			case slices.Contains(tierKeys(), k.name):
				if k.null {
					continue
				}
				if err := validPrice(here+"."+k.name, k.value); err != nil {
					return err
				}
			default:
				return tollgate.Invalidf(here+"."+k.name, "%s.%s is no key of a price tier", here, k.name)
			}
		}
		switch {
		case bound == 0 && i < len(tiers)-1:
			return tollgate.Invalidf(here, "%s needs input_tokens_up_to; only the last tier may go without", here)
		case bound != 0 && bound <= last:
			return tollgate.Invalidf(here, "%s: the tiers must rise by input_tokens_up_to", here)
		}
		last = bound
	}
	return nil
}

// wholeNumber reads a JSON number without a fraction, also as 2e5 or 200000.0.
func wholeNumber(s string) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// validPrice accepts a JSON number of dollars, 0 or more.
func validPrice(at string, raw json.RawMessage) error {
	if len(raw) == 0 || raw[0] == '"' {
		return tollgate.Invalidf(at, "%s must be a number of dollars", at)
	}
	m, err := tollgate.ParseMoney(string(raw))
	if err != nil {
		return tollgate.Invalidf(at, "%s: %s", at, tollgate.AsError(err).Message)
	}
	if m < 0 {
		return tollgate.Invalidf(at, "%s must not be negative", at)
	}
	return nil
}

// member is one key of a JSON object.
type member struct {
	name  string
	value json.RawMessage
	null  bool
}

// object reads a JSON object in order and refuses a key that comes twice.
func object(raw json.RawMessage) ([]member, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("must be an object")
	}
	var out []member
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return nil, errors.New("is not JSON")
		}
		name, ok := t.(string)
		if !ok || hasKey(out, name) {
			return nil, fmt.Errorf("has the key %q twice", name)
		}
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return nil, errors.New("is not JSON")
		}
		out = append(out, member{name, v, string(v) == "null"})
	}
	if _, err := dec.Token(); err != nil || dec.More() {
		return nil, errors.New("is not JSON")
	}
	return out, nil
}
