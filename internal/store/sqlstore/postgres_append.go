package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tollgate"
)

// append adds the batch by one statement that takes an array per column: one
// round trip, all or nothing. Rows go in by id, so that two batches with the
// same requests never wait for each other in a circle.
func (e *postgresEngine) append(ctx context.Context, rows []tollgate.Request) error {
	if err := e.owner.err(); err != nil {
		return err
	}
	rows = slices.Clone(rows)
	slices.SortStableFunc(rows, func(a, b tollgate.Request) int { return cmp.Compare(a.ID, b.ID) })
	rows = slices.CompactFunc(rows, func(a, b tollgate.Request) bool { return a.ID == b.ID })
	var dispatches []tollgate.UsageRow
	for i := range rows {
		for j := range rows[i].Dispatches {
			dispatches = append(dispatches, usageRow(&rows[i], j))
		}
	}
	args, err := arrays(e.usage.requests, rows, nil)
	if err != nil {
		return err
	}
	if args, err = arrays(e.usage.dispatches, dispatches, args); err != nil {
		return err
	}
	_, err = e.db.ExecContext(ctx, e.query, args...)
	return err
}

// appendQuery inserts requests, and the dispatches of those that were new.
func appendQuery(u *usageSpec) string {
	requests, n := unnest(u.requests, 0)
	dispatches, _ := unnest(u.dispatches, n)
	return "WITH added AS (INSERT INTO requests (" + names(u.requests) + ") SELECT * FROM " + requests +
		" ON CONFLICT DO NOTHING RETURNING id) INSERT INTO dispatches (" + names(u.dispatches) + ") SELECT d.* FROM " + dispatches +
		" AS d (" + names(u.dispatches) + ") JOIN added ON added.id = d.id - (d.id & " + strconv.Itoa(tollgate.MaxDispatches) + ")" +
		" ON CONFLICT DO NOTHING"
}

// unnest is the call that turns the arrays behind the first n arguments into
// rows; it returns how many arguments are used then.
func unnest[T any](columns []column[T], n int) (string, int) {
	args := make([]string, len(columns))
	for i, c := range columns {
		n++
		args[i] = fmt.Sprintf("CAST($%d AS %s[])", n, c.kind.postgres())
	}
	return "unnest(" + strings.Join(args, ", ") + ")", n
}

// postgres is the type of a column in PostgreSQL.
func (k kind) postgres() string {
	switch k {
	case kindText:
		return "TEXT"
	case kindBool:
		return "BOOLEAN"
	case kindBlob:
		return "BYTEA"
	case kindInt:
	}
	return "BIGINT"
}

// arrays appends one array per column to args.
func arrays[T any](columns []column[T], rows []T, args []any) ([]any, error) {
	for _, c := range columns {
		var arg any
		var err error
		switch c.kind {
		case kindText:
			arg, err = array[string](c, rows)
		case kindBool:
			arg, err = array[bool](c, rows)
		case kindBlob:
			arg, err = array[[]byte](c, rows)
		case kindInt:
			arg, err = array[int64](c, rows)
		}
		if err != nil {
			return nil, err
		}
		args = append(args, arg)
	}
	return args, nil
}

func array[V, T any](c column[T], rows []T) ([]V, error) {
	out := make([]V, len(rows))
	for i := range rows {
		v, err := c.bind(&rows[i])
		if err != nil {
			return nil, err
		}
		var ok bool
		if out[i], ok = v.(V); !ok {
			return nil, fmt.Errorf("column %s gives a %T", c.name, v)
		}
	}
	return out, nil
}
