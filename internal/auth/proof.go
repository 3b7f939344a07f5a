package auth

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"tollgate"
	"tollgate/internal/auth/factor"
)

const (
	purposeRecovery = "recovery-code"
	purposeHandle   = "passkey-user"
)

// Proof is what a user shows of a second factor; one of the two.
type Proof struct {
	// Code is of an authenticator app, or of the list of recovery codes.
	Code tollgate.Secret
	// Passkey is the browser's answer (PublicKeyCredential as JSON).
	Passkey json.RawMessage
}

// Empty reports whether nothing is shown.
func (p Proof) Empty() bool { return p.Code.Empty() && len(p.Passkey) == 0 }

// held are a user's factors.
type held []tollgate.Factor

func factorsOf(ctx context.Context, tx tollgate.Tx, userID int64) (held, error) {
	rows, _, err := tx.Factors.Query(ctx, tollgate.FactorFilter{UserID: tollgate.Is(userID)}, all())
	return rows, err
}

// of returns the factors of a kind that count.
func (h held) of(kind tollgate.FactorKind) (found held) {
	for _, f := range h {
		if f.Kind == kind && f.Confirmed {
			found = append(found, f)
		}
	}
	return found
}

// protect reports whether the account has a second factor. Recovery codes
// stand in for one; they are none.
func (h held) protect() bool {
	return len(h.of(tollgate.FactorTOTP))+len(h.of(tollgate.FactorPasskey)) > 0
}

// kinds lists what the user can show.
func (h held) kinds() (kinds []string) {
	for _, k := range []tollgate.FactorKind{tollgate.FactorTOTP, tollgate.FactorPasskey, tollgate.FactorRecovery} {
		if len(h.of(k)) > 0 {
			kinds = append(kinds, string(k))
		}
	}
	return kinds
}

// party is this gateway as browsers know it: CodeUnsupported where its
// address allows no passkeys.
func (s *Sessions) party() (*factor.Party, error) {
	if s.Origin == nil {
		return nil, tollgate.Errorf(tollgate.CodeUnsupported, "passkeys are not available here")
	}
	p, err := factor.NewParty(s.Origin())
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnsupported, err,
			"passkeys need a gateway whose TOLLGATE_PUBLIC_URL is https with a host name, or one on localhost")
	}
	return p, nil
}

// owner is a user with their passkeys, opened.
func (s *Sessions) owner(u tollgate.User, h held) (factor.Owner, error) {
	handle := s.keys.MAC(purposeHandle, id64(u.ID))
	o := factor.Owner{Handle: handle[:], Name: u.Name}
	for _, f := range h.of(tollgate.FactorPasskey) {
		record, err := s.accounts.Sealer.Open(factorLabel(u.ID, f.Kind), f.Sealed)
		if err != nil {
			return o, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
		}
		o.Passkeys = append(o.Passkeys, factor.Passkey{ID: f.Handle, Record: record, Count: f.Counter})
	}
	return o, nil
}

func id64(id int64) []byte {
	b := make([]byte, 8)
	for i := range b {
		b[i] = byte(id >> (8 * i)) //nolint:gosec // the bytes of a number
	}
	return b
}

// factorLabel binds the seal of a factor to its owner: the row has no id yet
// when it is sealed, and never changes hands.
func factorLabel(userID int64, kind tollgate.FactorKind) tollgate.Label {
	return tollgate.Label{Table: "factors", Column: string(kind), Row: userID}
}

// errFactor is every refusal of a second factor.
func errFactor() error {
	return tollgate.Errorf(tollgate.CodeUnauthenticated, "invalid second factor")
}

// copied is the refusal of a passkey of which there is a copy.
type copied struct{ id int64 }

func (copied) Error() string { return "the passkey's signature count went backwards" }

// useProof checks what u shows in tx and uses it up: a step of TOTP, a recovery
// code, a count of a passkey. CodeUnauthenticated when it proves nothing.
func (s *Sessions) useProof(ctx context.Context, tx tollgate.Tx, u tollgate.User, p Proof, asked json.RawMessage) (tollgate.FactorKind, error) {
	h, err := factorsOf(ctx, tx, u.ID)
	switch {
	case err != nil:
		return "", err
	case !p.Code.Empty() && len(p.Passkey) > 0:
		return "", tollgate.Invalidf("code", "show a code or a passkey, not both")
	case len(p.Passkey) > 0:
		return tollgate.FactorPasskey, s.provePasskey(ctx, tx, u, h, asked, p.Passkey)
	case factor.IsTOTP(p.Code.Reveal()):
		return tollgate.FactorTOTP, s.proveTOTP(ctx, tx, h.of(tollgate.FactorTOTP), p.Code)
	default:
		return tollgate.FactorRecovery, s.proveRecovery(ctx, tx, u, p.Code)
	}
}

func (s *Sessions) proveTOTP(ctx context.Context, tx tollgate.Tx, h held, code tollgate.Secret) error {
	for _, f := range h {
		secret, err := s.accounts.Sealer.Open(factorLabel(f.UserID, f.Kind), f.Sealed)
		if err != nil {
			return tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
		}
		now := s.accounts.Now()
		if step, ok := factor.Step(string(secret), code.Reveal(), now, f.Counter); ok {
			f.Counter, f.LastUsedAt, f.Confirmed = step, now, true
			return tx.Factors.Update(ctx, f)
		}
	}
	return errFactor()
}

// recoveryHandle is what a recovery code is found by.
func (s *Sessions) recoveryHandle(userID int64, code string) []byte {
	mac := s.keys.MAC(purposeRecovery, append(id64(userID), code...))
	return mac[:]
}

func (s *Sessions) proveRecovery(ctx context.Context, tx tollgate.Tx, u tollgate.User, typed tollgate.Secret) error {
	code, ok := factor.NormalRecovery(typed.Reveal())
	if !ok {
		return errFactor()
	}
	f, err := tx.Factors.ByHandle(ctx, tollgate.FactorRecovery, s.recoveryHandle(u.ID, code))
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && f.UserID != u.ID {
		return errFactor()
	}
	if err != nil {
		return err
	}
	return tx.Factors.Delete(ctx, f.ID)
}

func (s *Sessions) provePasskey(ctx context.Context, tx tollgate.Tx, u tollgate.User, h held, asked, answer json.RawMessage) error {
	if len(asked) == 0 {
		return errFactor()
	}
	party, err := s.party()
	if err != nil {
		return err
	}
	o, err := s.owner(u, h)
	if err != nil {
		return err
	}
	p, err := party.Asserted(o, asked, answer)
	i := slices.IndexFunc(h, func(f tollgate.Factor) bool {
		return f.Kind == tollgate.FactorPasskey && string(f.Handle) == string(p.ID)
	})
	switch {
	case errors.Is(err, factor.ErrCopied) && i >= 0:
		return tollgate.WrapError(tollgate.CodeUnauthenticated, copied{h[i].ID}, "invalid second factor")
	case err != nil || i < 0:
		return tollgate.WrapError(tollgate.CodeUnauthenticated, err, "invalid second factor")
	}
	f := h[i]
	if f.Sealed, err = s.accounts.Sealer.Seal(factorLabel(u.ID, f.Kind), p.Record); err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "seal a passkey")
	}
	f.Counter, f.LastUsedAt = p.Count, s.accounts.Now()
	return tx.Factors.Update(ctx, f)
}
