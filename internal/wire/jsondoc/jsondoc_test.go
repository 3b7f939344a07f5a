package jsondoc_test

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/wire/jsondoc"
)

func parse(t *testing.T, text string, o jsondoc.Options) *jsondoc.Object {
	t.Helper()
	obj, err := jsondoc.Parse([]byte(text), o)
	if err != nil {
		t.Fatal(err)
	}
	return obj
}

func TestReaderNamesThePlaceOfTheFirstMistake(t *testing.T) {
	tests := map[string]struct {
		read  func(o *jsondoc.Object)
		field string
	}{
		`{"a":{"b":[1,{"c":"x"}]}}`: {func(o *jsondoc.Object) { o.Object("a").Array("b")[1].Object().Int("c") }, "a.b[1].c"},
		`{"a":1.5}`:                 {func(o *jsondoc.Object) { o.Int("a") }, "a"},
		`{"a":"\ud800"}`:            {func(o *jsondoc.Object) { o.Str("a") }, "a"},
		`{"a":[1],"b":true}`:        {func(o *jsondoc.Object) { o.Strings("a"); o.Str("b") }, "a[0]"},
		`{"a":null}`:                {func(o *jsondoc.Object) { o.Need("a") }, "a"},
		`{"a":{}}`:                  {func(o *jsondoc.Object) { o.Array("a") }, "a"},
		`{"a":"no"}`:                {func(o *jsondoc.Object) { o.Bool("a") }, "a"},
		`{"a":[]}`:                  {func(o *jsondoc.Object) { o.Object("a").Str("b") }, "a"},
	}
	for text, tt := range tests {
		o := parse(t, text, jsondoc.Options{})
		tt.read(o)
		if got := tollgate.AsError(o.Err()); o.Err() == nil || got.Field != tt.field {
			t.Errorf("%s: %v, want a mistake at %s", text, o.Err(), tt.field)
		}
	}
}

func TestReaderTakesAbsentAndNullAlike(t *testing.T) {
	for _, text := range []string{`{}`, `{"a":null}`} {
		o := parse(t, text, jsondoc.Options{})
		if o.Str("a") != "" || o.Int("a") != nil || o.Bool("a") != nil || o.Object("a").Present() || o.Array("a") != nil || o.Raw("a") != nil {
			t.Errorf("%s: something was found", text)
		}
		if o.Object("a").Object("b").Str("c"); o.Err() != nil {
			t.Errorf("%s: %v", text, o.Err())
		}
	}
}

func TestReaderKnowsWhatNobodyAskedFor(t *testing.T) {
	o := parse(t, `{"a":1,"b":null,"c":{"d":2},"e_f":[3]}`, jsondoc.Options{Snake: true})
	if n := o.Int("a"); n == nil || *n != 1 {
		t.Error("a is not 1")
	}
	if len(o.Array("eF")) != 1 {
		t.Error("e_f is not found as eF")
	}
	rest := map[string]string{}
	o.Rest(func(name string, raw json.RawMessage) { rest[name] = string(raw) })
	if diff := cmp.Diff(map[string]string{"c": `{"d":2}`}, rest); diff != "" {
		t.Error(diff)
	}
}

func TestLenientReaderTakesHalfCharacters(t *testing.T) {
	o := parse(t, `{"a":"x\ud83d","b":"y"}`, jsondoc.Options{Lenient: true})
	if a, b := o.Str("a"), o.Str("b"); a != "x\ufffd" || b != "y" || o.Err() != nil {
		t.Errorf("a is %q, b is %q, %v", a, b, o.Err())
	}
}

