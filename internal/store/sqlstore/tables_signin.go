package sqlstore

import (
	"encoding/json"
	"time"

	"tollgate"
)

func identityTable() *spec[tollgate.Identity, tollgate.IdentityFilter] {
	type row = tollgate.Identity
	return &spec[row, tollgate.IdentityFilter]{
		name: "identities", noun: "identity",
		area: tollgate.AreaIdentity,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			text("provider", func(r *row) *string { return &r.Provider }),
			text("subject", func(r *row) *string { return &r.Subject }),
			text("email", func(r *row) *string { return &r.Email }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("last_used_at", func(r *row) *time.Time { return &r.LastUsedAt }),
		},
		filter: func(w *where, f tollgate.IdentityFilter) {
			ints(w, "id", f.ID)
			refs(w, "user_id", f.UserID)
			texts(w, "provider", f.Provider)
			texts(w, "subject", f.Subject)
		},
		sorts: []string{"provider", "created_at", "last_used_at"},
	}
}

func signInProviderTable() *spec[tollgate.SignInProvider, tollgate.SignInProviderFilter] {
	type row = tollgate.SignInProvider
	return &spec[row, tollgate.SignInProviderFilter]{
		name: "signin_providers", noun: "sign-in provider",
		area: tollgate.AreaSettings,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("name", func(r *row) *string { return &r.Name }),
			text("kind", func(r *row) *string { return &r.Kind }),
			boolean("enabled", func(r *row) *bool { return &r.Enabled }),
			document("settings", func(r *row) *json.RawMessage { return &r.Settings }),
			blob("secret", func(r *row) *[]byte { return &r.Secret }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.SignInProviderFilter) {
			ints(w, "id", f.ID)
			texts(w, "name", f.Name)
		},
		sorts: []string{"name", "created_at"},
	}
}
