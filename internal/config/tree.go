package config

import (
	"errors"
	"fmt"
	"sort"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"github.com/pelletier/go-toml/v2/unstable"
)

// maxFileBytes bounds a TOML document.
const maxFileBytes = 8 << 20

// nodeKind is the type of a TOML value.
type nodeKind uint8

const (
	kindTable nodeKind = iota
	kindArray
	kindString
	kindInteger
	kindFloat
	kindBool
	kindTime
)

// String names the kind as an operator would.
func (k nodeKind) String() string {
	switch k {
	case kindTable:
		return "a table"
	case kindArray:
		return "an array"
	case kindString:
		return "a string"
	case kindInteger:
		return "an integer"
	case kindFloat:
		return "a number"
	case kindBool:
		return "true or false"
	case kindTime:
		return "a time"
	default:
		return "a value"
	}
}

// node is a TOML value that remembers where it stands and how its number was
// written: amounts of money must not pass through a float.
type node struct {
	kind nodeKind
	at   Place
	// text is a string's value, or a scalar as written, without underscores.
	text  string
	keys  []string // of a table, in order
	table map[string]*node
	keyAt map[string]Place
	items []*node // of an array
}

func newTable(at Place) *node {
	return &node{kind: kindTable, at: at, table: map[string]*node{}, keyAt: map[string]Place{}}
}

// set adds a key to a table.
func (n *node) set(key string, at Place, v *node) {
	if _, ok := n.table[key]; !ok {
		n.keys = append(n.keys, key)
		n.keyAt[key] = at
	}
	n.table[key] = v
}

// treeBuilder turns the parser's expressions into nodes. The document has
// been judged by the TOML library before, so a shape that cannot be is an
// error of ours and reported as such.
type treeBuilder struct {
	parser unstable.Parser
	source string
	lines  []int // offset of each line's first byte
	root   *node
	into   *node // the table that key = value lines belong to
}

// parseTree reads a TOML document. All it reports is the first syntax error;
// the rest of such a document means nothing.
func parseTree(source string, data []byte) (*node, *Problem) {
	if len(data) > maxFileBytes {
		return nil, &Problem{Place{Source: source}, fmt.Sprintf("the file is larger than %d MiB", maxFileBytes>>20)}
	}
	var judged map[string]any
	if err := toml.Unmarshal(data, &judged); err != nil {
		at := Place{Source: source}
		if de, ok := errors.AsType[*toml.DecodeError](err); ok {
			at.Line, at.Column = de.Position()
		}
		return nil, &Problem{at, strings.TrimPrefix(err.Error(), "toml: ")}
	}
	b := &treeBuilder{source: source, lines: []int{0}, root: newTable(Place{Source: source, Line: 1, Column: 1})}
	for i, c := range data {
		if c == '\n' {
			b.lines = append(b.lines, i+1)
		}
	}
	b.into = b.root
	b.parser.Reset(data)
	for b.parser.NextExpression() {
		if err := b.expression(b.parser.Expression()); err != nil {
			return nil, &Problem{Place{Source: source}, err.Error()}
		}
	}
	if err := b.parser.Error(); err != nil {
		return nil, &Problem{Place{Source: source}, err.Error()}
	}
	return b.root, nil
}

func (b *treeBuilder) place(r unstable.Range) Place {
	off := int(r.Offset)
	line := sort.SearchInts(b.lines, off+1) - 1
	return Place{Source: b.source, Line: line + 1, Column: off - b.lines[line] + 1}
}

func (b *treeBuilder) expression(e *unstable.Node) error {
	switch e.Kind {
	case unstable.KeyValue:
		return b.keyValue(b.into, e)
	case unstable.Table, unstable.ArrayTable:
		parent, key, at, err := b.descend(b.root, e.Key())
		if err != nil {
			return err
		}
		if e.Kind == unstable.Table {
			b.into, err = child(parent, key, at)
			return err
		}
		list, ok := parent.table[key]
		if !ok {
			list = &node{kind: kindArray, at: at}
			parent.set(key, at, list)
		}
		b.into = newTable(at)
		list.items = append(list.items, b.into)
	default: // a comment
	}
	return nil
}

// descend walks all but the last part of a dotted key, making tables on the way.
func (b *treeBuilder) descend(from *node, it unstable.Iterator) (parent *node, key string, at Place, err error) {
	parent = from
	for first := true; it.Next(); first = false {
		if !first {
			if parent, err = child(parent, key, at); err != nil {
				return nil, "", at, err
			}
		}
		key, at = string(it.Node().Data), b.place(it.Node().Raw)
	}
	return parent, key, at, nil
}

// child returns the table under key, making it if needed; of an array of
// tables, the last one.
func child(parent *node, key string, at Place) (*node, error) {
	n, ok := parent.table[key]
	if !ok {
		n = newTable(at)
		parent.set(key, at, n)
	}
	if n.kind == kindArray && len(n.items) > 0 {
		n = n.items[len(n.items)-1]
	}
	if n.kind != kindTable {
		return nil, fmt.Errorf("%s is used both as a table and as a value", key)
	}
	return n, nil
}

func (b *treeBuilder) keyValue(into *node, e *unstable.Node) error {
	parent, key, at, err := b.descend(into, e.Key())
	if err != nil {
		return err
	}
	v, err := b.value(e.Value(), at)
	if err != nil {
		return err
	}
	parent.set(key, at, v)
	return nil
}

func (b *treeBuilder) value(e *unstable.Node, at Place) (*node, error) {
	if e.Raw.Length > 0 {
		at = b.place(e.Raw)
	}
	switch e.Kind {
	case unstable.String:
		return &node{kind: kindString, at: at, text: string(e.Data)}, nil
	case unstable.Integer:
		return &node{kind: kindInteger, at: at, text: bare(e.Data)}, nil
	case unstable.Float:
		return &node{kind: kindFloat, at: at, text: bare(e.Data)}, nil
	case unstable.Bool:
		return &node{kind: kindBool, at: at, text: string(e.Data)}, nil
	case unstable.LocalDate, unstable.LocalTime, unstable.LocalDateTime, unstable.DateTime:
		return &node{kind: kindTime, at: at, text: string(e.Data)}, nil
	case unstable.Array:
		n := &node{kind: kindArray, at: at}
		for it := e.Children(); it.Next(); {
			v, err := b.value(it.Node(), at)
			if err != nil {
				return nil, err
			}
			n.items = append(n.items, v)
		}
		return n, nil
	case unstable.InlineTable:
		n := newTable(at)
		for it := e.Children(); it.Next(); {
			if err := b.keyValue(n, it.Node()); err != nil {
				return nil, err
			}
		}
		return n, nil
	default:
		return nil, fmt.Errorf("%s: a value of kind %s is not known", at, e.Kind)
	}
}

// bare drops what TOML allows around digits: underscores and a plus sign.
func bare(raw []byte) string {
	return strings.TrimPrefix(strings.ReplaceAll(string(raw), "_", ""), "+")
}
