package seal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"tollgate"
)

// Names of the values in the store's Meta table.
const (
	MetaSalt   = "seal.salt"
	MetaRoot   = "seal.root"
	MetaCanary = "seal.canary"
	MetaSource = "seal.source"
)

// Source is where the master key of a database comes from.
type Source string

// The sources.
const (
	SourceFile Source = "file" // the generated key file in the data dir
	SourceEnv  Source = "env"  // DATABASE_SECRET_KEY
)

const (
	saltSize    = 16
	rootVersion = 1
	maxWraps    = 2
	canaryText  = "tollgate canary"
	// A wrap is: memory in KiB (4 bytes), passes (4), lanes (1), nonce (24), sealed root (32 + 16).
	costSize = 9
	wrapSize = costSize + chacha20poly1305.NonceSizeX + keySize + chacha20poly1305.Overhead
)

func canaryLabel() tollgate.Label { return tollgate.Label{Table: "meta", Column: MetaCanary} }

// cost is the price of turning a master key into a wrapping key; it is stored
// beside each wrap so that it may be raised later.
type cost struct {
	memory, passes uint32 // KiB, passes
	lanes          uint8
}

func defaultCost() cost { return cost{memory: 19 * 1024, passes: 2, lanes: 1} }

// sane bounds what a damaged or hostile record may make us spend (SECURITY A-03).
func (c cost) sane() bool {
	return c.memory >= 1024 && c.memory <= 256*1024 && c.passes >= 1 && c.passes <= 10 && c.lanes >= 1 && c.lanes <= 4
}

func (c cost) bytes() []byte {
	b := binary.BigEndian.AppendUint32(nil, c.memory)
	b = binary.BigEndian.AppendUint32(b, c.passes)
	return append(b, c.lanes)
}

// wrapping is the key that a master key gives at one cost with one salt.
func wrapping(master tollgate.Secret, salt []byte, c cost) []byte {
	return argon2.IDKey([]byte(master.Reveal()), salt, c.passes, c.memory, c.lanes, keySize)
}

// wrap is the root key sealed under one master key.
type wrap struct {
	cost   cost
	sealed []byte // nonce, ciphertext, tag
}

func newWrap(master tollgate.Secret, salt []byte, root [keySize]byte, random io.Reader) (wrap, error) {
	w := wrap{cost: defaultCost()}
	aead, err := chacha20poly1305.NewX(wrapping(master, salt, w.cost))
	if err != nil {
		return wrap{}, fmt.Errorf("wrap root key: %w", err)
	}
	nonce := make([]byte, chacha20poly1305.NonceSizeX, wrapSize-costSize)
	if _, err := io.ReadFull(random, nonce); err != nil {
		return wrap{}, fmt.Errorf("wrap root key: read randomness: %w", err)
	}
	w.sealed = aead.Seal(nonce, nonce, root[:], wrapData(w.cost, salt))
	return w, nil
}

func wrapData(c cost, salt []byte) []byte {
	b := appendField(nil, "tollgate root key")
	b = appendField(b, string(c.bytes()))
	return appendField(b, string(salt))
}

// unwrap tries every wrap with master and returns the index of the one that opened.
func unwrap(wraps []wrap, master tollgate.Secret, salt []byte) (root [keySize]byte, index int, ok bool) {
	keys := map[cost][]byte{}
	for i, w := range wraps {
		key := keys[w.cost]
		if key == nil {
			key = wrapping(master, salt, w.cost)
			keys[w.cost] = key
		}
		aead, err := chacha20poly1305.NewX(key)
		if err != nil {
			continue
		}
		nonce, ct := w.sealed[:chacha20poly1305.NonceSizeX], w.sealed[chacha20poly1305.NonceSizeX:]
		if plain, err := aead.Open(nil, nonce, ct, wrapData(w.cost, salt)); err == nil {
			copy(root[:], plain)
			return root, i, true
		}
	}
	return root, -1, false
}

func encodeWraps(wraps []wrap) []byte {
	b := []byte{rootVersion, byte(len(wraps))} //nolint:gosec // at most maxWraps
	for _, w := range wraps {
		b = append(b, w.cost.bytes()...)
		b = append(b, w.sealed...)
	}
	return b
}

func decodeWraps(b []byte) ([]wrap, error) {
	if len(b) < 2 || b[0] != rootVersion {
		return nil, errors.New("the wrapped root key is damaged or of a newer version")
	}
	n := int(b[1])
	if n < 1 || n > maxWraps || len(b) != 2+n*wrapSize {
		return nil, errors.New("the wrapped root key is damaged")
	}
	wraps := make([]wrap, n)
	for i := range wraps {
		at := b[2+i*wrapSize:]
		w := wrap{
			cost:   cost{memory: binary.BigEndian.Uint32(at), passes: binary.BigEndian.Uint32(at[4:]), lanes: at[8]},
			sealed: at[costSize:wrapSize],
		}
		if !w.cost.sane() {
			return nil, errors.New("the wrapped root key asks for an absurd amount of work; it is damaged")
		}
		wraps[i] = w
	}
	return wraps, nil
}
