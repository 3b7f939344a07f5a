package demo

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longWord is the number of bytes of a word that make one token.
const longWord = 16

// pieces cuts s into its tokens; joined they are s again.
func pieces(s string) []string {
	var out []string
	start, word := 0, 0 // word = bytes of the piece that are not white space
	for i, r := range s {
		space := unicode.IsSpace(r)
		switch {
		case space && word > 0, !space && word+utf8.RuneLen(r) > longWord:
			out = append(out, s[start:i])
			start, word = i, 0
		}
		if !space {
			word += max(utf8.RuneLen(r), 1)
		}
	}
	if start < len(s) {
		if word == 0 && len(out) > 0 { // trailing white space belongs to the last word
			out[len(out)-1] += s[start:]
		} else {
			out = append(out, s[start:])
		}
	}
	return out
}

// count returns the number of tokens of s.
func count(s string) int64 {
	if strings.TrimSpace(s) == "" {
		return 0
	}
	return int64(len(pieces(s)))
}

// filler returns a text of exactly n tokens.
func filler(n int) string {
	words := strings.Fields("the quick brown fox jumps over the lazy dog while seven patient engineers count every token that passes by")
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(words[i%len(words)])
	}
	return b.String()
}
