package ir

import (
	"strconv"
	"strings"
)

// CallIDs gives ids to calls and results of a dialect that may leave them out
// (Gemini): the same conversation gets the same ids every time, and a result
// without an id belongs to the oldest unanswered call of its name. The zero
// value is ready.
type CallIDs struct {
	made int
	open map[string][]string // name → ids of unanswered calls, oldest first
	used map[string]bool
}

// Call returns the id of a call: the given one, or a made one.
func (c *CallIDs) Call(id, name string) string {
	if c.open == nil {
		c.open, c.used = map[string][]string{}, map[string]bool{}
	}
	for id == "" || c.used[id] {
		c.made++
		id = "call_" + strconv.Itoa(c.made) + "_" + safeName(name)
	}
	c.used[id] = true
	c.open[name] = append(c.open[name], id)
	return id
}

// Result returns the id of the call that a result answers: the given one, or
// the oldest unanswered call of that name, or a made one when there is none.
func (c *CallIDs) Result(id, name string) string {
	waiting := c.open[name]
	if id == "" && len(waiting) > 0 {
		id = waiting[0]
	}
	for i, w := range waiting {
		if w == id {
			c.open[name] = append(waiting[:i:i], waiting[i+1:]...)
			return id
		}
	}
	if id == "" {
		id = c.Call("", name)
		c.open[name] = c.open[name][:len(c.open[name])-1]
	}
	return id
}

// safeName keeps what every protocol allows in a call id.
func safeName(name string) string {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '_'
	}, name)
	return s[:min(len(s), 40)]
}

// SafeCallID returns id in the alphabet that Anthropic demands of call ids
// ([a-zA-Z0-9_-], at least one character); an id that is in it stays as it is,
// and the same id always becomes the same.
func SafeCallID(id string) string {
	if id == "" {
		return "call_0"
	}
	if plainID(id) {
		return id
	}
	var b strings.Builder
	for i := range len(id) {
		if c := id[i]; plainID(id[i : i+1]) {
			b.WriteByte(c)
		} else {
			b.WriteString("_x" + strconv.FormatUint(uint64(c), 16))
		}
	}
	return b.String()
}

func plainID(id string) bool {
	for i := range len(id) {
		if c := id[i]; c != '_' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// CallNames returns the tool of every call in items by call id, for dialects
// whose results must name it.
func CallNames(items []Item) map[string]ToolCall {
	names := map[string]ToolCall{}
	for _, it := range items {
		if call, ok := it.(ToolCall); ok {
			names[call.ID] = call
		}
	}
	return names
}
