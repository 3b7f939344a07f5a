package config

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// decoder fills structs from nodes by their toml tags. It goes on after a
// problem, so that everything wrong with a document is found in one pass.
//
// Tags: toml:"name" is the key, alias:"other" a second spelling, default:"true"
// presets a bool, shape:"list|int|bool" says how a given is written, and
// prefix:"x_" on a struct reads its fields from the same table, each key with
// x_ in front. A struct field At takes the place of the table.
type decoder struct {
	problems Problems
	notes    Problems
	// resolve turns env:NAME and file:PATH into values; nil = they are refused.
	resolve func(reference string) (string, error)
	// tolerant reports unknown keys as notes: inside a GPROXY provider.
	tolerant bool
}

// foreign is implemented by tables that know keys of a GPROXY file which mean
// nothing here.
type foreign interface{ foreignKey(key string) bool }

// tolerator is implemented by tables whose unknown keys may be another
// product's.
type tolerator interface{ tolerates(n *node) bool }

// given is a setting as written in the file, before it is understood.
type given struct {
	text string
	name string // the key, for messages; empty where the place says it
	at   Place
	set  bool
}

// document decodes the root table.
func (d *decoder) document(n *node, dst *file) {
	d.structure(n, reflect.ValueOf(dst).Elem(), "")
}

func (d *decoder) structure(n *node, dst reflect.Value, name string) {
	if n.kind != kindTable {
		addf(&d.problems, n.at, "%s must be a table, not %s", name, n.kind)
		return
	}
	defer func(was bool) { d.tolerant = was }(d.tolerant)
	if t, ok := reflect.TypeAssert[tolerator](dst); ok && t.tolerates(n) {
		d.tolerant = true
	}
	known := map[string]bool{}
	for i := range dst.NumField() {
		field := dst.Type().Field(i)
		if field.Name == "At" {
			dst.Field(i).Set(reflect.ValueOf(n.at))
			continue
		}
		if field.Tag.Get("default") == "true" {
			dst.Field(i).SetBool(true)
		}
		key := field.Tag.Get("toml")
		if key == "" {
			d.embedded(n, dst.Field(i), field, inTable{name: name, known: known})
			continue
		}
		d.field(n, dst.Field(i), field, inTable{name: name, known: known})
	}
	d.unknown(n, dst, name, known)
}

// inTable is where fields are read: a table's name, the prefix of their keys
// and the keys known so far.
type inTable struct {
	name, prefix string
	known        map[string]bool
}

// embedded decodes the fields of a struct that is embedded or has a prefix
// from the same table.
func (d *decoder) embedded(n *node, dst reflect.Value, as reflect.StructField, in inTable) {
	prefix := as.Tag.Get("prefix")
	if !as.Anonymous && prefix == "" {
		return
	}
	in.prefix += prefix
	for i := range dst.NumField() {
		if field := dst.Type().Field(i); field.Tag.Get("toml") != "" {
			d.field(n, dst.Field(i), field, in)
		} else {
			d.embedded(n, dst.Field(i), field, in)
		}
	}
}

func (d *decoder) field(n *node, dst reflect.Value, field reflect.StructField, in inTable) {
	name, known := in.name, in.known
	key, alias := in.prefix+field.Tag.Get("toml"), field.Tag.Get("alias")
	known[key] = true
	v, ok := n.table[key]
	if alias != "" {
		known[alias] = true
		if other, both := n.table[alias]; both {
			if ok && !sameNode(v, other) {
				addf(&d.problems, n.keyAt[alias], "%s is another name for %s; both are set, and they differ", alias, key)
				return
			}
			key, v, ok = alias, other, true
		}
	}
	if !ok {
		return
	}
	what := key
	if name != "" {
		what += " in " + name
	}
	if field.Type == reflect.TypeFor[given]() {
		d.given(v, dst, field.Tag.Get("shape"), what)
		return
	}
	d.value(v, dst, subtable(name, key, field.Type), what)
}

// subtable names a table below another for messages.
func subtable(parent, key string, t reflect.Type) string {
	path := key
	if p := strings.Trim(parent, "[]"); p != "" {
		path = p + "." + key
	}
	if t.Kind() == reflect.Slice {
		return "[[" + path + "]]"
	}
	return "[" + path + "]"
}

