package wiretest

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"tollgate"
	"tollgate/internal/wire"
)

// maxTokens is more than any sum of clamped counts can be.
const maxTokens = 1 << 45

// FuzzObserver feeds arbitrary answers to a codec's observers, with the cases
// of the glob as seeds. Whatever comes, they do not panic, do not write to
// their input, report counts that can be billed, rename only whole JSON, and
// do not depend on how the stream was cut.
func FuzzObserver(f *testing.F, codec wire.Outbound, glob string) {
	f.Helper()
	files, err := filepath.Glob(glob)
	if err != nil || len(files) == 0 {
		f.Fatalf("no cases match %s (%v)", glob, err)
	}
	for _, file := range files {
		archive, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, part := range archive.Files {
			f.Add(string(part.Data), uint8(5))
		}
	}
	operations := []tollgate.Operation{
		tollgate.OpGenerate, tollgate.OpComplete, tollgate.OpCount, tollgate.OpEmbed, tollgate.OpBatchEmbed, tollgate.OpModerate,
	}
	f.Fuzz(func(t *testing.T, in string, n uint8) {
		op := operations[int(n)%len(operations)]
		framing := wire.FramingSSE
		if strings.HasPrefix(in, "[") {
			framing = wire.FramingJSONArray
		}
		options := wire.ObserveOptions{Model: "renamed", DropUsageChunk: n%2 == 0}
		whole := Relay(codec.Observe(op, options), framing, in, len(in)+1)
		cut := Relay(codec.Observe(op, options), framing, in, int(n)%7+1)
		if whole.Sent != cut.Sent || whole.Summary() != cut.Summary() {
			t.Fatalf("cutting %q changes the answer:\n%s%q\n%s%q", in, whole.Summary(), whole.Sent, cut.Summary(), cut.Sent)
		}
		checkUsage(t, whole.Usage)
		body := Whole(codec.Observe(op, options), in)
		checkUsage(t, body.Usage)
		if body.Err == nil && (!json.Valid([]byte(in)) || !json.Valid([]byte(body.Sent))) {
			t.Fatalf("%q was taken for an answer and became %q", in, body.Sent)
		}
	})
}

func checkUsage(t *testing.T, u wire.Usage) {
	t.Helper()
	for _, n := range []int64{
		u.Tokens.Input, u.Tokens.CacheRead, u.Tokens.CacheWrite, u.Tokens.CacheWrite1h, u.Tokens.Output, u.Tokens.Reasoning, u.OutputBytes,
		u.Tokens.InputAudio, u.Tokens.InputImage, u.Tokens.OutputAudio, u.Tokens.OutputImage,
	} {
		if n < 0 || n > maxTokens {
			t.Fatalf("usage cannot be: %+v", u)
		}
	}
	if u.Tokens.InputAudio+u.Tokens.InputImage > u.Tokens.Input || u.Tokens.Reasoning+u.Tokens.OutputAudio+u.Tokens.OutputImage > u.Tokens.Output {
		t.Fatalf("parts larger than the whole: %+v", u.Tokens)
	}
	if u.Tokens.Reasoning > u.Tokens.Output {
		t.Fatalf("more reasoning than output: %+v", u.Tokens)
	}
}
