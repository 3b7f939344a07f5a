package tollgate_test

import (
	"strings"
	"testing"
	"time"

	"tollgate"
)

func TestMatchGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*", "", true},
		{"*", "a/b", true},
		{"gpt-*", "gpt-4o", true},
		{"gpt-*", "Gpt-4o", false},
		{"*-mini", "gpt-4o-mini", true},
		{"*-mini", "gpt-4o-mini-x", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"a?c", "aéc", true},
		{"meta/*/x", "meta/llama/3/x", true},
		{"", "", true},
		{"", "a", false},
		{"a**b", "ab", true},
		{"[a]", "a", false},
		{"a.c", "abc", false},
	} {
		if got := tollgate.MatchGlob(c.pattern, c.name); got != c.want {
			t.Errorf("MatchGlob(%q, %q) = %v", c.pattern, c.name, got)
		}
	}
}

func TestMatchGlobStaysFastOnHostilePatterns(t *testing.T) {
	start := time.Now()
	if tollgate.MatchGlob(strings.Repeat("*a", 128), strings.Repeat("a", 255)+"b") {
		t.Fatal("matched")
	}
	if d := time.Since(start); d > time.Second {
		t.Fatalf("took %v", d)
	}
}

func FuzzMatchGlob(f *testing.F) {
	f.Add("gpt-*", "gpt-4o")
	f.Add("a?c", "aéc")
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if len(pattern) > 64 || len(name) > 256 {
			return
		}
		got := tollgate.MatchGlob(pattern, name)
		if !got && !strings.ContainsAny(pattern, "*?") && pattern == name {
			t.Fatal("a literal does not match itself")
		}
		if !tollgate.MatchGlob("*"+pattern+"*", "x"+name+"y") && got {
			t.Fatal("widening a pattern removed a match")
		}
	})
}
