package sqlstore

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/journal"
)

// fakeBase is a database that can be away and can refuse entries.
type fakeBase struct {
	mu     sync.Mutex
	away   bool
	refuse tollgate.RequestID
	stored []tollgate.RequestID // rows and intents, in order
	tries  int
}

func (f *fakeBase) write(_ context.Context, rows []tollgate.Request, intents []tollgate.Intent) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.tries++
	var ids []tollgate.RequestID
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	for i := range intents {
		ids = append(ids, intents[i].ID)
	}
	if f.away {
		return tollgate.Errorf(tollgate.CodeUnavailable, "away")
	}
	if slices.Contains(ids, f.refuse) {
		return tollgate.Errorf(tollgate.CodeInternal, "a bad entry")
	}
	f.stored = append(f.stored, ids...)
	return nil
}

func (f *fakeBase) set(away bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.away = away
}

func (f *fakeBase) has() []tollgate.RequestID {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.stored)
}

func startBacklog(t *testing.T, f *fakeBase) (*backlog, *bytes.Buffer) {
	t.Helper()
	logged := &bytes.Buffer{}
	b := newBacklog(filepath.Join(t.TempDir(), "t.journal"), [16]byte{1}, f.write, slog.New(slog.NewTextHandler(logged, nil)))
	t.Cleanup(func() { _ = b.close() })
	return b, logged
}

// put appends row n.
func put(ctx context.Context, b *backlog, n int) error {
	return b.append(ctx, []tollgate.Request{{ID: tollgate.RequestID(n) << 4}}, nil)
}

func mustPut(t *testing.T, b *backlog, n int) {
	t.Helper()
	if err := put(t.Context(), b, n); err != nil {
		t.Fatal(err)
	}
}

func idsTo(n int) (out []tollgate.RequestID) {
	for i := range n {
		out = append(out, tollgate.RequestID(i+1)<<4)
	}
	return out
}

func TestWhatWaitsIsWrittenSoonAndInOrder(t *testing.T) {
	f := &fakeBase{}
	b, _ := startBacklog(t, f)
	for n := 1; n <= 3; n++ {
		mustPut(t, b, n)
	}
	for deadline := time.Now().Add(10 * time.Second); b.size() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("nobody writes")
		}
	}
	for n := 4; n <= 3000; n++ {
		mustPut(t, b, n)
	}
	if err := b.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.has(); !slices.Equal(got, idsTo(3000)) {
		t.Fatalf("%d rows, %v...", len(got), got[:min(len(got), 5)])
	}
	if f.tries > 40 {
		t.Fatalf("%d transactions", f.tries)
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.path); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("the journal of a closed database: %v", err)
	}
	if err := put(t.Context(), b, 9999); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Fatalf("a closed backlog: %v", err)
	}
}

// A database that is away for a while: nobody waits for it, nothing is lost,
// readers are told.
func TestADatabaseThatIsAwayForAWhile(t *testing.T) {
	f := &fakeBase{away: true}
	b, logged := startBacklog(t, f)
	for n := 1; n <= 2000; n++ {
		mustPut(t, b, n)
	}
	if err := b.flush(t.Context()); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
		t.Fatalf("a reader got %v", err)
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if f.mu.Lock(); f.tries > 3 {
			f.mu.Unlock()
			break
		}
		f.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("nobody tries again")
		}
	}
	f.set(false)
	if err := b.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := f.has(); !slices.Equal(got, idsTo(2000)) {
		t.Fatalf("%d rows", len(got))
	}
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(logged.String(), "wait in the journal"); n != 1 {
		t.Fatalf("logged %d times:\n%s", n, logged)
	}
}

// What the database does not take until the end is in the journal.
func TestADatabaseThatStaysAwayLeavesTheJournal(t *testing.T) {
	f := &fakeBase{away: true}
	b, _ := startBacklog(t, f)
	for n := 1; n <= 700; n++ {
		mustPut(t, b, n)
	}
	if err := b.close(); tollgate.ErrorCode(err) != tollgate.CodeUnavailable || !strings.Contains(err.Error(), "700 records stay in the journal") {
		t.Fatalf("close said %v", err)
	}
	found, err := journal.Read(b.path, b.id)
	if err != nil || len(found.Contents) != 700 {
		t.Fatalf("%d records, %v", len(found.Contents), err)
	}
}

