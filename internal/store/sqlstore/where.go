package sqlstore

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// inlineValues is the most values an IN list spells out as placeholders;
// longer ones travel as one JSON array.
const inlineValues = 32

// where collects the conditions of a query and their arguments.
type where struct {
	engine engine
	conds  []string
	args   []any
}

// arg adds an argument and returns its placeholder.
func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) add(cond string) { w.conds = append(w.conds, cond) }

// clause returns " WHERE …", or "" without conditions.
func (w *where) clause() string {
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

// ints keeps rows whose integer column is one of m's values.
func ints[V ~int64 | ~uint8](w *where, col string, m tollgate.Match[V]) {
	if m.Set {
		w.add(w.oneOf(col, asInts(m.Values)))
	}
}

// refs is ints for a reference, where 0 means NULL.
func refs(w *where, col string, m tollgate.Match[int64]) {
	if !m.Set {
		return
	}
	var some []int64
	null := false
	for _, v := range m.Values {
		if v == 0 {
			null = true
		} else {
			some = append(some, v)
		}
	}
	cond := w.oneOf(col, some)
	if null {
		cond = "(" + cond + " OR " + col + " IS NULL)"
	}
	w.add(cond)
}

// texts keeps rows whose text column is one of m's values.
func texts[V ~string](w *where, col string, m tollgate.Match[V]) {
	if m.Set {
		w.add(w.oneOfTexts(col, asTexts(m.Values)))
	}
}

// enabled keeps rows whose column of that name is one of m's values.
func enabled(w *where, m tollgate.Match[bool]) {
	if !m.Set {
		return
	}
	conds := []string{"1 = 0"}
	for _, v := range m.Values {
		conds = append(conds, "enabled = "+w.arg(v))
	}
	w.add("(" + strings.Join(conds, " OR ") + ")")
}

// period keeps rows whose time column t has since ≤ t < until.
func period(w *where, col string, since, until time.Time) {
	if !since.IsZero() {
		w.add(col + " >= " + w.arg(since.UnixMicro()))
	}
	if !until.IsZero() {
		w.add(col + " < " + w.arg(until.UnixMicro()))
	}
}

func (w *where) oneOf(col string, values []int64) string {
	switch {
	case len(values) == 0:
		return "1 = 0"
	case len(values) > inlineValues:
		return col + " IN (" + w.engine.jsonInts(w.arg(jsonText(values))) + ")"
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(v)
	}
	return col + " IN (" + strings.Join(marks, ", ") + ")"
}

func (w *where) oneOfTexts(col string, values []string) string {
	switch {
	case len(values) == 0:
		return "1 = 0"
	case len(values) > inlineValues:
		return col + " IN (" + w.engine.jsonTexts(w.arg(jsonText(values))) + ")"
	}
	marks := make([]string, len(values))
	for i, v := range values {
		marks[i] = w.arg(v)
	}
	return col + " IN (" + strings.Join(marks, ", ") + ")"
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "[]" // unreachable: lists of integers and of valid strings
	}
	return string(b)
}

func asInts[V ~int | ~int64 | ~uint8](values []V) []int64 {
	out := make([]int64, len(values))
	for i, v := range values {
		out[i] = int64(v)
	}
	return out
}

// asTexts leaves out what no column can hold.
func asTexts[V ~string](values []V) []string {
	out := make([]string, 0, len(values))
	for _, v := range values {
		if storable(string(v)) {
			out = append(out, string(v))
		}
	}
	return out
}
