package lane

import (
	"net"
	"sync"
	"time"
)

// handover is the listener of net/http's server: it accepts the connections
// that the lane does not keep.
type handover struct {
	addr   net.Addr
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var _ net.Listener = (*handover)(nil)

func newHandover() *handover {
	return &handover{conns: make(chan net.Conn), closed: make(chan struct{})}
}

// Accept returns the next connection that is handed over.
func (h *handover) Accept() (net.Conn, error) {
	select {
	case nc := <-h.conns:
		return nc, nil
	case <-h.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept.
func (h *handover) Close() error {
	h.once.Do(func() { close(h.closed) })
	return nil
}

// Addr returns the address of the lane's listener.
func (h *handover) Addr() net.Addr { return h.addr }

// give hands nc over, or closes it if nobody takes any more.
func (h *handover) give(nc net.Conn) {
	select {
	case h.conns <- nc:
	case <-h.closed:
		_ = nc.Close()
	}
}

// replay is a connection of which some bytes have been read already. It is
// read by one goroutine at a time.
type replay struct {
	net.Conn
	head []byte    // still to be read again
	by   time.Time // when the header must be there; zero = the reader decides
}

// Read gives the bytes that were read before, then what comes.
func (r *replay) Read(p []byte) (int, error) {
	if len(r.head) == 0 {
		return r.Conn.Read(p)
	}
	n := copy(p, r.head)
	if r.head = r.head[n:]; len(r.head) == 0 {
		r.head = nil
	}
	return n, nil
}

// SetReadDeadline keeps to the time that the client of a fresh connection has
// left for its header, until the deadline is lifted for the first time.
func (r *replay) SetReadDeadline(t time.Time) error {
	switch {
	case t.IsZero():
		r.by = time.Time{}
	case !r.by.IsZero() && t.After(r.by):
		t = r.by
	}
	return r.Conn.SetReadDeadline(t)
}

// CloseWrite sends the end of the stream, so that a last answer is not lost to
// a reset; net/http looks for it.
func (r *replay) CloseWrite() error {
	if cw, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return nil
}
