package meter_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/meter"
)

func parse(tb testing.TB, text string) *meter.Prices {
	tb.Helper()
	p, ok, err := meter.Parse("prices", json.RawMessage(text))
	if err != nil || !ok {
		tb.Fatalf("%s: %v, %v", text, ok, err)
	}
	return p
}

func TestCost(t *testing.T) {
	const (
		tiered = `{"price_tiers":[{"input_tokens_up_to":200000,"price_input_tokens":1.25,"price_output_tokens":10,"price_cache_read_input_tokens":0.125},
			{"price_input_tokens":2.5,"price_output_tokens":15}]}`
		cached = `{"price_input_tokens":3,"price_output_tokens":15,"price_cache_read_input_tokens":0.3,
			"price_cache_creation_input_tokens":3.75,"price_cache_creation_input_tokens_1h":6}`
		media = `{"price_input_tokens":1,"price_output_tokens":10,"price_reasoning_tokens":20,"price_input_audio_tokens":4,
			"price_input_image_tokens":2,"price_output_audio_tokens":40,"price_output_image_tokens":30}`
		modes = `{"price_each_call":0.01,"price_input_tokens":2,"flex_price_input_tokens":1,"priority_price_tiers":[{"price_input_tokens":5}],
			"priority_price_each_call":0.02,"batch_price_input_tokens":0.5}`
	)
	million := tollgate.Tokens{Input: 1_000_000}
	for name, c := range map[string]struct {
		prices string
		mode   meter.Mode
		use    meter.Usage
		want   string
	}{
		"input and output":                       {tiered, 0, tokens(tollgate.Tokens{Input: 1000, Output: 100}), "0.00225"},
		"the bound belongs to its tier":          {tiered, 0, tokens(tollgate.Tokens{Input: 200_000}), "0.25"},
		"above it the next":                      {tiered, 0, tokens(tollgate.Tokens{Input: 200_001}), "0.5000025"},
		"cached tokens count for the tier":       {tiered, 0, tokens(tollgate.Tokens{Input: 1, CacheRead: 200_000}), "0.5000025"},
		"cache kinds":                            {cached, 0, tokens(tollgate.Tokens{Input: 1000, CacheRead: 1000, CacheWrite: 1000, CacheWrite1h: 1000}), "0.01305"},
		"a cache without a price is input":       {`{"price_input_tokens":2}`, 0, tokens(tollgate.Tokens{CacheRead: 1000, CacheWrite: 1000, CacheWrite1h: 1000}), "0.006"},
		"one life's price holds for the other":   {`{"price_cache_creation_input_tokens_5min":2}`, 0, tokens(tollgate.Tokens{CacheWrite1h: 1000}), "0.002"},
		"reasoning is part of output":            {`{"price_output_tokens":10}`, 0, tokens(tollgate.Tokens{Output: 1000, Reasoning: 900}), "0.01"},
		"reasoning billed apart":                 {media, 0, tokens(tollgate.Tokens{Output: 1000, Reasoning: 900}), "0.019"},
		"modalities billed apart":                {media, 0, tokens(tollgate.Tokens{Input: 100, InputAudio: 10, InputImage: 20, Output: 100, OutputAudio: 10, OutputImage: 20, Reasoning: 30}), "0.00215"},
		"parts larger than the whole":            {media, 0, tokens(tollgate.Tokens{Input: 10, InputAudio: 99, InputImage: 99, Output: 10, Reasoning: 4, OutputAudio: 99}), "0.00036"},
		"modalities without a price":             {`{"price_input_tokens":1,"price_output_tokens":2}`, 0, tokens(tollgate.Tokens{Input: 100, InputAudio: 60, Output: 100, OutputImage: 50}), "0.0003"},
		"a call":                                 {modes, 0, meter.Usage{Tokens: million, Calls: 1}, "2.01"},
		"flex keeps what it does not say":        {modes, meter.ModeFlex, meter.Usage{Tokens: million, Calls: 1}, "1.01"},
		"priority":                               {modes, meter.ModePriority, meter.Usage{Tokens: million, Calls: 1}, "5.02"},
		"scale has no price: default":            {modes, meter.ModeScale, meter.Usage{Tokens: million, Calls: 1}, "2.01"},
		"batch":                                  {modes, meter.ModeBatch, tokens(million), "0.5"},
		"images":                                 {`{"price_each_image":0.04}`, 0, meter.Usage{Images: 3, Calls: 1}, "0.12"},
		"a fraction of a nano-dollar rounds up":  {`{"price_input_tokens":0.000000001}`, 0, tokens(tollgate.Tokens{Input: 1}), "0.000000001"},
		"fractions are added before they round":  {`{"price_input_tokens":0.0004,"price_output_tokens":0.0006}`, 0, tokens(tollgate.Tokens{Input: 1, Output: 1}), "0.000000001"},
		"sub-nano prices are exact":              {`{"price_input_tokens":0.546875}`, 0, tokens(tollgate.Tokens{Input: 64}), "0.000035"},
		"above a last tier that has a bound":     {`{"price_tiers":[{"input_tokens_up_to":10,"price_input_tokens":1}]}`, 0, tokens(tollgate.Tokens{Input: 1000}), "0.001"},
		"nothing used":                           {cached, 0, meter.Usage{}, "0"},
		"an unheard-of mode":                     {modes, 99, tokens(million), "2"},
		"a trillion tokens at the highest price": {`{"price_input_tokens":1000000}`, 0, tokens(tollgate.Tokens{Input: 1_000_000_000}), "1000000000"},
	} {
		got, err := parse(t, c.prices).Cost(c.mode, c.use)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, c.want)
		}
	}
}

