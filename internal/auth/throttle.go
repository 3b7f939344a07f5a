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
	// Codes is how many wrong codes of a second factor an account may be shown
	// until a quarter of an hour is over; whoever shows them knows its password.
	Codes        int           // 0 = 10
	Global       int           // failures in a row from everywhere; 0 = 1,000
	GlobalRefill time.Duration // one more is allowed each; 0 = 10 ms
}

// forgetFailures is when an account's failures no longer count.
const forgetFailures = 15 * time.Minute

// throttle slows guessing (SECURITY ). An address, a /64 in IPv6,
// has a budget of failures and is refused beyond it. An account is never
// locked: attempts on it are delayed, the longer the more have failed, by so
// little that its owner still gets in from elsewhere. When failures come from
// everywhere, addresses that have failed are refused and all others slowed.
type throttle struct {
	limits ThrottleLimits
	keys   Subkeys
	now    func() time.Time

	mu        sync.Mutex
	addresses map[netip.Prefix]budget
	accounts  map[account]failures
	codes     map[account]failures // wrong codes of second factors
	global    budget
	dirty     bool // something changed since the last save
}

// account stands for an account's name: a keyed digest, since people type
// passwords into the wrong field.
type account [16]byte

type budget struct {
	left float64
	at   time.Time
}

type failures struct {
	count int
	at    time.Time
}

func newThrottle(l ThrottleLimits, keys Subkeys, now func() time.Time) *throttle {
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
	if l.Codes == 0 {
		l.Codes = 10
	}
	if l.Global == 0 {
		l.Global = 1000
	}
	if l.GlobalRefill == 0 {
		l.GlobalRefill = 10 * time.Millisecond
	}
	return &throttle{
		limits: l, keys: keys, now: now, global: budget{left: float64(l.Global), at: now()},
		addresses: map[netip.Prefix]budget{}, accounts: map[account]failures{}, codes: map[account]failures{},
	}
}

// enter books an attempt before it is judged, so that parallel attempts do
// not slip past: CodeRateLimited when the address has no budget left. It waits
// for as long as the account's failures demand.
func (t *throttle) enter(ctx context.Context, ip netip.Addr, name string) error {
	return wait(ctx, func() (time.Duration, error) { return t.book(ip, name) })
}

// enterLink is enter for the token of a link, which belongs to no account.
func (t *throttle) enterLink(ctx context.Context, ip netip.Addr) error {
	return wait(ctx, func() (time.Duration, error) {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.bookAddress(ip, t.now())
	})
}

// wait books an attempt and waits for as long as that says.
func wait(ctx context.Context, book func() (time.Duration, error)) error {
	delay, err := book()
	if err != nil || delay == 0 {
		return err
	}
	timer := time.NewTimer(delay)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, context.Cause(ctx), "the request ended before it was judged")
	}
}

func (t *throttle) book(ip netip.Addr, name string) (time.Duration, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	delay, err := t.bookAddress(ip, now)
	if err != nil {
		return 0, err
	}
	over := t.add(t.accounts, t.account(name), now) - 1 - t.limits.Free
	if over < 0 || delay != 0 {
		return delay, nil
	}
	return min(t.limits.MaxDelay, 100*time.Millisecond<<min(over, 10)), nil
}

// bookAddress books the attempt on the address, and says how long it waits
// while failures come from everywhere.
func (t *throttle) bookAddress(ip netip.Addr, now time.Time) (time.Duration, error) {
	net := network(ip)
	_, failed := t.addresses[net]
	b := t.refilled(net, now)
	t.global = t.global.refilled(now, t.limits.Global, t.limits.GlobalRefill)
	everywhere := t.global.left < 1
	switch {
	case b.left < 1:
		t.addresses[net] = b
		return 0, errThrottled("too many failed attempts from this address; try again later", time.Duration((1-b.left)*float64(t.limits.Refill)))
	case everywhere && failed:
		return 0, errThrottled("too many failed attempts; try again later", t.limits.MaxDelay)
	}
	t.dirty = true
	b.left--
	if len(t.addresses) >= t.limits.Entries {
		makeRoom(t.addresses, func(old budget) bool { return now.Sub(old.at) > time.Duration(t.limits.Burst)*t.limits.Refill })
	}
	t.addresses[net] = b
	if everywhere {
		return t.limits.MaxDelay, nil
	}
	t.global.left--
	return 0, nil
}

