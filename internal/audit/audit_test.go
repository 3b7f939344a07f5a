package audit_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"

	"tollgate"
	"tollgate/internal/audit"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// record is an audit in a database that a test can reach behind the store's back.
type record struct {
	t     *testing.T
	o     sqlstore.Options
	store *sqlstore.Store
}

func onEngines(t *testing.T, run func(r *record)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { run(newRecord(t, sqlstore.Options{Dir: t.TempDir(), Now: noon})) })
	if storetest.HavePostgres(t) {
		t.Run("postgres", func(t *testing.T) { run(newRecord(t, sqlstore.Options{DSN: storetest.PostgresDSN(t), Now: noon})) })
	}
}

func noon() time.Time { return time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC) }

func newRecord(t *testing.T, o sqlstore.Options) *record {
	t.Helper()
	r := &record{t: t, o: o}
	r.open()
	t.Cleanup(func() { _ = r.store.Close() })
	return r
}

func (r *record) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

// seal is what only the holder of the master key can compute.
func seal(head []byte) [32]byte {
	h := hmac.New(sha256.New, []byte("master key"))
	h.Write(head)
	return [32]byte(h.Sum(nil))
}

func (r *record) open() {
	r.t.Helper()
	var err error
	r.store, err = sqlstore.Open(r.t.Context(), r.o)
	r.must(err)
	r.must(r.store.SealAudit(r.t.Context(), seal, noon()))
}

// append adds n entries.
func (r *record) append(n int) {
	r.t.Helper()
	for i := range n {
		e := tollgate.HostActor("cli").Entry(noon(), "user.upsert", "user", int64(i+1))
		e.Detail = json.RawMessage(fmt.Sprintf(`{"after":{"name":"user %d"}}`, i))
		r.must(r.store.Update(r.t.Context(), func(tx tollgate.Tx) error { return tx.Audit.Append(r.t.Context(), &e) }))
	}
}

// behind runs statements on the database while the store is closed, without
// the triggers that would refuse them.
func (r *record) behind(statements ...string) {
	r.t.Helper()
	r.must(r.store.Close())
	if r.o.DSN != "" {
		for _, trigger := range []string{"update", "delete", "truncate"} {
			storetest.PostgresExec(r.t, r.o.DSN, "DROP TRIGGER IF EXISTS audit_"+trigger+" ON audit")
		}
		for _, s := range statements {
			storetest.PostgresExec(r.t, r.o.DSN, s)
		}
		r.open()
		return
	}
	db, err := sql.Open("sqlite", filepath.Join(r.o.Dir, "tollgate.db"))
	r.must(err)
	for _, s := range append([]string{"DROP TRIGGER IF EXISTS audit_update", "DROP TRIGGER IF EXISTS audit_delete"}, statements...) {
		_, err := db.ExecContext(r.t.Context(), s)
		r.must(err)
	}
	r.must(db.Close())
	r.open()
}

func (r *record) verify(known *audit.Head) audit.Report {
	r.t.Helper()
	report, err := audit.Verify(r.t.Context(), r.store, known)
	r.must(err)
	return report
}

func (r *record) entries() []tollgate.AuditEntry {
	r.t.Helper()
	var rows []tollgate.AuditEntry
	r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) (err error) {
		rows, _, err = tx.Audit.Query(r.t.Context(), tollgate.AuditFilter{}, tollgate.Page{All: true})
		return err
	}))
	return rows
}

// forged returns the statements of someone who edits entry 4 and computes all
// hashes behind it anew.
func (r *record) forged() []string {
	rows := r.entries()
	var out []string
	rows[3].ActorName = "nobody"
	before := rows[2].Hash
	for i := 3; i < len(rows); i++ {
		before = rows[i].Chained(before)
		out = append(out, fmt.Sprintf("UPDATE audit SET actor_name = '%s', hash = %s WHERE id = %d", rows[i].ActorName, r.bytes(before), rows[i].ID))
	}
	return out
}

// bytes is a literal of the engine.
func (r *record) bytes(b []byte) string {
	if r.o.DSN != "" {
		return `'\x` + hex.EncodeToString(b) + "'"
	}
	return "x'" + hex.EncodeToString(b) + "'"
}

