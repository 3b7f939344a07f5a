package laws

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/ir"
)

// difference is a place where what came out is not what went in.
type difference struct {
	path     string
	was, is  string // empty = nothing
	invented bool   // a whole element that was not there
	parts    int    // how many parts an element had that is gone
}

func (d difference) String() string {
	switch {
	case d.invented:
		return fmt.Sprintf("%s: came from nowhere: %s", d.path, d.is)
	case d.is == "":
		return fmt.Sprintf("%s: %q is gone", d.path, d.was)
	case d.was == "":
		return fmt.Sprintf("%s: %q was made up", d.path, d.is)
	default:
		return fmt.Sprintf("%s: %q became %q", d.path, d.was, d.is)
	}
}

// compareFlat lists the differences of two flat values; ignore says which
// paths do not count.
func compareFlat(at string, a, b flat, ignore func(path string) bool) []difference {
	var out []difference
	for _, k := range a.keys() {
		path := joinPath(at, k)
		if b[k] != a[k] && !ignore(path) {
			out = append(out, difference{path: path, was: a[k], is: b[k]})
		}
	}
	for _, k := range b.keys() {
		path := joinPath(at, k)
		if _, ok := a[k]; !ok && !ignore(path) {
			out = append(out, difference{path: path, is: b[k]})
		}
	}
	return out
}

func joinPath(at, k string) string {
	switch {
	case at == "":
		return k
	case k == "" || strings.HasPrefix(k, ".") || strings.HasPrefix(k, "["):
		return at + k
	default:
		return at + "." + k
	}
}

// list is a slice of a value that may have lost or gained elements: elements
// are paired by likeness before they are compared.
func compareList[T any](at string, a, b []T, ignore func(string) bool, inner func(at string, x, y T) []difference) []difference {
	pairs := align(a, b)
	var out []difference
	for _, p := range pairs {
		path := fmt.Sprintf("%s[%d]", at, max(p[0], 0))
		switch {
		case p[1] < 0:
			out = append(out, difference{path: path, was: brief(a[p[0]]), parts: parts(a[p[0]])})
		case p[0] < 0:
			out = append(out, difference{path: at, is: brief(b[p[1]]), invented: true})
		default:
			out = append(out, inner(path, a[p[0]], b[p[1]])...)
		}
	}
	kept := out[:0]
	for _, d := range out {
		if !ignore(d.path) {
			kept = append(kept, d)
		}
	}
	return kept
}

// align pairs the elements of two lists in order so that as much as possible is
// alike; -1 stands for no partner.
func align[T any](a, b []T) [][2]int {
	fa, fb := flats(a), flats(b)
	score := make([][]float64, len(a)+1)
	for i := range score {
		score[i] = make([]float64, len(b)+1)
	}
	for i := range slices.Backward(a) {
		for j := range slices.Backward(b) {
			score[i][j] = max(score[i+1][j], score[i][j+1])
			if s := alike(fa[i], fb[j]); s > 0 {
				score[i][j] = max(score[i][j], s+score[i+1][j+1])
			}
		}
	}
	var out [][2]int
	i, j := 0, 0
	for i < len(a) && j < len(b) {
		s := alike(fa[i], fb[j])
		switch {
		case s > 0 && score[i][j] == s+score[i+1][j+1]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case score[i][j] == score[i+1][j]:
			out = append(out, [2]int{i, -1})
			i++
		default:
			out = append(out, [2]int{-1, j})
			j++
		}
	}
	for ; i < len(a); i++ {
		out = append(out, [2]int{i, -1})
	}
	for ; j < len(b); j++ {
		out = append(out, [2]int{-1, j})
	}
	return out
}

func flats[T any](list []T) []flat {
	out := make([]flat, len(list))
	for i := range list {
		v := list[i]
		out[i] = flatten(struct{ X any }{v})
	}
	return out
}

// alike is the share of equal places; 0 for different kinds.
func alike(a, b flat) float64 {
	if a["x!type"] != b["x!type"] || a["x.role"] != b["x.role"] {
		return 0
	}
	same := 0
	for k, v := range a {
		if b[k] == v {
			same++
		}
	}
	return (0.01 + float64(same)) / float64(len(a)+len(b))
}

// parts is how many parts an item has.
func parts(v any) int {
	switch x := v.(type) {
	case ir.Message:
		return len(x.Parts)
	case ir.ToolResult:
		return len(x.Parts)
	}
	return 0
}

