package auth

import (
	"context"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/text/unicode/norm"

	"tollgate"
)

const (
	hashQueue = 64
	hashWait  = 2 * time.Second
	// A refusal waits for a moment: clients that try again the moment they are
	// refused would take more from everybody else than the hashes do. More than
	// a crowd is not worth its memory, and is refused at once.
	hashPause = time.Second
	hashCrowd = 1024
)

// HasherOptions bounds the work of a Hasher; zero fields are policy.
type HasherOptions struct {
	Slots int           // hashes at once; 0 = half the cores, at least 1
	Queue int           // callers that may wait; 0 = 64
	Wait  time.Duration // how long each waits; 0 = 2 s
	Cost  Cost          // of new hashes; zero = PolicyCost
	// Headroom gives the scheduler more processors while hashes run, so that
	// nobody waits behind them: for the one Hasher of a server.
	Headroom bool
}

// Hasher runs Argon2id, a few at a time: unbounded, a burst of sign-ins would
// take gigabytes (SECURITY A-02). Safe for concurrent use.
type Hasher struct {
	slots   chan struct{}
	queue   int64
	waiting atomic.Int64
	pausing atomic.Int64
	wait    time.Duration
	cost    Cost
	rand    io.Reader
	dummy   phc
	room    *headroom // nil = none
}

// NewHasher returns a Hasher that takes salts from random.
func NewHasher(o HasherOptions, random io.Reader) *Hasher {
	if o.Slots == 0 {
		o.Slots = max(1, runtime.GOMAXPROCS(0)/2)
	}
	if o.Queue == 0 {
		o.Queue = hashQueue
	}
	if o.Wait == 0 {
		o.Wait = hashWait
	}
	if o.Cost == (Cost{}) {
		o.Cost = PolicyCost()
	}
	h := &Hasher{
		slots: make(chan struct{}, o.Slots), queue: int64(o.Queue), wait: o.Wait, cost: o.Cost, rand: random,
		dummy: phc{variant: "argon2id", cost: o.Cost, salt: make([]byte, 16), hash: make([]byte, 32)},
	}
	if o.Headroom {
		h.room = &headroom{slots: o.Slots}
	}
	return h
}

// Hash returns the PHC string of password. Under overload it is CodeUnavailable.
func (h *Hasher) Hash(ctx context.Context, password tollgate.Secret) (string, error) {
	p := phc{variant: "argon2id", cost: h.cost, salt: make([]byte, 16), hash: make([]byte, 32)}
	if _, err := io.ReadFull(h.rand, p.salt); err != nil {
		return "", tollgate.WrapError(tollgate.CodeInternal, err, "make salt")
	}
	err := h.run(ctx, func() { p.hash = p.derive(password) })
	if err != nil {
		return "", err
	}
	return p.String(), nil
}

// Verify reports whether password belongs to a PHC string, and whether the
// string is weaker than policy and should be made anew. Under overload it is
// CodeUnavailable; a malformed string is CodeInvalid and costs nothing.
func (h *Hasher) Verify(ctx context.Context, hashed string, password tollgate.Secret) (ok, rehash bool, err error) {
	p, err := parsePHC(hashed)
	if err != nil {
		return false, false, err
	}
	if err := h.run(ctx, func() { ok = p.matches(password) }); err != nil {
		return false, false, err
	}
	return ok, p.variant != "argon2id" || p.cost.below(h.cost), nil
}

// Dummy takes as long as Verify with a current hash and tells nothing: it
// stands in where there is no hash to verify (SECURITY A-07).
func (h *Hasher) Dummy(ctx context.Context, password tollgate.Secret) error {
	return h.run(ctx, func() { h.dummy.matches(password) })
}

// run waits for a slot and runs fn in the caller's goroutine. The slot is held
// until fn ends, also when ctx ends meanwhile: the memory is in use that long.
func (h *Hasher) run(ctx context.Context, fn func()) error {
	select {
	case h.slots <- struct{}{}:
	default:
		if err := h.enqueue(ctx); err != nil {
			return err
		}
	}
	defer func() { <-h.slots }()
	if h.room != nil {
		h.room.enter()
		defer h.room.leave()
	}
	fn()
	return nil
}

func (h *Hasher) enqueue(ctx context.Context) error {
	if h.waiting.Add(1) > h.queue {
		h.waiting.Add(-1)
		h.pause(ctx)
		return h.overloaded()
	}
	defer h.waiting.Add(-1)
	timer := time.NewTimer(h.wait)
	defer timer.Stop()
	select {
	case h.slots <- struct{}{}:
		return nil
	case <-timer.C:
		return h.overloaded()
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, context.Cause(ctx), "the request ended before its password was checked")
	}
}

// pause lets a caller who finds the queue full wait for its refusal.
func (h *Hasher) pause(ctx context.Context) {
	defer h.pausing.Add(-1)
	if h.pausing.Add(1) > hashCrowd {
		return
	}
	timer := time.NewTimer(hashPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

func (h *Hasher) overloaded() error {
	return &tollgate.Error{
		Code: tollgate.CodeUnavailable, Message: "too many passwords are being checked; try again shortly", RetryAfter: h.wait,
	}
}

// normal brings a password into one Unicode form, so that the same keys on
// another keyboard give the same password. It shortens nothing.
func normal(password tollgate.Secret) string { return norm.NFC.String(password.Reveal()) }
