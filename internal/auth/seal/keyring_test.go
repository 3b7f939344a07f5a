package seal_test

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tollgate"
	"tollgate/internal/auth/seal"
)

// newKeyring makes a keyring under a master key of its own.
func newKeyring(tb testing.TB) (*seal.Keyring, seal.Stored) {
	tb.Helper()
	k, stored, err := seal.Create(envMaster("a master key for the tests"), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k, stored
}

func envMaster(key string) seal.Master {
	return seal.Master{Key: tollgate.NewSecret(key), Source: seal.SourceEnv}
}

func TestC01EnvelopeFormat(t *testing.T) {
	k, _ := newKeyring(t)
	at := tollgate.Label{Table: "credentials", Column: "sealed", Row: 7, Origin: "https://api.example:443"}
	a, err := k.Seal(at, []byte("provider secret"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := k.Seal(at, []byte("provider secret"))
	if err != nil {
		t.Fatal(err)
	}
	if want := 1 + 4 + 24 + len("provider secret") + 16; len(a) != want {
		t.Errorf("envelope has %d bytes, want %d: version, key id, nonce, text, tag", len(a), want)
	}
	if a[0] != 1 || !bytes.Equal(a[:5], b[:5]) {
		t.Errorf("envelopes begin % x and % x, want version 1 and the same key id", a[:5], b[:5])
	}
	if bytes.Equal(a[5:29], b[5:29]) || bytes.Equal(a[29:], b[29:]) {
		t.Error("two envelopes share a nonce or a ciphertext")
	}
	if bytes.Contains(a, []byte("secret")) {
		t.Error("the text is in the envelope")
	}
	for _, sealed := range [][]byte{a, b} {
		if got, err := k.Open(at, sealed); err != nil || string(got) != "provider secret" {
			t.Errorf("Open = %q, %v", got, err)
		}
	}
}

func TestC01NoncesDoNotRepeat(t *testing.T) {
	k, _ := newKeyring(t)
	at := tollgate.Label{Table: "keys", Column: "sealed", Row: 1}
	seen := make(map[[24]byte]bool)
	for range 50_000 {
		sealed, err := k.Seal(at, nil)
		if err != nil {
			t.Fatal(err)
		}
		nonce := [24]byte(sealed[5:29])
		if seen[nonce] {
			t.Fatal("a nonce was used twice")
		}
		seen[nonce] = true
	}
}

func TestC02AnyBitOrFieldFails(t *testing.T) {
	k, _ := newKeyring(t)
	other, _ := newKeyring(t)
	text := rapid.StringN(0, 20, 40)
	rapid.Check(t, func(t *rapid.T) {
		at := tollgate.Label{
			Table: text.Draw(t, "table"), Column: text.Draw(t, "column"), Row: rapid.Int64().Draw(t, "row"), Origin: text.Draw(t, "origin"),
		}
		plain := rapid.SliceOf(rapid.Byte()).Draw(t, "plain")
		sealed, err := k.Seal(at, plain)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := k.Open(at, sealed); err != nil || !bytes.Equal(got, plain) {
			t.Fatalf("Open = %x, %v; want %x", got, err, plain)
		}
		if _, err := other.Open(at, sealed); err == nil {
			t.Fatal("another root key opened it")
		}

		moved := at
		switch rapid.IntRange(0, 5).Draw(t, "field") {
		case 0:
			moved.Table += text.Filter(func(s string) bool { return s != "" }).Draw(t, "more")
		case 1:
			moved.Column = text.Filter(func(s string) bool { return s != at.Column }).Draw(t, "other column")
		case 2:
			moved.Row = rapid.Int64().Filter(func(n int64) bool { return n != at.Row }).Draw(t, "other row")
		case 3:
			moved.Origin = text.Filter(func(s string) bool { return s != at.Origin }).Draw(t, "other origin")
		case 4: // the same letters, cut elsewhere
			moved.Table, moved.Column = at.Table+at.Column, ""
		case 5:
			moved.Column, moved.Origin = at.Origin, at.Column
		}
		if moved != at {
			if _, err := k.Open(moved, sealed); err == nil {
				t.Fatalf("opened at %+v what was sealed at %+v", moved, at)
			}
		}

		bit := rapid.IntRange(0, len(sealed)*8-1).Draw(t, "bit")
		flipped := bytes.Clone(sealed)
		flipped[bit/8] ^= 1 << (bit % 8)
		if _, err := k.Open(at, flipped); err == nil {
			t.Fatalf("opened with bit %d flipped", bit)
		}
		if _, err := k.Open(at, sealed[:rapid.IntRange(0, len(sealed)-1).Draw(t, "cut")]); err == nil {
			t.Fatal("opened when cut short")
		}
		if _, err := k.Open(at, append(bytes.Clone(sealed), 0)); err == nil {
			t.Fatal("opened with a byte more")
		}
	})
}

func TestC09SubkeysAreSeparate(t *testing.T) {
	k, _ := newKeyring(t)
	seen := map[string]string{}
	for _, purpose := range []string{"client-key", "session-jwt", "cursor", "", "record/", "client-key "} {
		sub := k.Subkey(purpose)
		if len(sub) != 32 {
			t.Errorf("sub-key of %q has %d bytes, want 32", purpose, len(sub))
		}
		if before, ok := seen[string(sub)]; ok {
			t.Errorf("%q and %q share a sub-key", before, purpose)
		}
		seen[string(sub)] = purpose
	}
	if k.MAC("a", []byte("data")) == k.MAC("b", []byte("data")) {
		t.Error("two purposes give one MAC")
	}
	if first := k.MAC("a", []byte("data")); first != k.MAC("a", []byte("data")) {
		t.Error("a MAC is not a function of its input")
	}
}

func TestC06KeyringPrintsNothing(t *testing.T) {
	k, _ := newKeyring(t)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		if got := fmt.Sprintf(verb, k); got != "[redacted]" {
			t.Errorf("%s prints %q", verb, got)
		}
		if got := fmt.Sprintf(verb, struct{ K *seal.Keyring }{k}); strings.Contains(got, hex.EncodeToString(k.Subkey("x"))) {
			t.Errorf("%s of a holder prints key material", verb)
		}
	}
	if got, err := json.Marshal(k); err != nil || string(got) != "{}" { //nolint:staticcheck // that there is nothing to marshal is the point
		t.Errorf("JSON = %s, %v", got, err)
	}
	var buf bytes.Buffer
	slog.New(slog.NewTextHandler(&buf, nil)).Info("started", "keyring", k)
	if !strings.Contains(buf.String(), "keyring=[redacted]") {
		t.Errorf("slog wrote %q", buf.String())
	}
}

func TestSealReportsFailingRandomness(t *testing.T) {
	if _, _, err := seal.Create(envMaster("a master key for the tests"), bytes.NewReader(make([]byte, 40))); err == nil {
		t.Error("a root key was made of too little randomness")
	}
	// Enough for root, salt and wrap and the canary's nonce, no more.
	k, _, err := seal.Create(envMaster("a master key for the tests"), bytes.NewReader(make([]byte, 32+16+24+24)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Seal(tollgate.Label{}, nil); err == nil {
		t.Error("sealed without a nonce")
	}
}

func FuzzOpen(f *testing.F) {
	k, _ := newKeyring(f)
	at := tollgate.Label{Table: "users", Column: "password", Row: 3}
	good, err := k.Seal(at, []byte("text"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(good[:5])
	f.Add([]byte{1})
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 300))
	f.Fuzz(func(t *testing.T, sealed []byte) {
		plain, err := k.Open(at, sealed)
		if err == nil && !bytes.Equal(sealed, good) {
			t.Fatalf("opened %x to %q although it was never sealed", sealed, plain)
		}
		if err != nil && plain != nil {
			t.Fatal("an error came with a text")
		}
	})
}

func BenchmarkOpen(b *testing.B) {
	k, _ := newKeyring(b)
	at := tollgate.Label{Table: "credentials", Column: "sealed", Row: 3, Origin: "https://api.example:443"}
	sealed, err := k.Seal(at, make([]byte, 60))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := k.Open(at, sealed); err != nil {
			b.Fatal(err)
		}
	}
}
