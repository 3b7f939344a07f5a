package sqlstore

import (
	"time"

	"tollgate"
)

// linkTable keeps links. They touch no area: nothing in memory knows them.
func linkTable() *spec[tollgate.Link, tollgate.LinkFilter] {
	type row = tollgate.Link
	return &spec[row, tollgate.LinkFilter]{
		name: "links", noun: "link",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("purpose", func(r *row) *tollgate.LinkPurpose { return &r.Purpose }),
			text("digest", func(r *row) *string { return &r.Digest }),
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			integer("role", func(r *row) *tollgate.Role { return &r.Role }),
			reference("team_id", "teams", func(r *row) *int64 { return &r.TeamID }),
			text("team_role", func(r *row) *string { return &r.TeamRole }),
			text("email", func(r *row) *string { return &r.Email }),
			text("label", func(r *row) *string { return &r.Label }),
			integer("created_by", func(r *row) *int64 { return &r.CreatedBy }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
			instant("used_at", func(r *row) *time.Time { return &r.UsedAt }),
			integer("used_by", func(r *row) *int64 { return &r.UsedBy }),
		},
		filter: func(w *where, f tollgate.LinkFilter) {
			ints(w, "id", f.ID)
			texts(w, "purpose", f.Purpose)
			texts(w, "digest", f.Digest)
			refs(w, "user_id", f.UserID)
			refs(w, "team_id", f.TeamID)
		},
		sorts: []string{"created_at", "expires_at"},
	}
}
