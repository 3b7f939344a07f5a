package auth

import (
	"context"

	"tollgate"
)

// MakeSuperAdmin is the way back when the super admin is gone for good (SECURITY
// B-03): the operator at the host gives the role to an account, which is enabled
// and made an admin where it is not, and takes it from its holder, who stays an
// admin. Nobody else may. One that has no way in is refused, as by HandOver.
func (a *Accounts) MakeSuperAdmin(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	if !who.host {
		return tollgate.Errorf(tollgate.CodeForbidden, "only the operator at the host may do this")
	}
	u, err := tx.Users.Get(ctx, id)
	if err != nil {
		return missing(err, "user", id)
	}
	if u.Role == tollgate.RoleSuperAdmin {
		return tollgate.Errorf(tollgate.CodeConflict, "%s is the super admin already", u.Name)
	}
	if !u.Enabled || u.Role != tollgate.RoleAdmin {
		w := UserWrite{ID: id, Enabled: tollgate.Some(true), IsAdmin: tollgate.Some(true)}
		if _, err := a.SaveUser(ctx, tx, by, w); err != nil {
			return err
		}
	}
	if err := a.HandOver(ctx, tx, by, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "user.break_glass", "user", id, nil, map[string]string{"name": u.Name, "role": "super_admin"})
}

// RemoveFactors removes all second factors of an account whose credentials the
// actor may touch, as RemoveFactor does one, and returns how many there were.
func (a *Accounts) RemoveFactors(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, userID int64) (int, error) {
	h, err := factorsOf(ctx, tx, userID)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, f := range h {
		if f.Kind == tollgate.FactorRecovery {
			continue // those go with the last factor
		}
		if err := a.RemoveFactor(ctx, tx, by, f.ID); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}
