package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"tollgate"
)

// Limits of JSON on console and admin routes (SECURITY D-04).
const (
	MaxJSONDepth = 64
	MaxJSONItems = 10_000 // members of one array or object
)

// ReadJSON reads r's body, bounded by its route, into v: one JSON value, no
// unknown field, no key twice. An empty body reads as {}. Errors are
// CodeInvalid or CodeTooLarge and leave v undefined.
func ReadJSON(r *http.Request, v any) error {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return bodyError(err)
		}
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	return DecodeJSON(body, v)
}

func bodyError(err error) error {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return err
	}
	if _, ok := errors.AsType[*tollgate.Error](err); ok {
		return err
	}
	return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body could not be read")
}

// DecodeJSON checks body as CheckJSON does and decodes it into v; unknown
// fields and wrong types are CodeInvalid naming the field.
func DecodeJSON(body []byte, v any) error {
	if err := CheckJSON(body); err != nil {
		return err
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	return decodeError(dec.Decode(v))
}

// decodeError turns an error of encoding/json into one for the caller,
// without echoing the value: it may be a secret.
func decodeError(err error) error {
	if err == nil {
		return nil
	}
	if te, ok := errors.AsType[*tollgate.Error](err); ok {
		return te
	}
	if ute, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		field := ute.Field
		if field == "" {
			field = "body"
		}
		return &tollgate.Error{Code: tollgate.CodeInvalid, Field: field, Message: field + " has the wrong type (got " + valueKind(ute.Value) + ")", Err: err}
	}
	if _, name, ok := strings.Cut(err.Error(), "unknown field "); ok {
		name = clip(strings.Trim(name, `"`), 64)
		return tollgate.Invalidf(name, "unknown field %q", name)
	}
	return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body is not valid JSON of the expected shape")
}

// valueKind keeps the kind of json's description ("number 12" → "number").
func valueKind(s string) string {
	kind, _, _ := strings.Cut(s, " ")
	return kind
}

// CheckJSON reports, as CodeInvalid, a body that is not exactly one JSON value
// in UTF-8, is nested deeper than MaxJSONDepth, has more than MaxJSONItems
// members in one place, or names a key twice. Keys that differ only in case
// count as the same, since encoding/json would fill one field from both.
func CheckJSON(body []byte) error {
	if !utf8.Valid(body) {
		return tollgate.Errorf(tollgate.CodeInvalid, "the request body is not UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	c := jsonChecker{dec: dec}
	for first := true; first || len(c.open) > 0; first = false {
		if err := c.step(); err != nil {
			return err
		}
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return tollgate.Errorf(tollgate.CodeInvalid, "the request body has something behind its JSON value")
	}
	return nil
}

// container is an open object or array.
type container struct {
	keys  map[string]bool // nil for an array
	key   bool            // a key comes next
	items int
}

type jsonChecker struct {
	dec  *json.Decoder
	open []container
}

func (c *jsonChecker) step() error {
	tok, err := c.dec.Token()
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body is not valid JSON")
	}
	if d, ok := tok.(json.Delim); ok && (d == '}' || d == ']') {
		c.open = c.open[:len(c.open)-1]
		return nil
	}
	if n := len(c.open); n > 0 {
		top := &c.open[n-1]
		if top.keys != nil && top.key {
			top.key = false
			key, _ := tok.(string)
			return top.add(key)
		}
		top.key = true
		if top.items++; top.items > MaxJSONItems {
			return tollgate.Errorf(tollgate.CodeInvalid, "the request body has more than %d members in one place", MaxJSONItems)
		}
	}
	if d, ok := tok.(json.Delim); ok {
		if len(c.open) == MaxJSONDepth {
			return tollgate.Errorf(tollgate.CodeInvalid, "the request body is nested deeper than %d levels", MaxJSONDepth)
		}
		next := container{}
		if d == '{' {
			next = container{keys: map[string]bool{}, key: true}
		}
		c.open = append(c.open, next)
	}
	return nil
}

func (c *container) add(key string) error {
	folded := strings.ToLower(key)
	if c.keys[folded] {
		name := clip(key, 64)
		return tollgate.Invalidf(name, "key %q is given twice", name)
	}
	c.keys[folded] = true
	return nil
}
