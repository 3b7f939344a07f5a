package api

import (
	"context"

	"tollgate"
)

// Paged is a query body: its own filters and an embedded Page.
type Paged interface{ Paging() Page }

// Paging returns the page that the client asked for.
func (p Page) Paging() Page { return p }

// Source is one page of rows out of the store.
type Source[Row, F any] func(ctx context.Context, tx tollgate.Tx, f F, p tollgate.Page) ([]Row, *tollgate.Cursor, error)

// Rows is the Source of a table.
func Rows[Row, F any](table func(tollgate.Tx) tollgate.Table[Row, F]) Source[Row, F] {
	return func(ctx context.Context, tx tollgate.Tx, f F, p tollgate.Page) ([]Row, *tollgate.Cursor, error) {
		return table(tx).Query(ctx, f, p)
	}
}

// Listing is a query operation.
type Listing[B Paged, Row, F, Rec any] struct {
	Op     Op
	Source Source[Row, F]
	// Filter turns the body into what the store selects by; it also forces
	// what the caller may not choose.
	Filter func(ctx context.Context, body B) (F, error)
	// Records turns rows into their JSON, reading what else that needs.
	Records func(ctx context.Context, tx tollgate.Tx, rows []Row) ([]Rec, error)
}

// Mount mounts the operation.
func (l Listing[B, Row, F, Rec]) Mount(a *API, store tollgate.Store, cursors Cursors) {
	HandleList(a, l.Op, func(ctx context.Context, body *B) ([]Rec, string, error) {
		f, err := l.Filter(ctx, *body)
		if err != nil {
			return nil, "", err
		}
		page, err := cursors.Open(ctx, (*body).Paging())
		if err != nil {
			return nil, "", err
		}
		var recs []Rec
		var next *tollgate.Cursor
		err = store.View(ctx, func(tx tollgate.Tx) error {
			var rows []Row
			if rows, next, err = l.Source(ctx, tx, f, page); err != nil {
				return err
			}
			recs, err = l.Records(ctx, tx, rows)
			return err
		})
		if err != nil {
			return nil, "", err
		}
		text, err := cursors.Seal(ctx, next)
		return recs, text, err
	})
}

// Each is a Records function that needs the row alone.
func Each[Row, Rec any](record func(Row) Rec) func(context.Context, tollgate.Tx, []Row) ([]Rec, error) {
	return func(_ context.Context, _ tollgate.Tx, rows []Row) ([]Rec, error) {
		recs := make([]Rec, len(rows))
		for i, row := range rows {
			recs[i] = record(row)
		}
		return recs, nil
	}
}
