package web_test

import (
	"encoding/json"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/web"
)

func TestD04StrictJSON(t *testing.T) {
	type target struct {
		Name  string `json:"name"`
		Inner struct {
			N int `json:"n"`
		} `json:"inner"`
	}
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for _, c := range []struct{ name, body, field, text string }{
		{"fine", `{"name":"a","inner":{"n":1}}`, "", ""},
		{"duplicate", `{"name":"a","name":"b"}`, "name", "twice"},
		{"duplicate, escaped", `{"name":"a","n\u0061me":"b"}`, "name", "twice"},
		{"duplicate, other case", `{"name":"a","NAME":"b"}`, "NAME", "twice"},
		{"duplicate inside", `{"inner":{"n":1,"n":2}}`, "n", "twice"},
		{"unknown", `{"nome":"a"}`, "nome", "unknown field"},
		{"unknown inside", `{"inner":{"x":1}}`, "x", "unknown field"},
		{"wrong type", `{"inner":{"n":"hunter2"}}`, "inner.n", "wrong type"},
		{"not an object", `[1]`, "body", "wrong type"},
		{"two values", `{} {}`, "", "behind"},
		{"nothing", ` `, "", "not valid JSON"},
		{"cut", `{"name":`, "", "not valid JSON"},
		{"too deep", deep(65), "", "nested"},
		{"bad UTF-8", "{\"name\":\"\xff\"}", "", "UTF-8"},
		{"too long", "[" + strings.Repeat("1,", 10_000) + "1]", "", "members"},
	} {
		err := web.DecodeJSON([]byte(c.body), &target{})
		if c.text == "" {
			if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			continue
		}
		te := tollgate.AsError(err)
		if te.Code != tollgate.CodeInvalid || te.Field != c.field || !strings.Contains(te.Message, c.text) || strings.Contains(te.Message, "hunter2") {
			t.Errorf("%s: %+v", c.name, te)
		}
	}
	if err := web.CheckJSON([]byte(deep(64))); err != nil {
		t.Error(err)
	}
}

// FuzzCheckJSON: what passes is valid JSON, and every refusal is the caller's fault.
func FuzzCheckJSON(f *testing.F) {
	for _, s := range []string{`{"a":[1,{"b":null}]}`, `{"a":1,"a":2}`, `[[[]]]`, `"x"`, `{`, `1 2`, `{"\u0061":1,"A":2}`, "\xff", ``} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		err := web.CheckJSON(b)
		if err == nil && !json.Valid(b) {
			t.Fatalf("passed: %q", b)
		}
		if err != nil && tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Fatalf("%v", err)
		}
	})
}
