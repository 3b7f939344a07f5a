package proxy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/upstream"
	"tollgate/internal/wire"
)

// relay passes a provider's 2xx answer on. What it is, its content type
// decides, not what was asked for.
func (c *call) relay(t *target, d *tollgate.Dispatch, resp *http.Response) *failure {
	kind := resp.Header.Get("Content-Type")
	c.losses = nil
	c.lose(t.losses)
	c.expect(t)
	switch {
	case t.translated && t.op != tollgate.OpGenerate:
		return c.relayWhole(t, d, resp)
	case strings.HasPrefix(kind, "text/event-stream"):
		return c.relayStream(t, d, resp, wire.FramingSSE)
	case !t.translated && c.peeked.Stream && c.route.Framing == wire.FramingJSONArray && strings.HasPrefix(kind, "application/json"):
		return c.relayStream(t, d, resp, wire.FramingJSONArray)
	default:
		return c.relayWhole(t, d, resp)
	}
}

// observe starts watching an answer of t. The client sees the model under the
// name it sent, if that is not the provider's own.
func (c *call) observe(t *target) wire.Observer {
	o := wire.ObserveOptions{DropUsageChunk: c.asksUsage(t)}
	if c.peeked.Model != t.Model && !t.translated {
		o.Model = c.peeked.Model
	}
	if !t.translated {
		o.PreviousID = c.thread.previous
	}
	return t.codec.Outbound.Observe(t.op, o)
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
	err := c.p.fill(buf, resp.Body, resp.ContentLength+1, c.p.Limits.MaxResponse, c.watchOver(t, resp.Body))
	c.stopTimer()
	if err != nil {
		return c.unread(d, obs, err)
	}
	body, err := obs.Body(buf.data)
	if err == nil && t.translated {
		body, err = c.translateAnswer(t, buf.data)
	}
	if err == nil && c.summary != nil {
		body, err = c.compacted(body)
	}
	if err != nil {
		c.settle(d, classInvalid, obs)
		return &failure{err: c.notAnAnswer(t, err)}
	}
	c.settle(d, classNone, obs)
	c.served(t, d)
	if err := c.record(); err != nil {
		return &failure{err: tollgate.AsError(err)}
	}
	c.answerHeader(t, resp)
	c.whole(body)
	c.write(resp.StatusCode, body)
	return nil
}

// notAnAnswer is what the client is told of a 2xx answer that err is wrong
// with. A translated one may also hold the provider's own report of a failure.
func (c *call) notAnAnswer(t *target, err error) *tollgate.Error {
	if e, ok := errors.AsType[*tollgate.Error](err); ok && t.translated {
		return scrubbed(t, e)
	}
	return tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's answer is not one of its protocol")
}

// scrubbed returns e without secrets in what a provider said.
func scrubbed(t *target, e *tollgate.Error) *tollgate.Error {
	clean := *e
	clean.Message = string(t.endpoint.Scrub([]byte(e.Message)))
	return &clean
}

// answerHeader sets the headers of a 2xx answer: those of the provider that
// may cross, or, translated, those of the client's own protocol. more are losses
// that are known and not yet noted.
func (c *call) answerHeader(t *target, resp *http.Response, more ...ir.Loss) {
	h := c.w.Header()
	if t.op == tollgate.OpCount {
		h[headerCount] = []string{"provider"}
	}
	if t.offer.lowered {
		h[headerClamped] = []string{strconv.FormatInt(t.offer.cap, 10)}
	}
	defer c.limitHeader()
	if !t.translated {
		upstream.ResponseHeader(h, resp.Header)
		return
	}
	h["Content-Type"] = []string{"application/json"}
	if c.peeked.Stream && t.op == tollgate.OpGenerate && c.route.Framing == wire.FramingSSE {
		h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
		h["Cache-Control"] = []string{"no-cache"}
	}
	switch c.route.Dialect {
	case tollgate.DialectAnthropic:
		h["Request-Id"] = []string{c.id.String()}
	case tollgate.DialectOpenAIChat, tollgate.DialectOpenAIResponses:
		h["X-Request-Id"] = []string{c.id.String()}
	case tollgate.DialectGemini:
	}
	if text := lossText(append(slices.Clip(c.losses), more...)); text != "" {
		h[headerLoss] = []string{text}
	}
}

// watchOver returns what is called ahead of each read of an answer: it starts
// the watch, unless the answer has come whole along with its header.
func (c *call) watchOver(t *target, body io.Reader) func(read int) {
	if b, ok := body.(interface{ AtHand() bool }); ok && b.AtHand() {
		return func(int) {}
	}
	idle := t.endpoint.Timeouts().Idle
	return func(int) { c.idleTimer(idle) }
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

var errLinger = errors.New("the stream is complete, and its connection stayed open")

// looksJSON reports whether body is a JSON document.
func looksJSON(body []byte) bool {
	return len(bytes.TrimSpace(body)) > 0 && json.Valid(body)
}
