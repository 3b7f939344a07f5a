package jsonscan_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"tollgate/internal/wire/jsonscan"
)

func FuzzAppendLine(f *testing.F) {
	f.Add(" { \"a b\\\" \" : [ 1 ,\t2.0e1 , \"\\n\" ] ,\r\n \"c\":null } ")
	f.Fuzz(func(t *testing.T, text string) {
		got := jsonscan.AppendLine([]byte("x"), []byte(text))
		if !json.Valid([]byte(text)) {
			return
		}
		if !strings.ContainsAny(text, "\r\n") {
			if string(got) != "x"+text {
				t.Fatalf("%q became %q", text, got)
			}
			return
		}
		var want bytes.Buffer
		if err := json.Compact(&want, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if string(got) != "x"+want.String() {
			t.Fatalf("%q became %q, want %q", text, got, want.String())
		}
	})
}
