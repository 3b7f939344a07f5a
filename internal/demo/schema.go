package demo

import (
	"encoding/json"
	"slices"
	"strings"
	"unicode"
)

// maxSchemaDepth bounds how deep an example goes.
const maxSchemaDepth = 8

// schema is what is read of a JSON schema, or of the OpenAPI subset with its
// capital type names.
type schema struct {
	Type        raw               `json:"type"`
	Enum        []raw             `json:"enum"`
	Const       raw               `json:"const"`
	Default     raw               `json:"default"`
	Properties  orderedProperties `json:"properties"`
	Required    []string          `json:"required"`
	Items       raw               `json:"items"`
	PrefixItems []raw             `json:"prefixItems"`
	MinItems    int               `json:"minItems"`
	Minimum     *float64          `json:"minimum"`
	Format      string            `json:"format"`
	AnyOf       []raw             `json:"anyOf"`
	OneOf       []raw             `json:"oneOf"`
	AllOf       []raw             `json:"allOf"`
	Ref         string            `json:"$ref"`
	Defs        map[string]raw    `json:"$defs"`
	Definitions map[string]raw    `json:"definitions"`
}

// orderedProperties are properties in the order of the schema.
type orderedProperties []property

type property struct {
	name   string
	schema raw
}

var _ json.Unmarshaler = (*orderedProperties)(nil)

// UnmarshalJSON reads an object in order.
func (p *orderedProperties) UnmarshalJSON(b []byte) error {
	dec := json.NewDecoder(strings.NewReader(string(b)))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return err
	}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		var v raw
		if err := dec.Decode(&v); err != nil {
			return err
		}
		*p = append(*p, property{name, v})
	}
	return nil
}

// exampler makes values up that fit a schema, with words from the prompt where
// they suggest themselves.
type exampler struct {
	prompt string
	defs   map[string]raw
}

// example returns JSON that fits the schema. What cannot be read fits {}.
func example(s raw, prompt string) raw {
	e := exampler{prompt: prompt}
	var root schema
	if json.Unmarshal(s, &root) == nil {
		e.defs = root.Defs
		if e.defs == nil {
			e.defs = root.Definitions
		}
	}
	return e.value(s, "", 0)
}

func (e exampler) value(s raw, name string, depth int) raw {
	var sc schema
	if depth > maxSchemaDepth || json.Unmarshal(s, &sc) != nil {
		return raw("{}")
	}
	switch {
	case sc.Ref != "":
		_, def, _ := cutLast(sc.Ref, "/")
		return e.value(or(e.defs[def], "{}"), name, depth+1)
	case len(sc.Const) > 0:
		return sc.Const
	case len(sc.Enum) > 0:
		return sc.Enum[0]
	case len(sc.Default) > 0 && string(sc.Default) != "null":
		return sc.Default
	}
	for _, alternatives := range [][]raw{sc.AnyOf, sc.OneOf, sc.AllOf} {
		if len(alternatives) > 0 {
			return e.value(alternatives[0], name, depth+1)
		}
	}
	switch typeOf(sc) {
	case "object":
		return e.object(sc, depth)
	case "array":
		return e.array(sc, name, depth)
	case "integer", "number":
		if sc.Minimum != nil {
			return encode(*sc.Minimum)
		}
		return raw("1")
	case "boolean":
		return raw("true")
	case "null":
		return raw("null")
	default:
		return encode(e.text(sc, name))
	}
}

// typeOf returns the first type that is not null, in lower case.
func typeOf(sc schema) string {
	var one string
	var many []string
	if json.Unmarshal(sc.Type, &one) != nil && json.Unmarshal(sc.Type, &many) == nil {
		for _, t := range many {
			if one == "" || one == "null" {
				one = t
			}
		}
	}
	if one == "" && sc.Properties != nil {
		one = "object"
	}
	if one == "" && len(sc.Items) > 0 {
		one = "array"
	}
	return strings.ToLower(one)
}

// object fills the required properties, or all when none is required.
func (e exampler) object(sc schema, depth int) raw {
	var pairs []any
	for _, p := range sc.Properties {
		if len(sc.Required) == 0 || slices.Contains(sc.Required, p.name) {
			pairs = append(pairs, p.name, e.value(p.schema, p.name, depth+1))
		}
	}
	return o(pairs...)
}

func (e exampler) array(sc schema, name string, depth int) raw {
	var items []raw
	for _, p := range sc.PrefixItems {
		items = append(items, e.value(p, name, depth+1))
	}
	if len(sc.Items) > 0 && sc.Items[0] == '{' {
		for len(items) < min(max(sc.MinItems, 1), 16) {
			items = append(items, e.value(sc.Items, name, depth+1))
		}
	}
	return list(items)
}

// text makes a string up: by format, else by the property's name.
func (e exampler) text(sc schema, name string) string {
	switch sc.Format {
	case "date-time":
		return "2026-11-22T10:00:00Z"
	case "date":
		return "2026-11-22"
	case "time":
		return "10:00:00Z"
	case "email":
		return "demo@example.com"
	case "uri", "url":
		return "https://example.com/"
	case "uuid":
		return "00000000-0000-4000-8000-000000000000"
	}
	lower := strings.ToLower(name)
	for _, place := range []string{"city", "location", "place", "town"} {
		if strings.Contains(lower, place) {
			return e.proper("Paris")
		}
	}
	for _, question := range []string{"query", "text", "question", "prompt", "message", "input"} {
		if strings.Contains(lower, question) && e.prompt != "" {
			return clip(e.prompt, 200)
		}
	}
	if name == "" {
		return "demo"
	}
	return "demo " + strings.ReplaceAll(lower, "_", " ")
}

// proper returns the last capitalised word of the prompt that does not begin
// it, such as the city of "What is the weather in Oslo?".
func (e exampler) proper(fallback string) string {
	for i, w := range strings.Fields(e.prompt) {
		w = strings.Trim(w, `.,;:!?"'()`)
		if i > 0 && len(w) > 1 && unicode.IsUpper([]rune(w)[0]) {
			fallback = w
		}
	}
	return fallback
}

// clip shortens s to at most n bytes at a rune.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + "…"
}
