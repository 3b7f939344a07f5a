package sqlstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"tollgate/internal/store/migrations"
)

// rowsPerReport is how many rows are copied between two reports of progress.
const rowsPerReport = 1000

// rowSource is a database that rows are copied from. What there is to copy is
// read from its own schema, so that a backup never misses a new column.
type rowSource interface {
	querier
	// tables returns the names of the tables.
	tables(ctx context.Context) ([]string, error)
	// columns returns the names of a table's columns.
	columns(ctx context.Context, table string) ([]string, error)
	// lastIDs returns the highest id each table has ever given out.
	lastIDs(ctx context.Context) (map[string]int64, error)
}

// rowSink is an empty database of the same schema. Its references are not
// checked before its transaction ends.
type rowSink interface {
	// fill adds the rows that next returns until it returns nil.
	fill(ctx context.Context, table string, columns []string, next func() ([]any, error)) error
	// setLastID makes the table continue behind id.
	setLastID(ctx context.Context, table string, id int64) error
}

// copyRows copies every table.
func copyRows(ctx context.Context, from rowSource, to rowSink, progress func(done, total int64)) error {
	tables, err := from.tables(ctx)
	if err != nil {
		return fmt.Errorf("list tables: %w", err)
	}
	var done, total int64
	for _, table := range tables {
		var n int64
		if err := from.QueryRowContext(ctx, "SELECT COUNT(*) FROM "+quoted(table)).Scan(&n); err != nil {
			return fmt.Errorf("count %s: %w", table, err)
		}
		total += n
	}
	report := func() {
		if done++; done%rowsPerReport == 0 {
			progress(done, total)
		}
	}
	for _, table := range tables {
		if err := copyTable(ctx, from, to, table, report); err != nil {
			return fmt.Errorf("copy %s: %w", table, err)
		}
	}
	progress(done, total)
	ids, err := from.lastIDs(ctx)
	if err != nil {
		return fmt.Errorf("read the last ids: %w", err)
	}
	for table, id := range ids {
		if err := to.setLastID(ctx, table, id); err != nil {
			return fmt.Errorf("set the last id of %s: %w", table, err)
		}
	}
	return nil
}

func copyTable(ctx context.Context, from rowSource, to rowSink, table string, report func()) error {
	columns, err := from.columns(ctx, table)
	if err != nil {
		return err
	}
	rows, err := from.QueryContext(ctx, "SELECT "+quoted(columns...)+" FROM "+quoted(table)+" ORDER BY 1")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	err = to.fill(ctx, table, columns, func() ([]any, error) {
		if !rows.Next() {
			return nil, rows.Err()
		}
		values, dests := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			dests[i] = &values[i]
		}
		report()
		return values, rows.Scan(dests...)
	})
	if err != nil {
		return err
	}
	return rows.Err()
}

// quoted is a list of names that come from a file, fit for a query.
func quoted(names ...string) string {
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = pgx.Identifier{name}.Sanitize()
	}
	return strings.Join(out, ", ")
}

