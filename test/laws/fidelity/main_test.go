package main

import (
	"bytes"
	"os"
	"testing"
)

// TestThePageSaysWhatTheCodecsDo fails where docs/fidelity.md is older than the
// codecs or the corpus: run make generate.
func TestThePageSaysWhatTheCodecsDo(t *testing.T) {
	want, err := generate("../../corpus")
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../docs/fidelity.md")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("docs/fidelity.md is out of date: run make generate")
	}
	again, err := generate("../../corpus")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, again) {
		t.Error("the page is another one every time")
	}
}
