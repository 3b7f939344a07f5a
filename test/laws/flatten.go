// Package laws holds the laws of translation and the corpus they are tried on:
// nothing is lost silently, a stream says what the whole answer says, an answer
// that was cut is never taken for a whole one. They hold for every pair of
// dialects, so that they are written once, as loops over the matrix.
//
// The corpus is test/corpus: one txtar file a case, in the folder of the
// dialect that it is written in (see Load).
package laws

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"sort"
	"strings"
	"unicode"

	"tollgate/internal/ir"
)

// flat is a value of package ir as path → text. Zero values are left out.
type flat map[string]string

// flatten walks v below path.
func flatten(v any) flat {
	out := flat{}
	out.walk("", reflect.ValueOf(v))
	return out
}

func (f flat) walk(path string, v reflect.Value) {
	switch v.Kind() { // the kinds that package ir is made of
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return
		}
		if v.Kind() == reflect.Interface {
			f[path+"!type"] = v.Elem().Type().Name()
		} else if v.Elem().Kind() != reflect.Struct {
			f[path] = fmt.Sprint(v.Elem().Interface()) // a pointer to zero says something
			return
		} else if v.Elem().IsZero() {
			f[path] = "present"
		}
		f.walk(path, v.Elem())
	case reflect.Struct:
		f.fields(path, v)
	case reflect.Slice:
		f.list(path, v)
	case reflect.Map:
		for _, k := range v.MapKeys() {
			f.walk(path+"."+k.String(), v.MapIndex(k))
		}
	default:
		if !v.IsZero() {
			f[path] = fmt.Sprint(v.Interface())
		}
	}
}

func (f flat) fields(path string, v reflect.Value) {
	t := v.Type()
	for i := range t.NumField() {
		name := snake(t.Field(i).Name)
		if path != "" {
			name = path + "." + name
		}
		f.walk(name, v.Field(i))
	}
}

func (f flat) list(path string, v reflect.Value) {
	switch list := v.Interface().(type) {
	case json.RawMessage:
		if len(list) > 0 {
			f[path] = canonical(list)
		}
	case []ir.Extra:
		for _, e := range list {
			f[path+"."+e.Path] = e.Dialect + " " + canonical(e.Raw)
		}
	default:
		for i := range v.Len() {
			f.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i))
		}
	}
}

// canonical writes JSON with sorted members, so that order and space do not
// count as a difference.
func canonical(raw []byte) string {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return string(raw)
	}
	out, err := json.Marshal(v)
	if err != nil {
		return string(raw)
	}
	return string(out)
}

func snake(name string) string {
	var b strings.Builder
	for i, r := range name {
		if unicode.IsUpper(r) {
			prevLower := i > 0 && unicode.IsLower(rune(name[i-1]))
			nextLower := i+1 < len(name) && unicode.IsLower(rune(name[i+1]))
			if i > 0 && (prevLower || nextLower) {
				b.WriteByte('_')
			}
			r = unicode.ToLower(r)
		}
		b.WriteRune(r)
	}
	return b.String()
}

func (f flat) keys() []string {
	keys := make([]string, 0, len(f))
	for k := range f {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
