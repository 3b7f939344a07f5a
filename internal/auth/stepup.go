package auth

import (
	"context"
	"encoding/json"
	"strings"

	"tollgate"
)

// StepUp proves a session's user once more: by password, and by what in brings
// of a second factor when the account has one. The session gets a new id, and
// its old token ends; its absolute limit stays.
func (s *Sessions) StepUp(ctx context.Context, by tollgate.Actor, password tollgate.Secret, in SignIn) (LoginResult, error) {
	u, err := s.prove(ctx, by, password, in)
	if err != nil {
		return LoginResult{}, err
	}
	h, err := s.held(ctx, u.ID)
	switch {
	case err != nil:
		return LoginResult{}, unavailable(err)
	case !h.protect():
		return s.steppedUp(ctx, by, u, ticket{}, Proof{}, in)
	case in.Proof.Code.Empty():
		return LoginResult{}, &tollgate.Error{
			Code: tollgate.CodeForbidden, Message: "this account has a second factor; send its code too, or use a passkey", Reason: "second_factor",
			SecondFactor: &tollgate.SecondFactor{Factors: h.kinds()},
		}
	}
	return s.steppedUp(ctx, by, u, ticket{}, Proof{Code: in.Proof.Code}, in)
}

// BeginStepUp asks a session's user for one of their passkeys.
func (s *Sessions) BeginStepUp(ctx context.Context, by tollgate.Actor) (Asked, error) {
	if err := signedIn(by); err != nil {
		return Asked{}, err
	}
	p := by.Principal
	h, err := s.held(ctx, p.UserID())
	switch {
	case err != nil:
		return Asked{}, unavailable(err)
	case len(h.of(tollgate.FactorPasskey)) == 0:
		return Asked{}, tollgate.Errorf(tollgate.CodeConflict, "this account has no passkey; use the password")
	}
	c, err := s.ask(*p.User, h)
	if err != nil {
		return Asked{}, err
	}
	token, err := s.write(forStepUp, ticket{UserID: p.UserID(), SessionID: p.Session.ID, Ceremony: c.State})
	return Asked{Options: c.Options, Token: token}, err
}

// StepUpPasskey is StepUp by passkey alone: a fresh answer to BeginStepUp of
// the same session (SECURITY N-22).
func (s *Sessions) StepUpPasskey(ctx context.Context, by tollgate.Actor, token tollgate.Secret, answer json.RawMessage, in SignIn) (LoginResult, error) {
	if err := signedIn(by); err != nil {
		return LoginResult{}, err
	}
	p := by.Principal
	t, err := s.read(forStepUp, token)
	if err == nil && (t.UserID != p.UserID() || t.SessionID != p.Session.ID) {
		err = errTicket()
	}
	if err != nil {
		return LoginResult{}, err
	}
	return s.steppedUp(ctx, by, *p.User, t, Proof{Passkey: answer}, in)
}

// steppedUp judges the second factor, where one is shown, and replaces the session.
func (s *Sessions) steppedUp(ctx context.Context, by tollgate.Actor, u tollgate.User, t ticket, p Proof, in SignIn) (result LoginResult, err error) {
	if !p.Empty() {
		if err := s.throttle.enterFactor(ctx, in.IP, u.Name, p.guessed(u)); err != nil {
			return result, err
		}
	}
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		who, err := s.accounts.actor(ctx, tx, by)
		if err != nil {
			return err
		}
		old, err := tx.Sessions.Get(ctx, by.Principal.Session.ID)
		if err != nil {
			return gone(err)
		}
		if len(t.Nonce) > 0 {
			if err := t.spend(ctx, tx); err != nil {
				return err
			}
		}
		if !p.Empty() {
			kind, err := s.useProof(ctx, tx, u, p, t.Ceremony)
			if err != nil {
				return err
			}
			old.Method = with(old.Method, kind)
		}
		if err := tx.Sessions.Delete(ctx, old.ID); err != nil {
			return err
		}
		if result, err = s.issue(ctx, tx, u, old, in); err != nil {
			return err
		}
		return s.accounts.audit(ctx, tx, who, "session.step_up", "user", u.ID, nil, nil)
	})
	if p.Empty() {
		return result, unavailable(err)
	}
	return result, s.judged(ctx, u, p, in, err)
}

// with names a way to sign in with the second factor that was shown last.
func with(method string, kind tollgate.FactorKind) string {
	first, _, _ := strings.Cut(method, "+")
	if first == methodPasskey {
		return first
	}
	return first + "+" + string(kind)
}
