package e2e

import (
	"database/sql"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // a schema for the gateway under test
)

// postgres makes a schema of its own on the server that `make test` brings and
// returns a DSN that keeps to it; empty = there is no server, and that is said.
func postgres(t *testing.T) string {
	t.Helper()
	dsn := os.Getenv("TOLLGATE_TEST_PG")
	if dsn == "" {
		if os.Getenv("TOLLGATE_TEST_ALL") != "" {
			t.Fatal("TOLLGATE_TEST_ALL is set but TOLLGATE_TEST_PG names no PostgreSQL server")
		}
		t.Log("LEFT OUT: the gateway on PostgreSQL, since TOLLGATE_TEST_PG names no server (make test brings one)")
		return ""
	}
	schema := fmt.Sprintf("e2e_%d", time.Now().UnixNano())
	db, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), `CREATE SCHEMA "`+schema+`"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		db, err := sql.Open("pgx", dsn)
		if err != nil {
			return
		}
		defer func() { _ = db.Close() }()
		_, _ = db.Exec(`DROP SCHEMA "` + schema + `" CASCADE`)
	})
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	q.Set("search_path", schema)
	u.RawQuery = q.Encode()
	return u.String()
}

// TestTheGatewayOnPostgreSQL goes the whole way on the second engine: first
// start, a key, an answer, kill -9, the row, a second process, a revocation.
func TestTheGatewayOnPostgreSQL(t *testing.T) {
	dsn := postgres(t)
	if dsn == "" {
		return
	}
	g := prepare(t, newVendor(t), "")
	g.env = []string{"TOLLGATE_DSN=" + dsn}
	g.run()
	_, key, keyID := g.newUser("pat")
	var done set
	for i := range 20 {
		id, ok := g.complete(t.Context(), key, i%2 == 0)
		if !ok {
			t.Fatalf("request %d failed\n%s", i, g.output())
		}
		done.add(id)
	}
	other := g.command("serve", "--port", "0")
	if out, err := other.CombinedOutput(); err == nil || !strings.Contains(string(out), "another") {
		t.Errorf("a second process on the same database: %v\n%s", err, out)
	}
	g.kill()
	g.run()
	rows := map[string]int{}
	for _, u := range g.usages() {
		rows[u.RequestID]++
	}
	for id := range done.m {
		if rows[id] != 1 {
			t.Errorf("request %s has %d usage rows", id, rows[id])
		}
	}
	g.admin("/admin/user-keys/update-enabled", map[string]any{"id": keyID, "enabled": false}, nil)
	if status, _, body, err := g.post(t.Context(), "/oa/v1/chat/completions", key, chat(false, "hi")); err != nil || status != http.StatusUnauthorized {
		t.Errorf("after the revocation: %d %v %s", status, err, body)
	}
	g.stop()
	g.env = append(g.env, "DATABASE_SECRET_KEY=not the key of this database")
	if out, err := g.command("serve").CombinedOutput(); err == nil {
		t.Errorf("another master key was accepted:\n%s", out)
	}
}