func (d *decoder) unknown(n *node, dst reflect.Value, name string, known map[string]bool) {
	f, _ := reflect.TypeAssert[foreign](dst)
	where := ""
	if name != "" {
		where = " in " + name
	}
	for _, key := range n.keys {
		switch {
		case known[key]:
		case f != nil && f.foreignKey(key), d.tolerant:
			addf(&d.notes, n.keyAt[key], "%s%s means nothing here and is ignored", key, where)
		default:
			addf(&d.problems, n.keyAt[key], "unknown key %q%s%s", clip(key), where, hint(key, known))
		}
	}
}

// clip bounds what is quoted from a file.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}

// noInts is the text of an empty list of integers, which is not an absent one.
const noInts = "none"

func (d *decoder) given(n *node, dst reflect.Value, shape, what string) {
	v := given{at: n.at, name: what, set: true}
	switch {
	case shape == "list" && n.kind == kindArray:
		parts := make([]string, 0, len(n.items))
		for _, item := range n.items {
			s, ok := d.text(item, what)
			if !ok {
				return
			}
			parts = append(parts, s)
		}
		v.text = strings.Join(parts, ",")
	case shape == "ints" && n.kind == kindArray:
		parts := make([]string, 0, len(n.items))
		for _, item := range n.items {
			if item.kind != kindInteger {
				addf(&d.problems, item.at, "%s must be a list of integers, not of %s", what, item.kind)
				return
			}
			parts = append(parts, item.text)
		}
		if v.text = strings.Join(parts, ","); v.text == "" {
			v.text = noInts
		}
	case shape == "ints":
		addf(&d.problems, n.at, "%s must be a list of integers, not %s", what, n.kind)
		return
	case shape == "int" && n.kind == kindInteger, shape == "bool" && n.kind == kindBool:
		v.text = n.text
	case shape == "int" || shape == "bool":
		want := kindInteger
		if shape == "bool" {
			want = kindBool
		}
		addf(&d.problems, n.at, "%s must be %s, not %s", what, want, n.kind)
		return
	default:
		s, ok := d.text(n, what)
		if !ok {
			return
		}
		v.text = s
	}
	v.set = v.text != "" // an empty string is as good as an absent key
	dst.Set(reflect.ValueOf(v))
}

// text returns a string value with references resolved.
func (d *decoder) text(n *node, what string) (string, bool) {
	if n.kind != kindString {
		addf(&d.problems, n.at, "%s must be a string, not %s", what, n.kind)
		return "", false
	}
	if !strings.HasPrefix(n.text, "env:") && !strings.HasPrefix(n.text, "file:") {
		return n.text, true
	}
	if d.resolve == nil {
		addf(&d.problems, n.at, "%s: env: and file: values are read only from a file on the gateway's own disk", what)
		return "", false
	}
	s, err := d.resolve(n.text)
	if err != nil {
		addf(&d.problems, n.at, "%s: %v", what, err)
		return "", false
	}
	return s, true
}

// value decodes n into dst. table names dst should it hold tables; what names
// the key for messages.
func (d *decoder) value(n *node, dst reflect.Value, table, what string) {
	if d.special(n, dst, what) {
		return
	}
	switch dst.Kind() {
	case reflect.Pointer:
		p := reflect.New(dst.Type().Elem())
		before := len(d.problems)
		d.value(n, p.Elem(), table, what)
		if len(d.problems) == before {
			dst.Set(p)
		}
	case reflect.String:
		if s, ok := d.text(n, what); ok {
			dst.SetString(s)
		}
	case reflect.Bool:
		if d.is(n, kindBool, what) {
			dst.SetBool(n.text == "true")
		}
	case reflect.Int64:
		if d.is(n, kindInteger, what) {
			i, err := strconv.ParseInt(n.text, 0, 64)
			if err != nil {
				addf(&d.problems, n.at, "%s is out of range", what)
			}
			dst.SetInt(i)
		}
	case reflect.Slice:
		if n.kind != kindArray {
			addf(&d.problems, n.at, "%s must be an array, not %s", what, n.kind)
			return
		}
		for _, item := range n.items {
			v := reflect.New(dst.Type().Elem()).Elem()
			d.value(item, v, table, what)
			dst.Set(reflect.Append(dst, v))
		}
	case reflect.Map:
		if n.kind != kindTable {
			addf(&d.problems, n.at, "%s must be a table, not %s", what, n.kind)
			return
		}
		dst.Set(reflect.MakeMap(dst.Type()))
		for _, key := range n.keys {
			v := reflect.New(dst.Type().Elem()).Elem()
			d.value(n.table[key], v, subtable(table, key, v.Type()), key+" in "+table)
			dst.SetMapIndex(reflect.ValueOf(key), v)
		}
	case reflect.Struct:
		d.structure(n, dst, table)
	default:
		addf(&d.problems, n.at, "%s cannot be read", what)
	}
}

