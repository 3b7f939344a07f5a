package auth

import (
	"context"

	"tollgate"
)

// UserWrite is a new user (ID 0) or a change of one. Absent fields of a
// change stay as they are; null clears.
type UserWrite struct {
	ID    int64
	Name  tollgate.Opt[string]
	Email tollgate.Opt[string]
	// Password is plain text or an Argon2 PHC string; "" keeps the old one and
	// null removes it. It takes effect through Prepare.
	Password tollgate.Opt[tollgate.Secret]
	Enabled  tollgate.Opt[bool] // new: true
	// IsAdmin chooses between user and admin; true leaves the super admin as they are.
	IsAdmin  tollgate.Opt[bool] // new: false
	TeamID   tollgate.Opt[int64]
	TeamRole tollgate.Opt[string] // member or admin
	// SuperAdmin makes the account the super admin: for the host, while there is none.
	SuperAdmin bool
	// ShortPassword lifts the rules for plain-text passwords: imports only warn.
	ShortPassword bool

	hashed *string // by Prepare; a pointer, which fmt does not follow
}

// changesPassword reports whether the write sets or removes a password.
func (w UserWrite) changesPassword() bool {
	return w.Password.Set && (w.Password.Null || !w.Password.Value.Empty())
}

// Prepare hashes the password of w, if it has one; it takes its time and so
// runs before the transaction. Errors are CodeInvalid for a password or PHC
// string that is refused, CodeUnavailable under overload.
func (a *Accounts) Prepare(ctx context.Context, w *UserWrite) error {
	password, ok := w.Password.Given()
	if !ok || password.Empty() {
		return nil
	}
	hashed := password.Reveal()
	if IsPHC(hashed) {
		w.hashed = &hashed
		return CheckPHC(hashed)
	}
	err := CheckPassword("password", password, w.Name.Or(""))
	if w.ShortPassword {
		err = checkPasswordSize("password", password.Reveal())
	}
	if err != nil {
		return err
	}
	if hashed, err = a.Hasher.Hash(ctx, password); err != nil {
		return err
	}
	w.hashed = &hashed
	return nil
}

// SaveUser inserts or changes a user.
func (a *Accounts) SaveUser(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w UserWrite) (tollgate.User, error) {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return tollgate.User{}, err
	}
	if !who.role.IsAdmin() {
		return tollgate.User{}, errNotAdmin()
	}
	if w.changesPassword() && !w.Password.Null && w.hashed == nil {
		return tollgate.User{}, tollgate.Errorf(tollgate.CodeInternal, "a password was not prepared")
	}
	if w.SuperAdmin && !who.host {
		return tollgate.User{}, tollgate.Errorf(tollgate.CodeForbidden, "the super admin's role can only be handed over by its holder")
	}
	if w.ID == 0 {
		return a.register(ctx, tx, who, w, arrival{action: "user.upsert"})
	}
	old, err := tx.Users.Get(ctx, w.ID)
	if err != nil {
		return tollgate.User{}, missing(err, "user", w.ID)
	}
	return a.updateUser(ctx, tx, who, old, w)
}

func (a *Accounts) updateUser(ctx context.Context, tx tollgate.Tx, who actor, old tollgate.User, w UserWrite) (tollgate.User, error) {
	u, err := a.apply(ctx, tx, old, w)
	if err != nil {
		return u, err
	}
	if w.changesPassword() {
		u.Password = nil
		if w.hashed != nil {
			if u.Password, err = a.sealPassword(u.ID, *w.hashed); err != nil {
				return u, err
			}
		}
	}
	before, after := viewUser(old, false), viewUser(u, w.hashed != nil)
	if before == after {
		return old, nil
	}
	if err := mayChange(who, old, u, w.changesPassword()); err != nil {
		return u, err
	}
	if err := tx.Users.Update(ctx, u); err != nil {
		return u, err
	}
	if err := a.settleRole(ctx, tx, old.Role, u); err != nil {
		return u, err
	}
	if err := a.settleTeam(ctx, tx, who, u); err != nil {
		return u, err
	}
	if old.Role != u.Role || !u.Enabled || w.changesPassword() {
		if err := endSessions(ctx, tx, u.ID); err != nil {
			return u, err
		}
	}
	if old.Email != u.Email || w.changesPassword() {
		if err := dropResetLinks(ctx, tx, u.ID); err != nil {
			return u, err
		}
	}
	if w.Password.Null {
		if err := a.keepWayIn(ctx, tx, u.ID); err != nil {
			return u, err
		}
	}
	return u, a.audit(ctx, tx, who, "user.upsert", "user", u.ID, before, after)
}

