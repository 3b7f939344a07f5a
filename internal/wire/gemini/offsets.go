package gemini

import "unicode/utf8"

// offsets translates positions in a text that grows: Gemini counts bytes of
// UTF-8, other dialects characters. Up to the first character outside of ASCII
// both are the same and nothing is kept.
type offsets struct {
	size  int    // bytes so far
	plain int    // bytes before the first character outside of ASCII
	text  []byte // from there on, up to maxOffsetText
}

// maxOffsetText bounds what is kept of a text; positions behind it are unknown.
const maxOffsetText = 256 << 10

func (o *offsets) add(s string) {
	o.size += len(s)
	if len(o.text) == 0 {
		n := 0
		for n < len(s) && s[n] < utf8.RuneSelf {
			n++
		}
		o.plain += n
		s = s[n:]
	}
	if room := maxOffsetText - len(o.text); len(s) > 0 && room > 0 {
		o.text = append(o.text, s[:min(len(s), room)]...)
	}
}

// chars returns the number of characters in the first n bytes.
func (o *offsets) chars(n int64) (int64, bool) {
	switch rest := n - int64(o.plain); {
	case n < 0 || n > int64(o.size):
		return 0, false
	case rest <= 0:
		return n, true
	case rest > int64(len(o.text)):
		return 0, false
	default:
		return int64(o.plain + utf8.RuneCount(o.text[:rest])), true
	}
}

// bytes returns the number of bytes of the first n characters.
func (o *offsets) bytes(n int64) (int64, bool) {
	rest := n - int64(o.plain)
	if n < 0 || n > int64(o.size) {
		return 0, false
	}
	if rest <= 0 {
		return n, true
	}
	at := 0
	for ; rest > 0; rest-- {
		if at >= len(o.text) {
			return 0, false
		}
		_, size := utf8.DecodeRune(o.text[at:])
		at += size
	}
	return int64(o.plain + at), true
}
