package auth

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"tollgate"
)

const (
	maxSessions  = 100 // per user; the oldest give way
	maxUserAgent = 256 // bytes
)

// Sessions signs users in and out. The token a client gets is a JWT that
// names a row; the row decides.
type Sessions struct {
	// Origin is where browsers find this gateway (scheme://host[:port]), for
	// passkeys; nil = there are none. Set before the first sign-in.
	Origin func() string

	store    tollgate.Store
	accounts *Accounts
	keys     Subkeys
	tokens   tokens
	throttle *throttle
	flood    flood
}

// NewSessions returns Sessions that hash, seal and tell the time as accounts do.
func NewSessions(store tollgate.Store, accounts *Accounts, keys Subkeys, limits ThrottleLimits) *Sessions {
	return &Sessions{
		store: store, accounts: accounts, keys: keys, tokens: newTokens(keys, accounts.Now),
		throttle: newThrottle(limits, keys, accounts.Now),
	}
}

// SignIn is where a sign-in comes from.
type SignIn struct {
	IP        netip.Addr
	UserAgent string
	RequestID tollgate.RequestID
	// Proof is the second factor, where it came along with the password.
	Proof Proof
	// Invitation is the token of the invitation that somebody takes up who
	// signs in through a provider; empty = none.
	Invitation tollgate.Secret
}

// LoginResult is a session that was just made.
type LoginResult struct {
	User      tollgate.User
	Session   tollgate.Session
	Token     tollgate.Secret
	ExpiresIn time.Duration
}

// Login signs a user in by password. An unknown user, a wrong password, an
// account without one and a disabled account with a wrong one are the same
// CodeUnauthenticated and take the same time; a disabled account with the
// right one is CodeForbidden. Where an account has a second factor and in
// brings none, the error holds a SecondFactor. Too many failures from an address are
// CodeRateLimited; overload and an unreachable store are CodeUnavailable.
func (s *Sessions) Login(ctx context.Context, name string, password tollgate.Secret, in SignIn) (LoginResult, error) {
	if err := s.throttle.enter(ctx, in.IP, name); err != nil {
		if tollgate.ErrorCode(err) == tollgate.CodeRateLimited {
			s.flood.turnedAway(s.accounts.Now())
		}
		return LoginResult{}, err
	}
	u, err := s.find(ctx, name)
	if err != nil {
		s.throttle.unjudged(in.IP, name)
		return LoginResult{}, unavailable(err)
	}
	ok, rehash, err := s.verify(ctx, u, password)
	switch {
	case err != nil:
		s.throttle.unjudged(in.IP, name)
		return LoginResult{}, err
	case !ok:
		return LoginResult{}, s.refuse(ctx, u, in, "wrong name or password", errLogin())
	}
	if !u.Enabled {
		s.throttle.succeeded(in.IP, name)
		return LoginResult{}, s.refuse(ctx, u, in, "disabled", errDisabled())
	}
	h, err := s.held(ctx, u.ID)
	if err != nil || h.protect() {
		s.throttle.unjudged(in.IP, name) // half a sign-in forgives nothing (SECURITY N-59)
		switch {
		case err != nil:
			return LoginResult{}, unavailable(err)
		case in.Proof.Empty():
			return LoginResult{}, s.need(u, h, ticket{})
		}
		return s.second(ctx, u, ticket{}, in.Proof, in)
	}
	s.throttle.succeeded(in.IP, name)
	var hashed string
	if rehash {
		if hashed, err = s.accounts.Hasher.Hash(ctx, password); err != nil {
			hashed = "" // the old one still serves; the next sign-in tries again
		}
	}
	var result LoginResult
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		result, err = s.admit(ctx, tx, u, hashed, methodPassword, in)
		return err
	})
	return result, unavailable(err)
}

// held reads a user's factors.
func (s *Sessions) held(ctx context.Context, userID int64) (h held, err error) {
	err = s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		h, err = factorsOf(ctx, tx, userID)
		return err
	})
	return h, err
}

// find returns the user of that name; the zero user if there is none.
func (s *Sessions) find(ctx context.Context, name string) (u tollgate.User, err error) {
	err = s.store.View(ctx, func(tx tollgate.Tx) error {
		users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Name: tollgate.Is(name)}, tollgate.Page{Limit: 1})
		if err == nil && len(users) == 1 {
			u = users[0]
		}
		return err
	})
	return u, err
}

