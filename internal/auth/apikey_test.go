package auth_test

import (
	"crypto/rand"
	"hash/crc32"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/auth"
)

func newKey(tb testing.TB) string {
	tb.Helper()
	k, err := auth.NewKey(rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return k.Reveal()
}

func TestK01KeyFormat(t *testing.T) {
	pattern := regexp.MustCompile(auth.KeyPattern)
	seen := map[string]bool{}
	letters := map[rune]int{}
	for range 5000 {
		k := newKey(t)
		if !pattern.MatchString(k) {
			t.Fatalf("%s does not match %s", k, pattern)
		}
		if seen[k] {
			t.Fatal("a key came twice")
		}
		seen[k] = true
		if err := auth.CheckKey("k", tollgate.NewSecret(k)); err != nil {
			t.Fatalf("%s: %v", k, err)
		}
		if want := base62(crc32.ChecksumIEEE([]byte(k[:38]))); k[38:] != want {
			t.Fatalf("checksum of %s is %s, want the CRC-32 %s", k, k[38:], want)
		}
		for _, r := range k[6:38] {
			letters[r]++
		}
	}
	if len(letters) != 62 {
		t.Errorf("%d different letters were drawn, want 62", len(letters))
	}
	for r, n := range letters { // 160,000 letters, 2,580 of each, standard deviation 50
		if n < 2200 || n > 2960 {
			t.Errorf("letter %c was drawn %d times of 160,000", r, n)
		}
	}
}

// base62 is an independent rendering of the checksum.
func base62(sum uint32) string {
	// big.Int counts 0-9a-zA-Z; ours counts 0-9A-Za-z.
	swapped := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		}
		return r
	}, new(big.Int).SetUint64(uint64(sum)).Text(62))
	return strings.Repeat("0", 6-len(swapped)) + swapped
}

func TestK01AnyChangedCharacterIsNoticed(t *testing.T) {
	k := newKey(t)
	for i := 6; i < len(k); i++ {
		for _, c := range []byte("0aZ!") {
			if k[i] == c {
				continue
			}
			changed := k[:i] + string(c) + k[i+1:]
			if err := auth.CheckKey("k", tollgate.NewSecret(changed)); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
				t.Errorf("%s with a change at %d: %v, want CodeInvalid", k, i, err)
			}
		}
	}
	for _, changed := range []string{k[:len(k)-1], k + "0", k[:10], auth.KeyPrefix, strings.ToUpper(k[6:]) + "tail", " " + k} {
		err := auth.CheckKey("k", tollgate.NewSecret(changed))
		if strings.HasPrefix(changed, auth.KeyPrefix) != (err != nil) && !strings.HasPrefix(changed, " ") {
			t.Errorf("%q: %v", changed, err)
		}
	}
}

func TestImportedKeysAreVisibleASCII(t *testing.T) {
	for key, ok := range map[string]bool{
		"sk-user-alice-1": true, "12345678": true, strings.Repeat("x", 256): true, "!~\"#$%&'": true,
		"1234567": false, "": false, strings.Repeat("x", 257): false, "with blank": false, "tab\there!": false,
		"nul\x00nul\x00": false, "schlüssel-1": false, "line\nbreak": false, "del\x7fdelete": false,
	} {
		err := auth.CheckKey("api_key", tollgate.NewSecret(key))
		if ok != (err == nil) || !ok && tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q: %v, want accepted = %v", key, err, ok)
		}
		if err != nil && key != "" && strings.Contains(err.Error(), key) {
			t.Errorf("the error repeats the key: %v", err)
		}
	}
}

func FuzzKey(f *testing.F) {
	good := newKey(f)
	f.Add(good)
	f.Add(good[:43])
	f.Add("sk-user-alice-1")
	f.Add("sk-tg-")
	f.Add("sk-tg-" + strings.Repeat("é", 19))
	f.Add("")
	pattern := regexp.MustCompile(auth.KeyPattern)
	visible := regexp.MustCompile(`^[!-~]{8,256}$`)
	f.Fuzz(func(t *testing.T, key string) {
		err := auth.CheckKey("k", tollgate.NewSecret(key))
		want := visible.MatchString(key) && !strings.HasSuffix(key, "\n")
		if strings.HasPrefix(key, auth.KeyPrefix) {
			want = pattern.MatchString(key) && len(key) == 44 && base62(crc32.ChecksumIEEE([]byte(key[:38]))) == key[38:]
		}
		if want != (err == nil) {
			t.Fatalf("%q: %v, want accepted = %v", key, err, want)
		}
	})
}
