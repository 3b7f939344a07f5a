package proxy

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/ledger"
	"tollgate/internal/life"
	"tollgate/internal/limit"
	"tollgate/internal/web"
	"tollgate/internal/wire"
)

// call is one request on its way through the phases. It is used by the
// goroutine of its handler; only interrupt may come from another.
type call struct {
	p     *Proxy
	w     http.ResponseWriter
	r     *http.Request
	rc    *http.ResponseController
	id    tollgate.RequestID
	start time.Time
	event *web.Event

	// Door: what path and headers tell.
	route    wire.Route
	routeErr error
	codec    *Codec

	// Authenticate.
	principal tollgate.Principal

	// Body and peek. body holds the bytes as they came.
	body     *buffer
	bodyRead bool // to its end
	lent     bool // to a transport that may read it after the call
	query    url.Values
	peeked   wire.Peeked

	// Translation, decoded once for all targets.
	asked     *ir.Request
	embedding *ir.Embedding
	losses    []ir.Loss // of the request to who answers, and of the answer
	strict    bool      // the client refuses them

	// The Responses API: what came before, the turn of a WebSocket that this call
	// is, the summary that it is made for. nil where it is none.
	thread  thread
	turn    *turn
	summary *summary

	// row is the request row; it is complete once recorded is set.
	row      tollgate.Request
	owned    [limit.MaxChain + 1]limit.Owner
	grant    limit.Grant        // of its rate limits; nil = not asked for
	limited  bool               // a quota bounds what it may cost
	claim    *ledger.Claim      // of held or done
	held     *tollgate.Dispatch // under way
	done     *tollgate.Dispatch // its outcome is known, its claim not yet closed
	sent     int                // dispatches so far
	recorded bool
	probe    bool // no call at all, see isProbe
	// recordTried is set when the store was asked to take the row and waited for.
	recordTried bool
	logged      error // why the call failed, for the log
	wrote       bool  // bytes of the answer went out
	abort       bool  // the answer must not end as if it were whole

	ctx    life.Context // of all that the call waits for
	unlink func() bool  // the client's leaving does not end ctx any more

	leaver leaver
	kept   kept
	gone   atomic.Bool // its client has left, and it goes on

	silence   silence     // of the provider that is being read
	lingering atomic.Bool // its silence is the end of a complete answer

	mu          sync.Mutex // guards what interrupt and the handler share
	closed      bool
	interrupted bool
	reading     bool      // the handler reads the request's body
	deadline    time.Time // of the next write, as last set
}

// open is the door: it names the call, classifies it and starts its row.
func (p *Proxy) open(w http.ResponseWriter, r *http.Request) *call {
	c := &call{p: p, w: w, r: r, rc: http.NewResponseController(w), start: p.Now()}
	c.event = web.EventFrom(r.Context())
	if c.id = c.event.ID; c.id == 0 {
		c.id = p.IDs.Next(c.start)
		w.Header()[web.HeaderRequestID] = []string{c.id.String()}
	}
	c.unlink = life.AfterFunc(r.Context(), c.left)
	c.route, c.routeErr = wire.Classify(r.Method, r.URL, r.Header)
	if c.route.Dialect == "" {
		c.route.Dialect = dialectOf(r.Header)
	}
	c.codec = p.codec(c.route.Dialect)
	c.row = tollgate.Request{
		ID: c.id, StartedAt: c.start, UserAgent: clip(r.UserAgent(), maxUserAgent),
		Dialect: c.route.Dialect, Operation: c.route.Operation, Model: clip(c.route.Model, tollgate.MaxModelNameLength),
		Stream: c.route.Stream,
	}
	if c.event.ClientIP.IsValid() {
		c.row.ClientIP = c.event.ClientIP.String()
	}
	c.event.Pattern = c.route.Pattern
	return c
}

// left runs when the client has left.
func (c *call) left() { c.ctx.End(nil) }

