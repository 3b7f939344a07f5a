// Package jsonscan reads JSON where it lies: it validates a value in one pass
// (RFC 8259, the same verdict as encoding/json), walks the members of an
// object or array without decoding the rest, and tells byte positions, so that
// a body can be changed by splicing instead of encoding it anew. It allocates
// nothing on the way.
//
// Strings are checked for control characters and escapes but not for UTF-8:
// like encoding/json it takes any byte from 0x80 up, and whoever compares
// names must check theirs with Text.
package jsonscan

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
)

// Limits bound what a scan accepts. The zero value of a field is no limit,
// except that nesting never goes deeper than 10,000.
type Limits struct {
	// Depth is how many objects and arrays may be open at once.
	Depth int
	// Items is how many objects or arrays one array may hold. Strings and
	// numbers are not counted: a prompt may be an array of tokens.
	Items int
}

const hardDepth = 10_000

// Kind says what is wrong with a text.
type Kind uint8

// The kinds of errors.
const (
	KindSyntax   Kind = iota // not JSON at Offset
	KindCut                  // the text ends inside a value
	KindDepth                // nested deeper than Limits.Depth
	KindItems                // an array holds more than Limits.Items
	KindTrailing             // something follows the value
)

// Error is why a scan failed.
type Error struct {
	Kind   Kind
	Offset int // byte where it was noticed
}

// Error returns the reason, worded for whoever sent the text.
func (e *Error) Error() string {
	switch e.Kind {
	case KindCut:
		return "the JSON text ends in the middle"
	case KindDepth:
		return "the JSON text is nested too deep"
	case KindItems:
		return "an array in the JSON text has too many elements"
	case KindTrailing:
		return fmt.Sprintf("something follows the JSON value at byte %d", e.Offset)
	case KindSyntax:
		fallthrough
	default:
		return fmt.Sprintf("the JSON text is malformed at byte %d", e.Offset)
	}
}

// The scan functions return the offset after what they scanned. A negative
// value is a failure: ^offset for bad syntax, or one of these.
const (
	failDepth = math.MinInt
	failItems = math.MinInt + 1
)

func failure(b []byte, code int) *Error {
	switch {
	case code == failDepth:
		return &Error{Kind: KindDepth}
	case code == failItems:
		return &Error{Kind: KindItems}
	case ^code >= len(b):
		return &Error{Kind: KindCut, Offset: len(b)}
	default:
		return &Error{Kind: KindSyntax, Offset: ^code}
	}
}

// Valid checks that b is one JSON value with nothing but white space around it.
func (l Limits) Valid(b []byte) error {
	end := l.value(b, Space(b, 0), 0)
	if end < 0 {
		return failure(b, end)
	}
	if end = Space(b, end); end < len(b) {
		return &Error{Kind: KindTrailing, Offset: end}
	}
	return nil
}

