package sqlstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tollgate"
)

// spec declares a table: what its rows are, how they are selected and what
// else changes with them.
type spec[T, F any] struct {
	name string
	// noun is what messages call a row.
	noun string
	// area is what a write touches; owns is what a delete touches besides.
	area, owns tollgate.Area
	id         func(*T) *int64
	columns    []column[T]
	// filter turns a filter into conditions.
	filter func(*where, F)
	// sorts are the columns that a query may be sorted by, besides id.
	sorts []string
	// check looks at a row before it is written, beyond what the schema checks.
	check func(context.Context, *session, *T) error
	// release deletes what a row owns and the schema does not delete with it.
	release func(ctx context.Context, s *session, id int64) error
}

// table is a spec within one transaction.
type table[T, F any] struct {
	*spec[T, F]
	s *session
}

// Get returns the row with id, or CodeNotFound.
func (t table[T, F]) Get(ctx context.Context, id int64) (T, error) {
	var row T
	err := t.s.tx.QueryRowContext(ctx, "SELECT "+t.list()+" FROM "+t.name+" WHERE id = $1", id).Scan(t.dests(&row)...)
	if errors.Is(err, sql.ErrNoRows) {
		return row, t.missing(id)
	}
	return row, t.s.fail(ctx, err, "read "+t.noun)
}

// Query returns the rows that f selects and the cursor of the next page.
func (t table[T, F]) Query(ctx context.Context, f F, p tollgate.Page) ([]T, *tollgate.Cursor, error) {
	return pager[T]{
		from: t.name, noun: t.noun, columns: t.all(), sorts: t.sorts, id: t.id,
		filter: func(w *where) { t.filter(w, f) },
	}.run(ctx, t.s, p)
}

// Count returns how many rows f selects.
func (t table[T, F]) Count(ctx context.Context, f F) (int64, error) {
	w := &where{engine: t.s.engine}
	t.filter(w, f)
	return t.s.count(ctx, t.name, w, t.noun)
}

// Insert adds the row and sets its ID.
func (t table[T, F]) Insert(ctx context.Context, row *T) error {
	args, err := values(t.columns, row)
	if err != nil {
		return err
	}
	if t.check != nil {
		if err := t.check(ctx, t.s, row); err != nil {
			return err
		}
	}
	err = t.s.write(ctx, func() error {
		return t.s.tx.QueryRowContext(ctx, t.insertSQL(), args...).Scan(t.id(row))
	})
	if err != nil {
		return t.refused(ctx, err, row)
	}
	t.s.touch(t.area)
	return nil
}

// Update writes the whole row.
func (t table[T, F]) Update(ctx context.Context, row T) error {
	columns := slices.DeleteFunc(slices.Clone(t.columns), func(c column[T]) bool { return c.derived })
	args, err := values(columns, &row)
	if err != nil {
		return err
	}
	if t.check != nil {
		if err := t.check(ctx, t.s, &row); err != nil {
			return err
		}
	}
	id := *t.id(&row)
	n, err := t.s.exec(ctx, updateSQL(t.name, columns), append(args, id)...)
	if err != nil {
		return t.refused(ctx, err, &row)
	}
	if n == 0 {
		return t.missing(id)
	}
	t.s.touch(t.area)
	return nil
}

// Delete removes the row and what it owns.
func (t table[T, F]) Delete(ctx context.Context, id int64) error {
	if t.release != nil {
		if err := t.release(ctx, t.s, id); err != nil {
			return t.s.fail(ctx, err, "delete what "+t.noun+" owns")
		}
	}
	n, err := t.s.exec(ctx, "DELETE FROM "+t.name+" WHERE id = $1", id)
	if err != nil {
		return t.s.fail(ctx, err, "delete "+t.noun)
	}
	if n == 0 {
		return t.missing(id)
	}
	t.s.touch(t.area | t.owns)
	return nil
}

