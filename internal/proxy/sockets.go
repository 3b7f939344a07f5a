package proxy

import (
	"context"
	"sync"
	"time"
)

// sockets knows the WebSockets that are open. The zero value is ready.
type sockets struct {
	mu      sync.Mutex
	all     map[*socket]struct{}
	closing bool
}

// add registers s; false once they are being closed.
func (l *sockets) add(s *socket) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing {
		return false
	}
	if l.all == nil {
		l.all = map[*socket]struct{}{}
	}
	l.all[s] = struct{}{}
	return true
}

func (l *sockets) remove(s *socket) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.all, s)
}

func (l *sockets) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.all)
}

// retire ends every socket when its turn is over.
func (l *sockets) retire() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = true
	for s := range l.all {
		s.end(drainError())
	}
}

// CloseSockets refuses new WebSockets, closes those that are open, each when
// the turn that it is at is over, and waits until all are gone or ctx ends,
// whose error it then returns. It may be called again. net/http forgets
// connections that became WebSockets, so that nobody else waits for them.
func (p *Proxy) CloseSockets(ctx context.Context) error {
	p.sockets.retire()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for p.sockets.count() > 0 {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
	return nil
}
