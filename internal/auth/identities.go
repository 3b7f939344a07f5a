package auth

import (
	"context"
	"strings"

	"tollgate"
)

// methodSSO begins the Session.Method of sign-ins through a provider.
const methodSSO = "sso:"

// Link makes an account at a sign-in provider a way into userID's account
// here: one's own, or by an admin another's, with the rights that changing its
// credentials takes. Nothing else links; an e-mail address never does (SECURITY
// O-05). An account that is linked already is CodeConflict, whoever has it. The
// caller has checked that the sign-in is recent.
func (a *Accounts) Link(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, row tollgate.Identity) (tollgate.Identity, error) {
	who, err := a.credentialHolder(ctx, tx, by, row.UserID, errMissing("user", row.UserID))
	if err != nil {
		return row, err
	}
	if row.Provider == "" || row.Subject == "" || len(row.Subject) > maxSubject {
		return row, tollgate.Invalidf("subject", "an identity needs its provider and the provider's id of the account, at most %d bytes", maxSubject)
	}
	row.CreatedAt = a.Now()
	if err := tx.Identities.Insert(ctx, &row); err != nil {
		if tollgate.ErrorCode(err) == tollgate.CodeConflict {
			return row, tollgate.WrapError(tollgate.CodeConflict, err, "this account of %q is linked already; unlink it where it is linked first", row.Provider)
		}
		return row, err
	}
	return row, a.audit(ctx, tx, who, "identity.link", "user", row.UserID, nil, viewIdentity(row))
}

// maxSubject is the longest subject in bytes (OpenID Connect Core section 2).
const maxSubject = 255

// Unlink takes the identity with that id away and ends every session that came
// through its provider (SECURITY S-04). The last way into an account stays:
// CodeConflict.
func (a *Accounts) Unlink(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	row, err := tx.Identities.Get(ctx, id)
	if err != nil {
		return missing(err, "identity", id)
	}
	who, err := a.credentialHolder(ctx, tx, by, row.UserID, errMissing("identity", id))
	if err != nil {
		return err
	}
	if err := a.keepsWayIn(ctx, tx, row); err != nil {
		return err
	}
	if err := tx.Identities.Delete(ctx, id); err != nil {
		return err
	}
	if err := endSessionsThrough(ctx, tx, row); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "identity.unlink", "user", row.UserID, viewIdentity(row), nil)
}

// credentialHolder is the actor, if they may touch userID's credentials.
func (a *Accounts) credentialHolder(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, userID int64, notFound error) (actor, error) {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return who, err
	}
	owner, err := tx.Users.Get(ctx, userID)
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return who, notFound
	}
	if err != nil {
		return who, err
	}
	return who, who.holds(owner, notFound)
}

// keepsWayIn checks that the owner has a password or another identity.
func (a *Accounts) keepsWayIn(ctx context.Context, tx tollgate.Tx, row tollgate.Identity) error {
	u, err := tx.Users.Get(ctx, row.UserID)
	if err != nil || len(u.Password) > 0 {
		return err
	}
	n, err := tx.Identities.Count(ctx, tollgate.IdentityFilter{UserID: tollgate.Is(row.UserID)})
	if err == nil && n < 2 {
		err = tollgate.Errorf(tollgate.CodeConflict, "this is the only way into the account; set a password or link another sign-in first")
	}
	return err
}

// endSessionsThrough ends what a user signed in through row's provider. Of
// several accounts there, any may have been the one: all such sessions end.
func endSessionsThrough(ctx context.Context, tx tollgate.Tx, row tollgate.Identity) error {
	rows, _, err := tx.Sessions.Query(ctx, tollgate.SessionFilter{UserID: tollgate.Is(row.UserID)}, all())
	if err != nil {
		return err
	}
	for _, s := range rows {
		if !cameThrough(s, row.Provider) {
			continue
		}
		if err := tx.Sessions.Delete(ctx, s.ID); err != nil {
			return err
		}
	}
	return nil
}

// cameThrough reports whether a session came through a provider, with or
// without a second factor of ours.
func cameThrough(s tollgate.Session, provider string) bool {
	first, _, _ := strings.Cut(s.Method, "+")
	return first == methodSSO+provider
}

// viewIdentity is what the audit says of an identity.
func viewIdentity(row tollgate.Identity) map[string]string {
	return map[string]string{"provider": row.Provider, "subject": row.Subject}
}
