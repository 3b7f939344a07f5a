package sqlstore_test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/store/sqlstore"
)

// hashes are the SHA-256 of every file below dir.
func hashes(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		out[path] = fmt.Sprintf("%x", sha256.Sum256(b))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// unchanged fails if fn changes, adds or removes a file below dir.
func unchanged(t *testing.T, dir string, fn func()) {
	t.Helper()
	before := hashes(t, dir)
	fn()
	after := hashes(t, dir)
	if len(before) != len(after) {
		t.Fatalf("files before: %v, after: %v", before, after)
	}
	for path, sum := range before {
		if after[path] != sum {
			t.Fatalf("%s changed", path)
		}
	}
}

func wantCode(t *testing.T, err error, code tollgate.Code, text string) {
	t.Helper()
	if tollgate.ErrorCode(err) != code || !strings.Contains(err.Error(), text) {
		t.Fatalf("got error %v (%s), want %s with %q", err, tollgate.ErrorCode(err), code, text)
	}
}

func putMeta(t *testing.T, s *sqlstore.Store, name, value string) {
	t.Helper()
	if err := s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Meta.Put(t.Context(), name, []byte(value)) }); err != nil {
		t.Fatal(err)
	}
}

func TestC08FilesAreForTheOwnerAlone(t *testing.T) {
	o := sqliteOptions(t)
	o.Dir = filepath.Join(o.Dir, "made", "here")
	s := open(t, o)
	putMeta(t, s, "x", "y")
	seen := 0
	check := func(path string, want fs.FileMode) {
		t.Helper()
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %o, want %o", path, info.Mode().Perm(), want)
		}
		seen++
	}
	check(o.Dir, 0o700)
	check(filepath.Dir(o.Dir), 0o700)
	for _, name := range []string{"tollgate.db", "tollgate.db-wal", "tollgate.db-shm", "tollgate.lock"} {
		check(filepath.Join(o.Dir, name), 0o600)
	}
	backup := filepath.Join(o.Dir, "copy.db")
	if err := s.Backup(t.Context(), backup, nil); err != nil {
		t.Fatal(err)
	}
	check(backup, 0o600)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(o.Dir, "tollgate.db"), 0o644); err != nil {
		t.Fatal(err)
	}
	s = open(t, o)
	check(filepath.Join(o.Dir, "tollgate.db"), 0o600)
	if err := s.Close(); err != nil || seen != 8 {
		t.Fatal(err, seen)
	}
}

func TestOneProcessOwnsASQLiteDatabase(t *testing.T) {
	o := sqliteOptions(t)
	s := open(t, o)
	_, err := sqlstore.Open(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "another tollgate process")
	_, err = sqlstore.Probe(t.Context(), o)
	wantCode(t, err, tollgate.CodeConflict, "another tollgate process")
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

func TestForeignDatabasesAreRefusedUntouched(t *testing.T) {
	foreign := map[string]func(t *testing.T, path string){
		"a SQLite database": func(t *testing.T, path string) {
			t.Helper()
			exec1(t, path, "CREATE TABLE users (id INTEGER PRIMARY KEY)")
		},
		"a SQLite database by log": func(t *testing.T, path string) {
			t.Helper()
			exec1(t, path, "PRAGMA journal_mode = WAL; CREATE TABLE users (id INTEGER PRIMARY KEY)")
		},
		"another file": func(t *testing.T, path string) {
			t.Helper()
			if err := os.WriteFile(path, []byte("precious notes"), 0o644); err != nil {
				t.Fatal(err)
			}
		},
	}
	for name, prepare := range foreign {
		t.Run(name, func(t *testing.T) {
			o := sqliteOptions(t)
			prepare(t, filepath.Join(o.Dir, "tollgate.db"))
			unchanged(t, o.Dir, func() {
				_, err := sqlstore.Open(t.Context(), o)
				wantCode(t, err, tollgate.CodeConflict, "tollgate import")
				found, err := sqlstore.Probe(t.Context(), o)
				if err != nil || !found.Exists || found.Ours {
					t.Fatalf("Probe says %+v, %v", found, err)
				}
			})
		})
	}
}

// exec1 runs a statement on a SQLite file, outside the store.
func exec1(t *testing.T, path, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.ExecContext(t.Context(), query); err != nil {
		t.Fatal(err)
	}
}

func TestANewerSchemaIsRefusedUntouched(t *testing.T) {
	o := sqliteOptions(t)
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	exec1(t, filepath.Join(o.Dir, "tollgate.db"), "INSERT INTO tollgate_schema (version_id, is_applied) VALUES (9999, 1)")
	unchanged(t, o.Dir, func() {
		_, err := sqlstore.Open(t.Context(), o)
		wantCode(t, err, tollgate.CodeConflict, "newer tollgate")
	})
}

func TestProbeOfNothing(t *testing.T) {
	o := sqliteOptions(t)
	unchanged(t, o.Dir, func() {
		found, err := sqlstore.Probe(t.Context(), o)
		if err != nil || found.Exists || found.Ours {
			t.Fatalf("Probe says %+v, %v", found, err)
		}
	})
	path := filepath.Join(o.Dir, "tollgate.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := sqlstore.Probe(t.Context(), o); err != nil || found.Exists {
		t.Fatalf("Probe of an empty file says %+v, %v", found, err)
	}
	if err := os.WriteFile(path+"-wal", []byte("the only copy of something"), 0o600); err != nil {
		t.Fatal(err)
	}
	unchanged(t, o.Dir, func() {
		_, err := sqlstore.Open(t.Context(), o)
		wantCode(t, err, tollgate.CodeConflict, "its database is not")
	})
}

func TestADamagedDatabaseIsRefusedUntouched(t *testing.T) {
	o := sqliteOptions(t)
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(o.Dir, "tollgate.db")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b[:5000], 0o600); err != nil {
		t.Fatal(err)
	}
	unchanged(t, o.Dir, func() {
		_, err := sqlstore.Open(t.Context(), o)
		wantCode(t, err, tollgate.CodeUnavailable, "damaged")
	})
}

