package about_test

import (
	"os"
	"strings"
	"testing"

	"tollgate/internal/about"
)

// TestListIsThatOfTheModuleFile finds a list that was not made anew after a
// change of go.mod.
func TestListIsThatOfTheModuleFile(t *testing.T) {
	file, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	modules := about.Modules()
	if len(modules) < 20 {
		t.Fatalf("only %d modules", len(modules))
	}
	listed := map[string]bool{}
	for _, m := range modules {
		listed[m.Path] = true
		if !strings.Contains(string(file), m.Path+" "+m.Version+"\n") && !strings.Contains(string(file), m.Path+" "+m.Version+" // indirect\n") {
			t.Errorf("go.mod has no %s %s; run make generate", m.Path, m.Version)
		}
		if m.Licence == "" || strings.Contains(m.Licence, "GPL") {
			t.Errorf("%s is under %q, which does not fit", m.Path, m.Licence)
		}
	}
	for _, path := range []string{"modernc.org/sqlite", "github.com/jackc/pgx/v5", "github.com/danielgtaylor/huma/v2"} {
		if !listed[path] {
			t.Errorf("%s is not listed", path)
		}
	}
}
