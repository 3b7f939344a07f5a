package demo

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// checker judges a request as the real vendor does: it keeps the first thing
// that is wrong, in the vendor's words.
type checker struct {
	param, code, message string
}

// wrong notes a fault unless there is one already.
func (c *checker) wrong(param, format string, args ...any) {
	if c.message == "" {
		c.param, c.message = param, fmt.Sprintf(format, args...)
	}
}

// wrongWith also gives an error code (OpenAI).
func (c *checker) wrongWith(code, param, format string, args ...any) {
	if c.message == "" {
		c.code = code
		c.wrong(param, format, args...)
	}
}

// object is a JSON object whose members may be anything.
type object map[string]any

func objectOf(v any) object {
	m, _ := v.(map[string]any)
	return m
}

func (m object) object(name string) object { return objectOf(m[name]) }

func (m object) text(name string) string {
	s, _ := m[name].(string)
	return s
}

func (m object) number(name string) (float64, bool) {
	n, ok := m[name].(float64)
	return n, ok
}

// list returns the elements of an array as objects; what is none is nil.
func (m object) list(name string) []object {
	items, _ := m[name].([]any)
	out := make([]object, len(items))
	for i, it := range items {
		out[i] = objectOf(it)
	}
	return out
}

func (m object) has(name string) bool { return m[name] != nil }

// keys returns the names of the members in order.
func (m object) keys() []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// parsed returns the request's body as an object.
func (x *exchange) parsed() object {
	var m object
	_ = json.Unmarshal(x.body, &m) // decoded before
	return m
}

// pass answers with the vendor's error if the request is wrong.
func (x *exchange) pass(c *checker) bool {
	if c.message == "" {
		return true
	}
	x.write(400, x.errorBody(400, c.code, c.param, c.message))
	return false
}

// words splits a list of names.
func words(s string) []string { return strings.Fields(s) }

func matches(pattern, s string) bool { return regexp.MustCompile(pattern).MatchString(s) }

// strictSchema reports what is wrong with a schema that the model must keep to
// the letter: every object lists all its properties as required and allows no
// others.
func strictSchema(s object, path string) string {
	at := "In context=(" + path + "), "
	if s.text("type") == "object" || s.has("properties") {
		if closed, ok := s["additionalProperties"].(bool); !ok || closed {
			return at + "'additionalProperties' is required to be supplied and to be false."
		}
		required, _ := s["required"].([]any)
		for _, name := range s.object("properties").keys() {
			if !slices.Contains(required, any(name)) {
				return at + "'required' is required to be supplied and to be an array including every key in properties. Missing '" + name + "'."
			}
			if fault := strictSchema(s.object("properties").object(name), path+"'properties', '"+name+"'"); fault != "" {
				return fault
			}
		}
	}
	if s.has("items") {
		return strictSchema(s.object("items"), path+"'items'")
	}
	return ""
}
