package admin

import (
	"context"
	"slices"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

type userQuery struct {
	ID           api.Scope[int64]  `json:"id,omitzero"`
	Name         api.Scope[string] `json:"name,omitzero"`
	Username     api.Scope[string] `json:"username,omitzero" doc:"Another spelling of name."`
	Email        api.Scope[string] `json:"email,omitzero"`
	Enabled      api.Scope[bool]   `json:"enabled,omitzero"`
	IsActive     api.Scope[bool]   `json:"is_active,omitzero" doc:"Another spelling of enabled."`
	IsAdmin      api.Scope[bool]   `json:"is_admin,omitzero"`
	IsSuperAdmin api.Scope[bool]   `json:"is_super_admin,omitzero"`
	TeamID       api.Scope[int64]  `json:"team_id,omitzero"`
	api.Page
}

func (q userQuery) filter() (f tollgate.UserFilter, err error) {
	f = tollgate.UserFilter{ID: q.ID.Match, Email: q.Email.Match, TeamID: q.TeamID.Match}
	if f.Name, err = api.AgreeScope("name", q.Name, "username", q.Username); err != nil {
		return f, err
	}
	if f.Enabled, err = api.AgreeScope("enabled", q.Enabled, "is_active", q.IsActive); err != nil {
		return f, err
	}
	if q.IsAdmin.Set || q.IsSuperAdmin.Set {
		f.Role.Set = true
		for _, r := range []tollgate.Role{tollgate.RoleUser, tollgate.RoleAdmin, tollgate.RoleSuperAdmin} {
			if holds(q.IsAdmin.Match, r.IsAdmin()) && holds(q.IsSuperAdmin.Match, r == tollgate.RoleSuperAdmin) {
				f.Role.Values = append(f.Role.Values, r)
			}
		}
	}
	return f, nil
}

// holds reports whether m selects v.
func holds(m tollgate.Match[bool], v bool) bool {
	return !m.Set || slices.Contains(m.Values, v)
}

type userWrite struct {
	ID       int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new user."`
	Name     api.Val[string] `json:"name,omitzero" maxLength:"128"`
	Username api.Val[string] `json:"username,omitzero" doc:"Another spelling of name."`
	Password api.Opt[string] `json:"password,omitzero" doc:"Plain text, or an Argon2 PHC string. Empty keeps it, null removes it."`
	Enabled  api.Val[bool]   `json:"enabled,omitzero" doc:"The default is true."`
	IsActive api.Val[bool]   `json:"is_active,omitzero" doc:"Another spelling of enabled."`
	IsAdmin  api.Val[bool]   `json:"is_admin,omitzero" doc:"The default is false."`
	Email    api.Opt[string] `json:"email,omitzero"`
	TeamID   api.Opt[int64]  `json:"team_id,omitzero"`
	TeamRole api.Opt[string] `json:"team_role,omitzero" doc:"member or admin"`
}

func (w userWrite) change() (c auth.UserWrite, err error) {
	c = auth.UserWrite{ID: w.ID, IsAdmin: w.IsAdmin.Opt, Email: w.Email.Opt, TeamID: w.TeamID.Opt, TeamRole: w.TeamRole.Opt}
	if c.Name, err = api.Agree("name", api.Opt[string](w.Name), "username", api.Opt[string](w.Username)); err != nil {
		return c, err
	}
	if c.Enabled, err = api.Agree("enabled", api.Opt[bool](w.Enabled), "is_active", api.Opt[bool](w.IsActive)); err != nil {
		return c, err
	}
	c.Password.Set, c.Password.Null = w.Password.Set, w.Password.Null
	c.Password.Value = tollgate.NewSecret(w.Password.Value)
	return c, nil
}

func (s *Server) mountUsers() {
	const tag = "Users"
	api.Listing[userQuery, tollgate.User, tollgate.UserFilter, api.User]{
		Op:      reads("/admin/users/query", tag, "Find users"),
		Source:  api.Rows(func(tx tollgate.Tx) tollgate.Users { return tx.Users }),
		Filter:  func(_ context.Context, q userQuery) (tollgate.UserFilter, error) { return q.filter() },
		Records: api.UserRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"name": "alice", "password": "…", "enabled": true, "is_admin": false}
	api.Handle(s.API, writes("/admin/users/upsert", tag, "Create or change a user", example), s.upsertUser)
	api.Handle(s.API, writes("/admin/users/batch-upsert", tag, "Create or change users, all or none", []any{example}), s.upsertUsers)
	s.mountDelete(writes("/admin/users/delete", tag, "Delete a user with keys, sessions and permissions", nil), s.Accounts.DeleteUser)
	s.mountBatchDelete(writes("/admin/users/batch-delete", tag, "Delete users, all or none", nil), s.Accounts.DeleteUser)
	handOver := writes("/admin/users/hand-over", tag, "Hand the super admin's role to another user", api.ByID{ID: 7})
	handOver.Policy.Access, handOver.Policy.RecentSignIn = web.AccessSuperAdmin, true
	api.Handle(s.API, handOver, func(ctx context.Context, in *api.ByID) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
			return in.ID, s.Accounts.HandOver(ctx, tx, by, in.ID)
		})
	})
	reset := writes("/admin/users/reset-link", tag, "Make a link that sets a user's password, once, within an hour; nothing sends it", api.ByID{ID: 7})
	reset.Policy.RecentSignIn = true
	api.Handle(s.API, reset, s.resetLink)
	effective := reads("/admin/users/effective", tag, "Show what a user may, and why")
	effective.Example = api.ByID{ID: 7}
	api.Handle(s.API, effective, s.effective)
}