func TestParseRefusesWhatIsNoObject(t *testing.T) {
	for _, text := range []string{``, `[]`, `{`, `{} x`, `"a"`} {
		if _, err := jsondoc.Parse([]byte(text), jsondoc.Options{}); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWriterWritesWhatItIsTold(t *testing.T) {
	w := jsondoc.NewWriter(nil)
	n, f := int64(-3), 0.1
	w.Object("")
	w.Str("s", "a\"\n\u2028")
	w.OptStr("none", "")
	w.OptInt("i", &n)
	w.OptInt("j", nil)
	w.OptFloat("f", &f)
	w.Float("g", 1e21)
	w.Array("l")
	w.Object("")
	w.End()
	w.Int("", 1)
	w.Array("")
	w.End()
	w.End()
	w.Strings("t", []string{"x", "y"})
	w.Raw("r", json.RawMessage(`{"z":1}`))
	w.Raw("q", nil)
	w.Bool("b", true)
	w.Str("", "empty name")
	w.End()
	want := `{"s":"a\"\n\u2028","i":-3,"f":0.1,"g":1e+21,"l":[{},1,[]],"t":["x","y"],"r":{"z":1},"q":null,"b":true,"":"empty name"}`
	if got := string(w.Bytes()); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if !json.Valid(w.Bytes()) {
		t.Error("it is not JSON")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(`{"a":{"b":[1,"x",null,true,{}]},"c_d":"\u00e4"}`)
	f.Fuzz(func(t *testing.T, text string) {
		o, err := jsondoc.Parse([]byte(text), jsondoc.Options{Snake: true})
		if err != nil {
			return
		}
		if !json.Valid([]byte(text)) {
			t.Fatalf("%q was taken for JSON", text)
		}
		for _, k := range o.Keys() {
			v := o.Get(k)
			v.Str()
			v.Int()
			v.Bool()
			v.Object().Keys()
			for _, e := range v.Array() {
				e.Float()
				_ = e.Path()
			}
		}
		o.Rest(func(string, json.RawMessage) { t.Fatal("something was left over") })
	})
}

func TestWriterTakesBackWhatTurnedOutEmpty(t *testing.T) {
	var w jsondoc.Writer
	w.Object("")
	w.Str("a", "x")
	before := w.Len()
	w.Object("b")
	w.Array("c")
	w.Undo(before, 2)
	w.Array("d")
	before = w.Len()
	w.Object("")
	w.Undo(before, 1)
	w.Int("", 1)
	w.End()
	w.End()
	if got := string(w.Bytes()); got != `{"a":"x","d":[1]}` {
		t.Error(got)
	}
}

func TestWriterWritesShortFloats(t *testing.T) {
	var w jsondoc.Writer
	w.Array("")
	for _, f := range []float32{0.1, -3, 1e-9, float32(math.Inf(1))} {
		w.Float32("", f)
	}
	w.End()
	if got := string(w.Bytes()); got != `[0.1,-3,1e-09,null]` {
		t.Error(got)
	}
}

func TestReaderFindsBothSpellingsOfAName(t *testing.T) {
	for text, found := range map[string]bool{
		`{"maxOutputTokens":1}`: true, `{"max_output_tokens":1}`: true, `{"max_outputTokens":1}`: false, `{"maxoutputtokens":1}`: false,
		`{"max_output_tokens_":1}`: false, `{"m\u0061xOutputTokens":1}`: true, `{"max_output_token":1}`: false,
	} {
		o := parse(t, text, jsondoc.Options{Snake: true})
		if o.Has("maxOutputTokens") != found || (o.Int("maxOutputTokens") != nil) != found {
			t.Errorf("%s: found is not %v", text, found)
		}
	}
}

func TestPathsOfElementsOutliveTheirArray(t *testing.T) {
	o := parse(t, `{"a":[[{"b":1}],[{"b":"x"}]]}`, jsondoc.Options{})
	var all []jsondoc.Value
	for _, row := range o.Array("a") {
		for _, one := range row.Array() {
			all = append(all, one.Object().Get("b"))
		}
	}
	if got := all[0].Path() + " " + all[1].Path(); got != "a[0][0].b a[1][0].b" {
		t.Error(got)
	}
}
