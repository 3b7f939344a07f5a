package auth_test

import (
	"net/netip"
	"strconv"
	"strings"
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
