package tollgate

import (
	"math"
	"strconv"
	"strings"
)

// Money is an amount in nano-dollars (1 USD = 1e9). Arithmetic on balances is
// checked by its owners; a Money is never a float.
type Money int64

// Dollar is one US dollar.
const Dollar Money = 1_000_000_000

// MaxMoney bounds every amount that comes from outside: a billion dollars.
const MaxMoney Money = 1_000_000_000 * Dollar

// ParseMoney reads a decimal number of dollars with at most 9 decimals,
// exactly: "12", "-0.5", "0.000000001". Exponents are accepted when the value
// stays exact (JSON encoders write 1e-9). NaN, infinities, more decimals and
// amounts beyond MaxMoney are CodeInvalid.
func ParseMoney(s string) (Money, error) {
	bad := func(why string) (Money, error) {
		return 0, Errorf(CodeInvalid, "%s: an amount is a decimal number of dollars with at most 9 decimals, such as 12.50", why)
	}
	mantissa, exp := s, 0
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		n, err := strconv.Atoi(s[i+1:])
		if err != nil || n > 12 || n < -30 {
			return bad("exponent out of range")
		}
		mantissa, exp = s[:i], n
	}
	neg := strings.HasPrefix(mantissa, "-")
	digits := strings.TrimPrefix(mantissa, "-")
	whole, frac, _ := strings.Cut(digits, ".")
	if whole == "" || len(whole)+len(frac) > 40 || strings.Trim(whole+frac, "0123456789") != "" || strings.HasSuffix(digits, ".") {
		return bad("not a number")
	}
	// value = (whole·frac) × 10^(exp-len(frac)); nano = value × 10^9.
	all, shift := strings.TrimLeft(whole+frac, "0"), 9+exp-len(frac)
	for shift < 0 && strings.HasSuffix(all, "0") {
		all, shift = all[:len(all)-1], shift+1
	}
	if all == "" {
		return 0, nil
	}
	if shift < 0 {
		return bad("too many decimals")
	}
	if len(all)+shift > 19 {
		return bad("amount too large")
	}
	n, err := strconv.ParseInt(all+strings.Repeat("0", shift), 10, 64)
	if err != nil || n > int64(MaxMoney) {
		return bad("amount too large")
	}
	if neg {
		n = -n
	}
	return Money(n), nil
}

// String returns the exact decimal dollars without trailing zeros.
func (m Money) String() string {
	sign, u := "", uint64(m) //nolint:gosec // a negative amount is replaced below
	if m < 0 {
		sign, u = "-", uint64(-(m+1))+1 //nolint:gosec // -(m+1) is never negative here
	}
	whole, frac := u/uint64(Dollar), u%uint64(Dollar)
	s := sign + strconv.FormatUint(whole, 10)
	if frac == 0 {
		return s
	}
	f := strconv.FormatUint(frac+uint64(Dollar), 10)[1:]
	return s + "." + strings.TrimRight(f, "0")
}

// MarshalJSON writes the exact decimal as a JSON number.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalJSON reads a JSON number exactly; strings and null are refused.
func (m *Money) UnmarshalJSON(b []byte) error {
	v, err := ParseMoney(string(b))
	if err == nil {
		*m = v
	}
	return err
}

// Add returns m+n and whether it did not overflow.
func (m Money) Add(n Money) (Money, bool) {
	s := m + n
	if (n > 0 && s < m) || (n < 0 && s > m) {
		return Money(math.MaxInt64), false
	}
	return s, true
}
