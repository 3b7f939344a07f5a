package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ledger"
)

func TestAHoldMustFitEveryQuotaOfItsChain(t *testing.T) {
	b := newBank(t,
		quota(tollgate.ScopeKey, 1, tollgate.WindowTotal, 100), quota(tollgate.ScopeUser, 2, tollgate.WindowDay, 80),
		quota(tollgate.ScopeTeam, 3, tollgate.WindowMonth, 60), quota(tollgate.ScopeInstance, 0, tollgate.WindowWeek, 50),
		quota(tollgate.ScopeUser, 99, tollgate.WindowTotal, 0))
	h := b.must(alice(), 50)
	for id := range int64(4) {
		b.want(id+1, 0, 50)
	}
	b.want(5, 0, 0)
	e := refused(t, second(b.admit(alice(), 1)))
	if e.Reason != ledger.ReasonHeld {
		t.Fatalf("money that is held alone is refused as %q", e.Reason)
	}
	out := h.Settle(20)
	want := ledger.Outcome{Closed: true, Cost: 20, Charges: []tollgate.Charge{
		{QuotaID: 1},
		{QuotaID: 2, WindowStart: noon().Truncate(24 * time.Hour)},
		{QuotaID: 3, WindowStart: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)},
		{QuotaID: 4, WindowStart: time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)},
	}}
	if diff := cmp.Diff(want, out); diff != "" {
		t.Fatal(diff)
	}
	for id := range int64(4) {
		b.want(id+1, 20, 0)
	}
	b.must(alice(), 30).Release()
	code(t, second(b.admit(alice(), 31)), tollgate.CodeQuota)
	b.want(4, 20, 0)
}

func second[T any](_ T, err error) error { return err }

func TestWhoHasNoQuotaHoldsNothing(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 99, tollgate.WindowTotal, 0))
	h := b.must(alice(), tollgate.MaxMoney)
	if h.Limited() {
		t.Fatal("a hold that counts nowhere is limited")
	}
	if out := h.Settle(5); out.Charges != nil || out.Cost != 5 || !out.Closed {
		t.Fatalf("outcome %+v", out)
	}
	if free, limited := b.Free(b.id(), alice()); limited || free != tollgate.MaxMoney {
		t.Fatalf("free %s, limited %v", free, limited)
	}
}

func TestTheServiceSpendsFromItsOwnScopeAndTheInstance(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeService, 0, tollgate.WindowTotal, 10), quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 15))
	b.must(ledger.Chain{Service: true}, 10).Settle(10)
	e := refused(t, second(b.admit(ledger.Chain{Service: true}, 1)))
	if e.Reason != "" || e.RetryAfter != 0 {
		t.Fatalf("spent money is refused as if it were held: %+v", e)
	}
	b.must(alice(), 5).Settle(5)
	code(t, second(b.admit(alice(), 0)), tollgate.CodeQuota)
	b.want(1, 10, 0)
	b.want(2, 15, 0)
}

func TestARefusalSaysWhichQuotaAndWhenItResets(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowMonth, 10*tollgate.Dollar))
	b.must(alice(), 4*tollgate.Dollar).Settle(4 * tollgate.Dollar)
	h := b.must(alice(), tollgate.Dollar/2)
	err := second(b.admit(alice(), 7*tollgate.Dollar))
	e := refused(t, err)
	const want = "no money is left in the monthly quota of the user: limit 10, spent 4, held 0.5 dollars, resets at 2026-04-01T00:00:00Z"
	if e.Message != want {
		t.Fatalf("message %q, want %q", e.Message, want)
	}
	r, ok := errors.AsType[*ledger.Refusal](err)
	if !ok {
		t.Fatalf("no refusal in %v", err)
	}
	wanted := ledger.Refusal{
		QuotaID: 1, Scope: tollgate.ScopeUser, ScopeID: 2, Window: tollgate.WindowMonth, Limit: 10 * tollgate.Dollar, Spent: 4 * tollgate.Dollar,
		Held: tollgate.Dollar / 2, Asked: 7 * tollgate.Dollar, ResetsAt: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC),
	}
	if diff := cmp.Diff(wanted, *r); diff != "" {
		t.Fatal(diff)
	}
	h.Release()
	if err := b.Check(b.id(), alice()); err != nil {
		t.Fatal(err)
	}
	b.must(alice(), 6*tollgate.Dollar).Settle(6 * tollgate.Dollar)
	code(t, b.Check(b.id(), alice()), tollgate.CodeQuota)
}

func TestACostAboveTheHoldIsRecordedAndCounted(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
	if out := b.must(alice(), 40).Settle(130); out.Overrun != 90 || out.Cost != 130 {
		t.Fatalf("outcome %+v", out)
	}
	b.want(1, 130, 0)
	if n := b.Stats().Overruns; n != 1 {
		t.Fatalf("%d overruns counted, want 1", n)
	}
	code(t, second(b.admit(alice(), 0)), tollgate.CodeQuota)
	out := newBank(t).must(alice(), 0).Settle(tollgate.MaxMoney)
	if out.Cost != tollgate.MaxCost {
		t.Fatalf("a dispatch costs %s", out.Cost)
	}
	if out := b.must(ledger.Chain{UserID: 9}, 5).Settle(-5); out.Cost != 0 {
		t.Fatalf("a negative cost became %s", out.Cost)
	}
}

