package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate"
)

// Opt is an optional field of a write: absent, null or a value.
type Opt[T any] struct {
	tollgate.Opt[T]
	fault string
}

// UnmarshalJSON notes that the field is there. What is wrong with its value is
// left for Fault to tell, which is asked by who knows the field's name.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	*o = Opt[T]{Opt: tollgate.Opt[T]{Set: true}}
	if bytes.Equal(b, []byte("null")) {
		o.Null = true
		return nil
	}
	if err := json.Unmarshal(b, &o.Value); err != nil {
		o.fault = "has a value of the wrong kind"
		if te, ok := errors.AsType[*tollgate.Error](err); ok {
			o.fault = te.Message
		}
	}
	return nil
}

// Fault says what is wrong with the value.
func (o Opt[T]) Fault() string { return o.fault }

// MarshalJSON writes the value; an absent one is null unless omitzero drops it.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
}

// WithValue is o with its value in another form.
func WithValue[A, B any](o Opt[A], v B) tollgate.Opt[B] {
	if o.Null {
		return tollgate.Null[B]()
	}
	return tollgate.Opt[B]{Set: o.Set, Value: v}
}

// Schema is T's, or null.
func (Opt[T]) Schema(r huma.Registry) *huma.Schema {
	s := *schemaOf[T](r)
	if s.Ref != "" || s.Type == huma.TypeObject || s.Type == "" {
		return &huma.Schema{AnyOf: []*huma.Schema{&s, {Type: "null"}}}
	}
	s.Nullable = true
	return &s
}

// Val is an optional field of a write that is never null: absent or a value.
type Val[T any] Opt[T]

// UnmarshalJSON notes that the field is there.
func (v *Val[T]) UnmarshalJSON(b []byte) error { return (*Opt[T])(v).UnmarshalJSON(b) }

// MarshalJSON writes the value.
func (v Val[T]) MarshalJSON() ([]byte, error) { return Opt[T](v).MarshalJSON() }

// Schema is T's.
func (Val[T]) Schema(r huma.Registry) *huma.Schema {
	s := *schemaOf[T](r)
	s.Nullable = false
	return &s
}

// Fault says what is wrong with the value, or that it is null.
func (v Val[T]) Fault() string {
	if v.Null {
		return "null is no value here"
	}
	return v.fault
}

// Scope limits a query to rows whose field fits: {"eq":v}, {"in":[…]}, "all"
// or absent, also capitalised (CONTRACT 8).
type Scope[T comparable] struct {
	tollgate.Match[T]
	fault string
}

const filterUsage = `a filter is {"eq":value}, {"in":[values]} or "all"`

// Fault says what is wrong with the filter.
func (s Scope[T]) Fault() string { return s.fault }

// UnmarshalJSON reads any of the spellings. What it cannot read is left for
// Fault to tell, which is asked by who knows the field's name.
func (s *Scope[T]) UnmarshalJSON(b []byte) error {
	*s = Scope[T]{fault: filterUsage}
	var word string
	if json.Unmarshal(b, &word) == nil {
		if word == "all" || word == "All" {
			s.fault = ""
		}
		return nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != 1 {
		return nil //nolint:nilerr // Fault tells it
	}
	for name, raw := range parts {
		switch name {
		case "eq", "Eq":
			v := make([]*T, 1)
			s.take(json.Unmarshal(raw, &v[0]), v)
		case "in", "In":
			var v []*T
			err := json.Unmarshal(raw, &v)
			if v == nil && err == nil {
				return nil
			}
			s.take(err, v)
		}
	}
	return nil
}

// take accepts values, none of which may be null.
func (s *Scope[T]) take(err error, values []*T) {
	got := make([]T, len(values))
	for i, v := range values {
		if err != nil || v == nil {
			return
		}
		got[i] = *v
	}
	if err == nil {
		s.Match, s.fault = tollgate.Match[T]{Set: true, Values: got}, ""
	}
}

// Schema lists the spellings.
func (Scope[T]) Schema(r huma.Registry) *huma.Schema {
	one, value := 1, schemaOf[T](r)
	list := &huma.Schema{Type: huma.TypeArray, Items: value}
	return &huma.Schema{AnyOf: []*huma.Schema{
		{Type: huma.TypeString, Enum: []any{"all", "All"}},
		{
			Type: huma.TypeObject, AdditionalProperties: false, MinProperties: &one, MaxProperties: &one,
			Properties: map[string]*huma.Schema{"eq": value, "Eq": value, "in": list, "In": list},
		},
	}}
}

// Money is an exact amount of US dollars with at most 9 decimals.
type Money tollgate.Money

// MarshalJSON writes the exact decimal.
func (m Money) MarshalJSON() ([]byte, error) { return tollgate.Money(m).MarshalJSON() }

// UnmarshalJSON reads the exact decimal.
func (m *Money) UnmarshalJSON(b []byte) error { return (*tollgate.Money)(m).UnmarshalJSON(b) }

// Schema is a JSON number.
func (Money) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeNumber, Description: "US dollars, exact, at most 9 decimals", Examples: []any{12.5}}
}

// MoneyOf returns an amount that may be unlimited (null).
func MoneyOf(m *tollgate.Money) *Money { return (*Money)(m) }

// Stamp returns a time for JSON: UTC, nil (null) for zero.
func Stamp(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// Agree reads a field with two spellings; when both are given and differ it is CodeInvalid.
func Agree[T comparable](name string, a Opt[T], other string, b Opt[T]) (tollgate.Opt[T], error) {
	switch {
	case !a.Set:
		return b.Opt, nil
	case b.Set && (a.Null != b.Null || a.Value != b.Value):
		return tollgate.Opt[T]{}, tollgate.Invalidf(name, "%s and %s are two spellings of one field and differ", name, other)
	}
	return a.Opt, nil
}

// AgreeScope is Agree for filters: both given is CodeInvalid unless they are the same.
func AgreeScope[T comparable](name string, a Scope[T], other string, b Scope[T]) (tollgate.Match[T], error) {
	if !a.Set {
		return b.Match, nil
	}
	if b.Set {
		same := len(a.Values) == len(b.Values)
		for i := range a.Values {
			same = same && a.Values[i] == b.Values[i]
		}
		if !same {
			return tollgate.Match[T]{}, tollgate.Invalidf(name, "%s and %s are two spellings of one field and differ", name, other)
		}
	}
	return a.Match, nil
}

// checkFields asks every field of a decoded body that can tell for its fault
// and names the field in the error.
func checkFields(v reflect.Value, path string) error {
	if v.Kind() == reflect.Slice {
		for i := range v.Len() {
			if err := checkFields(v.Index(i), path+"["+strconv.Itoa(i)+"]"); err != nil {
				return err
			}
		}
	}
	if v.Kind() != reflect.Struct {
		return nil
	}
	if f, ok := reflect.TypeAssert[interface{ Fault() string }](v); ok {
		if fault := f.Fault(); fault != "" {
			return tollgate.Invalidf(path, "%s: %s", path, fault)
		}
		return nil
	}
	for i := range v.NumField() {
		field := v.Type().Field(i)
		if !field.IsExported() {
			continue
		}
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		at := path
		if name != "" {
			at = strings.TrimPrefix(path+"."+name, ".")
		}
		if err := checkFields(v.Field(i), at); err != nil {
			return err
		}
	}
	return nil
}
