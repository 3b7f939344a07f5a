package auth

import (
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/crypto/argon2"

	"tollgate"
)

// Bounds of a password hash that is imported or read back (SECURITY A-03).
const (
	maxMemory  = 128 * 1024 // KiB
	maxPasses  = 10
	maxLanes   = 4
	minSalt    = 8  // bytes
	maxSalt    = 64 // bytes
	minHash    = 16 // bytes
	maxHash    = 64 // bytes
	maxPHCSize = 256
)

// Cost is the price of one Argon2id run.
type Cost struct {
	Memory uint32 // KiB
	Passes uint32
	Lanes  uint8
}

// PolicyCost is the cost of new hashes (CONTRACT 6): 19 MiB, 2 passes, 1 lane.
func PolicyCost() Cost { return Cost{Memory: 19 * 1024, Passes: 2, Lanes: 1} }

// below reports whether a hash of cost c is weaker than policy.
func (c Cost) below(policy Cost) bool {
	return uint64(c.Memory)*uint64(c.Passes) < uint64(policy.Memory)*uint64(policy.Passes)
}

// phc is a parsed hash in PHC string format (of pbkdf2-sha256, see pbkdf2.go):
// $argon2id$v=19$m=19456,t=2,p=1$salt$hash with base64 that is not padded.
type phc struct {
	variant    string // argon2id, argon2i or pbkdf2-sha256
	cost       Cost
	salt, hash []byte
}

func (p phc) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$%s$v=%d$m=%d,t=%d,p=%d$%s$%s", p.variant, argon2.Version, p.cost.Memory, p.cost.Passes, p.cost.Lanes,
		b64.EncodeToString(p.salt), b64.EncodeToString(p.hash))
}

// matches runs the hash over password. It is slow by design.
func (p phc) matches(password tollgate.Secret) bool {
	return subtle.ConstantTimeCompare(p.derive(password), p.hash) == 1
}

func (p phc) derive(secret tollgate.Secret) []byte {
	if p.variant == variantPBKDF2 {
		return p.derivePBKDF2(secret)
	}
	password := normal(secret)
	run := argon2.IDKey
	if p.variant == "argon2i" {
		run = argon2.Key
	}
	return run([]byte(password), p.salt, p.cost.Passes, p.cost.Memory, p.cost.Lanes, uint32(len(p.hash))) //nolint:gosec // at most maxHash
}

// IsPHC reports whether s claims to be a hash rather than a password.
func IsPHC(s string) bool {
	return strings.HasPrefix(s, "$argon2") || strings.HasPrefix(s, "$"+variantPBKDF2+"$")
}

// CheckPHC checks a password hash that shall be kept as it is. Errors are
// CodeInvalid and do not repeat the hash.
func CheckPHC(s string) error {
	_, err := parsePHC(s)
	return err
}

func parsePHC(s string) (phc, error) {
	if len(s) > maxPHCSize {
		return phc{}, badPHC("it is longer than %d bytes", maxPHCSize)
	}
	if strings.HasPrefix(s, "$"+variantPBKDF2+"$") {
		return parsePBKDF2(s)
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" {
		return phc{}, badPHC("it needs the form $argon2id$v=19$m=…,t=…,p=…$salt$hash")
	}
	p := phc{variant: parts[1]}
	if p.variant != "argon2id" && p.variant != "argon2i" {
		return phc{}, badPHC("only argon2id and argon2i are known")
	}
	if parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return phc{}, badPHC("only version %d is known", argon2.Version)
	}
	var err error
	if p.cost, err = parseCost(parts[3]); err != nil {
		return phc{}, err
	}
	if p.salt, err = decodePHC(parts[4], minSalt, maxSalt); err != nil {
		return phc{}, err
	}
	if p.hash, err = decodePHC(parts[5], minHash, maxHash); err != nil {
		return phc{}, err
	}
	return p, nil
}

func parseCost(s string) (Cost, error) {
	fields := strings.Split(s, ",")
	if len(fields) != 3 {
		return Cost{}, badPHC("it needs the parameters m, t and p in this order")
	}
	var n [3]uint32
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(fields[i], name)
		v, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || digits != strconv.FormatUint(v, 10) {
			return Cost{}, badPHC("it needs the parameters m, t and p in this order")
		}
		n[i] = uint32(v)
	}
	m, t, p := n[0], n[1], n[2]
	if p < 1 || p > maxLanes || t < 1 || t > maxPasses || m < 8*p || m > maxMemory {
		return Cost{}, badPHC("its cost is out of bounds: at most %d MiB, t %d, p %d", maxMemory/1024, maxPasses, maxLanes)
	}
	return Cost{Memory: m, Passes: t, Lanes: uint8(p)}, nil
}

func decodePHC(s string, least, most int) ([]byte, error) {
	b, err := base64.RawStdEncoding.Strict().DecodeString(s)
	if err != nil || strings.ContainsAny(s, "\r\n") {
		return nil, badPHC("salt and hash must be base64 without padding")
	}
	if len(b) < least || len(b) > most {
		return nil, badPHC("salt or hash has an unusual length")
	}
	return b, nil
}

func badPHC(format string, args ...any) error {
	return tollgate.Invalidf("password", "the password hash is malformed: "+format, args...)
}
