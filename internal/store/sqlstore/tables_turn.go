package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"tollgate"
)

func turnTable() *spec[tollgate.Turn, struct{}] {
	type row = tollgate.Turn
	return &spec[row, struct{}]{
		name: "turns", noun: "turn",
		id: func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			reference("user_id", "users", func(r *row) *int64 { return &r.UserID }),
			text("response_id", func(r *row) *string { return &r.ResponseID }),
			instant("created_at", func(r *row) *time.Time { return &r.CreatedAt }),
			instant("expires_at", func(r *row) *time.Time { return &r.ExpiresAt }),
			blob("sealed", func(r *row) *[]byte { return &r.Sealed }),
			computed("size", func(r *row) int64 { return int64(len(r.Sealed)) }),
		},
	}
}

// turns keeps turns by owner and response id. It touches no area: nothing waits
// for the change feed.
type turns struct {
	rows table[tollgate.Turn, struct{}]
}

const (
	// ofOwner selects the turns of an owner, 0 for the service key.
	ofOwner = "COALESCE(user_id, 0) = $1"
	oneTurn = ofOwner + " AND response_id = $2"
)

// Put adds the turn in place of one with the same owner and response id.
func (t turns) Put(ctx context.Context, row *tollgate.Turn) error {
	s := t.rows.s
	if _, err := s.exec(ctx, "DELETE FROM turns WHERE "+oneTurn, row.UserID, row.ResponseID); err != nil {
		return s.fail(ctx, err, "replace a turn")
	}
	args, err := values(t.rows.columns, row)
	if err != nil {
		return err
	}
	err = s.write(ctx, func() error { return s.tx.QueryRowContext(ctx, t.rows.insertSQL(), args...).Scan(&row.ID) })
	if err != nil {
		return t.rows.refused(ctx, err, row)
	}
	return nil
}

// Get returns the turn.
func (t turns) Get(ctx context.Context, userID int64, responseID string) (tollgate.Turn, error) {
	var row tollgate.Turn
	s := t.rows.s
	err := s.tx.QueryRowContext(ctx, "SELECT "+t.rows.list()+" FROM turns WHERE "+oneTurn, userID, responseID).Scan(t.rows.dests(&row)...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, tollgate.Errorf(tollgate.CodeNotFound, "turn %q does not exist", responseID)
	}
	return row, s.fail(ctx, err, "read a turn")
}

// Delete removes the turn.
func (t turns) Delete(ctx context.Context, userID int64, responseID string) (int64, error) {
	var id, size int64
	s := t.rows.s
	err := s.tx.QueryRowContext(ctx, "SELECT id, size FROM turns WHERE "+oneTurn, userID, responseID).Scan(&id, &size)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return 0, tollgate.Errorf(tollgate.CodeNotFound, "turn %q does not exist", responseID)
	case err != nil:
		return 0, s.fail(ctx, err, "read a turn")
	}
	_, err = s.exec(ctx, "DELETE FROM turns WHERE id = $1", id)
	return size, s.fail(ctx, err, "delete a turn")
}

// Size sums the owner's turns.
func (t turns) Size(ctx context.Context, userID int64) (int64, error) {
	n, err := t.rows.s.number(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM turns WHERE "+ofOwner, userID)
	return n, t.rows.s.fail(ctx, err, "sum turns")
}

// Trim removes the owner's oldest turns.
func (t turns) Trim(ctx context.Context, userID, bytes int64, limit int) (freed int64, err error) {
	s := t.rows.s
	var last int64
	err = collect(ctx, s.tx, "SELECT id, size FROM turns WHERE "+ofOwner+" ORDER BY id LIMIT $2", func(scan func(...any) error) error {
		var id, size int64
		if err := scan(&id, &size); err != nil || freed >= bytes {
			return err
		}
		last, freed = id, freed+size
		return nil
	}, userID, limit)
	if err == nil && last > 0 {
		_, err = s.exec(ctx, "DELETE FROM turns WHERE "+ofOwner+" AND id <= $2", userID, last)
	}
	return freed, s.fail(ctx, err, "trim turns")
}

// Prune removes turns that expired before a time.
func (t turns) Prune(ctx context.Context, before time.Time, limit int) (int64, error) {
	s := t.rows.s
	n, err := s.exec(ctx, "DELETE FROM turns WHERE id IN (SELECT id FROM turns WHERE expires_at < $1 ORDER BY expires_at LIMIT $2)", micros(before), limit)
	return n, s.fail(ctx, err, "prune turns")
}
