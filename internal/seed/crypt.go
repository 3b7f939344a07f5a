package seed

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"filippo.io/age"
	"filippo.io/age/armor"

	"tollgate"
)

// MaxDocument bounds a document that is imported, in bytes.
const MaxDocument = 8 << 20

// The cost of deriving a key from a passphrase: 2^n steps of scrypt take
// 2^n KiB of memory. What others have encrypted may cost as much as age itself
// chooses; a document that asks for more is refused before the work begins.
const (
	workFactor    = 16
	maxWorkFactor = 18
)

// Encrypted reports whether a document is an export that is encrypted to a
// passphrase (age, in its armoured form).
func Encrypted(text []byte) bool {
	return strings.HasPrefix(strings.TrimLeft(string(text[:min(len(text), 256)]), " \r\n\t"), armor.Header)
}

// Encrypt encrypts a document to a passphrase.
func Encrypt(text []byte, passphrase tollgate.Secret) ([]byte, error) {
	recipient, err := age.NewScryptRecipient(passphrase.Reveal())
	if err != nil {
		return nil, err
	}
	recipient.SetWorkFactor(workFactor)
	var b bytes.Buffer
	lines := armor.NewWriter(&b)
	w, err := age.Encrypt(lines, recipient)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text); err != nil {
		return nil, err
	}
	err = errors.Join(w.Close(), lines.Close())
	return b.Bytes(), err
}

// Decrypt is the opposite of Encrypt. Errors are CodeInvalid, or CodeTooLarge
// for a document above MaxDocument.
func Decrypt(text []byte, passphrase tollgate.Secret) ([]byte, error) {
	if passphrase.Empty() {
		return nil, tollgate.Invalidf("passphrase", "the document is encrypted; give the passphrase that it was exported with")
	}
	identity, err := age.NewScryptIdentity(passphrase.Reveal())
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the passphrase cannot be used")
	}
	identity.SetMaxWorkFactor(maxWorkFactor)
	plain, err := decrypt(text, identity)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the export cannot be decrypted; is the passphrase right, and the file whole?")
	}
	if len(plain) > MaxDocument {
		return nil, tollgate.Errorf(tollgate.CodeTooLarge, "the document is larger than %d MiB", MaxDocument>>20)
	}
	return plain, nil
}

func decrypt(text []byte, identity age.Identity) ([]byte, error) {
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(text)), identity)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, MaxDocument+1))
}
