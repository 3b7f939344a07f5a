package gemini

import (
	"slices"
	"strings"

	"tollgate/internal/wire/jsondoc"
)

// subsetKeyword writes a keyword of parameters and responseSchema, the subset
// of OpenAPI's schemas that the message Schema holds.
func (s *schemaWriter) subsetKeyword(key string, o *jsondoc.Object) {
	v := o.Get(key)
	switch key {
	case "title", "description", "minItems", "maxItems", "minProperties", "maxProperties", "minLength", "maxLength",
		"minimum", "maximum", "pattern", "required", "propertyOrdering", "default", "example":
		s.w.Raw(key, v.Raw())
	case "type":
		s.subsetType(v, o)
	case "nullable":
		if b := v.Bool(); b != nil && *b {
			s.w.Bool(key, true)
		}
	case "format":
		s.format(v, o)
	case "enum":
		s.subsetEnum(v)
	case "properties":
		s.members(key, v)
	case "items":
		s.items(v, o)
	case "anyOf", "oneOf":
		s.subsetBranches(key, v, o)
	case "$defs", "definitions": // their users hold them in place
		s.note(key)
	case "additionalProperties":
		if b := v.Kind(); b == jsondoc.Bool {
			s.note(key) // what is not declared is never generated
		} else {
			s.lose(key)
		}
	case "const":
		s.constant(v, o)
	case "exclusiveMinimum", "exclusiveMaximum":
		s.exclusive(key, v, o)
	default:
		s.drop(key)
	}
}

// subsetType writes the one type that the subset allows beside null.
func (s *schemaWriter) subsetType(v jsondoc.Value, o *jsondoc.Object) {
	if v.Kind() == jsondoc.String {
		s.kind(v.Str())
		return
	}
	if v.Kind() != jsondoc.IsArray {
		s.lose("type")
		return
	}
	var kinds []string
	for _, one := range v.Array() {
		if one.Kind() == jsondoc.String {
			kinds = append(kinds, one.Str())
		}
	}
	null := slices.Contains(kinds, "null")
	kinds = slices.DeleteFunc(kinds, func(k string) bool { return k == "null" })
	switch {
	case len(kinds) == 0:
		s.kind("null")
		return
	case len(kinds) == 1:
		s.kind(kinds[0])
	case o.Has("anyOf"):
		s.lose("a list of types beside anyOf")
	default:
		s.note("a list of types")
		s.w.Array("anyOf")
		for _, k := range kinds {
			s.w.Object("")
			s.kind(k)
			s.w.End()
		}
		s.w.End()
	}
	if null {
		s.w.Bool("nullable", true)
	}
}

// format writes the formats that the API does not refuse.
func (s *schemaWriter) format(v jsondoc.Value, o *jsondoc.Object) {
	if kind := o.Get("type"); kind.Kind() == jsondoc.String && kind.Str() == "string" && v.Kind() == jsondoc.String {
		if f := v.Str(); f != "date-time" && f != "enum" {
			s.lose("format " + f)
			return
		}
	}
	s.w.Raw("format", v.Raw())
}

// subsetEnum writes the values that are texts; null is what nullable says.
func (s *schemaWriter) subsetEnum(v jsondoc.Value) {
	if v.Kind() != jsondoc.IsArray {
		s.lose("enum")
		return
	}
	values := v.Array()
	for _, one := range values {
		if one.Present() && one.Kind() != jsondoc.String {
			s.lose("enum of other values than texts")
			return
		}
	}
	s.w.Array("enum")
	for _, one := range values {
		if one.Present() {
			s.w.Raw("", one.Raw())
		}
	}
	s.w.End()
}

// subsetBranches writes alternatives; one that is null becomes nullable.
func (s *schemaWriter) subsetBranches(key string, v jsondoc.Value, o *jsondoc.Object) {
	if v.Kind() != jsondoc.IsArray || (key == "oneOf" && o.Has("anyOf")) {
		s.lose(key)
		return
	}
	if key == "oneOf" {
		s.note(key)
	}
	nullable := false
	s.w.Array("anyOf")
	for _, one := range v.Array() {
		if isNull(one) {
			nullable = true
			continue
		}
		s.schema("", one)
	}
	s.w.End()
	if nullable {
		s.w.Bool("nullable", true)
	}
}

func isNull(v jsondoc.Value) bool {
	if v.Kind() != jsondoc.IsObject {
		return false
	}
	kind := v.Object().Get("type")
	return kind.Kind() == jsondoc.String && strings.EqualFold(kind.Str(), "null")
}
