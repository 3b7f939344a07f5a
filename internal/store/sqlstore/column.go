package sqlstore

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"tollgate"
)

// kind is how a column's values are stored.
type kind uint8

const (
	kindInt kind = iota
	kindText
	kindBool
	kindBlob
)

// column ties one field of T to one column of its table.
type column[T any] struct {
	name string
	// ref is the table that a reference points to; "" = no reference. A
	// reference of 0 is stored as NULL.
	ref  string
	kind kind
	// derived columns follow from other rows: new rows have 0, Update leaves
	// them as they are.
	derived bool
	// number or text reads a field that every value of can be stored of; records
	// have no others.
	number func(*T) int64
	text   func(*T) string
	// bind returns the value to store.
	bind func(*T) (any, error)
	// dest returns where Scan puts the stored value.
	dest func(*T) any
}

// numeric is a column of kind kindInt with its field as a number.
func numeric[T any](name string, number func(*T) int64, dest func(*T) any) column[T] {
	return column[T]{name: name, number: number, bind: func(r *T) (any, error) { return number(r), nil }, dest: dest}
}

// integer is a field that is stored as BIGINT as it is.
func integer[T any, V ~int | ~int64 | ~uint8](name string, at func(*T) *V) column[T] {
	return numeric(name, func(r *T) int64 { return int64(*at(r)) }, func(r *T) any { return at(r) })
}

// derived is a column that Insert and Update do not write.
func derived[T any](c column[T]) column[T] {
	c.derived = true
	return c
}

// boolean is a field that is stored as BOOLEAN.
func boolean[T any](name string, at func(*T) *bool) column[T] {
	return column[T]{
		name: name,
		kind: kindBool,
		number: func(r *T) int64 {
			if *at(r) {
				return 1
			}
			return 0
		},
		bind: func(r *T) (any, error) { return *at(r), nil },
		dest: func(r *T) any { return at(r) },
	}
}

// text is a field that is stored as TEXT. What is not UTF-8 or holds a NUL is
// refused, since PostgreSQL cannot store it.
func text[T any, V ~string](name string, at func(*T) *V) column[T] {
	return column[T]{
		name: name,
		kind: kindText,
		bind: func(r *T) (any, error) {
			if s := string(*at(r)); storable(s) {
				return s, nil
			}
			return nil, tollgate.Invalidf(name, "%s is not UTF-8 or holds a NUL character", name)
		},
		dest: func(r *T) any { return at(r) },
	}
}

// clipped is a text that is recorded as well as it can be: what cannot be
// stored is replaced, and it is cut at limit bytes. It is never refused, since
// a usage row must not be lost over a strange user agent.
func clipped[T any, V ~string](name string, limit int, at func(*T) *V) column[T] {
	text := func(r *T) string {
		s := string(*at(r))
		if len(s) > limit {
			s = s[:limit]
		}
		if !storable(s) {
			s = strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
		}
		return s
	}
	return column[T]{
		name: name,
		kind: kindText,
		text: text,
		bind: func(r *T) (any, error) { return text(r), nil },
		dest: func(r *T) any { return at(r) },
	}
}

