package auth

import (
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

	// MinKeyLength and MaxKeyLength bound an imported key, in bytes.
	MinKeyLength = 8
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
	sum := checksum(string(out))
	return tollgate.NewSecret(string(append(out, sum[:]...))), nil
}

// checksum returns the CRC-32 of s as six base-62 digits.
func checksum(s string) (out [keyChecksum]byte) {
	v := ^uint32(0) // by hand: crc32.Update would have s copied to the heap
	for i := range len(s) {
		v = crc32.IEEETable[byte(v)^s[i]] ^ v>>8
	}
	v = ^v
	for i := keyChecksum - 1; i >= 0; i-- {
		out[i] = base62[v%62]
		v /= 62
	}
	return out
}

// plausible reports whether s can be a client key at all, without looking it
// up: visible ASCII of the right length and, for our own form, the checksum.
func plausible(s string) bool {
	if len(s) < MinKeyLength || len(s) > MaxKeyLength {
		return false
	}
	own := strings.HasPrefix(s, KeyPrefix)
	if own && len(s) != keyLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c <= ' ' || c > '~' {
			return false
		}
		if own && i >= len(KeyPrefix) && (c < '0' || c > '9' && c < 'A' || c > 'Z' && c < 'a' || c > 'z') {
			return false
		}
	}
	if !own {
		return true
	}
	sum := checksum(s[:keyLength-keyChecksum])
	return string(sum[:]) == s[keyLength-keyChecksum:]
}

// CheckKey checks a key that shall be imported: 8 to 256 visible ASCII
// characters; a key that begins like our own must have its checksum. Errors
// are CodeInvalid and do not repeat the key.
func CheckKey(field string, key tollgate.Secret) error {
	s := key.Reveal()
	switch {
	case plausible(s):
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

// digest returns the digest of s, which is at most MaxKeyLength bytes long.
func (d *digester) digest(s string) [sha256.Size]byte {
	p := d.pool.Get().(*pooledMAC) //nolint:forcetypeassert,errcheck // the pool holds nothing else
	p.mac.Reset()
	p.mac.Write(p.in[:copy(p.in[:], s)])
	p.mac.Sum(p.out[:0])
	out := p.out
	clear(p.in[:len(s)])
	d.pool.Put(p)
	return out
}
