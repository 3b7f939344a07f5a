package jsondoc

import (
	"encoding/json"

	"tollgate/internal/wire/jsonscan"
)

// Object is a JSON object with its members. A member that is there twice counts
// as its last; bodies whose top level repeats a member were refused before.
type Object struct {
	at      Value
	members []member
}

// member keeps its name as it stands in the text where that has no escapes, so
// that cutting an object allocates no strings.
type member struct {
	key  []byte
	raw  []byte
	read bool
}

// Value returns the object as a value.
func (o *Object) Value() Value { return o.at }

// Present reports whether there is an object.
func (o *Object) Present() bool { return o.at.Present() }

// Path returns the place of the object.
func (o *Object) Path() string { return o.at.Path() }

// Err returns the first thing that was wrong in the document.
func (o *Object) Err() error { return o.at.Err() }

// Get returns the member called name and marks it as read.
func (o *Object) Get(name string) Value {
	found := -1
	for i := range o.members {
		if m := &o.members[i]; string(m.key) == name {
			m.read, found = true, i
		}
	}
	if found < 0 && o.at.doc != nil && o.at.doc.snake {
		for i := range o.members {
			if m := &o.members[i]; isSnake(m.key, name) {
				m.read, found = true, i
			}
		}
	}
	v := Value{doc: o.at.doc, at: step{parent: &o.at.at, name: name, index: -1}}
	if found >= 0 {
		v.raw = o.members[found].raw
	}
	return v
}

// Has reports whether the member is there and not null, without marking it.
func (o *Object) Has(name string) bool {
	for i := range o.members {
		if m := &o.members[i]; string(m.key) == name || (o.at.doc.snake && isSnake(m.key, name)) {
			return m.raw[0] != 'n'
		}
	}
	return false
}

// Str returns the string called name; empty when absent.
func (o *Object) Str(name string) string { return o.Get(name).Str() }

// Int returns the whole number called name; nil when absent.
func (o *Object) Int(name string) *int64 { return o.Get(name).Int() }

// Float returns the number called name; nil when absent.
func (o *Object) Float(name string) *float64 { return o.Get(name).Float() }

// Bool returns the truth value called name; nil when absent.
func (o *Object) Bool(name string) *bool { return o.Get(name).Bool() }

// Object returns the object called name; an empty one when absent.
func (o *Object) Object(name string) *Object { return o.Get(name).Object() }

// Array returns the elements of the array called name.
func (o *Object) Array(name string) []Value { return o.Get(name).Array() }

// Strings returns the strings of the array called name.
func (o *Object) Strings(name string) []string { return o.Get(name).Strings() }

// Raw returns a copy of the value called name; nil when absent.
func (o *Object) Raw(name string) json.RawMessage { return o.Get(name).Raw() }

// Need returns the string called name, which must be there and not empty.
func (o *Object) Need(name string) string {
	v := o.Get(name)
	s := v.Str()
	if s == "" {
		v.Fail("is missing")
	}
	return s
}

// Keys returns the names of all members, in order, and marks them as read.
func (o *Object) Keys() []string {
	keys := make([]string, 0, len(o.members))
	for i := range o.members {
		o.members[i].read = true
		keys = append(keys, string(o.members[i].key))
	}
	return keys
}

// Rest calls fn for every member that nobody has asked for and that is not
// null, in order, and marks them as read.
func (o *Object) Rest(fn func(name string, raw json.RawMessage)) {
	for i := range o.members {
		if m := &o.members[i]; !m.read && m.raw[0] != 'n' {
			m.read = true
			fn(string(m.key), jsonscan.AppendLine(make(json.RawMessage, 0, len(m.raw)), m.raw))
		}
	}
}
