package tollgate_test

import (
	"encoding/json"
	"math/big"
	"testing"

	"pgregory.net/rapid"

	"tollgate"
)

func TestMoneyParsesExactly(t *testing.T) {
	for in, want := range map[string]tollgate.Money{
		"0": 0, "-0": 0, "1": tollgate.Dollar, "12.5": 12_500_000_000, "0.000000001": 1, "-0.000000001": -1,
		"1e-9": 1, "1.5E3": 1500 * tollgate.Dollar, "10e-10": 1, "0.1000000000": 100_000_000,
		"1000000000": tollgate.MaxMoney, "0001": tollgate.Dollar, "0e12": 0,
	} {
		got, err := tollgate.ParseMoney(in)
		if err != nil || got != want {
			t.Errorf("ParseMoney(%q) = %d, %v; want %d", in, got, err, want)
		}
	}
}

func TestM01MoneyRefusesWhatIsNotAnAmount(t *testing.T) {
	for _, in := range []string{
		"", "-", ".5", "1.", "NaN", "Infinity", "-inf", "0x10", "1_000", "1,5", " 1", "1 ", `"1"`, "null",
		"0.0000000001", "1e-10", "1000000001", "1e10", "1e999999", "9223372036854775808", "1e", "--1", "+1",
	} {
		if got, err := tollgate.ParseMoney(in); err == nil {
			t.Errorf("ParseMoney(%q) = %d, want an error", in, got)
		} else if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("ParseMoney(%q): code %q", in, tollgate.ErrorCode(err))
		}
	}
}

func TestMoneyRoundTripsAndAgreesWithRationals(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := tollgate.Money(rapid.Int64Range(-int64(tollgate.MaxMoney), int64(tollgate.MaxMoney)).Draw(t, "nano"))
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		var back tollgate.Money
		if err := json.Unmarshal(text, &back); err != nil || back != m {
			t.Fatalf("%d → %s → %d, %v", m, text, back, err)
		}
		want := big.NewRat(int64(m), int64(tollgate.Dollar))
		got, ok := new(big.Rat).SetString(string(text))
		if !ok || got.Cmp(want) != 0 {
			t.Fatalf("%s is not %s", text, want)
		}
	})
}

func TestM01MoneyAdditionIsChecked(t *testing.T) {
	const top = tollgate.Money(1<<63 - 1)
	if _, ok := top.Add(1); ok {
		t.Error("overflow not seen")
	}
	if _, ok := (-top).Add(-2); ok {
		t.Error("underflow not seen")
	}
	if s, ok := top.Add(-top); !ok || s != 0 {
		t.Errorf("top-top = %d, %v", s, ok)
	}
}
