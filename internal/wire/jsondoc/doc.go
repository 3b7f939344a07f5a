// Package jsondoc reads and writes JSON bodies for the codecs. A reader is
// lazy: an object is cut into its members once, values are decoded where they
// are asked for, and what nobody asked for is left over in Rest, so that a
// codec knows what it did not understand. The first thing that is wrong is kept
// with its path; codecs read on with zero values and look at the error once.
package jsondoc

import (
	"encoding/json"
	"fmt"
	"strconv"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// Doc is one JSON text being read. It is used by one goroutine.
type Doc struct {
	limits  jsonscan.Limits
	snake   bool
	lenient bool
	err     *tollgate.Error
}

// Options say how a text is read.
type Options struct {
	Limits jsonscan.Limits
	// Snake also finds members by the snake_case spelling of a camelCase name,
	// as protobuf's JSON form allows (Gemini).
	Snake bool
	// Lenient puts U+FFFD in place of what is not proper Unicode in a string
	// value: vendors quote pages that they cut in the middle of a character.
	Lenient bool
}

// Parse reads body, which must be a JSON object. Errors are CodeInvalid with
// the Field "body".
func Parse(body []byte, o Options) (*Object, error) {
	d := &Doc{limits: o.Limits, snake: o.Snake, lenient: o.Lenient}
	if err := o.Limits.Valid(body); err != nil {
		return nil, &tollgate.Error{Code: tollgate.CodeInvalid, Field: "body", Message: "the body is not valid JSON: " + err.Error(), Err: err}
	}
	at := jsonscan.Space(body, 0)
	if body[at] != '{' {
		return nil, tollgate.Invalidf("body", "the body must be a JSON object")
	}
	return d.cut(Value{doc: d, raw: body[at:]}), nil
}

// Err returns the first thing that was wrong, nil = nothing.
func (d *Doc) Err() error {
	if d.err == nil {
		return nil
	}
	return d.err
}

func (d *Doc) fail(path, format string, args ...any) {
	if d.err == nil {
		d.err = tollgate.Invalidf(path, "%s %s", path, fmt.Sprintf(format, args...))
	}
}

// cut splits an object into members. Its text is known to be valid.
func (d *Doc) cut(v Value) *Object {
	o := &Object{at: v}
	it := d.limits.Object(v.raw, 0, 0)
	for it.Next() {
		key := it.Key.Of(v.raw)
		if !plain(key) {
			text, ok := jsonscan.Text(key)
			if !ok {
				d.fail(v.Path(), "has a member whose name is not proper Unicode")
				continue
			}
			key = []byte(text)
		}
		if o.members == nil {
			o.members = make([]member, 0, usualMembers)
		}
		o.members = append(o.members, member{key: key, raw: it.Value.Of(v.raw)})
	}
	if err := it.Err(); err != nil {
		d.fail(v.Path(), "cannot be read: %s", err)
	}
	return o
}

// usualMembers is how many members most objects have at most.
const usualMembers = 6

// plain reports whether a name is ASCII without escapes.
func plain(name []byte) bool {
	for _, c := range name {
		if c >= 0x80 || c == '\\' {
			return false
		}
	}
	return true
}

// step is one part of a path; the root has no parent. Parents are places in
// objects that are there anyhow, so that a path costs nothing until it is read.
type step struct {
	parent *step
	name   string
	index  int // of an element; -1 = a member
}

func (s *step) String() string {
	if s.parent == nil {
		return ""
	}
	at := s.parent.String()
	switch {
	case s.index >= 0:
		return at + "[" + strconv.Itoa(s.index) + "]"
	case at == "":
		return s.name
	default:
		return at + "." + s.name
	}
}

// Value is a JSON value with its place. The zero value is an absent one.
type Value struct {
	doc *Doc
	raw []byte
	at  step
}

// Path returns the place as codecs' errors name it ("messages[2].content");
// "body" for the whole text.
func (v Value) Path() string {
	if p := v.at.String(); p != "" {
		return p
	}
	return "body"
}

// Kind is the first byte that tells what a value is.
type Kind uint8

// The kinds. Null is Absent: no dialect tells them apart where it matters.
const (
	Absent Kind = iota
	String
	Number
	Bool
	IsObject
	IsArray
)

// Kind returns what v is.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return Absent
	}
	switch v.raw[0] {
	case '"':
		return String
	case '{':
		return IsObject
	case '[':
		return IsArray
	case 't', 'f':
		return Bool
	case 'n':
		return Absent
	default:
		return Number
	}
}

