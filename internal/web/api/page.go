package api

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"tollgate"
	"tollgate/internal/web"
)

// Page is the part of every query body that bounds and orders the answer.
type Page struct {
	Limit  int    `json:"limit,omitempty" minimum:"1" maximum:"1000" doc:"Rows per page; the default is 1000."`
	Cursor string `json:"cursor,omitempty" maxLength:"1024" doc:"x-next-cursor of the page before, with the same filter and sort."`
	Sort   string `json:"sort,omitempty" maxLength:"64" doc:"A column, \"-\" in front for descending; the default is id." example:"-id"`
}

// Cursors seals the position of a page, so that it can neither be read nor
// made up, and is good for the same caller and query only (SECURITY S-08, Z-11).
type Cursors struct{ Sealer tollgate.Sealer }

type position struct {
	Sort  string `json:"s,omitempty"`
	Value string `json:"v,omitempty"`
	ID    int64  `json:"i"`
}

func (c Cursors) label(ctx context.Context) tollgate.Label {
	e := web.EventFrom(ctx)
	return tollgate.Label{Table: "cursor", Column: e.Pattern, Row: e.Principal.UserID()}
}

// Open turns what the client sent into a store page.
func (c Cursors) Open(ctx context.Context, p Page) (tollgate.Page, error) {
	page := tollgate.Page{Limit: p.Limit, Sort: p.Sort}
	if p.Cursor == "" {
		return page, nil
	}
	bad := tollgate.Invalidf("cursor", "the cursor is not one of this query's; start again without it")
	sealed, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err != nil {
		return page, bad
	}
	plain, err := c.Sealer.Open(c.label(ctx), sealed)
	if err != nil {
		return page, bad
	}
	var at position
	if err := json.Unmarshal(plain, &at); err != nil || at.Sort != p.Sort {
		return page, bad
	}
	page.After = &tollgate.Cursor{Sort: at.Sort, Value: at.Value, ID: at.ID}
	return page, nil
}

// Seal returns the text for x-next-cursor; empty for nil.
func (c Cursors) Seal(ctx context.Context, next *tollgate.Cursor) (string, error) {
	if next == nil {
		return "", nil
	}
	plain, err := json.Marshal(position{next.Sort, next.Value, next.ID})
	if err != nil {
		return "", err
	}
	sealed, err := c.Sealer.Seal(c.label(ctx), plain)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(sealed), nil
}

// Done is the answer of a mutation.
type Done struct {
	OK bool  `json:"ok"`
	ID int64 `json:"id,omitempty" doc:"The record that was written."`
}

// DoneMany is the answer of a batch.
type DoneMany struct {
	OK  bool    `json:"ok"`
	IDs []int64 `json:"ids" doc:"The records in the order of the batch." nullable:"false"`
}

// ByID names one record.
type ByID struct {
	ID int64 `json:"id" required:"true" minimum:"1"`
}
