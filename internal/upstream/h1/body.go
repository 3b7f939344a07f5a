package h1

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httputil"
	"strings"
)

// maxTrailerBytes bounds what may follow the last chunk of a body.
const maxTrailerBytes = 64 << 10

// answer is a response with its body, in one piece of memory.
type answer struct {
	http.Response
	body answerBody
}

// answerBody is the body of a response as it comes off the connection. It hands the
// connection back when it has been read to its end, and closes it otherwise.
type answerBody struct {
	t       *Transport
	c       *conn
	ctx     context.Context //nolint:containedctx // the body belongs to the exchange whose context this is
	stop    func() bool
	keep    bool
	framing framing
	left    int64     // bytes, if framedLength
	chunks  io.Reader // if framedChunked
	err     error     // of every later Read; nil = not at the end
}

// Read reads the body; once the context has ended it returns its cause. A
// connection that ends too early is io.ErrUnexpectedEOF.
func (b *answerBody) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.read(p)
	switch {
	case err == nil:
	case errors.Is(err, io.EOF):
		b.finish(true, io.EOF)
	default:
		if cause := context.Cause(b.ctx); cause != nil {
			err = cause
		}
		b.finish(false, err)
	}
	return n, b.err
}

func (b *answerBody) read(p []byte) (n int, err error) {
	switch b.framing {
	case framedLength:
		return b.readLength(p)
	case framedChunked:
		if n, err = b.chunks.Read(p); errors.Is(err, io.EOF) {
			err = b.skipTrailer()
		}
		return n, err
	case framedClose:
		return b.c.br.Read(p)
	case framedEmpty:
	}
	return 0, io.EOF
}

// readLength tells the end along with the last byte.
func (b *answerBody) readLength(p []byte) (int, error) {
	if int64(len(p)) > b.left {
		p = p[:b.left]
	}
	n, err := b.c.br.Read(p)
	b.left -= int64(n)
	switch {
	case b.left == 0:
		return n, io.EOF
	case errors.Is(err, io.EOF):
		return n, io.ErrUnexpectedEOF
	default:
		return n, err
	}
}

// AtHand reports whether the rest of the body has come already, so that
// reading it waits for nobody.
func (b *answerBody) AtHand() bool {
	return b.err == nil && b.framing == framedLength && b.left <= int64(b.c.br.Buffered())
}

// skipTrailer reads what follows the last chunk. Nobody wants the fields, but
// they must be fields, and end as net/http wants them to.
func (b *answerBody) skipTrailer() error {
	b.c.allowance = maxTrailerBytes
	head, err := b.c.readHead()
	b.c.allowance = -1
	if err == nil {
		_, err = parseFields(head)
	}
	if err == nil && head != "\r\n" && !strings.HasSuffix(head, "\r\n\r\n") {
		err = errors.New("malformed trailer")
	}
	switch {
	case err == nil:
		return io.EOF
	case errors.Is(err, io.EOF):
		return io.ErrUnexpectedEOF
	default:
		return err
	}
}

// Close ends the exchange.
func (b *answerBody) Close() error {
	b.finish(false, http.ErrBodyReadAfterClose)
	return nil
}

// finish gives the connection up, once.
func (b *answerBody) finish(complete bool, err error) {
	if b.err != nil {
		return
	}
	b.err = err
	if b.stop() && complete && b.keep {
		b.t.put(b.c)
	} else {
		b.c.close()
	}
	b.c, b.chunks = nil, nil
}

// open attaches the body to its response.
func (a *answer) open(b answerBody) {
	a.body = b
	if b.framing == framedChunked {
		a.body.chunks = httputil.NewChunkedReader(b.c.br)
	}
	a.Body = &a.body
}
