package sqlstore

import (
	"strings"

	"tollgate/internal/store/direct"
)

// rowWriter inserts rows of one table of the record.
type rowWriter[T any] struct {
	columns []column[T]
	stmt    *direct.Stmt
}

// newRowWriter prepares the insert; conflict ends it.
func newRowWriter[T any](c *direct.Conn, table string, columns []column[T], conflict string) (*rowWriter[T], error) {
	values := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	stmt, err := c.Prepare("INSERT INTO " + table + " (" + names(columns) + ") VALUES (" + values + ")" + conflict)
	return &rowWriter[T]{columns: columns, stmt: stmt}, err
}

// insert adds the row and reports whether it was not there before.
func (w *rowWriter[T]) insert(row *T) (bool, error) {
	for i := range w.columns {
		if c := &w.columns[i]; c.number != nil {
			w.stmt.Int(i+1, c.number(row))
		} else {
			w.stmt.Text(i+1, c.text(row))
		}
	}
	changed, err := w.stmt.Exec()
	return changed > 0, err
}

// exec runs a statement with numbers.
func exec(stmt *direct.Stmt, args ...int64) error {
	for i, v := range args {
		stmt.Int(i+1, v)
	}
	_, err := stmt.Exec()
	return err
}