// verify compares password with u's; where there is nothing to compare with,
// it takes as long and says no.
func (s *Sessions) verify(ctx context.Context, u tollgate.User, password tollgate.Secret) (ok, rehash bool, err error) {
	if len(u.Password) == 0 || len(password.Reveal()) > MaxPasswordLength {
		return false, false, s.accounts.Hasher.Dummy(ctx, tollgate.Secret{})
	}
	hashed, err := s.accounts.Sealer.Open(passwordLabel(u.ID), u.Password)
	if err != nil {
		return false, false, tollgate.WrapError(tollgate.CodeInternal, err, "internal error")
	}
	return s.accounts.Hasher.Verify(ctx, string(hashed), password)
}

// admit makes the session in tx, if the user is still as they were when the
// password was compared.
func (s *Sessions) admit(ctx context.Context, tx tollgate.Tx, was tollgate.User, hashed, method string, in SignIn) (LoginResult, error) {
	u, err := tx.Users.Get(ctx, was.ID)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound:
		return LoginResult{}, errLogin()
	case err != nil:
		return LoginResult{}, err
	case !bytes.Equal(u.Password, was.Password):
		return LoginResult{}, errLogin()
	case !u.Enabled:
		return LoginResult{}, errDisabled()
	}
	now := s.accounts.Now()
	u.LastLoginAt = now
	if hashed != "" {
		if u.Password, err = s.accounts.sealPassword(u.ID, hashed); err != nil {
			return LoginResult{}, err
		}
	}
	if err := tx.Users.Update(ctx, u); err != nil {
		return LoginResult{}, err
	}
	if err := s.thin(ctx, tx, u.ID); err != nil {
		return LoginResult{}, err
	}
	of, err := s.begin(ctx, tx, u, method)
	if err != nil {
		return LoginResult{}, err
	}
	result, err := s.issue(ctx, tx, u, of, in)
	if err != nil {
		return LoginResult{}, err
	}
	by := tollgate.Actor{
		Principal: tollgate.Principal{Kind: tollgate.PrincipalSession, User: &u, Session: &result.Session},
		Via:       "session", IP: in.IP, RequestID: in.RequestID,
	}
	e := by.Entry(now, "login", "user", u.ID)
	return result, tx.Audit.Append(ctx, &e)
}

// begin returns a session of u that begins now, under the settings as they
// are: an admin who must have a second factor, and has none, may only enrol one.
func (s *Sessions) begin(ctx context.Context, tx tollgate.Tx, u tollgate.User, method string) (tollgate.Session, error) {
	p, err := readPolicy(ctx, tx)
	if err != nil {
		return tollgate.Session{}, err
	}
	h, err := factorsOf(ctx, tx, u.ID)
	now := s.accounts.Now()
	return tollgate.Session{
		Method: method, CreatedAt: now, ExpiresAt: now.Add(p.lifeOf(u.Role)),
		EnrolOnly: p.requireFactor && u.Role.IsAdmin() && !h.protect(),
	}, err
}

// issue inserts a session with a new id, otherwise as of, and signs its token.
// Every token comes from here, so this is where ways of signing in are closed
// (SECURITY S-07): CodeForbidden.
func (s *Sessions) issue(ctx context.Context, tx tollgate.Tx, u tollgate.User, of tollgate.Session, in SignIn) (LoginResult, error) {
	if err := open(ctx, tx, u, of.Method); err != nil {
		return LoginResult{}, err
	}
	var id [sessionIDSize]byte
	if _, err := io.ReadFull(s.accounts.Rand, id[:]); err != nil {
		return LoginResult{}, tollgate.WrapError(tollgate.CodeInternal, err, "make session id")
	}
	digest, now := sha256.Sum256(id[:]), s.accounts.Now()
	row := tollgate.Session{
		UserID: u.ID, Digest: digest[:], Method: of.Method, EnrolOnly: of.EnrolOnly, CreatedAt: of.CreatedAt, SignedInAt: now, LastSeenAt: now,
		ExpiresAt: of.ExpiresAt, UserAgent: clip(in.UserAgent, maxUserAgent),
	}
	if in.IP.IsValid() {
		row.IP = in.IP.String()
	}
	if err := tx.Sessions.Insert(ctx, &row); err != nil {
		return LoginResult{}, err
	}
	token, err := s.tokens.sign(id, row)
	return LoginResult{User: u, Session: row, Token: token, ExpiresIn: row.ExpiresAt.Sub(now)}, err
}

