package sqlstore

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// sampleLog is the log of a small database, as SQLite wrote it.
func sampleLog(tb testing.TB) []byte {
	tb.Helper()
	dir := tb.TempDir()
	s, err := Open(context.Background(), Options{Dir: dir})
	if err != nil {
		tb.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "tollgate.db-wal"))
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.Close(); err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestALogCountsToItsLastWholeCommit(t *testing.T) {
	log := sampleLog(t)
	whole, err := readWAL(bytes.NewReader(log))
	if err != nil || whole.count == 0 || len(whole.at) == 0 {
		t.Fatalf("the log gave %+v, %v", whole, err)
	}
	frame := walFrameSize + int(whole.pageSize)
	commits := 0
	for end := walHeaderSize; end <= len(log); end += frame {
		cut, err := readWAL(bytes.NewReader(log[:min(end+frame/2, len(log))]))
		if err != nil {
			t.Fatal(err)
		}
		if end > walHeaderSize && binary.BigEndian.Uint32(log[end-frame+4:]) != 0 {
			commits++
			if cut.count != binary.BigEndian.Uint32(log[end-frame+4:]) {
				t.Fatalf("after the commit at %d the database has %d pages", end, cut.count)
			}
		}
		for page, at := range cut.at {
			if at >= int64(end) {
				t.Fatalf("cut at %d, page %d is read from %d", end, page, at)
			}
		}
	}
	if commits < 2 {
		t.Fatalf("only %d commits in the sample", commits)
	}
	flipped := bytes.Clone(log)
	flipped[walHeaderSize+walFrameSize+100] ^= 1
	if none, err := readWAL(bytes.NewReader(flipped)); err != nil || none.count != 0 {
		t.Fatalf("a log whose first page is damaged gave %+v, %v", none, err)
	}
}

func FuzzReadWAL(f *testing.F) {
	log := sampleLog(f)
	f.Add(log)
	f.Add(log[:len(log)/2])
	f.Add(log[:walHeaderSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readWAL(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("a reader that cannot fail gave %v", err)
		}
		if got.count == 0 && len(got.at) != 0 {
			t.Fatal("pages without a commit")
		}
		for page, at := range got.at {
			if page == 0 || at < walHeaderSize+walFrameSize || at+got.pageSize > int64(len(b)) {
				t.Fatalf("page %d lies at %d of %d bytes", page, at, len(b))
			}
		}
	})
}

// Every column of the schema belongs to a declared table and the other way
// round: a column that only one side knows would be lost without a word.
func TestDeclaredTablesMatchTheSchema(t *testing.T) {
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	e, ok := s.engine.(*sqliteEngine)
	if !ok {
		t.Fatalf("the engine is a %T", s.engine)
	}
	declared := map[string]string{"settings": "name, value", "meta": "name, value"}
	for _, d := range []struct{ name, columns string }{
		declare(s.tables.users), declare(s.tables.keys), declare(s.tables.teams), declare(s.tables.sessions),
		declare(s.tables.permissions), declare(s.tables.filePermissions), declare(s.tables.quotas), declare(s.tables.rateLimits),
		declare(s.tables.providers), declare(s.tables.credentials), declare(s.tables.models), declare(s.tables.aliases), declare(s.tables.audit),
		{"requests", names(s.tables.usage.requests)},
		{"dispatches", names(s.tables.usage.dispatches)},
	} {
		declared[d.name] = d.columns
	}
	source := sqliteSource{e.reader}
	tables, err := source.tables(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, table := range tables {
		columns, err := source.columns(t.Context(), table)
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(columns, ", ")
		if declared[table] != got {
			t.Errorf("table %s has columns %s, declared are %s", table, got, declared[table])
		}
		delete(declared, table)
	}
	if len(declared) != 0 {
		t.Errorf("declared but not in the schema: %v", declared)
	}
}

func declare[T, F any](s *spec[T, F]) struct{ name, columns string } {
	return struct{ name, columns string }{s.name, s.list()}
}
