package gemini

import (
	"strconv"
	"strings"

	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// argsBuilder makes the JSON text of arguments of pieces that name their place
// by a JSON path ("$.operations[0].action", RFC 9535). The pieces come in the
// order of the text, so that every piece can be given on at once.
type argsBuilder struct {
	done  bool    // a whole object was given
	stack []level // what is open, outermost first; the first is $
	text  string  // path of the text that is open; empty = none
	size  int
}

// level is an open object or array.
type level struct {
	key   string // in its parent, as pathKey gives it
	array bool
	count int
	keys  map[string]bool // of an object
}

// Bounds of one call's arguments.
const (
	maxArgsDepth  = 64
	maxArgsKeys   = 10_000
	maxArgsFiller = 1_000 // elements that a path may skip
)

// all gives the arguments that came whole.
func (b *argsBuilder) all(args string) string {
	if b.done || len(b.stack) > 0 {
		return "" // pieces have said it already
	}
	b.done = true
	return args
}

// add takes one piece and returns the text that it makes, or what is wrong.
func (b *argsBuilder) add(v jsondoc.Value) (text, wrong string) {
	o := v.Object()
	path := o.Str("jsonPath")
	if b.done {
		return "", "comes behind whole arguments"
	}
	var out strings.Builder
	if b.text != path {
		if wrong := b.move(&out, path); wrong != "" {
			return "", wrong
		}
	}
	more := o.Get("willContinue").Bool()
	b.value(&out, o, path, more != nil && *more)
	return out.String(), ""
}

// value writes the value, or more of the open text.
func (b *argsBuilder) value(out *strings.Builder, o *jsondoc.Object, path string, more bool) {
	switch {
	case o.Has("stringValue") || b.text == path:
		quoted := jsonscan.AppendString(nil, o.Str("stringValue"))
		if b.text != path {
			out.WriteByte('"')
		}
		out.Write(quoted[1 : len(quoted)-1])
		b.text = path
		if !more {
			out.WriteByte('"')
			b.text = ""
		}
	case o.Has("numberValue"):
		out.Write(o.Get("numberValue").Raw())
	case o.Has("boolValue"):
		out.Write(o.Get("boolValue").Raw())
	case more:
		out.WriteByte('"') // a text whose pieces come later
		b.text = path
	default:
		out.WriteString("null")
	}
}

// move closes and opens what lies between the last place and path.
func (b *argsBuilder) move(out *strings.Builder, path string) (wrong string) {
	steps, ok := parsePath(path)
	if !ok || len(steps) > maxArgsDepth {
		return "has a jsonPath that cannot be followed"
	}
	if b.text != "" {
		out.WriteByte('"')
		b.text = ""
	}
	if len(b.stack) == 0 {
		b.open(out, "", false)
	}
	same := 0
	for same < len(steps)-1 && same+1 < len(b.stack) && b.stack[same+1].key == steps[same].key &&
		b.stack[same].array == steps[same].element && b.stack[same+1].array == steps[same+1].element {
		same++
	}
	b.shut(out, same+1)
	for i := same; i < len(steps); i++ {
		if wrong := b.enter(out, steps[i]); wrong != "" {
			return wrong
		}
		if i < len(steps)-1 {
			b.open(out, steps[i].key, steps[i+1].element)
		}
	}
	return ""
}

func (b *argsBuilder) open(out *strings.Builder, key string, array bool) {
	l := level{key: key, array: array}
	if array {
		out.WriteByte('[')
	} else {
		out.WriteByte('{')
		l.keys = map[string]bool{}
	}
	b.stack = append(b.stack, l)
}

// shut closes levels until n are open.
func (b *argsBuilder) shut(out *strings.Builder, n int) {
	for len(b.stack) > n {
		if b.stack[len(b.stack)-1].array {
			out.WriteByte(']')
		} else {
			out.WriteByte('}')
		}
		b.stack = b.stack[:len(b.stack)-1]
	}
}

// enter goes to a member or an element of the innermost level.
func (b *argsBuilder) enter(out *strings.Builder, s pathStep) (wrong string) {
	l := &b.stack[len(b.stack)-1]
	if l.array != s.element {
		return "has a jsonPath that takes an object for an array"
	}
	if s.element {
		if s.index < l.count || s.index > l.count+maxArgsFiller {
			return "has a jsonPath to an element that is written already"
		}
		for ; l.count < s.index; l.count++ {
			b.comma(out, l.count)
			out.WriteString("null")
		}
		b.comma(out, l.count)
		l.count++
		return ""
	}
	if b.size++; l.keys[s.key] || b.size > maxArgsKeys {
		return "has a jsonPath to a member that is written already"
	}
	l.keys[s.key] = true
	b.comma(out, l.count)
	l.count++
	out.Write(jsonscan.AppendString(nil, s.key))
	out.WriteByte(':')
	return ""
}

func (b *argsBuilder) comma(out *strings.Builder, count int) {
	if count > 0 {
		out.WriteByte(',')
	}
}

// end closes everything; a call without arguments has an empty object.
func (b *argsBuilder) end() string {
	if b.done {
		return ""
	}
	b.done = true
	if len(b.stack) == 0 {
		return "{}"
	}
	var out strings.Builder
	if b.text != "" {
		out.WriteByte('"')
	}
	b.shut(&out, 0)
	return out.String()
}

// pathStep is a member or an element.
type pathStep struct {
	key     string
	element bool
	index   int
}

// parsePath reads $.a.b[0]['c d'].
func parsePath(path string) ([]pathStep, bool) {
	rest, ok := strings.CutPrefix(path, "$")
	if !ok {
		return nil, false
	}
	var steps []pathStep
	for rest != "" && len(steps) <= maxArgsDepth {
		var s pathStep
		if rest[0] == '.' {
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			s.key, rest = rest[1:1+end], rest[1+end:]
			if s.key == "" {
				return nil, false
			}
		} else if s, rest, ok = bracket(rest); !ok {
			return nil, false
		}
		steps = append(steps, s)
	}
	return steps, len(steps) > 0
}

// bracket reads [0], ['a'] or ["a"].
func bracket(in string) (s pathStep, rest string, ok bool) {
	if len(in) < 3 || in[0] != '[' {
		return s, "", false
	}
	if q := in[1]; q == '\'' || q == '"' {
		var b strings.Builder
		for i := 2; i < len(in); i++ {
			switch {
			case in[i] == '\\' && i+1 < len(in):
				i++
				b.WriteByte(in[i])
			case in[i] == q:
				rest, ok = strings.CutPrefix(in[i+1:], "]")
				return pathStep{key: b.String()}, rest, ok
			default:
				b.WriteByte(in[i])
			}
		}
		return s, "", false
	}
	number, rest, ok := strings.Cut(in[1:], "]")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 0 || n > 1<<20 {
		return s, "", false
	}
	return pathStep{key: "[" + number + "]", element: true, index: n}, rest, true
}
