package console_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the generated table anew")

const (
	sources    = "../../console/src"
	tableFile  = "../../console/OPERATIONS.md"
	reasonFile = "testdata/without-place.txt"
)

// TestEveryOperationHasAPlace holds the operations of the API against the
// console's sources: each is called by one, or is listed with the reason why a
// person needs it nowhere. The table of them is generated.
func TestEveryOperationHasAPlace(t *testing.T) {
	places, reasons := callers(t), reasons(t)
	var out bytes.Buffer
	out.WriteString("# Where the console does what the API can do\n\nWritten by `go test ./internal/console -run Operation -update`.\n\n" +
		"| operation | called in `console/src` |\n|---|---|\n")
	empty := 0
	for _, path := range operations(t) {
		place, reason := places[path], reasons[path]
		delete(reasons, path)
		switch {
		case place != nil && reason != "":
			t.Errorf("%s has a place, in %s: take its reason out of %s", path, place[0], reasonFile)
		case place == nil && reason == "":
			t.Errorf("%s is called by no page of the console; give it a place, or a reason in %s", path, reasonFile)
			empty++
		case place == nil:
			fmt.Fprintf(&out, "| `%s` | none: %s |\n", path, reason)
		default:
			fmt.Fprintf(&out, "| `%s` | %s |\n", path, strings.Join(place, ", "))
		}
	}
	for path := range reasons {
		t.Errorf("%s names %s, which is no operation", reasonFile, path)
	}
	if *update && empty == 0 {
		if err := os.WriteFile(tableFile, out.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(tableFile)
	if err != nil || !bytes.Equal(have, out.Bytes()) {
		t.Errorf("%s is not that of the sources (%v): run the test with -update", tableFile, err)
	}
}

// operations are the paths of the API, sorted.
func operations(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile("../../console/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Paths map[string]any }
	if err := json.Unmarshal(text, &doc); err != nil || len(doc.Paths) == 0 {
		t.Fatalf("openapi.json: %v, %d paths", err, len(doc.Paths))
	}
	var paths []string
	for path := range doc.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// callers finds the paths in the sources, by operation.
func callers(t *testing.T) map[string][]string {
	t.Helper()
	literal := regexp.MustCompile("[\"`](/[a-z0-9${}/-]+)[\"`]")
	found := map[string][]string{}
	err := filepath.WalkDir(sources, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "schema.d.ts" || !strings.HasSuffix(strings.TrimSuffix(file, "x"), ".ts") {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("read a source: %w", err)
		}
		where := strings.TrimPrefix(filepath.ToSlash(file), sources+"/")
		for _, m := range literal.FindAllStringSubmatch(string(text), -1) {
			for _, scope := range []string{"admin", "user"} { // pages that both see
				path := strings.ReplaceAll(m[1], "${scope}", scope)
				if !slices.Contains(found[path], where) {
					found[path] = append(found[path], where)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// reasons are the operations that need no place, a path and why on each line.
func reasons(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(reasonFile)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for line := range strings.Lines(string(text)) {
		path, why, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || out[path] != "" {
			t.Fatalf("%s: %q is no path with its reason, or comes twice", reasonFile, line)
		}
		out[path] = why
	}
	return out
}
