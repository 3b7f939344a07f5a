package demo

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// raw is JSON text.
type raw = json.RawMessage

// o writes an object with its keys in the given order: name, value, name,
// value… Vendors write "type" first, and readers that look at the first bytes
// of an event depend on it.
func o(pairs ...any) raw {
	b := []byte{'{'}
	for i := 0; i+1 < len(pairs); i += 2 {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(b, encode(pairs[i])...), ':')
		b = append(b, encode(pairs[i+1])...)
	}
	return append(b, '}')
}

// list writes an array.
func list(items []raw) raw {
	b := []byte{'['}
	for i, it := range items {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, it...)
	}
	return append(b, ']')
}

// encode writes one value without escaping <, > and &.
func encode(v any) []byte {
	switch v := v.(type) {
	case nil:
		return []byte("null")
	case raw:
		if len(v) == 0 {
			return []byte("null")
		}
		return v
	case []raw:
		return list(v)
	case int:
		return strconv.AppendInt(nil, int64(v), 10)
	case int64:
		return strconv.AppendInt(nil, v, 10)
	case bool:
		return strconv.AppendBool(nil, v)
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return []byte("null")
	}
	return bytes.TrimRight(buf.Bytes(), "\n")
}

// or returns v, or fallback JSON when v is absent.
func or(v raw, fallback string) raw {
	if len(v) == 0 {
		return raw(fallback)
	}
	return v
}
