package proxy

import (
	"errors"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/upstream"
)

const (
	headerShouldRetry = "X-Should-Retry"
	headerRetryAfter  = "Retry-After"
)

// Reasons that refine an error inside the data plane.
const (
	reasonDraining   = "draining"
	reasonCredential = "provider_credential"
	reasonGone       = "client_gone"
	reasonLoss       = "translation_loss"
)

// leftEarly is the status of a request whose client did not wait for an
// answer; it is never sent.
const leftEarly = 499

// maxErrorBody bounds what of a provider's error answer is read, in bytes.
const maxErrorBody = 64 << 10

// write sends a whole answer: headers, body, flush. Its length is known, so a
// client can tell a cut one from a whole one.
func (c *call) write(status int, body []byte) {
	h := c.w.Header()
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	c.writeDeadline()
	c.lastWords()
	c.wrote = true
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return
	}
	_, err := c.w.Write(body) //nolint:gosec // its content type is set, and no page
	if err == nil {
		err = c.rc.Flush()
	}
	if err != nil {
		c.abort = true
		if c.logged == nil {
			c.logged = errGone(err)
		}
	}
}

// refuse ends the call with an error in the caller's protocol. What has been
// dispatched is made durable first.
func (c *call) refuse(err error) {
	e := tollgate.AsError(err)
	c.settleHeld()
	c.closeClaim()
	if e.Reason == reasonGone || c.wrote {
		if !c.recorded {
			c.failed(leftEarly, e)
		}
		c.logged, c.abort = e, true
		c.recordSpent()
		return
	}
	if c.codec.Inbound == nil {
		c.failed(http.StatusInternalServerError, e)
		http.Error(c.w, "internal error", http.StatusInternalServerError)
		return
	}
	status, header, body := c.codec.Inbound.EncodeError(shown(e), c.id)
	c.failed(status, e)
	c.recordSpent()
	h := c.w.Header()
	maps.Copy(h, header)
	if e.Limit != nil {
		c.codec.Inbound.LimitHeader(h, []tollgate.LimitState{*e.Limit}, c.p.Now())
	}
	c.limitHeader()
	if e.Reason == reasonCredential {
		h[headerShouldRetry] = []string{"false"}
		delete(h, headerRetryAfter)
	}
	c.leaveBody()
	c.write(status, body)
}

// shown is what the client is told of e: that money is held by others passes,
// as a rate limit does, and is told like one.
func shown(e *tollgate.Error) *tollgate.Error {
	if e.Code != tollgate.CodeQuota || e.Reason != ledger.ReasonHeld {
		return e
	}
	passing := *e
	passing.Code = tollgate.CodeRateLimited
	return &passing
}

// recordSpent makes the row of a failed call durable if something went out for
// it; else close queues it. The client is owed the refusal either way.
func (c *call) recordSpent() {
	c.closeClaim()
	if c.recorded || c.recordTried || len(c.row.Dispatches) == 0 {
		return
	}
	if err := c.record(); err != nil {
		c.p.Log.LogAttrs(c.r.Context(), slog.LevelError, "a failed call could not be recorded",
			slog.String("request_id", c.id.String()), slog.Any("error", err))
	}
}

// leaveBody prepares the connection for an answer to a request whose body was
// not read: a short rest may be skipped within five seconds, for a longer one
// the connection is closed. A call that was interrupted closes it too, since
// its write deadline stays.
func (c *call) leaveBody() {
	if c.r.ProtoMajor != 1 {
		return
	}
	const short = 64 << 10
	unread := c.body == nil && c.r.ContentLength != 0
	partly := c.body != nil && !c.bodyRead
	switch {
	case partly, unread && (c.r.ContentLength < 0 || c.r.ContentLength > short), c.cutOff():
		c.w.Header()["Connection"] = []string{"close"}
	case unread:
		_ = c.rc.SetReadDeadline(c.p.Now().Add(5 * time.Second))
	}
}

// passError sends the last provider's own error answer on: status and body as
// they came, less our secrets, headers as far as they may cross.
func (c *call) passError(f *failure) {
	c.closeClaim()
	c.failed(f.status, tollgate.Errorf(classOf(f.status), "the provider answered with status %d: %s", f.status, clip(string(f.body), maxErrorText)))
	if n := len(c.row.Dispatches); n > 0 {
		c.row.ProviderID, c.row.Served = c.row.Dispatches[n-1].ProviderID, c.row.Dispatches[n-1].Model
	}
	c.recordSpent()
	upstream.ResponseHeader(c.w.Header(), f.header)
	c.limitHeader()
	c.write(f.status, f.body)
}

// errorBody reads a provider's error answer; nil if it is not JSON or too long
// to be one: a proxy's HTML page helps no client.
func (c *call) errorBody(t *target, resp *http.Response) []byte {
	if !strings.Contains(resp.Header.Get("Content-Type"), "json") {
		return nil
	}
	c.idleTimer(t.endpoint.Timeouts().Idle)
	defer c.stopTimer()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorBody+1))
	if (err != nil && !errors.Is(err, io.ErrUnexpectedEOF)) || len(body) > maxErrorBody || !looksJSON(body) {
		return nil
	}
	return body
}

// errorText is what admins read in the request log: bounded, and without
// anything that looks like a key (SECURITY L-03).
func errorText(e *tollgate.Error) string {
	return clip(string(upstream.Scrub([]byte(clip(e.Error(), 4*maxErrorText)))), maxErrorText)
}

// classOf returns the error class of a provider's status that the client got.
func classOf(status int) tollgate.Code {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return tollgate.CodeForbidden
	case http.StatusNotFound:
		return tollgate.CodeNotFound
	case http.StatusRequestEntityTooLarge:
		return tollgate.CodeTooLarge
	case http.StatusTooManyRequests:
		return tollgate.CodeRateLimited
	}
	if status >= http.StatusInternalServerError {
		return tollgate.CodeUpstream
	}
	return tollgate.CodeInvalid
}