func tokens(t tollgate.Tokens) meter.Usage { return meter.Usage{Tokens: t} }

func TestUsageThatCannotBeIsRefused(t *testing.T) {
	p := parse(t, `{"price_input_tokens":1000000,"price_each_call":1000000}`)
	for name, u := range map[string]meter.Usage{
		"10^18 tokens":       tokens(tollgate.Tokens{Input: 1e18}),
		"every kind at most": tokens(tollgate.Tokens{Input: math.MaxInt64, CacheRead: math.MaxInt64, CacheWrite: math.MaxInt64, CacheWrite1h: math.MaxInt64}),
		"calls":              {Calls: math.MaxInt64},
	} {
		if got, err := p.Cost(0, u); tollgate.ErrorCode(err) != tollgate.CodeInvalid || got != tollgate.MaxMoney {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	for name, u := range map[string]meter.Usage{
		"input": tokens(tollgate.Tokens{Input: -1}), "audio": tokens(tollgate.Tokens{OutputAudio: -1}), "calls": {Calls: -1},
	} {
		if got, err := p.Cost(0, u); tollgate.ErrorCode(err) != tollgate.CodeInvalid || got != 0 {
			t.Errorf("%s: %s, %v", name, got, err)
		}
	}
	if _, err := p.Bound(meter.Ask{Input: -1}); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a negative estimate: %v", err)
	}
	if _, err := p.Bound(meter.Ask{Output: math.MaxInt64, Input: math.MaxInt64}); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
		t.Errorf("a boundless estimate: %v", err)
	}
}

func TestModeOf(t *testing.T) {
	for name, want := range map[string]meter.Mode{
		"": 0, "default": 0, "auto": 0, "standard": 0, "ON_DEMAND": 0, strings.Repeat("x", 1000): 0,
		"flex": meter.ModeFlex, "FLEX": meter.ModeFlex, "SERVICE_TIER_FLEX": meter.ModeFlex, "ON_DEMAND_FLEX": meter.ModeFlex,
		"scale": meter.ModeScale, "priority": meter.ModePriority, "ON_DEMAND_PRIORITY": meter.ModePriority, "batch": meter.ModeBatch,
	} {
		if got := meter.ModeOf(name); got != want {
			t.Errorf("%q is mode %d, want %d", name, got, want)
		}
	}
}

// priceKeys are the keys that the oracle knows, spelt out once more.
func priceKeys() []string {
	return []string{
		"price_input_tokens", "price_output_tokens", "price_cache_read_input_tokens", "price_cache_creation_input_tokens",
		"price_cache_creation_input_tokens_5min", "price_cache_creation_input_tokens_1h", "price_reasoning_tokens",
		"price_input_audio_tokens", "price_output_audio_tokens", "price_input_image_tokens", "price_output_image_tokens",
	}
}

// sheet is a price object as the oracle sees it: per mode a list of tiers.
type sheet struct {
	text   map[string]any
	tiers  map[string][]map[string]json.Number // by prefix
	each   map[string]json.Number
	prices *meter.Prices // where they were parsed already
}

func drawAmount(t *rapid.T, label string) json.Number {
	nano := rapid.OneOf(rapid.Int64Range(0, 100), rapid.Int64Range(0, 1e12), rapid.Int64Range(0, 1e15)).Draw(t, label)
	return json.Number(tollgate.Money(nano).String())
}