func TestAHoldIsClosedOnce(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
	h := b.must(alice(), 40)
	h.Settle(10)
	if out := h.Settle(20); out.Closed || out.Cost != 0 {
		t.Fatalf("settled twice: %+v", out)
	}
	h.Release()
	code(t, h.Extend(t.Context(), 5), tollgate.CodeInternal)
	if next, out, err := h.Next(t.Context(), 3, 5); next != nil || out.Closed || err == nil {
		t.Fatalf("a closed hold went on: %v %+v %v", next, out, err)
	}
	b.want(1, 10, 0)
}

func TestAHoldGrowsSliceBySliceUntilTheMoneyEnds(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeKey, 1, tollgate.WindowTotal, 100), quota(tollgate.ScopeTeam, 3, tollgate.WindowTotal, 70))
	h := b.must(alice(), 30)
	for range 2 {
		if err := h.Extend(t.Context(), 20); err != nil {
			t.Fatal(err)
		}
	}
	b.want(1, 0, 70)
	e := refused(t, h.Extend(t.Context(), 1))
	if e.Reason != "" {
		t.Fatalf("nobody else holds anything, but the refusal is %q", e.Reason)
	}
	if h.Amount() != 70 {
		t.Fatalf("a refused extension left %s", h.Amount())
	}
	if out := h.Settle(70); out.Overrun != 0 {
		t.Fatalf("outcome %+v", out)
	}
	b.want(2, 70, 0)
}

func TestTheNextAttemptTakesOverTheHold(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
	first := b.must(alice(), 100)
	second, out, err := first.Next(t.Context(), 0, 100)
	if err != nil || out.Cost != 0 || !out.Closed {
		t.Fatalf("%+v, %v", out, err)
	}
	b.want(1, 0, 100)
	third, out, err := second.Next(t.Context(), 30, 60)
	if err != nil || out.Cost != 30 || out.Overrun != 0 {
		t.Fatalf("%+v, %v", out, err)
	}
	b.want(1, 30, 60)
	dearer, _, err := third.Next(t.Context(), 10, 60) // 10 are missing and there
	if err != nil {
		t.Fatal(err)
	}
	b.want(1, 40, 60)
	last, out, err := dearer.Next(t.Context(), 5, 60) // 5 are missing
	code(t, err, tollgate.CodeQuota)
	if last != nil || out.Cost != 5 {
		t.Fatalf("%v %+v", last, out)
	}
	b.want(1, 45, 0)
	free, _, err := b.must(alice(), 0).Next(t.Context(), 0, 0)
	if err != nil || free == nil {
		t.Fatalf("an attempt that costs nothing was not handed on: %v", err)
	}
	free.Release()
}

func TestMoneyThatIsHeldIsWaitedForInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
		b.Wait = 10 * time.Second
		holder := b.must(alice(), 90)
		start := time.Now()
		admitted := make(chan string, 3)
		for i, amount := range []tollgate.Money{60, 60, 30} {
			go func() {
				h, err := b.admit(alice(), amount)
				admitted <- fmt.Sprint(i, " after ", time.Since(start), " ", err)
				time.Sleep(time.Second)
				h.Settle(10)
			}()
			synctest.Wait()
		}
		if len(admitted) != 0 || b.Stats().Waiting != 3 {
			t.Fatalf("%d were admitted while the money was held", len(admitted))
		}
		holder.Settle(5) // the last one would fit now, but is behind
		for _, want := range []string{"0 after 0s <nil>", "1 after 1s <nil>", "2 after 2s <nil>"} {
			if got := <-admitted; got != want {
				t.Fatalf("admitted %s, want %s", got, want)
			}
		}
		time.Sleep(2 * time.Second)
		b.want(1, 35, 0)
	})
}

func TestPatienceWithHeldMoneyEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100), quota(tollgate.ScopeInstance, 0, tollgate.WindowTotal, 1000))
		b.Wait = 10 * time.Second
		holder := b.must(alice(), 90)
		start := time.Now()
		errs := make(chan error, 1)
		go func() { errs <- second(b.admit(alice(), 50)) }()
		synctest.Wait()
		small := b.must(ledger.Chain{UserID: 7}, 5) // another's money waits for nobody
		e := refused(t, <-errs)
		if took := time.Since(start); took != 10*time.Second || e.Reason != ledger.ReasonHeld || e.RetryAfter == 0 {
			t.Fatalf("refused after %v as %+v", took, e)
		}
		ctx, leave := context.WithCancel(t.Context())
		go func() { errs <- second(b.Admit(ctx, b.id(), alice(), 50)) }()
		synctest.Wait()
		leave()
		code(t, <-errs, tollgate.CodeUnavailable)
		if n := b.Stats().Waiting; n != 0 {
			t.Fatalf("%d still wait", n)
		}
		holder.Release()
		small.Release()
		b.must(alice(), 100).Release()
		b.want(1, 0, 0)
		b.want(2, 0, 0)
	})
}

