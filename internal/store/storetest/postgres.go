package storetest

import (
	"context"
	"crypto/rand"
	"net/url"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
)

// HavePostgres reports whether TOLLGATE_TEST_PG names a test server; with
// TOLLGATE_TEST_ALL a missing one is a failure.
func HavePostgres(t *testing.T) bool {
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

// PostgresDSN is an empty schema of the test server that is gone after t.
func PostgresDSN(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("TOLLGATE_TEST_PG")
	schema := `"test_` + rand.Text() + `"`
	PostgresExec(t, dsn, "CREATE SCHEMA "+schema)
	t.Cleanup(func() { PostgresExec(t, dsn, "DROP SCHEMA "+schema+" CASCADE") })
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("search_path", schema)
	u.RawQuery = query.Encode()
	return u.String()
}

// PostgresExec runs a statement on the test server.
func PostgresExec(t *testing.T, dsn, query string) {
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
