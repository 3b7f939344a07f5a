package auth

import (
	"context"
	"crypto/subtle"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
)

// MinAccessKeyLength is the least length of [server] access_key, in bytes.
const MinAccessKeyLength = 24

const (
	staleRetry = time.Second // how often a failed read of the store is tried again
	sweepEvery = time.Second // how often live calls are held against the clock
)

// Access is the service-to-service key of the configuration.
type Access struct {
	Key tollgate.Secret // empty = off
	// Permissions bound what it may use; UserID is not read. Empty = everything.
	Permissions []tollgate.Permission
}

// Directory answers who a caller is and what they may use. All methods are
// safe for concurrent use; Authenticate, Allowed, OnSurface and Track take no
// lock of the directory and make no query.
type Directory struct {
	digester *digester
	tokens   tokens
	now      func() time.Time
	log      *slog.Logger
	live     calls
	current  atomic.Pointer[snapshot]

	reloading sync.Mutex
	// pending are the areas that the snapshot lags behind in; guarded by reloading.
	pending tollgate.Area
	store   tollgate.Store // the last one given to Reload; guarded by reloading
}

// NewDirectory returns a directory that lets nobody in until the first
// successful Reload.
func NewDirectory(keys Subkeys, now func() time.Time, log *slog.Logger) *Directory {
	d := &Directory{digester: newDigester(keys), tokens: newTokens(keys, now), now: now, log: log}
	d.current.Store(&snapshot{identity: buildIdentity(nil, nil, nil, nil), sessions: &sessions{}, access: &access{}, policy: defaultPolicy(), stale: true})
	d.pending = tollgate.AreaIdentity | tollgate.AreaSessions
	return d
}

// Reload brings the areas in touched up to date and ends the live calls that
// the change no longer permits; both are done when it returns. When the store
// cannot be read, nobody is let in (CodeUnavailable) until a later Reload, or
// Run, succeeds; the error is returned.
func (d *Directory) Reload(ctx context.Context, store tollgate.Store, touched tollgate.Area) error {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	d.store = store
	return d.reload(ctx, touched)
}

// reload runs under the lock, so that a later read is never replaced by an
// earlier one.
func (d *Directory) reload(ctx context.Context, touched tollgate.Area) error {
	d.pending |= touched & (tollgate.AreaIdentity | tollgate.AreaSessions | tollgate.AreaSettings)
	if d.pending == 0 {
		return nil
	}
	next := *d.current.Load()
	err := d.store.View(ctx, func(tx tollgate.Tx) (err error) {
		if d.pending&tollgate.AreaIdentity != 0 {
			if next.identity, err = readIdentity(ctx, tx); err != nil {
				return err
			}
		}
		if d.pending&tollgate.AreaSessions != 0 {
			if next.sessions, err = readSessions(ctx, tx, next.sessions); err != nil {
				return err
			}
		}
		if d.pending&tollgate.AreaSettings != 0 {
			next.policy, err = readPolicy(ctx, tx)
		}
		return err
	})
	if err != nil {
		old := *d.current.Load()
		old.stale = true
		d.current.Store(&old)
		return tollgate.WrapError(tollgate.CodeUnavailable, err, "the directory of users and keys could not be read; nobody is let in until it is")
	}
	next.stale = false
	d.pending = 0
	d.current.Store(&next)
	d.sweep(&next, true)
	return nil
}

// SetAccess sets the service key, or turns it off; calls that came with
// another one end. A key that is too short, or equal to a user's key as the
// directory knows them, is CodeInvalid and changes nothing.
func (d *Directory) SetAccess(a Access) error {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	next := *d.current.Load()
	next.access = &access{}
	if s := a.Key.Reveal(); s != "" {
		digest, ok := d.digester.digest(s)
		if !ok || len(s) < MinAccessKeyLength {
			return tollgate.Invalidf("access_key", "access_key needs %d to %d visible ASCII characters", MinAccessKeyLength, MaxKeyLength)
		}
		next.access = &access{on: true, digest: digest, key: &tollgate.Key{Digest: digest[:]}, allowed: a.Permissions}
		if len(a.Permissions) == 0 {
			next.access.allowed = []tollgate.Permission{{ModelPattern: "*"}}
		}
		if next.identity.keys[next.access.digest] != nil {
			return tollgate.Invalidf("access_key", "access_key is also the API key of a user; choose another")
		}
	}
	d.current.Store(&next)
	d.sweep(&next, true)
	return nil
}

