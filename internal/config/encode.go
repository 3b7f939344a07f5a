package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// WriteSeed writes s as TOML that ParseSeed reads back. Secrets are written in
// clear when withSecrets is set, else left out; the caller sees to it that
// keys and credentials without one have NeedsSecret.
func WriteSeed(w io.Writer, s Seed, withSecrets bool) error {
	e := encoder{secrets: withSecrets}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if key := v.Type().Field(i).Tag.Get("toml"); key != "" {
			e.tables(key, v.Field(i))
		}
	}
	if e.err != nil {
		return e.err
	}
	_, err := w.Write(e.out.Bytes())
	return err
}

// encoder is the mirror of decoder: it writes structs by the same tags.
type encoder struct {
	out     bytes.Buffer
	secrets bool
	err     error
}

// tables writes each element of a slice of structs as [[path]].
func (e *encoder) tables(path string, list reflect.Value) {
	for i := range list.Len() {
		if e.out.Len() > 0 {
			e.out.WriteByte('\n')
		}
		fmt.Fprintf(&e.out, "[[%s]]\n", path)
		var nested []func()
		e.fields(path, "", list.Index(i), &nested)
		for _, write := range nested {
			write()
		}
	}
}

// fields writes the plain values of a struct and puts off its sub-tables,
// which must stand behind them.
func (e *encoder) fields(path, prefix string, v reflect.Value, nested *[]func()) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := prefix + field.Tag.Get("toml")
		more := field.Tag.Get("prefix")
		switch {
		case key == prefix && (field.Anonymous || more != ""):
			e.fields(path, prefix+more, v.Field(i), nested)
		case key == prefix, key == "channel": // a channel was read as a kind
		case field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct && field.Type.Elem() != reflect.TypeFor[netip.Prefix]():
			*nested = append(*nested, func() { e.tables(path+"."+key, v.Field(i)) })
		default:
			if text, ok := e.value(v.Field(i), field.Tag.Get("default") == "true"); ok {
				fmt.Fprintf(&e.out, "%s = %s\n", key, text)
			}
		}
	}
}

// value returns a value as TOML text, and false for one that says nothing.
func (e *encoder) value(v reflect.Value, always bool) (string, bool) {
	switch x := v.Interface().(type) {
	case tollgate.Secret:
		return quote(x.Reveal()), e.secrets && !x.Empty()
	case tollgate.Money:
		return x.String(), true
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano), !x.IsZero()
	case netip.Prefix:
		return quote(x.String()), true
	case json.RawMessage:
		return e.inline(x)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return "", false
		}
		text, _ := e.value(v.Elem(), true)
		return text, true
	case reflect.String:
		return quote(v.String()), v.String() != "" || always
	case reflect.Bool:
		return strconv.FormatBool(v.Bool()), v.Bool() || always
	case reflect.Int64:
		return strconv.FormatInt(v.Int(), 10), v.Int() != 0 || always
	case reflect.Slice:
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i], _ = e.value(v.Index(i), true)
		}
		return "[" + strings.Join(parts, ", ") + "]", v.Len() > 0
	default:
		e.err = fmt.Errorf("a value of type %s has no TOML form", v.Type())
		return "", false
	}
}

// inline writes a JSON object as an inline table, numbers exactly as they
// stand. TOML has no null: such keys are left out.
func (e *encoder) inline(raw json.RawMessage) (string, bool) {
	if len(raw) == 0 {
		return "", false
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		e.err = fmt.Errorf("settings are not JSON: %w", err)
		return "", false
	}
	m, ok := v.(map[string]any)
	return inlineValue(v), ok && len(m) > 0
}

func inlineValue(v any) string {
	switch x := v.(type) {
	case map[string]any:
		var parts []string
		for _, key := range sortedKeys(x) {
			if x[key] != nil {
				parts = append(parts, quote(key)+" = "+inlineValue(x[key]))
			}
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case []any:
		var parts []string
		for _, item := range x {
			if item != nil {
				parts = append(parts, inlineValue(item))
			}
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case string:
		return quote(x)
	case bool:
		return strconv.FormatBool(x)
	case json.Number:
		if s := x.String(); !strings.ContainsAny(s, ".eE") {
			if _, err := x.Int64(); err != nil {
				return s + ".0" // beyond TOML's integers
			}
		}
		return x.String()
	default:
		return `""`
	}
}

// quote writes a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
