package monorelay

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// section is a mapping of the file that forgets what was read of it, so that
// what is left can be reported.
type section struct {
	path string
	m    map[string]any
}

func newSection(path string, v any) section {
	m, _ := v.(map[string]any)
	return section{path, maps.Clone(m)}
}

func (s section) take(key string) any {
	v := s.m[key]
	delete(s.m, key)
	return v
}

func (s section) section(key string) section { return newSection(s.path+"."+key, s.take(key)) }

func (s section) list(key string) []any {
	list, _ := s.take(key).([]any)
	return list
}

// text returns a scalar as text.
func (s section) text(key string) string { return scalar(s.take(key)) }

func scalar(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	case bool, int, int64, uint64, json.Number:
		return fmt.Sprint(x)
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	default:
		return ""
	}
}

// on reports whether a switch is on; fallback is for one that is not there.
func (s section) on(key string, fallback bool) bool {
	switch x := s.take(key).(type) {
	case bool:
		return x
	case string:
		return x == "true" || x == "yes" || x == "on"
	case int:
		return x != 0
	default:
		return fallback
	}
}

// names returns the keys in order.
func (s section) names() []string { return slices.Sorted(maps.Keys(s.m)) }

// rest reports what was not read and says something.
func (s section) rest(r *Result) {
	for _, key := range s.names() {
		if !empty(s.m[key]) {
			r.notef("%s.%s is not carried over", clip(s.path), clip(key))
		}
	}
}

// empty reports whether a value says nothing: it is what a fresh file has.
func empty(v any) bool {
	switch x := v.(type) {
	case []any:
		return len(x) == 0
	case map[string]any:
		return !slices.ContainsFunc(slices.Collect(maps.Values(x)), func(v any) bool { return !empty(v) })
	default:
		t := strings.TrimSpace(scalar(v))
		return t == "" || t == "0" || t == "false"
	}
}
