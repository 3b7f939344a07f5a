// Package h1 is an HTTP/1.1 client for the relay loop: one goroutine per
// exchange, the caller's own, where net/http's Transport needs two more per
// connection and four channel hand-overs per request. Responses mean what they
// mean to net/http, which a fuzz test holds it to, or are refused. It speaks
// plain http to one or many origins, follows nothing, decompresses nothing and
// adds no header but Host and Content-Length.
package h1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"
)

// Transport is an http.RoundTripper for http:// URLs. Its fields must not
// change once it is used. Close idle connections with CloseIdleConnections.
type Transport struct {
	// Dial opens a connection; it decides which addresses may be reached.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// HeaderTimeout bounds the wait from the end of the request to the end of
	// the response's header; 0 = none.
	HeaderTimeout time.Duration
	// IdleTimeout is how long an unused connection is kept; 0 = 90 s.
	IdleTimeout time.Duration
	// MaxIdlePerHost bounds the unused connections of one origin; 0 = 1024.
	MaxIdlePerHost int

	mu    sync.Mutex
	idle  map[string][]*conn // by host:port, most recently used last
	timer *time.Timer        // runs while anything is idle
}

var _ http.RoundTripper = (*Transport)(nil)

const (
	maxHeaderBytes = 256 << 10
	readBuffer     = 4 << 10
	// checkAfter is the idle time from which a connection is probed for an
	// end-of-file before it is used again.
	checkAfter = 20 * time.Millisecond
)

// ErrHeaderTimeout reports that the response's header did not come in time.
var ErrHeaderTimeout error = headerTimeoutError{}

type headerTimeoutError struct{}

func (headerTimeoutError) Error() string   { return "timeout awaiting response headers" }
func (headerTimeoutError) Timeout() bool   { return true }
func (headerTimeoutError) Temporary() bool { return true }

// RoundTrip sends req and returns the response once its header has come. A
// request that failed on a reused connection before any byte of a response
// came is sent once more on a fresh one, when its body can be read again: the
// peer had closed the connection while it was idle. The context ends the
// exchange at any time, the reading of the body included.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "http" {
		return nil, fmt.Errorf("h1: scheme %q is not served", req.URL.Scheme)
	}
	body, err := requestBody(req)
	if err != nil {
		return nil, err
	}
	addr := hostPort(req.URL.Host)
	for reuse := true; ; reuse = false {
		c, err := t.get(req.Context(), addr, reuse)
		if err != nil {
			return nil, err
		}
		resp, err := t.exchange(req, c, body)
		if err == nil {
			return resp, nil
		}
		reused := c.reused
		c.close()
		if ctxErr := context.Cause(req.Context()); ctxErr != nil {
			return nil, ctxErr
		}
		if !reused || !errors.Is(err, errNoResponse) {
			return nil, err
		}
	}
}

// errNoResponse marks failures before the first byte of a response.
var errNoResponse = errors.New("connection closed before a response came")

func (t *Transport) exchange(req *http.Request, c *conn, body []byte) (*http.Response, error) {
	head, err := appendHead(c.buf[:0], req, len(body))
	if err != nil {
		return nil, err
	}
	stop := c.interruptBy(req.Context())
	slow := len(body) > smallBody && t.HeaderTimeout > 0
	if slow {
		c.setDeadline(c.nc.SetWriteDeadline, now().Add(t.HeaderTimeout))
	}
	// A peer may answer and close before it has read everything: whatever it
	// said is worth more than the write error.
	writeErr := c.write(head, body)
	if t.HeaderTimeout > 0 {
		c.expectBy(t.HeaderTimeout)
	}
	a, end, err := c.readResponse(req)
	if err != nil {
		stop()
		if writeErr != nil && errors.Is(err, errNoResponse) {
			err = errors.Join(errNoResponse, writeErr)
		}
		return nil, err
	}
	if slow {
		c.setDeadline(c.nc.SetWriteDeadline, time.Time{})
	}
	// A response to a request that was not fully written ends the connection.
	keep := writeErr == nil && !a.Close && !req.Close && a.StatusCode != http.StatusSwitchingProtocols
	if end != framedEmpty {
		a.open(answerBody{t: t, c: c, ctx: req.Context(), stop: stop, keep: keep, framing: end, left: a.ContentLength})
		return &a.Response, nil
	}
	a.Body = http.NoBody
	if stop() && keep {
		t.put(c)
	} else {
		c.close()
	}
	return &a.Response, nil
}

// get returns an idle connection to addr that is still open, if reuse allows
// it, or a new one.
func (t *Transport) get(ctx context.Context, addr string, reuse bool) (*conn, error) {
	for reuse {
		t.mu.Lock()
		list := t.idle[addr]
		if len(list) == 0 {
			t.mu.Unlock()
			break
		}
		c := list[len(list)-1]
		list[len(list)-1] = nil
		t.idle[addr] = list[:len(list)-1]
		t.mu.Unlock()
		unused := now().Sub(c.since)
		if unused > t.idleTimeout() || unused > checkAfter && c.dead() {
			c.close()
			continue
		}
		c.reused = true
		return c, nil
	}
	nc, err := t.Dial(ctx, "tcp", addr)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	c := &conn{nc: nc, addr: addr}
	c.br = bufio.NewReaderSize(c, readBuffer)
	return c, nil
}

// put keeps a connection for the next exchange; one with unread bytes is closed.
func (t *Transport) put(c *conn) {
	if c.br.Buffered() > 0 {
		c.close()
		return
	}
	c.since = now()
	t.mu.Lock()
	defer t.mu.Unlock()
	limit := t.MaxIdlePerHost
	if limit == 0 {
		limit = 1024
	}
	if len(t.idle[c.addr]) >= limit {
		c.close()
		return
	}
	if t.idle == nil {
		t.idle = make(map[string][]*conn)
	}
	t.idle[c.addr] = append(t.idle[c.addr], c)
	if t.timer == nil {
		t.timer = time.AfterFunc(t.idleTimeout(), t.expire)
	}
}

// expire closes connections that were idle too long, and runs again while any are left.
func (t *Transport) expire() {
	at := now()
	t.mu.Lock()
	defer t.mu.Unlock()
	left := 0
	for addr, list := range t.idle {
		n := 0
		for n < len(list) && at.Sub(list[n].since) > t.idleTimeout() {
			list[n].close()
			n++
		}
		if n == len(list) {
			delete(t.idle, addr)
			continue
		}
		t.idle[addr] = append([]*conn(nil), list[n:]...)
		left += len(list) - n
	}
	t.timer = nil
	if left > 0 {
		t.timer = time.AfterFunc(t.idleTimeout(), t.expire)
	}
}

// CloseIdleConnections closes the connections that no exchange uses.
func (t *Transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, list := range t.idle {
		for _, c := range list {
			c.close()
		}
	}
	clear(t.idle)
	if t.timer != nil {
		t.timer.Stop()
		t.timer = nil
	}
}

func (t *Transport) idleTimeout() time.Duration {
	if t.IdleTimeout > 0 {
		return t.IdleTimeout
	}
	return 90 * time.Second
}

// now is the clock of network deadlines, which no test may replace: the
// kernel would not follow.
func now() time.Time { return time.Now() } //nolint:forbidigo // see above

func hostPort(host string) string {
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(trimBrackets(host), "80")
}

func trimBrackets(host string) string {
	if len(host) > 2 && host[0] == '[' && host[len(host)-1] == ']' {
		return host[1 : len(host)-1]
	}
	return host
}