func drawSheet(t *rapid.T) sheet {
	s := sheet{text: map[string]any{}, tiers: map[string][]map[string]json.Number{}, each: map[string]json.Number{}}
	for _, prefix := range []string{"", "flex_", "scale_", "priority_", "batch_"} {
		if prefix != "" && rapid.Bool().Draw(t, "mode is default "+prefix) {
			continue
		}
		bound := int64(0)
		count := rapid.IntRange(1, 4).Draw(t, "tiers")
		for i := range count {
			tier := map[string]json.Number{}
			for _, key := range priceKeys() {
				if rapid.Bool().Draw(t, "has "+key) {
					tier[key] = drawAmount(t, key)
				}
			}
			tier["price_input_tokens"] = drawAmount(t, "input")
			bound += rapid.Int64Range(1, 300_000).Draw(t, "bound")
			if i < count-1 || rapid.Bool().Draw(t, "last has a bound") {
				tier["input_tokens_up_to"] = json.Number(strconv.FormatInt(bound, 10))
			}
			s.tiers[prefix] = append(s.tiers[prefix], tier)
		}
		s.text[prefix+"price_tiers"] = s.tiers[prefix]
		for _, key := range []string{"price_each_call", "price_each_image"} {
			if rapid.Bool().Draw(t, "has "+key) {
				s.each[prefix+key] = drawAmount(t, key)
				s.text[prefix+key] = s.each[prefix+key]
			}
		}
	}
	return s
}

func (s sheet) parse(t *rapid.T) *meter.Prices {
	raw, err := json.Marshal(s.text)
	if err != nil {
		t.Fatal(err)
	}
	p, ok, err := meter.Parse("p", raw)
	if err != nil || !ok {
		t.Fatalf("%s: %v %v", raw, ok, err)
	}
	return p
}

func rat(n json.Number) *big.Rat {
	r, ok := new(big.Rat).SetString(string(n))
	if !ok {
		panic(n)
	}
	return r
}

// cost is the price of u by the words of the documentation, in fractions.
func (s sheet) cost(prefix string, u meter.Usage) *big.Rat {
	tiers, each := s.tiers[prefix], func(key string) *big.Rat {
		for _, p := range []string{prefix, ""} {
			if n, ok := s.each[p+key]; ok {
				return rat(n)
			}
		}
		return new(big.Rat)
	}
	if tiers == nil {
		tiers = s.tiers[""]
	}
	prompt := new(big.Int)
	for _, n := range []int64{u.Input, u.CacheRead, u.CacheWrite, u.CacheWrite1h} {
		prompt.Add(prompt, big.NewInt(n))
	}
	tier := tiers[len(tiers)-1]
	for _, t := range tiers {
		if bound, ok := t["input_tokens_up_to"]; !ok || prompt.Cmp(rat(bound).Num()) <= 0 {
			tier = t
			break
		}
	}
	price := func(keys ...string) *big.Rat {
		for _, k := range keys {
			if n, ok := tier[k]; ok {
				return rat(n)
			}
		}
		return new(big.Rat)
	}
	total := new(big.Rat)
	bill := func(n int64, at *big.Rat) { total.Add(total, new(big.Rat).Mul(new(big.Rat).SetInt64(n), at)) }
	const in, out, create = "price_input_tokens", "price_output_tokens", "price_cache_creation_input_tokens"
	audio, reasoning := min(u.InputAudio, u.Input), min(u.Reasoning, u.Output)
	image, spoken := min(u.InputImage, u.Input-audio), min(u.OutputAudio, u.Output-reasoning)
	drawn := min(u.OutputImage, u.Output-reasoning-spoken)
	bill(u.Input-audio-image, price(in))
	bill(audio, price("price_input_audio_tokens", in))
	bill(image, price("price_input_image_tokens", in))
	bill(u.CacheRead, price("price_cache_read_input_tokens", in))
	bill(u.CacheWrite, price(create+"_5min", create, in))
	bill(u.CacheWrite1h, price(create+"_1h", create, create+"_5min", in))
	bill(u.Output-reasoning-spoken-drawn, price(out))
	bill(reasoning, price("price_reasoning_tokens", out))
	bill(spoken, price("price_output_audio_tokens", out))
	bill(drawn, price("price_output_image_tokens", out))
	total.Quo(total, big.NewRat(1_000_000, 1))
	bill(u.Calls, each("price_each_call"))
	bill(u.Images, each("price_each_image"))
	return total
}

// nano rounds dollars up to nano-dollars.
func nano(dollars *big.Rat) *big.Int {
	r := new(big.Rat).Mul(dollars, big.NewRat(1_000_000_000, 1))
	n, rest := new(big.Int).QuoRem(r.Num(), r.Denom(), new(big.Int))
	if rest.Sign() > 0 {
		n.Add(n, big.NewInt(1))
	}
	return n
}

