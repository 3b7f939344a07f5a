// Package foreign reads tables of SQLite files that other products made. It
// changes nothing in them.
package foreign

import (
	"context"
	"database/sql"
	"net/url"
	"strings"

	_ "modernc.org/sqlite" // the driver

	"tollgate"
)

// Row is a row by the names of its columns: text, int, float64 or nil.
type Row map[string]any

// Rows calls each with every row of a table, at most limit of them, ordered by
// its first column. Errors are CodeInvalid, or those of each; more rows than
// limit are CodeTooLarge.
func Rows(ctx context.Context, path, table string, limit int, each func(Row) error) error {
	db, err := sql.Open("sqlite", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro")
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "%s cannot be opened", path)
	}
	defer db.Close()                                                                                                          //nolint:errcheck // read only
	rows, err := db.QueryContext(ctx, `SELECT * FROM "`+strings.ReplaceAll(table, `"`, `""`)+`" ORDER BY 1 LIMIT ?`, limit+1) //nolint:gosec // the name is quoted
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "%s is no SQLite file with a table %s", path, table)
	}
	defer rows.Close() //nolint:errcheck // read only
	columns, err := rows.Columns()
	if err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "the table %s cannot be read", table)
	}
	for n := 1; rows.Next(); n++ {
		if n > limit {
			return tollgate.Errorf(tollgate.CodeTooLarge, "the table %s has more than %d rows", table, limit)
		}
		row, err := scan(rows, columns)
		if err != nil {
			return tollgate.WrapError(tollgate.CodeInvalid, err, "a row of %s cannot be read", table)
		}
		if err := each(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return tollgate.WrapError(tollgate.CodeInvalid, err, "the table %s cannot be read to its end", table)
	}
	return nil
}

func scan(rows *sql.Rows, columns []string) (Row, error) {
	values, dests := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		dests[i] = &values[i]
	}
	if err := rows.Scan(dests...); err != nil {
		return nil, err
	}
	row := Row{}
	for i, c := range columns {
		switch x := values[i].(type) {
		case int64:
			row[c] = int(x)
		case []byte:
			row[c] = string(x)
		default:
			row[c] = x
		}
	}
	return row, nil
}
