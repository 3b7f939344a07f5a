package ledger_test

import (
	"testing"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/ledger"
)

func TestAnAnswerHoldsAtMostAQuarterOfWhatIsFree(t *testing.T) {
	perToken := func(input, price tollgate.Money) func(int64) tollgate.Money {
		return func(n int64) tollgate.Money { return input + tollgate.Money(n)*price }
	}
	for name, c := range map[string]struct {
		output     int64
		free       tollgate.Money
		cost       func(int64) tollgate.Money
		wantTokens int64
		wantHold   tollgate.Money
	}{
		"fits":                     {4096, 40_960, perToken(0, 2), 4096, 8192},
		"exactly a quarter":        {4096, 4 * 8192, perToken(0, 2), 4096, 8192},
		"one nano-dollar too much": {4096, 4*8192 - 1, perToken(0, 2), 4095, 8190},
		"the input counts":         {4096, 4 * 8192, perToken(1000, 2), 3596, 8192},
		"down to the floor":        {128_000, 100, perToken(0, 2), 256, 512},
		"nothing is free":          {128_000, 0, perToken(7, 2), 256, 519},
		"a small cap stays":        {100, 0, perToken(0, 2), 100, 200},
		"free of charge":           {128_000, 0, perToken(0, 0), 128_000, 0},
		"nobody limits":            {128_000, tollgate.MaxMoney, perToken(5, 75_000), 128_000, 9_600_000_005},
	} {
		tokens, hold := ledger.Clamp(c.output, ledger.DefaultFloor, c.free, c.cost)
		if tokens != c.wantTokens || hold != c.wantHold {
			t.Errorf("%s: %d tokens for %s, want %d for %s", name, tokens, hold, c.wantTokens, c.wantHold)
		}
	}
}

func TestClampIsTheLargestThatFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		output, floor := rapid.Int64Range(1, 5000).Draw(t, "output"), rapid.Int64Range(1, 600).Draw(t, "floor")
		free := tollgate.Money(rapid.Int64Range(0, 100_000).Draw(t, "free"))
		input, price := rapid.Int64Range(0, 3000).Draw(t, "input"), rapid.Int64Range(0, 90).Draw(t, "price")
		cost := func(n int64) tollgate.Money { return tollgate.Money(input + n*price/7) }
		want := output
		for want > floor && cost(want) > free/4 {
			want--
		}
		tokens, hold := ledger.Clamp(output, floor, free, cost)
		if tokens != want || hold != cost(want) {
			t.Fatalf("%d tokens for %s, want %d for %s", tokens, hold, want, cost(want))
		}
	})
}
