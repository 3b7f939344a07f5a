package auth

import "tollgate"

// KeyDigest returns what Key.Digest holds for a key.
func KeyDigest(keys Subkeys, key tollgate.Secret) []byte {
	digest := keys.MAC(purposeClientKey, []byte(key.Reveal()))
	return digest[:]
}

// RevealPassword opens a user's password hash, for an export with secrets at
// the host; no surface of the server calls it. An account without a password
// gives an empty one.
func (a *Accounts) RevealPassword(u tollgate.User) (tollgate.Secret, error) {
	return a.reveal(passwordLabel(u.ID), u.Password)
}

// RevealKey opens a client key, for an export with secrets at the host; no
// surface of the server calls it. A key that is kept as a digest alone gives
// an empty one.
func (a *Accounts) RevealKey(k tollgate.Key) (tollgate.Secret, error) {
	return a.reveal(KeyLabel(k.ID), k.Sealed)
}

func (a *Accounts) reveal(at tollgate.Label, sealed []byte) (tollgate.Secret, error) {
	if len(sealed) == 0 {
		return tollgate.Secret{}, nil
	}
	plain, err := a.Sealer.Open(at, sealed)
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "a stored secret does not open")
	}
	return tollgate.NewSecret(string(plain)), nil
}
