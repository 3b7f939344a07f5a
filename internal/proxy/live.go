package proxy

import (
	"context"
	"sync"
	"time"

	"tollgate"
)

const liveShards = 16

// live knows the calls in flight, so that a drain can end them. The zero value
// is ready.
type live struct {
	shards [liveShards]struct {
		sync.Mutex
		calls    map[*call]struct{}
		draining bool
		_        [32]byte // keep neighbours off one cache line
	}
}

// add registers c; it reports false once a drain has begun.
func (l *live) add(c *call) bool {
	s := &l.shards[c.shard()]
	s.Lock()
	defer s.Unlock()
	if s.draining {
		return false
	}
	if s.calls == nil {
		s.calls = map[*call]struct{}{}
	}
	s.calls[c] = struct{}{}
	return true
}

func (l *live) remove(c *call) {
	s := &l.shards[c.shard()]
	s.Lock()
	delete(s.calls, c)
	s.Unlock()
}

func (l *live) count() int {
	n := 0
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		n += len(s.calls)
		s.Unlock()
	}
	return n
}

// drain refuses new calls and interrupts those in flight.
func (l *live) drain(err error) {
	for i := range l.shards {
		s := &l.shards[i]
		s.Lock()
		s.draining = true
		for c := range s.calls {
			c.interrupt(err)
		}
		s.Unlock()
	}
}

// Drain ends every call in flight with its protocol's error, refuses new ones
// with CodeUnavailable and waits until all are settled or ctx ends, whose error
// it then returns. The application calls it when the time that streams were
// given to end by themselves is over.
func (p *Proxy) Drain(ctx context.Context) error {
	p.live.drain(drainError())
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.live.count() > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return p.CloseSockets(ctx)
}

func drainError() *tollgate.Error {
	return &tollgate.Error{
		Code: tollgate.CodeUnavailable, Reason: reasonDraining, RetryAfter: time.Second,
		Message: "the gateway is shutting down; send the request again",
	}
}
