package sqlstore_test

import (
	"log/slog"
	"testing"

	"tollgate"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

func TestSQLiteKeepsTheContract(t *testing.T) {
	storetest.Run(t, func(t *testing.T) func() tollgate.Store {
		t.Helper()
		o := sqliteOptions(t)
		return func() tollgate.Store { return open(t, o) }
	})
}

func TestPostgresKeepsTheContract(t *testing.T) {
	if !storetest.HavePostgres(t) {
		return
	}
	storetest.Run(t, func(t *testing.T) func() tollgate.Store {
		t.Helper()
		o := postgresOptions(t)
		return func() tollgate.Store { return open(t, o) }
	})
}

// open opens a store that the test closes.
func open(t *testing.T, o sqlstore.Options) *sqlstore.Store {
	t.Helper()
	s, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		t.Fatalf("open: %v", err)
	}
	return s
}

// sqliteOptions name an empty SQLite database of the test.
func sqliteOptions(t *testing.T) sqlstore.Options {
	t.Helper()
	return sqlstore.Options{Dir: t.TempDir(), Now: stamp, Log: testLog(t)}
}

// postgresOptions name an empty schema of the test server.
func postgresOptions(t *testing.T) sqlstore.Options {
	t.Helper()
	return sqlstore.Options{DSN: storetest.PostgresDSN(t), Now: stamp, Log: testLog(t)}
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
