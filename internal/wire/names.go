package wire

import (
	"bytes"
	"cmp"
	"unicode/utf8"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// names finds a member name that comes twice. The first ones are kept as
// places in the body, so that a usual body costs no allocation.
type names struct {
	count int
	at    [24]jsonscan.Span
	more  map[string]struct{} // further ones, and those that had escapes
}

// add takes a member's name and returns it with escapes resolved. It refuses
// duplicates, more than maxMembers names, and names with control characters or
// without proper Unicode, which decoders are known to read differently; prefix
// is the path to the object, for the error's Field.
func (n *names) add(body []byte, key jsonscan.Span, prefix string) ([]byte, error) {
	name := key.Of(body)
	if !plain(name) {
		text, ok := jsonscan.Text(name)
		if name = []byte(text); !ok || bytes.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return nil, tollgate.Invalidf("body", "the request body has a field whose name is not proper text")
		}
		key = jsonscan.Span{}
	}
	if n.has(body, name) {
		field := prefix + clip(name)
		return nil, tollgate.Invalidf(cmp.Or(field, "body"), "the field %q is there twice", field)
	}
	if n.count++; n.count > maxMembers {
		return nil, tollgate.Invalidf("body", "an object in the request body has more than %d fields", maxMembers)
	}
	if i := n.count - 1; i < len(n.at) && !key.Empty() {
		n.at[i] = key
		return name, nil
	}
	if n.more == nil {
		n.more = make(map[string]struct{})
	}
	n.more[string(name)] = struct{}{}
	return name, nil
}

func (n *names) has(body, name []byte) bool {
	for _, s := range n.at[:min(n.count, len(n.at))] {
		if s.End-s.Start == len(name) && !s.Empty() && string(s.Of(body)) == string(name) {
			return true
		}
	}
	_, ok := n.more[string(name)]
	return ok
}

// plain reports whether a raw name is ASCII without escapes.
func plain(name []byte) bool {
	for _, c := range name {
		if c >= utf8.RuneSelf || c == '\\' || c == 0x7f {
			return false
		}
	}
	return len(name) > 0
}

// clip bounds a name from outside for an error.
func clip(name []byte) string {
	const limit = 64
	if len(name) > limit {
		name = name[:limit]
	}
	return string(bytes.ToValidUTF8(name, []byte("?")))
}
