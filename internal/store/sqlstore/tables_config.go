package sqlstore

import (
	"time"

	"tollgate"
)

func configVersionTable() *spec[tollgate.ConfigVersion, tollgate.ConfigVersionFilter] {
	type row = tollgate.ConfigVersion
	return &spec[row, tollgate.ConfigVersionFilter]{
		name: "config_versions", noun: "version",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			instant("at", func(r *row) *time.Time { return &r.At }),
			integer("actor_id", func(r *row) *int64 { return &r.ActorID }),
			text("actor_name", func(r *row) *string { return &r.ActorName }),
			text("via", func(r *row) *string { return &r.Via }),
			text("origin", func(r *row) *tollgate.ConfigOrigin { return &r.Origin }),
			integer("rolled_back_to", func(r *row) *int64 { return &r.RolledBackTo }),
			integer("created", func(r *row) *int { return &r.Created }),
			integer("updated", func(r *row) *int { return &r.Updated }),
			integer("deleted", func(r *row) *int { return &r.Deleted }),
			integer("before_id", func(r *row) *int64 { return &r.BeforeID }),
			integer("after_id", func(r *row) *int64 { return &r.AfterID }),
		},
		filter: func(w *where, f tollgate.ConfigVersionFilter) {
			ints(w, "id", f.ID)
			ints(w, "actor_id", f.ActorID)
			texts(w, "origin", f.Origin)
		},
		sorts: []string{"at"},
	}
}

func configTextTable() *spec[tollgate.ConfigText, tollgate.ConfigTextFilter] {
	type row = tollgate.ConfigText
	return &spec[row, tollgate.ConfigTextFilter]{
		name: "config_texts", noun: "text",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("digest", func(r *row) *string { return &r.Digest }),
			blob("text", func(r *row) *[]byte { return &r.Text }),
		},
		filter: func(w *where, f tollgate.ConfigTextFilter) {
			ints(w, "id", f.ID)
			texts(w, "digest", f.Digest)
		},
	}
}

func syncTargetTable() *spec[tollgate.SyncTarget, tollgate.SyncTargetFilter] {
	type row = tollgate.SyncTarget
	return &spec[row, tollgate.SyncTargetFilter]{
		name: "sync_targets", noun: "sync target",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			text("name", func(r *row) *string { return &r.Name }),
			text("kind", func(r *row) *tollgate.SyncKind { return &r.Kind }),
			text("location", func(r *row) *string { return &r.Location }),
			text("file", func(r *row) *string { return &r.File }),
			text("username", func(r *row) *string { return &r.Username }),
			blob("password", func(r *row) *[]byte { return &r.Password }),
			blob("passphrase", func(r *row) *[]byte { return &r.Passphrase }),
			boolean("with_secrets", func(r *row) *bool { return &r.WithSecrets }),
			text("seen", func(r *row) *string { return &r.Seen }),
			instant("pushed_at", func(r *row) *time.Time { return &r.PushedAt }),
			instant("pulled_at", func(r *row) *time.Time { return &r.PulledAt }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
		},
		filter: func(w *where, f tollgate.SyncTargetFilter) {
			ints(w, "id", f.ID)
			texts(w, "name", f.Name)
			texts(w, "kind", f.Kind)
		},
		sorts: []string{"name"},
	}
}