// crashEnv names the directory in which the helper process writes.
const crashEnv = "TOLLGATE_TEST_CRASH_DIR"

// TestCrashHelper is the process that TestProbeAfterKill kills.
func TestCrashHelper(t *testing.T) {
	dir := os.Getenv(crashEnv)
	if dir == "" {
		return // an ordinary run
	}
	s := open(t, sqlstore.Options{Dir: dir})
	putMeta(t, s, "seal.salt", "salt")
	ids := new(tollgate.RequestIDs)
	for {
		r := tollgate.Request{ID: ids.Next(stamp()), StartedAt: stamp(), Dispatches: []tollgate.Dispatch{{StartedAt: stamp()}}}
		if err := s.Append(context.Background(), []tollgate.Request{r}); err != nil {
			t.Fatal(err)
		}
		fmt.Println("acknowledged", int64(r.ID))
	}
}

func TestProbeAfterKillChangesNoByte(t *testing.T) {
	for round := range 3 {
		dir := t.TempDir()
		last := killHelper(t, dir, 50*(round+1))
		o := sqlstore.Options{Dir: dir, Log: testLog(t)}
		if info, err := os.Stat(filepath.Join(dir, "tollgate.db-wal")); err != nil || info.Size() == 0 {
			t.Fatalf("the kill left no log, so nothing is shown: %v", err)
		}
		unchanged(t, dir, func() {
			found, err := sqlstore.Probe(t.Context(), o)
			if err != nil || !found.Ours || found.SchemaVersion == 0 {
				t.Fatalf("Probe says %+v, %v", found, err)
			}
			if salt, ok := found.Meta("seal.salt"); !ok || string(salt) != "salt" {
				t.Fatalf("Probe reads seal.salt as %q, %v", salt, ok)
			}
			if _, ok := found.Meta("seal.root"); ok {
				t.Fatal("Probe invents meta values")
			}
		})
		s := open(t, o)
		if err := s.IntegrityCheck(t.Context()); err != nil {
			t.Fatal(err)
		}
		err := s.View(t.Context(), func(tx tollgate.Tx) error {
			n, err := tx.Usage.CountDispatches(t.Context(), tollgate.UsageFilter{RequestID: tollgate.Is(last...)})
			if n != int64(len(last)) {
				t.Errorf("%d of %d acknowledged rows survived the kill", n, len(last))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// killHelper runs the helper until it has acknowledged n rows, kills it, and
// returns what it acknowledged.
func killHelper(t *testing.T, dir string, n int) (acknowledged []tollgate.RequestID) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestCrashHelper$")
	cmd.Env = append(os.Environ(), crashEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if digits, ok := strings.CutPrefix(lines.Text(), "acknowledged "); ok {
			id, err := strconv.ParseInt(digits, 10, 64)
			if err != nil {
				break // cut in the middle of a line
			}
			acknowledged = append(acknowledged, tollgate.RequestID(id))
		}
		if len(acknowledged) == n {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := cmd.Wait(); err == nil || len(acknowledged) < n {
		t.Fatalf("the helper ended by itself (%v) after %d rows", err, len(acknowledged))
	}
	return acknowledged
}

func TestPowerDurabilityOpens(t *testing.T) {
	o := sqliteOptions(t)
	o.Durability = sqlstore.DurablePower
	if err := open(t, o).Close(); err != nil {
		t.Fatal(err)
	}
	o.Durability = "wishful"
	_, err := sqlstore.Open(t.Context(), o)
	wantCode(t, err, tollgate.CodeInvalid, "durability")
}

func TestBadDSNsAreRefusedWithoutTheirSecrets(t *testing.T) {
	for _, dsn := range []string{
		"mysql://x", "sqlite://", "sqlite:///tmp/", "sqlite://x.db?mode=memory", "tollgate.db", "postgres://u:hunter2@host:port/db", "postgres://u:hunter2@%zz",
	} {
		_, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: dsn, Dir: t.TempDir()})
		wantCode(t, err, tollgate.CodeInvalid, "")
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error tells the password: %v", dsn, err)
		}
	}
}
