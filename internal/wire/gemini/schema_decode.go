package gemini

import (
	"bytes"
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/wire/jsondoc"
)

// readSchema returns a schema as JSON Schema: type names in lower case, which
// clients send in upper case in either field, and for the OpenAPI subset
// (openAPI) protobuf's other spellings of the keywords resolved and nullable
// turned into a further type. Everything else stays as it is.
func readSchema(v jsondoc.Value, openAPI bool) json.RawMessage {
	if !v.Present() {
		return nil
	}
	if v.Kind() != jsondoc.IsObject {
		v.Fail("must be an object")
		return nil
	}
	if raw := v.Raw(); !openAPI && !hasUpperType(raw) {
		return raw
	}
	r := schemaReader{w: jsondoc.NewWriter(nil), openAPI: openAPI}
	r.schema("", v)
	return r.w.Bytes()
}

// hasUpperType is a quick look for the names of types in upper case; a text
// that only looks like one costs a rewrite that changes nothing.
func hasUpperType(raw []byte) bool {
	for _, name := range typeNames() {
		if bytes.Contains(raw, []byte(`"`+name+`"`)) {
			return true
		}
	}
	return false
}

// typeNames are the values of Gemini's enum Type.
func typeNames() []string {
	return []string{"STRING", "NUMBER", "INTEGER", "BOOLEAN", "ARRAY", "OBJECT", "NULL"}
}

type schemaReader struct {
	w       *jsondoc.Writer
	openAPI bool
}

// schema writes the schema v as the member name.
func (r *schemaReader) schema(name string, v jsondoc.Value) {
	if v.Kind() != jsondoc.IsObject { // true, false, or somebody's mistake
		r.w.Raw(name, v.Raw())
		return
	}
	o := v.Object()
	nullable := false
	if r.openAPI {
		if b := o.Get("nullable").Bool(); b != nil {
			nullable = *b
		}
	}
	r.w.Object(name)
	for _, key := range o.Keys() {
		r.keyword(o, key, nullable)
	}
	r.w.End()
}

func (r *schemaReader) keyword(o *jsondoc.Object, key string, nullable bool) {
	v, name := o.Get(key), key
	if r.openAPI {
		name = camelCase(key)
	}
	switch name {
	case "nullable":
		if !r.openAPI {
			r.w.Raw(name, v.Raw())
		}
	case "type":
		r.kind(v, nullable)
	case "properties", "$defs", "definitions":
		r.members(name, v)
	case "items", "additionalProperties", "not":
		r.schema(name, v)
	case "anyOf", "oneOf", "allOf", "prefixItems":
		r.branches(name, v, nullable && name == "anyOf")
	case "enum":
		r.values(v, nullable)
	case "minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties":
		if n := whole(v); n != nil {
			r.w.Int(name, *n)
		}
	default:
		if v.Present() {
			r.w.Raw(name, v.Raw())
		}
	}
}

// kind writes the type, or the list of types.
func (r *schemaReader) kind(v jsondoc.Value, nullable bool) {
	if v.Kind() != jsondoc.String {
		if v.Kind() != jsondoc.IsArray {
			v.Fail("must be the name of a type")
			return
		}
		r.w.Array("type")
		for _, one := range v.Array() {
			r.w.Str("", typeName(one.Str()))
		}
		r.w.End()
		return
	}
	name := typeName(v.Str())
	switch {
	case name == "":
	case nullable && name != "null":
		r.w.Strings("type", []string{name, "null"})
	default:
		r.w.Str("type", name)
	}
}

func typeName(s string) string {
	switch {
	case s == "TYPE_UNSPECIFIED":
		return ""
	case slices.Contains(typeNames(), s):
		return strings.ToLower(s)
	default:
		return s
	}
}

func (r *schemaReader) members(name string, v jsondoc.Value) {
	o := v.Object()
	r.w.Object(name)
	for _, key := range o.Keys() {
		r.schema(key, o.Get(key))
	}
	r.w.End()
}

func (r *schemaReader) branches(name string, v jsondoc.Value, nullable bool) {
	r.w.Array(name)
	for _, one := range v.Array() {
		r.schema("", one)
	}
	if nullable {
		r.w.Object("")
		r.w.Str("type", "null")
		r.w.End()
	}
	r.w.End()
}

// values writes an enum. A nullable one allows null, which the list must say.
func (r *schemaReader) values(v jsondoc.Value, nullable bool) {
	r.w.Array("enum")
	for _, one := range v.Array() {
		r.w.Raw("", one.Raw())
	}
	if nullable {
		r.w.Null("")
	}
	r.w.End()
}

// pointerName returns the name at the end of a reference into definitions.
func pointerName(ref string) (string, bool) {
	for _, at := range []string{"#/$defs/", "#/definitions/"} {
		if name, ok := strings.CutPrefix(ref, at); ok && !strings.Contains(name, "/") {
			return strings.NewReplacer("~1", "/", "~0", "~").Replace(name), true
		}
	}
	return "", false
}

// quoteList joins names for a message to people.
func quoteList(names []string) string {
	slices.Sort(names)
	names = slices.Compact(names)
	const most = 8
	if len(names) > most {
		names = append(names[:most:most], "and "+strconv.Itoa(len(names)-most)+" more")
	}
	return strings.Join(names, ", ")
}
