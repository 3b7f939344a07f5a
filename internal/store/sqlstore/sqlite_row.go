package sqlstore

import (
	"context"
	"database/sql/driver"
	"strings"
)

// maxShapes bounds the prepared statements of one table.
const maxShapes = 32

// rowWriter inserts rows of one table. Half of a row's columns hold nothing as
// a rule, and a value that is bound costs more than one that stands in the
// statement: so there is a statement for each set of columns that hold
// something, up to maxShapes, and one for all columns.
type rowWriter[T any] struct {
	table    string
	columns  []column[T]
	conflict string // what ends the statement
	prepare  func(query string) (driver.StmtExecContext, error)
	stmts    map[uint64]driver.StmtExecContext // by the columns that are bound
	args     []driver.NamedValue
}

func newRowWriter[T any](table string, columns []column[T], conflict string) *rowWriter[T] {
	return &rowWriter[T]{table: table, columns: columns, conflict: conflict, args: make([]driver.NamedValue, 0, len(columns))}
}

// use takes the connection that statements are prepared on from now.
func (w *rowWriter[T]) use(prepare func(query string) (driver.StmtExecContext, error)) {
	w.prepare, w.stmts = prepare, map[uint64]driver.StmtExecContext{}
}

// insert adds the row and reports whether it was not there before.
func (w *rowWriter[T]) insert(ctx context.Context, row *T) (bool, error) {
	stmt, err := w.bind(row)
	if err != nil {
		return false, err
	}
	res, err := stmt.ExecContext(ctx, w.args)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// bind fills the arguments with what the row holds and returns the statement
// that they belong to.
func (w *rowWriter[T]) bind(row *T) (driver.StmtExecContext, error) {
	set, err := w.bindSet(row, false)
	if err != nil {
		return nil, err
	}
	if stmt, ok := w.stmts[set]; ok {
		return stmt, nil
	}
	if len(w.stmts) >= maxShapes {
		if set, err = w.bindSet(row, true); err != nil {
			return nil, err
		}
		if stmt, ok := w.stmts[set]; ok {
			return stmt, nil
		}
	}
	stmt, err := w.prepare(w.query(set))
	if err == nil {
		w.stmts[set] = stmt
	}
	return stmt, err
}

// bindSet fills the arguments and returns the set of columns that they are of:
// all, or those that hold something.
func (w *rowWriter[T]) bindSet(row *T, all bool) (set uint64, err error) {
	w.args = w.args[:0]
	for i := range w.columns {
		v, err := w.columns[i].bind(row)
		if err != nil {
			return 0, err
		}
		if !all && isZero(v) {
			continue
		}
		set |= 1 << i
		w.args = append(w.args, driver.NamedValue{Ordinal: len(w.args) + 1, Value: v})
	}
	return set, nil
}

// isZero reports whether v is what a statement writes for a column that is not bound.
func isZero(v any) bool {
	switch v := v.(type) {
	case int64:
		return v == 0
	case string:
		return v == ""
	case bool:
		return !v
	default:
		return false
	}
}

// query is the statement that binds the columns of set.
func (w *rowWriter[T]) query(set uint64) string {
	values := make([]string, len(w.columns))
	for i, c := range w.columns {
		switch {
		case set&(1<<i) != 0:
			values[i] = "?"
		case c.kind == kindText:
			values[i] = "''"
		default:
			values[i] = "0"
		}
	}
	return "INSERT INTO " + w.table + " (" + names(w.columns) + ") VALUES (" + strings.Join(values, ", ") + ")" + w.conflict
}
