package jsondoc

import (
	"encoding/json"
	"math"
	"strconv"

	"tollgate/internal/wire/jsonscan"
)

// Writer builds a JSON text from left to right. In an object every call names
// its member; in an array the name is empty. The zero value is ready; a Writer
// over a slice appends to it.
type Writer struct {
	buf   []byte
	stack []byte // what End has to write, innermost last
	comma bool
}

// NewWriter returns a Writer that appends to dst.
func NewWriter(dst []byte) *Writer { return &Writer{buf: dst} }

// Bytes returns what is written. Everything opened must be closed.
func (w *Writer) Bytes() []byte { return w.buf }

// Len is how many bytes are written.
func (w *Writer) Len() int { return len(w.buf) }

func (w *Writer) key(name string) {
	if w.comma {
		w.buf = append(w.buf, ',')
	}
	w.comma = true
	if name != "" || w.inObject() {
		w.buf = jsonscan.AppendString(w.buf, name)
		w.buf = append(w.buf, ':')
	}
}

func (w *Writer) inObject() bool { return len(w.stack) > 0 && w.stack[len(w.stack)-1] == '}' }

// Object opens an object; End closes it.
func (w *Writer) Object(name string) {
	w.key(name)
	w.buf, w.stack, w.comma = append(w.buf, '{'), append(w.stack, '}'), false
}

// Array opens an array; End closes it.
func (w *Writer) Array(name string) {
	w.key(name)
	w.buf, w.stack, w.comma = append(w.buf, '['), append(w.stack, ']'), false
}

// End closes the innermost object or array.
func (w *Writer) End() {
	last := len(w.stack) - 1
	w.buf, w.stack, w.comma = append(w.buf, w.stack[last]), w.stack[:last], true
}

// Str writes a string.
func (w *Writer) Str(name, s string) {
	w.key(name)
	w.buf = jsonscan.AppendString(w.buf, s)
}

// OptStr writes a string unless it is empty.
func (w *Writer) OptStr(name, s string) {
	if s != "" {
		w.Str(name, s)
	}
}

// Int writes a whole number.
func (w *Writer) Int(name string, n int64) {
	w.key(name)
	w.buf = strconv.AppendInt(w.buf, n, 10)
}

// OptInt writes a whole number unless it is nil.
func (w *Writer) OptInt(name string, n *int64) {
	if n != nil {
		w.Int(name, *n)
	}
}

// Float writes a number in its shortest exact form; what is not finite is null.
func (w *Writer) Float(name string, f float64) {
	w.key(name)
	if math.IsInf(f, 0) || math.IsNaN(f) {
		w.buf = append(w.buf, "null"...)
		return
	}
	format := byte('f')
	if abs := math.Abs(f); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, f, format, -1, 64)
}

// OptFloat writes a number unless it is nil.
func (w *Writer) OptFloat(name string, f *float64) {
	if f != nil {
		w.Float(name, *f)
	}
}

// Bool writes a truth value.
func (w *Writer) Bool(name string, b bool) {
	w.key(name)
	w.buf = strconv.AppendBool(w.buf, b)
}

// OptBool writes a truth value unless it is nil.
func (w *Writer) OptBool(name string, b *bool) {
	if b != nil {
		w.Bool(name, *b)
	}
}

// Null writes null.
func (w *Writer) Null(name string) {
	w.key(name)
	w.buf = append(w.buf, "null"...)
}

// Raw writes a value that is JSON already; null when it is empty.
func (w *Writer) Raw(name string, raw json.RawMessage) {
	if len(raw) == 0 {
		w.Null(name)
		return
	}
	w.key(name)
	w.buf = append(w.buf, raw...)
}

// OptRaw writes a value that is JSON already unless it is empty.
func (w *Writer) OptRaw(name string, raw json.RawMessage) {
	if len(raw) > 0 {
		w.Raw(name, raw)
	}
}

// Strings writes an array of strings.
func (w *Writer) Strings(name string, list []string) {
	w.Array(name)
	for _, s := range list {
		w.Str("", s)
	}
	w.End()
}

// Undo takes back what was written since Len was n: objects and arrays that
// were opened since and are still empty, levels of them in each other.
func (w *Writer) Undo(n, levels int) {
	w.buf, w.stack = w.buf[:n], w.stack[:len(w.stack)-levels]
	w.comma = n > 0 && w.buf[n-1] != '{' && w.buf[n-1] != '['
}

// Float32 writes a number in the shortest form that is exact for 32 bits, which
// is half of what the same number takes with 64.
func (w *Writer) Float32(name string, f float32) {
	if d := float64(f); math.IsInf(d, 0) || math.IsNaN(d) {
		w.Null(name)
		return
	}
	w.key(name)
	format := byte('f')
	if abs := math.Abs(float64(f)); abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		format = 'e'
	}
	w.buf = strconv.AppendFloat(w.buf, float64(f), format, -1, 32)
}