// apply returns u with the fields of w, the password apart.
func (a *Accounts) apply(ctx context.Context, tx tollgate.Tx, u tollgate.User, w UserWrite) (tollgate.User, error) {
	u.Name, u.Email = w.Name.Or(u.Name), w.Email.Or(u.Email)
	if w.Enabled.Null || w.IsAdmin.Null {
		return u, tollgate.Invalidf("enabled", "enabled and is_admin are true or false")
	}
	u.Enabled = w.Enabled.Or(u.Enabled)
	if err := a.applyRole(ctx, tx, &u, w); err != nil {
		return u, err
	}
	if u.TeamID = w.TeamID.Or(u.TeamID); u.TeamID == 0 {
		u.TeamRole = ""
	} else if u.TeamRole = w.TeamRole.Or(u.TeamRole); u.TeamRole == "" {
		u.TeamRole = tollgate.TeamMember
	}
	if u.TeamRole != "" && u.TeamRole != tollgate.TeamMember && u.TeamRole != tollgate.TeamAdmin {
		return u, tollgate.Invalidf("team_role", "team_role is member or admin")
	}
	if w.TeamID.Set && u.TeamID != 0 {
		if _, err := tx.Teams.Get(ctx, u.TeamID); err != nil {
			return u, missing(err, "team", u.TeamID)
		}
	}
	return u, u.Validate()
}

func (a *Accounts) applyRole(ctx context.Context, tx tollgate.Tx, u *tollgate.User, w UserWrite) error {
	if w.SuperAdmin && u.Role != tollgate.RoleSuperAdmin {
		n, err := tx.Users.Count(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)})
		if err != nil {
			return err
		}
		if n > 0 {
			return errHaveSuperAdmin()
		}
		if err := tx.Meta.Delete(ctx, metaSetup); err != nil { // whoever comes first: nobody comes second
			return err
		}
		u.Role = tollgate.RoleSuperAdmin
	}
	isAdmin, ok := w.IsAdmin.Given()
	if !ok || isAdmin == u.Role.IsAdmin() {
		return nil
	}
	switch {
	case u.Role == tollgate.RoleSuperAdmin:
		return errSuperAdminStays()
	case isAdmin:
		u.Role = tollgate.RoleAdmin
	default:
		u.Role = tollgate.RoleUser
	}
	return nil
}

// mayChange holds the role rules of CONTRACT 5 against a change of old to u.
func mayChange(who actor, old, u tollgate.User, password bool) error {
	if err := who.administers(old); err != nil {
		return err
	}
	state := old.Enabled != u.Enabled || old.Role != u.Role
	switch {
	case state && who.self(old.ID):
		return tollgate.Errorf(tollgate.CodeForbidden, "nobody changes the state or role of their own account")
	case !u.Enabled && u.Role == tollgate.RoleSuperAdmin:
		return errSuperAdminStays()
	case (password || old.Email != u.Email) && old.Role.IsAdmin() && !who.self(old.ID) && !who.super():
		return tollgate.Errorf(tollgate.CodeForbidden, "only the super admin may set the password or e-mail of another administrator")
	}
	return nil
}

func errSuperAdminStays() error {
	return tollgate.Errorf(tollgate.CodeForbidden, "the super admin cannot be deactivated, demoted or deleted; the role must be handed over first")
}

// settleRole gives a new admin the automatic permission and takes it from a
// former one.
func (a *Accounts) settleRole(ctx context.Context, tx tollgate.Tx, was tollgate.Role, u tollgate.User) error {
	if was.IsAdmin() == u.Role.IsAdmin() {
		return nil
	}
	rows, _, err := tx.Permissions.Query(ctx, tollgate.PermissionFilter{UserID: tollgate.Is(u.ID)}, all())
	if err != nil {
		return err
	}
	for _, p := range rows {
		switch {
		case u.Role.IsAdmin() && p.ProviderID == 0 && p.ModelPattern == "*":
			return nil // has it by an explicit grant, which stays theirs
		case !u.Role.IsAdmin() && p.Automatic:
			if err := tx.Permissions.Delete(ctx, p.ID); err != nil {
				return err
			}
		}
	}
	if !u.Role.IsAdmin() {
		return nil
	}
	return tx.Permissions.Insert(ctx, &tollgate.Permission{UserID: u.ID, ModelPattern: "*", Automatic: true})
}

// DeleteUser removes another's account and all it owns; usage and audit stay.
func (a *Accounts) DeleteUser(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	if !who.role.IsAdmin() {
		return errNotAdmin()
	}
	u, err := tx.Users.Get(ctx, id)
	if err != nil {
		return missing(err, "user", id)
	}
	switch {
	case who.self(id):
		return tollgate.Errorf(tollgate.CodeForbidden, "nobody deletes their own account")
	case u.Role == tollgate.RoleSuperAdmin:
		return errSuperAdminStays()
	}
	if err := tx.Users.Delete(ctx, id); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "user.delete", "user", id, viewUser(u, false), nil)
}

