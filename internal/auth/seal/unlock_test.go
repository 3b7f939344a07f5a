package seal_test

import (
	"bytes"
	"maps"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/auth/seal"
)

func metaOf(s seal.Stored) func(string) ([]byte, bool) {
	return func(name string) ([]byte, bool) {
		v, ok := s[name]
		return v, ok
	}
}

func TestC03UnlockOpensWhatCreateMade(t *testing.T) {
	k, stored := newKeyring(t)
	at := tollgate.Label{Table: "users", Column: "password", Row: 1}
	sealed, err := k.Seal(at, []byte("hash"))
	if err != nil {
		t.Fatal(err)
	}
	again, err := seal.Unlock(envMaster("a master key for the tests"), metaOf(stored))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := again.Open(at, sealed); err != nil || string(got) != "hash" {
		t.Errorf("Open = %q, %v", got, err)
	}
	if got := again.State(); got != (seal.State{Wraps: 1, Source: seal.SourceEnv}) {
		t.Errorf("State = %+v", got)
	}
	if string(k.Subkey("x")) != string(again.Subkey("x")) {
		t.Error("sub-keys changed over a restart")
	}
}

func TestC03WrongOrDamagedIsRefused(t *testing.T) {
	_, stored := newKeyring(t)
	change := func(fn func(seal.Stored)) seal.Stored {
		s := maps.Clone(stored)
		fn(s)
		return s
	}
	flip := func(name string, i int) func(seal.Stored) {
		return func(s seal.Stored) {
			s[name] = bytes.Clone(s[name])
			s[name][i] ^= 1
		}
	}
	right := envMaster("a master key for the tests")
	for name, c := range map[string]struct {
		master seal.Master
		meta   seal.Stored
		want   string
	}{
		"wrong key":           {envMaster("another master key altogether"), stored, "wrong master key"},
		"truncated key":       {envMaster("a master key for the test"), stored, "wrong master key"},
		"no key":              {seal.Master{}, stored, "wrong master key"},
		"wrong key file":      {seal.Master{Key: tollgate.NewSecret("x"), Source: seal.SourceFile, KeyFile: "secret.key"}, stored, "the key file secret.key"},
		"no salt":             {right, change(func(s seal.Stored) { delete(s, seal.MetaSalt) }), "no complete root key record"},
		"no root":             {right, change(func(s seal.Stored) { delete(s, seal.MetaRoot) }), "no complete root key record"},
		"no canary":           {right, change(func(s seal.Stored) { delete(s, seal.MetaCanary) }), "no complete root key record"},
		"altered salt":        {right, change(flip(seal.MetaSalt, 0)), "wrong master key"},
		"altered root":        {right, change(flip(seal.MetaRoot, 60)), "wrong master key"},
		"altered canary":      {right, change(flip(seal.MetaCanary, 40)), "canary"},
		"unknown version":     {right, change(flip(seal.MetaRoot, 0)), "newer version"},
		"truncated root":      {right, change(func(s seal.Stored) { s[seal.MetaRoot] = s[seal.MetaRoot][:50] }), "damaged"},
		"absurd cost":         {right, change(func(s seal.Stored) { flip(seal.MetaRoot, 2)(s); s[seal.MetaRoot][2] = 0xff }), "absurd"},
		"too many wraps":      {right, change(func(s seal.Stored) { flip(seal.MetaRoot, 1)(s); s[seal.MetaRoot][1] = 3 }), "damaged"},
		"empty canary record": {right, change(func(s seal.Stored) { s[seal.MetaCanary] = nil }), "canary"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := seal.Unlock(c.master, metaOf(c.meta))
			if tollgate.ErrorCode(err) != tollgate.CodeInvalid || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Unlock: %v (%s), want CodeInvalid with %q", err, tollgate.ErrorCode(err), c.want)
			}
			if err != nil && strings.Contains(err.Error(), "a master key") {
				t.Errorf("the error repeats the master key: %v", err)
			}
		})
	}
}

func TestC04PreviousKeyOpensAndIsReported(t *testing.T) {
	_, stored := newKeyring(t)
	m := envMaster("the next master key, not yet in use")
	m.Previous = tollgate.NewSecret("a master key for the tests")
	k, err := seal.Unlock(m, metaOf(stored))
	if err != nil {
		t.Fatal(err)
	}
	if !k.State().Previous {
		t.Error("State does not say that the previous key opened it")
	}
}
