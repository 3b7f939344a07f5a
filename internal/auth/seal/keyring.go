package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"

	"golang.org/x/crypto/chacha20poly1305"

	"tollgate"
)

const (
	keySize = 32
	// An envelope is: version (1 byte), key id (4), nonce (24), ciphertext and tag (16).
	envelopeVersion = 1
	kidSize         = 4
	headerSize      = 1 + kidSize
	overhead        = headerSize + chacha20poly1305.NonceSizeX + chacha20poly1305.Overhead
	// maxPlain bounds a record, in bytes, so that a damaged length never allocates much.
	maxPlain = 64 << 20
)

// Keyring is the opened root key. It is immutable and safe for concurrent use.
// No formatter prints it.
type Keyring struct {
	root  [keySize]byte
	kid   [kidSize]byte
	rand  io.Reader
	state State
}

var _ tollgate.Sealer = (*Keyring)(nil)

// State says how a keyring was opened.
type State struct {
	// Previous is true when the previous master key opened it: a rekey to the
	// current one is due.
	Previous bool
	// Wraps is how many master keys open the database: 2 while a rekey is under way.
	Wraps int
	// Source is where the master key comes from, as the database remembers it.
	Source Source
}

func newKeyring(root [keySize]byte, random io.Reader, state State) *Keyring {
	k := &Keyring{root: root, rand: random, state: state}
	id := k.MAC("key id", nil)
	copy(k.kid[:], id[:])
	return k
}

// State returns how the keyring was opened.
func (k *Keyring) State() State { return k.state }

// Seal encrypts plain for the place at.
func (k *Keyring) Seal(at tollgate.Label, plain []byte) ([]byte, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("seal %s.%s: %d bytes are more than %d", at.Table, at.Column, len(plain), maxPlain)
	}
	aead, err := chacha20poly1305.NewX(k.Subkey(recordPurpose(at)))
	if err != nil {
		return nil, fmt.Errorf("seal %s.%s: %w", at.Table, at.Column, err)
	}
	out := make([]byte, headerSize+chacha20poly1305.NonceSizeX, overhead+len(plain))
	out[0] = envelopeVersion
	copy(out[1:], k.kid[:])
	nonce := out[headerSize:]
	if _, err := io.ReadFull(k.rand, nonce); err != nil {
		return nil, fmt.Errorf("seal %s.%s: read randomness: %w", at.Table, at.Column, err)
	}
	return aead.Seal(out, nonce, plain, associated(out[:headerSize], at)), nil
}

// Open decrypts what Seal made for the same place. The error never says more
// than that the value does not open.
func (k *Keyring) Open(at tollgate.Label, sealed []byte) ([]byte, error) {
	switch {
	case len(sealed) < overhead || len(sealed) > overhead+maxPlain:
		return nil, fmt.Errorf("open %s.%s of row %d: not an envelope (%d bytes)", at.Table, at.Column, at.Row, len(sealed))
	case sealed[0] != envelopeVersion:
		return nil, fmt.Errorf("open %s.%s of row %d: unknown envelope version %d", at.Table, at.Column, at.Row, sealed[0])
	case !bytes.Equal(sealed[1:headerSize], k.kid[:]):
		return nil, fmt.Errorf("open %s.%s of row %d: sealed under another root key", at.Table, at.Column, at.Row)
	}
	aead, err := chacha20poly1305.NewX(k.Subkey(recordPurpose(at)))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of row %d: %w", at.Table, at.Column, at.Row, err)
	}
	body := sealed[headerSize:]
	nonce, ct := body[:chacha20poly1305.NonceSizeX], body[chacha20poly1305.NonceSizeX:]
	plain, err := aead.Open(nil, nonce, ct, associated(sealed[:headerSize], at))
	if err != nil {
		return nil, fmt.Errorf("open %s.%s of row %d: the value was altered, moved or bound to another origin", at.Table, at.Column, at.Row)
	}
	return plain, nil
}

// MAC returns HMAC-SHA-256 of data under the sub-key of purpose.
func (k *Keyring) MAC(purpose string, data []byte) [32]byte {
	h := hmac.New(sha256.New, k.Subkey(purpose))
	h.Write(data)
	var out [32]byte
	h.Sum(out[:0])
	return out
}

// Subkey returns the 32-byte key of a purpose, derived by HKDF-SHA-256.
// Different purposes give unrelated keys (SECURITY C-09).
func (k *Keyring) Subkey(purpose string) []byte {
	key, err := hkdf.Key(sha256.New, k.root[:], nil, "tollgate/v1/"+purpose, keySize)
	if err != nil {
		// HKDF fails only for lengths beyond 255 hashes.
		panic("seal: derive sub-key: " + err.Error())
	}
	return key
}

// Format writes "[redacted]" whatever the verb.
func (k *Keyring) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "[redacted]") }

// MarshalText returns "[redacted]".
func (k *Keyring) MarshalText() ([]byte, error) { return []byte("[redacted]"), nil }

// LogValue returns "[redacted]".
func (k *Keyring) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// recordPurpose names the sub-key of a table's column.
func recordPurpose(at tollgate.Label) string {
	b := appendField([]byte("record/"), at.Table)
	return string(appendField(b, at.Column))
}

// associated returns the associated data of a record: header and label, every
// part with its length in front so that no two labels share one encoding.
func associated(header []byte, at tollgate.Label) []byte {
	b := make([]byte, 0, 64+len(at.Table)+len(at.Column)+len(at.Origin))
	b = appendField(b, string(header))
	b = appendField(b, at.Table)
	b = appendField(b, at.Column)
	b = binary.BigEndian.AppendUint64(b, uint64(at.Row)) //nolint:gosec // a bijection, not a measure
	return appendField(b, at.Origin)
}

func appendField(b []byte, s string) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(len(s)))
	return append(b, s...)
}

// defaultRand is the system's randomness.
func defaultRand() io.Reader { return rand.Reader }
