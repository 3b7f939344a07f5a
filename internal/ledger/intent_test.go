package ledger_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
)

func intent(n int) tollgate.Intent {
	return tollgate.Intent{ID: tollgate.RequestID(n)<<4 | 1, Held: tollgate.Money(n)}
}

func TestIntentsAndRowsShareACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		first := recordAll(t.Context(), r, 1, 1)
		synctest.Wait() // the first commit runs
		rest := recordAll(t.Context(), r, 2, 3)
		errs := make(chan error, 2)
		for n := range 2 {
			go func() { errs <- r.Intend(t.Context(), intent(n+7)) }()
		}
		synctest.Wait()
		if got := r.Stats(); got.Queued != 5 || got.Intended != 0 {
			t.Fatalf("stats while the first commit runs: %+v", got)
		}
		close(log.gate)
		first()
		rest()
		for range 2 {
			if err := <-errs; err != nil {
				t.Fatal(err)
			}
		}
		if got := r.Stats(); got.Queued != 0 || got.Recorded != 3 || got.Intended != 2 || got.Batches != 2 {
			t.Fatalf("stats %+v", got)
		}
		if log.intents[intent(7).ID] != 7 || len(log.intents) != 2 {
			t.Fatalf("intents %v", log.intents)
		}
		closeNow(t, r)
	})
}

func TestAnIntentThatNobodyWaitsForIsTakenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{gate: make(chan struct{})}
		r := recorder(log)
		ctx, leave := context.WithCancel(t.Context())
		errs := make(chan error, 1)
		go func() { errs <- r.Intend(ctx, intent(7)) }()
		synctest.Wait()
		leave()
		code(t, <-errs, tollgate.CodeUnavailable)
		close(log.gate)
		closeNow(t, r)
		if len(log.intents) != 0 || len(log.seen) != 2 || !log.seen[1].Void {
			t.Fatalf("intents %v after %+v", log.intents, log.seen)
		}
		code(t, r.Intend(t.Context(), intent(8)), tollgate.CodeUnavailable) // closed
	})
}

func TestAnIntentThatTheStoreRefusesLetsNothingOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := intent(7).ID
		log := &fakeLog{gate: make(chan struct{}), refuse: func(in tollgate.Intent) error {
			if in.ID == bad && !in.Void {
				return tollgate.Errorf(tollgate.CodeInvalid, "bad intent")
			}
			return nil
		}}
		r := recorder(log)
		first := recordAll(t.Context(), r, 1, 1)
		synctest.Wait()
		errs := make(chan error, 2)
		go func() { errs <- r.Intend(t.Context(), intent(7)) }()
		synctest.Wait()
		rest := recordAll(t.Context(), r, 2, 3)
		go func() { errs <- r.Intend(t.Context(), intent(8)) }()
		synctest.Wait()
		close(log.gate)
		first()
		for n, err := range rest() {
			if err != nil {
				t.Fatalf("row %d: %v", n, err)
			}
		}
		one, other := <-errs, <-errs
		if (one == nil) == (other == nil) {
			t.Fatalf("one of two intents is bad: %v, %v", one, other)
		}
		closeNow(t, r)
		if len(log.intents) != 1 || log.intents[intent(8).ID] != 8 {
			t.Fatalf("intents %v", log.intents)
		}
	})
}

func TestWithTheStoreAwayNothingGoesOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &fakeLog{refuse: func(tollgate.Intent) error { return tollgate.Errorf(tollgate.CodeUnavailable, "away") }}
		r := recorder(log)
		r.Patience = time.Second
		code(t, r.Intend(t.Context(), intent(7)), tollgate.CodeUnavailable)
		log.mu.Lock()
		log.refuse = nil
		log.mu.Unlock()
		closeNow(t, r)
		if len(log.intents) != 0 {
			t.Fatalf("intents %v", log.intents)
		}
	})
}
