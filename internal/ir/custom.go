package ir

import (
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// InputSchema is the schema of the function that stands for a custom tool in
// dialects whose tools all take JSON: one string called input.
const InputSchema = `{"type":"object","properties":{"input":{"type":"string"}},"required":["input"],"additionalProperties":false}`

// WrapInput returns the arguments of such a function for a custom tool's input.
func WrapInput(text string) string {
	quoted, _ := json.Marshal(text) // a string always can be
	return `{"input":` + string(quoted) + `}`
}

// UnwrapInput returns the input that WrapInput, or a model that was shown
// InputSchema, put into arguments; arguments itself where it has another form.
func UnwrapInput(arguments string) string {
	var r InputReader
	return r.Next(arguments) + r.End()
}

// InputReader is UnwrapInput for arguments that come in pieces: every piece
// gives what can be said already. The zero value is ready.
type InputReader struct {
	state inputState
	held  []byte // the lead so far, or an escape that is not whole
	high  rune   // the first half of a surrogate pair, 0 = none
}

type inputState uint8

const (
	inputLead  inputState = iota // before the text: {"input":"
	inputText                    // in the text
	inputAfter                   // behind the text, where nothing counts
	inputOther                   // of another form: all of it is the input
)

// maxInputLead bounds the lead with its white space, in bytes.
const maxInputLead = 256

// Next takes a piece and returns the input in it.
func (r *InputReader) Next(piece string) string {
	var out strings.Builder
	for i := 0; i < len(piece); i++ {
		switch r.state {
		case inputLead:
			r.lead(&out, piece[i])
		case inputText:
			if n := plainRun(piece[i:]); n > 0 && len(r.held) == 0 {
				r.flushHalf(&out)
				out.WriteString(piece[i : i+n])
				i += n - 1
			} else {
				r.text(&out, piece[i])
			}
		case inputOther:
			out.WriteString(piece[i:])
			return out.String()
		case inputAfter:
			return out.String()
		}
	}
	return out.String()
}

// End returns what is owed when no more pieces come.
func (r *InputReader) End() string {
	var out strings.Builder
	if r.state == inputLead {
		out.Write(r.held)
	}
	r.flushHalf(&out)
	r.state, r.held = inputAfter, nil
	return out.String()
}

// lead takes a byte before the text.
func (r *InputReader) lead(out *strings.Builder, c byte) {
	const want = `{"input":"`
	r.held = append(r.held, c)
	seen := withoutSpace(r.held)
	switch {
	case seen == want:
		r.state, r.held = inputText, r.held[:0]
	case seen == "{}":
		r.state = inputAfter
	case !strings.HasPrefix(want, seen) || len(r.held) > maxInputLead:
		out.Write(r.held)
		r.state, r.held = inputOther, nil
	}
}

func withoutSpace(b []byte) string {
	return strings.Map(func(c rune) rune {
		if c == ' ' || c == '\t' || c == '\n' || c == '\r' {
			return -1
		}
		return c
	}, string(b))
}

// plainRun is how much of s is neither an escape nor the end of the string.
func plainRun(s string) int {
	if n := strings.IndexAny(s, `\"`); n >= 0 {
		return n
	}
	return len(s)
}

// text takes a byte of an escape, or the quote that ends the text.
func (r *InputReader) text(out *strings.Builder, c byte) {
	if len(r.held) == 0 && c == '"' {
		r.flushHalf(out)
		r.state = inputAfter
		return
	}
	r.held = append(r.held, c)
	switch {
	case len(r.held) == 1 || (r.held[1] == 'u' && len(r.held) < 6):
		return
	case r.held[1] == 'u':
		r.unit(out)
	default:
		r.flushHalf(out)
		out.WriteString(escaped(c))
	}
	r.held = r.held[:0]
}

// unit takes a whole \uXXXX, which may be half of a character.
func (r *InputReader) unit(out *strings.Builder) {
	n, err := strconv.ParseUint(string(r.held[2:]), 16, 16)
	c := rune(n)
	if err != nil {
		c = utf8.RuneError
	}
	switch {
	case r.high != 0 && utf16.DecodeRune(r.high, c) != utf8.RuneError:
		out.WriteRune(utf16.DecodeRune(r.high, c))
		r.high = 0
	case c >= 0xd800 && c < 0xdc00:
		r.flushHalf(out)
		r.high = c
	default:
		r.flushHalf(out)
		out.WriteRune(c)
	}
}

// flushHalf gives up on the second half of a character.
func (r *InputReader) flushHalf(out *strings.Builder) {
	if r.high != 0 {
		out.WriteRune(utf8.RuneError)
		r.high = 0
	}
}

// escaped returns what a backslash and c stand for; JSON knows no others.
func escaped(c byte) string {
	switch c {
	case 'n':
		return "\n"
	case 't':
		return "\t"
	case 'r':
		return "\r"
	case 'b':
		return "\b"
	case 'f':
		return "\f"
	default:
		return string(rune(c))
	}
}
