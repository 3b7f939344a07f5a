package h1

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"

	"tollgate/internal/life"
)

// conn is one connection; one exchange uses it at a time.
type conn struct {
	nc     net.Conn
	br     *bufio.Reader // reads through conn.Read
	addr   string
	reused bool
	since  time.Time // when it became idle
	// allowance is how many bytes may still be read before the header must
	// have ended; negative = no bound.
	allowance int
	got       bool // a byte came in this exchange
	// interrupted is set when the context ended the exchange.
	interrupted atomic.Bool
	deadline    sync.Mutex // orders interruption and deadlines
	// readBy is the deadline that reads have, zero = none. It is moved only
	// when it is close, and taken away only when a body is waited for.
	readBy time.Time
	buf    []byte // request head and small body, reused
	head   []byte // response header, reused
}

var errHeaderTooLarge = errors.New("response header is larger than 256 KiB")

// Read feeds the buffered reader; it bounds the header and notes the first byte.
func (c *conn) Read(p []byte) (int, error) {
	switch {
	case c.allowance == 0:
		return 0, errHeaderTooLarge
	case c.allowance > 0:
		p = p[:min(len(p), c.allowance)]
	default:
		c.noDeadline()
	}
	n, err := c.nc.Read(p)
	if n > 0 {
		c.got = true
	}
	if c.allowance >= 0 {
		c.allowance -= n
	}
	return n, err
}

func (c *conn) close() { _ = c.nc.Close() }

// past is a deadline that has passed on every clock.
func past() time.Time { return time.Unix(1, 0) }

// interruptBy makes the end of ctx end every read and write of the
// connection. The returned function undoes that and reports whether the
// connection is still good.
func (c *conn) interruptBy(ctx context.Context) func() bool {
	stop := life.AfterFunc(ctx, func() {
		c.deadline.Lock()
		defer c.deadline.Unlock()
		c.interrupted.Store(true)
		_ = c.nc.SetDeadline(past())
	})
	return func() bool { return stop() && !c.interrupted.Load() }
}

// expectBy gives reads until d from now, or up to an eighth of d longer: moving
// a deadline for every exchange costs more than it is worth.
func (c *conn) expectBy(d time.Duration) {
	at := now()
	if c.readBy.Sub(at) >= d {
		return
	}
	c.readBy = at.Add(d + d/8)
	c.setDeadline(c.nc.SetReadDeadline, c.readBy)
}

// noDeadline lets reads wait.
func (c *conn) noDeadline() {
	if !c.readBy.IsZero() {
		c.readBy = time.Time{}
		c.setDeadline(c.nc.SetReadDeadline, c.readBy)
	}
}

// setDeadline sets a deadline unless the context has ended meanwhile: the
// interruption's own deadline must stay.
func (c *conn) setDeadline(set func(time.Time) error, at time.Time) {
	c.deadline.Lock()
	defer c.deadline.Unlock()
	if !c.interrupted.Load() {
		_ = set(at)
	}
}

// dead reports whether the peer has closed an idle connection or sent
// something nobody asked for. It does not block.
func (c *conn) dead() bool {
	c.noDeadline() // an old one that has passed would say yes
	sc, ok := c.nc.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	alive := false
	err = raw.Read(func(fd uintptr) bool {
		var b [1]byte
		_, _, e := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		alive = errors.Is(e, syscall.EAGAIN)
		return true
	})
	return err != nil || !alive
}

// smallBody is the size up to which a body is copied behind the head, so that
// one system call sends both.
const smallBody = 32 << 10

// write sends the head, built in c.buf, and the body.
func (c *conn) write(head, body []byte) error {
	c.got, c.allowance = false, maxHeaderBytes
	if len(body) > smallBody {
		c.buf = head
		bufs := net.Buffers{head, body}
		_, err := bufs.WriteTo(c.nc)
		return err
	}
	head = append(head, body...)
	c.buf = head
	_, err := c.nc.Write(head)
	return err
}

// appendHead writes request line and header fields. Names and values that
// could break the framing are refused.
func appendHead(b []byte, req *http.Request, length int) ([]byte, error) {
	host := req.Host
	if host == "" {
		host = req.URL.Host
	}
	uri := req.URL.RequestURI()
	if !httpguts.ValidHostHeader(host) || !cleanTarget(uri) {
		return nil, fmt.Errorf("h1: invalid request target %q", uri)
	}
	b = append(b, req.Method...)
	b = append(b, ' ')
	b = append(b, uri...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b, "\r\n"...)
	for name, values := range req.Header {
		if !httpguts.ValidHeaderFieldName(name) {
			return nil, fmt.Errorf("h1: invalid header name %q", name)
		}
		switch name {
		case "Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Upgrade":
			continue
		}
		for _, v := range values {
			if !httpguts.ValidHeaderFieldValue(v) {
				return nil, fmt.Errorf("h1: invalid value of header %q", name)
			}
			b = append(b, name...)
			b = append(b, ": "...)
			b = append(b, v...)
			b = append(b, "\r\n"...)
		}
	}
	if length > 0 || req.Method == http.MethodPost || req.Method == http.MethodPut || req.Method == http.MethodPatch {
		b = append(b, "Content-Length: "...)
		b = appendInt(b, length)
		b = append(b, "\r\n"...)
	}
	return append(b, "\r\n"...), nil
}

func cleanTarget(uri string) bool {
	for i := range len(uri) {
		if uri[i] <= ' ' || uri[i] == 0x7f {
			return false
		}
	}
	return uri != ""
}

func appendInt(b []byte, n int) []byte {
	if n >= 10 {
		b = appendInt(b, n/10)
	}
	return append(b, byte('0'+n%10))
}

// readResponse reads the final response's header; informational ones are skipped.
func (c *conn) readResponse(req *http.Request) (*answer, framing, error) {
	for range 10 {
		head, err := c.readHead()
		if err != nil {
			return nil, 0, c.readError(err)
		}
		a := &answer{}
		a.Request = req
		end, err := parseResponse(&a.Response, head)
		if err != nil {
			return nil, 0, c.readError(err)
		}
		if a.StatusCode >= 200 || a.StatusCode == http.StatusSwitchingProtocols {
			c.allowance = -1
			return a, end, nil
		}
	}
	return nil, 0, errors.New("too many informational responses")
}

func (c *conn) readError(err error) error {
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return ErrHeaderTimeout
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if !c.got && !errors.Is(err, errHeaderTooLarge) {
		return errors.Join(errNoResponse, err)
	}
	return fmt.Errorf("reading the response header: %w", err)
}

// Bytes is a request body that is in memory already: the Transport sends what
// it returns without copying it, and it must not change until the response's
// body is closed.
type Bytes interface{ Bytes() []byte }

// requestBody returns the bytes of the request's body. Those that are not in
// memory are read, so that they can be sent again.
func requestBody(req *http.Request) ([]byte, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return nil, nil
	}
	defer func() { _ = req.Body.Close() }()
	if b, ok := req.Body.(Bytes); ok {
		return b.Bytes(), nil
	}
	data, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("reading the request body: %w", err)
	}
	return data, nil
}
