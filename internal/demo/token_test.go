package demo

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestTokensJoinToTheText(t *testing.T) {
	for text, n := range map[string]int64{
		"": 0, "   ": 0, "a": 1, "one two  three ": 3, "\n lead": 1, "abcdefghijklmnopq": 2,
		"日本語のとても長い文章": 3, strings.Repeat("x", 160): 10, "\xff\xfe bad": 2,
	} {
		if got := count(text); got != n {
			t.Errorf("count(%q) = %d, want %d: %q", text, got, n, pieces(text))
		}
	}
}

func FuzzTokens(f *testing.F) {
	for _, s := range []string{"", "a b", " x\ty ", "日本 語", "\xffab", strings.Repeat("ab", 50)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p := pieces(s)
		if strings.Join(p, "") != s {
			t.Fatalf("pieces of %q are %q", s, p)
		}
		for _, x := range p {
			if x == "" {
				t.Fatalf("empty piece in %q", p)
			}
		}
	})
}

func TestFillerHasExactlyThatManyTokens(t *testing.T) {
	for _, n := range []int{0, 1, 2, 100} {
		if got := count(filler(n)); got != int64(n) {
			t.Errorf("filler(%d) has %d", n, got)
		}
	}
}

func FuzzDirectives(f *testing.F) {
	for _, s := range []string{"[[demo:status=503]] hi", "[[demo:", "[[demo:]]", "[[demo:cut=-1]]", "[[demo:slow=1h]]x[[demo:nope]]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, rest := parseDirectives(s)
		if len(rest) > len(s) || d.tokens > maxTokens || d.big > maxBytes || d.slow > maxWait || d.calls < 1 || d.calls > 64 {
			t.Fatalf("%q: %+v %q", s, d, rest)
		}
	})
}

func FuzzExample(f *testing.F) {
	for _, s := range []string{
		`{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}},"$defs":{"a":{"$ref":"#/$defs/a"}}}`,
		`{"type":["null","string"]}`, `{"anyOf":[{"type":"ARRAY","items":{"type":"INTEGER"},"minItems":3}]}`, `{"enum":[1]}`, `[]`, `{"const":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) {
			return
		}
		if got := example(raw(s), "What is it in Oslo?"); !json.Valid(got) {
			t.Fatalf("example of %s is %s", s, got)
		}
	})
}
