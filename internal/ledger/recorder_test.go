package ledger_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tollgate"
	"tollgate/internal/ledger"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeLog is a store in memory that can be told to wait and to fail.
type fakeLog struct {
	gate chan struct{} // when set, every Append takes one token first
	fail func(rows []tollgate.Request) error
	// refuse is fail for an intent.
	refuse func(tollgate.Intent) error

	mu      sync.Mutex
	batches []int
	rows    map[tollgate.RequestID]int
	intents map[tollgate.RequestID]tollgate.Money // that stand
	seen    []tollgate.Intent
	touched []map[int64]time.Time
	broken  error
}

func (f *fakeLog) Append(ctx context.Context, rows []tollgate.Request, intents ...tollgate.Intent) error {
	if f.gate != nil {
		select {
		case <-f.gate:
		case <-ctx.Done():
			return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "cut off")
		}
	}
	if f.fail != nil {
		if err := f.fail(rows); err != nil {
			return err
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rows == nil {
		f.rows, f.intents = map[tollgate.RequestID]int{}, map[tollgate.RequestID]tollgate.Money{}
	}
	for _, in := range intents {
		if f.refuse == nil {
			break
		}
		if err := f.refuse(in); err != nil {
			return err
		}
	}
	for _, in := range intents {
		f.seen = append(f.seen, in)
		f.intents[in.ID] = in.Held
		if in.Void {
			delete(f.intents, in.ID)
		}
	}
	f.batches = append(f.batches, len(rows))
	for _, r := range rows {
		f.rows[r.ID]++
	}
	return nil
}

func (f *fakeLog) Touch(_ context.Context, keys, sessions map[int64]time.Time) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.broken != nil {
		return f.broken
	}
	f.touched = append(f.touched, keys, sessions)
	return nil
}

func (f *fakeLog) stored() (batches []int, rows int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.batches, len(f.rows)
}

func row(n int) tollgate.Request { return tollgate.Request{ID: tollgate.RequestID(n) << 4} }

func recorder(log *fakeLog) *ledger.Recorder {
	return &ledger.Recorder{Log: log, Logger: slog.New(slog.DiscardHandler)}
}

func closeNow(t *testing.T, r *ledger.Recorder) {
	t.Helper()
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// recordAll records rows from..to at once and returns their errors by number.
func recordAll(ctx context.Context, r *ledger.Recorder, from, to int) (wait func() map[int]error) {
	errs := map[int]error{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for n := from; n <= to; n++ {
		wg.Go(func() {
			err := r.Record(ctx, row(n))
			mu.Lock()
			errs[n] = err
			mu.Unlock()
		})
	}
	return func() map[int]error { wg.Wait(); return errs }
}

func TestRowsThatArriveDuringACommitFormTheNextBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		first := recordAll(t.Context(), r, 1, 1)
		synctest.Wait() // the first commit runs
		rest := recordAll(t.Context(), r, 2, 1200)
		synctest.Wait()
		if got := r.Stats(); got.Queued != 1200 || got.Recorded != 0 {
			t.Fatalf("stats while the first commit runs: %+v", got)
		}
		close(log.gate)
		for n, err := range first() {
			t.Log(n, err)
		}
		for n, err := range rest() {
			if err != nil {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		batches, rows := log.stored()
		if len(batches) != 4 || batches[0] != 1 || batches[1] != 512 || batches[2] != 512 || batches[3] != 175 || rows != 1200 {
			t.Fatalf("batches %v with %d rows", batches, rows)
		}
		if got := r.Stats(); got.Queued != 0 || got.Recorded != 1200 || got.Batches != 4 {
			t.Fatalf("stats %+v", got)
		}
		closeNow(t, r)
	})
}

func TestRecordReturnsOnlyWhenTheRowIsDurable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		returned := false
		go func() { _ = r.Record(t.Context(), row(1)); returned = true }()
		synctest.Wait()
		if returned {
			t.Fatal("Record returned before the commit")
		}
		log.gate <- struct{}{}
		synctest.Wait()
		if !returned {
			t.Fatal("Record did not return after the commit")
		}
		closeNow(t, r)
	})
}

func TestAStoreThatIsAwayIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		log := &fakeLog{fail: func([]tollgate.Request) error {
			if tries++; tries < 6 {
				return tollgate.Errorf(tollgate.CodeUnavailable, "busy")
			}
			return nil
		}}
		r := recorder(log)
		if err := r.Record(t.Context(), row(1)); err != nil {
			t.Fatal(err)
		}
		if got := r.Stats(); got.Retries != 5 || got.Lost != 0 || got.Recorded != 1 {
			t.Fatalf("stats %+v", got)
		}
		closeNow(t, r)
	})
}

func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{fail: func([]tollgate.Request) error { return tollgate.Errorf(tollgate.CodeUnavailable, "away") }}
		r := recorder(log)
		start := time.Now()
		err := r.Record(t.Context(), row(1))
		if tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Fatalf("error %v", err)
		}
		if took := time.Since(start); took < ledger.DefaultPatience || took > ledger.DefaultPatience+2*time.Second {
			t.Fatalf("gave up after %v", took)
		}
		if got := r.Stats(); got.Lost != 1 {
			t.Fatalf("stats %+v", got)
		}
		closeNow(t, r)
	})
}

func TestOneBadRowTakesNoOtherAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := row(7).ID
		log := &fakeLog{gate: make(chan struct{}), fail: func(rows []tollgate.Request) error {
			for _, r := range rows {
				if r.ID == bad {
					return tollgate.Errorf(tollgate.CodeInvalid, "bad row")
				}
			}
			return nil
		}}
		r := recorder(log)
		first := recordAll(t.Context(), r, 1, 1)
		synctest.Wait()
		rest := recordAll(t.Context(), r, 2, 20)
		synctest.Wait()
		close(log.gate)
		first()
		for n, err := range rest() {
			if (err != nil) != (n == 7) {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		if _, rows := log.stored(); rows != 19 {
			t.Fatalf("%d rows stored, want 19", rows)
		}
		if got := r.Stats(); got.Lost != 1 || got.Recorded != 19 || got.Retries != 0 {
			t.Fatalf("stats %+v", got)
		}
		closeNow(t, r)
	})
}

func TestRecordLaterDropsWhenTheQueueIsHalfFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		r.Queue = 10
		accepted := 0
		for n := range 9 {
			if r.RecordLater(row(n + 1)) {
				accepted++
			}
		}
		if got := r.Stats(); accepted != 5 || got.Dropped != 4 {
			t.Fatalf("accepted %d, stats %+v", accepted, got)
		}
		paid := recordAll(t.Context(), r, 10, 12) // callers who wait are still taken
		synctest.Wait()
		close(log.gate)
		for n, err := range paid() {
			if err != nil {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		if _, rows := log.stored(); rows != 8 {
			t.Fatalf("%d rows stored, want 8", rows)
		}
		if !r.RecordLater(row(13)) {
			t.Fatal("an empty queue drops")
		}
		closeNow(t, r)
		if _, rows := log.stored(); rows != 9 {
			t.Fatal("Close did not write what waited")
		}
		if r.RecordLater(row(14)) {
			t.Fatal("accepted after Close")
		}
	})
}

func TestAFullQueuePushesBackAndGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		r.Queue, r.Batch = 4, 2
		all := recordAll(t.Context(), r, 1, 30)
		synctest.Wait()
		if got := r.Stats(); got.Queued != 4 {
			t.Fatalf("%d rows queued, want 4", got.Queued)
		}
		hurried, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := r.Record(hurried, row(99))
		if tollgate.ErrorCode(err) != tollgate.CodeUnavailable || !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a caller in a hurry got %v", err)
		}
		close(log.gate)
		for n, err := range all() {
			if err != nil {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		if _, rows := log.stored(); rows != 30 {
			t.Fatalf("%d rows stored, want 30", rows)
		}
		closeNow(t, r)
	})
}

