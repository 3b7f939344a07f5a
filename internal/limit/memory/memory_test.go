package memory_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/limit"
	"tollgate/internal/limit/limittest"
	"tollgate/internal/limit/memory"
)

func open(_ testing.TB, now func() time.Time, limits []tollgate.RateLimit) limit.Limiter {
	l := memory.New(now)
	l.Set(limits)
	return l
}

func TestConformance(t *testing.T) {
	limittest.Run(t, limittest.Engine{Open: open, Slack: memory.Slack})
}

func row(id int64, set func(*tollgate.RateLimit)) tollgate.RateLimit {
	r := tollgate.RateLimit{ID: id, Scope: tollgate.ScopeUser, ScopeID: 1, ModelPattern: "*"}
	set(&r)
	return r
}

func call() limit.Call {
	return limit.Call{Owners: []limit.Owner{{Scope: tollgate.ScopeUser, ID: 1}}, Model: "m", Tokens: 10}
}

// admits is how many calls are admitted until the first refusal.
func admits(l limit.Limiter) (count int) {
	for {
		if _, err := l.Admit(call()); err != nil {
			return count
		}
		count++
	}
}

func TestLimitsChangeWhileTheyCount(t *testing.T) {
	l := memory.New(limittest.Clock().Now)
	five := row(1, func(r *tollgate.RateLimit) { r.RPM = new(int64(5)) })
	l.Set([]tollgate.RateLimit{five})
	if got := admits(l); got != 5 {
		t.Fatalf("%d", got)
	}
	eight := five
	eight.RPM = new(int64(8))
	l.Set([]tollgate.RateLimit{eight})
	if got := admits(l); got != 3 {
		t.Errorf("raised from 5 to 8: %d more", got)
	}
	l.Set([]tollgate.RateLimit{five})
	if got := admits(l); got != 0 {
		t.Errorf("lowered below what is used: %d more", got)
	}
	l.Set(nil)
	if _, err := l.Admit(call()); err != nil {
		t.Errorf("without a limit: %v", err)
	}
	l.Set([]tollgate.RateLimit{five})
	if got := admits(l); got != 5 {
		t.Errorf("a limit that was taken away begins anew: %d", got)
	}
}

func TestSlotsSurviveAChangeOfLimits(t *testing.T) {
	l := memory.New(limittest.Clock().Now)
	two := row(1, func(r *tollgate.RateLimit) { r.Concurrency = new(int64(2)) })
	l.Set([]tollgate.RateLimit{two})
	a, err := l.Admit(call())
	if err != nil {
		t.Fatal(err)
	}
	l.Set([]tollgate.RateLimit{two})
	if got := l.Running(); got != 1 {
		t.Errorf("%d run", got)
	}
	a.Release()
	if got := l.Running(); got != 0 {
		t.Errorf("%d run after the end of the one", got)
	}
}

func TestAClockThatIsSetBackOrForward(t *testing.T) {
	c := limittest.Clock()
	l := memory.New(c.Now)
	l.Set([]tollgate.RateLimit{row(1, func(r *tollgate.RateLimit) { r.RPM, r.RPD = new(int64(3)), new(int64(100)) })})
	if got := admits(l); got != 3 {
		t.Fatalf("%d", got)
	}
	c.Move(-10 * time.Hour)
	if got := admits(l); got != 0 {
		t.Errorf("set back: %d more at once", got)
	}
	c.Move(62 * time.Second) // not ten hours
	if got := admits(l); got != 3 {
		t.Errorf("a minute after it was set back: %d", got)
	}
	c.Move(-time.Millisecond) // two callers overtook each other
	if got := admits(l); got != 0 {
		t.Errorf("a step back: %d", got)
	}
	c.Move(time.Second - time.Duration(c.Now().Nanosecond()))
	for range 100 { // and again and again, at the border of a slot
		c.Move(-time.Millisecond)
		admits(l)
		c.Move(time.Millisecond)
		if got := admits(l); got != 0 {
			t.Fatalf("steps to and fro: %d", got)
		}
	}
	c.Move(1000 * time.Hour)
	if got := admits(l); got != 3 {
		t.Errorf("set forward: %d", got)
	}
}

