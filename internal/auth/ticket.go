package auth

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"time"

	"tollgate"
)

// ticketLife is how long a sign-in, or what a browser is asked, may take.
const ticketLife = 5 * time.Minute

const maxTicket = 8 << 10 // bytes

// purpose is what a ticket is for; a ticket of one is worth nothing as another
// (SECURITY S-08).
type purpose string

const (
	forLogin    purpose = "login"    // the password was right, the second factor is missing
	forPasskey  purpose = "passkey"  // a sign-in by passkey has begun
	forRegister purpose = "register" // a passkey is being registered
	forStepUp   purpose = "step_up"  // a signed-in user is asked for a passkey
)

// ticket is the state of something half done. The client holds it, sealed; it
// is good once and for ticketLife.
type ticket struct {
	UserID int64 `json:"u,omitempty"`
	// SessionID binds what a signed-in user began to the session that did.
	SessionID int64 `json:"s,omitempty"`
	// Password is the digest of the account's sealed password: a change of it
	// ends the sign-in.
	Password []byte `json:"p,omitempty"`
	// Method is the way the first factor was shown; empty = by password.
	Method string `json:"m,omitempty"`
	// IdentityID and ProviderID are of a sign-in through a provider: whose word
	// it was, and the provider's row; 0 = not there.
	IdentityID int64 `json:"i,omitempty"`
	ProviderID int64 `json:"r,omitempty"`
	// Ceremony is what a browser was asked; nil when there is no passkey.
	Ceremony json.RawMessage `json:"c,omitempty"`
	Nonce    []byte          `json:"n"`
	Expires  time.Time       `json:"e"`
}

// ticketLabel makes seals of one purpose useless for another.
func ticketLabel(p purpose) tollgate.Label {
	return tollgate.Label{Table: "ticket", Column: string(p)}
}

// write seals a new ticket; one made of another ends when that does.
func (s *Sessions) write(p purpose, t ticket) (tollgate.Secret, error) {
	if t.Nonce = make([]byte, sessionIDSize); t.Expires.IsZero() {
		t.Expires = s.accounts.Now().Add(ticketLife)
	}
	if _, err := io.ReadFull(s.accounts.Rand, t.Nonce); err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "make a ticket")
	}
	plain, err := json.Marshal(t) //nolint:gosec // it is sealed before it goes anywhere
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "make a ticket")
	}
	sealed, err := s.accounts.Sealer.Seal(ticketLabel(p), plain)
	if err != nil {
		return tollgate.Secret{}, tollgate.WrapError(tollgate.CodeInternal, err, "seal a ticket")
	}
	return tollgate.NewSecret(base64.RawURLEncoding.EncodeToString(sealed)), nil
}

// read opens a ticket: CodeUnauthenticated unless it is one of that purpose
// and in time.
func (s *Sessions) read(p purpose, text tollgate.Secret) (t ticket, err error) {
	if len(text.Reveal()) > maxTicket {
		return t, errTicket()
	}
	sealed, err := base64.RawURLEncoding.DecodeString(text.Reveal())
	if err != nil {
		return t, errTicket()
	}
	plain, err := s.accounts.Sealer.Open(ticketLabel(p), sealed)
	if err != nil || json.Unmarshal(plain, &t) != nil || !s.accounts.Now().Before(t.Expires) {
		return t, errTicket()
	}
	return t, nil
}

// spend uses a ticket up: CodeUnauthenticated when it was before.
func (t ticket) spend(ctx context.Context, tx tollgate.Tx) error {
	digest := sha256.Sum256(t.Nonce)
	err := tx.Factors.Spend(ctx, digest[:], t.Expires)
	if tollgate.ErrorCode(err) == tollgate.CodeConflict {
		return errTicket()
	}
	return err
}

func errTicket() error {
	return tollgate.Errorf(tollgate.CodeUnauthenticated, "this sign-in has ended or was used before; start again")
}
