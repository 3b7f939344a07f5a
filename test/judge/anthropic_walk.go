package judge

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"github.com/anthropics/anthropic-sdk-go/packages/respjson"
)

// walk goes through a value of the SDK's types. Types of answers say in their
// JSON member what came along without a field, what was not there and what
// could not be read; types of strings have lists of values.
func walk(out *Verdict, at string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if union, ok := variant(v); ok {
			if !union.IsValid() {
				out.add(at+"/type", fmt.Sprintf("no form has %q", v.FieldByName("Type").String()))
				return
			}
			walk(out, at, union)
			return
		}
		metadata(out, at, v)
		for i := range v.NumField() {
			f := v.Type().Field(i)
			if f.IsExported() && f.Name != "JSON" && present(v, f.Name) {
				walk(out, at+step(f), v.Field(i))
			}
		}
	case reflect.Slice:
		if _, raw := reflect.TypeAssert[json.RawMessage](v); raw {
			return
		}
		for i := range v.Len() {
			walk(out, at+"/*", v.Index(i))
		}
	case reflect.Interface, reflect.Pointer:
		if !v.IsNil() {
			walk(out, at, v.Elem())
		}
	case reflect.String:
		text(out, at, v)
	}
}

// step is the name of a field as its text has it; forms of a choice have none.
func step(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" || name == "-" {
		return ""
	}
	return "/" + name
}

// variant returns the form of a choice; ok is whether v is one, and an invalid
// value that it has a form that the SDK does not know.
func variant(v reflect.Value) (reflect.Value, bool) {
	m := v.MethodByName("AsAny")
	if !m.IsValid() || !v.FieldByName("Type").IsValid() || v.FieldByName("Type").String() == "" {
		return reflect.Value{}, false
	}
	got := m.Call(nil)[0]
	if got.IsNil() {
		return reflect.Value{}, true
	}
	return got.Elem(), true
}

// present reports whether the text has the member that a field is for; it is
// true where the type does not tell.
func present(v reflect.Value, name string) bool {
	meta := v.FieldByName("JSON")
	if !meta.IsValid() || meta.Kind() != reflect.Struct || !meta.FieldByName(name).IsValid() {
		return true
	}
	state, ok := reflect.TypeAssert[respjson.Field](meta.FieldByName(name))
	return !ok || state.Raw() != "" && state.Raw() != respjson.Null
}

// metadata reads the JSON member of an answer's type.
func metadata(out *Verdict, at string, v reflect.Value) {
	meta := v.FieldByName("JSON")
	if !meta.IsValid() || meta.Kind() != reflect.Struct {
		return
	}
	extra := meta.FieldByName("ExtraFields")
	if !extra.IsValid() {
		return // a choice of forms: its members belong to one of them
	}
	for _, k := range extra.MapKeys() {
		out.add(at+"/"+k.String(), "is not known")
	}
	for i := range v.NumField() {
		f := v.Type().Field(i)
		field := meta.FieldByName(f.Name)
		if !field.IsValid() {
			continue
		}
		state, ok := reflect.TypeAssert[respjson.Field](field)
		switch {
		case !ok:
		case state.Raw() == "" && f.Tag.Get("api") == "required":
			*out = append(*out, Finding{Path: at + step(f), Says: "is missing", Missing: true})
		case state.Raw() != "" && state.Raw() != respjson.Null && (!state.Valid() || !fits(v.Field(i), state.Raw())):
			out.add(at+step(f), "has another type: "+state.Raw())
		}
	}
}

// fits reports whether a JSON text is of the kind that a field is for; the SDK
// itself reads numbers into strings and strings into numbers.
func fits(field reflect.Value, raw string) bool {
	first := raw[0]
	switch field.Kind() {
	case reflect.String:
		return first == '"'
	case reflect.Int64, reflect.Float64:
		return first == '-' || first >= '0' && first <= '9'
	case reflect.Bool:
		return first == 't' || first == 'f'
	}
	return true
}

// text holds a string against the list of values of its type.
func text(out *Verdict, at string, v reflect.Value) {
	t := v.Type()
	if v.String() == "" || t.PkgPath() == "" {
		return
	}
	if d := v.MethodByName("Default"); d.IsValid() && d.Type().NumIn() == 0 {
		if want := d.Call(nil)[0].String(); want != v.String() {
			out.add(at, fmt.Sprintf("the value %q is not %q", v.String(), want))
		}
		return
	}
	for _, ok := range values(t) {
		if ok == v.String() {
			return
		}
	}
	out.add(at, fmt.Sprintf("%q is not in the list of %s", v.String(), t.Name()))
}
