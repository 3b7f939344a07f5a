package sqlstore_test

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"

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
	if !havePostgres(t) {
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
	dsn := os.Getenv("TOLLGATE_TEST_PG")
	schema := "test_" + rand.Text()
	admin(t, dsn, `CREATE SCHEMA "`+schema+`"`)
	t.Cleanup(func() { admin(t, dsn, `DROP SCHEMA "`+schema+`" CASCADE`) })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", `"`+schema+`"`)
	u.RawQuery = query.Encode()
	return sqlstore.Options{DSN: u.String(), Now: stamp, Log: testLog(t)}
}

// admin runs a statement on the test server.
func admin(t *testing.T, dsn, query string) {
	t.Helper()
	ctx := context.WithoutCancel(t.Context())
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatalf("connect to the test server: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, query); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// havePostgres reports whether there is a test server; with TOLLGATE_TEST_ALL
// a missing one is a failure.
func havePostgres(t *testing.T) bool {
	t.Helper()
	if os.Getenv("TOLLGATE_TEST_PG") != "" {
		return true
	}
	if os.Getenv("TOLLGATE_TEST_ALL") != "" {
		t.Fatal("TOLLGATE_TEST_ALL is set but TOLLGATE_TEST_PG names no PostgreSQL server")
	}
	t.Log("LEFT OUT: the PostgreSQL half, since TOLLGATE_TEST_PG names no server (make test brings one)")
	return false
}

func testLog(t *testing.T) *slog.Logger {
	t.Helper()
	return slog.New(slog.NewTextHandler(t.Output(), nil))
}
