package gemini_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
)

// dump writes a value without what is zero, with the names of its types, so
// that golden files can be read.
func dump(v any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(v))
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		dumpValue(b, v.Elem())
	case reflect.Struct:
		b.WriteString(v.Type().Name() + "{")
		first := true
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				continue
			}
			if !first {
				b.WriteByte(' ')
			}
			first = false
			b.WriteString(v.Type().Field(i).Name + ":")
			dumpValue(b, v.Field(i))
		}
		b.WriteByte('}')
	case reflect.Slice:
		if raw, ok := reflect.TypeAssert[json.RawMessage](v); ok {
			b.WriteString("`" + string(raw) + "`")
			return
		}
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			dumpValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprintf(b, "%v", v.Interface())
	}
}

// lines is dump with an item a line.
func lines(v any) string {
	s := dump(v)
	for _, name := range []string{"Message{", "ToolCall{", "ToolResult{", "Thought{", "Tool{", "Opaque{Dialect", "Choice{", "Extra{"} {
		s = strings.ReplaceAll(s, " "+name, "\n  "+name)
		s = strings.ReplaceAll(s, "["+name, "[\n  "+name)
	}
	return s + "\n"
}
