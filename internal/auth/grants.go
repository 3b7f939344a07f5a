package auth

import (
	"context"

	"tollgate"
)

// grantee reads the user a grant is for and checks that the actor may change it.
func (a *Accounts) grantee(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, userID int64) (actor, error) {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return who, err
	}
	if !who.role.IsAdmin() {
		return who, errNotAdmin()
	}
	u, err := tx.Users.Get(ctx, userID)
	if err != nil {
		return who, missing(err, "user", userID)
	}
	return who, who.administers(u)
}

// provider checks that the provider of a grant exists; 0 is every provider.
// An unknown one is an error and never "all".
func provider(ctx context.Context, tx tollgate.Tx, id int64) error {
	if id == 0 {
		return nil
	}
	_, err := tx.Providers.Get(ctx, id)
	return missing(err, "provider", id)
}

// SavePermission inserts (ID 0) or changes a permission. Inserting one that
// the user has already returns it; an automatic one becomes the user's own.
func (a *Accounts) SavePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, p tollgate.Permission) (tollgate.Permission, error) {
	who, err := a.grantee(ctx, tx, by, p.UserID)
	if err != nil {
		return p, err
	}
	if err := provider(ctx, tx, p.ProviderID); err != nil {
		return p, err
	}
	if err := tollgate.ValidPattern("model_pattern", p.ModelPattern); err != nil {
		return p, err
	}
	p.Automatic = false
	var before any
	if p.ID != 0 {
		old, err := tx.Permissions.Get(ctx, p.ID)
		if err != nil {
			return p, missing(err, "permission", p.ID)
		}
		if _, err := a.grantee(ctx, tx, by, old.UserID); err != nil {
			return p, err
		}
		before = viewPermission(old)
	} else {
		rows, _, err := tx.Permissions.Query(ctx, tollgate.PermissionFilter{UserID: tollgate.Is(p.UserID)}, all())
		if err != nil {
			return p, err
		}
		for _, old := range rows {
			if old.ProviderID == p.ProviderID && old.ModelPattern == p.ModelPattern {
				if !old.Automatic {
					return old, nil
				}
				p.ID, before = old.ID, viewPermission(old)
			}
		}
	}
	if p.ID == 0 {
		err = tx.Permissions.Insert(ctx, &p)
	} else {
		err = tx.Permissions.Update(ctx, p)
	}
	if err != nil {
		return p, err
	}
	return p, a.audit(ctx, tx, who, "permission.upsert", "permission", p.ID, before, viewPermission(p))
}

// DeletePermission removes a permission.
func (a *Accounts) DeletePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	p, err := tx.Permissions.Get(ctx, id)
	if err != nil {
		return a.refuseFirst(ctx, tx, by, missing(err, "permission", id))
	}
	who, err := a.grantee(ctx, tx, by, p.UserID)
	if err != nil {
		return err
	}
	if err := tx.Permissions.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "permission.delete", "permission", id, viewPermission(p), nil)
}

// refuseFirst returns err to an admin, and to others that they are none: what
// exists is not theirs to find out.
func (a *Accounts) refuseFirst(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, err error) error {
	who, failed := a.actor(ctx, tx, by)
	switch {
	case failed != nil:
		return failed
	case !who.role.IsAdmin():
		return errNotAdmin()
	}
	return err
}

// SaveFilePermission inserts (ID 0) or changes a file permission. Inserting
// one that the user has already returns it.
func (a *Accounts) SaveFilePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, p tollgate.FilePermission) (tollgate.FilePermission, error) {
	who, err := a.grantee(ctx, tx, by, p.UserID)
	if err != nil {
		return p, err
	}
	if err := provider(ctx, tx, p.ProviderID); err != nil {
		return p, err
	}
	var before any
	if p.ID == 0 {
		rows, _, err := tx.FilePermissions.Query(ctx, tollgate.PermissionFilter{UserID: tollgate.Is(p.UserID)}, all())
		if err != nil {
			return p, err
		}
		for _, old := range rows {
			if old.ProviderID == p.ProviderID {
				return old, nil
			}
		}
		err = tx.FilePermissions.Insert(ctx, &p)
		if err != nil {
			return p, err
		}
	} else {
		old, err := tx.FilePermissions.Get(ctx, p.ID)
		if err != nil {
			return p, missing(err, "file permission", p.ID)
		}
		if _, err := a.grantee(ctx, tx, by, old.UserID); err != nil {
			return p, err
		}
		before = viewFilePermission(old)
		if err := tx.FilePermissions.Update(ctx, p); err != nil {
			return p, err
		}
	}
	return p, a.audit(ctx, tx, who, "file_permission.upsert", "file_permission", p.ID, before, viewFilePermission(p))
}

// DeleteFilePermission removes a file permission.
func (a *Accounts) DeleteFilePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	p, err := tx.FilePermissions.Get(ctx, id)
	if err != nil {
		return a.refuseFirst(ctx, tx, by, missing(err, "file permission", id))
	}
	who, err := a.grantee(ctx, tx, by, p.UserID)
	if err != nil {
		return err
	}
	if err := tx.FilePermissions.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "file_permission.delete", "file_permission", id, viewFilePermission(p), nil)
}

// permissionView is a permission as the audit shows it.
type permissionView struct {
	ID           int64  `json:"id"`
	UserID       int64  `json:"user_id"`
	ProviderID   *int64 `json:"provider_id"` // null = every provider
	ModelPattern string `json:"model_pattern,omitempty"`
	Automatic    bool   `json:"automatic,omitempty"`
}

func viewPermission(p tollgate.Permission) permissionView {
	return permissionView{
		ID: p.ID, UserID: p.UserID, ProviderID: orNull(p.ProviderID), ModelPattern: p.ModelPattern, Automatic: p.Automatic,
	}
}

func viewFilePermission(p tollgate.FilePermission) permissionView {
	return permissionView{ID: p.ID, UserID: p.UserID, ProviderID: orNull(p.ProviderID)}
}

func orNull(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}
