package seed

import (
	"io"

	"tollgate"
)

// newPassword makes a password of 24 characters, 119 bits, from an alphabet
// without look-alikes, in groups that can be read out.
func (im *Importer) newPassword() (tollgate.Secret, error) {
	return GeneratePassword(im.Accounts.Rand)
}

// GeneratePassword makes a password of 24 random characters (119 bits) from
// an alphabet of 31 without look-alikes, in groups of six.
func GeneratePassword(random io.Reader) (tollgate.Secret, error) {
	const alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
	out := make([]byte, 0, 27)
	var b [1]byte
	for n := 0; n < 24; {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "generate a password")
		}
		if b[0] >= 8*31 { // the rest would make the first letters likelier
			continue
		}
		if n > 0 && n%6 == 0 {
			out = append(out, '-')
		}
		out = append(out, alphabet[b[0]%31])
		n++
	}
	return tollgate.NewSecret(string(out)), nil
}
