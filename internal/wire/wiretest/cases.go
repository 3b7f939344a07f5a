package wiretest

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/wire"
)

// RunCases runs every txtar file that matches the glob against a codec. The
// comment of a file holds options, one "name: value" a line: op (generate),
// model, drop (true: drop the usage chunk), framing (sse or array), chop (true:
// what is sent does not end with a line feed); lines that begin with # are
// remarks. Its files are
//
//	stream or body  what the provider answers
//	sent            what must be sent on; left out = the same, unless an error is wanted
//	want            the summary of the answer
//
// Streams are relayed whole, in pieces of 7 bytes and byte by byte.
func RunCases(t *testing.T, codec wire.Outbound, glob string) {
	t.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases match %s (%v)", glob, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			newCase(t, codec, archive).run(t)
		})
	}
}

type testCase struct {
	codec   wire.Outbound
	op      tollgate.Operation
	options wire.ObserveOptions
	framing wire.Framing
	chop    bool
	files   map[string]string
}

func newCase(t *testing.T, codec wire.Outbound, archive *txtar.Archive) testCase {
	t.Helper()
	c := testCase{codec: codec, op: tollgate.OpGenerate, framing: wire.FramingSSE, files: map[string]string{}}
	for line := range strings.Lines(string(archive.Comment)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch {
		case name == "" || strings.HasPrefix(name, "#"):
		case name == "op":
			c.op = tollgate.Operation(value)
		case name == "model":
			c.options.Model = value
		case name == "drop":
			c.options.DropUsageChunk = value == "true"
		case name == "chop":
			c.chop = value == "true"
		case name == "framing" && value == "array":
			c.framing = wire.FramingJSONArray
		default:
			t.Fatalf("unknown option %q", line)
		}
	}
	for _, f := range archive.Files {
		c.files[f.Name] = string(f.Data)
	}
	return c
}

func (c testCase) run(t *testing.T) {
	t.Helper()
	want, ok := c.files["want"]
	if !ok {
		t.Fatal("the case has no file want")
	}
	in, streamed := c.files["stream"]
	if !streamed {
		in = c.files["body"]
	}
	sent, ok := c.files["sent"]
	if !ok && !strings.Contains(want, "error: ") {
		sent = in
	}
	if c.chop {
		sent = strings.TrimSuffix(sent, "\n")
	}
	for _, cut := range []int{len(in) + 1, 7, 1} {
		watch := c.codec.Observe(c.op, c.options)
		var got Answer
		if streamed {
			got = Relay(watch, c.framing, in, cut)
		} else {
			got = Whole(watch, in)
		}
		if diff := cmp.Diff(want, got.Summary()); diff != "" {
			t.Errorf("in pieces of %d:\n%s", cut, diff)
		}
		if diff := cmp.Diff(sent, got.Sent); diff != "" {
			t.Errorf("in pieces of %d, sent:\n%s", cut, diff)
		}
		if !streamed {
			return
		}
	}
	c.checkPrefixes(t, in)
}

// checkPrefixes is the law that a truncated answer is never taken for a whole
// one: an answer is complete exactly if an event ended it.
func (c testCase) checkPrefixes(t *testing.T, in string) {
	t.Helper()
	for n := range len(in) {
		got := Relay(c.codec.Observe(c.op, c.options), c.framing, in[:n], n+1)
		if got.Complete != slices.Contains(got.Signals, wire.SignalTerminal) {
			t.Fatalf("cut after %d bytes: complete is %v, the signals are %v", n, got.Complete, got.Signals)
		}
	}
}