func (s *Server) upsertUser(ctx context.Context, in *userWrite) (api.Done, error) {
	done, err := s.saveUsers(ctx, []userWrite{*in}, func(_ int, err error) error { return err })
	if err != nil {
		return api.Done{}, err
	}
	return api.Done{OK: true, ID: done.IDs[0]}, nil
}

func (s *Server) upsertUsers(ctx context.Context, in *[]userWrite) (api.DoneMany, error) {
	return s.saveUsers(ctx, *in, atItem)
}

// saveUsers hashes the passwords first: that takes its time and must not hold
// the transaction.
func (s *Server) saveUsers(ctx context.Context, items []userWrite, at func(int, error) error) (api.DoneMany, error) {
	done := api.DoneMany{OK: true, IDs: []int64{}}
	if err := checkBatch(len(items)); err != nil || len(items) == 0 {
		return done, err
	}
	changes := make([]auth.UserWrite, len(items))
	for i, item := range items {
		c, err := item.change()
		if err == nil {
			err = s.Accounts.Prepare(ctx, &c)
		}
		if err != nil {
			return done, at(i, err)
		}
		changes[i] = c
	}
	err := s.change(ctx, func(tx tollgate.Tx, by tollgate.Actor) error {
		for i, c := range changes {
			u, err := s.Accounts.SaveUser(ctx, tx, by, c)
			if err != nil {
				return at(i, err)
			}
			done.IDs = append(done.IDs, u.ID)
		}
		return nil
	})
	return done, err
}

func (s *Server) effective(ctx context.Context, in *api.ByID) (rights api.Rights, err error) {
	now := s.Now()
	err = s.Store.View(ctx, func(tx tollgate.Tx) error {
		u, err := tx.Users.Get(ctx, in.ID)
		if err != nil {
			return missing(err, "user", in.ID)
		}
		rights, err = api.RightsOf(ctx, tx, u, api.QuotaView{Now: now, Zone: s.Zone, Held: s.Held, Instance: true})
		return err
	})
	return rights, err
}

// missing names the record in a "not found" of the store.
func missing(err error, what string, id int64) error {
	if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
		return tollgate.Errorf(tollgate.CodeNotFound, "there is no %s with id %d", what, id)
	}
	return err
}
