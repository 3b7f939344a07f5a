package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
)

func TestA05AddressesHaveABudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(ThrottleLimits{Free: 1 << 30, Global: 1 << 30}, plainKeys{}, time.Now)
		attempt := func(ip string) tollgate.Code {
			return tollgate.ErrorCode(th.enter(t.Context(), netip.MustParseAddr(ip), "somebody"))
		}
		passed := 0
		for range 10_000 {
			if attempt("192.0.2.1") == "" {
				passed++
			}
		}
		if passed != 20 {
			t.Errorf("%d of 10,000 attempts in a row passed, want 20", passed)
		}
		e := tollgate.AsError(th.enter(t.Context(), netip.MustParseAddr("192.0.2.1"), "x"))
		if e.Code != tollgate.CodeRateLimited || e.RetryAfter <= 0 || e.RetryAfter > 6*time.Second {
			t.Errorf("refusal is %+v", e)
		}
		if got := attempt("::ffff:192.0.2.1"); got != tollgate.CodeRateLimited {
			t.Errorf("the same address, mapped: %q", got)
		}
		if got := attempt("192.0.2.2"); got != "" {
			t.Errorf("A-06: another address: %q", got)
		}
		time.Sleep(e.RetryAfter)
		if got := attempt("192.0.2.1"); got != "" {
			t.Errorf("after RetryAfter: %q", got)
		}
		if got := attempt("192.0.2.1"); got != tollgate.CodeRateLimited {
			t.Errorf("a second one after RetryAfter: %q", got)
		}
		for i := range 30 {
			want := tollgate.Code("")
			if i >= 20 {
				want = tollgate.CodeRateLimited
			}
			if got := attempt(fmt.Sprintf("2001:db8::%x", i)); got != want {
				t.Errorf("address %d of one /64: %q, want %q", i, got, want)
			}
		}
	})
}

func TestA05N57AccountsAreSlowedAndNeverLocked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		th := newThrottle(ThrottleLimits{}, plainKeys{}, time.Now)
		attempt := func(ip, name string) time.Duration {
			t.Helper()
			start := time.Now()
			if err := th.enter(t.Context(), netip.MustParseAddr(ip), name); err != nil {
				t.Errorf("attempt from %s on %s: %v", ip, name, err)
			}
			return time.Since(start)
		}
		var delays []time.Duration
		for i, name := range []string{"Alice", "alice", " alice", "ALICE", "ａｌｉｃｅ", "alice", "alice", "alice", "alice", "alice", "alice", "alice"} {
			delays = append(delays, attempt(fmt.Sprintf("198.51.100.%d", i), name))
		}
		for i, d := range delays {
			if i < 5 && d != 0 || i >= 5 && d != min(2*time.Second, 100*time.Millisecond<<(i-5)) {
				t.Errorf("attempt %d on any spelling of alice was delayed by %v", i+1, d)
			}
		}
		for range 100 {
			th.mu.Lock()
			f := th.accounts[th.account("alice")]
			f.count, f.at = f.count+1000, time.Now()
			th.accounts[th.account("alice")] = f
			th.mu.Unlock()
			if d := attempt("203.0.113.9", "alice"); d != 2*time.Second {
				t.Fatalf("delay is %v, want it bounded by 2 s", d)
			}
			th.succeeded(netip.MustParseAddr("203.0.113.9"), "alice")
			if d := attempt("203.0.113.9", "alice"); d != 0 {
				t.Fatalf("after a success the delay is %v", d)
			}
			th.succeeded(netip.MustParseAddr("203.0.113.9"), "alice")
		}
		for i := range 10 {
			attempt(fmt.Sprintf("198.51.100.1%d", i), "bob")
		}
		time.Sleep(forgetFailures + time.Second)
		if d := attempt("198.51.100.99", "bob"); d != 0 {
			t.Errorf("after a quarter of an hour the delay is %v", d)
		}
	})
}

func TestThrottleIsBounded(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	th := newThrottle(ThrottleLimits{Entries: 100, Free: 1 << 30, Global: 1 << 30}, plainKeys{}, func() time.Time { return now })
	for i := range 5000 {
		ip := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		if err := th.enter(t.Context(), ip, fmt.Sprint("user-", i)); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Millisecond)
	}
	if len(th.addresses) > 101 || len(th.accounts) > 101 {
		t.Errorf("%d addresses and %d accounts are remembered, want at most 101", len(th.addresses), len(th.accounts))
	}
	th = newThrottle(ThrottleLimits{}, plainKeys{}, func() time.Time { return now })
	ip := netip.MustParseAddr("192.0.2.1")
	for range 1000 { // attempts that were never judged cost nothing
		if err := th.enter(t.Context(), ip, "alice"); err != nil {
			t.Fatal(err)
		}
		th.unjudged(ip, "alice")
	}
	if len(th.addresses) != 0 || len(th.accounts) != 0 {
		t.Errorf("%d addresses and %d accounts are left", len(th.addresses), len(th.accounts))
	}
}
