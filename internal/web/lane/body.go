package lane

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// body is the body of a request: what was read along with its head, then what
// comes.
type body struct {
	x    *exchange
	left atomic.Int64 // bytes that nobody has read

	mu     sync.Mutex
	closed bool
	err    error // of the connection
}

var _ io.ReadCloser = (*body)(nil)

// Read tells the end along with the last byte. A connection that ends too
// early is io.ErrUnexpectedEOF, and any failure ends the request's context.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.left.Load()
	switch {
	case b.closed:
		return 0, http.ErrBodyReadAfterClose
	case b.err != nil:
		return 0, b.err
	case left == 0:
		return 0, io.EOF
	case len(p) == 0:
		return 0, nil
	}
	n, err := b.x.c.readBody(p[:min(int64(len(p)), left)])
	b.left.Store(left - int64(n))
	switch {
	case left == int64(n):
		return n, io.EOF
	case err == nil:
		return n, nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	b.err = err
	b.x.life.End(nil)
	return n, err
}

// readBody takes bytes that were read before, then what comes.
func (c *conn) readBody(p []byte) (int, error) {
	if c.next < len(c.in.b) {
		n := copy(p, c.in.b[c.next:])
		c.next += n
		return n, nil
	}
	return c.readSome(p)
}

// Close keeps the handler from reading on. What it has not read is skipped
// when the answer is out, or else the connection is closed.
func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	return nil
}

// maxSkip is how much of a body that the handler has left is read so that the
// connection can go on, in bytes; as in net/http.
const maxSkip = 256 << 10

// skip reads the rest of the body, also after Close; it reports whether it
// came to its end.
func (b *body) skip() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	left := b.left.Load()
	if left == 0 {
		return true
	}
	if left >= maxSkip || b.err != nil {
		return false
	}
	room := make([]byte, min(left, maxHead))
	for left > 0 {
		n, err := b.x.c.readBody(room[:min(int64(len(room)), left)])
		left -= int64(n)
		b.left.Store(left)
		if err != nil && left > 0 {
			b.err = err
			return false
		}
	}
	return true
}
