package tollgate_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// incidents are those of other products (N-01 to N-78 of the threat model) that
// touch accounts, keys, sessions or sign-in through providers.
func incidents() []int {
	return []int{
		1, 2, 3, 4, 5, 7, 8, 9, 10, 13, 14, 18, 20, 22, 25, 26, 27, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56,
		57, 58, 59, 61, 63, 64, 72, 73, 76, 78,
	}
}

// TestEveryIncidentHasATest: each of them is in the name of a test, so that
// what happened to others is looked for here.
func TestEveryIncidentHasATest(t *testing.T) {
	named, number := map[string]bool{}, regexp.MustCompile(`N\d\d`)
	function := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "node_modules" || d.Name() != "." && strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path)
		for _, f := range function.FindAllSubmatch(text, -1) {
			for _, n := range number.FindAllString(string(f[1]), -1) {
				named[n] = true
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range incidents() {
		if !named[fmt.Sprintf("N%02d", n)] {
			t.Errorf("no test is named after N%02d", n)
		}
	}
}
