package ledger_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
)

type callerKey struct{}

// contexts is a log that counts the rows that come in their caller's own context.
type contexts struct {
	fakeLog
	own, others atomic.Int64
}

func (l *contexts) Append(ctx context.Context, rows []tollgate.Request, intents ...tollgate.Intent) error {
	if ctx.Value(callerKey{}) != nil {
		l.own.Add(int64(len(rows)))
	} else {
		l.others.Add(int64(len(rows)))
	}
	return l.fakeLog.Append(ctx, rows, intents...)
}

func TestACallerWritesItsRowItselfWhileLittleGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		live int
		own  int64
	}{"alone": {1, 3}, "few": {11, 3}, "many": {12, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &contexts{}
				r := recorder(&log.fakeLog)
				r.Log, r.Live = log, func() int { return c.live }
				ctx := context.WithValue(t.Context(), callerKey{}, true)
				for n := range 3 {
					if err := r.Record(ctx, row(n+1)); err != nil {
						t.Fatal(err)
					}
				}
				closeNow(t, r)
				if log.own.Load() != c.own || log.others.Load() != 3-c.own {
					t.Errorf("%d rows written by their callers, %d by the recorder", log.own.Load(), log.others.Load())
				}
			})
		})
	}
}

func TestRowsThatComeWhileACallerWritesAreNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		first := recordAll(t.Context(), r, 1, 1)
		synctest.Wait() // the caller writes
		if !r.RecordLater(row(2)) {
			t.Fatal("dropped")
		}
		rest := recordAll(t.Context(), r, 3, 3)
		synctest.Wait()
		close(log.gate)
		for _, wait := range []func() map[int]error{first, rest} {
			for n, err := range wait() {
				if err != nil {
					t.Errorf("row %d: %v", n, err)
				}
			}
		}
		synctest.Wait()
		if batches, rows := log.stored(); rows != 3 || len(batches) != 2 {
			t.Errorf("%d rows in batches of %v", rows, batches)
		}
		closeNow(t, r)
	})
}

func TestABusyRecorderWaitsForHalfOfTheCallsOrAMillisecond(t *testing.T) {
	for name, c := range map[string]struct {
		rows int
		wait time.Duration
	}{"half of them": {32, 0}, "fewer": {31, time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log := &fakeLog{}
				r := recorder(log)
				r.Live = func() int { return 64 }
				start := time.Now()
				for n, err := range recordAll(t.Context(), r, 1, c.rows)() {
					if err != nil {
						t.Errorf("row %d: %v", n, err)
					}
				}
				if took := time.Since(start); took != c.wait {
					t.Errorf("took %v", took)
				}
				again := recordAll(t.Context(), r, 100, 100) // one later row is not held up by what was expected before
				for n, err := range again() {
					if err != nil {
						t.Errorf("row %d: %v", n, err)
					}
				}
				if took := time.Since(start); took != c.wait+time.Millisecond {
					t.Errorf("took %v", took)
				}
				closeNow(t, r)
			})
		})
	}
}
