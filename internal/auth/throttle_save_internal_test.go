package auth

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"tollgate"
)

func TestA05CountersSurviveARestartWithoutNames(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	fresh := func() *throttle { return newThrottle(ThrottleLimits{}, plainKeys{}, func() time.Time { return now }) }
	th, ip := fresh(), netip.MustParseAddr("192.0.2.1")
	passed := 0
	for range 10_000 {
		if _, err := th.book(ip, "hunter2-typed-as-a-name"); err == nil {
			passed++
		}
	}
	if passed != 20 {
		t.Errorf("%d of 10,000 attempts passed", passed)
	}
	for range 10 {
		if err := th.bookCode(7); err != nil {
			t.Fatal(err)
		}
	}
	c, dirty := th.save()
	stored, err := json.Marshal(c)
	if err != nil || !dirty || len(stored) > 1000 {
		t.Fatalf("%d bytes, dirty %v: %v", len(stored), dirty, err)
	}
	if _, again := th.save(); again {
		t.Error("nothing changed, and there is something to save")
	}
	var read counters
	if err := json.Unmarshal(stored, &read); err != nil {
		t.Fatal(err)
	}
	th = fresh()
	th.restore(read)
	if _, err := th.book(ip, "x"); tollgate.ErrorCode(err) != tollgate.CodeRateLimited {
		t.Errorf("the address after a restart: %v", err)
	}
	if err := th.bookCode(7); tollgate.ErrorCode(err) != tollgate.CodeRateLimited {
		t.Errorf("codes after a restart: %v", err)
	}
	if d, err := th.book(netip.MustParseAddr("192.0.2.2"), "Hunter2-typed-as-a-name"); err != nil || d == 0 {
		t.Errorf("A-06: the account from elsewhere after a restart: %v, %v; want a delay", d, err)
	}
	now = now.Add(time.Hour)
	if err := th.bookCode(7); err != nil {
		t.Errorf("an hour later: %v", err)
	}
}

func TestA05FailuresFromEverywhereRefuseOnlyThoseThatFail(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	th := newThrottle(ThrottleLimits{}, plainKeys{}, func() time.Time { return now })
	at := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}) }
	for i := range 1000 {
		if _, err := th.book(at(i), fmt.Sprint("user-", i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := th.book(at(5), "alice"); tollgate.ErrorCode(err) != tollgate.CodeRateLimited {
		t.Errorf("an address that failed: %v", err)
	}
	if d, err := th.book(at(5000), "alice"); err != nil || d != 2*time.Second {
		t.Errorf("A-06: an address that did not: %v, %v", d, err)
	}
}
