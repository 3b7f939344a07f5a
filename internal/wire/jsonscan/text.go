package jsonscan

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the string whose inner bytes (between the quotes) are raw,
// escapes resolved. It returns false when the text is not proper Unicode:
// bytes that are not UTF-8, or half of a surrogate pair. Decoders disagree
// about those, so no name may hold them. raw must have passed a scan.
func Text(raw []byte) (string, bool) {
	if bytes.IndexByte(raw, '\\') < 0 {
		return string(raw), utf8.Valid(raw)
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		if raw[i+1] != 'u' {
			out = append(out, unescape(raw[i+1]))
			i += 2
			continue
		}
		r := hex4(raw[i+2:])
		i += 6
		if utf16.IsSurrogate(r) {
			if len(raw) < i+6 || raw[i] != '\\' || raw[i+1] != 'u' {
				return "", false
			}
			if r = utf16.DecodeRune(r, hex4(raw[i+2:])); r == utf8.RuneError {
				return "", false
			}
			i += 6
		}
		out = utf8.AppendRune(out, r)
	}
	return string(out), utf8.Valid(out)
}

// String returns the string value (quotes included), and whether it is one
// that Text accepts.
func String(value []byte) (string, bool) {
	if len(value) < 2 || value[0] != '"' {
		return "", false
	}
	return Text(value[1 : len(value)-1])
}

func unescape(c byte) byte {
	switch c {
	case 'b':
		return '\b'
	case 'f':
		return '\f'
	case 'n':
		return '\n'
	case 'r':
		return '\r'
	case 't':
		return '\t'
	default: // quote, backslash, slash
		return c
	}
}

func hex4(b []byte) rune {
	var r rune
	for _, c := range b[:4] {
		d := rune(c | 0x20)
		if d >= 'a' {
			d -= 'a' - 10
		} else {
			d = rune(c) - '0'
		}
		r = r<<4 | d
	}
	return r
}

// AppendString appends s as a JSON string. Bytes that are not UTF-8 become
// U+FFFD; U+2028 and U+2029 are escaped, since some readers take them for line
// ends.
func AppendString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(s[i:])
			switch {
			case r == utf8.RuneError && n == 1:
				dst = append(dst, "\ufffd"...)
			case r == 0x2028 || r == 0x2029:
				dst = append(dst, `\u202`...)
				dst = append(dst, digits[r&0xf])
			default:
				dst = append(dst, s[i:i+n]...)
			}
			i += n
			continue
		}
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ' || c == 0x7f:
			dst = append(dst, `\u00`...)
			dst = append(dst, digits[c>>4], digits[c&0xf])
		default:
			dst = append(dst, c)
		}
		i++
	}
	return append(dst, '"')
}

// Count reads value as a count between 0 and limit: fractions are cut off,
// what is negative becomes 0, what is larger becomes limit. Anything but a
// number gives false.
func Count(value []byte, limit int64) (int64, bool) {
	if len(value) == 0 || (value[0] != '-' && (value[0] < '0' || value[0] > '9')) {
		return 0, false
	}
	if len(value) <= 18 {
		var n int64
		for i, c := range value {
			if c < '0' || c > '9' {
				break
			}
			if n = n*10 + int64(c-'0'); i == len(value)-1 {
				return min(n, limit), true
			}
		}
	}
	// A fraction, an exponent, a sign or many digits. Out of range gives ±Inf.
	f, _ := strconv.ParseFloat(string(value), 64)
	switch {
	case f <= 0 || f != f:
		return 0, true
	case f >= float64(limit):
		return limit, true
	default:
		return int64(f), true
	}
}