// thin removes a user's expired sessions, and the oldest beyond the bound.
func (s *Sessions) thin(ctx context.Context, tx tollgate.Tx, userID int64) error {
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{UserID: tollgate.Is(userID)}, all())
	if err != nil {
		return err
	}
	slices.SortFunc(rows, func(a, b tollgate.Session) int { return int(a.ID - b.ID) })
	for i, row := range rows {
		if i > len(rows)-maxSessions && s.accounts.Now().Before(row.ExpiresAt) {
			continue
		}
		if err := tx.Sessions.Delete(ctx, row.ID); err != nil {
			return err
		}
	}
	return nil
}

// refuse records a failed sign-in and returns why. The caller is nobody yet,
// so the entry names only whose account it was; what was typed is not kept:
// people type passwords into the wrong field. In a flood of them it is counted.
func (s *Sessions) refuse(ctx context.Context, u tollgate.User, in SignIn, reason string, refusal error) error {
	if !s.flood.list(s.accounts.Now()) {
		return refusal
	}
	e := tollgate.Actor{Via: "session", IP: in.IP, RequestID: in.RequestID}.Entry(s.accounts.Now(), "login.failed", "user", u.ID)
	e.ActorName = "anonymous"
	detail, err := json.Marshal(map[string]string{"reason": reason})
	if err != nil {
		return err
	}
	e.Detail = detail
	if err := s.store.Update(ctx, func(tx tollgate.Tx) error { return tx.Audit.Append(ctx, &e) }); err != nil {
		return unavailable(err)
	}
	return refusal
}

// ChangePassword replaces the password of a session's user, who proves the
// present one. All their sessions end; the result is a new one.
func (s *Sessions) ChangePassword(ctx context.Context, by tollgate.Actor, current, next tollgate.Secret, in SignIn) (LoginResult, error) {
	u, err := s.prove(ctx, by, current, in)
	if err != nil {
		return LoginResult{}, err
	}
	w := UserWrite{ID: u.ID, Name: tollgate.Some(u.Name), Password: tollgate.Some(next)}
	if err := s.accounts.preparePlain(ctx, &w); err != nil {
		return LoginResult{}, err
	}
	var result LoginResult
	err = s.store.Update(ctx, func(tx tollgate.Tx) error {
		if err := s.accounts.SetPassword(ctx, tx, by, w); err != nil {
			return err
		}
		if u, err = tx.Users.Get(ctx, u.ID); err != nil {
			return gone(err)
		}
		of, err := s.begin(ctx, tx, u, by.Principal.Session.Method)
		if err != nil {
			return err
		}
		result, err = s.issue(ctx, tx, u, of, in)
		return err
	})
	return result, unavailable(err)
}

// prove compares password with that of the session's user, throttled as a
// sign-in is.
func (s *Sessions) prove(ctx context.Context, by tollgate.Actor, password tollgate.Secret, in SignIn) (tollgate.User, error) {
	if err := signedIn(by); err != nil {
		return tollgate.User{}, err
	}
	p := by.Principal
	name := p.User.Name
	if err := s.throttle.enter(ctx, in.IP, name); err != nil {
		return tollgate.User{}, err
	}
	var u tollgate.User
	err := s.store.View(ctx, func(tx tollgate.Tx) (err error) {
		u, err = tx.Users.Get(ctx, p.User.ID)
		return err
	})
	if err != nil {
		s.throttle.unjudged(in.IP, name)
		return u, unavailable(gone(err))
	}
	ok, _, err := s.verify(ctx, u, password)
	switch {
	case err != nil:
		s.throttle.unjudged(in.IP, name)
		return u, err
	case !ok:
		return u, s.refuse(ctx, u, in, "wrong password of a signed-in user", errLogin())
	}
	s.throttle.succeeded(in.IP, name)
	return u, nil
}

