package seed

import (
	"encoding/hex"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/upstream"
)

// A sealed value names its place as associated data, and a digest its purpose
// (CONTRACT 3). The places and purposes below are those of auth and upstream;
// an export that does not fit them fails to open anything, which its tests see.

// keyDigest returns what a client key is looked up by.
func (im *Importer) keyDigest(key tollgate.Secret) []byte {
	d := im.Keys.MAC("client-key", []byte(key.Reveal()))
	return d[:]
}

// fingerprint returns what tells a provider's secrets apart.
func (im *Importer) fingerprint(secret tollgate.Secret) string {
	d := im.Keys.MAC("credential-fingerprint", []byte(secret.Reveal()))
	return hex.EncodeToString(d[:4])
}

// password returns the PHC string of a user, empty if there is none.
func (im *Importer) password(u tollgate.User) (tollgate.Secret, error) {
	return im.reveal(tollgate.Label{Table: "users", Column: "password", Row: u.ID}, u.Password)
}

// clientKey returns a client key, empty if only its digest is stored.
func (im *Importer) clientKey(k tollgate.Key) (tollgate.Secret, error) {
	return im.reveal(tollgate.Label{Table: "keys", Column: "sealed", Row: k.ID}, k.Sealed)
}

// credentialSecret returns a provider's secret, empty if there is none.
func (im *Importer) credentialSecret(c tollgate.Credential) (tollgate.Secret, error) {
	return im.reveal(upstream.CredentialLabel(c.ID, c.Origin), c.Sealed)
}

func (im *Importer) reveal(at tollgate.Label, sealed []byte) (tollgate.Secret, error) {
	if len(sealed) == 0 {
		return tollgate.Secret{}, nil
	}
	plain, err := im.Accounts.Sealer.Open(at, sealed)
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "a secret of %s %d does not open", at.Table, at.Row)
	}
	return tollgate.NewSecret(string(plain)), nil
}

// PBKDF2 is auth.PBKDF2, for readers of other products' accounts.
func PBKDF2(iterations int, salt, hash []byte) (tollgate.Secret, error) {
	return auth.PBKDF2(iterations, salt, hash)
}