// HandOver makes the enabled admin with that id the super admin and the
// present one an admin. Only its holder, or the host, may.
func (a *Accounts) HandOver(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	if !who.super() {
		return tollgate.Errorf(tollgate.CodeForbidden, "only the super admin may hand the role over")
	}
	heir, err := tx.Users.Get(ctx, id)
	if err != nil {
		return missing(err, "user", id)
	}
	if !heir.Enabled || heir.Role != tollgate.RoleAdmin {
		return tollgate.Errorf(tollgate.CodeConflict, "the role can only be handed to another, enabled admin")
	}
	holders, _, err := tx.Users.Query(ctx, tollgate.UserFilter{Role: tollgate.Is(tollgate.RoleSuperAdmin)}, all())
	if err != nil {
		return err
	}
	for _, old := range holders {
		if err := a.setRole(ctx, tx, who, old, tollgate.RoleAdmin); err != nil {
			return err
		}
	}
	if err := a.setRole(ctx, tx, who, heir, tollgate.RoleSuperAdmin); err != nil {
		return err
	}
	return a.keepWayIn(ctx, tx, heir.ID)
}

func (a *Accounts) setRole(ctx context.Context, tx tollgate.Tx, who actor, u tollgate.User, role tollgate.Role) error {
	before := viewUser(u, false)
	u.Role = role
	if err := tx.Users.Update(ctx, u); err != nil {
		return err
	}
	if err := endSessions(ctx, tx, u.ID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "user.hand_over", "user", u.ID, before, viewUser(u, false))
}

// SetPassword sets or removes a password, w.ID's, after Prepare: the user's
// own, a plain user's for an admin, anybody's for the super admin and the
// host. All sessions of the account end.
func (a *Accounts) SetPassword(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, w UserWrite) error {
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	u, err := tx.Users.Get(ctx, w.ID)
	if err != nil {
		return missing(err, "user", w.ID)
	}
	if err := who.holds(u, errMissing("user", w.ID)); err != nil {
		return err
	}
	if !w.changesPassword() {
		return tollgate.Invalidf("password", "no password was given")
	}
	before := viewUser(u, false)
	u.Password = nil
	if !w.Password.Null {
		if w.hashed == nil {
			return tollgate.Errorf(tollgate.CodeInternal, "a password was not prepared")
		}
		if u.Password, err = a.sealPassword(u.ID, *w.hashed); err != nil {
			return err
		}
	}
	if err := a.replacePassword(ctx, tx, u); err != nil {
		return err
	}
	if err := a.keepWayIn(ctx, tx, u.ID); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "user.set_password", "user", u.ID, before, viewUser(u, w.hashed != nil))
}

// keepWayIn refuses (CodeConflict) a change that leaves the super admin
// without a password and without a key that reaches the admin API.
func (a *Accounts) keepWayIn(ctx context.Context, tx tollgate.Tx, userID int64) error {
	u, err := tx.Users.Get(ctx, userID)
	if err != nil || u.Role != tollgate.RoleSuperAdmin || u.Password != nil {
		return err
	}
	keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{UserID: tollgate.Is(userID), Enabled: tollgate.Is(true)}, all())
	if err != nil {
		return err
	}
	for _, k := range keys {
		e := keyEntry{key: k}
		if !k.NeedsSecret && !k.Expired(a.Now()) && e.reaches(tollgate.SurfaceAdmin) {
			return nil
		}
	}
	return tollgate.Errorf(tollgate.CodeConflict, "this would take the super admin's last way in; give the account a password or another key first")
}

func passwordLabel(userID int64) tollgate.Label {
	return tollgate.Label{Table: "users", Column: "password", Row: userID}
}

func (a *Accounts) sealPassword(userID int64, hashed string) ([]byte, error) {
	sealed, err := a.Sealer.Seal(passwordLabel(userID), []byte(hashed))
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeInternal, err, "seal password hash")
	}
	return sealed, nil
}

// userView is a user as the audit shows it.
type userView struct {
	ID          int64  `json:"id"`
	Name        string `json:"name"`
	Email       string `json:"email,omitempty"`
	Enabled     bool   `json:"enabled"`
	Role        string `json:"role"`
	TeamID      int64  `json:"team_id,omitempty"`
	TeamRole    string `json:"team_role,omitempty"`
	HasPassword bool   `json:"has_password"`
	NewPassword bool   `json:"new_password,omitempty"` // a password was set; which one is nobody's business
}

func viewUser(u tollgate.User, newPassword bool) userView {
	role := map[tollgate.Role]string{
		tollgate.RoleNone: "", tollgate.RoleUser: "user", tollgate.RoleAdmin: "admin", tollgate.RoleSuperAdmin: "super_admin",
	}[u.Role]
	return userView{
		ID: u.ID, Name: u.Name, Email: u.Email, Enabled: u.Enabled, Role: role, TeamID: u.TeamID, TeamRole: u.TeamRole,
		HasPassword: len(u.Password) > 0, NewPassword: newPassword,
	}
}
