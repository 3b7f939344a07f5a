package gemini

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// schemaForm is one of the two ways in which Gemini takes a schema.
type schemaForm uint8

const (
	formJSON    schemaForm = iota // parametersJsonSchema, responseJsonSchema
	formOpenAPI                   // parameters, responseSchema
)

// writtenSchema is a schema in a form, with the keywords that it could not
// hold: lost ones bound what is allowed, noted ones only describe it, or are
// said in another way.
type writtenSchema struct {
	form        schemaForm
	raw         json.RawMessage
	lost, noted []string
}

// report adds the losses of a schema that stands at path.
func (s *writtenSchema) report(losses *ir.Losses, path string) {
	if len(s.lost) > 0 {
		losses.Lose(path, "Gemini's schemas have no "+quoteList(s.lost)+": taken out")
	}
	if len(s.noted) > 0 {
		losses.Note(path, "said in another way or left out, since they allow and forbid nothing: "+quoteList(s.noted))
	}
}

// writeSchema chooses the form: JSON Schema, unless the OpenAPI subset loses
// nothing where JSON Schema does (it alone has pattern and the bounds of
// lengths), or the model is too old for anything else.
func writeSchema(raw json.RawMessage, f family) (writtenSchema, error) {
	doc, err := jsondoc.Parse(raw, jsondoc.Options{Limits: wireLimits()})
	if err != nil {
		return writtenSchema{}, err
	}
	if f.old() {
		return writeForm(doc, formOpenAPI), nil
	}
	out := writeForm(doc, formJSON)
	if len(out.lost) > 0 {
		if other := writeForm(doc, formOpenAPI); len(other.lost) == 0 {
			return other, nil
		}
	}
	return out, nil
}

func writeForm(doc *jsondoc.Object, form schemaForm) writtenSchema {
	s := schemaWriter{w: jsondoc.NewWriter(nil), root: doc, out: writtenSchema{form: form}}
	s.schema("", doc.Value())
	s.out.raw = s.w.Bytes()
	return s.out
}

// maxSchemaDepth bounds nesting, references followed.
const maxSchemaDepth = 64

// schemaWriter writes one schema in one form.
type schemaWriter struct {
	w     *jsondoc.Writer
	root  *jsondoc.Object
	out   writtenSchema
	depth int
	refs  []string // being written in place, outermost first
}

func (s *schemaWriter) lose(keyword string) { s.out.lost = append(s.out.lost, keyword) }
func (s *schemaWriter) note(keyword string) { s.out.noted = append(s.out.noted, keyword) }

// schema writes the schema v as the member name.
func (s *schemaWriter) schema(name string, v jsondoc.Value) {
	s.depth++
	defer func() { s.depth-- }()
	switch {
	case s.depth > maxSchemaDepth:
		s.lose("so deep a nesting")
		s.empty(name)
	case v.Kind() == jsondoc.Bool:
		if b := v.Bool(); b != nil && !*b {
			s.lose("false as a schema")
		} else {
			s.note("true as a schema")
		}
		s.empty(name)
	case v.Kind() != jsondoc.IsObject:
		s.lose("schemas that are no objects")
		s.empty(name)
	default:
		s.object(name, v.Object())
	}
}

func (s *schemaWriter) empty(name string) {
	s.w.Object(name)
	s.w.End()
}

func (s *schemaWriter) object(name string, o *jsondoc.Object) {
	if ref := o.Get("$ref"); ref.Kind() == jsondoc.String {
		s.reference(name, ref.Str(), o)
		return
	}
	if one := single(o); one.Present() {
		s.note("allOf")
		s.schema(name, one)
		return
	}
	s.w.Object(name)
	for _, key := range o.Keys() {
		if s.out.form == formJSON {
			s.jsonKeyword(key, o)
		} else {
			s.subsetKeyword(key, o)
		}
	}
	s.w.End()
}

// single returns the one schema of an allOf with nothing that matters beside
// it, the way generators attach a description to a reference.
func single(o *jsondoc.Object) jsondoc.Value {
	all := o.Get("allOf")
	if all.Kind() != jsondoc.IsArray {
		return jsondoc.Value{}
	}
	list := all.Array()
	for _, key := range o.Keys() {
		switch key {
		case "allOf", "title", "description", "default", "$comment", "examples":
		default:
			return jsondoc.Value{}
		}
	}
	if len(list) != 1 {
		return jsondoc.Value{}
	}
	return list[0]
}

// reference writes a schema that stands elsewhere: by its name in JSON Schema,
// in place in the subset, which has no references.
func (s *schemaWriter) reference(name, ref string, o *jsondoc.Object) {
	for _, key := range o.Keys() {
		if !strings.HasPrefix(key, "$") { // "beside $ref only keywords that begin with $"
			s.note(key + " beside $ref")
		}
	}
	target, inside := pointerName(ref)
	if s.out.form == formJSON {
		s.w.Object(name)
		if inside && !strings.HasPrefix(ref, "#/$defs/") {
			s.note("definitions")
			ref = "#/$defs/" + ref[strings.LastIndexByte(ref, '/')+1:]
		}
		s.w.Str("$ref", ref)
		s.w.End()
		return
	}
	if slices.Contains(s.refs, target) {
		s.lose("recursive $ref")
		s.openObject(name)
		return
	}
	found := s.root.Object("$defs").Get(target)
	if !found.Present() {
		found = s.root.Object("definitions").Get(target)
	}
	if !inside || !found.Present() {
		s.lose("$ref to other places")
		s.openObject(name)
		return
	}
	s.note("$ref")
	s.refs = append(s.refs, target)
	s.schema(name, found)
	s.refs = s.refs[:len(s.refs)-1]
}

