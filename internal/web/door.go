package web

import (
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"tollgate"
)

// HeaderRequestID is the response header that names the request.
const HeaderRequestID = "X-Tollgate-Request-Id"

// Door is the outermost handler. It opens the request event, refuses requests
// whose shape no handler should see, recovers panics and writes one log line
// when the answer is out.
type Door struct {
	IDs *tollgate.RequestIDs
	Now func() time.Time
	Log *slog.Logger
	// Lines, if set, gets the lines of requests that Log's level lets through,
	// as slog.JSONHandler would write them, at a third of the cost.
	Lines io.Writer
	// TrustedProxies are the networks whose forwarding headers count.
	TrustedProxies []netip.Prefix
	// Hosts are the gateway's own names: an absolute-form target must name one.
	Hosts Hosts
	// OnDone, if set, is called once per request after the answer, for
	// metrics. It must not block and must not keep the event.
	OnDone func(*Event)

	lines sync.Pool // of *jsonLine
}

// Wrap returns next behind the door.
func (d *Door) Wrap(next http.Handler) http.Handler {
	nosniff := []string{"nosniff"}
	hsts := []string{"max-age=31536000"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := d.Now()
		v := &visit{Context: r.Context()}
		e := &v.event
		e.ID, e.Start, e.Method, e.UserAgent = d.IDs.Next(now), now, r.Method, clip(r.UserAgent(), maxUserAgent)
		v.response = response{ResponseWriter: w, event: e}
		h := w.Header()
		h[HeaderRequestID] = []string{e.ID.String()}
		h["X-Content-Type-Options"] = nosniff

		bad := d.admit(r, e)
		if e.Secure {
			h["Strict-Transport-Security"] = hsts
		}
		r = r.WithContext(v)
		defer d.done(v, r)
		if bad != nil {
			writeRefusal(&v.response, r, bad)
			return
		}
		next.ServeHTTP(&v.response, r)
	})
}

// admit settles where the request comes from and checks its shape.
func (d *Door) admit(r *http.Request, e *Event) *refusal {
	peer := peerAddr(r.RemoteAddr)
	trusted := contains(d.TrustedProxies, peer)
	bad := checkHeader(r.Header, trusted)
	e.ClientIP, e.Secure = peer, r.TLS != nil
	if trusted {
		e.ClientIP = forwardedFor(r.Header, peer, d.TrustedProxies)
		e.Secure = e.Secure || forwardedTLS(r.Header)
	}
	if bad != nil {
		return bad
	}
	return checkTarget(r, d.Hosts)
}

// done runs when the handler has returned or panicked. A panic ends this
// request only (SECURITY D-10): with a plain 500 if nothing has gone out,
// else by cutting the connection, so that a broken answer never looks whole.
func (d *Door) done(v *visit, r *http.Request) {
	e := &v.event
	p := recover()
	abort := p == http.ErrAbortHandler //nolint:errorlint // a sentinel panic value, compared as net/http does
	if p != nil && !abort {
		d.Log.LogAttrs(r.Context(), slog.LevelError, "panic while serving a request",
			slog.String("request_id", e.ID.String()), slog.String("pattern", e.Pattern),
			slog.Any("panic", panicText(p)), slog.String("stack", string(debug.Stack())))
		e.Err = tollgate.Errorf(tollgate.CodeInternal, "panic in a handler")
		abort = e.Status != 0
		if !abort {
			WriteError(&v.response, r, e.Err)
		}
	}
	if e.Status == 0 && p == nil {
		e.Status = http.StatusOK // net/http writes it
	}
	e.Duration = d.Now().Sub(e.Start)
	d.logLine(r.Context(), e)
	if d.OnDone != nil {
		d.OnDone(e)
	}
	if abort {
		panic(http.ErrAbortHandler)
	}
}

// panicText describes a panic value by its type and, for run-time errors, its
// text; other values may hold a caller's data and are not printed.
func panicText(p any) string {
	if err, ok := p.(interface{ RuntimeError() }); ok {
		if e, isErr := err.(error); isErr {
			return clip(e.Error(), maxErrorText)
		}
	}
	if s, ok := p.(string); ok {
		return clip(s, maxErrorText)
	}
	return "value that is no run-time error"
}