// all returns the columns with the id in front.
func (t *spec[T, F]) all() []column[T] {
	return append([]column[T]{integer("id", t.id)}, t.columns...)
}

func (t *spec[T, F]) list() string { return "id, " + names(t.columns) }

func (t *spec[T, F]) dests(row *T) []any {
	out := []any{t.id(row)}
	for _, c := range t.columns {
		out = append(out, c.dest(row))
	}
	return out
}

// values are what to write; derived columns of a new row begin with 0.
func values[T any](columns []column[T], row *T) ([]any, error) {
	out := make([]any, len(columns), len(columns)+1)
	for i, c := range columns {
		out[i] = int64(0)
		if c.derived {
			continue
		}
		v, err := c.bind(row)
		if err != nil {
			return nil, err
		}
		out[i] = v
	}
	return out, nil
}

func (t *spec[T, F]) insertSQL() string {
	marks := make([]string, len(t.columns))
	for i := range t.columns {
		marks[i] = "$" + strconv.Itoa(i+1)
	}
	return "INSERT INTO " + t.name + " (" + names(t.columns) + ") VALUES (" + strings.Join(marks, ", ") + ") RETURNING id"
}

func updateSQL[T any](table string, columns []column[T]) string {
	sets := make([]string, len(columns))
	for i, c := range columns {
		sets[i] = c.name + " = $" + strconv.Itoa(i+1)
	}
	return "UPDATE " + table + " SET " + strings.Join(sets, ", ") + " WHERE id = $" + strconv.Itoa(len(sets)+1)
}

func (t *spec[T, F]) missing(id int64) error {
	return tollgate.Errorf(tollgate.CodeNotFound, "%s %d does not exist", t.noun, id)
}

// refused turns the failure of a write into the error of the contract.
func (t table[T, F]) refused(ctx context.Context, err error, row *T) error {
	f := t.s.engine.classify(err)
	switch f.kind {
	case failUnique:
		e := tollgate.WrapError(tollgate.CodeConflict, err, "%s: %s is already taken", t.noun, f.field)
		if t.name == "users" && f.field == "role" {
			e.Message = "there is already a super admin"
		}
		e.Field = f.field
		return e
	case failCheck:
		e := tollgate.WrapError(tollgate.CodeInvalid, err, "%s: %s is not allowed", t.noun, f.field)
		e.Field = f.field
		return e
	case failReference:
		if f.field == "" {
			f.field = t.dangling(ctx, row)
		}
		e := tollgate.WrapError(tollgate.CodeInvalid, err, "%s: %s names a record that does not exist", t.noun, f.field)
		e.Field = f.field
		return e
	case failOther, failTransient:
	}
	return t.s.fail(ctx, err, "write "+t.noun)
}

// dangling finds the reference that points nowhere, for an engine that does
// not tell.
func (t table[T, F]) dangling(ctx context.Context, row *T) string {
	for _, c := range t.columns {
		if c.ref == "" {
			continue
		}
		id, err := c.bind(row)
		if err != nil {
			continue
		}
		if n, err := t.s.number(ctx, "SELECT COUNT(*) FROM "+c.ref+" WHERE id = $1", id); err == nil && n == 0 && id != (sql.NullInt64{}) {
			return c.name
		}
	}
	return "reference"
}

func names[T any](columns []column[T]) string {
	out := make([]string, len(columns))
	for i, c := range columns {
		out[i] = c.name
	}
	return strings.Join(out, ", ")
}

// pager reads one page of a table in the order of the page.
type pager[T any] struct {
	from, noun string
	columns    []column[T]
	sorts      []string
	id         func(*T) *int64
	filter     func(*where)
}

// order is a parsed Page.Sort.
type order struct {
	name string
	text bool
	desc bool
}

