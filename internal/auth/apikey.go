package auth

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"hash"
	"hash/crc32"
	"io"
	"strings"
	"sync"

	"tollgate"
)

const (
	// KeyPrefix begins every key that this product makes.
	KeyPrefix = "sk-tg-"
	// KeyPattern is the format of such keys, as a regular expression; the last
	// six characters are the CRC-32 (IEEE) of all before them, in base 62.
	KeyPattern = `^sk-tg-[0-9A-Za-z]{38}$`

	keyRandom   = 32 // characters, 190 bits
	keyChecksum = 6
	keyLength   = len(KeyPrefix) + keyRandom + keyChecksum

	// MinKeyLength is the least length of an imported key, in bytes.
	MinKeyLength = 8
	// MaxKeyLength is the greatest length of an imported key, in bytes.
	MaxKeyLength = 256

	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

	purposeClientKey = "client-key"
)

// Subkeys derives keys and digests for a purpose; [seal.Keyring] is one.
type Subkeys interface {
	// Subkey returns the 32-byte key of a purpose.
	Subkey(purpose string) []byte
	// MAC returns HMAC-SHA-256 of data under the key of a purpose.
	MAC(purpose string, data []byte) [32]byte
}

// NewKey makes a client key: "sk-tg-", 32 random characters, 6 of checksum.
func NewKey(random io.Reader) (tollgate.Secret, error) {
	out := make([]byte, 0, keyLength)
	out = append(out, KeyPrefix...)
	var buf [64]byte
	for len(out) < len(KeyPrefix)+keyRandom {
		if _, err := io.ReadFull(random, buf[:]); err != nil {
			return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "make key")
		}
		for _, b := range buf {
			// 248 = 4 × 62: the rest would make the first letters likelier.
			if b < 248 && len(out) < len(KeyPrefix)+keyRandom {
				out = append(out, base62[b%62])
			}
		}
	}
	sum := checksum(out)
	return tollgate.NewSecret(string(append(out, sum[:]...))), nil
}

// checksum returns the CRC-32 of b as six base-62 digits.
func checksum(b []byte) (out [keyChecksum]byte) {
	v := crc32.ChecksumIEEE(b)
	for i := keyChecksum - 1; i >= 0; i-- {
		out[i] = base62[v%62]
		v /= 62
	}
	return out
}

// plausible reports whether b can be a client key at all, without looking it
// up: visible ASCII of the right length and, for our own form, the checksum.
func plausible(b []byte) bool {
	if len(b) < MinKeyLength || len(b) > MaxKeyLength {
		return false
	}
	for _, c := range b {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	random, own := bytes.CutPrefix(b, []byte(KeyPrefix))
	if !own {
		return true
	}
	for _, c := range random {
		if c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z' {
			return false
		}
	}
	if len(b) != keyLength {
		return false
	}
	sum := checksum(b[:keyLength-keyChecksum])
	return string(sum[:]) == string(b[keyLength-keyChecksum:])
}

// CheckKey checks a key that shall be imported: 8 to 256 visible ASCII
// characters; a key that begins like our own must have its checksum. Errors
// are CodeInvalid and do not repeat the key.
func CheckKey(field string, key tollgate.Secret) error {
	s := key.Reveal()
	switch {
	case plausible([]byte(s)):
		return nil
	case strings.HasPrefix(s, KeyPrefix):
		return tollgate.Invalidf(field, "the key begins with %s but is not whole: it needs %d characters with a right checksum", KeyPrefix, keyLength)
	default:
		return tollgate.Invalidf(field, "a key is %d to %d visible ASCII characters", MinKeyLength, MaxKeyLength)
	}
}

// shown returns what is kept in clear to tell keys apart. A short key shows
// less, so that at most a quarter of it is known.
func shown(s string) (prefix, last4 string) {
	if strings.HasPrefix(s, KeyPrefix) && len(s) == keyLength {
		return s[:len(KeyPrefix)+4], s[len(s)-4:]
	}
	if len(s) < 32 {
		n := len(s) / 8
		return s[:n], s[len(s)-n:]
	}
	return s[:4], s[len(s)-4:]
}

// digester computes the HMAC-SHA-256 of keys. The padded key blocks are hashed
// once per pooled hash; each digest resumes from there.
type digester struct{ pool sync.Pool }

type pooledMAC struct {
	mac hash.Hash
	in  [MaxKeyLength]byte
	out [sha256.Size]byte
}

func newDigester(keys Subkeys) *digester {
	key := keys.Subkey(purposeClientKey)
	return &digester{pool: sync.Pool{New: func() any { return &pooledMAC{mac: hmac.New(sha256.New, key)} }}}
}

// digest returns the digest of s, if s can be a key at all. It allocates
// nothing: s is worked on in the pooled buffer.
func (d *digester) digest(s string) (out [sha256.Size]byte, ok bool) {
	if len(s) > MaxKeyLength {
		return out, false
	}
	p := d.pool.Get().(*pooledMAC) //nolint:forcetypeassert,errcheck // the pool holds nothing else
	key := p.in[:copy(p.in[:], s)]
	if ok = plausible(key); ok {
		p.mac.Reset()
		p.mac.Write(key)
		p.mac.Sum(p.out[:0])
		out = p.out
	}
	clear(key)
	d.pool.Put(p)
	return out, ok
}