// textColumn reads one column of text.
func textColumn(ctx context.Context, db querier, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var out []string
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// sqliteSource copies from a SQLite file.
type sqliteSource struct{ querier }

func (s sqliteSource) tables(ctx context.Context) ([]string, error) {
	return textColumn(ctx, s, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> $1 ORDER BY rowid", migrations.Table)
}

func (s sqliteSource) columns(ctx context.Context, table string) ([]string, error) {
	return textColumn(ctx, s, "SELECT name FROM pragma_table_info($1) ORDER BY cid", table)
}

func (s sqliteSource) lastIDs(ctx context.Context) (map[string]int64, error) {
	return idTable(ctx, s, "SELECT name, seq FROM sqlite_sequence WHERE name <> '"+migrations.Table+"'")
}

func idTable(ctx context.Context, db querier, query string) (map[string]int64, error) {
	out := map[string]int64{}
	return out, collect(ctx, db, query, func(scan func(...any) error) error {
		var name string
		var id int64
		err := scan(&name, &id)
		out[name] = id
		return err
	})
}

// postgresSource copies from a PostgreSQL schema.
type postgresSource struct{ querier }

func (s postgresSource) tables(ctx context.Context) ([]string, error) {
	return textColumn(ctx, s, `SELECT CAST(c.relname AS TEXT) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname = current_schema() AND c.relkind = 'r' AND c.relname <> $1 ORDER BY c.oid`, migrations.Table)
}

func (s postgresSource) columns(ctx context.Context, table string) ([]string, error) {
	return textColumn(ctx, s, `SELECT CAST(column_name AS TEXT) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 ORDER BY ordinal_position`, table)
}

func (s postgresSource) lastIDs(ctx context.Context) (map[string]int64, error) {
	tables, err := textColumn(ctx, s, `SELECT CAST(table_name AS TEXT) FROM information_schema.columns
		WHERE table_schema = current_schema() AND column_name = 'id' AND is_identity = 'YES' AND table_name <> $1`, migrations.Table)
	if err != nil {
		return nil, err
	}
	out := map[string]int64{}
	for _, table := range tables {
		var sequence string
		var last int64
		if err := s.QueryRowContext(ctx, "SELECT pg_get_serial_sequence($1, 'id')", table).Scan(&sequence); err != nil {
			return nil, err
		}
		query := "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM " + sequence
		if err := s.QueryRowContext(ctx, query).Scan(&last); err != nil {
			return nil, err
		}
		out[table] = last
	}
	return out, nil
}

// sqliteSink fills a SQLite file.
type sqliteSink struct{ tx *sql.Tx }

func (s sqliteSink) fill(ctx context.Context, table string, columns []string, next func() ([]any, error)) error {
	marks := strings.TrimSuffix(strings.Repeat("?, ", len(columns)), ", ")
	stmt, err := s.tx.PrepareContext(ctx, "INSERT INTO "+quoted(table)+" ("+quoted(columns...)+") VALUES ("+marks+")") //nolint:gosec // names are quoted
	if err != nil {
		return err
	}
	defer func() { _ = stmt.Close() }()
	for {
		row, err := next()
		if err != nil || row == nil {
			return err
		}
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
}

func (s sqliteSink) setLastID(ctx context.Context, table string, id int64) error {
	if _, err := s.tx.ExecContext(ctx, "DELETE FROM sqlite_sequence WHERE name = $1", table); err != nil {
		return err
	}
	_, err := s.tx.ExecContext(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES ($1, $2)", table, id)
	return err
}

// postgresSink fills a PostgreSQL schema by COPY, on the connection of its
// transaction.
type postgresSink struct {
	conn *sql.Conn
	tx   *sql.Tx
}

func (s postgresSink) fill(ctx context.Context, table string, columns []string, next func() ([]any, error)) error {
	booleans, err := textColumn(ctx, s.tx, `SELECT CAST(column_name AS TEXT) FROM information_schema.columns
		WHERE table_schema = current_schema() AND table_name = $1 AND data_type = 'boolean'`, table)
	if err != nil {
		return err
	}
	isBool := make([]bool, len(columns))
	for i, c := range columns {
		for _, b := range booleans {
			isBool[i] = isBool[i] || c == b
		}
	}
	return s.conn.Raw(func(raw any) error {
		std, ok := raw.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("driver connection is a %T", raw)
		}
		rows := pgx.CopyFromFunc(func() ([]any, error) {
			row, err := next()
			for i := range row {
				if n, ok := row[i].(int64); ok && isBool[i] {
					row[i] = n != 0
				}
			}
			return row, err
		})
		_, err := std.Conn().CopyFrom(ctx, pgx.Identifier{table}, columns, rows)
		return err
	})
}

func (s postgresSink) setLastID(ctx context.Context, table string, id int64) error {
	if id == 0 {
		return nil
	}
	var set int64
	return s.tx.QueryRowContext(ctx, "SELECT setval(pg_get_serial_sequence($1, 'id'), $2)", table, id).Scan(&set)
}