// IsAccess reports whether digest, as kept in Key.Digest, is that of the service key.
func (d *Directory) IsAccess(digest []byte) bool {
	a := d.current.Load().access
	return a.on && subtle.ConstantTimeCompare(a.digest[:], digest) == 1
}

// Authenticate returns who sent c from ip. An unknown, disabled, expired or
// revoked credential and a disabled user are one and the same CodeUnauthenticated;
// an address that the key does not allow is CodeForbidden; a directory that
// could not be brought up to date is CodeUnavailable.
func (d *Directory) Authenticate(c Credential, ip netip.Addr) (tollgate.Principal, error) {
	snap := d.current.Load()
	if snap.stale {
		return tollgate.Principal{}, errStale()
	}
	if c.Empty() {
		return tollgate.Principal{}, tollgate.Errorf(tollgate.CodeUnauthenticated, "no API key was sent")
	}
	token := c.token.Reveal()
	if c.forms&^FormCookie != 0 {
		if digest, ok := d.digester.digest(token); ok {
			if p, ok, err := snap.byDigest(c.forms, &digest, ip, d.now); ok || err != nil {
				return p, err
			}
		}
	}
	if c.forms&formsOfSession != 0 && looksLikeToken(token) {
		if p, ok := d.bySession(snap, token); ok {
			return p, nil
		}
	}
	return tollgate.Principal{}, errCredential()
}

// byDigest looks a key up: the service key first, then users' keys.
func (s *snapshot) byDigest(forms Form, digest *[32]byte, ip netip.Addr, now func() time.Time) (p tollgate.Principal, ok bool, err error) {
	if forms&formsOfAccess != 0 && s.access.on && subtle.ConstantTimeCompare(s.access.digest[:], digest[:]) == 1 {
		return tollgate.Principal{Kind: tollgate.PrincipalService, Key: s.access.key}, true, nil
	}
	if forms&formsOfKeys == 0 {
		return p, false, nil
	}
	e := s.identity.keys[*digest]
	if e == nil || !e.live(now) {
		return p, false, nil
	}
	ip = ip.Unmap()
	if !e.fromIP(ip) {
		return p, false, tollgate.Errorf(tollgate.CodeForbidden, "this API key may not be used from this address")
	}
	return tollgate.Principal{Kind: tollgate.PrincipalKey, User: &e.owner.user, Key: &e.key, From: ip}, true, nil
}

func (d *Directory) bySession(s *snapshot, token string) (p tollgate.Principal, ok bool) {
	digest, ok := d.tokens.parse(token)
	if !ok {
		return p, false
	}
	e := s.sessions.byDigest[digest]
	now := d.now()
	if e == nil || !e.live(now, s.policy.idle) {
		return p, false
	}
	owner := s.identity.users[e.session.UserID]
	if owner == nil || !owner.user.Enabled || now.Sub(e.session.CreatedAt) >= s.policy.lifeOf(owner.user.Role) {
		return p, false
	}
	e.touch(now)
	return tollgate.Principal{Kind: tollgate.PrincipalSession, User: &owner.user, Session: &e.session}, true
}

// Allowed reports whether p may send model to a provider, as of now: the
// user's permissions, and for a key also its own model globs.
func (d *Directory) Allowed(p tollgate.Principal, providerID int64, model string) bool {
	return d.current.Load().permits(p, providerID, model)
}

// permits judges p against this snapshot, not against the one p came from.
func (s *snapshot) permits(p tollgate.Principal, providerID int64, model string) bool {
	switch p.Kind {
	case tollgate.PrincipalService:
		return s.access.is(p) && covers(s.access.allowed, providerID, model)
	case tollgate.PrincipalKey:
		e := s.key(p)
		return e != nil && e.mayUse(providerID, model)
	case tollgate.PrincipalSession:
		u := s.identity.users[p.UserID()]
		return u != nil && p.Session != nil && !p.Session.EnrolOnly && u.mayUse(providerID, model)
	case tollgate.PrincipalNone, tollgate.PrincipalHost:
		return false
	}
	return false
}

