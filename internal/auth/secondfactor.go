package auth

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"

	"tollgate"
	"tollgate/internal/auth/factor"
)

// methodPassword and methodPasskey are the ways to sign in that are ours.
const (
	methodPassword = "password"
	methodPasskey  = "passkey"
)

// need answers a sign-in whose first factor, noted in t, was right and whose
// second factor is missing.
func (s *Sessions) need(u tollgate.User, h held, t ticket) error {
	t.UserID, t.Password = u.ID, passwordDigest(u)
	need := &tollgate.SecondFactor{Factors: h.kinds()}
	if len(h.of(tollgate.FactorPasskey)) > 0 {
		c, err := s.ask(u, h)
		if err != nil && tollgate.ErrorCode(err) != tollgate.CodeUnsupported {
			return err
		}
		t.Ceremony, need.Options = c.State, c.Options // none where the address allows no passkeys
	}
	var err error
	if need.LoginToken, err = s.write(forLogin, t); err != nil {
		return err
	}
	return &tollgate.Error{Code: tollgate.CodeUnauthenticated, Message: "second factor required", Reason: "second_factor", SecondFactor: need}
}

func (s *Sessions) ask(u tollgate.User, h held) (factor.Ceremony, error) {
	party, err := s.party()
	if err != nil {
		return factor.Ceremony{}, err
	}
	o, err := s.owner(u, h)
	if err != nil {
		return factor.Ceremony{}, err
	}
	c, err := party.Ask(o)
	if err != nil {
		return c, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	return c, nil
}

func passwordDigest(u tollgate.User) []byte {
	d := sha256.Sum256(u.Password)
	return d[:]
}

// LoginSecondFactor ends a sign-in that Login left for want of a second
// factor. A token that is not one of Login's, was used or is too old, and a
// proof that proves nothing, are CodeUnauthenticated; too many of them
// CodeRateLimited.
func (s *Sessions) LoginSecondFactor(ctx context.Context, token tollgate.Secret, p Proof, in SignIn) (LoginResult, error) {
	t, err := s.read(forLogin, token)
	if err != nil {
		return LoginResult{}, err
	}
	u, err := s.user(ctx, t.UserID)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound, err == nil && !bytes.Equal(t.Password, passwordDigest(u)):
		return LoginResult{}, errTicket()
	case err != nil:
		return LoginResult{}, unavailable(err)
	case !u.Enabled:
		return LoginResult{}, errDisabled()
	}
	return s.second(ctx, u, t, p, in)
}

// second judges the second factor of a sign-in and, if it holds, makes the
// session. The nonce of t is used up with it.
func (s *Sessions) second(ctx context.Context, u tollgate.User, t ticket, p Proof, in SignIn) (result LoginResult, err error) {
	if err := s.throttle.enterFactor(ctx, in.IP, u.Name, p.guessed(u)); err != nil {
		return result, err
	}
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		if len(t.Nonce) > 0 {
			if err := t.spend(ctx, tx); err != nil {
				return err
			}
		}
		kind, err := s.useProof(ctx, tx, u, p, t.Ceremony)
		if err != nil {
			return err
		}
		if err := t.vouchedStill(ctx, tx); err != nil {
			return err
		}
		result, err = s.admit(ctx, tx, u, "", cmp.Or(t.Method, methodPassword)+"+"+string(kind), in)
		return err
	})
	return result, s.judged(ctx, u, p, in, err)
}

// guessed is the user whose codes p may guess, 0 if it is none: a passkey
// cannot be guessed.
func (p Proof) guessed(u tollgate.User) int64 {
	if p.Code.Empty() {
		return 0
	}
	return u.ID
}

// judged tells the throttle, and the audit, what became of a second factor.
func (s *Sessions) judged(ctx context.Context, u tollgate.User, p Proof, in SignIn, err error) error {
	switch {
	case err == nil:
		s.throttle.factorSucceeded(in.IP, u.Name, u.ID)
		return nil
	case tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated:
		s.throttle.factorUnjudged(in.IP, u.Name, p.guessed(u))
		return unavailable(err)
	}
	reason := "wrong second factor"
	if c, ok := errors.AsType[copied](err); ok {
		reason = "copied passkey"
		if err := s.warn(ctx, c.id); err != nil {
			return unavailable(err)
		}
	}
	return s.refuse(ctx, u, in, reason, err)
}

// warn marks a passkey of which there is a copy.
func (s *Sessions) warn(ctx context.Context, id int64) error {
	return s.store.Update(ctx, func(tx tollgate.Tx) error {
		f, err := tx.Factors.Get(ctx, id)
		if err != nil {
			return err
		}
		f.Warned = s.accounts.Now()
		return tx.Factors.Update(ctx, f)
	})
}

func (s *Sessions) user(ctx context.Context, id int64) (u tollgate.User, err error) {
	err = s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		u, err = tx.Users.Get(ctx, id)
		return err
	})
	return u, err
}

// Asked is what a browser is to be asked, and the token that comes back with
// its answer.
type Asked struct {
	Options json.RawMessage
	Token   tollgate.Secret
}

// BeginPasskey begins a sign-in by passkey alone.
func (s *Sessions) BeginPasskey() (Asked, error) {
	party, err := s.party()
	if err != nil {
		return Asked{}, err
	}
	c, err := party.AskAnyone()
	if err != nil {
		return Asked{}, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	token, err := s.write(forPasskey, ticket{Ceremony: c.State})
	return Asked{Options: c.Options, Token: token}, err
}

// LoginPasskey signs in by passkey alone; the authenticator has verified its
// user. Everything that does not hold is the same CodeUnauthenticated; a
// disabled account with a good passkey is CodeForbidden.
func (s *Sessions) LoginPasskey(ctx context.Context, token tollgate.Secret, answer json.RawMessage, in SignIn) (LoginResult, error) {
	t, err := s.read(forPasskey, token)
	if err != nil {
		return LoginResult{}, err
	}
	id, err := factor.CredentialID(answer)
	if err != nil {
		return LoginResult{}, tollgate.WrapError(tollgate.CodeUnauthenticated, err, "invalid passkey")
	}
	u, err := s.passkeyUser(ctx, id)
	if err != nil {
		return LoginResult{}, unavailable(err)
	}
	p := Proof{Passkey: answer}
	if err := s.throttle.enterFactor(ctx, in.IP, u.Name, p.guessed(u)); err != nil {
		return LoginResult{}, err
	}
	var result LoginResult
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		if err := t.spend(ctx, tx); err != nil {
			return err
		}
		if u.ID == 0 {
			return errFactor()
		}
		if _, err := s.useProof(ctx, tx, u, p, t.Ceremony); err != nil {
			return err
		}
		result, err = s.admit(ctx, tx, u, "", methodPasskey, in)
		return err
	})
	return result, s.judged(ctx, u, p, in, err)
}

// passkeyUser finds whose passkey an id names; the zero user if nobody's.
func (s *Sessions) passkeyUser(ctx context.Context, id []byte) (u tollgate.User, err error) {
	err = s.store.View(ctx, func(tx tollgate.Tx) error {
		f, err := tx.Factors.ByHandle(ctx, tollgate.FactorPasskey, id)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
			return nil
		}
		if err == nil {
			u, err = tx.Users.Get(ctx, f.UserID)
		}
		return err
	})
	return u, err
}
