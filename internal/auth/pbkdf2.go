package auth

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"tollgate"
)

// variantPBKDF2 is a form of passwords that come from elsewhere. One is
// compared with as it is, and replaced by Argon2id when its owner signs in.
const variantPBKDF2 = "pbkdf2-sha256"

// Bounds of such a hash: below, it protects nobody; above, a file could make
// every sign-in take seconds (SECURITY A-03).
const (
	minIterations = 10_000
	maxIterations = 1_000_000
)

// PBKDF2 returns the PHC string of a PBKDF2-HMAC-SHA-256 hash that was made
// elsewhere: $pbkdf2-sha256$i=100000$salt$hash. Errors are those of CheckPHC.
func PBKDF2(iterations int, salt, hash []byte) (tollgate.Secret, error) {
	b64 := base64.RawStdEncoding
	s := fmt.Sprintf("$%s$i=%d$%s$%s", variantPBKDF2, iterations, b64.EncodeToString(salt), b64.EncodeToString(hash))
	return tollgate.NewSecret(s), CheckPHC(s)
}

func parsePBKDF2(s string) (phc, error) {
	parts := strings.Split(s, "$")
	if len(parts) != 5 {
		return phc{}, badPHC("it needs the form $pbkdf2-sha256$i=…$salt$hash")
	}
	digits, ok := strings.CutPrefix(parts[2], "i=")
	n, err := strconv.ParseUint(digits, 10, 32)
	if !ok || err != nil || digits != strconv.FormatUint(n, 10) {
		return phc{}, badPHC("it needs the parameter i")
	}
	if n < minIterations || n > maxIterations {
		return phc{}, badPHC("its cost is out of bounds: %d to %d iterations", minIterations, maxIterations)
	}
	p := phc{variant: variantPBKDF2, cost: Cost{Passes: uint32(n)}}
	if p.salt, err = decodePHC(parts[3], minSalt, maxSalt); err != nil {
		return phc{}, err
	}
	if p.hash, err = decodePHC(parts[4], sha256.Size, sha256.Size); err != nil {
		return phc{}, err
	}
	return p, nil
}

// derivePBKDF2 takes the password byte for byte, as the product did that made
// the hash. It is slow by design.
func (p phc) derivePBKDF2(password tollgate.Secret) []byte {
	key, err := pbkdf2.Key(sha256.New, password.Reveal(), p.salt, int(p.cost.Passes), sha256.Size)
	if err != nil { // of a salt or length that FIPS forbids: matches nothing
		return nil
	}
	return key
}