func TestAWaiterTakesWhatThereIsWhenItsTimeIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
		b.Wait = 10 * time.Second
		holder := b.must(alice(), 90)
		errs := make(chan error, 2)
		go func() { errs <- second(b.admit(alice(), 50)) }()
		synctest.Wait()
		go func() { errs <- second(b.admit(alice(), 10)) }() // fits, but is behind
		synctest.Wait()
		one, other := <-errs, <-errs // their time is up at the same moment
		if (one == nil) == (other == nil) {
			t.Fatalf("of 50 and 10 with 10 left, one was to be admitted: %v, %v", one, other)
		}
		b.want(1, 0, 100)
		holder.Release()
	})
}

func TestStreamsThatWaitForEachOtherAreCutOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
		b.Wait = 10 * time.Second
		start := time.Now()
		one, two := b.must(alice(), 50), b.must(alice(), 50)
		grown := make(chan error, 1)
		go func() { grown <- one.Extend(t.Context(), 10) }()
		synctest.Wait()
		e := refused(t, two.Extend(t.Context(), 10)) // nobody is left who could settle
		if e.Reason != ledger.ReasonHeld {
			t.Fatalf("cut for %q", e.Reason)
		}
		two.Settle(45)
		if err := <-grown; err == nil {
			t.Fatal("an extension fits where it cannot")
		}
		one.Settle(50)
		b.want(1, 95, 0)
		three, four := b.must(alice(), 4), b.must(alice(), 1)
		go func() { grown <- three.Extend(t.Context(), 1) }()
		synctest.Wait()
		four.Release()
		if err := <-grown; err != nil {
			t.Fatalf("what came free was not taken: %v", err)
		}
		three.Settle(5)
		if time.Since(start) != 0 {
			t.Fatalf("it took %v", time.Since(start))
		}
	})
}

func TestLimitsChangeUnderLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowTotal, 100))
		b.Wait = 10 * time.Second
		holder := b.must(alice(), 80)
		errs := make(chan error, 1)
		var admitted *ledger.Hold
		wait := func() {
			go func() {
				h, err := b.admit(alice(), 30)
				admitted = h
				errs <- err
			}()
			synctest.Wait()
		}
		wait()
		more := tollgate.Money(110)
		b.setLimit(1, &more)
		if err := <-errs; err != nil {
			t.Fatalf("a raised limit woke nobody: %v", err)
		}
		b.want(1, 0, 110)
		admitted.Release()
		less := tollgate.Money(90)
		b.setLimit(1, &less)
		wait()
		holder.Settle(80)
		code(t, <-errs, tollgate.CodeQuota) // 80 are spent: it can never fit
		b.setLimit(1, nil)
		b.must(alice(), 1000).Release()
		b.setLimit(1, &less)
		holder = b.must(alice(), 0)
		code(t, holder.Extend(t.Context(), 50), tollgate.CodeQuota)
		b.store.quotas = nil // deleted: unlimited, whoever waits goes on
		b.load()
		if err := holder.Extend(t.Context(), 50); err != nil {
			t.Fatal(err)
		}
		holder.Release()
	})
}

func TestAdjustmentsMoveTheBalanceOfTheirWindow(t *testing.T) {
	b := newBank(t, quota(tollgate.ScopeUser, 2, tollgate.WindowDay, 100))
	today := noon().Truncate(24 * time.Hour)
	b.must(alice(), 60).Settle(60)
	adjust := func(start time.Time, amount tollgate.Money) {
		b.store.adjustments = append(b.store.adjustments, tollgate.Adjustment{
			ID: int64(len(b.store.adjustments) + 1), Kind: tollgate.AdjustCorrection, QuotaID: 1, WindowStart: start, Amount: amount,
		})
		b.load()
		b.load() // twice is once
	}
	adjust(today, -50)
	b.want(1, 10, 0)
	adjust(today.AddDate(0, 0, -1), 1000)
	b.want(1, 10, 0)
	adjust(today, 90)
	code(t, second(b.admit(alice(), 1)), tollgate.CodeQuota)
	b.clock.move(13 * time.Hour)
	adjust(today.AddDate(0, 0, 1), 70)
	b.want(1, 70, 0)
	b.store.adjustments = append(b.store.adjustments, tollgate.Adjustment{ID: 5, Kind: tollgate.AdjustCarry, QuotaID: 1, WindowStart: today.AddDate(0, 0, 1), Amount: 9})
	b.load()
	b.want(1, 70, 0)
}
