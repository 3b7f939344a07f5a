package auth_test

import (
	"net/netip"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/auth"
)

// TestFailedSignInsCannotFillTheDisk guesses for a day, far faster than the
// audit lists: what is not listed is counted, and nothing is lost.
func TestFailedSignInsCannotFillTheDisk(t *testing.T) {
	w := newWorld(t)
	s := auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{Burst: 1_000_000, Free: 1_000_000, Global: 1_000_000})
	const attempts = 10_000
	for i := range attempts {
		ip := netip.AddrFrom4([4]byte{192, 0, 2, byte(i)})
		if _, err := s.Login(w.Context(), "nobody", tollgate.NewSecret("a canary guess"), auth.SignIn{IP: ip}); tollgate.ErrorCode(err) != tollgate.CodeUnauthenticated {
			t.Fatalf("attempt %d: %v", i, err)
		}
	}
	listed := w.audited("login.failed")
	if len(listed) < 1000 || len(listed) > 1100 {
		t.Errorf("%d failures are listed, want about 1,000", len(listed))
	}
	if err := s.SaveFailures(w.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.SaveFailures(w.Context()); err != nil { // nothing new
		t.Fatal(err)
	}
	all := w.audited("login.failed")
	last := string(all[len(all)-1].Detail)
	if len(all) != len(listed)+1 || !strings.Contains(last, `"count":`+strconv.Itoa(attempts-len(listed))) {
		t.Errorf("%d entries, the last is %s", len(all), last)
	}
	for _, e := range all {
		if strings.Contains(string(e.Detail), "canary") {
			t.Fatalf("an entry holds what was typed: %s", e.Detail)
		}
	}
	w.clock.advance(time.Minute)
	if _, err := s.Login(w.Context(), "nobody", tollgate.NewSecret("x"), auth.SignIn{}); err == nil {
		t.Fatal("signed in")
	}
	if n := len(w.audited("login.failed")); n != len(all)+1 {
		t.Errorf("a minute later %d entries, want one more than %d", n, len(all))
	}
}

// TestA05TenThousandGuesses guesses with the limits as they ship, half of the
// guesses at alice: most are refused unjudged and all alike, no memory stays
// behind, and alice gets in from an address of her own.
func TestA05TenThousandGuesses(t *testing.T) {
	w := newWorld(t)
	w.user("alice", false)
	s := auth.NewSessions(w.store, w.accounts, w.keyring, auth.ThrottleLimits{})
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	const attempts = 10_000
	var judged, refused, others atomic.Int64
	var told sync.Map // what was refused with
	var all sync.WaitGroup
	for i := range attempts {
		all.Go(func() {
			name := "alice"
			if i%2 == 0 {
				name = "nobody " + strconv.Itoa(i)
			}
			from := auth.SignIn{IP: netip.AddrFrom4([4]byte{198, 18, byte(i % 7), byte(i % 251)})}
			_, err := s.Login(w.Context(), name, tollgate.NewSecret("a guess"), from)
			e := tollgate.AsError(err)
			switch {
			case e.Code == tollgate.CodeUnauthenticated:
				judged.Add(1)
			case e.Code == tollgate.CodeUnavailable: // too many are being judged
				others.Add(1)
			case e.Code == tollgate.CodeRateLimited && e.RetryAfter > 0:
				refused.Add(1)
				told.Store(e.Message, true)
			default:
				t.Errorf("attempt %d: %v", i, err)
			}
		})
	}
	all.Wait()
	messages := 0
	told.Range(func(any, any) bool { messages++; return true })
	if refused.Load() < attempts/2 || messages != 1 {
		t.Errorf("%d of %d were refused, in %d ways", refused.Load(), attempts, messages)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 32<<20 {
		t.Errorf("the heap has grown by %d bytes", grown)
	}
	start := time.Now()
	if _, err := s.Login(w.Context(), "alice", tollgate.NewSecret("the own secret of alice"), auth.SignIn{IP: netip.MustParseAddr("203.0.113.9")}); err != nil {
		t.Errorf("alice herself: %v", err)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("alice waited %v", took)
	}
	t.Logf("%d judged, %d refused, %d found the queue full; heap %d to %d kB; alice waited %v", judged.Load(), refused.Load(), others.Load(),
		before.HeapAlloc>>10, after.HeapAlloc>>10, time.Since(start).Round(time.Millisecond))
}
