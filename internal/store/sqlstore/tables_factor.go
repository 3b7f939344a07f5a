package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tollgate"
)

func factorTable() *spec[tollgate.Factor, tollgate.FactorFilter] {
	type row = tollgate.Factor
	return &spec[row, tollgate.FactorFilter]{
		name: "factors", noun: "factor",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			text("kind", func(r *row) *tollgate.FactorKind { return &r.Kind }),
			text("label", func(r *row) *string { return &r.Label }),
			blob("handle", func(r *row) *[]byte { return &r.Handle }),
			blob("sealed", func(r *row) *[]byte { return &r.Sealed }),
			boolean("confirmed", func(r *row) *bool { return &r.Confirmed }),
			integer("counter", func(r *row) *int64 { return &r.Counter }),
			instant("warned", func(r *row) *time.Time { return &r.Warned }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("last_used_at", func(r *row) *time.Time { return &r.LastUsedAt }),
		},
		filter: func(w *where, f tollgate.FactorFilter) {
			ints(w, "id", f.ID)
			ints(w, "user_id", f.UserID)
			texts(w, "kind", f.Kind)
		},
		sorts: []string{"user_id", "created_at", "last_used_at"},
	}
}

// factors keeps factors, and which one-time tokens were used. It touches no
// area: what a change of factors ends are sessions.
type factors struct {
	table[tollgate.Factor, tollgate.FactorFilter]
}

var _ tollgate.Factors = factors{}

// ByHandle returns the factor of that kind and handle.
func (t factors) ByHandle(ctx context.Context, kind tollgate.FactorKind, handle []byte) (tollgate.Factor, error) {
	var row tollgate.Factor
	err := t.s.tx.QueryRowContext(ctx, "SELECT "+t.list()+" FROM factors WHERE kind = $1 AND handle = $2", string(kind), handle).Scan(t.dests(&row)...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, tollgate.Errorf(tollgate.CodeNotFound, "there is no such factor")
	}
	return row, t.s.fail(ctx, err, "read a factor")
}

// Spend notes that a token was used.
func (t factors) Spend(ctx context.Context, digest []byte, expires time.Time) error {
	n, err := t.s.exec(ctx, "INSERT INTO spent_tokens (digest, expires_at) VALUES ($1, $2) ON CONFLICT (digest) DO NOTHING", digest, micros(expires))
	switch {
	case err != nil:
		return t.s.fail(ctx, err, "note a used token")
	case n == 0:
		return tollgate.Errorf(tollgate.CodeConflict, "this token was used before")
	}
	t.s.touch(0)
	return nil
}

// Forget removes notes that expired before a time.
func (t factors) Forget(ctx context.Context, before time.Time) error {
	_, err := t.s.exec(ctx, "DELETE FROM spent_tokens WHERE expires_at < $1", micros(before))
	t.s.touch(0)
	return t.s.fail(ctx, err, "forget used tokens")
}
