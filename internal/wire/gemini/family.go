package gemini

import (
	"strconv"
	"strings"
)

// family is what the name of a model tells about the rules it lives under.
// Names that are not Google's (tuned models, other servers of this protocol)
// are taken for the newest, but nothing that only Google verifies is done for them.
type family struct {
	known        bool // one of Google's Gemini models
	major, minor int
	pro, lite    bool
}

// newest stands for names without a number, such as gemini-flash-latest.
const newest = 99

func familyOf(model string) family {
	name := model[strings.LastIndexByte(model, '/')+1:]
	rest, ok := strings.CutPrefix(name, "gemini-")
	if !ok {
		return family{major: newest}
	}
	f := family{known: true, major: newest, pro: strings.Contains(rest, "pro"), lite: strings.Contains(rest, "lite")}
	number, _, _ := strings.Cut(rest, "-")
	major, minor, _ := strings.Cut(number, ".")
	if n, err := strconv.Atoi(major); err == nil {
		f.major = n
		f.minor, _ = strconv.Atoi(minor) // 0 where there is none
	}
	return f
}

// verifies reports whether the model refuses calls in the history that carry
// no thought signature (ai.google.dev/gemini-api/docs/thought-signatures).
func (f family) verifies() bool { return f.known && f.major >= 3 }

// old reports whether the model knows the OpenAPI subset of schemas only, and
// neither ids of calls nor thinking: 1.0, 1.5 and 2.0. All others are sent the
// ids: the messages FunctionCall and FunctionResponse have them, Google's own CLI
// sends them with every call, and they alone tell parallel calls of one name
// apart. Servers that were reported to refuse them ("Unknown name id") were of
// the old generation.
func (f family) old() bool { return f.known && (f.major < 2 || (f.major == 2 && f.minor < 5)) }

// levels reports whether thinking is asked for by level rather than by budget.
func (f family) levels() bool { return f.major >= 3 }

// resultMedia reports whether the result of a function may hold images.
func (f family) resultMedia() bool { return f.major >= 3 }

// budgetRange bounds the thinking budget of the 2.5 models, in tokens
// (ai.google.dev/gemini-api/docs/thinking).
func (f family) budgetRange() (least, most int64) {
	switch {
	case f.pro:
		return 128, 32768
	case f.lite:
		return 512, 24576
	default:
		return 0, 24576
	}
}