func TestU02TamperingIsFoundAndNamed(t *testing.T) {
	swap := []string{"UPDATE audit SET id = 100 WHERE id = 4", "UPDATE audit SET id = 4 WHERE id = 5", "UPDATE audit SET id = 5 WHERE id = 100"}
	for _, c := range []struct {
		name   string
		change func(r *record) []string
		bad    int64
		says   string
	}{
		{"nothing", func(*record) []string { return nil }, 0, ""},
		{"edit", func(*record) []string { return []string{"UPDATE audit SET actor_name = 'x' WHERE id = 4"} }, 4, "not as it was written"},
		{"edit of the time", func(*record) []string { return []string{"UPDATE audit SET at = at + 1 WHERE id = 1"} }, 1, "not as it was written"},
		{"edit of the detail", func(*record) []string { return []string{"UPDATE audit SET detail = NULL WHERE id = 10"} }, 10, "not as it was written"},
		{"edit of a hash", func(r *record) []string {
			return []string{"UPDATE audit SET hash = " + r.bytes(make([]byte, 32)) + " WHERE id = 6"}
		}, 6, "not as it was written"},
		{"delete", func(*record) []string { return []string{"DELETE FROM audit WHERE id = 4"} }, 4, "entry 4 is missing before entry 5"},
		{"delete of several", func(*record) []string { return []string{"DELETE FROM audit WHERE id IN (4, 5, 6)"} }, 4, "entries 4 to 6 are missing"},
		{"delete of the first", func(*record) []string { return []string{"DELETE FROM audit WHERE id = 1"} }, 1, "entry 1 is missing"},
		{"reorder", func(*record) []string { return swap }, 4, "not as it was written"},
		{"truncation", func(*record) []string { return []string{"DELETE FROM audit WHERE id > 7"} }, 8, "entries 8 to 10 are missing at the end"},
		{"everything gone", func(*record) []string { return []string{"DELETE FROM audit"} }, 1, "entries 1 to 10 are missing"},
		{"slipped in", func(*record) []string {
			return []string{"INSERT INTO audit (id, at, actor_id, actor_name, via, key_id, ip, request_id, action, target, target_id) VALUES (11, 0, 0, '', '', 0, '', 0, '', '', 0)"}
		}, 11, "not as it was written"},
		{"chain computed anew", (*record).forged, 10, "computed anew"},
		{"head gone", func(*record) []string { return []string{"DELETE FROM meta WHERE name = 'audit_head'"} }, 10, "the head of the chain is missing"},
		{"truncation with a head of one's own", func(r *record) []string {
			head := make([]byte, 48)
			head[7], head[15] = 7, 7
			copy(head[16:], r.entries()[6].Hash)
			mac := sha256.Sum256(head)
			return []string{"DELETE FROM audit WHERE id > 7", "UPDATE meta SET value = " + r.bytes(append(head, mac[:]...)) + " WHERE name = 'audit_head'"}
		}, 7, "not written by this installation"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEngines(t, func(r *record) {
				r.t.Helper()
				r.append(10)
				r.behind(c.change(r)...)
				report := r.verify(nil)
				if report.Bad != c.bad || !strings.Contains(report.Problem, c.says) || report.OK() != (c.bad == 0) {
					r.t.Fatalf("found %+v, want entry %d, %q", report, c.bad, c.says)
				}
				// Going on does not make it right again.
				r.append(3)
				if after := r.verify(nil); after.OK() != (c.bad == 0) || after.Bad > report.Bad+1 {
					r.t.Fatalf("three entries later: %+v, before: %+v", after, report)
				}
			})
		})
	}
}

// TestU02AnExportedHeadOutlivesTheDatabase brings back an older state, whole.
func TestU02AnExportedHeadOutlivesTheDatabase(t *testing.T) {
	onEngines(t, func(r *record) {
		r.t.Helper()
		r.append(3)
		var old []byte
		r.must(r.store.View(r.t.Context(), func(tx tollgate.Tx) (err error) {
			old, err = tx.Meta.Get(r.t.Context(), "audit_head")
			return err
		}))
		r.append(3)
		known, err := audit.CurrentHead(r.t.Context(), r.store)
		r.must(err)
		r.append(2)
		if report := r.verify(&known); !report.OK() || report.Entries != 8 {
			r.t.Fatalf("before: %+v", report)
		}
		r.behind("DELETE FROM audit WHERE id > 3", "UPDATE meta SET value = "+r.bytes(old)+" WHERE name = 'audit_head'")
		if report := r.verify(nil); !report.OK() {
			r.t.Fatalf("without the known head there is nothing to see: %+v", report)
		}
		report := r.verify(&known)
		if report.OK() || !strings.Contains(report.Problem, "known head (entry 6") {
			r.t.Fatalf("with the known head: %+v", report)
		}
		if report := r.verify(&audit.Head{Hash: known.Hash}); report.OK() {
			r.t.Fatal("the hash alone finds nothing")
		}
	})
}

func TestU02TheDatabaseItselfRefuses(t *testing.T) {
	for _, statement := range []string{"UPDATE audit SET actor_name = 'x' WHERE id = 1", "UPDATE audit SET hash = NULL WHERE id = 1", "DELETE FROM audit WHERE id = 1"} {
		r := newRecord(t, sqlstore.Options{Dir: t.TempDir(), Now: noon})
		r.append(2)
		db, err := sql.Open("sqlite", filepath.Join(r.o.Dir, "tollgate.db"))
		r.must(err)
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "never altered") {
			t.Errorf("%s: %v", statement, err)
		}
		r.must(db.Close())
	}
}

