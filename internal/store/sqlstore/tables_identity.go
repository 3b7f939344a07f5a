package sqlstore

import (
	"context"
	"net/netip"
	"time"

	"tollgate"
)

func userTable() *spec[tollgate.User, tollgate.UserFilter] {
	type row = tollgate.User
	return &spec[row, tollgate.UserFilter]{
		name: "users", noun: "user",
		area: tollgate.AreaIdentity, owns: tollgate.AreaSessions | tollgate.AreaMoney,
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("name", func(r *row) *string { return &r.Name }),
			text("email", func(r *row) *string { return &r.Email }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			integer("role", func(r *row) *tollgate.Role { return &r.Role }),
			blob("password", func(r *row) *[]byte { return &r.Password }),
			text("sso_provider", func(r *row) *string { return &r.SSOProvider }),
			text("sso_id", func(r *row) *string { return &r.SSOID }),
			reference("team_id", "teams", func(r *row) *int64 { return &r.TeamID }),
			text("team_role", func(r *row) *string { return &r.TeamRole }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("last_login_at", func(r *row) *time.Time { return &r.LastLoginAt }),
		},
		filter: func(w *where, f tollgate.UserFilter) {
			ints(w, "id", f.ID)
			texts(w, "name", f.Name)
			texts(w, "email", f.Email)
			enabled(w, f.Enabled)
			ints(w, "role", f.Role)
			refs(w, "team_id", f.TeamID)
			texts(w, "team_role", f.TeamRole)
		},
		sorts:   []string{"name", "email", "role", "created_at", "last_login_at"},
		release: releaseUser,
	}
}

// releaseUser deletes the quotas and rate limits of a user and of its keys.
func releaseUser(ctx context.Context, s *session, id int64) error {
	return releaseWithKeys(ctx, s, tollgate.ScopeUser, id, "user_id")
}

// releaseTeam deletes the quotas and rate limits of a team and of the keys that
// go with it.
func releaseTeam(ctx context.Context, s *session, id int64) error {
	return releaseWithKeys(ctx, s, tollgate.ScopeTeam, id, "team_id")
}

// releaseWithKeys is releaseScope for what owns keys, by a column of theirs.
func releaseWithKeys(ctx context.Context, s *session, scope tollgate.Scope, id int64, owner string) error {
	if err := releaseScope(ctx, s, scope, id); err != nil {
		return err
	}
	for _, name := range []string{"quotas", "rate_limits"} {
		query := "DELETE FROM " + name + " WHERE scope = 'key' AND scope_id IN (SELECT id FROM keys WHERE " + owner + " = $1)"
		if _, err := s.exec(ctx, query, id); err != nil {
			return err
		}
	}
	return nil
}

func keyTable() *spec[tollgate.Key, tollgate.KeyFilter] {
	type row = tollgate.Key
	return &spec[row, tollgate.KeyFilter]{
		name: "keys", noun: "key",
		area: tollgate.AreaIdentity, owns: tollgate.AreaMoney,
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			text("label", func(r *row) *string { return &r.Label }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			blob("digest", func(r *row) *[]byte { return &r.Digest }),
			blob("sealed", func(r *row) *[]byte { return &r.Sealed }),
			text("prefix", func(r *row) *string { return &r.Prefix }),
			text("last4", func(r *row) *string { return &r.Last4 }),
			instant("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
			instant("last_used_at", func(r *row) *time.Time { return &r.LastUsedAt }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			reference("created_by_key_id", "keys", func(r *row) *int64 { return &r.CreatedByKeyID }),
			list("surfaces", func(r *row) *[]tollgate.Surface { return &r.Surfaces }),
			list("models", func(r *row) *[]string { return &r.Models }),
			list("ip_allow", func(r *row) *[]netip.Prefix { return &r.IPAllow }),
			boolean("needs_secret", func(r *row) *bool { return &r.NeedsSecret }),
			text("on_leave", func(r *row) *tollgate.LeavePolicy { return &r.OnLeave }),
			text("payloads", func(r *row) *tollgate.PayloadMode { return &r.Payloads }),
			reference("team_id", "teams", func(r *row) *int64 { return &r.TeamID }),
		},
		filter: func(w *where, f tollgate.KeyFilter) {
			ints(w, "id", f.ID)
			ints(w, "user_id", f.UserID)
			enabled(w, f.Enabled)
			texts(w, "label", f.Label)
			refs(w, "created_by_key_id", f.CreatedByKeyID)
			refs(w, "team_id", f.TeamID)
		},
		sorts: []string{"user_id", "label", "expires_at", "last_used_at", "created_at"},
		release: func(ctx context.Context, s *session, id int64) error {
			return releaseScope(ctx, s, tollgate.ScopeKey, id)
		},
	}
}

func teamTable() *spec[tollgate.Team, tollgate.TeamFilter] {
	type row = tollgate.Team
	return &spec[row, tollgate.TeamFilter]{
		name: "teams", noun: "team",
		area: tollgate.AreaIdentity, owns: tollgate.AreaMoney,
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("name", func(r *row) *string { return &r.Name }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.TeamFilter) {
			ints(w, "id", f.ID)
			texts(w, "name", f.Name)
		},
		sorts:   []string{"name", "created_at"},
		release: releaseTeam,
	}
}

func teamPermissionTable() *spec[tollgate.TeamPermission, tollgate.TeamPermissionFilter] {
	type row = tollgate.TeamPermission
	return &spec[row, tollgate.TeamPermissionFilter]{
		name: "team_permissions", noun: "team permission",
		area: tollgate.AreaIdentity,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("team_id", "teams", func(r *row) *int64 { return &r.TeamID }),
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
			text("model_pattern", func(r *row) *string { return &r.ModelPattern }),
		},
		filter: func(w *where, f tollgate.TeamPermissionFilter) {
			ints(w, "id", f.ID)
			ints(w, "team_id", f.TeamID)
			refs(w, "provider_id", f.ProviderID)
		},
		sorts: []string{"team_id", "model_pattern"},
	}
}

func sessionTable() *spec[tollgate.Session, tollgate.SessionFilter] {
	type row = tollgate.Session
	return &spec[row, tollgate.SessionFilter]{
		name: "sessions", noun: "session",
		area: tollgate.AreaSessions,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			blob("digest", func(r *row) *[]byte { return &r.Digest }),
			text("method", func(r *row) *string { return &r.Method }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("signed_in_at", func(r *row) *time.Time { return &r.SignedInAt }),
			instant("last_seen_at", func(r *row) *time.Time { return &r.LastSeenAt }),
			instant("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
			text("ip", func(r *row) *string { return &r.IP }),
			text("user_agent", func(r *row) *string { return &r.UserAgent }),
			boolean("enrol_only", func(r *row) *bool { return &r.EnrolOnly }),
		},
		filter: func(w *where, f tollgate.SessionFilter) {
			ints(w, "id", f.ID)
			ints(w, "user_id", f.UserID)
			period(w, "expires_at", time.Time{}, f.ExpiredBefore)
		},
		sorts: []string{"user_id", "created_at", "last_seen_at", "expires_at"},
	}
}

func permissionTable() *spec[tollgate.Permission, tollgate.PermissionFilter] {
	type row = tollgate.Permission
	return &spec[row, tollgate.PermissionFilter]{
		name: "permissions", noun: "permission",
		area: tollgate.AreaIdentity,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
			text("model_pattern", func(r *row) *string { return &r.ModelPattern }),
			boolean("automatic", func(r *row) *bool { return &r.Automatic }),
		},
		filter: permissionFilter,
		sorts:  []string{"user_id", "model_pattern"},
	}
}

func filePermissionTable() *spec[tollgate.FilePermission, tollgate.PermissionFilter] {
	type row = tollgate.FilePermission
	return &spec[row, tollgate.PermissionFilter]{
		name: "file_permissions", noun: "file permission",
		area: tollgate.AreaIdentity,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			reference("provider_id", "providers", func(r *row) *int64 { return &r.ProviderID }),
		},
		filter: permissionFilter,
		sorts:  []string{"user_id"},
	}
}

func permissionFilter(w *where, f tollgate.PermissionFilter) {
	ints(w, "id", f.ID)
	ints(w, "user_id", f.UserID)
	refs(w, "provider_id", f.ProviderID)
}
