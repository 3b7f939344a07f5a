package sqlstore_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/journal"
	"tollgate/internal/store/sqlstore"
)

const journalName = "tollgate.journal"

// settled is request n with one dispatch that costs n in a quota.
func settled(n int, quota int64) tollgate.Request {
	id := tollgate.RequestIDAt(stamp()) + tollgate.RequestID(n)<<4
	return tollgate.Request{
		ID: id, UserID: 1, StartedAt: stamp(), Model: "m", Status: 200, Cost: tollgate.Money(n),
		Dispatches: []tollgate.Dispatch{{
			ID: id.Dispatch(1), Model: "m", StartedAt: stamp(), Cost: tollgate.Money(n), Exactness: tollgate.ExactMeasured,
			Charges: []tollgate.Charge{{QuotaID: quota}},
		}},
	}
}

func intentFor(r *tollgate.Request) tollgate.Intent {
	return tollgate.Intent{ID: r.ID.Dispatch(1), UserID: 1, Model: "m", Held: 1000}
}

// money stores a quota of the instance and returns its id.
func money(t *testing.T, s *sqlstore.Store) (id int64) {
	t.Helper()
	limit := tollgate.MaxMoney
	q := tollgate.Quota{Scope: tollgate.ScopeInstance, Window: tollgate.WindowTotal, Limit: &limit}
	if err := s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Quotas.Insert(t.Context(), &q) }); err != nil {
		t.Fatal(err)
	}
	return q.ID
}

// state is what a database says of requests and money.
type state struct {
	requests int
	totals   tollgate.Totals
	spent    tollgate.Money
}

