package proxy

import (
	"net/http"

	"tollgate"
	"tollgate/internal/upstream"
	"tollgate/internal/wire"
)

// failure is an attempt that gave the client nothing yet.
type failure struct {
	// err is what the client is told, unless the provider's own words are.
	err *tollgate.Error
	// next is set when another credential or provider may do better.
	next bool
	// idle is set when nothing was sent: of several failures, the one of a
	// provider that was asked says more.
	idle bool
	// The provider's own error answer, scrubbed; status 0 = there is none to pass on.
	status int
	header http.Header
	body   []byte
}

// attempts tries the targets in order, and the credentials of each in turn,
// until one begins to answer. Every try is a dispatch of its own; after the
// first byte to the client there is no other try.
func (c *call) attempts(targets []target) error {
	var last *failure
	for i := range targets {
		f := c.tryTarget(&targets[i])
		if f == nil {
			return nil
		}
		if last == nil || !f.idle {
			last = f
		}
		if !f.next || c.sent >= tollgate.MaxDispatches {
			break
		}
	}
	if last.status != 0 {
		c.passError(last)
		return nil
	}
	return last.err
}

// tryTarget tries one provider. nil = the client has its answer.
func (c *call) tryTarget(t *target) *failure {
	release, err := c.p.Directory.Track(c.principal, t.ProviderID, t.Asked, c.interrupt)
	if err != nil {
		return &failure{err: tollgate.AsError(err), next: tollgate.ErrorCode(err) == tollgate.CodeForbidden}
	}
	defer release()
	if err := c.offer(t); err != nil {
		return &failure{err: tollgate.AsError(err), idle: true, next: true}
	}
	out, f := c.prepare(t)
	if f != nil {
		return f
	}
	if t.estimated {
		return c.estimate(t)
	}
	credentials := t.endpoint.Credentials()
	if len(credentials) == 0 {
		return &failure{next: true, err: &tollgate.Error{
			Code: tollgate.CodeUpstream, Reason: reasonCredential,
			Message: "provider " + quote(t.ProviderName) + " has no usable credential in this gateway",
		}}
	}
	for _, cred := range credentials {
		if f = c.dispatch(t, cred, out); f == nil || !f.next || c.sent >= tollgate.MaxDispatches {
			break
		}
	}
	return f
}

// outgoing is the request to the target: the client's bytes with the edits of
// CONTRACT 9 and nothing else.
func (c *call) outgoing(t *target) *upstream.Call {
	edits := wire.Edits{Model: t.Model, IncludeUsage: c.asksUsage(t)}
	if t.offer.cap > 0 {
		edits.OutputCap, edits.CapName = t.offer.cap, t.capName()
	}
	return &upstream.Call{
		Dialect: c.route.Dialect, Operation: c.route.Operation, Model: t.Model, Version: c.route.Version,
		Stream: c.peeked.Stream, Query: c.query, Header: c.r.Header,
		Body: wire.Splice(c.body.data, &c.peeked, edits),
	}
}

// asksUsage reports whether the usage chunk of an OpenAI chat or completions
// stream is asked for on the client's behalf.
func (c *call) asksUsage(t *target) bool {
	op := c.route.Operation
	return c.peeked.Stream && !c.peeked.IncludeUsage && !t.translated && c.route.Dialect == tollgate.DialectOpenAIChat &&
		(op == tollgate.OpGenerate || op == tollgate.OpComplete) && t.endpoint.IncludeUsage()
}

// dispatch sends the request once. nil = the client has its answer.
func (c *call) dispatch(t *target, cred *upstream.Credential, out *upstream.Call) *failure {
	if e := c.stopped(); e != nil {
		return &failure{err: e}
	}
	if c.gone.Load() { // nobody is there to try again for
		return &failure{err: errGone(nil)}
	}
	d := &tollgate.Dispatch{
		ID: c.id.Dispatch(c.sent + 1), ProviderID: t.ProviderID, CredentialID: cred.ID,
		Model: t.Model, StartedAt: c.p.Now(), Exactness: tollgate.ExactMeasured,
	}
	if err := c.hold(t, d); err != nil {
		return &failure{err: tollgate.AsError(err), idle: true}
	}
	c.keepSent(t, out.Body)
	c.lent = c.lent || !t.translated && !t.endpoint.Releases()
	resp, err := t.endpoint.Send(&c.ctx, cred, out)
	if err != nil {
		return c.unanswered(d, err)
	}
	defer func() { _ = resp.Body.Close() }()
	d.Status = resp.StatusCode
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		return c.refused(t, d, resp)
	}
	return c.relay(t, d, resp)
}

// stopped reports why nothing more may be sent; nil = go on.
func (c *call) stopped() *tollgate.Error {
	if e := c.wasInterrupted(); e != nil {
		return e
	}
	if c.ctx.Err() != nil {
		return errGone(c.ctx.Err())
	}
	return nil
}

// unanswered settles a dispatch that no answer came to.
func (c *call) unanswered(d *tollgate.Dispatch, err error) *failure {
	if e := c.stopped(); e != nil {
		c.settle(d, c.stopClass(e), nil)
		return &failure{err: e}
	}
	e, class := tollgate.AsError(err), upstream.ErrorClass(err)
	if e.Code != tollgate.CodeUpstream && e.Code != tollgate.CodeTimeout {
		class = classInvalid // the request could not be made at all
	}
	c.settle(d, class, nil)
	return &failure{err: e, next: class == classConnect || class == classCut}
}

// refused settles a dispatch that the provider answered with an error.
func (c *call) refused(t *target, d *tollgate.Dispatch, resp *http.Response) *failure {
	body := c.errorBody(t, resp)
	if e := c.stopped(); e != nil {
		c.settle(d, c.stopClass(e), nil)
		return &failure{err: e}
	}
	c.settle(d, classStatus, nil)
	status := resp.StatusCode
	if t.uncounted(status) && c.p.Tokens != nil {
		return c.estimate(t)
	}
	f := &failure{next: status == http.StatusUnauthorized || status == http.StatusTooManyRequests || status >= 500}
	switch {
	case status == http.StatusUnauthorized || status == http.StatusPaymentRequired || status == http.StatusProxyAuthRequired:
		f.err = &tollgate.Error{
			Code: tollgate.CodeUpstream, Reason: reasonCredential, Err: tollgate.Errorf(tollgate.CodeUpstream, "status %d", status),
			Message: "provider " + quote(t.ProviderName) + " refused this gateway's credential; the operator has to look at it",
		}
	case body == nil:
		f.err = &tollgate.Error{
			Code: tollgate.CodeUpstream, RetryAfter: upstream.RetryAfter(resp.Header, c.p.Now()),
			Message: "the provider failed and said nothing that this gateway could pass on",
			Err:     tollgate.Errorf(tollgate.CodeUpstream, "status %d", status),
		}
	case t.translated:
		f.err = t.codec.Back.DecodeError(status, resp.Header, t.endpoint.Scrub(body))
		c.row.ProviderID, c.row.Served = t.ProviderID, t.Model
	default:
		f.status, f.header, f.body = status, resp.Header, t.endpoint.Scrub(body)
	}
	return f
}

// uncounted reports whether a provider that was to count a translated request
// has no such call after all.
func (t *target) uncounted(status int) bool {
	return t.translated && t.op == tollgate.OpCount &&
		(status == http.StatusNotFound || status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented)
}