// Space returns the offset of the first byte from i on that is not white space.
func Space(b []byte, i int) int {
	for i < len(b) && b[i] <= ' ' && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// value scans the value that begins at i; depth containers are open around it.
func (l Limits) value(b []byte, i, depth int) int {
	if i >= len(b) {
		return ^len(b)
	}
	switch c := b[i]; {
	case c == '"':
		return text(b, i)
	case c == '{':
		return l.object(b, i, depth+1)
	case c == '[':
		return l.array(b, i, depth+1)
	case c == '-' || (c >= '0' && c <= '9'):
		return number(b, i)
	case c == 't':
		return literal(b, i, "true")
	case c == 'f':
		return literal(b, i, "false")
	case c == 'n':
		return literal(b, i, "null")
	default:
		return ^i
	}
}

func (l Limits) tooDeep(depth int) bool {
	return depth > hardDepth || (l.Depth > 0 && depth > l.Depth)
}

// object scans the object at i, which is the depth-th open container.
func (l Limits) object(b []byte, i, depth int) int {
	if l.tooDeep(depth) {
		return failDepth
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == '}' {
		return i + 1
	}
	for {
		if i >= len(b) || b[i] != '"' {
			return ^i
		}
		if i = text(b, i); i < 0 {
			return i
		}
		if i = Space(b, i); i >= len(b) || b[i] != ':' {
			return ^i
		}
		if i = l.value(b, Space(b, i+1), depth); i < 0 {
			return i
		}
		i = Space(b, i)
		switch {
		case i >= len(b):
			return ^i
		case b[i] == '}':
			return i + 1
		case b[i] != ',':
			return ^i
		}
		i = Space(b, i+1)
	}
}

// array scans the array at i, which is the depth-th open container.
func (l Limits) array(b []byte, i, depth int) int {
	if l.tooDeep(depth) {
		return failDepth
	}
	i = Space(b, i+1)
	if i < len(b) && b[i] == ']' {
		return i + 1
	}
	items := 0
	for {
		if i < len(b) && (b[i] == '{' || b[i] == '[') {
			if items++; l.Items > 0 && items > l.Items {
				return failItems
			}
		}
		if i = l.value(b, i, depth); i < 0 {
			return i
		}
		i = Space(b, i)
		switch {
		case i >= len(b):
			return ^i
		case b[i] == ']':
			return i + 1
		case b[i] != ',':
			return ^i
		}
		i = Space(b, i+1)
	}
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// special marks, by the high bit of its place, each byte of w that ends a run
// of plain string bytes: one below 0x20, a quote or a backslash. Flipping bit 1
// brings the quote (0x22) next to the control characters and the blank (0x20)
// out of their way, so that one comparison finds both. Borrows make false marks
// only above a true one, so the lowest mark is always true.
func special(w uint64) uint64 {
	x, s := w^(ones*0x02), w^(ones*'\\')
	return (((x - ones*0x21) &^ x) | ((s - ones) &^ s)) & highs
}

// text scans the string at i (the opening quote), 32 bytes at a time while they
// are plain, then eight.
func text(b []byte, i int) int {
	i++
	for {
		for i+32 <= len(b) {
			p := b[i : i+32 : i+32]
			if special(binary.LittleEndian.Uint64(p))|special(binary.LittleEndian.Uint64(p[8:]))|
				special(binary.LittleEndian.Uint64(p[16:]))|special(binary.LittleEndian.Uint64(p[24:])) != 0 {
				break
			}
			i += 32
		}
		for i+8 <= len(b) {
			if m := special(binary.LittleEndian.Uint64(b[i:])); m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		for i < len(b) && b[i] >= ' ' && b[i] != '"' && b[i] != '\\' {
			i++
		}
		switch {
		case i >= len(b):
			return ^len(b)
		case b[i] == '"':
			return i + 1
		case b[i] != '\\':
			return ^i
		}
		if i = escape(b, i); i < 0 {
			return i
		}
	}
}

// escape scans the escape sequence at i (the backslash).
func escape(b []byte, i int) int {
	if i+1 >= len(b) {
		return ^len(b)
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		for k := i + 2; k < i+6; k++ {
			if k >= len(b) || !isHex(b[k]) {
				return ^k
			}
		}
		return i + 6
	default:
		return ^(i + 1)
	}
}

func isHex(c byte) bool {
	return (c >= '0' && c <= '9') || (c|0x20 >= 'a' && c|0x20 <= 'f')
}

func isDigit(b []byte, i int) bool { return i < len(b) && b[i] >= '0' && b[i] <= '9' }

// number scans the number at i.
func number(b []byte, i int) int {
	if b[i] == '-' {
		i++
	}
	switch {
	case !isDigit(b, i):
		return ^i
	case b[i] == '0':
		i++
	default:
		for isDigit(b, i) {
			i++
		}
	}
	if i < len(b) && b[i] == '.' {
		if i++; !isDigit(b, i) {
			return ^i
		}
		for isDigit(b, i) {
			i++
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !isDigit(b, i) {
			return ^i
		}
		for isDigit(b, i) {
			i++
		}
	}
	return i
}

func literal(b []byte, i int, want string) int {
	for k := range len(want) {
		if i+k >= len(b) || b[i+k] != want[k] {
			return ^(i + k)
		}
	}
	return i + len(want)
}
