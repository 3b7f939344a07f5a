package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"tollgate"
)

const (
	purposeSession = "session-jwt"
	sessionIDSize  = 16 // bytes
)

// tokens makes and reads session tokens: JWTs that carry a random session id
// and nothing that decides anything; the session's row does.
type tokens struct {
	key    func() []byte // not a field: fmt would print it
	parser *jwt.Parser
}

func newTokens(keys Subkeys, now func() time.Time) tokens {
	key := keys.Subkey(purposeSession)
	return tokens{
		key: func() []byte { return key },
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}), jwt.WithTimeFunc(now),
			jwt.WithExpirationRequired(), jwt.WithStrictDecoding(),
		),
	}
}

// sign returns the token of a session with the given id.
func (t tokens) sign(id [sessionIDSize]byte, s tollgate.Session) (tollgate.Secret, error) {
	signed, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		ID:       base64.RawURLEncoding.EncodeToString(id[:]),
		Subject:  strconv.FormatInt(s.UserID, 10),
		IssuedAt: jwt.NewNumericDate(s.CreatedAt), ExpiresAt: jwt.NewNumericDate(s.ExpiresAt),
	}).SignedString(t.key())
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "sign session token")
	}
	return tollgate.NewSecret(signed), nil
}

// parse checks a token and returns the digest of the session id inside.
func (t tokens) parse(token string) (digest [sha256.Size]byte, ok bool) {
	var claims jwt.RegisteredClaims
	if _, err := t.parser.ParseWithClaims(token, &claims, func(*jwt.Token) (any, error) { return t.key(), nil }); err != nil {
		return digest, false
	}
	id, err := base64.RawURLEncoding.Strict().DecodeString(claims.ID)
	if err != nil || len(id) != sessionIDSize {
		return digest, false
	}
	return sha256.Sum256(id), true
}

// looksLikeToken reports whether s has the outline of a session token: three
// parts between dots, at most 4 KiB.
func looksLikeToken(s string) bool {
	return len(s) <= maxToken && strings.Count(s, ".") == 2 && !strings.HasPrefix(s, KeyPrefix)
}