func TestACallerThatLeavesDoesNotTakeItsRowAlong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		ctx, leave := context.WithCancel(t.Context())
		gone := recordAll(ctx, r, 1, 3)
		synctest.Wait()
		leave()
		for n, err := range gone() {
			if tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		close(log.gate)
		closeNow(t, r)
		if _, rows := log.stored(); rows != 3 {
			t.Fatalf("%d rows stored, want 3", rows)
		}
	})
}

func TestCloseEndsInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := recorder(&fakeLog{gate: make(chan struct{})}) // a store that never answers
		for n := range 3 {
			r.RecordLater(row(n + 1))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if err := r.Close(ctx); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Fatalf("Close said %v", err)
		}
		if got := r.Stats(); got.Lost != 3 {
			t.Fatalf("stats %+v", got)
		}
		if err := r.Record(t.Context(), row(9)); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Fatalf("a record after Close got %v", err)
		}
	})
}

func TestLastUsesAreWrittenOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{}
		r := recorder(log)
		start := time.Now()
		for range 200 { // 100 s of use
			r.Touch(7, 0, time.Now())
			r.Touch(0, 8, time.Now())
			time.Sleep(500 * time.Millisecond)
		}
		closeNow(t, r)
		var keys, sessions []time.Time
		for i := 0; i < len(log.touched); i += 2 {
			if at, ok := log.touched[i][7]; ok {
				keys = append(keys, at)
			}
			if at, ok := log.touched[i+1][8]; ok {
				sessions = append(sessions, at)
			}
		}
		if len(keys) != 2 || len(sessions) != 2 || !keys[0].Equal(start) || keys[1].Sub(keys[0]) != time.Minute {
			t.Fatalf("stored uses of the key %v, of the session %v", keys, sessions)
		}
		if got := r.Stats(); got.Touched != 4 {
			t.Fatalf("stats %+v", got)
		}
	})
}

func TestLastUsesWaitForAStoreThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{broken: errors.New("away")}
		r := recorder(log)
		defer closeNow(t, r)
		at := time.Now()
		r.Touch(7, 8, at)
		time.Sleep(3 * time.Second)
		log.mu.Lock()
		log.broken = nil
		log.mu.Unlock()
		time.Sleep(2 * time.Second)
		log.mu.Lock()
		defer log.mu.Unlock()
		if len(log.touched) != 2 || !log.touched[0][7].Equal(at) || !log.touched[1][8].Equal(at) {
			t.Fatalf("stored uses %v", log.touched)
		}
	})
}

func TestAnUnusedRecorderCloses(t *testing.T) {
	r := recorder(&fakeLog{})
	closeNow(t, r)
	closeNow(t, r) // twice is no harm
}

// BenchmarkRecord is the cost of the group commit itself, over a log that
// takes no time.
func BenchmarkRecord(b *testing.B) {
	r := &ledger.Recorder{Log: nothing{}, Logger: slog.New(slog.DiscardHandler)}
	var ids tollgate.RequestIDs
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := r.Record(b.Context(), tollgate.Request{ID: ids.Next(time.Time{})}); err != nil {
				b.Error(err)
			}
		}
	})
	if err := r.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkTouch is the cost of noting a use of a busy key.
func BenchmarkTouch(b *testing.B) {
	r := &ledger.Recorder{Log: nothing{}, Logger: slog.New(slog.DiscardHandler)}
	at := time.Now()
	for b.Loop() {
		r.Touch(1, 0, at)
	}
	if err := r.Close(b.Context()); err != nil {
		b.Fatal(err)
	}
}

type nothing struct{}

func (nothing) Append(context.Context, []tollgate.Request, ...tollgate.Intent) error { return nil }

func (nothing) Touch(context.Context, map[int64]time.Time, map[int64]time.Time) error { return nil }
