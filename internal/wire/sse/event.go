// Package sse cuts a streamed answer into events without changing a byte of
// it: text/event-stream, and the JSON array that Gemini sends without alt=sse.
// A relay reads into the reader's own buffer, looks at each event, and sends
// its raw bytes on; only what it changes, and what parsers are known to read
// in different ways, is framed anew.
//
// Every reader is bounded (SECURITY D-06) and allocates nothing per event once
// its buffer has its size.
package sse

import (
	"bytes"
	"fmt"
)

// Event is one event of a stream. Its slices are valid until the next call of
// Buffer on the reader that gave it.
type Event struct {
	// Raw is every byte of the event: its lines with the blank line that ends
	// it, or a separator and the element of an array. All Raws one after the
	// other are the input.
	Raw []byte
	// Name is the value of the event field; nil = there was none.
	Name []byte
	// Data is the data lines joined by a line feed, or the array's element.
	// nil = there was no data: a comment, a ping, a lone blank line, the end
	// of the array.
	Data []byte
	// ID is the value of the id field; nil = there was none.
	ID []byte
	// Irregular marks raw bytes that parsers are known to read in different
	// ways: a byte order mark, a carriage return that ends a line alone.
	Irregular bool
	// Partial marks an event that the end of the stream cut off: no blank line
	// was seen. Its data may be half a text.
	Partial bool
	// End marks the closing bracket of an array.
	End bool

	array bool
}

// AppendTo appends the event to dst with data in place of its own: the raw
// bytes when data is e.Data itself and nothing else needs care, a clean new
// framing (name, id, data) otherwise.
func (e *Event) AppendTo(dst, data []byte) []byte {
	same := len(data) == len(e.Data) && (len(data) == 0 || &data[0] == &e.Data[0])
	switch {
	case e.array:
		return append(append(dst, e.Raw[:len(e.Raw)-len(e.Data)]...), data...)
	case same && !e.Irregular && !e.Partial:
		return append(dst, e.Raw...)
	case data == nil && e.Name == nil:
		return append(dst, ":\n\n"...)
	}
	if e.ID != nil {
		dst = appendField(dst, "id: ", e.ID)
	}
	return AppendEvent(dst, e.Name, data)
}

// AppendEvent appends an event with the given name and data; nil leaves the
// field out. Line ends in data, of whatever kind, become further data lines;
// a name ends at its first line end, so that neither can forge a field.
func AppendEvent(dst, name, data []byte) []byte {
	if name != nil {
		dst = appendField(dst, "event: ", name)
	}
	for data != nil {
		line := data
		i := bytes.IndexAny(data, "\r\n")
		if i < 0 {
			data = nil
		} else {
			line = data[:i]
			if data[i] == '\r' && i+1 < len(data) && data[i+1] == '\n' {
				i++
			}
			data = data[i+1:]
		}
		dst = append(append(append(dst, "data: "...), line...), '\n')
	}
	return append(dst, '\n')
}

func appendField(dst []byte, field string, value []byte) []byte {
	if i := bytes.IndexAny(value, "\r\n"); i >= 0 {
		value = value[:i]
	}
	return append(append(append(dst, field...), value...), '\n')
}

// Reader cuts a stream into events. The caller reads into Buffer, reports the
// bytes with Fill, and takes events with Next until it has none. It is used by
// one goroutine.
type Reader interface {
	// Buffer returns free space to read into, never empty. It invalidates the
	// slices of earlier events.
	Buffer() []byte
	// Fill says that n bytes were read into what Buffer returned.
	Fill(n int)
	// Next returns the next whole event; false means that more bytes are
	// needed. Errors are *LimitError and *SyntaxError and stay.
	Next() (Event, bool, error)
	// Finish is called at the end of the input and returns what is left, with
	// Partial set. An array that was not closed is io.ErrUnexpectedEOF.
	Finish() (Event, bool, error)
	// Reset prepares the reader for another stream; it keeps its buffer.
	Reset()
}

// Limits bound a stream; a zero field takes its default.
type Limits struct {
	Line  int // bytes of one line, default 1 MiB; arrays have no lines
	Event int // bytes of one event, default 4 MiB
	Empty int // events without data in one stream, default 1,000,000
}

func (l Limits) withDefaults() Limits {
	if l.Line <= 0 {
		l.Line = 1 << 20
	}
	if l.Event <= 0 {
		l.Event = 4 << 20
	}
	if l.Empty <= 0 {
		l.Empty = 1_000_000
	}
	return l
}

// LimitError says that a stream exceeds a limit.
type LimitError struct {
	What string // "line", "event" or "empty events"
	Max  int
}

// Error names the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("stream exceeds its limit of %d for %s", e.Max, e.What)
}

// SyntaxError says that a stream is not what its framing promises.
type SyntaxError struct{ Why string }

// Error says why.
func (e *SyntaxError) Error() string { return "stream is malformed: " + e.Why }

const (
	firstBuffer = 8 << 10
	idleBuffer  = 64 << 10 // a larger buffer is given back once it is empty
)

// window is the part of the input that is not consumed yet: buf[r:w].
type window struct {
	buf  []byte
	r, w int
}

// Buffer returns the free space behind the window, after making room.
func (b *window) Buffer() []byte {
	if b.r == b.w {
		b.r, b.w = 0, 0
		if cap(b.buf) > idleBuffer {
			b.buf = nil
		}
	}
	if b.buf == nil {
		b.buf = make([]byte, firstBuffer)
	}
	if len(b.buf)-b.w < len(b.buf)/4 {
		to := b.buf
		if b.w-b.r > len(b.buf)/2 {
			to = make([]byte, 2*len(b.buf))
		}
		b.w = copy(to, b.buf[b.r:b.w])
		b.buf, b.r = to, 0
	}
	return b.buf[b.w:]
}

// Fill takes n more bytes into the window.
func (b *window) Fill(n int) { b.w += n }

func (b *window) reset() { b.r, b.w = 0, 0 }
