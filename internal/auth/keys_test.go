package auth_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

func (w *world) getKey(id int64) (k tollgate.Key) {
	w.Helper()
	err := w.store.View(w.Context(), func(tx tollgate.Tx) (err error) {
		k, err = tx.Keys.Get(w.Context(), id)
		return err
	})
	if err != nil {
		w.Fatal(err)
	}
	return k
}

func TestK03KeysAreStoredAsDigests(t *testing.T) {
	for _, sealed := range []bool{true, false} {
		w := newWorld(t)
		w.accounts.SealKeys = sealed
		alice := w.user("alice", false)
		k, clear := w.key(auth.KeyWrite{UserID: alice.ID, Label: "ci"})
		stored := w.getKey(k.ID)
		if string(stored.Digest) != string(auth.KeyDigest(w.keyring, tollgate.NewSecret(clear))) || len(stored.Digest) != 32 {
			t.Error("the digest is not the keyed digest of the whole key")
		}
		if (len(stored.Sealed) > 0) != sealed {
			t.Errorf("ciphertext of %d bytes is stored although SealKeys is %v", len(stored.Sealed), sealed)
		}
		got, err := w.accounts.RevealKey(stored)
		if want := map[bool]string{true: clear}[sealed]; err != nil || got.Reveal() != want {
			t.Errorf("RevealKey = %q, %v", got.Reveal(), err)
		}
		if stored.Prefix != clear[:10] || stored.Last4 != clear[40:] || strings.Contains(string(stored.Sealed), clear[6:]) {
			t.Errorf("shown are %q and %q", stored.Prefix, stored.Last4)
		}
		if sealed { // C-02: a ciphertext moved to another key does not open
			other, _ := w.key(auth.KeyWrite{UserID: alice.ID})
			stored.ID = other.ID
			if _, err := w.accounts.RevealKey(stored); err == nil {
				t.Error("a ciphertext opens in another row")
			}
		}
	}
}

func TestImportKey(t *testing.T) {
	w := newWorld(t)
	alice, bob := w.user("alice", false), w.user("bob", false)
	add := func(user int64, clear string) (k tollgate.Key, code tollgate.Code) {
		code = w.try(func(tx tollgate.Tx) (err error) {
			k, err = w.accounts.ImportKey(t.Context(), tx, host(), auth.KeyWrite{UserID: user, Label: "default"}, tollgate.NewSecret(clear))
			return err
		})
		return k, code
	}
	k, code := add(alice.ID, "sk-user-alice-1")
	if code != "" || k.Prefix != "s" || k.Last4 != "1" {
		t.Errorf("import: %q, shown %q and %q", code, k.Prefix, k.Last4)
	}
	if p := w.principal(bearer("sk-user-alice-1")); p.UserID() != alice.ID {
		t.Errorf("the imported key is %d's", p.UserID())
	}
	if _, code := add(bob.ID, "sk-user-alice-1"); code != tollgate.CodeConflict {
		t.Errorf("somebody's key again: %q", code)
	}
	for _, bad := range []string{"short", "with a blank", strings.Repeat("x", 257), "sk-tg-" + strings.Repeat("A", 38)} {
		if _, code := add(alice.ID, bad); code != tollgate.CodeInvalid {
			t.Errorf("%q: %q", bad, code)
		}
	}
	if _, code := add(999, "sk-user-nobody-1"); code != tollgate.CodeNotFound {
		t.Errorf("for nobody: %q", code)
	}
}

func TestKeyWithoutSecretWaitsForRotation(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	var a, b tollgate.Key
	w.update(func(tx tollgate.Tx) (err error) {
		write := auth.KeyWrite{UserID: alice.ID, Models: []string{"gpt-*"}}
		if a, err = w.accounts.ImportKey(t.Context(), tx, host(), write, tollgate.Secret{}); err != nil {
			return err
		}
		b, err = w.accounts.ImportKey(t.Context(), tx, host(), write, tollgate.Secret{})
		return err
	})
	if a.Enabled || !a.NeedsSecret || string(a.Digest) == string(b.Digest) {
		t.Errorf("imported without a secret: %+v", a)
	}
	code := w.try(func(tx tollgate.Tx) error {
		return w.accounts.SetKeyEnabled(t.Context(), tx, host(), a.ID, true, false)
	})
	if code != tollgate.CodeConflict {
		t.Errorf("enabling it: %q", code)
	}
	var got tollgate.Key
	var secret tollgate.Secret
	w.update(func(tx tollgate.Tx) (err error) {
		got, secret, err = w.accounts.RotateKey(t.Context(), tx, host(), a.ID, 0)
		return err
	})
	if got.ID != a.ID || got.NeedsSecret || !got.Enabled || len(got.Models) != 1 {
		t.Errorf("rotated to %+v", got)
	}
	if p := w.principal(bearer(secret.Reveal())); p.KeyID() != a.ID {
		t.Errorf("authenticates as key %d", p.KeyID())
	}
}