func TestU02PostgresRefusesToo(t *testing.T) {
	if !storetest.HavePostgres(t) {
		return
	}
	r := newRecord(t, sqlstore.Options{DSN: storetest.PostgresDSN(t), Now: noon})
	r.append(2)
	db, err := sql.Open("pgx", r.o.DSN)
	r.must(err)
	defer func() { _ = db.Close() }()
	for _, statement := range []string{
		"UPDATE audit SET actor_name = 'x' WHERE id = 1", "UPDATE audit SET hash = NULL WHERE id = 1", "DELETE FROM audit WHERE id = 1", "TRUNCATE audit",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err == nil || !strings.Contains(err.Error(), "never altered") {
			t.Errorf("%s: %v", statement, err)
		}
	}
}

// TestEntriesFromBeforeTheChainAreChainedOnce opens a database of before.
func TestEntriesFromBeforeTheChainAreChainedOnce(t *testing.T) {
	onEngines(t, func(r *record) {
		r.t.Helper()
		r.append(5)
		r.behind("UPDATE audit SET hash = NULL", "DELETE FROM meta WHERE name = 'audit_head'", "DELETE FROM audit WHERE id = 3")
		report := r.verify(nil)
		rows := r.entries()
		if !report.OK() || report.Entries != 5 || rows[4].Action != "audit.chain" || string(rows[4].Detail) != `{"entries":4}` {
			r.t.Fatalf("%+v, the last entry is %+v", report, rows[len(rows)-1])
		}
		r.must(r.store.Close())
		r.open()
		r.append(1)
		if again := r.verify(nil); !again.OK() || again.Entries != 6 {
			r.t.Fatalf("after another start: %+v", again)
		}
	})
}

func TestExportIsJSONLinesWithTheHeadAtTheEnd(t *testing.T) {
	onEngines(t, func(r *record) {
		r.t.Helper()
		r.append(1200) // more than a page
		head, err := audit.CurrentHead(r.t.Context(), r.store)
		r.must(err)
		r.append(3) // after the head was taken
		var all, some bytes.Buffer
		r.must(audit.Export(r.t.Context(), r.store, tollgate.AuditFilter{}, head, &all))
		lines := strings.Split(strings.TrimSuffix(all.String(), "\n"), "\n")
		if len(lines) != 1201 {
			r.t.Fatalf("%d lines", len(lines))
		}
		var first, last audit.Record
		r.must(json.Unmarshal([]byte(lines[0]), &first))
		r.must(json.Unmarshal([]byte(lines[1199]), &last))
		if first.ID != 1 || last.ID != 1200 || last.Hash != head.Hash || string(first.Detail) != `{"after":{"name":"user 0"}}` {
			r.t.Errorf("first %+v, last %+v", first, last)
		}
		read, err := audit.ReadHead(all.Bytes())
		r.must(err)
		if diff := cmp.Diff(head, read); diff != "" {
			r.t.Error(diff)
		}
		if report := r.verify(&read); !report.OK() {
			r.t.Errorf("%+v", report)
		}
		r.must(audit.Export(r.t.Context(), r.store, tollgate.AuditFilter{Text: "USER 119"}, head, &some))
		if n := strings.Count(some.String(), "\n"); n != 12 { // 119, 1190 to 1199, the head
			r.t.Errorf("%d lines of the selection", n)
		}
	})
}

func TestHeadsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "abc", strings.Repeat("g", 64), `{"id":1}`, `{"head":null}`, `{"head":{"id":-1}}`, `{"head":{"id":1,"hash":"00"}}`, "[]"} {
		if h, err := audit.ReadHead([]byte(text)); tollgate.ErrorCode(err) != tollgate.CodeInvalid {
			t.Errorf("%q is read as %v, %v", text, h, err)
		}
	}
}

func FuzzReadHead(f *testing.F) {
	f.Add([]byte(strings.Repeat("ab", 32)))
	f.Add([]byte("{\"id\":1}\n{\"head\":{\"id\":1,\"entries\":1,\"hash\":\"" + strings.Repeat("0", 64) + "\"}}\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		h, err := audit.ReadHead(text)
		if err != nil {
			return
		}
		var buf bytes.Buffer
		if err := audit.WriteHead(&buf, h); err != nil {
			t.Fatal(err)
		}
		if again, err := audit.ReadHead(buf.Bytes()); h.ID > 0 && (err != nil || again != h) {
			t.Fatalf("%+v is written as %s and read as %+v, %v", h, buf.Bytes(), again, err)
		}
	})
}

// BenchmarkAppend is what the chain adds to a change.
func BenchmarkAppend(b *testing.B) {
	store, err := sqlstore.Open(b.Context(), sqlstore.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = store.Close() }()
	e := tollgate.HostActor("cli").Entry(noon(), "user.upsert", "user", 7)
	e.Detail = json.RawMessage(`{"before":{"name":"alice","enabled":true},"after":{"name":"alice","enabled":false}}`)
	err = store.Update(b.Context(), func(tx tollgate.Tx) error {
		for b.Loop() {
			if err := tx.Audit.Append(context.Background(), &e); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
