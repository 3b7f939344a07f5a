package auth_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"

	"tollgate"
	"tollgate/internal/auth"
)

const policyHash = `^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$`

func TestA01NewHashesAreOfPolicy(t *testing.T) {
	h := auth.NewHasher(auth.HasherOptions{}, rand.Reader)
	secret := tollgate.NewSecret("correct horse, wrong staple")
	one, err := h.Hash(t.Context(), secret)
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(policyHash).MatchString(one) {
		t.Errorf("hash is %s, want %s", one, policyHash)
	}
	parts := strings.Split(one, "$")
	salt, _ := base64.RawStdEncoding.DecodeString(parts[4])
	want := base64.RawStdEncoding.EncodeToString(argon2.IDKey([]byte(secret.Reveal()), salt, 2, 19*1024, 1, 32))
	if parts[5] != want {
		t.Errorf("hash is %s, Argon2id gives %s", parts[5], want)
	}
	if ok, rehash, err := h.Verify(t.Context(), one, secret); !ok || rehash || err != nil {
		t.Errorf("Verify = %v, rehash %v, %v", ok, rehash, err)
	}
	if ok, _, err := h.Verify(t.Context(), one, tollgate.NewSecret("correct horse, wrong stapl")); ok || err != nil {
		t.Errorf("a shorter password: %v, %v", ok, err)
	}
}

// TestVerifyKnowsForeignHashes uses the test vectors of the reference
// implementation (password "password", salt "somesalt"; argon2i and argon2id
// version 19).
func TestVerifyKnowsForeignHashes(t *testing.T) {
	h := auth.NewHasher(cheap(), rand.Reader)
	for _, hash := range []string{
		"$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=256,t=2,p=2$c29tZXNhbHQ$bQk8UB/VmZZF4Oo79iDXuL5/0ttZwg2f/5U52iv1cDc",
		"$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8",
	} {
		if ok, _, err := h.Verify(t.Context(), hash, tollgate.NewSecret("password")); !ok || err != nil {
			t.Errorf("%s: %v, %v", hash, ok, err)
		}
	}
}

