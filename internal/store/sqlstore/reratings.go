package sqlstore

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

func reratingTable() *spec[tollgate.Rerating, struct{}] {
	type row = tollgate.Rerating
	return &spec[row, struct{}]{
		name: "reratings", noun: "re-rating",
		area: tollgate.AreaMoney,
		id:   func(r *row) *int64 { return &r.ID },
		columns: []column[row]{
			instant("at", func(r *row) *time.Time { return &r.At }),
			instant("since", func(r *row) *time.Time { return &r.Since }),
			instant("until", func(r *row) *time.Time { return &r.Until }),
			text("selection", func(r *row) *string { return &r.Selection }),
			integer("price_version", func(r *row) *int64 { return &r.PriceVersion }),
			integer("book_version", func(r *row) *int64 { return &r.BookVersion }),
			integer("dispatches", func(r *row) *int64 { return &r.Dispatches }),
			integer("changed", func(r *row) *int64 { return &r.Changed }),
			integer("cost_before", func(r *row) *tollgate.Money { return &r.Before }),
			integer("cost_after", func(r *row) *tollgate.Money { return &r.After }),
			text("reason", func(r *row) *string { return &r.Reason }),
			integer("actor_id", func(r *row) *int64 { return &r.ActorID }),
			text("actor_name", func(r *row) *string { return &r.ActorName }),
			text("via", func(r *row) *string { return &r.Via }),
		},
		filter: func(*where, struct{}) {},
	}
}

func reratedColumns() []column[tollgate.Rerated] {
	type row = tollgate.Rerated
	return []column[row]{
		integer("id", func(r *row) *tollgate.RequestID { return &r.ID }),
		integer("cost", func(r *row) *tollgate.Money { return &r.Cost }),
		integer("was", func(r *row) *tollgate.Money { return &r.Was }),
		integer("price_version", func(r *row) *int64 { return &r.PriceVersion }),
		integer("rerating_id", func(r *row) *int64 { return &r.ReratingID }),
	}
}

// reratedAtOnce is how many rows one statement writes.
const reratedAtOnce = 500

// Rerate appends the record and writes what each row costs since.
func (l ledger) Rerate(ctx context.Context, r *tollgate.Rerating, rows []tollgate.Rerated) error {
	if err := l.reratings.Insert(ctx, r); err != nil {
		return err
	}
	columns := reratedColumns()
	for part := range slices.Chunk(rows, reratedAtOnce) {
		args := make([]any, 0, len(part)*len(columns))
		var marks strings.Builder
		for i := range part {
			part[i].ReratingID = r.ID
			vals, err := values(columns, &part[i])
			if err != nil {
				return err
			}
			marks.WriteString(strings.Repeat(", ", min(i, 1)) + "(")
			for n := range vals {
				marks.WriteString(strings.Repeat(", ", min(n, 1)) + "$" + strconv.Itoa(len(args)+n+1))
			}
			marks.WriteByte(')')
			args = append(args, vals...)
		}
		query := "INSERT INTO rerated (" + names(columns) + ") VALUES " + marks.String() + " ON CONFLICT (id) DO UPDATE SET" +
			" cost = excluded.cost, was = excluded.was, price_version = excluded.price_version, rerating_id = excluded.rerating_id"
		if _, err := l.s.exec(ctx, query, args...); err != nil {
			return l.s.fail(ctx, err, "write down a re-rating")
		}
	}
	return nil
}

// Reratings returns records, sorted by id.
func (l ledger) Reratings(ctx context.Context, p tollgate.Page) ([]tollgate.Rerating, *tollgate.Cursor, error) {
	return l.reratings.Query(ctx, struct{}{}, p)
}

// Rerated returns what is noted of a range of dispatches.
func (l ledger) Rerated(ctx context.Context, first, last tollgate.RequestID) ([]tollgate.Rerated, error) {
	rows, _, err := pager[tollgate.Rerated]{
		from: "rerated", noun: "re-rated", columns: reratedColumns(),
		id: func(r *tollgate.Rerated) *int64 { return (*int64)(&r.ID) },
		filter: func(w *where) {
			w.add("id >= " + w.arg(int64(first)))
			w.add("id <= " + w.arg(int64(last)))
		},
	}.run(ctx, l.s, tollgate.Page{All: true})
	return rows, err
}
