package auth

import (
	"math/rand/v2"
	"sync"
	"time"

	"tollgate"
)

const shardCount = 64 // a power of two

// calls are the live calls, spread over shards so that they seldom meet.
type calls struct{ shards [shardCount]shard }

type shard struct {
	mu   sync.Mutex
	head *call
	_    [48]byte // a cache line each
}

// call is one live call: a node of its shard's list.
type call struct {
	principal  tollgate.Principal
	providerID int64
	model      string
	bare       bool // no call of a model: the credential alone counts
	surface    tollgate.Surface
	cancel     func(error)

	shard      *shard
	prev, next *call // guarded by shard.mu
	done       bool  // released or cancelled; guarded by shard.mu
}

// Track registers a live call of p and checks it once more. When a change
// makes p invalid, or no longer permits the model there, cancel is called
// once, with CodeUnauthenticated or CodeForbidden and the reason "revoked",
// before the Reload that brought the change returns; an expiry is noticed
// within a second by Run. cancel must not block and must not call the
// directory. release ends the registration, may be called twice and must be
// called. A call that is not permitted any more is refused with an error, and
// then there is nothing to release.
//
// There is no gap: the call is registered first and then judged by the
// snapshot loaded afterwards, while Reload publishes the snapshot first and
// then visits the registered calls.
func (d *Directory) Track(p tollgate.Principal, providerID int64, model string, cancel func(error)) (release func(), err error) {
	return d.register(&call{principal: p, providerID: providerID, model: model, surface: tollgate.SurfaceLLM, cancel: cancel})
}

// Attend registers something of p on a surface that is open but no call of a
// model, as Track does a call: it is ended when p's credential becomes invalid
// or no longer reaches the surface, whatever p may use.
func (d *Directory) Attend(p tollgate.Principal, on tollgate.Surface, cancel func(error)) (release func(), err error) {
	return d.register(&call{principal: p, bare: true, surface: on, cancel: cancel})
}

func (d *Directory) register(c *call) (release func(), err error) {
	c.shard = &d.live.shards[rand.Uint32()&(shardCount-1)]
	c.shard.add(c)
	snap := d.current.Load()
	if snap.stale {
		err = errStale()
	} else {
		err = snap.judge(c, d.now, true)
	}
	if err != nil {
		c.release()
		return nil, err
	}
	return c.release, nil
}

// Live returns how many calls are registered.
func (d *Directory) Live() int {
	n := 0
	for i := range d.live.shards {
		s := &d.live.shards[i]
		s.mu.Lock()
		for c := s.head; c != nil; c = c.next {
			n++
		}
		s.mu.Unlock()
	}
	return n
}

func (s *shard) add(c *call) {
	s.mu.Lock()
	c.next = s.head
	if s.head != nil {
		s.head.prev = c
	}
	s.head = c
	s.mu.Unlock()
}

// remove takes c out of the list; it runs under the lock.
func (s *shard) remove(c *call) {
	if c.done {
		return
	}
	c.done = true
	if c.prev != nil {
		c.prev.next = c.next
	} else {
		s.head = c.next
	}
	if c.next != nil {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

func (c *call) release() {
	c.shard.mu.Lock()
	c.shard.remove(c)
	c.shard.mu.Unlock()
}

// sweep cancels the live calls that snap does not permit. Without full only
// what the clock alone can end is looked at.
func (d *Directory) sweep(snap *snapshot, full bool) {
	type ended struct {
		call *call
		err  error
	}
	var end []ended
	for i := range d.live.shards {
		s := &d.live.shards[i]
		end = end[:0]
		s.mu.Lock()
		for c := s.head; c != nil; {
			next := c.next
			if err := snap.judge(c, d.now, full); err != nil {
				s.remove(c)
				end = append(end, ended{c, err})
			}
			c = next
		}
		s.mu.Unlock()
		for _, e := range end { // outside of the lock: cancel may release
			e.call.cancel(e.err)
		}
	}
}

// judge returns why a live call may not go on, nil if it may.
func (s *snapshot) judge(c *call, now func() time.Time, full bool) error {
	switch c.principal.Kind {
	case tollgate.PrincipalKey:
		e := s.key(c.principal)
		if e == nil || !e.live(now) || e.owner.user.ID != c.principal.UserID() || e.owner.user.Role != c.principal.User.Role {
			return errRevoked(tollgate.CodeUnauthenticated)
		}
		if full && (!e.reaches(c.surface) || !e.fromIP(c.principal.From)) {
			return errRevoked(tollgate.CodeForbidden)
		}
	case tollgate.PrincipalSession:
		if !s.sessionLives(c.principal, now) {
			return errRevoked(tollgate.CodeUnauthenticated)
		}
	case tollgate.PrincipalService:
		if !s.access.is(c.principal) {
			return errRevoked(tollgate.CodeUnauthenticated)
		}
	case tollgate.PrincipalNone, tollgate.PrincipalHost:
		return errRevoked(tollgate.CodeUnauthenticated)
	}
	if full && !c.bare && !s.permits(c.principal, c.providerID, c.model) {
		return errRevoked(tollgate.CodeForbidden)
	}
	return nil
}

// sessionLives reports whether p's session still stands. The idle limit does
// not count here: a call that runs is use.
func (s *snapshot) sessionLives(p tollgate.Principal, now func() time.Time) bool {
	if p.Session == nil || p.User == nil || len(p.Session.Digest) != 32 {
		return false
	}
	e := s.sessions.byDigest[[32]byte(p.Session.Digest)]
	u := s.identity.users[p.User.ID]
	return e != nil && e.live(now(), 0) && u != nil && u.user.Enabled && u.user.Role == p.User.Role
}

func errRevoked(code tollgate.Code) error {
	return &tollgate.Error{Code: code, Message: "access was revoked", Reason: "revoked"}
}
