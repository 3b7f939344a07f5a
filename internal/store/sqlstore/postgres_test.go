package sqlstore_test

import (
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

func TestOneProcessOwnsAPostgresSchema(t *testing.T) {
	if !storetest.HavePostgres(t) {
		return
	}
	o := postgresOptions(t)
	s := open(t, o)
	_, err := sqlstore.Open(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "another tollgate process")
	_, err = sqlstore.Probe(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "another tollgate process")
	other := open(t, postgresOptions(t)) // another schema is another database
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForeignAndNewerPostgresSchemasAreRefused(t *testing.T) {
	if !storetest.HavePostgres(t) {
		return
	}
	o := postgresOptions(t)
	if found, err := sqlstore.Probe(t.Context(), o); err != nil || found.Exists {
		t.Fatalf("Probe of an empty schema says %+v, %v", found, err)
	}
	storetest.PostgresExec(t, o.DSN, "CREATE TABLE users (id BIGINT)")
	_, err := sqlstore.Open(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "tollgate import")
	if found, err := sqlstore.Probe(t.Context(), o); err != nil || !found.Exists || found.Ours {
		t.Fatalf("Probe of a foreign schema says %+v, %v", found, err)
	}
	o = postgresOptions(t)
	s := open(t, o)
	putMeta(t, s, "seal.salt", "salt")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	found, err := sqlstore.Probe(t.Context(), o)
	if salt, ok := found.Meta("seal.salt"); err != nil || !found.Ours || !ok || string(salt) != "salt" {
		t.Fatalf("Probe says %+v, %v", found, err)
	}
	storetest.PostgresExec(t, o.DSN, "INSERT INTO tollgate_schema (version_id, is_applied) VALUES (9999, true)")
	_, err = sqlstore.Open(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "newer tollgate")
}

// The server forgets the lock with its connection: the store must notice, take
// it again, and not write in between when another process has it.
func TestALostPostgresLockStopsWriting(t *testing.T) {
	if !storetest.HavePostgres(t) {
		return
	}
	o := postgresOptions(t)
	o.DSN += "&application_name=lost_" + time.Now().Format("150405.000000")
	s := open(t, o)
	defer func() { _ = s.Close() }()
	cut := "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name LIKE 'lost_%' AND pid <> pg_backend_pid()"
	storetest.PostgresExec(t, o.DSN+"x", cut)
	if err := s.Ping(t.Context()); err != nil {
		t.Fatalf("the store did not come back after its connections were cut: %v", err)
	}
	putMeta(t, s, "a", "b")
	storetest.PostgresExec(t, o.DSN+"x", cut)
	usurper, err := sqlstore.Open(t.Context(), o)
	if err != nil {
		// The watch was faster than we; that is as good.
		t.Logf("the lock was taken again at once: %v", err)
		return
	}
	if err := s.Ping(t.Context()); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Fatalf("Ping of a store without its lock says %v", err)
	}
	err = s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Meta.Put(t.Context(), "a", []byte("c")) })
	wantCode(t, err, tollgate.CodeUnavailable, "")
	err = s.Append(t.Context(), []tollgate.Request{{ID: 16, StartedAt: stamp()}})
	wantCode(t, err, tollgate.CodeUnavailable, "")
	if err := usurper.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Ping(t.Context()); err != nil {
		t.Fatalf("the lock was free but not taken again: %v", err)
	}
	putMeta(t, s, "a", "d")
}