func look(t *testing.T, s *sqlstore.Store, quota int64) (out state) {
	t.Helper()
	err := s.View(t.Context(), func(tx tollgate.Tx) error {
		rows, _, err := tx.Usage.Requests(t.Context(), tollgate.RequestFilter{}, tollgate.Page{All: true})
		if err != nil {
			return err
		}
		out.requests = len(rows)
		if out.totals, err = tx.Ledger.Totals(t.Context()); err != nil {
			return err
		}
		q, err := tx.Quotas.Get(t.Context(), quota)
		out.spent = q.Spent
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// want is the state after requests 1 to n are settled and some are open.
func want(n int, open int64) state {
	sum := tollgate.Money(n * (n + 1) / 2)
	return state{n, tollgate.Totals{
		Dispatches: int64(n), Cost: sum, HourlyDispatches: int64(n), DailyDispatches: int64(n), HourlyCost: sum, DailyCost: sum, Intents: open,
	}, sum}
}

func same(t *testing.T, got, want state) {
	t.Helper()
	if got != want {
		t.Errorf("got %+v\nwant %+v", got, want)
	}
}

// die returns the folder as a killed process leaves it, while nothing can be
// written to the database.
func die(t *testing.T, dir string) string {
	t.Helper()
	left := t.TempDir()
	for _, name := range []string{"tollgate.db", "tollgate.db-wal", journalName} {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = os.WriteFile(filepath.Join(left, name), b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return left
}

// dead is a folder whose journal holds requests 1 to 20, of which the last five
// are under way, and nothing is in the database yet.
func dead(t *testing.T) (o sqlstore.Options, quota int64) {
	t.Helper()
	o = sqliteOptions(t)
	s := open(t, o)
	defer func() { _ = s.Close() }()
	quota = money(t, s)
	busy, free := make(chan struct{}), make(chan struct{})
	done := make(chan error, 1)
	go func() {
		done <- s.Update(context.Background(), func(tollgate.Tx) error { close(busy); <-free; return nil })
	}()
	<-busy
	for n := 1; n <= 20; n++ {
		r := settled(n, quota)
		if err := s.Append(t.Context(), nil, intentFor(&r)); err != nil { // nobody waits for the database
			t.Fatal(err)
		}
		if n > 15 {
			continue
		}
		if err := s.Append(t.Context(), []tollgate.Request{r}); err != nil {
			t.Fatal(err)
		}
	}
	o.Dir = die(t, o.Dir)
	close(free)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	same(t, look(t, s, quota), want(15, 5)) // a reader sees what was appended before
	return o, quota
}

func TestWhatADeadProcessPromisedIsThereAfterTheStart(t *testing.T) {
	for _, durability := range []string{sqlstore.DurableProcess, sqlstore.DurablePower} {
		t.Run(durability, func(t *testing.T) {
			o, quota := dead(t)
			o.Durability = durability
			file := filepath.Join(o.Dir, journalName)
			promised, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for round := range 3 { // a journal that is replayed again changes nothing
				s := open(t, o)
				same(t, look(t, s, quota), want(15, 5))
				if s.Prompt() != (durability == sqlstore.DurableProcess) {
					t.Error("prompt:", s.Prompt())
				}
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
					t.Fatalf("round %d: the journal is still there: %v", round, err)
				}
				if err := os.WriteFile(file, promised, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// A process that dies while it replays leaves the journal whole and a part of
// it in the database: the next start brings the rest.
func TestDyingWhileReplayingLosesNothing(t *testing.T) {
	for n := range 7 {
		o, quota := dead(t)
		s := open(t, o)
		var id [16]byte
		err := s.View(t.Context(), func(tx tollgate.Tx) error {
			b, err := tx.Meta.Get(t.Context(), "store.id")
			copy(id[:], b)
			return err
		})
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		for _, last := range []int{16 + n, 22} {
			j, err := journal.Create(filepath.Join(o.Dir, journalName), id, 0)
			if err != nil {
				t.Fatal(err)
			}
			for i := 16; i <= last; i++ {
				r := settled(i, quota)
				_, err := j.Append(journal.Encode(nil, []tollgate.Request{r}, []tollgate.Intent{intentFor(&r)}))
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			s := open(t, o)
			same(t, look(t, s, quota), want(last, int64(max(0, 20-last))))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// A journal that cannot be trusted opens nothing and changes nothing.
func TestAJournalThatIsNotWholeOrNotOursRefusesTheStart(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(b []byte) []byte
		says  string
	}{
		"damaged in the middle": {func(b []byte) []byte { b[4096+20] ^= 1; return b }, "damaged"},
		"truncated":             {func(b []byte) []byte { return b[:4096+200] }, "damaged"},
		"of another database": {func([]byte) []byte {
			o, _ := dead(t)
			b, err := os.ReadFile(filepath.Join(o.Dir, journalName))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}, "another database"},
	} {
		t.Run(name, func(t *testing.T) {
			o, quota := dead(t)
			file := filepath.Join(o.Dir, journalName)
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			spoiled := c.spoil(b)
			if err := os.WriteFile(file, spoiled, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, err := sqlstore.Open(t.Context(), o); tollgate.ErrorCode(err) != tollgate.CodeConflict || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("opened %v: %v", s, err)
			}
			if after, err := os.ReadFile(file); err != nil || string(after) != string(spoiled) {
				t.Fatal("the journal is not as it was", err)
			}
			if err := os.Rename(file, file+".away"); err != nil {
				t.Fatal(err)
			}
			s := open(t, o)
			defer func() { _ = s.Close() }()
			same(t, look(t, s, quota), want(0, 0))
		})
	}
}

// The last record of a process that was killed while it wrote is no damage.
func TestATornLastRecordIsNone(t *testing.T) {
	o, quota := dead(t)
	file := filepath.Join(o.Dir, journalName)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	last := len(strings.TrimRight(string(b), "\x00")) - 1
	b[last] ^= 0xff
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, o)
	defer func() { _ = s.Close() }()
	same(t, look(t, s, quota), want(15, 4)) // it was an intent
}

func TestABackupHoldsWhatWasAppendedBefore(t *testing.T) {
	o := sqliteOptions(t)
	s := open(t, o)
	quota := money(t, s)
	if err := s.StartJournal(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(o.Dir, journalName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	for n := 1; n <= 5; n++ {
		if err := s.Append(t.Context(), []tollgate.Request{settled(n, quota)}); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := errors.Join(s.Backup(t.Context(), file, nil), s.Close()); err != nil {
		t.Fatal(err)
	}
	fresh := sqliteOptions(t)
	if err := sqlstore.Restore(t.Context(), file, fresh, nil); err != nil {
		t.Fatal(err)
	}
	restored := open(t, fresh)
	defer func() { _ = restored.Close() }()
	same(t, look(t, restored, quota), want(5, 0))
}

// A restore neither drops a journal that holds something nor mixes it with
// other rows, and takes no file whose journal holds something.
func TestARestoreIsRefusedBesideAFullJournal(t *testing.T) {
	o, _ := dead(t)
	file := filepath.Join(o.Dir, "tollgate.db")
	err := sqlstore.Restore(t.Context(), file, sqliteOptions(t), nil)
	if tollgate.ErrorCode(err) != tollgate.CodeConflict || !strings.Contains(err.Error(), journalName) {
		t.Fatalf("from a database with a full journal: %v", err)
	}
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := os.Rename(file, backup); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(file+"-wal", backup+"-wal"); err != nil {
		t.Fatal(err)
	}
	err = sqlstore.Restore(t.Context(), backup, o, nil)
	if tollgate.ErrorCode(err) != tollgate.CodeConflict || !strings.Contains(err.Error(), journalName) {
		t.Fatalf("beside a full journal: %v", err)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the refused restore left a database: %v", err)
	}
	if s, err := sqlstore.Open(t.Context(), o); tollgate.ErrorCode(err) != tollgate.CodeConflict {
		t.Fatalf("a new database took the journal of another: %v, %v", s, err)
	}
}

// Reading while others append is one flush, not one for each row.
func TestReadersSeeWhatWasAppendedBefore(t *testing.T) {
	s := open(t, sqliteOptions(t))
	defer func() { _ = s.Close() }()
	quota := money(t, s)
	for n := 1; n <= 300; n++ {
		if err := s.Append(t.Context(), []tollgate.Request{settled(n, quota)}); err != nil {
			t.Fatal(err)
		}
		if n%50 == 0 {
			same(t, look(t, s, quota), want(n, 0))
		}
		if n%50 == 7 { // a correction sees it too
			err := s.Update(t.Context(), func(tx tollgate.Tx) error {
				q, err := tx.Quotas.Get(t.Context(), quota)
				if err == nil && q.Spent != want(n, 0).spent {
					t.Errorf("after %d: %s spent", n, q.Spent)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, batches, _ := s.Backlog(); batches > 60 {
		t.Errorf("%d transactions", batches)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	<-ctx.Done()
	if err := s.Append(ctx, []tollgate.Request{settled(301, quota)}); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Errorf("an ended context: %v", err)
	}
}
