package lane

import (
	"errors"
	"syscall"
	"time"
)

// watchAfter is how long a request is served, at least and up to twice that,
// before the lane looks whether its client is still there. Shorter ones do not
// pay for it; answers that are streamed are watched from their first flush.
const watchAfter = 20 * time.Millisecond

// keepWatch makes sure that requests under way are looked at.
func (s *Server) keepWatch() {
	if !s.watching.Load() && s.watching.CompareAndSwap(false, true) {
		s.watch.Reset(watchAfter)
	}
}

// look starts a watch on each connection whose request was there the last time
// too. It runs again as long as there are requests.
func (s *Server) look() {
	s.watching.Store(false) // a request that begins from here on starts the timer itself
	busy := false
	s.mu.Lock()
	for c := range s.conns {
		busy = c.look() || busy
	}
	s.mu.Unlock()
	if busy {
		s.keepWatch()
	}
}

// look reports whether a request is being served, and starts its watch when it
// is time.
func (c *conn) look() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.now
	if x == nil {
		return false
	}
	if x.seen {
		c.watchOver(x)
	}
	x.seen = true
	return true
}

// watchOver starts the watch of x, unless it runs already or x's body is still
// to be read: then whoever reads sees the end. The caller holds mu.
func (c *conn) watchOver(x *exchange) {
	if c.watch == nil && x.body.left.Load() == 0 {
		c.watch = &watch{c: c, done: make(chan struct{})}
		go c.watch.run(x)
	}
}

// watch waits for the end of a connection without reading from it.
type watch struct {
	c    *conn
	done chan struct{}
}

// run ends the context of x when the client has closed the connection, or its
// end of it. Bytes of a next request end the watch: what comes behind them
// cannot be seen.
func (w *watch) run(x *exchange) {
	defer close(w.done)
	w.c.read.begin()
	defer w.c.read.end()
	gone := false
	err := w.c.raw.Read(func(fd uintptr) bool {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		if errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EINTR) {
			return false
		}
		gone = n == 0 || err != nil
		return true
	})
	if gone && err == nil {
		x.life.End(nil)
	}
}

// stop ends the watch and waits for it.
func (w *watch) stop() {
	w.c.read.want(time.Unix(1, 0))
	<-w.done
}