// openObject writes the schema of any object, the subset's nearest to anything.
func (s *schemaWriter) openObject(name string) {
	s.w.Object(name)
	s.w.Str("type", "OBJECT")
	s.w.End()
}

// annotation reports whether a keyword says nothing about what is allowed.
func annotation(key string) bool {
	switch key {
	case "$schema", "$comment", "$vocabulary", "$anchor", "$id", "title", "description", "default", "example", "examples",
		"deprecated", "readOnly", "writeOnly", "contentMediaType", "contentEncoding", "propertyOrdering", "markdownDescription", "enumNames":
		return true
	default:
		return strings.HasPrefix(key, "x-")
	}
}

// drop leaves a keyword out.
func (s *schemaWriter) drop(key string) {
	if annotation(key) {
		s.note(key)
	} else {
		s.lose(key)
	}
}

// jsonKeyword writes a keyword of parametersJsonSchema and responseJsonSchema,
// whose description lists what they take.
func (s *schemaWriter) jsonKeyword(key string, o *jsondoc.Object) {
	v := o.Get(key)
	switch key {
	case "$id", "$anchor", "type", "format", "title", "description", "enum", "minItems", "maxItems", "minimum", "maximum", "required", "propertyOrdering":
		s.w.Raw(key, v.Raw())
	case "properties", "$defs":
		s.members(key, v)
	case "definitions":
		s.note(key)
		if !o.Has("$defs") {
			s.members("$defs", v)
		}
	case "items":
		s.items(v, o)
	case "additionalProperties":
		if v.Kind() == jsondoc.Bool {
			s.w.Raw(key, v.Raw())
		} else {
			s.schema(key, v)
		}
	case "anyOf", "oneOf", "prefixItems":
		s.branches(key, v)
	case "const":
		s.constant(v, o)
	case "exclusiveMinimum", "exclusiveMaximum":
		s.exclusive(key, v, o)
	default:
		s.drop(key)
	}
}

func (s *schemaWriter) members(name string, v jsondoc.Value) {
	if v.Kind() != jsondoc.IsObject {
		s.lose(name)
		return
	}
	o := v.Object()
	s.w.Object(name)
	for _, key := range o.Keys() {
		s.schema(key, o.Get(key))
	}
	s.w.End()
}

func (s *schemaWriter) branches(name string, v jsondoc.Value) {
	if v.Kind() != jsondoc.IsArray {
		s.lose(name)
		return
	}
	s.w.Array(name)
	for _, one := range v.Array() {
		s.schema("", one)
	}
	s.w.End()
}

// items writes the schema of elements. A list of schemas is the old spelling
// of prefixItems.
func (s *schemaWriter) items(v jsondoc.Value, o *jsondoc.Object) {
	switch {
	case v.Kind() == jsondoc.IsArray && s.out.form == formJSON && !o.Has("prefixItems"):
		s.note("items as a list")
		s.branches("prefixItems", v)
	case v.Kind() == jsondoc.IsArray:
		s.lose("items as a list")
	default:
		s.schema("items", v)
	}
}

// constant writes a constant as the enum of one value.
func (s *schemaWriter) constant(v jsondoc.Value, o *jsondoc.Object) {
	text, number := v.Kind() == jsondoc.String, v.Kind() == jsondoc.Number
	if o.Has("enum") || (!text && !number) || (number && s.out.form == formOpenAPI) {
		s.lose("const")
		return
	}
	s.note("const")
	if !o.Has("type") {
		kind := "string"
		if number {
			kind = "number"
		}
		s.kind(kind)
	}
	s.w.Array("enum")
	s.w.Raw("", v.Raw())
	s.w.End()
}

func (s *schemaWriter) kind(name string) {
	if s.out.form == formOpenAPI {
		name = strings.ToUpper(name)
	}
	s.w.Str("type", name)
}

// exclusive writes an exclusive bound of whole numbers as the next number.
func (s *schemaWriter) exclusive(key string, v jsondoc.Value, o *jsondoc.Object) {
	kind, bound, step := o.Get("type"), "minimum", int64(1)
	if key == "exclusiveMaximum" {
		bound, step = "maximum", -1
	}
	if v.Kind() != jsondoc.Number || kind.Kind() != jsondoc.String || kind.Str() != "integer" || o.Has(bound) {
		s.lose(key)
		return
	}
	f := v.Float()
	if f == nil || *f != float64(int64(*f)) || *f > 1<<52 || *f < -1<<52 {
		s.lose(key)
		return
	}
	s.note(key)
	s.w.Int(bound, int64(*f)+step)
}
