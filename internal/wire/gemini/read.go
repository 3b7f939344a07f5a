package gemini

import (
	"encoding/json"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// own is the wire name that this package's extras and opaque parts carry.
const own = string(tollgate.DialectGemini)

// parse reads a body in protobuf's JSON form: both spellings of names.
func parse(body []byte) (*jsondoc.Object, error) {
	return jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits(), Snake: true})
}

// list returns the elements of a repeated field. Google's servers take a
// lone message for a list of one, and their own examples use it.
func list(v jsondoc.Value) []jsondoc.Value {
	if v.Kind() == jsondoc.IsObject {
		return []jsondoc.Value{v}
	}
	return v.Array()
}

// whole reads a whole number, which protobuf's JSON form may write as a string.
func whole(v jsondoc.Value) *int64 {
	if v.Kind() != jsondoc.String {
		return v.Int()
	}
	n, err := strconv.ParseInt(v.Str(), 10, 64)
	if err != nil {
		v.Fail("must be a whole number")
		return nil
	}
	return &n
}

// float reads a number, which may be a string as well.
func float(v jsondoc.Value) *float64 {
	if v.Kind() != jsondoc.String {
		return v.Float()
	}
	f, err := strconv.ParseFloat(v.Str(), 64)
	if err != nil || f != f || f > 1e300 || f < -1e300 {
		v.Fail("must be a number")
		return nil
	}
	return &f
}

// enum reads the name of an enum value in lower case, without its prefix; the
// UNSPECIFIED one is empty.
func enum(v jsondoc.Value, prefix string) string {
	s := strings.TrimPrefix(strings.ToUpper(v.Str()), prefix)
	if strings.HasSuffix(s, "UNSPECIFIED") {
		return ""
	}
	return strings.ToLower(s)
}

// rest makes extras of the members of o that nobody asked for; at is their
// owner's path within the ir value they are kept on, with its dot.
func rest(list []ir.Extra, o *jsondoc.Object, at string) []ir.Extra {
	o.Rest(func(name string, raw json.RawMessage) {
		list = append(list, ir.Extra{Dialect: own, Path: at + name, Raw: raw})
	})
	return list
}

// withExtras writes the members that stand directly at path at into the open
// object. Extras of other dialects, and those further down, are not its matter.
func withExtras(w *jsondoc.Writer, list []ir.Extra, at string) {
	for _, e := range list {
		name, ok := strings.CutPrefix(e.Path, at)
		if e.Dialect == own && ok && name != "" && !strings.Contains(name, ".") {
			w.Raw(name, e.Raw)
		}
	}
}

// extrasBelow reports whether anything is kept at path at or below.
func extrasBelow(list []ir.Extra, at string) bool {
	for _, e := range list {
		if e.Dialect == own && strings.HasPrefix(e.Path, at) {
			return true
		}
	}
	return false
}

// modelName takes the resource prefix off a model's name.
func modelName(name string) string { return strings.TrimPrefix(name, "models/") }

// resourceName puts it on, where the name has none.
func resourceName(model string) string {
	if strings.Contains(model, "/") {
		return model
	}
	return "models/" + model
}

// wireLimits bound texts inside of a body, which is bounded itself.
func wireLimits() jsonscan.Limits { return wire.AnswerLimits() }
