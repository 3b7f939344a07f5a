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

// rateLimit is the JSON of a user's rate limit.
type rateLimit struct {
	ID           int64  `json:"id"`
	UserID       int64  `json:"user_id"`
	ModelPattern string `json:"model_pattern"`
	RPM          *int64 `json:"rpm" doc:"Requests per minute; null = no limit, here and below."`
	RPD          *int64 `json:"rpd" doc:"Requests per day."`
	TotalTokens  *int64 `json:"total_tokens" doc:"Tokens in a rolling minute."`
	Concurrency  *int64 `json:"concurrency" doc:"Requests at once."`
}

func limitRecord(l tollgate.RateLimit) rateLimit {
	return rateLimit{l.ID, l.ScopeID, l.ModelPattern, l.RPM, l.RPD, l.TotalTokens, l.Concurrency}
}

type limitQuery struct {
	ID     api.Scope[int64] `json:"id,omitzero"`
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	api.Page
}

type limitWrite struct {
	ID           int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new one."`
	UserID       api.Val[int64]  `json:"user_id,omitzero" minimum:"1"`
	ModelPattern api.Val[string] `json:"model_pattern,omitzero" maxLength:"256" doc:"The default is *."`
	RPM          api.Opt[int64]  `json:"rpm,omitzero" minimum:"0"`
	RPD          api.Opt[int64]  `json:"rpd,omitzero" minimum:"0"`
	TotalTokens  api.Opt[int64]  `json:"total_tokens,omitzero" minimum:"0"`
	Concurrency  api.Opt[int64]  `json:"concurrency,omitzero" minimum:"0"`
}

func (s *Server) mountRateLimits(base string) {
	const tag = "Rate limits"
	api.Listing[limitQuery, tollgate.RateLimit, tollgate.RateLimitFilter, rateLimit]{
		Op:     reads(base+"/query", tag, "Find rate limits of users"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.RateLimits { return tx.RateLimits }),
		Filter: func(_ context.Context, q limitQuery) (tollgate.RateLimitFilter, error) {
			return tollgate.RateLimitFilter{ID: q.ID.Match, ScopeID: q.UserID.Match, Scope: tollgate.Is(tollgate.ScopeUser)}, nil
		},
		Records: api.Each(limitRecord),
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

// userLimit returns a user's rate limit; those of other scopes are not here.
func userLimit(ctx context.Context, tx tollgate.Tx, id int64) (tollgate.RateLimit, error) {
	l, err := tx.RateLimits.Get(ctx, id)
	if err == nil && l.Scope != tollgate.ScopeUser {
		err = tollgate.Errorf(tollgate.CodeNotFound, "another scope's")
	}
	return l, missing(err, "rate limit", id)
}

func (s *Server) deleteLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	if _, err := userLimit(ctx, tx, id); err != nil {
		return err
	}
	return s.Accounts.DeleteRateLimit(ctx, tx, by, id)
}

func (s *Server) saveLimit(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, in limitWrite) (int64, error) {
	row := tollgate.RateLimit{Scope: tollgate.ScopeUser, ModelPattern: "*"}
	if in.ID != 0 {
		have, err := userLimit(ctx, tx, in.ID)
		if err != nil {
			return 0, err
		}
		row = have
	}
	row.ScopeID, row.ModelPattern = in.UserID.Or(row.ScopeID), in.ModelPattern.Or(row.ModelPattern)
	if err := whose(row.ScopeID); err != nil {
		return 0, err
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