// signedIn checks that a session acts, not a key.
func signedIn(by tollgate.Actor) error {
	if p := by.Principal; p.Kind != tollgate.PrincipalSession || p.Session == nil || p.User == nil {
		return tollgate.Errorf(tollgate.CodeForbidden, "this needs a signed-in session, not an API key")
	}
	return nil
}

// Logout ends the actor's session.
func (s *Sessions) Logout(ctx context.Context, by tollgate.Actor) error {
	if by.Principal.Kind != tollgate.PrincipalSession || by.Principal.Session == nil {
		return tollgate.Errorf(tollgate.CodeForbidden, "only a session can be ended this way; disable an API key instead")
	}
	return unavailable(s.store.Update(ctx, func(tx tollgate.Tx) error {
		err := tx.Sessions.Delete(ctx, by.Principal.Session.ID)
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
			return nil // ended already
		}
		if err != nil {
			return err
		}
		e := by.Entry(s.accounts.Now(), "logout", "user", by.Principal.UserID())
		return tx.Audit.Append(ctx, &e)
	}))
}

// Prune removes the sessions that have ended by time, what was kept of tokens
// that have, and links that were over a month ago. Call it hourly.
func (s *Sessions) Prune(ctx context.Context) error {
	var ended []int64
	now := s.accounts.Now()
	err := s.store.View(ctx, func(tx tollgate.Tx) error {
		p, err := readPolicy(ctx, tx)
		if err != nil {
			return err
		}
		rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{}, all())
		for _, row := range rows {
			if !now.Before(row.ExpiresAt) || now.Sub(row.LastSeenAt) > p.idle+time.Hour { // an hour: Touch lags
				ended = append(ended, row.ID)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return s.store.Update(ctx, func(tx tollgate.Tx) error {
		if err := tx.Factors.Forget(ctx, now); err != nil {
			return err
		}
		if err := pruneLinks(ctx, tx, now); err != nil {
			return err
		}
		for _, id := range ended {
			if err := tx.Sessions.Delete(ctx, id); err != nil && tollgate.ErrorCode(err) != tollgate.CodeNotFound {
				return err
			}
		}
		return nil
	})
}

// RemoveSession ends one session: the user's own, or for an admin anybody's
// but the super admin's.
func (a *Accounts) RemoveSession(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	s, err := tx.Sessions.Get(ctx, id)
	if err != nil {
		return missing(err, "session", id)
	}
	if err := a.mayEnd(ctx, tx, who, s.UserID, errMissing("session", id)); err != nil {
		return err
	}
	if err := tx.Sessions.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "session.delete", "session", id, map[string]int64{"user_id": s.UserID}, nil)
}

// RemoveSessions ends all sessions of a user, as RemoveSession.
func (a *Accounts) RemoveSessions(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, userID int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	if err := a.mayEnd(ctx, tx, who, userID, errMissing("user", userID)); err != nil {
		return err
	}
	if err := endSessions(ctx, tx, userID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "session.delete_all", "user", userID, nil, nil)
}

func (a *Accounts) mayEnd(ctx context.Context, tx tollgate.Tx, who actor, userID int64, notFound error) error {
	if who.self(userID) {
		return nil
	}
	if !who.role.IsAdmin() {
		return notFound
	}
	u, err := tx.Users.Get(ctx, userID)
	if err != nil {
		return missing(err, "user", userID)
	}
	return who.administers(u)
}

func endSessions(ctx context.Context, tx tollgate.Tx, userID int64) error {
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{UserID: tollgate.Is(userID)}, all())
	if err != nil {
		return err
	}
	for _, row := range rows {
		if err := tx.Sessions.Delete(ctx, row.ID); err != nil {
			return err
		}
	}
	return nil
}

func errLogin() error {
	return tollgate.Errorf(tollgate.CodeUnauthenticated, "invalid username or password")
}

func errDisabled() error { return tollgate.Errorf(tollgate.CodeForbidden, "user is disabled") }

// unavailable gives errors of the store, which have no code of their own, the
// one that says: try again.
func unavailable(err error) error {
	if err == nil || tollgate.ErrorCode(err) != tollgate.CodeInternal {
		return err
	}
	return tollgate.WrapError(tollgate.CodeUnavailable, err, "the sign-in could not be recorded; try again")
}

func clip(s string, n int) string {
	if len(s) > n {
		s = s[:n]
	}
	return strings.ToValidUTF8(s, "")
}
