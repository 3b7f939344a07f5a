package tollgate_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// module is the name of this module as imports spell it.
const module = "tollgate"

// layers says which packages of this module each package may import. Keys and
// values are relative to the module; "" is the domain package; a trailing /...
// covers a subtree; the longest matching key wins. A package that matches no
// key fails the test (a new package is a decision, not an accident), and so
// does a key that matches no package (rules must not outlive their subject).
func layers() map[string][]string {
	return map[string][]string{
		// L0: vocabulary. Imports nothing of ours.
		"":                       {},
		"internal/wire/sse":      {},
		"internal/wire/jsonscan": {},
		"internal/telemetry":     {},
		"internal/life":          {},
		"internal/sock":          {},
		"internal/about":         {},
		"internal/ir":            {""}, // token counts and errors are the domain's

		// L1: engines and adapters. Siblings never import each other; sealing is
		// seen by auth alone, everyone else takes a tollgate.Sealer.
		"internal/wire":         {"", "internal/ir", "internal/wire/sse", "internal/wire/jsonscan"},
		"internal/wire/...":     {"", "internal/ir", "internal/wire", "internal/wire/sse", "internal/wire/jsonscan", "internal/wire/jsondoc"},
		"internal/wire/jsondoc": {"", "internal/wire/jsonscan"},
		"internal/route":        {""},
		"internal/ledger":       {"", "internal/life"},
		"internal/alarm":        {""},
		"internal/audit":        {""},
		"internal/conversation": {"", "internal/wire/jsonscan"},
		"internal/payload":      {"", "internal/life", "internal/wire/jsonscan"},
		"internal/tally":        {"", "internal/ir"},
		"internal/meter/...":    {"", "internal/meter/..."},
		"internal/limit/...":    {"", "internal/limit/..."},
		"internal/auth":         {"", "internal/auth/seal", "internal/auth/factor", "internal/auth/sso"},
		"internal/auth/factor":  {},
		"internal/auth/seal":    {""},
		"internal/auth/sso":     {""},
		"internal/upstream/...": {"", "internal/life", "internal/sock", "internal/upstream/..."},
		"internal/store/...":    {"", "internal/store/..."},
		"internal/config":       {""},
		"internal/demo":         {"", "internal/wire/sse", "internal/wire/jsonscan"},
		"internal/web/...":      {"", "internal/feed", "internal/life", "internal/telemetry", "internal/web/..."},
		"internal/feed":         {""},

		// L2: the servers and the jobs that work on a store. They see what is
		// below them, never each other.
		"internal/proxy":          l1(),
		"internal/admin":          l1(),
		"internal/self":           l1(),
		"internal/console":        {"", "internal/web/..."},
		"internal/seed":           l1(),
		"internal/seed/monorelay": {"", "internal/config", "internal/store/foreign"}, // turns files into seeds; knows no store
		"internal/ascode":         append(l1(), "internal/seed"),                     // so are those of the admin API
		"internal/ops":            append(l1(), "internal/seed"),                     // import and export are operations at the host

		// L3 and L4: composition. Nothing else may name a concrete type.
		"internal/app": {"", "internal/..."},
		"cmd/...":      {"", "internal/app", "internal/config", "internal/ops", "internal/seed/...", "internal/telemetry"},

		// Beside the product: they drive the binary or the composition from outside.
		"test/...":    {"", "internal/...", "test/..."},
		"bench/...":   {"bench/..."},
		"scripts/...": {},
	}
}

// l1 returns what a package of the second layer may import.
func l1() []string {
	return []string{
		"", "internal/about", "internal/feed", "internal/ir", "internal/life", "internal/wire/...", "internal/telemetry", "internal/route", "internal/ledger", "internal/alarm", "internal/audit", "internal/meter/...", "internal/limit/...",
		"internal/auth/...", "internal/conversation", "internal/payload",
		"internal/upstream/...", "internal/store/...", "internal/config", "internal/demo", "internal/web/...",
	}
}

// forbidden names the imports that open whole classes of attack (SECURITY
// P-06): running programs, loading code, executing templates, stepping around
// the type system.
func forbidden() []string {
	return []string{"C", "html/template", "os/exec", "plugin", "text/template", "unsafe"}
}

// mayImport lists the exceptions to forbidden, by package and import. Programs
// that are never part of the product (benchmarks, tests, scripts) need none.
func mayImport() map[string][]string {
	return map[string][]string{
		"internal/sock": {"unsafe"}, // hands the kernel a buffer's address, as package syscall does
	}
}

// outside reports whether pkg never becomes part of the shipped binary.
func outside(pkg string) bool {
	return matchAny([]string{"test/...", "bench/...", "scripts/..."}, pkg)
}