func drawUsage(t *rapid.T) meter.Usage {
	count := func(label string) int64 {
		return rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(0, 5000), rapid.Int64Range(0, 600_000), rapid.Int64Range(0, 1<<40), rapid.Int64()).
			Filter(func(n int64) bool { return n >= 0 }).Draw(t, label)
	}
	return meter.Usage{
		Tokens: tollgate.Tokens{
			Input: count("input"), CacheRead: count("read"), CacheWrite: count("write"), CacheWrite1h: count("1h"), Output: count("output"),
			Reasoning: count("reasoning"), InputAudio: count("audio"), InputImage: count("image"), OutputAudio: count("spoken"), OutputImage: count("drawn"),
		},
		Calls: count("calls"), Images: count("images"),
	}
}

func prefixOf(m meter.Mode) string {
	return []string{"", "flex_", "scale_", "priority_", "batch_"}[m]
}

func drawMode(t *rapid.T) meter.Mode { return meter.Mode(rapid.IntRange(0, 4).Draw(t, "mode")) }

// TestCostIsTheFractionRoundedUp compares with arithmetic in fractions.
func TestCostIsTheFractionRoundedUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u, m := drawSheet(t), drawUsage(t), drawMode(t)
		want := nano(s.cost(prefixOf(m), u))
		got, err := s.parse(t).Cost(m, u)
		if want.Cmp(big.NewInt(int64(tollgate.MaxMoney))) > 0 {
			if err == nil || got != tollgate.MaxMoney {
				t.Fatalf("%v nano-dollars are %v, %v", want, got, err)
			}
			return
		}
		if err != nil || want.Cmp(big.NewInt(int64(got))) != 0 {
			t.Fatalf("%d nano-dollars (%v), want %v", got, err, want)
		}
	})
}

// TestNoUsageWithinAnAskCostsMoreThanItsBound, and Fit is the bound's inverse.
func TestNoUsageWithinAnAskCostsMoreThanItsBound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s, u, m := drawSheet(t), drawUsage(t), drawMode(t)
		u.Calls = min(u.Calls, 1)
		p := s.parse(t)
		prompt := u.Input + u.CacheRead + u.CacheWrite + u.CacheWrite1h
		if max(u.Input, u.CacheRead, u.CacheWrite, u.CacheWrite1h) > 1<<50 {
			return // the sum may not fit
		}
		a := meter.Ask{Mode: m, Input: prompt, Output: u.Output, Images: u.Images}
		if u.CacheWrite+u.CacheWrite1h == 0 {
			a.NoCacheWrite = true
		}
		if u.InputAudio|u.InputImage|u.OutputAudio|u.OutputImage == 0 {
			a.TextOnly = true
		}
		bound, err := p.Bound(a)
		cost, _ := p.Cost(m, u)
		if cost > bound {
			t.Fatalf("cost %s is above the bound %s (%v)", cost, bound, err)
		}
		amount := tollgate.Money(rapid.Int64Range(0, int64(tollgate.MaxMoney)).Draw(t, "amount"))
		n := p.Fit(a, amount)
		checkFit(t, p, a, amount, n)
	})
}

// checkFit looks that n tokens fit and n+1 do not.
func checkFit(t *rapid.T, p *meter.Prices, a meter.Ask, amount tollgate.Money, n int64) {
	if n >= 0 {
		a.Output = n
		if b, err := p.Bound(a); err != nil && amount < tollgate.MaxMoney || b > amount {
			t.Fatalf("%d tokens should fit into %s, but are bound by %s (%v)", n, amount, b, err)
		}
	}
	if n == math.MaxInt64 {
		return
	}
	a.Output = n + 1
	if b, err := p.Bound(a); err == nil && b <= amount {
		t.Fatalf("%d tokens fit into %s, too: their bound is %s", n+1, amount, b)
	}
}

func BenchmarkCost(b *testing.B) {
	p := parse(b, `{"price_tiers":[{"input_tokens_up_to":200000,"price_input_tokens":1.25,"price_output_tokens":10},{"price_input_tokens":2.5,"price_output_tokens":15}]}`)
	u := meter.Usage{Tokens: tollgate.Tokens{Input: 1000, CacheRead: 5000, Output: 700, Reasoning: 300}, Calls: 1}
	for b.Loop() {
		if _, err := p.Cost(meter.ModeDefault, u); err != nil {
			b.Fatal(err)
		}
	}
}
