package ir

import (
	"strings"
)

// Loss is something that a translation did not carry as it was.
type Loss struct {
	// Path is the place in this package's Request or Response: field names in
	// snake case, indices in brackets ("items[2].parts[0].citations",
	// "choices[0].items[1].parts[0].logprobs", "extras.web_search_options").
	Path string
	// Why is what became of it and the reason, for people.
	Why string
	// Note marks a value that is carried in another form with the same meaning,
	// or a hint (cache marks) that changes no answer. Notes are counted and
	// documented, but neither shown in x-tollgate-loss nor refused in strict mode.
	Note bool
}

// Feature is the path without indices, a bounded name for counting.
func (l Loss) Feature() string {
	if strings.IndexByte(l.Path, '[') < 0 {
		return l.Path
	}
	var b strings.Builder
	skip := false
	for i := range len(l.Path) {
		switch c := l.Path[i]; {
		case c == '[':
			skip = true
		case c == ']':
			skip = false
		case !skip:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// Covers reports whether the loss is about path or something above it.
func (l Loss) Covers(path string) bool {
	return strings.HasPrefix(path, l.Path) &&
		(len(path) == len(l.Path) || path[len(l.Path)] == '.' || path[len(l.Path)] == '[')
}

// Losses collects what one translation did not carry. The zero value is ready.
type Losses struct{ list []Loss }

// Lose adds a loss.
func (l *Losses) Lose(path, why string) { l.list = append(l.list, Loss{Path: path, Why: why}) }

// Note adds a loss with Note set.
func (l *Losses) Note(path, why string) {
	l.list = append(l.list, Loss{Path: path, Why: why, Note: true})
}

// Extras loses every extra that was read from another dialect than the one
// given; at is the path of their owner, empty for the request itself.
func (l *Losses) Extras(at string, extras []Extra, dialect string) {
	for _, e := range extras {
		if e.Dialect != dialect {
			l.list = append(l.list, Loss{Path: join(at, "extras."+e.Path), Why: "only " + e.Dialect + " has it", Note: e.Hint})
		}
	}
}

// List returns the losses, each path once, in the order they were added. What
// is lost is not hidden by a note on the same path.
func (l *Losses) List() []Loss {
	at := make(map[string]int, len(l.list))
	var out []Loss
	for _, x := range l.list {
		i, seen := at[x.Path]
		switch {
		case !seen:
			at[x.Path] = len(out)
			out = append(out, x)
		case out[i].Note && !x.Note:
			out[i] = x
		}
	}
	return out
}

func join(at, name string) string {
	if at == "" {
		return name
	}
	return at + "." + name
}
