package config

import (
	"maps"
	"slices"
	"strings"
)

// hint proposes the known key that is nearest to a wrong one, or lists them
// when none is near.
func hint(wrong string, known map[string]bool) string {
	if near, ok := nearest(wrong, sortedKeys(known)); ok {
		return `; did you mean "` + near + `"?`
	}
	if len(known) == 0 || len(known) > 12 {
		return ""
	}
	return "; known are " + strings.Join(sortedKeys(known), ", ")
}

// nearest returns the candidate with the smallest edit distance to wrong, if
// it is small enough to be a slip.
func nearest(wrong string, candidates []string) (string, bool) {
	best, found := max(1, min(3, len(wrong)/3))+1, ""
	for _, c := range candidates {
		if d := distance(strings.ToLower(wrong), c, best); d < best {
			best, found = d, c
		}
	}
	return found, found != ""
}

// distance is the edit distance with neighbour swaps counted once; anything
// from limit on is limit.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	before, prev, cur := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
		before, prev, cur = prev, cur, before
	}
	return min(prev[len(b)], limit)
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
