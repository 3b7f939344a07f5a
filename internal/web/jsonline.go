package web

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonLine is a log line in the making: a JSON object without its last brace.
type jsonLine struct{ b []byte }

// writeLine writes the line of e to d.Lines.
func (d *Door) writeLine(level slog.Level, e *Event) {
	l, ok := d.lines.Get().(*jsonLine)
	if !ok {
		l = &jsonLine{}
	}
	l.b = e.Start.Add(e.Duration).AppendFormat(append(l.b[:0], `{"time":"`...), time.RFC3339Nano)
	l.b = append(append(append(l.b, `","level":"`...), level.String()...), `","msg":"request"`...)
	describe(l, e)
	l.b = append(l.b, '}', '\n')
	_, _ = d.Lines.Write(l.b) // as slog does: there is nowhere to log it
	d.lines.Put(l)
}

func (l *jsonLine) key(k string) {
	l.b = append(append(append(l.b, ',', '"'), k...), '"', ':')
}

func (l *jsonLine) number(key string, value int64) {
	l.key(key)
	l.b = strconv.AppendInt(l.b, value, 10)
}

func (l *jsonLine) span(key string, value time.Duration) { l.number(key, int64(value)) }

func (l *jsonLine) text(key, value string) {
	l.key(key)
	if !plainJSON(value) {
		l.escaped(value)
		return
	}
	l.b = append(append(append(l.b, '"'), value...), '"')
}

// plainJSON reports whether s stands in JSON as it is.
func plainJSON(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// escaped leaves the rare text to the JSON package.
func (l *jsonLine) escaped(value string) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if enc.Encode(value) == nil {
		l.b = append(l.b, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
	} else {
		l.b = append(l.b, '"', '"') // no string fails to encode
	}
}
