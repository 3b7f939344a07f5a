package direct_test

import (
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"tollgate/internal/store/direct"
)

// table makes a database with a table and returns a direct connection to it
// and one of database/sql.
func table(t *testing.T, ddl string) (*direct.Conn, *sql.DB) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a strange ?name#.db")
	db, err := sql.Open("sqlite", "file:"+strings.NewReplacer("?", "%3f", "#", "%23", " ", "%20").Replace(path)+"?_pragma=journal_mode(wal)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(ddl); err != nil {
		t.Fatal(err)
	}
	c, err := direct.Open(path, "PRAGMA busy_timeout = 1000; PRAGMA synchronous = NORMAL")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(c.Close(), db.Close()); err != nil {
			t.Error(err)
		}
	})
	return c, db
}

func prepare(t *testing.T, c *direct.Conn, query string) *direct.Stmt {
	t.Helper()
	s, err := c.Prepare(query)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhatIsBoundIsStored(t *testing.T) {
	c, db := table(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL)")
	insert := prepare(t, c, "INSERT INTO t VALUES (?, ?, ?) ON CONFLICT DO NOTHING")
	long := strings.Repeat("längst ", 300)
	want := map[int64][2]string{
		-1 << 63: {"", "x"}, 1<<63 - 1: {long, long + "."}, 0: {"x", ""}, 7: {"'); DROP TABLE t; --", "x"},
	}
	for i := range int64(10_000) { // more texts than are kept
		want[100+i] = [2]string{fmt.Sprint("text ", i), "x"}
	}
	for range 2 { // the second time nothing is new
		added := 0
		for id, texts := range want {
			c.Tidy()
			insert.Int(1, id)
			insert.Text(2, texts[0])
			insert.Text(3, texts[1])
			n, err := insert.Exec()
			if err != nil {
				t.Fatal(err)
			}
			added += int(n)
		}
		if rows := count(t, db, "SELECT COUNT(*) FROM t"); rows != len(want) || added != 0 && added != len(want) {
			t.Fatalf("%d rows after %d were added, want %d", rows, added, len(want))
		}
	}
	rows, err := db.Query("SELECT id, a, b FROM t")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var id int64
		var got [2]string
		if err := rows.Scan(&id, &got[0], &got[1]); err != nil {
			t.Fatal(err)
		}
		if got != want[id] {
			t.Errorf("row %d holds %q, want %q", id, got, want[id])
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

func count(t *testing.T, db *sql.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRow(query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestErrorsHaveTheCodesOfTheLibrary(t *testing.T) {
	c, db := table(t, "CREATE TABLE t (id INTEGER PRIMARY KEY, n INTEGER CONSTRAINT ck_t__n CHECK (n < 5), u TEXT UNIQUE)")
	insert := prepare(t, c, "INSERT INTO t VALUES (?, ?, ?)")
	try := func(id, n int64, u string) error {
		insert.Int(1, id)
		insert.Int(2, n)
		insert.Text(3, u)
		_, err := insert.Exec()
		return err
	}
	if err := try(1, 4, "a"); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []struct {
		err  error
		code int
		text string
	}{
		{try(1, 1, "b"), sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, "UNIQUE constraint failed: t.id"},
		{try(2, 9, "b"), sqlite3.SQLITE_CONSTRAINT_CHECK, "CHECK constraint failed: ck_t__n"},
		{try(3, 1, "a"), sqlite3.SQLITE_CONSTRAINT_UNIQUE, "UNIQUE constraint failed: t.u"},
	} {
		e, ok := errors.AsType[*direct.Error](bad.err)
		if !ok || e.Code() != bad.code || !strings.Contains(e.Error(), bad.text) {
			t.Errorf("error %v, want code %d and %q", bad.err, bad.code, bad.text)
		}
	}
	if err := try(2, 1, "b"); err != nil || count(t, db, "SELECT COUNT(*) FROM t") != 2 {
		t.Errorf("after errors: %v, %d rows", err, count(t, db, "SELECT COUNT(*) FROM t"))
	}
	if _, err := c.Prepare("INSERT INTO nowhere VALUES (1)"); err == nil || !strings.Contains(err.Error(), "no such table: nowhere") {
		t.Errorf("a statement for a table that is not there: %v", err)
	}
}

func TestATransactionIsUndone(t *testing.T) {
	c, db := table(t, "CREATE TABLE t (id INTEGER PRIMARY KEY)")
	insert := prepare(t, c, "INSERT INTO t VALUES (?)")
	for _, end := range []string{"ROLLBACK", "COMMIT"} {
		for _, s := range []*direct.Stmt{prepare(t, c, "BEGIN IMMEDIATE"), insert, prepare(t, c, end)} {
			if s == insert {
				s.Int(1, 1)
			}
			if _, err := s.Exec(); err != nil {
				t.Fatal(err)
			}
		}
		if n := count(t, db, "SELECT COUNT(*) FROM t"); n != map[string]int{"ROLLBACK": 0, "COMMIT": 1}[end] {
			t.Errorf("after %s: %d rows", end, n)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	if _, err := direct.Open(filepath.Join(t.TempDir(), "none.db"), ""); err == nil {
		t.Error("a database that is not there was opened")
	}
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("CREATE TABLE t (id)"); err != nil {
		t.Fatal(err)
	}
	if _, err := direct.Open(path, "PRAGMA nonsense; SELECT nonsense"); err == nil {
		t.Error("a set-up that fails was taken")
	}
}