func TestK06Rotation(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	end := w.clock.now().Add(30 * 24 * time.Hour)
	old, clear := w.key(auth.KeyWrite{
		UserID: alice.ID, Label: "ci", ExpiresAt: end, Models: []string{"gpt-*"}, Surfaces: []tollgate.Surface{tollgate.SurfaceLLM},
		IPAllow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")},
	})
	rotate := func(id int64, overlap time.Duration) (k tollgate.Key, next string, code tollgate.Code) {
		var secret tollgate.Secret
		code = w.try(func(tx tollgate.Tx) (err error) {
			k, secret, err = w.accounts.RotateKey(t.Context(), tx, host(), id, overlap)
			return err
		})
		return k, secret.Reveal(), code
	}
	k, next, code := rotate(old.ID, time.Hour)
	if code != "" {
		t.Fatal(code)
	}
	if k.ID == old.ID || k.Label != "ci" || !k.ExpiresAt.Equal(end) || len(k.Models) != 1 || len(k.Surfaces) != 1 || len(k.IPAllow) != 1 {
		t.Errorf("the successor is %+v", k)
	}
	for name, token := range map[string]string{"old": clear, "new": next} {
		if err := w.authenticate(bearer(token)); err != nil {
			t.Errorf("the %s key during the overlap: %v", name, err)
		}
	}
	w.clock.advance(time.Hour)
	if err := w.authenticate(bearer(clear)); err == nil {
		t.Error("the old key after the overlap works")
	}
	if err := w.authenticate(bearer(next)); err != nil {
		t.Errorf("the new key after the overlap: %v", err)
	}
	if _, _, code := rotate(old.ID, 0); code != tollgate.CodeConflict {
		t.Errorf("rotating an expired key: %q", code)
	}
	if _, _, code := rotate(k.ID, -time.Second); code != tollgate.CodeInvalid {
		t.Errorf("negative overlap: %q", code)
	}
	if _, _, code := rotate(k.ID, 91*24*time.Hour); code != tollgate.CodeInvalid {
		t.Errorf("endless overlap: %q", code)
	}
	last, _, code := rotate(k.ID, 0)
	if code != "" || w.authenticate(bearer(next)) == nil {
		t.Errorf("without overlap the old key goes on: %q", code)
	}
	w.update(func(tx tollgate.Tx) error {
		return w.accounts.SetKeyEnabled(t.Context(), tx, host(), last.ID, false, false)
	})
	if _, _, code := rotate(last.ID, 0); code != tollgate.CodeConflict {
		t.Errorf("rotating a disabled key: %q", code)
	}
	// A short overlap never makes a key live longer than it was to.
	soon, _ := w.key(auth.KeyWrite{UserID: alice.ID, ExpiresAt: w.clock.now().Add(time.Minute)})
	if _, _, code := rotate(soon.ID, time.Hour); code != "" {
		t.Fatal(code)
	}
	if got := w.getKey(soon.ID).ExpiresAt; !got.Equal(soon.ExpiresAt) {
		t.Errorf("rotation moved the expiry from %v to %v", soon.ExpiresAt, got)
	}
}

func TestCascadeFollowsTheFamily(t *testing.T) {
	w := newWorld(t)
	ada, alice := w.user("ada", true), w.user("alice", false)
	first, clear := w.key(auth.KeyWrite{UserID: ada.ID})
	made := func(by string, owner int64) (tollgate.Key, string) {
		t.Helper()
		actor := w.asKey(by)
		var k tollgate.Key
		var secret tollgate.Secret
		w.update(func(tx tollgate.Tx) (err error) {
			k, secret, err = w.accounts.GenerateKey(t.Context(), tx, actor, auth.KeyWrite{UserID: owner})
			return err
		})
		return k, secret.Reveal()
	}
	second, clear2 := made(clear, ada.ID)
	third, clear3 := made(clear2, alice.ID)
	if second.CreatedByKeyID != first.ID || third.CreatedByKeyID != second.ID {
		t.Fatalf("made by %d and %d", second.CreatedByKeyID, third.CreatedByKeyID)
	}
	set := func(enabled, cascade bool) {
		t.Helper()
		w.update(func(tx tollgate.Tx) error {
			return w.accounts.SetKeyEnabled(t.Context(), tx, host(), first.ID, enabled, cascade)
		})
	}
	expect := func(when string, want ...bool) {
		t.Helper()
		for i, token := range []string{clear, clear2, clear3} {
			if got := w.authenticate(bearer(token)) == nil; got != want[i] {
				t.Errorf("%s: key %d works = %v", when, i+1, got)
			}
		}
	}
	expect("at first", true, true, true)
	set(false, false)
	expect("the first disabled alone", false, true, true)
	set(true, false)
	set(false, true)
	expect("disabled with its family", false, false, false)
	set(true, true)
	expect("enabled with its family", true, true, true)
	w.update(func(tx tollgate.Tx) error { return w.accounts.DeleteKey(t.Context(), tx, host(), second.ID, true) })
	expect("the second deleted with its family", true, false, false)
	if n := len(w.audited("key.delete")); n != 2 {
		t.Errorf("%d audit entries for two deleted keys", n)
	}
}

