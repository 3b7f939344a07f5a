package proxy

import (
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"tollgate"
)

// minRate is how fast a request body must arrive on average once Limits.Body
// has passed, in bytes per second (SECURITY D-01).
const minRate = 1 << 10

// Why a body was not read to its end.
var (
	errTooLarge = errors.New("body over the limit")
	errNoMemory = errors.New("memory for bodies used up")
)

// readBody reads the request's body whole, bounded in size, time and memory.
func (c *call) readBody() error {
	if err := checkMedia(c.r.Header); err != nil {
		return err
	}
	limit := c.p.Limits.MaxBody
	if c.r.ContentLength > limit {
		return bodyTooLarge(limit)
	}
	if !c.setReading(true) {
		return c.wasInterrupted()
	}
	c.body = c.p.requests.get()
	err := c.p.fill(c.body, c.r.Body, c.r.ContentLength+1, limit, c.paceBody)
	c.setReading(false)
	if e := c.wasInterrupted(); e != nil {
		return e
	}
	switch {
	case err == nil:
		c.bodyRead = true
		return nil
	case errors.Is(err, errTooLarge):
		return bodyTooLarge(limit)
	case errors.Is(err, errNoMemory):
		return noRoom()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body arrived too slowly")
	default:
		return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body could not be read to its end")
	}
}

// noRoom is the refusal of a body that there is no memory for.
func noRoom() *tollgate.Error {
	return &tollgate.Error{
		Code: tollgate.CodeUnavailable, RetryAfter: time.Second,
		Message: "the gateway holds as many request bytes as it may; send the request again",
	}
}

func bodyTooLarge(limit int64) error {
	return tollgate.Errorf(tollgate.CodeTooLarge, "the request body is longer than %d bytes", limit)
}

// setReading marks the time in which interrupt must also wake a blocked read;
// it reports false if the call is already interrupted.
func (c *call) setReading(on bool) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = on
	if c.interrupted {
		return false
	}
	if !on {
		_ = c.rc.SetReadDeadline(time.Time{})
	}
	return true
}

// paceBody sets the time by which the next byte must be there.
func (c *call) paceBody(read int) {
	allowed := max(c.p.Limits.Body, time.Duration(read/minRate)*time.Second)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.interrupted {
		_ = c.rc.SetReadDeadline(c.start.Add(allowed))
	}
}

// fill reads src to its end into b. hint is the expected size and may be
// wrong. before is called ahead of each read with the bytes read so far.
// errTooLarge and errNoMemory tell that the rest was left unread.
func (p *Proxy) fill(b *buffer, src io.Reader, hint, limit int64, before func(read int)) error {
	for {
		if !b.grow(&p.bodies, p.Limits.InFlightBytes, min(hint, limit+1)) {
			return errNoMemory
		}
		before(len(b.data))
		n, err := src.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		switch {
		case int64(len(b.data)) > limit:
			return errTooLarge
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// dropBody gives back what the body took of the budget, and its memory unless
// a transport may still be reading it: then the garbage collector sees to it.
func (c *call) dropBody() {
	if c.body == nil {
		return
	}
	c.body.drop(&c.p.bodies)
	if !c.lent {
		c.p.requests.put(c.body)
	}
	c.body = nil
}

// checkMedia refuses what is not plain JSON: another or no media type, another
// charset, a compressed body (SECURITY D-05).
func checkMedia(h http.Header) error {
	for _, v := range h["Content-Encoding"] {
		if !strings.EqualFold(strings.TrimSpace(v), "identity") {
			return tollgate.Errorf(tollgate.CodeMediaType, "a compressed request body is not accepted; send it without Content-Encoding")
		}
	}
	values := h["Content-Type"]
	if len(values) == 1 && isJSON(values[0]) {
		return nil
	}
	return tollgate.Errorf(tollgate.CodeMediaType, "the body must be JSON, sent with Content-Type: application/json")
}

// isJSON reports whether a content type is application/json in UTF-8.
func isJSON(v string) bool {
	if v == "application/json" {
		return true
	}
	kind, params, _ := strings.Cut(v, ";")
	if !strings.EqualFold(strings.TrimSpace(kind), "application/json") {
		return false
	}
	for p := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(name, "charset") && !strings.EqualFold(strings.Trim(value, `"`), "utf-8") {
			return false
		}
	}
	return true
}