// add books an attempt in m and returns how many there are.
func (t *throttle) add(m map[account]failures, id account, now time.Time) int {
	f := m[id]
	if now.Sub(f.at) > forgetFailures {
		f = failures{}
	}
	f.count, f.at = f.count+1, now
	if len(m) >= t.limits.Entries {
		makeRoom(m, func(old failures) bool { return now.Sub(old.at) > forgetFailures })
	}
	m[id] = f
	return f.count
}

// take takes an attempt back.
func take(m map[account]failures, id account) {
	if f := m[id]; f.count > 1 {
		f.count--
		m[id] = f
	} else {
		delete(m, id)
	}
}

func errThrottled(message string, after time.Duration) error {
	return &tollgate.Error{Code: tollgate.CodeRateLimited, Message: message, RetryAfter: after}
}

// account returns what stands for a name, in whatever spelling.
func (t *throttle) account(name string) account {
	mac := t.keys.MAC("sign-in-throttle", []byte(canonical(name)))
	return account(mac[:])
}

// codesOf returns what stands for the second factor of a user.
func (t *throttle) codesOf(userID int64) account {
	mac := t.keys.MAC("code-throttle", id64(userID))
	return account(mac[:])
}

// enterFactor is enter for a second factor of a user, 0 for one that cannot
// be guessed. Codes are six digits, so their number is bounded: whoever tries
// them knows the password, and the account's owner loses nothing to strangers.
func (t *throttle) enterFactor(ctx context.Context, ip netip.Addr, name string, userID int64) error {
	if err := t.bookCode(userID); err != nil {
		return err
	}
	err := t.enter(ctx, ip, name)
	if err != nil && userID != 0 {
		t.mu.Lock()
		defer t.mu.Unlock()
		take(t.codes, t.codesOf(userID))
	}
	return err
}

func (t *throttle) bookCode(userID int64) error {
	if userID == 0 {
		return nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	now, id := t.now(), t.codesOf(userID)
	if f := t.codes[id]; f.count >= t.limits.Codes && now.Sub(f.at) <= forgetFailures {
		return errThrottled("too many wrong codes; try again later", forgetFailures-now.Sub(f.at)+time.Second)
	}
	t.dirty = true
	t.add(t.codes, id, now)
	return nil
}

// succeeded gives the attempt back to the address and forgives the account.
func (t *throttle) succeeded(ip netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unbook(ip)
	delete(t.accounts, t.account(name))
}

// linkJudged gives the attempt back that a token did not fail in.
func (t *throttle) linkJudged(ip netip.Addr) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unbook(ip)
}

// unjudged takes back an attempt that was never compared with a password.
func (t *throttle) unjudged(ip netip.Addr, name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.unbook(ip)
	take(t.accounts, t.account(name))
}

// factorSucceeded is succeeded for a second factor.
func (t *throttle) factorSucceeded(ip netip.Addr, name string, userID int64) {
	t.succeeded(ip, name)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.codes, t.codesOf(userID))
}

// factorUnjudged is unjudged for a second factor, as it was entered.
func (t *throttle) factorUnjudged(ip netip.Addr, name string, userID int64) {
	t.unjudged(ip, name)
	if userID == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	take(t.codes, t.codesOf(userID))
}

func (t *throttle) unbook(ip netip.Addr) {
	t.dirty = true
	t.global.left = min(float64(t.limits.Global), t.global.left+1)
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
	return b.refilled(now, t.limits.Burst, t.limits.Refill)
}

// refilled returns b as it is at now.
func (b budget) refilled(now time.Time, burst int, refill time.Duration) budget {
	if gone := now.Sub(b.at); gone > 0 {
		b.left = min(float64(burst), b.left+float64(gone)/float64(refill))
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