func (p pager[T]) order(sort string) (order, *column[T], error) {
	name, desc := strings.CutPrefix(sort, "-")
	if name == "" || name == "id" {
		return order{name: "id", desc: desc}, nil, nil
	}
	i := slices.IndexFunc(p.columns, func(c column[T]) bool { return c.name == name })
	if i < 0 || !slices.Contains(p.sorts, name) {
		allowed := strings.Join(append([]string{"id"}, p.sorts...), ", ")
		return order{}, nil, tollgate.Invalidf("sort", "cannot sort %s rows by %q; allowed: %s, with - in front for descending", p.noun, name, allowed)
	}
	return order{name: name, text: p.columns[i].kind == kindText, desc: desc}, &p.columns[i], nil
}

// run reads the page and returns the cursor of the next one.
func (p pager[T]) run(ctx context.Context, s *session, page tollgate.Page) ([]T, *tollgate.Cursor, error) {
	o, col, err := p.order(page.Sort)
	if err != nil {
		return nil, nil, err
	}
	w := &where{engine: s.engine}
	p.filter(w)
	if page.After != nil {
		if err := o.after(w, page); err != nil {
			return nil, nil, err
		}
	}
	limit := page.Limit
	if !page.All && (limit <= 0 || limit > tollgate.MaxPage) {
		limit = tollgate.MaxPage
	}
	query := "SELECT " + names(p.columns) + " FROM " + p.from + w.clause() + o.by()
	if limit > 0 {
		query += " LIMIT " + w.arg(int64(limit)+1)
	}
	rows, err := p.read(ctx, s, query, w.args)
	if err != nil {
		return nil, nil, err
	}
	if limit <= 0 || len(rows) <= limit {
		return rows, nil, nil
	}
	rows = rows[:limit]
	last := &rows[limit-1]
	next := &tollgate.Cursor{Sort: page.Sort, ID: *p.id(last)}
	if col != nil {
		v, err := col.bind(last)
		if err != nil {
			return nil, nil, err
		}
		next.Value = fmt.Sprint(v)
	}
	return rows, next, nil
}

func (p pager[T]) read(ctx context.Context, s *session, query string, args []any) ([]T, error) {
	rows, err := s.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, s.fail(ctx, err, "read "+p.noun+" rows")
	}
	defer func() { _ = rows.Close() }()
	var out []T
	dests := make([]any, len(p.columns))
	for rows.Next() {
		var row T
		for i := range p.columns {
			dests[i] = p.columns[i].dest(&row)
		}
		if err := rows.Scan(dests...); err != nil {
			return nil, s.fail(ctx, err, "read "+p.noun+" rows")
		}
		out = append(out, row)
	}
	return out, s.fail(ctx, rows.Err(), "read "+p.noun+" rows")
}

// by returns the ORDER BY clause; the id makes the order total.
func (o order) by() string {
	dir := ""
	if o.desc {
		dir = " DESC"
	}
	if o.name == "id" {
		return " ORDER BY id" + dir
	}
	return " ORDER BY " + o.name + dir + ", id" + dir
}

// after keeps the rows behind the cursor.
func (o order) after(w *where, page tollgate.Page) error {
	c := page.After
	if sortName(c.Sort) != sortName(page.Sort) {
		return tollgate.Invalidf("cursor", "the cursor belongs to another sort order")
	}
	op := " > "
	if o.desc {
		op = " < "
	}
	if o.name == "id" {
		w.add("id" + op + w.arg(c.ID))
		return nil
	}
	var value any = c.Value
	if o.text && !storable(c.Value) {
		return tollgate.Invalidf("cursor", "the cursor is damaged")
	}
	if !o.text {
		n, err := strconv.ParseInt(c.Value, 10, 64)
		if err != nil {
			return tollgate.Invalidf("cursor", "the cursor is damaged")
		}
		value = n
	}
	w.add("(" + o.name + ", id)" + op + "(" + w.arg(value) + ", " + w.arg(c.ID) + ")")
	return nil
}

// sortName is a sort with its default spelled out.
func sortName(sort string) string {
	switch sort {
	case "":
		return "id"
	case "-":
		return "-id"
	default:
		return sort
	}
}