// TestPBKDF2IsVerifiedWithinBoundsAndMadeAnew uses a hash that Python's hashlib
// made of a password with an umlaut.
func TestPBKDF2IsVerifiedWithinBoundsAndMadeAnew(t *testing.T) {
	h := auth.NewHasher(cheap(), rand.Reader)
	const hash = "$pbkdf2-sha256$i=100000$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY$qnQNbcdpyQfYcOh/vDKTAzSKvU85KzWWb7r+h45R7wo"
	if ok, rehash, err := h.Verify(t.Context(), hash, tollgate.NewSecret("p\u00e4ssword of old")); !ok || !rehash || err != nil {
		t.Errorf("Verify = %v, rehash %v, %v", ok, rehash, err)
	}
	if ok, _, err := h.Verify(t.Context(), hash, tollgate.NewSecret("another password")); ok || err != nil {
		t.Errorf("another password: %v, %v", ok, err)
	}
	salt, sum := make([]byte, 16), make([]byte, 32)
	for name, made := range map[string]func() (tollgate.Secret, error){
		"too cheap":    func() (tollgate.Secret, error) { return auth.PBKDF2(9_999, salt, sum) },
		"too dear":     func() (tollgate.Secret, error) { return auth.PBKDF2(1_000_001, salt, sum) },
		"short salt":   func() (tollgate.Secret, error) { return auth.PBKDF2(100_000, salt[:7], sum) },
		"short hash":   func() (tollgate.Secret, error) { return auth.PBKDF2(100_000, salt, sum[:31]) },
		"long hash":    func() (tollgate.Secret, error) { return auth.PBKDF2(100_000, salt, append(sum, 0)) },
		"no iteration": func() (tollgate.Secret, error) { return auth.PBKDF2(0, salt, sum) },
	} {
		if _, err := made(); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestA01WeakerHashesAreMadeAnew(t *testing.T) {
	h := auth.NewHasher(auth.HasherOptions{Cost: auth.Cost{Memory: 128, Passes: 2, Lanes: 1}}, rand.Reader)
	secret := tollgate.NewSecret("a password")
	for _, c := range []struct {
		cost auth.Cost
		want bool
	}{
		{auth.Cost{Memory: 128, Passes: 2, Lanes: 1}, false},
		{auth.Cost{Memory: 256, Passes: 1, Lanes: 1}, false},
		{auth.Cost{Memory: 1024, Passes: 3, Lanes: 2}, false},
		{auth.Cost{Memory: 128, Passes: 1, Lanes: 1}, true},
		{auth.Cost{Memory: 64, Passes: 2, Lanes: 1}, true},
	} {
		hash, err := auth.NewHasher(auth.HasherOptions{Cost: c.cost}, rand.Reader).Hash(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		ok, rehash, err := h.Verify(t.Context(), hash, secret)
		if !ok || rehash != c.want || err != nil {
			t.Errorf("%s: ok %v, rehash %v, %v; want rehash %v", hash, ok, rehash, err, c.want)
		}
	}
}

func TestA04PasswordsAreNormalisedAndNeverCut(t *testing.T) {
	h := auth.NewHasher(cheap(), rand.Reader)
	check := func(set, given string, want bool) {
		t.Helper()
		hash, err := h.Hash(t.Context(), tollgate.NewSecret(set))
		if err != nil {
			t.Fatal(err)
		}
		if ok, _, err := h.Verify(t.Context(), hash, tollgate.NewSecret(given)); ok != want || err != nil {
			t.Errorf("set %q, given %q: %v, %v", set, given, ok, err)
		}
	}
	check("caf\u00e9 au lait noir", "cafe\u0301 au lait noir", true)
	check("cafe\u0301 au lait noir", "caf\u00e9 au lait noir", true)
	check("caf\u00e9 au lait noir", "cafe au lait noir", false)
	long := strings.Repeat("x", 1023)
	check(long+"a", long+"b", false)
	check(" leading blank kept", "leading blank kept", false)
}

func TestA04PasswordRules(t *testing.T) {
	for password, ok := range map[string]bool{
		"elevenchars": false, "twelve chars": true, "ünïcödé päss": true, "日本語日本語日本語日本語": true, "": false,
		strings.Repeat("ab-9", 256): true, strings.Repeat("ab-9", 256) + "x": false,
		"tollgatetollgate": false, "Tollgate-2026!": false, "password1234": false, "PASSWORD!!!!!": false, "1234567890123": false,
		"aaaaaaaaaaaaa": false, "alicealice12": false, "qwertyuiop123": false, "abcdefghijklm": false, "admin-is-not-in-here": true,
		"correct horse battery": true, "493812745093": true, "bad utf8 \xff\xfe here": false,
	} {
		err := auth.CheckPassword("password", tollgate.NewSecret(password), "alice")
		if ok != (err == nil) || !ok && tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q: %v, want accepted = %v", password, err, ok)
		}
	}
}

func TestA03HostileHashesCostNothing(t *testing.T) {
	h := auth.NewHasher(cheap(), rand.Reader)
	tail := "$c29tZXNhbHRzb21lc2FsdA$" + strings.Repeat("A", 43)
	for name, hash := range map[string]string{
		"memory":            "$argon2id$v=19$m=131073,t=1,p=1" + tail,
		"much memory":       "$argon2id$v=19$m=4294967295,t=1,p=1" + tail,
		"memory overflows":  "$argon2id$v=19$m=4294967296,t=1,p=1" + tail,
		"passes":            "$argon2id$v=19$m=64,t=11,p=1" + tail,
		"lanes":             "$argon2id$v=19$m=64,t=1,p=5" + tail,
		"no lanes":          "$argon2id$v=19$m=64,t=1,p=0" + tail,
		"no passes":         "$argon2id$v=19$m=64,t=0,p=1" + tail,
		"too little memory": "$argon2id$v=19$m=7,t=1,p=1" + tail,
		"negative":          "$argon2id$v=19$m=-64,t=1,p=1" + tail,
		"leading zero":      "$argon2id$v=19$m=064,t=1,p=1" + tail,
		"plus":              "$argon2id$v=19$m=+64,t=1,p=1" + tail,
		"order":             "$argon2id$v=19$t=1,m=64,p=1" + tail,
		"argon2d":           "$argon2d$v=19$m=64,t=1,p=1" + tail,
		"old version":       "$argon2id$v=16$m=64,t=1,p=1" + tail,
		"no version":        "$argon2id$m=64,t=1,p=1" + tail,
		"bcrypt":            "$2b$12$abcdefghijklmnopqrstuuGVc1cHxP7zTbYVq7cV7R7G2Cq1sK9W",
		"short salt":        "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + strings.Repeat("A", 43),
		"short hash":        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$AAAA",
		"padding":           "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHQ=$" + strings.Repeat("A", 43),
		"loose bits":        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdB$" + strings.Repeat("A", 43),
		"line break":        "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRz\nb21lc2FsdA$" + strings.Repeat("A", 43),
		"huge":              "$argon2id$v=19$m=64,t=1,p=1$" + strings.Repeat("A", 1<<20),
		"extra part":        "$argon2id$v=19$m=64,t=1,p=1" + tail + "$x",
		"cut":               "$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzb21lc2FsdA",
		"plain":             "not a hash",
		"empty":             "",
	} {
		allocated := testing.AllocsPerRun(1, func() {
			if err := auth.CheckPHC(hash); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
				t.Errorf("%s: %v, want CodeInvalid", name, err)
			}
		})
		if allocated > 50 {
			t.Errorf("%s: %v allocations", name, allocated)
		}
		if ok, _, err := h.Verify(context.Background(), hash, tollgate.NewSecret("x")); ok || err == nil {
			t.Errorf("%s: verified", name)
		}
	}
}

func FuzzPHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc")
	f.Add("$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$iekCn0Y3spW+sCcFanM2xBT63UP2sghkUoHLIUpWRS8")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$AAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("$pbkdf2-sha256$i=100000$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY$qnQNbcdpyQfYcOh/vDKTAzSKvU85KzWWb7r+h45R7wo")
	f.Add("$pbkdf2-sha256$i=4294967295$AAAAAAAAAAA$AAAA")
	f.Add("$$$$$")
	f.Add("")
	shape := regexp.MustCompile(`\A\$argon2(id|i)\$v=19\$m=[1-9][0-9]*,t=[1-9][0-9]*,p=[1-4]\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+\z|\A\$pbkdf2-sha256\$i=[1-9][0-9]{4,6}\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+\z`)
	f.Fuzz(func(t *testing.T, hash string) {
		if err := auth.CheckPHC(hash); err == nil {
			if !shape.MatchString(hash) || len(hash) > 256 {
				t.Fatalf("accepted %q", hash)
			}
		} else if tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Fatalf("%v: want CodeInvalid", err)
		}
	})
}

func BenchmarkArgon2Policy(b *testing.B) {
	h := auth.NewHasher(auth.HasherOptions{}, rand.Reader)
	for b.Loop() {
		if _, err := h.Hash(b.Context(), tollgate.NewSecret("a password of a user")); err != nil {
			b.Fatal(err)
		}
	}
}