func TestAClockSetBackOverARestart(t *testing.T) {
	c := limittest.Clock()
	limits := []tollgate.RateLimit{row(1, func(r *tollgate.RateLimit) { r.RPM, r.TotalTokens = new(int64(3)), new(int64(1000)) })}
	l := memory.New(c.Now)
	l.Set(limits)
	admits(l)
	rows := l.Save()
	c.Move(-5 * time.Hour)
	l = memory.New(c.Now)
	l.Set(limits)
	if lost := l.Restore(rows); lost != 0 {
		t.Fatalf("%d lost", lost)
	}
	if got := admits(l); got != 0 {
		t.Errorf("%d more", got)
	}
	c.Move(62 * time.Second)
	if got := admits(l); got != 3 {
		t.Errorf("a minute later: %d", got)
	}
}

// TestLeaks lets many come and go in every way at once: in the end nobody is
// there.
func TestLeaks(t *testing.T) {
	l := memory.New(time.Now)
	l.Set([]tollgate.RateLimit{row(1, func(r *tollgate.RateLimit) { r.Concurrency = new(int64(50)) }), {ID: 2, Scope: tollgate.ScopeInstance, ModelPattern: "*", Concurrency: new(int64(60))}})
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			c := call()
			if i%2 == 0 {
				c.Owners = append(c.Owners, limit.Owner{Scope: tollgate.ScopeInstance})
			}
			for range 500 {
				g, err := l.Admit(c)
				if err != nil {
					continue
				}
				g.Settle(3)
				g.Release()
				g.Release()
			}
		})
	}
	wg.Wait()
	if got := l.Running(); got != 0 {
		t.Errorf("%d slots are gone", got)
	}
}

func FuzzRestore(f *testing.F) {
	l := memory.New(limittest.Clock().Now)
	l.Set([]tollgate.RateLimit{row(1, func(r *tollgate.RateLimit) {
		r.RPM, r.RPD, r.TotalTokens = new(int64(3)), new(int64(3)), new(int64(100))
	})})
	admits(l)
	f.Add(l.Save()[0].State)
	f.Add([]byte(`{"minute":[[9223372036854775807,9223372036854775807],[-1,1]],"day":[[1,-1]]}`))
	f.Fuzz(func(t *testing.T, state []byte) {
		l := memory.New(limittest.Clock().Now)
		l.Set([]tollgate.RateLimit{row(1, func(r *tollgate.RateLimit) {
			r.RPM, r.RPD, r.TotalTokens = new(int64(3)), new(int64(3)), new(int64(100))
		})})
		l.Restore([]tollgate.RateCounters{{LimitID: 1, State: state}})
		if got := admits(l); got > 3 {
			t.Fatalf("%q admits %d", state, got)
		}
	})
}

func BenchmarkAdmit(b *testing.B) {
	chain := []limit.Owner{{Scope: tollgate.ScopeKey, ID: 7}, {Scope: tollgate.ScopeUser, ID: 1}, {Scope: tollgate.ScopeInstance}}
	big := int64(1 << 50)
	for _, limits := range []int{0, 1, 3} {
		rows := []tollgate.RateLimit{
			{ID: 1, Scope: tollgate.ScopeUser, ScopeID: 1, ModelPattern: "*", RPM: &big},
			{ID: 2, Scope: tollgate.ScopeKey, ScopeID: 7, ModelPattern: "gpt-*", RPM: &big, TotalTokens: &big},
			{ID: 3, Scope: tollgate.ScopeInstance, ModelPattern: "*", RPM: &big, RPD: &big, Concurrency: &big},
		}[:limits]
		l := memory.New(time.Now)
		l.Set(rows)
		b.Run(fmt.Sprintf("limits=%d", limits), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				g, err := l.Admit(limit.Call{Owners: chain, Model: "gpt-4o", Tokens: 100})
				if err != nil {
					b.Fatal(err)
				}
				g.Settle(90)
				g.Release()
			}
		})
	}
}

// BenchmarkAdmitParallel admits calls of many users at once: they share no lock.
func BenchmarkAdmitParallel(b *testing.B) {
	big := int64(1 << 50)
	var rows []tollgate.RateLimit
	for i := range int64(64) {
		rows = append(rows, tollgate.RateLimit{ID: i + 1, Scope: tollgate.ScopeUser, ScopeID: i, ModelPattern: "*", RPM: &big})
	}
	l := memory.New(time.Now)
	l.Set(rows)
	var next atomic.Int64
	b.RunParallel(func(pb *testing.PB) {
		owners := []limit.Owner{{Scope: tollgate.ScopeUser, ID: next.Add(1) % 64}}
		for pb.Next() {
			g, err := l.Admit(limit.Call{Owners: owners, Model: "m"})
			if err != nil {
				b.Fatal(err)
			}
			g.Release()
		}
	})
}
