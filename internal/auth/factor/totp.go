// Package factor knows the second factors themselves: codes of authenticator
// apps (RFC 6238), recovery codes and WebAuthn credentials. It keeps nothing;
// package auth decides who may use what and when.
package factor

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/pquerna/otp/hotp"
)

// What every authenticator app understands: SHA-1, six digits, half a minute.
const (
	totpStep   = 30 * time.Second
	totpDigits = 6
	totpSecret = 20 // bytes (RFC 4226 section 4)
)

// NewSecret returns a TOTP secret in base32, as apps take it.
func NewSecret(random io.Reader) (string, error) {
	raw := make([]byte, totpSecret)
	if _, err := io.ReadFull(random, raw); err != nil {
		return "", fmt.Errorf("make a secret: %w", err)
	}
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw), nil
}

// URI returns the otpauth address of a secret, which apps read as a QR code.
func URI(issuer, account, secret string) string {
	q := url.Values{"secret": {secret}, "issuer": {issuer}, "algorithm": {"SHA1"}, "digits": {"6"}, "period": {"30"}}
	return "otpauth://totp/" + url.PathEscape(issuer+":"+account) + "?" + q.Encode()
}

// IsTOTP reports whether code has the form of a TOTP code.
func IsTOTP(code string) bool {
	if len(code) != totpDigits {
		return false
	}
	for _, c := range code {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// Step returns the time step whose code was shown: the present one or one
// beside it, and later than last, so that no code is good twice (SECURITY
//
func Step(secret, code string, now time.Time, last int64) (step int64, ok bool) {
	at := now.Unix() / int64(totpStep/time.Second)
	for s := at - 1; s <= at+1; s++ {
		want, err := hotp.GenerateCode(secret, uint64(s)) //nolint:gosec // steps since 1970 are not negative
		if err != nil {
			return 0, false
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && s > last {
			step, ok = s, true
		}
	}
	return step, ok
}
