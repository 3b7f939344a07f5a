package sqlstore

import (
	"time"

	"tollgate"
)

// askTable keeps asks. They touch no area: what an approval changes does.
func askTable() *spec[tollgate.Ask, tollgate.AskFilter] {
	type row = tollgate.Ask
	return &spec[row, tollgate.AskFilter]{
		name: "asks", noun: "ask",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			text("kind", func(r *row) *tollgate.AskKind { return &r.Kind }),
			text("window_name", func(r *row) *tollgate.Window { return &r.Window }),
			optional("amount", func(r *row) **tollgate.Money { return &r.Amount }),
			text("model", func(r *row) *string { return &r.Model }),
			text("note", func(r *row) *string { return &r.Note }),
			text("state", func(r *row) *tollgate.AskState { return &r.State }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			integer("decided_by", func(r *row) *int64 { return &r.DecidedBy }),
			instant("decided_at", func(r *row) *time.Time { return &r.DecidedAt }),
			text("decision_note", func(r *row) *string { return &r.DecisionNote }),
		},
		filter: func(w *where, f tollgate.AskFilter) {
			ints(w, "id", f.ID)
			ints(w, "user_id", f.UserID)
			texts(w, "kind", f.Kind)
			texts(w, "state", f.State)
		},
		sorts: []string{"created_at", "decided_at"},
	}
}
