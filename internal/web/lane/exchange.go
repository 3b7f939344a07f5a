package lane

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"tollgate/internal/life"
)

// Bounds of what is collected before it is written, in bytes.
const (
	// autoLength is the size up to which an answer without a Content-Length
	// gets one when its handler ends without a flush; as in net/http.
	autoLength = 2 << 10
	// together is the size up to which body bytes are copied behind the head,
	// so that one system call sends both.
	together = 16 << 10
)

// exchange is one request and its answer. It belongs to the handler's
// goroutine; only the context and the deadlines may be used by others.
type exchange struct {
	c      *conn
	life   life.Context // of the request
	body   body
	seen   bool        // by Server.look, under conn.mu
	closed atomic.Bool // the handler has ended

	header   http.Header
	frozen   http.Header // as it was at WriteHeader, once it may have changed
	status   int         // 0 = not yet known
	declared int64       // Content-Length of the handler, -1 = none
	written  int64       // body bytes from the handler
	pending  []byte      // of the body, while the head is not made
	headMade bool
	chunked  bool
	last     bool    // the connection ends after this answer
	streamed bool    // part of the answer has been flushed
	out      *buffer // to be written
	failed   error   // of a write
}

var _ interface {
	http.ResponseWriter
	FlushError() error
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
} = (*exchange)(nil)

func newExchange(c *conn, length int64) *exchange {
	x := &exchange{c: c, header: http.Header{}, declared: -1, out: take(&c.s.out, maxHead/2)}
	x.life.Values = c.base
	x.body.x = x
	x.body.left.Store(length)
	return x
}

// close is the end of the exchange, whatever became of it.
func (x *exchange) close() {
	x.closed.Store(true)
	x.life.End(nil)
	_ = x.body.Close()
	give(&x.c.s.out, x.out)
	x.out, x.pending = nil, nil
}

// Header returns the header of the answer; what is changed after WriteHeader
// is of no effect.
func (x *exchange) Header() http.Header {
	if x.status != 0 && !x.headMade && x.frozen == nil {
		x.frozen = x.header.Clone()
	}
	return x.header
}

// WriteHeader sets the status. Informational answers are not sent.
func (x *exchange) WriteHeader(status int) {
	switch {
	case status < 100 || status > 999:
		panic(fmt.Sprintf("invalid WriteHeader code %v", status))
	case x.status != 0:
		x.c.s.logf("http: superfluous response.WriteHeader call")
		return
	case status < 200:
		return
	}
	x.status = status
	if text := x.header.Get("Content-Length"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			x.c.s.logf("http: invalid Content-Length of %q", text)
			x.header.Del("Content-Length")
			return
		}
		x.declared = n
	}
}

// errEnded is what writing to an answer that has ended gives.
var errEnded = errors.New("http: the handler has returned")

// Write takes bytes of the body. They go out with Flush, when they are many,
// and at the end.
func (x *exchange) Write(p []byte) (int, error) {
	if x.closed.Load() {
		return 0, errEnded
	}
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if !hasBody(x.status) {
		return 0, http.ErrBodyNotAllowed
	}
	x.written += int64(len(p))
	if x.declared >= 0 && x.written > x.declared {
		return 0, http.ErrContentLength
	}
	if !x.headMade {
		if x.declared < 0 && len(x.pending)+len(p) <= autoLength {
			x.pending = append(x.pending, p...)
			return len(p), nil
		}
		x.makeHead(p)
	}
	x.put(p)
	return len(p), x.failed
}

// put adds body bytes to what is to be written, and writes if they are many.
func (x *exchange) put(p []byte) {
	if len(p) == 0 {
		return
	}
	if x.chunked {
		x.out.b = strconv.AppendInt(x.out.b, int64(len(p)), 16)
		x.out.b = append(x.out.b, "\r\n"...)
	}
	end := ""
	if x.chunked {
		end = "\r\n"
	}
	if len(p) > together {
		x.send(p)
		x.out.b = append(x.out.b, end...)
		return
	}
	x.out.b = append(append(x.out.b, p...), end...)
	if len(x.out.b) > together {
		x.send(nil)
	}
}

// send writes what is collected, and then tail.
func (x *exchange) send(tail []byte) {
	if x.failed == nil && len(x.out.b)+len(tail) > 0 {
		x.c.write.begin()
		if tail == nil {
			_, x.failed = x.c.nc.Write(x.out.b)
		} else {
			both := net.Buffers{x.out.b, tail}
			_, x.failed = both.WriteTo(x.c.nc)
		}
		x.c.write.end()
		if x.failed != nil {
			x.life.End(nil)
		}
	}
	x.out.b = x.out.b[:0]
}

// Flush sends what is collected.
func (x *exchange) Flush() { _ = x.FlushError() }

// FlushError sends what is collected; an error says that the client is gone.
func (x *exchange) FlushError() error {
	if x.closed.Load() {
		return errEnded
	}
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if !x.headMade {
		x.makeHead(nil)
	}
	x.send(nil)
	if x.failed == nil && !x.streamed && (x.chunked || x.written < x.declared) {
		x.streamed = true
		x.c.mu.Lock()
		x.c.watchOver(x)
		x.c.mu.Unlock()
	}
	return x.failed
}

// SetReadDeadline bounds the reading of the body.
func (x *exchange) SetReadDeadline(t time.Time) error {
	if !x.closed.Load() {
		x.c.read.want(t)
	}
	return nil
}

// SetWriteDeadline bounds the writing of the answer. Like net/http's it holds
// for the connection, until it is set again.
func (x *exchange) SetWriteDeadline(t time.Time) error {
	if !x.closed.Load() {
		x.c.write.want(t)
	}
	return nil
}

// complete ends the answer of a handler that has returned; it reports whether
// the connection is good for another.
func (x *exchange) complete() bool {
	if x.status == 0 {
		x.WriteHeader(http.StatusOK)
	}
	if !x.headMade {
		if x.declared < 0 && hasBody(x.status) {
			x.declared = x.written // nothing has been sent yet: this is all
		}
		x.makeHead(nil)
	}
	if x.chunked {
		x.out.b = append(x.out.b, "0\r\n\r\n"...)
	}
	x.send(nil)
	if x.failed != nil || x.declared >= 0 && hasBody(x.status) && x.declared != x.written {
		return false
	}
	x.leave()
	return !x.last
}

// skipTime is how long the client has for a body that nobody waits for.
const skipTime = 5 * time.Second

// leave deals with a body that was not read to its end: a short rest is
// skipped, before a longer one the connection is closed in such a way that the
// client gets the answer first.
func (x *exchange) leave() {
	if x.body.left.Load() == 0 {
		return
	}
	x.c.read.want(now().Add(skipTime))
	if x.body.skip() {
		return
	}
	x.last = true
	if x.body.left.Load() >= maxSkip {
		x.c.closeWrite()
	}
}

// lingerTime is how long a client that may still be sending gets to see the
// answer before its bytes are answered with a reset; as in net/http.
const lingerTime = 500 * time.Millisecond

// closeWrite sends the end of the stream and waits for a moment.
func (c *conn) closeWrite() {
	if cw, ok := c.nc.(interface{ CloseWrite() error }); ok {
		_ = cw.CloseWrite()
	}
	time.Sleep(lingerTime)
}

// hasBody reports whether an answer of the status has a body.
func hasBody(status int) bool {
	return status != http.StatusNoContent && status != http.StatusNotModified
}