func storable(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// blob is a field that is stored as bytes; nil is NULL.
func blob[T any](name string, at func(*T) *[]byte) column[T] {
	return column[T]{
		name: name,
		kind: kindBlob,
		bind: func(r *T) (any, error) { return *at(r), nil },
		dest: func(r *T) any { return at(r) },
	}
}

// computed is a number that is stored for queries and follows from the row.
func computed[T any](name string, of func(*T) int64) column[T] {
	return numeric(name, of, func(*T) any { return new(int64) })
}

// instant is a time stored in microseconds; the zero time is 0.
func instant[T any](name string, at func(*T) *time.Time) column[T] {
	return numeric(name, func(r *T) int64 { return micros(*at(r)) }, func(r *T) any { return micro{at(r)} })
}

// span is a duration stored in microseconds.
func span[T any](name string, at func(*T) *time.Duration) column[T] {
	return numeric(name, func(r *T) int64 { return at(r).Microseconds() }, func(r *T) any { return microSpan{at(r)} })
}

// reference is the id of a row of another table; 0 is NULL.
func reference[T any](name, table string, at func(*T) *int64) column[T] {
	return column[T]{
		name: name,
		ref:  table,
		bind: func(r *T) (any, error) { return sql.NullInt64{Int64: *at(r), Valid: *at(r) != 0}, nil },
		dest: func(r *T) any { return zeroNull{at(r)} },
	}
}

// optional is an integer that may be absent; nil is NULL.
func optional[T any, V ~int64](name string, at func(*T) **V) column[T] {
	return column[T]{
		name: name,
		bind: func(r *T) (any, error) {
			if v := *at(r); v != nil {
				return int64(*v), nil
			}
			return nil, nil //nolint:nilnil // nil is the stored value NULL
		},
		dest: func(r *T) any { return nilNull[V]{at(r)} },
	}
}

// document is a JSON text kept as given; nil is NULL.
func document[T any](name string, at func(*T) *json.RawMessage) column[T] {
	return column[T]{
		name: name,
		kind: kindText,
		bind: func(r *T) (any, error) {
			raw := *at(r)
			switch {
			case raw == nil:
				return nil, nil //nolint:nilnil // nil is the stored value NULL
			case !json.Valid(raw) || !storable(string(raw)):
				return nil, tollgate.Invalidf(name, "%s is not valid JSON", name)
			}
			return string(raw), nil
		},
		dest: func(r *T) any { return rawText{at(r)} },
	}
}

// list is a list kept as a JSON array; an empty one is NULL and reads as nil.
func list[T, V any](name string, at func(*T) *[]V) column[T] {
	return column[T]{
		name: name,
		kind: kindText,
		bind: func(r *T) (any, error) {
			if len(*at(r)) == 0 {
				return nil, nil //nolint:nilnil // nil is the stored value NULL
			}
			b, err := json.Marshal(*at(r))
			if err != nil || !storable(string(b)) {
				return nil, tollgate.Invalidf(name, "%s cannot be stored", name)
			}
			return string(b), nil
		},
		dest: func(r *T) any { return jsonList[V]{at(r)} },
	}
}

// micros is t in microseconds since 1970; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// fromMicros is the inverse of micros, in UTC.
func fromMicros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

type micro struct{ at *time.Time }

// Scan reads microseconds.
func (m micro) Scan(src any) error {
	v, err := asInt(src)
	*m.at = fromMicros(v)
	return err
}

type microSpan struct{ at *time.Duration }

// Scan reads microseconds.
func (m microSpan) Scan(src any) error {
	v, err := asInt(src)
	*m.at = time.Duration(v) * time.Microsecond
	return err
}

type zeroNull struct{ at *int64 }

// Scan reads an integer, NULL as 0.
func (z zeroNull) Scan(src any) (err error) {
	if src == nil {
		*z.at = 0
		return nil
	}
	*z.at, err = asInt(src)
	return err
}

type nilNull[V ~int64] struct{ at **V }

// Scan reads an integer, NULL as nil.
func (n nilNull[V]) Scan(src any) error {
	if src == nil {
		*n.at = nil
		return nil
	}
	v, err := asInt(src)
	w := V(v)
	*n.at = &w
	return err
}

type rawText struct{ at *json.RawMessage }

// Scan reads text, NULL as nil.
func (r rawText) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*r.at = nil
	case string:
		*r.at = json.RawMessage(v)
	case []byte:
		*r.at = append(json.RawMessage{}, v...)
	default:
		return fmt.Errorf("column holds %T, not text", src)
	}
	return nil
}

type jsonList[V any] struct{ at *[]V }

// Scan reads a JSON array, NULL as nil.
func (l jsonList[V]) Scan(src any) error {
	*l.at = nil
	var raw json.RawMessage
	if err := (rawText{&raw}).Scan(src); err != nil || raw == nil {
		return err
	}
	return json.Unmarshal(raw, l.at)
}

func asInt(src any) (int64, error) {
	if v, ok := src.(int64); ok {
		return v, nil
	}
	return 0, fmt.Errorf("column holds %T, not an integer", src)
}
