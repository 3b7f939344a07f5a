package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"tollgate/internal/wire/jsonscan"
)

func verdicts() map[string]bool {
	return map[string]bool{
		`{}`: true, `[]`: true, ` {"a" : [1 , -2.5e+3, true,false,null,"x"] } `: true,
		`"\u00e9\ud83d\ude00\n\/"`: true, "\"caf\xc3\xa9\"": true, "\"\xff\"": true, `"\ud800"`: true,
		`0`: true, `-0`: true, `0.5E-7`: true, `{"a":1,"a":2}`: true,
		``: false, ` `: false, `{`: false, `{"a"`: false, `{"a":`: false, `{"a":1`: false, `{"a":1,}`: false, `[1,]`: false,
		`{a:1}`: false, `{'a':1}`: false, `01`: false, `1.`: false, `.5`: false, `1e`: false, `+1`: false, `-`: false,
		`tru`: false, `nul`: false, `truex`: false, `"a`: false, `"\x"`: false, `"\u12g4"`: false, `"\u12`: false, "\"\t\"": false, "\"\x00\"": false,
		`{} {}`: false, `[1 2]`: false, `{"a":1 "b":2}`: false, "\xef\xbb\xbf{}": false, `{,}`: false, `[,]`: false, `NaN`: false,
		"\"aaaaaaaaaaaaaaaa\x01\"": false, "\"aaaaaaa\x1f\"": false, "\"aaaaaaaaaaaaaaaaaaaaaaaa\\": false,
	}
}

func TestValidAgreesWithKnownVerdicts(t *testing.T) {
	for text, want := range verdicts() {
		err := jsonscan.Limits{}.Valid([]byte(text))
		if (err == nil) != want {
			t.Errorf("Valid(%q) = %v, want ok %v", text, err, want)
		}
		if json.Valid([]byte(text)) != want {
			t.Errorf("encoding/json disagrees with the table about %q", text)
		}
	}
}

func FuzzValid(f *testing.F) {
	for text := range verdicts() {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := jsonscan.Limits{}.Valid(b) == nil
		if want := json.Valid(b); got != want {
			t.Fatalf("Valid(%q) = %v, encoding/json says %v", b, got, want)
		}
		if !got || len(b) == 0 {
			return
		}
		checkWalks(t, b)
	})
}

// checkWalks compares the walkers with a full decode.
func checkWalks(t *testing.T, b []byte) {
	t.Helper()
	at := jsonscan.Space(b, 0)
	switch b[at] {
	case '{':
		var want map[string]json.RawMessage
		if json.Unmarshal(b, &want) != nil {
			return
		}
		got := map[string]string{}
		o := jsonscan.Limits{}.Object(b, at, 0)
		for o.Next() {
			key, ok := jsonscan.Text(o.Key.Of(b))
			if !ok {
				return // encoding/json replaces what is not Unicode
			}
			got[key] = string(o.Value.Of(b))
		}
		if o.Err() != nil || jsonscan.Space(b, o.End) != len(b) {
			t.Fatalf("walk of %q: %v, end %d", b, o.Err(), o.End)
		}
		if len(got) != len(want) {
			t.Fatalf("walk of %q gave %d members, want %d", b, len(got), len(want))
		}
		for k, v := range want {
			if got[k] != string(v) {
				t.Fatalf("member %q of %q is %q, want %q", k, b, got[k], v)
			}
		}
	case '[':
		var want []json.RawMessage
		if json.Unmarshal(b, &want) != nil {
			return
		}
		a := jsonscan.Limits{}.Array(b, at, 0)
		n := 0
		for ; a.Next(); n++ {
			if n >= len(want) || !bytes.Equal(a.Value.Of(b), want[n]) {
				t.Fatalf("element %d of %q is %q", n, b, a.Value.Of(b))
			}
		}
		if n != len(want) || a.Err() != nil {
			t.Fatalf("walk of %q gave %d elements (%v), want %d", b, n, a.Err(), len(want))
		}
	case '"':
		var want string
		if json.Unmarshal(b, &want) != nil {
			return
		}
		got, ok := jsonscan.String(bytes.TrimSpace(b))
		if ok && got != want {
			t.Fatalf("String(%q) = %q, want %q", b, got, want)
		}
		if !ok && !strings.ContainsRune(want, utf8.RuneError) {
			t.Fatalf("String(%q) refused, encoding/json reads %q", b, want)
		}
	}
}