// source is one parsed file of this module.
type source struct {
	pkg  string // folder relative to the module; "" is the root
	name string // path of the file
	test bool
	file *ast.File
}

// sources parses every Go file of this module. It parses the files itself
// rather than running go list: the test cache sees the files a test opens but
// not those its children open, so a verdict from go list would be replayed
// after the imports changed. Nested modules (tools, SDK suites) are left out.
func sources(t *testing.T, fset *token.FileSet) []source {
	t.Helper()
	var out []source
	err := filepath.WalkDir(".", func(file string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && file != "." && (hidden(d.Name()) || nestedModule(file)):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(file, ".go"):
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(fset, file, text, parser.ImportsOnly|parser.ParseComments)
		if err != nil {
			return err
		}
		out = append(out, source{
			pkg:  strings.TrimPrefix(path.Dir(filepath.ToSlash(file)), "."),
			name: file,
			test: strings.HasSuffix(file, "_test.go"),
			file: f,
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || name == "testdata" || name == "node_modules"
}

func nestedModule(dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil
}

func TestLayers(t *testing.T) {
	fset := token.NewFileSet()
	table := layers()
	used := map[string]bool{}
	for _, src := range sources(t, fset) {
		key, ok := rule(table, src.pkg)
		if !ok {
			t.Errorf("%s: package %q is in no layer: add it to layers", src.name, src.pkg)
			continue
		}
		used[key] = true
		if src.test {
			continue // tests may wire anything to their subject
		}
		for _, spec := range src.file.Imports {
			rel, ours := relative(t, spec)
			if ours && rel != src.pkg && !matchAny(table[key], rel) {
				t.Errorf("%s: %q may not import %q", fset.Position(spec.Pos()), src.pkg, rel)
			}
		}
	}
	for key := range table {
		if !used[key] {
			t.Errorf("layer %q matches no package: remove it", key)
		}
	}
}

func TestP06NeverExecutes(t *testing.T) {
	fset := token.NewFileSet()
	banned, allowed := forbidden(), mayImport()
	for _, src := range sources(t, fset) {
		if src.test || outside(src.pkg) {
			continue
		}
		for _, spec := range src.file.Imports {
			imp := unquote(t, spec)
			if slices.Contains(banned, imp) && !slices.Contains(allowed[src.pkg], imp) {
				t.Errorf("%s: the product must not import %q", fset.Position(spec.Pos()), imp)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := map[string][]string{}
	for _, src := range sources(t, token.NewFileSet()) {
		if src.test {
			continue
		}
		if _, ok := said[src.pkg]; !ok {
			said[src.pkg] = nil
		}
		if doc := src.file.Doc.Text(); doc != "" {
			said[src.pkg] = append(said[src.pkg], doc)
			first := "Package " + src.file.Name.Name + " "
			if src.file.Name.Name == "main" {
				first = "Command "
			}
			if !strings.HasPrefix(doc, first) {
				t.Errorf("%s: the package comment must begin with %q", src.name, first)
			}
		}
	}
	for pkg, docs := range said {
		if len(docs) != 1 {
			t.Errorf("package %q has %d package comments, want 1", pkg, len(docs))
		}
	}
}

func TestNamesSayWhatAPackageIsFor(t *testing.T) {
	vague := []string{"base", "common", "core", "helpers", "lib", "manager", "misc", "models", "shared", "types", "util", "utils"}
	for _, src := range sources(t, token.NewFileSet()) {
		for part := range strings.SplitSeq(src.pkg, "/") {
			if slices.Contains(vague, part) {
				t.Errorf("%s: %q says nothing about what the package is for", src.name, part)
			}
		}
	}
}

// relative returns the import's path inside this module and whether it is ours.
func relative(t *testing.T, spec *ast.ImportSpec) (rel string, ours bool) {
	t.Helper()
	rel, ours = strings.CutPrefix(unquote(t, spec)+"/", module+"/")
	return strings.TrimSuffix(rel, "/"), ours
}

func unquote(t *testing.T, spec *ast.ImportSpec) string {
	t.Helper()
	imp, err := strconv.Unquote(spec.Path.Value)
	if err != nil {
		t.Fatal(err)
	}
	return imp
}

// rule returns the most specific key that matches pkg; an exact key beats a
// subtree of the same length.
func rule(table map[string][]string, pkg string) (best string, ok bool) {
	length := -1
	for key := range table {
		n := 2 * len(strings.TrimSuffix(key, "/..."))
		if !strings.HasSuffix(key, "/...") {
			n++
		}
		if n > length && match(key, pkg) {
			best, ok, length = key, true, n
		}
	}
	return best, ok
}

func matchAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return match(p, pkg) })
}

func match(pattern, pkg string) bool {
	if root, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == root || strings.HasPrefix(pkg, root+"/")
	}
	return pattern == pkg
}
