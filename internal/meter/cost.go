package meter

import (
	"math"
	"math/bits"

	"tollgate"
)

// million is the tokens that a rate is for.
const million = 1_000_000

// sum is a product of rates and tokens: millionths of a nano-dollar, in 128 bits.
type sum struct {
	hi, lo uint64
	bad    bool // it went beyond 128 bits
}

// add adds n tokens at a rate; both are 0 or more.
func (s *sum) add(rate, n int64) {
	hi, lo := bits.Mul64(uint64(rate), uint64(n)) //nolint:gosec // neither is negative
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, lo, 0)
	s.hi, carry = bits.Add64(s.hi, hi, carry)
	s.bad = s.bad || carry != 0
}

// addEach adds n times an amount; both are 0 or more.
func (s *sum) addEach(amount tollgate.Money, n int64) {
	hi, lo := bits.Mul64(uint64(amount), uint64(n)) //nolint:gosec // neither is negative
	s.bad = s.bad || hi != 0 || lo > math.MaxInt64
	s.add(million, int64(lo)) //nolint:gosec // else it is bad
}

// money rounds up to a nano-dollar, the only rounding there is.
func (s *sum) money() (tollgate.Money, error) {
	if !s.bad && s.hi < million {
		quotient, rest := bits.Div64(s.hi, s.lo, million)
		if rest > 0 && quotient < math.MaxUint64 {
			quotient++
		}
		if quotient <= uint64(tollgate.MaxMoney) {
			return tollgate.Money(quotient), nil
		}
	}
	return tollgate.MaxMoney, tollgate.Errorf(tollgate.CodeInvalid, "the usage costs more than a billion dollars; its numbers cannot be right")
}

// Cost is what u costs in a mode. Which tier holds is decided by all tokens of
// the prompt, cached or not. Errors are CodeInvalid: a negative count, and a
// cost above tollgate.MaxMoney, which is also what is returned with it.
func (p *Prices) Cost(m Mode, u Usage) (tollgate.Money, error) {
	if negative(&u) {
		return 0, tollgate.Errorf(tollgate.CodeInvalid, "a usage has a negative count")
	}
	t := p.tariff(m)
	n := split(&u.Tokens)
	var prompt int64
	for k := range firstOutput {
		if prompt += n[k]; prompt < 0 {
			prompt = math.MaxInt64
			break
		}
	}
	var s sum
	rates := t.tier(prompt)
	for k := range n {
		s.add(rates[k], n[k])
	}
	s.addEach(t.call, u.Calls)
	s.addEach(t.image, u.Images)
	return s.money()
}

func (p *Prices) tariff(m Mode) *tariff {
	if m >= modes {
		m = ModeDefault
	}
	return &p.tariffs[m]
}

func negative(u *Usage) bool {
	t := &u.Tokens
	return t.Input|t.CacheRead|t.CacheWrite|t.CacheWrite1h|t.InputAudio|t.InputImage|
		t.Output|t.Reasoning|t.OutputAudio|t.OutputImage|u.Calls|u.Images < 0
}

// Ask is what a call may come to use, before it is sent: an estimate of its
// prompt, so many tokens of output, so many images.
type Ask struct {
	Mode                  Mode
	Input, Output, Images int64
	// TextOnly says that there is no audio and no image in the prompt and none asked for.
	TextOnly bool
	// NoCacheWrite says that the provider will not bill the writing of a cache.
	NoCacheWrite bool
}

// may reports whether tokens of kind k can come of the call.
func (a *Ask) may(k kind) bool {
	switch k {
	case inputAudio, inputImage, outputAudio, outputImage:
		return !a.TextOnly
	case cacheWrite5m, cacheWrite1h:
		return !a.NoCacheWrite
	case input, cacheRead, output, reasoning:
	}
	return true
}

// dearest returns the highest rates of prompt and output over the kinds that
// may come and the tiers that a prompt of up to a.Input tokens can reach.
func (p *Prices) dearest(a *Ask) (in, out int64) {
	for _, t := range p.tariff(a.Mode).tiers {
		for k := range kind(kinds) {
			switch {
			case !a.may(k):
			case k < firstOutput:
				in = max(in, t.rates[k])
			default:
				out = max(out, t.rates[k])
			}
		}
		if a.Input <= t.upTo {
			break
		}
	}
	return in, out
}

// Bound is the most that the call can cost: no usage within a costs more.
// Errors are as for Cost.
func (p *Prices) Bound(a Ask) (tollgate.Money, error) {
	if a.Input|a.Output|a.Images < 0 {
		return 0, tollgate.Errorf(tollgate.CodeInvalid, "an estimate has a negative count")
	}
	s, out := p.fixed(&a)
	s.add(out, a.Output)
	return s.money()
}

// fixed is the part of a bound that does not depend on the output, and the
// rate of the part that does.
func (p *Prices) fixed(a *Ask) (s sum, out int64) {
	in, out := p.dearest(a)
	t := p.tariff(a.Mode)
	s.add(in, a.Input)
	s.addEach(t.call, 1)
	s.addEach(t.image, a.Images)
	return s, out
}

// Fit is the inverse of Bound: the most tokens of output for which the bound
// of a, whose Output is not looked at, is within amount. It is -1 when not
// even the prompt fits, and math.MaxInt64 when output costs nothing.
func (p *Prices) Fit(a Ask, amount tollgate.Money) int64 {
	if a.Input|a.Images < 0 || amount < 0 {
		return -1
	}
	s, out := p.fixed(&a)
	hi, lo := bits.Mul64(uint64(amount), million)
	lo, borrow := bits.Sub64(lo, s.lo, 0)
	hi, borrow = bits.Sub64(hi, s.hi, borrow)
	switch {
	case borrow != 0 || s.bad:
		return -1
	case out == 0 || hi >= uint64(out): //nolint:gosec // a rate is never negative
		return math.MaxInt64
	}
	n, _ := bits.Div64(hi, lo, uint64(out)) //nolint:gosec // a rate is never negative
	return int64(min(n, math.MaxInt64))
}
