package lane

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// States of a connection. Whoever moves it out of fresh or idle owns it.
const (
	stateFresh  int32 = iota // has sent nothing yet
	stateIdle                // waits for the next request
	stateBusy                // serves one
	stateClosed              // is being closed by the server
)

// conn is a connection in the lane; its goroutine runs serve.
type conn struct {
	s      *Server
	nc     net.Conn
	raw    syscall.RawConn
	base   context.Context //nolint:containedctx // what the requests of a connection have in common
	remote string
	since  time.Time // of the accept
	state  atomic.Int32
	read   deadline
	write  deadline

	in     *buffer // in.b[next:] has been read and not used
	next   int
	posted bool // the last request was a POST
	served bool // there was one

	mu    sync.Mutex // guards what the watch and the handler's goroutine share
	now   *exchange  // being served
	watch *watch     // of now
}

func newConn(s *Server, nc net.Conn, raw syscall.RawConn) *conn {
	base := context.WithValue(context.Background(), http.ServerContextKey, s.http)
	return &conn{
		s: s, nc: nc, raw: raw, remote: nc.RemoteAddr().String(), since: now(),
		base: context.WithValue(base, http.LocalAddrContextKey, nc.LocalAddr()),
		read: deadline{set: nc.SetReadDeadline}, write: deadline{set: nc.SetWriteDeadline},
	}
}

// serve reads and serves requests until the connection ends or is handed over.
func (c *conn) serve() {
	c.in = take(&c.s.in, maxHead)
	for again := true; again; {
		var r http.Request
		switch c.request(&r) {
		case headEnded:
			again = false
		case headOdd:
			c.handOver()
			return
		case headPlain:
			again = c.exchange(&r) && c.state.CompareAndSwap(stateBusy, stateIdle) && !c.s.draining.Load()
		}
	}
	_ = c.nc.Close()
	give(&c.s.in, c.in)
	c.s.forget(c)
}

// What comes next on a connection.
type headKind uint8

const (
	headEnded headKind = iota // nothing
	headOdd                   // something for net/http
	headPlain                 // a request of the lane
)

// request reads the next request into r. A head that is not whole after one
// read is not waited for here: clients send heads in one piece.
func (c *conn) request(r *http.Request) headKind {
	if c.next == len(c.in.b) && !c.await() || !c.busy() {
		return headEnded
	}
	c.skipLineEnds()
	rest := c.in.b[c.next:]
	end := bytes.Index(rest, []byte(headEnd))
	if end < 0 || !parse(string(rest[:end+len(headEnd)]), r) {
		return headOdd
	}
	c.next += end + len(headEnd)
	c.posted, c.served = r.Method == http.MethodPost, true
	return headPlain
}

// await waits for bytes: on a fresh connection as long as for a header.
func (c *conn) await() bool {
	limit := c.s.http.IdleTimeout
	if !c.served {
		limit = c.s.http.ReadHeaderTimeout
	}
	c.read.want(after(now(), limit))
	n, _ := c.readSome(c.in.b[:maxHead]) // an error comes again with the next read
	c.in.b, c.next = c.in.b[:n], 0
	return n > 0
}

// after is the end of a time limit; 0 = there is none.
func after(from time.Time, limit time.Duration) time.Time {
	if limit == 0 {
		return time.Time{}
	}
	return from.Add(limit)
}

// readSome reads from the connection within its read deadline.
func (c *conn) readSome(p []byte) (int, error) {
	c.read.begin()
	defer c.read.end()
	return c.nc.Read(p)
}

// busy takes the connection for a request; false = the server has closed it.
func (c *conn) busy() bool {
	return c.state.CompareAndSwap(stateIdle, stateBusy) || c.state.CompareAndSwap(stateFresh, stateBusy)
}

// skipLineEnds forgives clients that send a line end behind the body of a
// POST, as net/http does.
func (c *conn) skipLineEnds() {
	for i := 0; i < 4 && c.posted && c.next < len(c.in.b); i++ {
		if b := c.in.b[c.next]; b != '\r' && b != '\n' {
			return
		}
		c.next++
	}
}

// handOver gives the connection to net/http, with what was read of it.
func (c *conn) handOver() {
	r := &replay{Conn: c.nc, head: bytes.Clone(c.in.b[c.next:])}
	if !c.served {
		r.by = after(c.since, c.s.http.ReadHeaderTimeout)
	}
	c.read.clear()
	c.write.clear()
	give(&c.s.in, c.in)
	c.s.over.give(r)
	c.s.forget(c)
}

// exchange serves one request; it reports whether the connection is good for
// another.
func (c *conn) exchange(template *http.Request) (again bool) {
	x := newExchange(c, template.ContentLength)
	r := template.WithContext(&x.life)
	r.RemoteAddr = c.remote
	if r.ContentLength > 0 {
		r.Body = &x.body
	}
	c.begin(x)
	defer func() {
		v := recover()
		c.end(x)
		if v == nil {
			return
		}
		again = false
		if v != http.ErrAbortHandler { //nolint:errorlint // a sentinel panic value, compared as net/http does
			c.s.logf("http: panic serving %v: %v\n%s", c.remote, v, debug.Stack())
		}
	}()
	c.s.http.Handler.ServeHTTP(x, r)
	return x.complete()
}

// begin makes x the exchange that is being served.
func (c *conn) begin(x *exchange) {
	c.mu.Lock()
	c.now = x
	c.mu.Unlock()
	c.s.keepWatch()
}

// end undoes begin: nothing of x touches the connection any more.
func (c *conn) end(x *exchange) {
	c.mu.Lock()
	w := c.watch
	c.now, c.watch = nil, nil
	c.mu.Unlock()
	if w != nil {
		w.stop()
	}
	c.read.want(time.Time{})
	x.close()
}

// abandon ends the context of the request that is being served.
func (c *conn) abandon() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != nil {
		c.now.life.End(nil)
	}
}
