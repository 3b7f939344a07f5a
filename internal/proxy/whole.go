package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/upstream"
	"tollgate/internal/wire"
)

// relay passes a provider's 2xx answer on. What it is, its content type
// decides, not what was asked for.
func (c *call) relay(t *target, d *tollgate.Dispatch, resp *http.Response) *failure {
	kind := resp.Header.Get("Content-Type")
	switch {
	case strings.HasPrefix(kind, "text/event-stream"):
		return c.relayStream(t, d, resp, wire.FramingSSE)
	case c.peeked.Stream && c.route.Framing == wire.FramingJSONArray && strings.HasPrefix(kind, "application/json"):
		return c.relayStream(t, d, resp, wire.FramingJSONArray)
	default:
		return c.relayWhole(t, d, resp)
	}
}

// observe starts watching an answer of t. The client sees the model under the
// name it sent, if that is not the provider's own.
func (c *call) observe(t *target) wire.Observer {
	o := wire.ObserveOptions{DropUsageChunk: c.asksUsage(t)}
	if c.peeked.Model != t.Model {
		o.Model = c.peeked.Model
	}
	return c.codec.Outbound.Observe(c.route.Operation, o)
}

// relayWhole relays an answer that is not streamed: read to its end, counted,
// recorded, and only then given to the client.
func (c *call) relayWhole(t *target, d *tollgate.Dispatch, resp *http.Response) *failure {
	obs := c.observe(t)
	buf := c.p.buffers.get()
	defer func() {
		buf.drop(&c.p.bodies)
		c.p.buffers.put(buf)
	}()
	idle := t.endpoint.Timeouts().Idle
	err := c.fill(buf, resp.Body, resp.ContentLength+1, c.p.Limits.MaxResponse, func(int) { c.idleTimer(idle) })
	c.stopTimer()
	if err != nil {
		return c.unread(d, obs, err)
	}
	body, err := obs.Body(buf.data)
	if err != nil {
		c.settle(d, classInvalid, obs)
		return &failure{err: tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's answer is not one of its protocol")}
	}
	c.settle(d, classNone, obs)
	c.served(t, d)
	if err := c.record(); err != nil {
		return &failure{err: tollgate.AsError(err)}
	}
	upstream.ResponseHeader(c.w.Header(), resp.Header)
	c.write(resp.StatusCode, body)
	return nil
}

// unread settles a dispatch whose answer could not be read to its end.
func (c *call) unread(d *tollgate.Dispatch, obs wire.Observer, err error) *failure {
	f := &failure{err: c.stopped()}
	class := classCut
	switch {
	case f.err != nil:
		class = c.stopClass(f.err)
	case errors.Is(err, errTooLarge):
		class = classInvalid
		f.err = tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer is longer than this gateway passes on")
	case errors.Is(err, errNoMemory):
		class = classCanceled
		f.err = &tollgate.Error{
			Code: tollgate.CodeUnavailable, RetryAfter: time.Second,
			Message: "the gateway holds as many bytes as it may; send the request again",
		}
	default:
		f.err = tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's answer broke off")
	}
	c.settle(d, class, obs)
	return f
}

// idleTimer ends the call with CodeTimeout if the provider sends nothing for d.
func (c *call) idleTimer(d time.Duration) {
	if c.timer == nil {
		c.timer = time.AfterFunc(d, c.idle)
		return
	}
	c.timer.Reset(d)
}

func (c *call) stopTimer() {
	if c.timer != nil {
		c.timer.Stop()
	}
}

// idle runs when a timer fires. After the terminator of a stream there is
// nothing left to wait for, so that this is its end and no failure.
func (c *call) idle() {
	if c.lingering.Load() {
		c.cancel(errLinger)
		return
	}
	c.cancel(&tollgate.Error{Code: tollgate.CodeTimeout, Message: "the provider stopped sending"})
}

var errLinger = errors.New("the stream is complete, and its connection stayed open")

// looksJSON reports whether body is a JSON document.
func looksJSON(body []byte) bool {
	return len(bytes.TrimSpace(body)) > 0 && json.Valid(body)
}