func TestWalkReportsWhatFollowsAMember(t *testing.T) {
	for _, text := range []string{`{"a":1`, `{"a":1;`, `{"a":1,`, `{"a":1,}`, `{"a" 1}`, `{"a":}`, `[`, `x`, ``} {
		o := jsonscan.Limits{}.Object([]byte(text), 0, 0)
		for o.Next() {
		}
		if o.Err() == nil {
			t.Errorf("walking %q reported no error", text)
		}
	}
	for _, text := range []string{`[1`, `[1;`, `[1,`, `[1,]`, `{}`, ``} {
		a := jsonscan.Limits{}.Array([]byte(text), 0, 0)
		for a.Next() {
		}
		if a.Err() == nil {
			t.Errorf("walking %q reported no error", text)
		}
	}
}

func TestD04LimitsDepthAndItems(t *testing.T) {
	kind := func(err error) jsonscan.Kind {
		e, ok := errors.AsType[*jsonscan.Error](err)
		if !ok {
			t.Fatalf("error is %v, want a *jsonscan.Error", err)
		}
		return e.Kind
	}
	lim := jsonscan.Limits{Depth: 64, Items: 100}
	nest := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	if err := lim.Valid(nest(64)); err != nil {
		t.Errorf("depth 64 refused: %v", err)
	}
	if err := lim.Valid(nest(65)); kind(err) != jsonscan.KindDepth {
		t.Errorf("depth 65: %v", err)
	}
	if err := (jsonscan.Limits{}).Valid(nest(1_000_000)); kind(err) != jsonscan.KindDepth {
		t.Errorf("a million brackets: %v", err)
	}
	objects := func(n int) []byte { return []byte("[" + strings.TrimSuffix(strings.Repeat("{},", n), ",") + "]") }
	if err := lim.Valid(objects(100)); err != nil {
		t.Errorf("100 objects refused: %v", err)
	}
	if err := lim.Valid(objects(101)); kind(err) != jsonscan.KindItems {
		t.Errorf("101 objects: %v", err)
	}
	if err := lim.Valid([]byte("[" + strings.Repeat("1,", 5000) + "1]")); err != nil {
		t.Errorf("an array of numbers refused: %v", err)
	}
}

func TestTextRefusesWhatIsNotUnicode(t *testing.T) {
	for raw, want := range map[string]string{
		`abc`: "abc", `a\u0062c`: "abc", `\ud83d\ude00`: "😀", `\"\\\/\b\f\n\r\t`: "\"\\/\b\f\n\r\t", `é`: "é",
	} {
		if got, ok := jsonscan.Text([]byte(raw)); !ok || got != want {
			t.Errorf("Text(%q) = %q, %v", raw, got, ok)
		}
	}
	for _, raw := range []string{"\xff", `\ud83d`, `\ud83dx`, `\ud83d\u0041`, `\ude00\ud83d`, "a\\n\xc0\xaf"} {
		if got, ok := jsonscan.Text([]byte(raw)); ok {
			t.Errorf("Text(%q) = %q, want a refusal", raw, got)
		}
	}
}

func TestAppendStringIsReadBackByEncodingJSON(t *testing.T) {
	for _, s := range []string{"", "plain", "a\"b\\c/d", "\x00\x1f\x7f\n\r\t", "é😀\u2028\u2029", "half \xff byte"} {
		var got string
		if err := json.Unmarshal(jsonscan.AppendString(nil, s), &got); err != nil || got != strings.ToValidUTF8(s, "\ufffd") {
			t.Errorf("AppendString(%q) reads back as %q, %v", s, got, err)
		}
	}
}

func TestCountClampsOddNumbers(t *testing.T) {
	for in, want := range map[string]int64{
		"0": 0, "7": 7, "-5": 0, "12.9": 12, "1e3": 1000, "1e300": 1 << 40, "99999999999999999999999": 1 << 40, "-1e999": 0, "1e999": 1 << 40,
		"123456789012345678": 1 << 40,
	} {
		if got, ok := jsonscan.Count([]byte(in), 1<<40); !ok || got != want {
			t.Errorf("Count(%s) = %d, %v, want %d", in, got, ok, want)
		}
	}
	for _, in := range []string{"", `"7"`, "null", "{}", "true"} {
		if _, ok := jsonscan.Count([]byte(in), 1<<40); ok {
			t.Errorf("Count(%s) accepted", in)
		}
	}
}

func BenchmarkValid(b *testing.B) {
	long := []byte(`{"a":"` + strings.Repeat("the quick brown fox ", 5000) + `"}`)
	b.SetBytes(int64(len(long)))
	for b.Loop() {
		if (jsonscan.Limits{}).Valid(long) != nil {
			b.Fatal("refused")
		}
	}
}