// Without room callers are pushed back, and not dropped.
func TestAFullBacklogPushesBack(t *testing.T) {
	for name, length := range map[string]int{"entries": 0, "bytes": 4000} {
		t.Run(name, func(t *testing.T) {
			f := &fakeBase{away: true}
			b, _ := startBacklog(t, f)
			full, text := 0, strings.Repeat("x", length)
			for n := 1; full == 0; n++ {
				ok, err := b.offer([]tollgate.Request{{ID: tollgate.RequestID(n) << 4, ErrorText: text}}, nil)
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					full = n
				}
			}
			if name == "entries" && full != backlogMost+1 || name == "bytes" && full > backlogMost {
				t.Fatalf("full at row %d", full)
			}
			hurried, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			err := b.append(hurried, []tollgate.Request{{ID: 1 << 40, ErrorText: text}}, nil)
			if tollgate.ErrorCode(err) != tollgate.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("a caller in a hurry got %v", err)
			}
			patient := make(chan error, 8)
			for n := range cap(patient) {
				go func() {
					patient <- b.append(t.Context(), []tollgate.Request{{ID: tollgate.RequestID(full+n) << 4, ErrorText: text}}, nil)
				}()
			}
			f.set(false)
			for range cap(patient) {
				if err := <-patient; err != nil {
					t.Fatal(err)
				}
			}
			if err := b.flush(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := f.has()
			slices.Sort(got)
			if !slices.Equal(got, idsTo(full+cap(patient)-1)) {
				t.Fatalf("%d rows, want %d", len(got), full+cap(patient)-1)
			}
		})
	}
}

func TestOneRefusedEntryTakesNoOtherAlong(t *testing.T) {
	f := &fakeBase{refuse: 7 << 4}
	b, logged := startBacklog(t, f)
	for n := 1; n <= 20; n++ {
		mustPut(t, b, n)
	}
	if err := b.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := slices.DeleteFunc(idsTo(20), func(id tollgate.RequestID) bool { return id == f.refuse })
	if got := f.has(); !slices.Equal(got, want) || b.refused.Load() != 1 || !strings.Contains(logged.String(), "a bad entry") {
		t.Fatalf("%v, %d refused, log %s", got, b.refused.Load(), logged)
	}
}

func TestARecordThatIsTooLongGoesStraightToTheDatabase(t *testing.T) {
	f := &fakeBase{}
	b, _ := startBacklog(t, f)
	mustPut(t, b, 1)
	long := []tollgate.Request{{ID: 2 << 4, ErrorText: strings.Repeat("x", journal.DefaultSize/2)}}
	if err := b.append(t.Context(), long, nil); err != nil {
		t.Fatal(err)
	}
	if got := f.has(); !slices.Equal(got, idsTo(2)) {
		t.Fatalf("stored %v", got)
	}
}

func TestOneThousandCallersAndAnUnsteadyDatabase(t *testing.T) {
	const callers, each = 1000, 20
	f := &fakeBase{}
	b, _ := startBacklog(t, f)
	stop := make(chan struct{})
	var all, readers sync.WaitGroup
	readers.Go(func() {
		for away := false; ; away = !away {
			select {
			case <-stop:
				f.set(false)
				return
			case <-time.After(3 * time.Millisecond):
				f.set(away)
			}
		}
	})
	for c := range callers {
		all.Go(func() {
			for n := range each {
				if err := put(t.Context(), b, c*each+n+1); err != nil {
					t.Error(err)
				}
				if n == 9 && c%100 == 0 {
					_ = b.flush(t.Context())
				}
			}
		})
	}
	all.Wait()
	close(stop)
	readers.Wait()
	if err := b.close(); err != nil {
		t.Fatal(err)
	}
	got := f.has()
	slices.Sort(got)
	if !slices.Equal(got, idsTo(callers*each)) {
		t.Fatalf("%d rows of %d", len(got), callers*each)
	}
}
