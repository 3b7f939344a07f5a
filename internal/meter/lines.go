package meter

import "tollgate"

// Line is a part of a cost: so many units of a kind at a rate.
type Line struct {
	// Kind is the unit: input, cache_read, cache_write, cache_write_1h,
	// input_audio, input_image, output, reasoning, output_audio, output_image,
	// call, image.
	Kind string
	N    int64
	// Rate is nano-dollars for a million tokens, or for one call or image.
	Rate tollgate.Money
	// Amount is rounded up; the cost of all lines is rounded once, so that it may
	// be some nano-dollars less than their sum.
	Amount tollgate.Money
}

// Lines says what the cost of u in a mode is made of; what is not used is left
// out. Errors are as for Cost.
func (p *Prices) Lines(m Mode, u Usage) ([]Line, error) {
	if _, err := p.Cost(m, u); err != nil {
		return nil, err
	}
	t, n := p.tariff(m), split(&u.Tokens)
	var prompt int64
	for k := range firstOutput {
		prompt += n[k]
	}
	rates := t.tier(prompt)
	var out []Line
	names := [kinds]string{
		input: "input", cacheRead: "cache_read", cacheWrite5m: "cache_write", cacheWrite1h: "cache_write_1h", inputAudio: "input_audio",
		inputImage: "input_image", output: "output", reasoning: "reasoning", outputAudio: "output_audio", outputImage: "output_image",
	}
	for k, count := range n {
		if count > 0 {
			var s sum
			s.add(rates[k], count)
			amount, _ := s.money() // the whole is within bounds
			out = append(out, Line{names[k], count, tollgate.Money(rates[k]), amount})
		}
	}
	for _, each := range []struct {
		kind   string
		amount tollgate.Money
		n      int64
	}{{"call", t.call, u.Calls}, {"image", t.image, u.Images}} {
		if each.n > 0 && each.amount > 0 {
			out = append(out, Line{each.kind, each.n, each.amount, each.amount * tollgate.Money(each.n)})
		}
	}
	return out, nil
}
