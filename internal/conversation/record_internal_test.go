package conversation

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(nil, &Turn{Previous: "resp_1", Response: json.RawMessage(`{}`), Input: []json.RawMessage{json.RawMessage(`1`), json.RawMessage(``)}}))
	f.Add([]byte{recordVersion, 0, 0})
	f.Add([]byte{recordVersion, 1})
	f.Add([]byte{recordVersion, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		var turn, again Turn
		if readRecord(b, &turn) != nil {
			return
		}
		if err := readRecord(appendRecord(nil, &turn), &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(turn, again); diff != "" {
			t.Fatal(diff)
		}
	})
}
