package tollgate

import (
	"context"
	"time"
)

// FactorKind is a way to prove an account beside its password.
type FactorKind string

// The kinds of factors.
const (
	FactorTOTP     FactorKind = "totp"     // a code of an authenticator app (RFC 6238)
	FactorPasskey  FactorKind = "passkey"  // a WebAuthn credential
	FactorRecovery FactorKind = "recovery" // one code of the list for a lost device
)

// Factor is something that a user has. A recovery code is a row that goes
// when it is used.
type Factor struct {
	ID     int64
	UserID int64
	Kind   FactorKind
	Label  string
	// Handle finds the factor: a passkey's credential id, the keyed digest of a
	// recovery code, random bytes for TOTP; unique.
	Handle []byte
	// Sealed is the TOTP secret or the passkey's record; nil for recovery codes.
	Sealed []byte
	// Confirmed is false until the first code was shown; what is not confirmed
	// proves nothing.
	Confirmed bool
	// Counter is the last time step whose code was used (TOTP) or the
	// authenticator's own count of signatures (passkey).
	Counter int64
	// Warned is when a passkey's count went backwards, as that of a copy does;
	// zero = never.
	Warned     time.Time
	CreatedAt  time.Time
	LastUsedAt time.Time // zero = never
}

// FactorFilter selects factors; the zero value selects all.
type FactorFilter struct {
	ID     Match[int64]
	UserID Match[int64]
	Kind   Match[FactorKind]
}

// Factors keeps second factors and passkeys.
type Factors interface {
	Table[Factor, FactorFilter]
	// ByHandle returns the factor of that kind and handle, or CodeNotFound.
	ByHandle(ctx context.Context, kind FactorKind, handle []byte) (Factor, error)
	// Spend notes that the token with that digest was used: CodeConflict when
	// it was before. The note may be forgotten after expires.
	Spend(ctx context.Context, digest []byte, expires time.Time) error
	// Forget removes notes that expired before a time.
	Forget(ctx context.Context, before time.Time) error
}
