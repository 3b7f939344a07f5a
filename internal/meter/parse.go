package meter

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

// maxTiers bounds a tier list.
const maxTiers = 32

// MaxPrice bounds every price: a million dollars per million tokens, per call
// and per image. A higher one is a slip of the decimal point.
const MaxPrice = 1_000_000 * tollgate.Dollar

// The keys of what is not priced by tokens.
const (
	keyTiers = "price_tiers"
	keyCall  = "price_each_call"
	keyImage = "price_each_image"
)

// tokenKey is a key for a price in dollars per million tokens, and the kind
// that it prices. Where several keys price one kind, the first one counts.
type tokenKey struct {
	name string
	kind kind
}

// tokenKeys are in the order in which they count. The last three before the
// modalities are the seed system's: cache writes of unnamed life and by life.
func tokenKeys() []tokenKey {
	return []tokenKey{
		{"price_input_tokens", input},
		{"price_output_tokens", output},
		{"price_cache_read_input_tokens", cacheRead},
		{"price_cache_creation_input_tokens_5min", cacheWrite5m},
		{"price_cache_creation_input_tokens_1h", cacheWrite1h},
		{"price_cache_creation_input_tokens", cacheWrite5m},
		{"price_reasoning_tokens", reasoning},
		{"price_input_audio_tokens", inputAudio},
		{"price_input_image_tokens", inputImage},
		{"price_output_audio_tokens", outputAudio},
		{"price_output_image_tokens", outputImage},
	}
}

func isTokenKey(name string) bool {
	return slices.ContainsFunc(tokenKeys(), func(k tokenKey) bool { return k.name == name })
}

// Canonical checks a price object and returns it compact, nil for none: per
// mode price_each_call, price_each_image (dollars) and price_tiers (a rising
// list with input_tokens_up_to and prices in dollars per million tokens), or
// the prices of a single tier directly. Prices are not negative, at most
// MaxPrice and exact to a nano-dollar. An object without any price is none.
// Errors are CodeInvalid and name the key below field.
func Canonical(field string, raw json.RawMessage) (json.RawMessage, error) {
	_, ok, err := Parse(field, raw)
	if err != nil || !ok {
		return nil, err
	}
	var out bytes.Buffer
	if err := json.Compact(&out, raw); err != nil {
		return nil, tollgate.Invalidf(field, "%s is not JSON", field)
	}
	return out.Bytes(), nil
}

// Parse reads a price object as Canonical describes it; false = it holds no
// price.
func Parse(field string, raw json.RawMessage) (*Prices, bool, error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return nil, false, nil
	}
	keys, err := object(raw)
	if err != nil {
		return nil, false, tollgate.Invalidf(field, "%s %s", field, err)
	}
	var given [modes]reading
	for _, k := range keys {
		if k.null {
			continue // the seed system writes null for "no price"
		}
		mode, name := modeOfKey(k.name)
		if err := given[mode].take(field+"."+k.name, name, k.value); err != nil {
			return nil, false, err
		}
	}
	for i := range given {
		if r := &given[i]; r.hasTiers && r.direct != "" {
			at := field + "." + prefixes()[i] + r.direct
			return nil, false, tollgate.Invalidf(at, "%s stands beside %sprice_tiers; put it into the tiers", at, prefixes()[i])
		}
	}
	p, priced := settle(&given)
	if !priced[ModeDefault] && priced != [modes]bool{} {
		return nil, false, tollgate.Invalidf(field, "%s has prices for a service tier but none for the default; calls without a tier would cost nothing", field)
	}
	return p, priced[ModeDefault], nil
}

// modeOfKey takes the mode's prefix off a key.
func modeOfKey(key string) (Mode, string) {
	for m, prefix := range prefixes() {
		if rest, ok := strings.CutPrefix(key, prefix); ok && prefix != "" {
			return Mode(m), rest
		}
	}
	return ModeDefault, key
}

// reading is what the keys of one mode say.
type reading struct {
	call, image *tollgate.Money
	tiers       []stated
	hasTiers    bool
	single      stated // of the prices that stand on the object itself
	direct      string // the first of them
}

// stated is a tier as written: prices by key.
type stated struct {
	upTo  int64 // 0 = without bound
	price map[string]int64
}

// take reads one key; at names it in messages.
func (r *reading) take(at, name string, value json.RawMessage) (err error) {
	switch {
	case name == keyTiers:
		r.tiers, err = readTiers(at, value)
		r.hasTiers = true
	case name == keyCall:
		r.call, err = readAmount(at, value)
	case name == keyImage:
		r.image, err = readAmount(at, value)
	case isTokenKey(name):
		if r.direct == "" {
			r.direct = name
		}
		err = r.single.set(at, name, value)
	default:
		err = tollgate.Invalidf(at, "%s is no price key; the keys are %s, each also with flex_, scale_, priority_ or batch_ in front", at, keyNames())
	}
	return err
}

func keyNames() string {
	names := []string{keyCall, keyImage, keyTiers}
	for _, k := range tokenKeys() {
		names = append(names, k.name)
	}
	return strings.Join(names, ", ")
}

