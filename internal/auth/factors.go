package auth

import (
	"context"
	"encoding/json"
	"io"

	"tollgate"
	"tollgate/internal/auth/factor"
)

// issuer is what authenticator apps show.
const issuer = "Tollgate"

// maxFactors is how many factors of a kind an account may have.
const maxFactors = 10

// Enrolment is a TOTP secret that waits for its first code.
type Enrolment struct {
	ID     int64
	Secret tollgate.Secret // base32
	URI    tollgate.Secret // otpauth://…, for a QR code
}

// Enrolled is the outcome of a new factor: the session that replaces the one
// that enrolled it, and, with the first factor of an account, recovery codes
// that are shown this once.
type Enrolled struct {
	LoginResult
	ID       int64
	Recovery []string
}

// BeginTOTP makes a secret for the actor, in place of one that was never
// confirmed.
func (s *Sessions) BeginTOTP(ctx context.Context, by tollgate.Actor, label string) (e Enrolment, err error) {
	if err := tollgate.ValidLabel("label", label); err != nil {
		return e, err
	}
	secret, err := factor.NewSecret(s.accounts.Rand)
	if err != nil {
		return e, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	f := tollgate.Factor{Kind: tollgate.FactorTOTP, Label: label, CreatedAt: s.accounts.Now(), Handle: make([]byte, sessionIDSize)}
	if _, err := io.ReadFull(s.accounts.Rand, f.Handle); err != nil {
		return e, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	var name string
	err = s.ownFactors(ctx, by, func(tx tollgate.Tx, who actor, h held) error {
		for _, old := range h {
			if old.Kind == tollgate.FactorTOTP && !old.Confirmed {
				if err := tx.Factors.Delete(ctx, old.ID); err != nil {
					return err
				}
			}
		}
		if err := room(h, f.Kind); err != nil {
			return err
		}
		f.UserID, name = who.id, who.by.Principal.User.Name
		if f.Sealed, err = s.accounts.Sealer.Seal(factorLabel(who.id, f.Kind), []byte(secret)); err != nil {
			return tollgate.WrapError(tollgate.CodeInternal, err, "seal a TOTP secret")
		}
		if err := tx.Factors.Insert(ctx, &f); err != nil {
			return err
		}
		return s.accounts.audit(ctx, tx, who, "factor.begin", "factor", f.ID, nil, viewFactor(f))
	})
	return Enrolment{ID: f.ID, Secret: tollgate.NewSecret(secret), URI: tollgate.NewSecret(factor.URI(issuer, name, secret))}, err
}

func room(h held, kind tollgate.FactorKind) error {
	if len(h.of(kind)) >= maxFactors {
		return tollgate.Errorf(tollgate.CodeConflict, "an account has at most %d factors of a kind; remove one first", maxFactors)
	}
	return nil
}

// ownFactors runs fn in a transaction with the factors of the actor, who must
// be signed in.
func (s *Sessions) ownFactors(ctx context.Context, by tollgate.Actor, fn func(tollgate.Tx, actor, held) error) error {
	if err := signedIn(by); err != nil {
		return err
	}
	return unavailable(s.store.Update(ctx, func(tx tollgate.Tx) error {
		who, err := s.accounts.actor(ctx, tx, by)
		if err != nil {
			return err
		}
		h, err := factorsOf(ctx, tx, who.id)
		if err != nil {
			return err
		}
		return fn(tx, who, h)
	}))
}

// ConfirmTOTP puts a secret in force by its first code. A wrong code is
// CodeInvalid and counts as a failed sign-in.
func (s *Sessions) ConfirmTOTP(ctx context.Context, by tollgate.Actor, id int64, code tollgate.Secret, in SignIn) (e Enrolled, err error) {
	if err := signedIn(by); err != nil {
		return e, err
	}
	u := *by.Principal.User
	if err := s.throttle.enterFactor(ctx, in.IP, u.Name, u.ID); err != nil {
		return e, err
	}
	err = s.ownFactors(ctx, by, func(tx tollgate.Tx, who actor, h held) error {
		f, err := tx.Factors.Get(ctx, id)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && (f.UserID != who.id || f.Kind != tollgate.FactorTOTP || f.Confirmed) {
			return errMissing("unconfirmed factor", id)
		}
		if err != nil {
			return err
		}
		if err := s.proveTOTP(ctx, tx, held{f}, code); err != nil {
			return err
		}
		e, err = s.enrolled(ctx, tx, who, h, f, in)
		return err
	})
	if tollgate.ErrorCode(err) == tollgate.CodeUnauthenticated && tollgate.AsError(err).Message == errFactor().Error() {
		return e, tollgate.Invalidf("code", "this is not the code that the app shows now; check the clock of the device")
	}
	if err != nil {
		s.throttle.factorUnjudged(in.IP, u.Name, u.ID)
		return e, err
	}
	s.throttle.factorSucceeded(in.IP, u.Name, u.ID)
	return e, nil
}

// enrolled ends what a new factor ends: every session of the account; the one
// that enrolled it goes on under a new id.
func (s *Sessions) enrolled(ctx context.Context, tx tollgate.Tx, who actor, before held, f tollgate.Factor, in SignIn) (e Enrolled, err error) {
	e.ID = f.ID
	if !before.protect() {
		if e.Recovery, err = s.newRecovery(ctx, tx, who.id, before); err != nil {
			return e, err
		}
	}
	if e.LoginResult, err = s.renew(ctx, tx, who, f.Kind, in); err != nil {
		return e, err
	}
	return e, s.accounts.audit(ctx, tx, who, "factor.add", "factor", f.ID, nil, viewFactor(f))
}

// renew ends all sessions of the actor and goes on with theirs under a new
// id; kind is the factor they have just shown, if any.
func (s *Sessions) renew(ctx context.Context, tx tollgate.Tx, who actor, kind tollgate.FactorKind, in SignIn) (LoginResult, error) {
	old, err := tx.Sessions.Get(ctx, who.by.Principal.Session.ID)
	if err != nil {
		return LoginResult{}, gone(err)
	}
	if err := endSessions(ctx, tx, who.id); err != nil {
		return LoginResult{}, err
	}
	if kind != "" {
		old.Method, old.EnrolOnly = with(old.Method, kind), false
	}
	return s.issue(ctx, tx, *who.by.Principal.User, old, in)
}

func (s *Sessions) newRecovery(ctx context.Context, tx tollgate.Tx, userID int64, h held) ([]string, error) {
	for _, old := range h.of(tollgate.FactorRecovery) {
		if err := tx.Factors.Delete(ctx, old.ID); err != nil {
			return nil, err
		}
	}
	codes, err := factor.NewRecoveryCodes(s.accounts.Rand)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	for _, c := range codes {
		normal, _ := factor.NormalRecovery(c)
		f := tollgate.Factor{
			UserID: userID, Kind: tollgate.FactorRecovery, Confirmed: true, CreatedAt: s.accounts.Now(), Handle: s.recoveryHandle(userID, normal),
		}
		if err := tx.Factors.Insert(ctx, &f); err != nil {
			return nil, err
		}
	}
	return codes, nil
}

// RecoveryCodes replaces the actor's recovery codes, used or not.
func (s *Sessions) RecoveryCodes(ctx context.Context, by tollgate.Actor) (codes []string, err error) {
	err = s.ownFactors(ctx, by, func(tx tollgate.Tx, who actor, h held) error {
		if !h.protect() {
			return tollgate.Errorf(tollgate.CodeConflict, "recovery codes stand in for a second factor; this account has none")
		}
		if codes, err = s.newRecovery(ctx, tx, who.id, h); err != nil {
			return err
		}
		return s.accounts.audit(ctx, tx, who, "factor.recovery_codes", "user", who.id, nil, nil)
	})
	return codes, err
}

// BeginRegister asks the actor's browser for a new passkey.
func (s *Sessions) BeginRegister(ctx context.Context, by tollgate.Actor) (Asked, error) {
	if err := signedIn(by); err != nil {
		return Asked{}, err
	}
	party, err := s.party()
	if err != nil {
		return Asked{}, err
	}
	p := by.Principal
	h, err := s.held(ctx, p.UserID())
	if err == nil {
		err = room(h, tollgate.FactorPasskey)
	}
	if err != nil {
		return Asked{}, unavailable(err)
	}
	o, err := s.owner(*p.User, h)
	if err != nil {
		return Asked{}, err
	}
	c, err := party.Register(o)
	if err != nil {
		return Asked{}, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	token, err := s.write(forRegister, ticket{UserID: p.UserID(), SessionID: p.Session.ID, Ceremony: c.State})
	return Asked{Options: c.Options, Token: token}, err
}

// Register keeps the passkey that the browser made for BeginRegister of the
// same session. What does not hold is CodeInvalid.
func (s *Sessions) Register(ctx context.Context, by tollgate.Actor, token tollgate.Secret, label string, answer json.RawMessage, in SignIn) (e Enrolled, err error) {
	if err := tollgate.ValidLabel("label", label); err != nil {
		return e, err
	}
	if err := signedIn(by); err != nil {
		return e, err
	}
	party, err := s.party()
	if err != nil {
		return e, err
	}
	t, err := s.read(forRegister, token)
	if err != nil || t.UserID != by.Principal.UserID() || t.SessionID != by.Principal.Session.ID {
		return e, errRegistration()
	}
	err = s.ownFactors(ctx, by, func(tx tollgate.Tx, who actor, h held) error {
		if err := t.spend(ctx, tx); err != nil {
			return errRegistration()
		}
		if err := room(h, tollgate.FactorPasskey); err != nil {
			return err
		}
		o, err := s.owner(*who.by.Principal.User, h)
		if err != nil {
			return err
		}
		p, err := party.Registered(o, t.Ceremony, answer)
		if err != nil {
			bad := tollgate.WrapError(tollgate.CodeInvalid, err, "the passkey that the browser made cannot be used")
			bad.Field = "credential"
			return bad
		}
		f := tollgate.Factor{
			UserID: who.id, Kind: tollgate.FactorPasskey, Label: label, Handle: p.ID, Confirmed: true, Counter: p.Count, CreatedAt: s.accounts.Now(),
		}
		if f.Sealed, err = s.accounts.Sealer.Seal(factorLabel(who.id, f.Kind), p.Record); err != nil {
			return tollgate.WrapError(tollgate.CodeInternal, err, "seal a passkey")
		}
		if err := tx.Factors.Insert(ctx, &f); err != nil {
			return err
		}
		e, err = s.enrolled(ctx, tx, who, h, f, in)
		return err
	})
	return e, err
}

func errRegistration() error {
	return tollgate.Errorf(tollgate.CodeConflict, "this registration has ended, was used before or belongs to another sign-in; start again")
}

// RemoveFactor removes a factor of the actor, and with the last one the
// recovery codes. All other sessions end. The last factor of an admin who must
// have one stays (CodeConflict).
func (s *Sessions) RemoveFactor(ctx context.Context, by tollgate.Actor, id int64, in SignIn) (result LoginResult, err error) {
	err = s.ownFactors(ctx, by, func(tx tollgate.Tx, who actor, h held) error {
		f, err := tx.Factors.Get(ctx, id)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound || err == nil && (f.UserID != who.id || f.Kind == tollgate.FactorRecovery) {
			return errMissing("factor", id)
		}
		if err != nil {
			return err
		}
		p, err := readPolicy(ctx, tx)
		if err != nil {
			return err
		}
		left, err := dropFactor(ctx, tx, f, h)
		if err != nil {
			return err
		}
		if p.requireFactor && who.role.IsAdmin() && h.protect() && !left.protect() {
			return tollgate.Errorf(tollgate.CodeConflict, "an administrator needs a second factor here; add another one first")
		}
		if result, err = s.renew(ctx, tx, who, "", in); err != nil {
			return err
		}
		return s.accounts.audit(ctx, tx, who, "factor.delete", "factor", f.ID, viewFactor(f), nil)
	})
	return result, err
}

// dropFactor removes f and returns what is left; recovery codes go with the
// last factor that they stand in for.
func dropFactor(ctx context.Context, tx tollgate.Tx, f tollgate.Factor, h held) (left held, err error) {
	if err := tx.Factors.Delete(ctx, f.ID); err != nil {
		return nil, err
	}
	for _, other := range h {
		if other.ID != f.ID {
			left = append(left, other)
		}
	}
	if left.protect() {
		return left, nil
	}
	for _, code := range left.of(tollgate.FactorRecovery) {
		if err := tx.Factors.Delete(ctx, code.ID); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// RemoveFactor removes a factor of anybody whose credentials the actor may
// touch (CONTRACT 5: an admin's only the super admin); all sessions of that
// account end.
func (a *Accounts) RemoveFactor(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	f, err := tx.Factors.Get(ctx, id)
	if err != nil {
		return missing(err, "factor", id)
	}
	u, err := tx.Users.Get(ctx, f.UserID)
	if err != nil {
		return err
	}
	if err := who.holds(u, errMissing("factor", id)); err != nil {
		return err
	}
	h, err := factorsOf(ctx, tx, u.ID)
	if err != nil {
		return err
	}
	if _, err := dropFactor(ctx, tx, f, h); err != nil {
		return err
	}
	if err := endSessions(ctx, tx, u.ID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "factor.delete", "factor", id, viewFactor(f), nil)
}

// viewFactor is a factor as the audit shows it.
func viewFactor(f tollgate.Factor) map[string]any {
	return map[string]any{"user_id": f.UserID, "kind": f.Kind, "label": f.Label}
}