// TestCascadeStopsAtForeignKeys has an admin's key whose maker belongs to the
// super admin: a cascade that would touch what the actor may not is refused whole.
func TestCascadeStopsAtForeignKeys(t *testing.T) {
	w := newWorld(t)
	ada := w.user("ada", true)
	mine, clear := w.key(auth.KeyWrite{UserID: ada.ID})
	other := w.user("other", true)
	child, _ := w.key(auth.KeyWrite{UserID: other.ID})
	w.update(func(tx tollgate.Tx) error {
		child.CreatedByKeyID = mine.ID
		return tx.Keys.Update(t.Context(), child)
	})
	by := w.as("ada")
	code := w.try(func(tx tollgate.Tx) error { return w.accounts.DeleteKey(t.Context(), tx, by, mine.ID, true) })
	if code != tollgate.CodeForbidden {
		t.Errorf("cascade over another admin's key: %q", code)
	}
	if err := w.authenticate(bearer(clear)); err != nil {
		t.Errorf("half of the cascade happened: %v", err)
	}
}

func TestKeyRestrictionsAreChecked(t *testing.T) {
	w := newWorld(t)
	alice := w.user("alice", false)
	k, _ := w.key(auth.KeyWrite{UserID: alice.ID})
	many := make([]string, 101)
	for i := range many {
		many[i] = "m"
	}
	for name, write := range map[string]auth.KeyWrite{
		"label": {Label: "line\nbreak"}, "long label": {Label: strings.Repeat("x", 129)}, "pattern": {Models: []string{""}}, "patterns": {Models: many},
		"network": {IPAllow: []netip.Prefix{{}}}, "surface": {Surfaces: []tollgate.Surface{"root"}},
	} {
		write.UserID = alice.ID
		code := w.try(func(tx tollgate.Tx) error {
			_, _, err := w.accounts.GenerateKey(t.Context(), tx, host(), write)
			return err
		})
		if code != tollgate.CodeInvalid {
			t.Errorf("%s: %q", name, code)
		}
	}
	past := w.clock.now().Add(-time.Second)
	root := w.as("root")
	code := w.try(func(tx tollgate.Tx) error {
		_, _, err := w.accounts.GenerateKey(t.Context(), tx, root, auth.KeyWrite{UserID: alice.ID, ExpiresAt: past})
		return err
	})
	if code != tollgate.CodeInvalid {
		t.Errorf("a key that has expired: %q", code)
	}
	var got tollgate.Key
	w.update(func(tx tollgate.Tx) (err error) {
		got, err = w.accounts.UpdateKey(t.Context(), tx, root, auth.KeyPatch{
			ID: k.ID, Label: tollgate.Some("new"), Models: tollgate.Some([]string{"a"}), IPAllow: tollgate.Some([]netip.Prefix{netip.MustParsePrefix("192.0.2.77/24")}),
			ExpiresAt: tollgate.Some(w.clock.now().Add(time.Hour)),
		})
		return err
	})
	if got.Label != "new" || got.IPAllow[0].String() != "192.0.2.0/24" || got.Models[0] != "a" {
		t.Errorf("updated to %+v", got)
	}
	w.update(func(tx tollgate.Tx) (err error) {
		got, err = w.accounts.UpdateKey(t.Context(), tx, root, auth.KeyPatch{
			ID: k.ID, Models: tollgate.Null[[]string](), IPAllow: tollgate.Null[[]netip.Prefix](), ExpiresAt: tollgate.Null[time.Time](),
		})
		return err
	})
	if got.Label != "new" || len(got.IPAllow)+len(got.Models) != 0 || !got.ExpiresAt.IsZero() {
		t.Errorf("cleared to %+v", got)
	}
}
