package auth

import (
	"context"

	"tollgate"
)

// SaveProfile changes the name and the e-mail address of the actor's own
// account; absent fields stay, a null address clears it. The caller has checked
// that the sign-in is recent (SECURITY A-10). Reset links end with the address.
func (a *Accounts) SaveProfile(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, name, email tollgate.Opt[string]) error {
	if err := signedIn(by); err != nil {
		return err
	}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	old, err := tx.Users.Get(ctx, who.id)
	if err != nil {
		return gone(err)
	}
	u := old
	u.Name, u.Email = name.Or(u.Name), email.Or(u.Email)
	before, after := viewUser(old, false), viewUser(u, false)
	if before == after {
		return nil
	}
	if err := u.Validate(); err != nil {
		return err
	}
	if err := tx.Users.Update(ctx, u); err != nil {
		return err
	}
	if old.Email != u.Email {
		if err := dropResetLinks(ctx, tx, u.ID); err != nil {
			return err
		}
	}
	return a.audit(ctx, tx, who, "user.profile", "user", u.ID, before, after)
}