// Present reports whether v is there and not null.
func (v Value) Present() bool { return v.Kind() != Absent }

// Raw returns a copy of the text of v on one line, so that it fits into an
// event of a stream; nil when absent.
func (v Value) Raw() json.RawMessage {
	if !v.Present() {
		return nil
	}
	return jsonscan.AppendLine(make(json.RawMessage, 0, len(v.raw)), v.raw)
}

// Fail records that v is wrong. The message goes behind the path: "must be …".
func (v Value) Fail(format string, args ...any) {
	if v.doc != nil {
		v.doc.fail(v.Path(), format, args...)
	}
}

// Err returns the first thing that was wrong in the document of v.
func (v Value) Err() error {
	if v.doc == nil {
		return nil
	}
	return v.doc.Err()
}

// Str returns the string that v must be; empty when absent.
func (v Value) Str() string {
	switch v.Kind() {
	case Absent:
		return ""
	case String:
		s, ok := jsonscan.String(v.raw)
		if ok {
			return s
		}
		if !v.doc.lenient || json.Unmarshal(v.raw, &s) != nil {
			v.Fail("is not proper Unicode text")
		}
		return s
	case Number, Bool, IsObject, IsArray:
	}
	v.Fail("must be a string")
	return ""
}

// Float returns the number that v must be; nil when absent.
func (v Value) Float() *float64 {
	if !v.Present() {
		return nil
	}
	f, err := strconv.ParseFloat(string(v.raw), 64)
	if v.Kind() != Number || err != nil {
		v.Fail("must be a number")
		return nil
	}
	return &f
}

// Int returns the whole number that v must be ("1.0" and "1e3" are whole); nil
// when absent.
func (v Value) Int() *int64 {
	f := v.Float()
	if f == nil {
		return nil
	}
	if n, err := strconv.ParseInt(string(v.raw), 10, 64); err == nil {
		return &n
	}
	const exact = 1 << 53
	n := int64(*f)
	if *f != float64(n) || *f > exact || *f < -exact {
		v.Fail("must be a whole number")
		return nil
	}
	return &n
}

// Bool returns the truth value that v must be; nil when absent.
func (v Value) Bool() *bool {
	switch v.Kind() {
	case Absent:
		return nil
	case Bool:
		b := v.raw[0] == 't'
		return &b
	case String, Number, IsObject, IsArray:
	}
	v.Fail("must be true or false")
	return nil
}

// Object returns the object that v must be; an empty one when absent, for
// which every member is absent. Present tells the two apart.
func (v Value) Object() *Object {
	if v.Kind() == IsObject {
		return v.doc.cut(v)
	}
	if v.Present() {
		v.Fail("must be an object")
	}
	return &Object{at: v}
}

// Array returns the elements of the array that v must be; none when absent.
func (v Value) Array() []Value {
	if v.Kind() != IsArray {
		if v.Present() {
			v.Fail("must be an array")
		}
		return nil
	}
	var out []Value
	it := v.doc.limits.Array(v.raw, 0, 0)
	at := v.at // of all elements
	for it.Next() {
		out = append(out, Value{doc: v.doc, raw: it.Value.Of(v.raw), at: step{parent: &at, index: len(out)}})
	}
	return out
}

// Strings returns the strings of the array that v must be.
func (v Value) Strings() []string {
	items := v.Array()
	if len(items) == 0 {
		return nil
	}
	out := make([]string, 0, len(items))
	for _, it := range items {
		if it.Kind() != String {
			it.Fail("must be a string")
		}
		out = append(out, it.Str())
	}
	return out
}

// isSnake reports whether key is the snake_case spelling of a camelCase name.
func isSnake(key []byte, name string) bool {
	if len(key) <= len(name) { // every capital takes an underscore more
		return false
	}
	at := 0
	for i := range len(name) {
		c := name[i]
		if c >= 'A' && c <= 'Z' {
			if at >= len(key) || key[at] != '_' {
				return false
			}
			at++
			c |= 0x20
		}
		if at >= len(key) || key[at] != c {
			return false
		}
		at++
	}
	return at == len(key)
}
