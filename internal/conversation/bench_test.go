package conversation_test

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/conversation"
	"tollgate/internal/store/sqlstore"
)

// BenchmarkKeeper keeps turns of 2 KiB and reads back a conversation of 100.
func BenchmarkKeeper(b *testing.B) {
	store, err := sqlstore.Open(b.Context(), sqlstore.Options{Dir: b.TempDir(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	ring, _, err := seal.Create(seal.Master{Key: tollgate.NewSecret("a master key for tests only"), Source: seal.SourceFile}, rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	k, err := conversation.NewKeeper(store, ring, time.Now, conversation.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	text := strings.Repeat("some words of a conversation, ", 30)
	input := []json.RawMessage{json.RawMessage(`{"role":"user","content":"` + text + `"}`)}
	turn := func(i int) conversation.Turn {
		t := conversation.Turn{ID: fmt.Sprint("resp_", i), Input: input, Response: answer("resp", `{"text":"`+text+`"}`)}
		if i%100 > 0 {
			t.Previous = fmt.Sprint("resp_", i-1)
		}
		return t
	}
	for i := range 100 {
		if err := k.Keep(b.Context(), 0, turn(i)); err != nil {
			b.Fatal(err)
		}
	}
	b.Run("keep", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			if err := k.Keep(b.Context(), 0, turn(1000+i)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("history of 100", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := k.History(b.Context(), 0, "resp_99"); err != nil {
				b.Fatal(err)
			}
		}
	})
}
