package api

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate"
)

// Opt is an optional field of a write: absent, null or a value.
type Opt[T any] struct{ tollgate.Opt[T] }

// UnmarshalJSON notes that the field is there.
func (o *Opt[T]) UnmarshalJSON(b []byte) error {
	o.Opt = tollgate.Opt[T]{Set: true}
	if bytes.Equal(b, []byte("null")) {
		o.Null = true
		return nil
	}
	return json.Unmarshal(b, &o.Value)
}

// MarshalJSON writes the value; an absent one is null unless omitzero drops it.
func (o Opt[T]) MarshalJSON() ([]byte, error) {
	if !o.Set || o.Null {
		return []byte("null"), nil
	}
	return json.Marshal(o.Value)
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

// Scope limits a query to rows whose field fits: {"eq":v}, {"in":[…]}, "all"
// or absent, also capitalised (CONTRACT 8).
type Scope[T comparable] struct{ tollgate.Match[T] }

// UnmarshalJSON reads any of the spellings.
func (s *Scope[T]) UnmarshalJSON(b []byte) error {
	const usage = `a filter is {"eq":value}, {"in":[values]} or "all"`
	var word string
	if json.Unmarshal(b, &word) == nil {
		if word != "all" && word != "All" {
			return tollgate.Errorf(tollgate.CodeInvalid, usage)
		}
		s.Match = tollgate.Match[T]{}
		return nil
	}
	var parts map[string]json.RawMessage
	if err := json.Unmarshal(b, &parts); err != nil || len(parts) != 1 {
		return tollgate.Errorf(tollgate.CodeInvalid, usage)
	}
	s.Set = true
	for name, raw := range parts {
		var err error
		switch name {
		case "eq", "Eq":
			s.Values = make([]T, 1)
			err = strict(raw, &s.Values[0])
		case "in", "In":
			s.Values = []T{}
			err = strict(raw, &s.Values)
		default:
			err = tollgate.Errorf(tollgate.CodeInvalid, usage)
		}
		if err != nil {
			return tollgate.WrapError(tollgate.CodeInvalid, err, usage)
		}
	}
	return nil
}

// strict decodes raw and refuses null, which encoding/json would skip.
func strict(raw json.RawMessage, v any) error {
	if bytes.Equal(bytes.TrimSpace(raw), []byte("null")) {
		return tollgate.Errorf(tollgate.CodeInvalid, "null is no value")
	}
	return json.Unmarshal(raw, v)
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
