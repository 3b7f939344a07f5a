package migrations

import (
	"io/fs"
	"strings"
	"testing"
)

func TestEveryWordHasASpellingOnBothEngines(t *testing.T) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil || len(names) == 0 {
		t.Fatalf("schema files %v, %v", names, err)
	}
	latest, err := Latest()
	if err != nil || latest != int64(len(names)) {
		t.Fatalf("the latest version is %d (%v), with %d files numbered from 1", latest, err, len(names))
	}
	for _, engine := range []Engine{SQLite, Postgres} {
		for _, name := range names {
			text, err := fs.ReadFile(rendered{engine.words()}, name)
			if err != nil {
				t.Fatal(err)
			}
			if i := strings.IndexAny(string(text), "{}"); i >= 0 {
				t.Errorf("%s on %s has an unknown word at %q", name, engine, text[i:min(i+20, len(text))])
			}
		}
	}
}
