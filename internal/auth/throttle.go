package auth

import (
	"context"
	"net/netip"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"tollgate"
)

// ThrottleLimits bounds sign-in attempts; zero fields are policy.
type ThrottleLimits struct {
	Burst    int           // failures in a row from one address; 0 = 20
	Refill   time.Duration // one more failure is allowed each; 0 = 6 s
	Free     int           // failures of one account before attempts are slowed; 0 = 5
	MaxDelay time.Duration // the longest delay of an attempt; 0 = 2 s
	Entries  int           // addresses, and accounts, that are remembered; 0 = 10,000
}

// forgetFailures is when an account's failures no longer count.
const forgetFailures = 15 * time.Minute

// throttle slows guessing (SECURITY ). An address, a /64 in IPv6,
// has a budget of failures and is refused beyond it. An account is never
// locked: attempts on it are delayed, the longer the more have failed, by so
// little that its owner still gets in from elsewhere.
type throttle struct {
	limits ThrottleLimits
	now    func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]budget
	accounts  map[string]failures
}

type budget struct {
	left float64
	at   time.Time
}

type failures struct {
	count int
	at    time.Time
}

func newThrottle(l ThrottleLimits, now func() time.Time) *throttle {
	if l.Burst == 0 {
		l.Burst = 20
	}
	if l.Refill == 0 {
		l.Refill = 6 * time.Second
	}
	if l.Free == 0 {
		l.Free = 5
	}
	if l.MaxDelay == 0 {
		l.MaxDelay = 2 * time.Second
	}
	if l.Entries == 0 {
		l.Entries = 10_000
	}
	return &throttle{limits: l, now: now, addresses: map[netip.Prefix]budget{}, accounts: map[string]failures{}}
}

// enter books an attempt before it is judged, so that parallel attempts do
// not slip past: CodeRateLimited when the address has no budget left. It waits
// for as long as the account's failures demand.
func (t *throttle) enter(ctx context.Context, ip netip.Addr, name string) error {
	delay, err := t.book(ip, name)
	if err != nil || delay == 0 {
		return err
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, context.Cause(ctx), "the request ended before its password was checked")
	}
}

func (t *throttle) book(ip netip.Addr, name string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now, net := t.now(), network(ip)
	b := t.refilled(net, now)
	if b.left < 1 {
		t.addresses[net] = b
		wait := time.Duration((1 - b.left) * float64(t.limits.Refill))
		return 0, &tollgate.Error{
			Code: tollgate.CodeRateLimited, Message: "too many failed sign-ins from this address; try again later", RetryAfter: wait,
		}
	}
	b.left--
	if len(t.addresses) >= t.limits.Entries {
		makeRoom(t.addresses, func(old budget) bool { return now.Sub(old.at) > time.Duration(t.limits.Burst)*t.limits.Refill })
	}
	t.addresses[net] = b

	account := canonical(name)
	f := t.accounts[account]
	if now.Sub(f.at) > forgetFailures {
		f = failures{}
	}
	f.count, f.at = f.count+1, now
	if len(t.accounts) >= t.limits.Entries {
		makeRoom(t.accounts, func(old failures) bool { return now.Sub(old.at) > forgetFailures })
	}
	t.accounts[account] = f
	over := f.count - 1 - t.limits.Free
	if over < 0 {
		return 0, nil
	}
	return min(t.limits.MaxDelay, 100*time.Millisecond<<min(over, 10)), nil
}

// succeeded gives the attempt back to the address and forgives the account.
func (t *throttle) succeeded(ip netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unbook(ip)
	delete(t.accounts, canonical(name))
}

// unjudged takes back an attempt that was never compared with a password.
func (t *throttle) unjudged(ip netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unbook(ip)
	account := canonical(name)
	if f := t.accounts[account]; f.count > 1 {
		f.count--
		t.accounts[account] = f
	} else {
		delete(t.accounts, account)
	}
}

func (t *throttle) unbook(ip netip.Addr) {
	net := network(ip)
	b := t.refilled(net, t.now())
	if b.left++; b.left >= float64(t.limits.Burst) {
		delete(t.addresses, net)
		return
	}
	t.addresses[net] = b
}

func (t *throttle) refilled(net netip.Prefix, now time.Time) budget {
	b, ok := t.addresses[net]
	if !ok {
		return budget{left: float64(t.limits.Burst), at: now}
	}
	if gone := now.Sub(b.at); gone > 0 {
		b.left = min(float64(t.limits.Burst), b.left+float64(gone)/float64(t.limits.Refill))
	}
	b.at = now
	return b
}

// makeRoom removes what no longer counts, and one entry more if nothing was.
func makeRoom[K comparable, V any](m map[K]V, over func(V) bool) {
	before := len(m)
	for k, v := range m {
		if over(v) {
			delete(m, k)
		}
	}
	if len(m) < before {
		return
	}
	for k := range m {
		delete(m, k)
		return
	}
}

// network is the unit in which addresses are counted.
func network(ip netip.Addr) netip.Prefix {
	ip = ip.Unmap().WithZone("")
	bits := 32
	if ip.Is6() {
		bits = 64
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return netip.Prefix{} // no address: all such share one budget
	}
	return p
}

// canonical brings the spellings of a name to one (SECURITY N-57).
func canonical(name string) string {
	if len(name) > 4*tollgate.MaxNameLength {
		name = name[:4*tollgate.MaxNameLength]
	}
	return strings.ToLower(strings.TrimSpace(norm.NFKC.String(name)))
}