// key finds p's key in this snapshot: the same row with the same digest.
func (s *snapshot) key(p tollgate.Principal) *keyEntry {
	if p.Key == nil {
		return nil
	}
	e := s.identity.byID[p.Key.ID]
	if e == nil || string(e.key.Digest) != string(p.Key.Digest) {
		return nil
	}
	return e
}

// FilesAllowed reports whether p may use the file operations of a provider.
func (d *Directory) FilesAllowed(p tollgate.Principal, providerID int64) bool {
	u := d.current.Load().identity.users[p.UserID()]
	if u == nil || p.Kind != tollgate.PrincipalKey && p.Kind != tollgate.PrincipalSession {
		return false
	}
	if p.Key != nil && p.Key.TeamID != 0 {
		return false // teams have none to give
	}
	for _, id := range u.files {
		if id == 0 || id == providerID {
			return true
		}
	}
	return false
}

// OnSurface checks that p may reach a surface: CodeForbidden when their role
// or the key's surfaces exclude it, CodeUnauthenticated for nobody.
func (d *Directory) OnSurface(p tollgate.Principal, surface tollgate.Surface) error {
	return d.current.Load().onSurface(p, surface)
}

func (s *snapshot) onSurface(p tollgate.Principal, surface tollgate.Surface) error {
	switch p.Kind {
	case tollgate.PrincipalHost:
		return nil
	case tollgate.PrincipalService:
		if surface != tollgate.SurfaceLLM {
			return tollgate.Errorf(tollgate.CodeForbidden, "the access key serves model calls only")
		}
		return nil
	case tollgate.PrincipalKey, tollgate.PrincipalSession:
	case tollgate.PrincipalNone:
		return errCredential()
	}
	u := s.identity.users[p.UserID()]
	if u == nil {
		return errCredential()
	}
	if surface == tollgate.SurfaceAdmin && !u.user.Role.IsAdmin() {
		return tollgate.Errorf(tollgate.CodeForbidden, "this needs an administrator")
	}
	if p.Kind == tollgate.PrincipalSession {
		if p.Session == nil || p.Session.EnrolOnly {
			return tollgate.Errorf(tollgate.CodeForbidden, "this account needs a second factor first; enrol one")
		}
		return nil
	}
	e := s.key(p)
	if e == nil {
		return errCredential()
	}
	if !e.reaches(surface) {
		return tollgate.Errorf(tollgate.CodeForbidden, "this API key does not reach the %s surface", surface)
	}
	return nil
}

// Ready returns nil when the directory is up to date, else CodeUnavailable.
func (d *Directory) Ready() error {
	if d.current.Load().stale {
		return errStale()
	}
	return nil
}

// User returns a user of the current snapshot, which must not be changed.
func (d *Directory) User(id int64) (*tollgate.User, bool) {
	e := d.current.Load().identity.users[id]
	if e == nil {
		return nil, false
	}
	return &e.user, true
}

// Run keeps the directory honest until ctx ends: it tries a failed read again
// and ends live calls whose key or session expires.
func (d *Directory) Run(ctx context.Context) {
	tick := time.NewTicker(min(staleRetry, sweepEvery))
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		d.catchUp(ctx)
		d.sweep(d.current.Load(), false)
	}
}

func (d *Directory) catchUp(ctx context.Context) {
	d.reloading.Lock()
	defer d.reloading.Unlock()
	if d.pending == 0 || d.store == nil {
		return
	}
	if err := d.reload(ctx, 0); err != nil && ctx.Err() == nil {
		d.log.ErrorContext(ctx, "directory could not be read", "error", err)
	}
}

func errCredential() error {
	return tollgate.Errorf(tollgate.CodeUnauthenticated, "invalid API key")
}

func errStale() error {
	return &tollgate.Error{
		Code: tollgate.CodeUnavailable, Message: "the gateway cannot check credentials at the moment", RetryAfter: staleRetry,
	}
}
