package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

// permission is the JSON of a permission.
type permission struct {
	ID           int64  `json:"id"`
	UserID       int64  `json:"user_id"`
	ProviderID   *int64 `json:"provider_id" doc:"null = every provider"`
	ModelPattern string `json:"model_pattern" doc:"A glob over the model name as sent, less its provider part."`
}

type filePermission struct {
	ID         int64  `json:"id"`
	UserID     int64  `json:"user_id"`
	ProviderID *int64 `json:"provider_id" doc:"null = every provider"`
}

type rightQuery struct {
	ID         api.Scope[int64] `json:"id,omitzero"`
	UserID     api.Scope[int64] `json:"user_id,omitzero"`
	ProviderID api.Scope[int64] `json:"provider_id,omitzero"`
	api.Page
}

func (q rightQuery) filter(context.Context) tollgate.PermissionFilter {
	return tollgate.PermissionFilter{ID: q.ID.Match, UserID: q.UserID.Match, ProviderID: q.ProviderID.Match}
}

// FilePermissionWrite creates or changes a right to a provider.
type FilePermissionWrite struct {
	ID         int64          `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	UserID     api.Val[int64] `json:"user_id,omitzero" minimum:"1"`
	ProviderID api.Opt[int64] `json:"provider_id,omitzero" minimum:"1" doc:"null = every provider"`
}

type permissionWrite struct {
	FilePermissionWrite
	ModelPattern api.Val[string] `json:"model_pattern,omitzero" maxLength:"256" doc:"The default is *."`
}

func (s *Server) mountPermissions(base string) {
	const tag = "Permissions"
	api.Listing[rightQuery, tollgate.Permission, tollgate.PermissionFilter, permission]{
		Op:     reads(base+"/query", tag, "Find permissions"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Permissions { return tx.Permissions }),
		Filter: func(ctx context.Context, q rightQuery) (tollgate.PermissionFilter, error) { return q.filter(ctx), nil },
		Records: api.Each(func(p tollgate.Permission) permission {
			return permission{p.ID, p.UserID, api.OrNull(p.ProviderID), p.ModelPattern}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"user_id": 7, "provider_id": nil, "model_pattern": "gpt-*"}
	save := func(ctx context.Context) func(tollgate.Tx, tollgate.Actor, permissionWrite) (int64, error) {
		return func(tx tollgate.Tx, by tollgate.Actor, in permissionWrite) (int64, error) {
			return s.savePermission(ctx, tx, by, in)
		}
	}
	api.Handle(s.API, writes(base+"/upsert", tag, "Create or change a permission", example), func(ctx context.Context, in *permissionWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) { return save(ctx)(tx, by, *in) })
	})
	api.Handle(s.API, writes(base+"/batch-upsert", tag, "Create or change permissions, all or none", []any{example}), func(ctx context.Context, in *[]permissionWrite) (api.DoneMany, error) {
		return batch(ctx, s, *in, save(ctx))
	})
	s.mountDelete(writes(base+"/delete", tag, "Delete a permission, in force when this returns", nil), s.Accounts.DeletePermission)
	s.mountBatchDelete(writes(base+"/batch-delete", tag, "Delete permissions, all or none", nil), s.Accounts.DeletePermission)
}

func (s *Server) savePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, in permissionWrite) (int64, error) {
	row := tollgate.Permission{ID: in.ID, ModelPattern: "*"}
	if in.ID != 0 {
		have, err := tx.Permissions.Get(ctx, in.ID)
		if err != nil {
			return 0, missing(err, "permission", in.ID)
		}
		row = have
	}
	row.UserID, row.ProviderID, row.ModelPattern = in.UserID.Or(row.UserID), in.ProviderID.Or(row.ProviderID), in.ModelPattern.Or(row.ModelPattern)
	if err := whose(row.UserID); err != nil {
		return 0, err
	}
	row, err := s.Accounts.SavePermission(ctx, tx, by, row)
	return row.ID, err
}

// whose refuses a right that is nobody's.
func whose(userID int64) error {
	if userID == 0 {
		return tollgate.Invalidf("user_id", "user_id is required")
	}
	return nil
}

func (s *Server) mountFilePermissions(base string) {
	const tag = "File permissions"
	api.Listing[rightQuery, tollgate.FilePermission, tollgate.PermissionFilter, filePermission]{
		Op:     reads(base+"/query", tag, "Find file permissions"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.FilePermissions { return tx.FilePermissions }),
		Filter: func(ctx context.Context, q rightQuery) (tollgate.PermissionFilter, error) { return q.filter(ctx), nil },
		Records: api.Each(func(p tollgate.FilePermission) filePermission {
			return filePermission{p.ID, p.UserID, api.OrNull(p.ProviderID)}
		}),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"user_id": 7, "provider_id": 1}
	save := func(ctx context.Context) func(tollgate.Tx, tollgate.Actor, FilePermissionWrite) (int64, error) {
		return func(tx tollgate.Tx, by tollgate.Actor, in FilePermissionWrite) (int64, error) {
			return s.saveFilePermission(ctx, tx, by, in)
		}
	}
	api.Handle(s.API, writes(base+"/upsert", tag, "Create or change a file permission", example), func(ctx context.Context, in *FilePermissionWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) { return save(ctx)(tx, by, *in) })
	})
	api.Handle(s.API, writes(base+"/batch-upsert", tag, "Create or change file permissions, all or none", []any{example}), func(ctx context.Context, in *[]FilePermissionWrite) (api.DoneMany, error) {
		return batch(ctx, s, *in, save(ctx))
	})
	s.mountDelete(writes(base+"/delete", tag, "Delete a file permission", nil), s.Accounts.DeleteFilePermission)
	s.mountBatchDelete(writes(base+"/batch-delete", tag, "Delete file permissions, all or none", nil), s.Accounts.DeleteFilePermission)
}

func (s *Server) saveFilePermission(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, in FilePermissionWrite) (int64, error) {
	row := tollgate.FilePermission{ID: in.ID}
	if in.ID != 0 {
		have, err := tx.FilePermissions.Get(ctx, in.ID)
		if err != nil {
			return 0, missing(err, "file permission", in.ID)
		}
		row = have
	}
	row.UserID, row.ProviderID = in.UserID.Or(row.UserID), in.ProviderID.Or(row.ProviderID)
	if err := whose(row.UserID); err != nil {
		return 0, err
	}
	row, err := s.Accounts.SaveFilePermission(ctx, tx, by, row)
	return row.ID, err
}

type limitQuery struct {
	ID     api.Scope[int64] `json:"id,omitzero"`
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	TeamID api.Scope[int64] `json:"team_id,omitzero"`
	api.Page
}

// filter is the store's: limits of users, or of teams where those are asked for.
func (q limitQuery) filter(usersOnly bool) (f tollgate.RateLimitFilter, err error) {
	f = tollgate.RateLimitFilter{ID: q.ID.Match, ScopeID: q.UserID.Match, Scope: tollgate.Is(tollgate.ScopeUser)}
	switch {
	case q.UserID.Set && q.TeamID.Set:
		return f, tollgate.Invalidf("team_id", "ask by user_id or by team_id")
	case q.TeamID.Set:
		f.ScopeID, f.Scope = q.TeamID.Match, tollgate.Is(tollgate.ScopeTeam)
	case !q.UserID.Set && !usersOnly:
		f.Scope = tollgate.Is(tollgate.ScopeUser, tollgate.ScopeTeam)
	}
	return f, nil
}

type limitWrite struct {
	ID           int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	UserID       api.Val[int64]  `json:"user_id,omitzero" minimum:"1"`
	TeamID       api.Val[int64]  `json:"team_id,omitzero" minimum:"1" doc:"Instead of user_id: all members together."`
	ModelPattern api.Val[string] `json:"model_pattern,omitzero" maxLength:"256" doc:"The default is *."`
	RPM          api.Opt[int64]  `json:"rpm,omitzero" minimum:"0"`
	RPD          api.Opt[int64]  `json:"rpd,omitzero" minimum:"0"`
	TotalTokens  api.Opt[int64]  `json:"total_tokens,omitzero" minimum:"0"`
	Concurrency  api.Opt[int64]  `json:"concurrency,omitzero" minimum:"0"`
}

func (s *Server) mountRateLimits(base string) {
	const tag = "Rate limits"
	api.Listing[limitQuery, tollgate.RateLimit, tollgate.RateLimitFilter, api.RateLimit]{
		Op:     reads(base+"/query", tag, "Find rate limits of users and teams"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.RateLimits { return tx.RateLimits }),
		Filter: func(_ context.Context, q limitQuery) (tollgate.RateLimitFilter, error) {
			return q.filter(base == "/admin/user-rate-limits")
		},
		Records: api.Each(api.RateLimitRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"user_id": 7, "model_pattern": "*", "rpm": 60}
	api.Handle(s.API, writes(base+"/upsert", tag, "Create or change a rate limit", example), func(ctx context.Context, in *limitWrite) (api.Done, error) {
		return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) { return s.saveLimit(ctx, tx, by, *in) })
	})
	api.Handle(s.API, writes(base+"/batch-upsert", tag, "Create or change rate limits, all or none", []any{example}), func(ctx context.Context, in *[]limitWrite) (api.DoneMany, error) {
		return batch(ctx, s, *in, func(tx tollgate.Tx, by tollgate.Actor, item limitWrite) (int64, error) {
			return s.saveLimit(ctx, tx, by, item)
		})
	})
	s.mountDelete(writes(base+"/delete", tag, "Delete a rate limit", nil), s.deleteLimit)
	s.mountBatchDelete(writes(base+"/batch-delete", tag, "Delete rate limits, all or none", nil), s.deleteLimit)
}

// ownedLimit returns the rate limit of a user or a team; those of other scopes
// are not here.
func ownedLimit(ctx context.Context, tx tollgate.Tx, id int64) (tollgate.RateLimit, error) {
	l, err := tx.RateLimits.Get(ctx, id)
	if err == nil && l.Scope != tollgate.ScopeUser && l.Scope != tollgate.ScopeTeam {
		err = tollgate.Errorf(tollgate.CodeNotFound, "another scope's")
	}
	return l, missing(err, "rate limit", id)
}

func (s *Server) deleteLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	if _, err := ownedLimit(ctx, tx, id); err != nil {
		return err
	}
	return s.Accounts.DeleteRateLimit(ctx, tx, by, id)
}

func (s *Server) saveLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, in limitWrite) (int64, error) {
	row := tollgate.RateLimit{Scope: tollgate.ScopeUser, ModelPattern: "*"}
	if in.ID != 0 {
		have, err := ownedLimit(ctx, tx, in.ID)
		if err != nil {
			return 0, err
		}
		row = have
	}
	row.ModelPattern = in.ModelPattern.Or(row.ModelPattern)
	switch {
	case in.UserID.Set && in.TeamID.Set:
		return 0, tollgate.Invalidf("team_id", "a limit belongs to one of user_id and team_id")
	case in.UserID.Set:
		row.Scope, row.ScopeID = tollgate.ScopeUser, in.UserID.Value
	case in.TeamID.Set:
		row.Scope, row.ScopeID = tollgate.ScopeTeam, in.TeamID.Value
	case row.ScopeID == 0:
		return 0, tollgate.Invalidf("user_id", "user_id or team_id is required")
	}
	for _, f := range []struct {
		to   **int64
		from api.Opt[int64]
	}{{&row.RPM, in.RPM}, {&row.RPD, in.RPD}, {&row.TotalTokens, in.TotalTokens}, {&row.Concurrency, in.Concurrency}} {
		if v, given := f.from.Given(); given {
			*f.to = &v
		} else if f.from.Null {
			*f.to = nil
		}
	}
	row, err := s.Accounts.SaveRateLimit(ctx, tx, by, row)
	return row.ID, err
}
