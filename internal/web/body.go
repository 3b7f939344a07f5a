package web

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"tollgate"
)

// How slow a body may come (SECURITY D-01).
const (
	bodyGrace   = 10 * time.Second
	minBodyRate = 1 << 10 // bytes per second, averaged after the grace
)

// LimitBody bounds r's body to limit bytes (more is *http.MaxBytesError) and to
// the slowest rate that is accepted.
func LimitBody(w http.ResponseWriter, r *http.Request, limit int64, now func() time.Time) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	r.Body = &slowGuard{
		ReadCloser: http.MaxBytesReader(w, r.Body, limit),
		control:    http.NewResponseController(w), start: now(), now: now, expect: r.ContentLength,
	}
}

// slowGuard moves the connection's read deadline along with the bytes that
// have come, and lifts it at the end: a deadline left behind would end a
// streamed answer.
type slowGuard struct {
	io.ReadCloser
	control *http.ResponseController
	start   time.Time
	now     func() time.Time
	expect  int64 // -1 = unknown
	got     int64
	armed   bool
}

// Read reads some of the body.
func (g *slowGuard) Read(p []byte) (int, error) {
	if !g.armed || g.expect < 0 {
		g.armed = true
		allowed := bodyGrace + time.Duration(max(g.expect, g.got, 0)/minBodyRate)*time.Second
		_ = g.control.SetReadDeadline(g.start.Add(allowed)) // a writer without deadlines (tests) has none to set
	}
	n, err := g.ReadCloser.Read(p)
	g.got += int64(n)
	if err != nil {
		_ = g.control.SetReadDeadline(time.Time{})
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return n, tollgate.WrapError(tollgate.CodeInvalid, err, "the request body came too slowly")
		}
	}
	return n, err
}
