package auth

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"tollgate"
)

// Accounts holds the rules for changing identities (CONTRACT 5 and 6). Every
// method that takes a transaction checks who acts as the transaction sees
// them, not as they were when the request was authenticated, makes the change
// and appends its audit entry. Errors are CodeForbidden for what the actor may
// not do, CodeNotFound for what is not there or, to a plain user, is another's;
// CodeInvalid, CodeConflict as the change itself demands.
type Accounts struct {
	Sealer tollgate.Sealer
	Keys   Subkeys
	Hasher *Hasher
	Now    func() time.Time
	Rand   io.Reader
	// Zone is the time zone of quota windows ([ledger] timezone); nil = UTC.
	Zone *time.Location
	// SealKeys keeps the ciphertext of client keys: set when the master key
	// comes from DATABASE_SECRET_KEY (CONTRACT 3).
	SealKeys bool
	// Reserved, if not nil, reports digests that no user's key may have: the
	// service key's.
	Reserved func(digest []byte) bool
	// SignInOfFile, if not nil, reports names that sign-in providers of the
	// configuration file have.
	SignInOfFile func(name string) bool
}

// actor is who makes a change, as the transaction sees them.
type actor struct {
	by   tollgate.Actor
	id   int64 // user id; 0 = the host
	role tollgate.Role
	team int64 // the one that they are an admin of; 0 = none
	host bool
}

// actor reads the acting account anew: it may have been demoted or disabled,
// or its key or session ended, since the request was authenticated.
func (a *Accounts) actor(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) (actor, error) {
	p := by.Principal
	switch p.Kind {
	case tollgate.PrincipalHost:
		return actor{by: by, role: tollgate.RoleSuperAdmin, host: true}, nil
	case tollgate.PrincipalKey, tollgate.PrincipalSession:
	case tollgate.PrincipalNone, tollgate.PrincipalService:
		return actor{}, tollgate.Errorf(tollgate.CodeForbidden, "only users may change accounts")
	}
	if !by.Verified {
		if err := a.credentialStands(ctx, tx, p); err != nil {
			return actor{}, gone(err)
		}
	}
	u, err := tx.Users.Get(ctx, p.UserID())
	if err != nil {
		return actor{}, gone(err)
	}
	if !u.Enabled {
		return actor{}, errCredential()
	}
	if p.Kind == tollgate.PrincipalKey && !u.Role.IsAdmin() {
		return actor{}, errKeyMayNot()
	}
	by.Principal.User = &u
	return actor{by: by, id: u.ID, role: u.Role, team: u.Administers()}, nil
}

// Verified checks an actor once for a transaction of many changes, one of
// which may end the very session that makes them: an admin's own new password.
// Who the actor is and what they may is still read for every change. The
// result is for this transaction only.
func (a *Accounts) Verified(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) (tollgate.Actor, error) {
	if by.Principal.Kind == tollgate.PrincipalHost {
		return by, nil
	}
	_, err := a.actor(ctx, tx, by)
	by.Verified = err == nil
	return by, err
}

func (a *Accounts) credentialStands(ctx context.Context, tx tollgate.Tx, p tollgate.Principal) error {
	if p.Kind == tollgate.PrincipalKey {
		k, err := tx.Keys.Get(ctx, p.KeyID())
		switch {
		case err != nil:
			return err
		case k.UserID != p.UserID() || !k.Enabled || k.Expired(a.Now()):
			return errCredential()
		case !k.Reaches(tollgate.SurfaceAdmin):
			return errKeyMayNot()
		}
		return nil
	}
	if p.Session == nil {
		return errCredential()
	}
	s, err := tx.Sessions.Get(ctx, p.Session.ID)
	if err == nil && (s.UserID != p.UserID() || !a.Now().Before(s.ExpiresAt)) {
		err = errCredential()
	}
	return err
}

// gone turns "not found" about the actor into an ended credential.
func gone(err error) error {
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return errCredential()
	}
	return err
}

func (a actor) self(userID int64) bool { return !a.host && a.id == userID }

// super reports whether the actor may do what only the super admin may.
func (a actor) super() bool { return a.role == tollgate.RoleSuperAdmin }

// administers checks that the actor is an administrator of owner's account:
// of everybody's but the super admin's, unless it is their own.
func (a actor) administers(owner tollgate.User) error {
	switch {
	case !a.role.IsAdmin():
		return errNotAdmin()
	case owner.Role == tollgate.RoleSuperAdmin && !a.super():
		return tollgate.Errorf(tollgate.CodeForbidden, "only the super admin may change the super admin's account")
	}
	return nil
}

// holds checks that the actor may touch owner's credentials: their own, a
// plain user's for an admin, anybody's for the super admin. To a plain user
// another's record does not exist: notFound is returned.
func (a actor) holds(owner tollgate.User, notFound error) error {
	switch {
	case a.self(owner.ID) || a.super():
		return nil
	case !a.role.IsAdmin():
		return notFound
	case owner.Role.IsAdmin():
		return tollgate.Errorf(tollgate.CodeForbidden, "only the super admin may change the credentials of another administrator")
	}
	return nil
}

// RequireSuperAdmin checks, in the transaction of the change, that by is the
// super admin or the host.
func (a *Accounts) RequireSuperAdmin(ctx context.Context, tx tollgate.Tx, by tollgate.Actor) error {
	who, err := a.actor(ctx, tx, by)
	if err == nil && !who.super() {
		err = tollgate.Errorf(tollgate.CodeForbidden, "this needs the super admin")
	}
	return err
}

func errKeyMayNot() error {
	return tollgate.Errorf(tollgate.CodeForbidden, "this API key may not change accounts")
}

func errNotAdmin() error {
	return tollgate.Errorf(tollgate.CodeForbidden, "this needs an administrator")
}

// missing names the record in a "not found" of the store and leaves other errors alone.
func missing(err error, what string, id int64) error {
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return errMissing(what, id)
	}
	return err
}

func errMissing(what string, id int64) error {
	return tollgate.Errorf(tollgate.CodeNotFound, "there is no %s with id %d", what, id)
}

// audit appends the entry of a change. Before and after are views without
// secrets; nil is left out.
func (a *Accounts) audit(ctx context.Context, tx tollgate.Tx, who actor, action, target string, id int64, before, after any) error {
	e := who.by.Entry(a.Now(), action, target, id)
	detail, err := json.Marshal(struct {
		Before any `json:"before,omitempty"`
		After  any `json:"after,omitempty"`
	}{before, after})
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInternal, err, "write the audit entry")
	}
	e.Detail = detail
	return tx.Audit.Append(ctx, &e)
}

// all is the page of everything.
func all() tollgate.Page { return tollgate.Page{All: true} }
