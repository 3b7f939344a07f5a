package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"tollgate/internal/ops"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"tollgate": main})
}

// TestScript drives the real command line (testdata/script). Beside
// testscript's own commands there are:
//
//	served DIR      wait until a server answers on DIR's control socket
//	remember DIR    note every file below DIR with its hash
//	unchanged DIR   fail if a file below DIR has changed, come or gone since
//	chars FILE N    fail unless the file holds one line of N characters
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("TOLLGATE_DATA_DIR", filepath.Join(e.WorkDir, "data"))
			e.Setenv("TOLLGATE_PORT", "0")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"served": served, "remember": remember, "unchanged": unchanged, "chars": chars,
		},
	})
}

func served(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	for range 200 {
		if c, ok := ops.Dial(context.Background(), dir); ok {
			c.Close()
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	ts.Fatalf("no server answers in %s", dir)
}

// listing returns the regular files below dir with their hashes.
func listing(ts *testscript.TestScript, dir string) string {
	var out []string
	err := filepath.WalkDir(ts.MkAbs(dir), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		out = append(out, fmt.Sprintf("%s %x", path, sha256.Sum256(data)))
		return err
	})
	ts.Check(err)
	slices.Sort(out)
	return strings.Join(out, "\n")
}

func remembered(ts *testscript.TestScript, dir string) string {
	return ts.MkAbs(filepath.Join("..", ".remembered-"+filepath.Base(ts.MkAbs("."))+"-"+filepath.Base(dir)))
}

func remember(ts *testscript.TestScript, _ bool, args []string) {
	path := remembered(ts, args[0])
	ts.Check(os.WriteFile(path, []byte(listing(ts, args[0])), 0o600))
	ts.Defer(func() { _ = os.Remove(path) })
}

func unchanged(ts *testscript.TestScript, _ bool, args []string) {
	before, err := os.ReadFile(remembered(ts, args[0]))
	ts.Check(err)
	if now := listing(ts, args[0]); now != string(before) {
		ts.Fatalf("%s changed\nbefore:\n%s\nnow:\n%s", args[0], before, now)
	}
}

func chars(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	line, rest, _ := strings.Cut(text, "\n")
	if rest != "" || strconv.Itoa(len(line)) != args[1] {
		ts.Fatalf("%s holds %d lines, the first of %d characters", args[0], bytes.Count([]byte(text), []byte("\n")), len(line))
	}
}