func brief(v any) string {
	s := fmt.Sprintf("%T%+v", v, v)
	return s[:min(len(s), 160)]
}

// requests compares what went into a translation with what came out of it.
func requests(a, b *ir.Request) []difference {
	ignore := func(path string) bool { return path == "model" || strings.HasPrefix(path, "form.") } // the form is for the answer
	x, y := *a, *b
	x.Items, y.Items, x.System, y.System, x.Tools, y.Tools = nil, nil, nil, nil, nil, nil
	out := compareFlat("", flatten(x), flatten(y), ignore)
	out = append(out, compareList("system", a.System, b.System, ignore, plain[ir.Part](ignore))...)
	out = append(out, compareList("tools", a.Tools, b.Tools, ignore, plain[ir.Tool](ignore))...)
	return append(out, compareList("items", a.Items, b.Items, ignore, items(ignore))...)
}

// responses compares two answers. Names and ids that the gateway makes anew do
// not count; call ids do.
func responses(a, b *ir.Response) []difference {
	ignore := func(path string) bool {
		l := ir.Loss{Path: path}
		switch l.Feature() {
		case "id", "created", "model", "choices.items.item_id":
			return true
		}
		return false
	}
	x, y := *a, *b
	x.Choices, y.Choices = nil, nil
	out := compareFlat("", flatten(x), flatten(y), ignore)
	for n := range max(len(a.Choices), len(b.Choices)) {
		at := fmt.Sprintf("choices[%d]", n)
		if n >= len(a.Choices) || n >= len(b.Choices) {
			out = append(out, difference{path: at, was: strconv.Itoa(len(a.Choices)), is: strconv.Itoa(len(b.Choices))})
			continue
		}
		ca, cb := a.Choices[n], b.Choices[n]
		out = append(out, compareFlat(at+".stop", flatten(ca.Stop), flatten(cb.Stop), ignore)...)
		out = append(out, compareList(at+".items", ca.Items, cb.Items, ignore, items(ignore))...)
	}
	return out
}

func plain[T any](ignore func(string) bool) func(at string, x, y T) []difference {
	return func(at string, x, y T) []difference { return compareFlat(at, flatten(x), flatten(y), ignore) }
}

// items compares two items of one kind, their parts paired by likeness.
func items(ignore func(string) bool) func(at string, x, y ir.Item) []difference {
	return func(at string, x, y ir.Item) []difference {
		switch a := x.(type) {
		case ir.Message:
			b, _ := y.(ir.Message)
			return message(at, a, b, ignore)
		case ir.ToolResult:
			b, _ := y.(ir.ToolResult)
			pa, pb := a.Parts, b.Parts
			a.Parts, b.Parts = nil, nil
			return append(compareFlat(at, flatten(a), flatten(b), ignore),
				compareList(at+".parts", pa, pb, ignore, plain[ir.Part](ignore))...)
		case ir.Thought:
			b, _ := y.(ir.Thought)
			a.ID, b.ID = "", ""
			return compareFlat(at, flatten(a), flatten(b), ignore)
		case ir.ToolCall, ir.Opaque:
		}
		return compareFlat(at, flatten(x), flatten(y), ignore)
	}
}

func message(at string, a, b ir.Message, ignore func(string) bool) []difference {
	pa, pb := a.Parts, b.Parts
	a.Parts, b.Parts, a.ID, b.ID = nil, nil, "", ""
	return append(compareFlat(at, flatten(a), flatten(b), ignore),
		compareList(at+".parts", pa, pb, ignore, plain[ir.Part](ignore))...)
}

// unexplained returns the differences that no loss covers. A message that is
// gone is explained by a loss of all its parts. A whole element that came from nowhere is explained by a loss or note at an element of its list
// (the other form of something).
func unexplained(diffs []difference, losses []ir.Loss) []difference {
	var out []difference
	for _, d := range diffs {
		if !explained(d, losses) {
			out = append(out, d)
		}
	}
	return out
}

func explained(d difference, losses []ir.Loss) bool {
	covered := func(path string) bool {
		return slices.ContainsFunc(losses, func(l ir.Loss) bool { return l.Covers(path) })
	}
	if covered(d.path) {
		return true
	}
	for _, l := range losses {
		if d.invented && strings.HasPrefix(l.Path, d.path) {
			return true
		}
	}
	for k := range d.parts {
		if !covered(ir.PartPath(d.path, k)) {
			return false
		}
	}
	return d.parts > 0
}