// special decodes the types that have a form of their own, and reports
// whether dst is one of them.
func (d *decoder) special(n *node, dst reflect.Value, what string) bool {
	fail := func(err error) {
		if err != nil {
			addf(&d.problems, n.at, "%s: %v", what, err)
		}
	}
	switch p := dst.Addr().Interface().(type) {
	case *tollgate.Secret:
		s, ok := d.text(n, what)
		if !ok {
			s = "unreadable" // reported; not to be reported again as missing
		}
		*p = tollgate.NewSecret(s)
	case *tollgate.Money:
		if n.kind != kindInteger && n.kind != kindFloat {
			addf(&d.problems, n.at, "%s must be a number of dollars, not %s", what, n.kind)
			break
		}
		m, err := tollgate.ParseMoney(n.text)
		*p = m
		fail(err)
	case *time.Duration:
		if s, ok := d.text(n, what); ok {
			v, err := parseDuration(s)
			*p = v
			fail(err)
		}
	case *time.Time:
		t, err := nodeTime(n)
		*p = t
		fail(err)
	case *netip.Prefix:
		if s, ok := d.text(n, what); ok {
			v, err := parsePrefix(s)
			*p = v
			fail(err)
		}
	case *json.RawMessage:
		d.rawJSON(n, p, what)
	case *listed:
		p.At = n.at
	case encoding.TextUnmarshaler:
		if n.kind == kindTable {
			return false
		}
		if s, ok := d.text(n, what); ok {
			fail(p.UnmarshalText([]byte(s)))
		}
	default:
		return false
	}
	return true
}

// is reports whether n is of a kind, and reports the problem if it is not.
func (d *decoder) is(n *node, kind nodeKind, what string) bool {
	if n.kind != kind {
		addf(&d.problems, n.at, "%s must be %s, not %s", what, kind, n.kind)
	}
	return n.kind == kind
}

func nodeTime(n *node) (time.Time, error) {
	if n.kind != kindTime && n.kind != kindString {
		return time.Time{}, fmt.Errorf("must be a time such as 2030-01-31T00:00:00Z, not %s", n.kind)
	}
	t, err := time.Parse(time.RFC3339Nano, strings.Replace(strings.ToUpper(n.text), " ", "T", 1))
	if err != nil {
		return time.Time{}, errors.New("must be a time with an offset, such as 2030-01-31T00:00:00Z")
	}
	return t.UTC(), nil
}

// rawJSON turns a table into a JSON object, numbers exactly as written.
func (d *decoder) rawJSON(n *node, dst *json.RawMessage, what string) {
	if !d.is(n, kindTable, what) {
		return
	}
	before := len(d.problems)
	b := d.appendJSON(nil, n, what)
	if len(d.problems) == before {
		*dst = b
	}
}

func (d *decoder) appendJSON(b []byte, n *node, what string) []byte {
	switch n.kind {
	case kindTable:
		b = append(b, '{')
		for i, key := range slices.Sorted(slices.Values(n.keys)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendJSONString(b, key), ':')
			b = d.appendJSON(b, n.table[key], what)
		}
		return append(b, '}')
	case kindArray:
		b = append(b, '[')
		for i, item := range n.items {
			if i > 0 {
				b = append(b, ',')
			}
			b = d.appendJSON(b, item, what)
		}
		return append(b, ']')
	case kindInteger, kindFloat:
		if i, err := strconv.ParseInt(n.text, 0, 64); err == nil {
			return strconv.AppendInt(b, i, 10)
		}
		if !json.Valid([]byte(n.text)) {
			addf(&d.problems, n.at, "%s: %q is not a finite decimal number", what, clip(n.text))
		}
		return append(b, n.text...)
	case kindBool:
		return append(b, n.text...)
	case kindString:
		s, _ := d.text(n, what)
		return appendJSONString(b, s)
	case kindTime:
		return appendJSONString(b, n.text)
	}
	return b
}

func appendJSONString(b []byte, s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil { // a string always has a JSON form
		return append(b, `""`...)
	}
	return append(b, quoted...)
}

func sameNode(a, b *node) bool {
	if a.kind != b.kind || a.text != b.text || len(a.items) != len(b.items) || len(a.keys) != len(b.keys) {
		return false
	}
	for i := range a.items {
		if !sameNode(a.items[i], b.items[i]) {
			return false
		}
	}
	for key, v := range a.table {
		other, ok := b.table[key]
		if !ok || !sameNode(v, other) {
			return false
		}
	}
	return true
}
