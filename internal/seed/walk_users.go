package seed

import (
	"bytes"
	"context"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/config"
)

func (r *run) teams(ctx context.Context) error {
	for _, t := range r.seed.Teams {
		row, ok := r.state.teams[t.Name]
		if !ok {
			r.change(Create, "team", t.Name, t.At)
			row = tollgate.Team{ID: r.placeholder(), Name: t.Name}
			if r.apply {
				var err error
				if row, err = r.im.Accounts.SaveTeam(ctx, r.tx, r.by, tollgate.Team{Name: t.Name}); err != nil {
					return place(t.At, "team "+t.Name, err)
				}
			}
			r.state.teams[t.Name], r.state.teamName[row.ID] = row, t.Name
		}
		r.see("team", row.ID)
	}
	return nil
}

func (r *run) users(ctx context.Context) error {
	for i := range r.seed.Users {
		u := &r.seed.Users[i]
		row, err := r.oneUser(ctx, u)
		if err != nil {
			return err
		}
		r.see("user", row.ID)
		for _, k := range u.Keys {
			if err := r.key(ctx, row, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// userDiff returns what an import would write, and the names of the fields.
func (r *run) userDiff(ctx context.Context, u *config.SeedUser, row tollgate.User) (auth.UserWrite, diff, error) {
	w, fields := r.ready[u.Name], diff{}
	w.ID = row.ID
	if row.ID == 0 {
		w.Name = tollgate.Some(u.Name)
	}
	if u.Enabled != row.Enabled || row.ID == 0 {
		w.Enabled = tollgate.Some(u.Enabled)
		fields.add("enabled", row.Enabled, u.Enabled)
	}
	if u.Email != nil && *u.Email != row.Email {
		w.Email = tollgate.Some(*u.Email)
		fields.add("email", row.Email, *u.Email)
	}
	if u.IsAdmin != nil && *u.IsAdmin != row.Role.IsAdmin() {
		w.IsAdmin = tollgate.Some(*u.IsAdmin)
		fields.add("is_admin", row.Role.IsAdmin(), *u.IsAdmin)
	}
	if u.IsAdmin != nil && *u.IsAdmin && u.Enabled && !r.state.superAdmin() {
		w.IsAdmin, w.SuperAdmin = tollgate.Some(true), true
		fields.add("super admin", false, true)
	}
	if u.Team != nil && *u.Team != r.state.teamName[row.TeamID] {
		fields.add("team", r.state.teamName[row.TeamID], *u.Team)
		w.TeamID = tollgate.Null[int64]()
		if *u.Team != "" {
			t, ok := r.state.teams[*u.Team]
			if !ok {
				r.problem(u.At, "there is no team \""+*u.Team+"\", neither in the file nor in the database")
			}
			w.TeamID = tollgate.Some(t.ID)
		}
	}
	if u.TeamRole != nil && *u.TeamRole != row.TeamRole {
		w.TeamRole = tollgate.Some(*u.TeamRole)
		fields.add("team_role", row.TeamRole, *u.TeamRole)
	}
	if !u.Password.Empty() {
		same, err := r.samePassword(ctx, u, row)
		if err != nil {
			return w, nil, err
		}
		if !same {
			r.passwords[u.Name] = true
			fields.secret("password")
		}
	}
	return w, fields, nil
}

// samePassword reports whether a file's password is in force already, or was
// imported before and changed since. An import has settled that before its
// transaction.
func (r *run) samePassword(ctx context.Context, u *config.SeedUser, row tollgate.User) (bool, error) {
	if r.apply {
		_, hashed := r.ready[u.Name]
		return !hashed, nil
	}
	if row.Password == nil {
		return false, nil
	}
	if same, err := r.imported(ctx, row.ID, u.Password); same || err != nil {
		return same, err
	}
	phc, err := r.im.password(row)
	if err != nil || auth.IsPHC(u.Password.Reveal()) {
		return phc.Equal(u.Password), err
	}
	same, _, err := r.im.Accounts.Hasher.Verify(ctx, phc.Reveal(), u.Password)
	return same, err
}

func (r *run) oneUser(ctx context.Context, u *config.SeedUser) (tollgate.User, error) {
	row, exists := r.state.users[u.Name]
	w, fields, err := r.userDiff(ctx, u, row)
	if err != nil {
		return row, place(u.At, "user "+u.Name, err)
	}
	if exists && len(fields) == 0 {
		return row, nil
	}
	if exists {
		r.change(Update, "user", u.Name, u.At, fields...)
	} else {
		r.change(Create, "user", u.Name, u.At, fields.created()...)
	}
	if r.apply {
		if row, err = r.im.Accounts.SaveUser(ctx, r.tx, r.by, w); err != nil {
			return row, place(u.At, "user "+u.Name, err)
		}
		if w.Password.Set {
			if err := r.tx.Meta.Put(ctx, passwordMeta(row.ID), r.im.passwordDigest(row.ID, u.Password)); err != nil {
				return row, err
			}
		}
	} else {
		row = planned(row, u, w)
		if !exists {
			row.ID = r.placeholder()
		}
	}
	r.state.users[u.Name], r.state.userName[row.ID] = row, u.Name
	r.state.keys = slices.DeleteFunc(r.state.keys, func(k tollgate.Key) bool { // they ended with the membership
		return k.UserID == row.ID && k.TeamID != 0 && k.TeamID != row.TeamID
	})
	return row, nil
}

// planned returns the row as far as a plan needs to know it.
func planned(row tollgate.User, u *config.SeedUser, w auth.UserWrite) tollgate.User {
	row.Name, row.Enabled, row.TeamID = u.Name, u.Enabled, w.TeamID.Or(row.TeamID)
	switch {
	case w.SuperAdmin:
		row.Role = tollgate.RoleSuperAdmin
	case w.IsAdmin.Or(row.Role.IsAdmin()) && row.Role != tollgate.RoleSuperAdmin:
		row.Role = tollgate.RoleAdmin
	case !w.IsAdmin.Or(row.Role.IsAdmin()):
		row.Role = tollgate.RoleUser
	}
	return row
}

// matchKey finds the key of the database that a key of the file means: by its
// digest, or for a key without secret by what is shown of it.
func (r *run) matchKey(user tollgate.User, k config.SeedKey) int {
	if !k.APIKey.Empty() {
		digest := r.im.keyDigest(k.APIKey)
		return slices.IndexFunc(r.state.keys, func(row tollgate.Key) bool { return bytes.Equal(row.Digest, digest) })
	}
	find := func(label bool) int {
		return slices.IndexFunc(r.state.keys, func(row tollgate.Key) bool {
			shown := k.Last4 != "" && row.Prefix == k.Prefix && row.Last4 == k.Last4
			return row.UserID == user.ID && !r.seenBefore("key", row.ID) &&
				(row.Label == k.Label && (shown || row.NeedsSecret) || shown && !label)
		})
	}
	if i := find(true); i >= 0 {
		return i
	}
	return find(false) // it was labelled anew since
}

func (r *run) key(ctx context.Context, user tollgate.User, k config.SeedKey) error {
	name := user.Name + "/" + k.Label
	i := r.matchKey(user, k)
	if i < 0 {
		return r.newKey(ctx, user, k, name)
	}
	row := r.state.keys[i]
	if row.UserID != user.ID {
		r.problem(k.At, "this api_key belongs to user "+r.state.userName[row.UserID]+" in the database")
		return nil
	}
	r.see("key", row.ID)
	if k.TeamKey != (row.TeamID != 0) {
		r.problem(k.At, "team_key of a key never changes; delete key "+name+" and make another")
		return nil
	}
	patch, fields := keyDiff(row, k)
	enable := row.Enabled != k.Enabled && !row.NeedsSecret
	if enable {
		fields.add("enabled", row.Enabled, k.Enabled)
	}
	if len(fields) == 0 {
		return nil
	}
	r.change(Update, "key", name, k.At, fields...)
	if !r.apply {
		return nil
	}
	if len(fields) > 1 || !enable {
		if _, err := r.im.Accounts.UpdateKey(ctx, r.tx, r.by, patch); err != nil {
			return place(k.At, "key "+name, err)
		}
	}
	if enable {
		if err := r.im.Accounts.SetKeyEnabled(ctx, r.tx, r.by, row.ID, k.Enabled, false); err != nil {
			return place(k.At, "key "+name, err)
		}
		r.state.keys[i].Enabled = k.Enabled
	}
	return nil
}

// keyDiff compares what a file says of a key; an absent list is no limit.
func keyDiff(row tollgate.Key, k config.SeedKey) (auth.KeyPatch, diff) {
	patch, fields := auth.KeyPatch{ID: row.ID}, diff{}
	if row.Label != k.Label {
		patch.Label = tollgate.Some(k.Label)
		fields.add("label", row.Label, k.Label)
	}
	if !row.ExpiresAt.Equal(k.ExpiresAt) {
		patch.ExpiresAt = tollgate.Some(k.ExpiresAt)
		fields.add("expires_at", moment(row.ExpiresAt), moment(k.ExpiresAt))
		if k.ExpiresAt.IsZero() {
			patch.ExpiresAt = tollgate.Null[time.Time]()
		}
	}
	if !slices.Equal(row.Models, k.Models) {
		patch.Models = tollgate.Some(k.Models)
		fields.add("models", row.Models, k.Models)
	}
	if !slices.Equal(row.IPAllow, k.IPAllow) {
		patch.IPAllow = tollgate.Some(k.IPAllow)
		fields.add("ip_allow", row.IPAllow, k.IPAllow)
	}
	if !slices.Equal(row.Surfaces, k.Surfaces) {
		patch.Surfaces = tollgate.Some(k.Surfaces)
		fields.add("surfaces", row.Surfaces, k.Surfaces)
	}
	if row.OnLeave != k.OnLeave {
		patch.OnLeave = tollgate.Some(k.OnLeave)
		fields.add("on_leave", row.OnLeave, k.OnLeave)
	}
	if row.Payloads != k.Payloads {
		patch.Payloads = tollgate.Some(k.Payloads)
		fields.add("payloads", row.Payloads, k.Payloads)
	}
	return patch, fields
}

// moment is a time as a plan shows it; never is nothing.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

func (r *run) newKey(ctx context.Context, user tollgate.User, k config.SeedKey, name string) error {
	row := tollgate.Key{ID: r.placeholder(), UserID: user.ID, Label: k.Label, Enabled: k.Enabled, NeedsSecret: k.APIKey.Empty()}
	_, fields := keyDiff(tollgate.Key{}, k)
	fields.add("enabled", nil, k.Enabled && !k.APIKey.Empty())
	if k.TeamKey {
		if user.TeamID == 0 {
			r.problem(k.At, "key "+name+" has team_key, and its user is in no team")
			return nil
		}
		row.TeamID = user.TeamID
		fields.add("team_key", nil, true)
	}
	r.change(Create, "key", name, k.At, fields.created()...)
	if k.APIKey.Empty() {
		r.needSecret = append(r.needSecret, "key "+name)
	}
	if r.apply {
		var err error
		row, err = r.im.Accounts.ImportKey(ctx, r.tx, r.by, auth.KeyWrite{
			UserID: user.ID, Label: k.Label, Enabled: tollgate.Some(k.Enabled), ExpiresAt: k.ExpiresAt,
			Models: k.Models, IPAllow: k.IPAllow, Surfaces: k.Surfaces, TeamID: row.TeamID, OnLeave: k.OnLeave, Payloads: k.Payloads,
		}, k.APIKey)
		if err != nil {
			return place(k.At, "key "+name, err)
		}
	}
	r.state.keys = append(r.state.keys, row)
	r.see("key", row.ID)
	return nil
}