func (s *stated) set(at, name string, value json.RawMessage) error {
	amount, err := readAmount(at, value)
	if err != nil {
		return err
	}
	if s.price == nil {
		s.price = map[string]int64{}
	}
	s.price[name] = int64(*amount)
	return nil
}

func readTiers(at string, raw json.RawMessage) ([]stated, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(raw, &list); err != nil || len(list) > maxTiers {
		return nil, tollgate.Invalidf(at, "%s is a list of at most %d tiers", at, maxTiers)
	}
	tiers := make([]stated, len(list))
	last := int64(0)
	for i, raw := range list {
		here := fmt.Sprintf("%s[%d]", at, i)
		t, err := readTier(here, raw)
		switch {
		case err != nil:
			return nil, err
		case t.price == nil:
			return nil, tollgate.Invalidf(here, "%s holds no price; a tier that is free says price_input_tokens = 0", here)
		case t.upTo == 0 && i < len(list)-1:
			return nil, tollgate.Invalidf(here, "%s needs input_tokens_up_to; only the last tier may go without", here)
		case t.upTo != 0 && t.upTo <= last:
			return nil, tollgate.Invalidf(here, "%s overlaps the tier before it: the tiers must rise by input_tokens_up_to, and %d is not above %d", here, t.upTo, last)
		}
		tiers[i], last = t, t.upTo
	}
	return tiers, nil
}

func readTier(at string, raw json.RawMessage) (stated, error) {
	var t stated
	keys, err := object(raw)
	if err != nil {
		return t, tollgate.Invalidf(at, "%s %s", at, err)
	}
	for _, k := range keys {
		here := at + "." + k.name
		switch {
		case k.name == "input_tokens_up_to":
			n, ok := wholeNumber(string(k.value))
			if !ok || n <= 0 {
				return t, tollgate.Invalidf(here, "%s is a number of tokens above 0", here)
			}
			t.upTo = n
		case !isTokenKey(k.name):
			return t, tollgate.Invalidf(here, "%s is no key of a price tier", here)
		case k.null:
		default:
			if err := t.set(here, k.name, k.value); err != nil {
				return t, err
			}
		}
	}
	return t, nil
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

// readAmount reads a JSON number of dollars, 0 to MaxPrice.
func readAmount(at string, raw json.RawMessage) (*tollgate.Money, error) {
	if len(raw) == 0 || raw[0] == '"' {
		return nil, tollgate.Invalidf(at, "%s must be a number of dollars", at)
	}
	m, err := tollgate.ParseMoney(string(raw))
	switch {
	case err != nil:
		return nil, tollgate.Invalidf(at, "%s: %s", at, tollgate.AsError(err).Message)
	case m < 0:
		return nil, tollgate.Invalidf(at, "%s must not be negative", at)
	case m > MaxPrice:
		return nil, tollgate.Invalidf(at, "%s is above %s dollars, which no model costs", at, MaxPrice)
	}
	return &m, nil
}

// settle makes Prices of what was read, and says which modes have a price.
// What a mode does not say it takes from the default mode.
func settle(given *[modes]reading) (p *Prices, priced [modes]bool) {
	p = &Prices{}
	for m := range given {
		r, t := &given[m], &p.tariffs[m]
		if m > 0 {
			*t = p.tariffs[ModeDefault]
		}
		if r.direct != "" {
			r.tiers = []stated{r.single}
		}
		if len(r.tiers) > 0 {
			t.tiers = make([]tier, len(r.tiers))
			for i, s := range r.tiers {
				t.tiers[i] = s.settle()
			}
		}
		if r.call != nil {
			t.call = *r.call
		}
		if r.image != nil {
			t.image = *r.image
		}
		priced[m] = r.call != nil || r.image != nil || len(r.tiers) > 0
	}
	return p, priced
}

// settle gives every kind its rate: its own, else that of the kind which
// providers bill it as when they do not price it apart. So a price is never
// lost because a kind has no key, and a kind never costs nothing by accident.
func (s *stated) settle() tier {
	t := tier{upTo: s.upTo}
	if t.upTo == 0 {
		t.upTo = math.MaxInt64
	}
	var has [kinds]bool
	for _, k := range tokenKeys() {
		if price, ok := s.price[k.name]; ok && !has[k.kind] {
			t.rates[k.kind], has[k.kind] = price, true
		}
	}
	if price, ok := s.price["price_cache_creation_input_tokens"]; ok && !has[cacheWrite1h] {
		t.rates[cacheWrite1h], has[cacheWrite1h] = price, true
	}
	for _, f := range []struct{ of, as kind }{
		{cacheRead, input},
		{cacheWrite5m, input},
		{inputAudio, input},
		{inputImage, input},
		{cacheWrite1h, cacheWrite5m},
		{reasoning, output},
		{outputAudio, output},
		{outputImage, output},
	} {
		if !has[f.of] {
			t.rates[f.of] = t.rates[f.as]
		}
	}
	return t
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
		if !ok || slices.ContainsFunc(out, func(m member) bool { return m.name == name }) {
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