// dialectOf guesses the caller's protocol where the path says nothing, so that
// the refusal has a shape that the client can read.
func dialectOf(h http.Header) tollgate.Dialect {
	switch {
	case h.Get("X-Goog-Api-Key") != "":
		return tollgate.DialectGemini
	case h.Get("Anthropic-Version") != "":
		return tollgate.DialectAnthropic
	default:
		return tollgate.DialectOpenAIChat
	}
}

// shard spreads calls over the registry of those in flight.
func (c *call) shard() int { return int(c.id>>4) & (liveShards - 1) }

// close ends the call whatever happened: a panic is turned into a failed
// request (SECURITY D-10), a row that is not yet written is queued, what the
// call holds is given back.
func (c *call) close() {
	if v := recover(); v != nil {
		c.panicked(v)
	}
	c.settleHeld()
	c.closeClaim()
	c.leaveLimits()
	c.endLeave()
	c.stopTimer()
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.unlink()
	c.ctx.End(nil)
	c.clearDeadline()
	c.dropBody()
	if !c.recorded {
		c.recordLater()
	}
	c.finishBodies()
	c.p.live.remove(c) // after the record: a drain waits for it
	c.event.Principal, c.event.Err = c.principal, c.logged
	if !c.probe {
		c.event.Call = &c.row
	}
	if c.abort {
		panic(http.ErrAbortHandler)
	}
}

// panicked accounts for a panic: logged with its stack but without its value,
// which could hold payload, unless the run-time made it.
func (c *call) panicked(v any) {
	if err, ok := v.(error); ok && err == http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
		c.abort = true
		return
	}
	c.p.panics.Add(1)
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(interface {
		error
		RuntimeError()
	}); ok {
		what = err.Error()
	}
	c.p.Log.LogAttrs(c.r.Context(), slog.LevelError, "a call panicked",
		slog.String("request_id", c.id.String()), slog.String("panic", what), slog.String("stack", string(debug.Stack())))
	c.refuse(tollgate.Errorf(tollgate.CodeInternal, "internal error"))
}

// interrupt ends the call from outside: it cancels what the call waits for and
// gives the client Limits.Grace to take what is being written, also when it
// reads slowly; the last words have a time of their own, see lastWords. The
// first one wins; after the end of the call it does nothing, so that the
// connection's next request is not touched.
func (c *call) interrupt(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || c.interrupted {
		return
	}
	c.interrupted = true
	c.ctx.End(err)
	now := c.p.Now()
	_ = c.rc.SetWriteDeadline(now.Add(c.p.Limits.Grace))
	if c.reading {
		_ = c.rc.SetReadDeadline(now)
	}
}

// wasInterrupted reports why the call was ended before its time, by interrupt
// or by a silent provider; nil = it was not, or its client left.
func (c *call) wasInterrupted() *tollgate.Error {
	if e, ok := errors.AsType[*tollgate.Error](c.ctx.Err()); ok {
		return e
	}
	return nil
}

// cutOff reports whether the call was interrupted, and so has little time left
// to write.
func (c *call) cutOff() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.interrupted
}

// writeDeadline sets the time by which the next write must be done, unless the
// call is interrupted, whose shorter deadline stays. It is moved only when a
// tenth of it is used up, so that a fast stream pays for it rarely.
func (c *call) writeDeadline() {
	now := c.p.Now()
	most := c.p.Limits.Write
	if c.deadline.Sub(now) > most-most/10 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.interrupted {
		c.deadline = now.Add(most)
		_ = c.rc.SetWriteDeadline(c.deadline)
	}
}

// lastWords gives a call that is interrupted Limits.Grace from now for what is
// left to say. From the interruption on would be too little where the record
// or the machine was slow meanwhile.
func (c *call) lastWords() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.interrupted {
		_ = c.rc.SetWriteDeadline(c.p.Now().Add(c.p.Limits.Grace))
	}
}

// clearDeadline leaves the connection as it was found, for its next request.
func (c *call) clearDeadline() {
	if !c.deadline.IsZero() && !c.interrupted {
		c.deadline = time.Time{}
		_ = c.rc.SetWriteDeadline(time.Time{})
	}
}
