package upstream

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"tollgate"
	"tollgate/internal/upstream/guard"
)

// The error classes of a dispatch that end before or without an answer.
const (
	ClassConnect  = "connect"  // nothing was sent
	ClassTimeout  = "timeout"  // no headers in time
	ClassCut      = "cut"      // the connection broke before the headers
	ClassStatus   = "status"   // an answer with a status that is no success
	ClassCanceled = "canceled" // the caller gave up
)

// limits of what a compressed answer may grow to (SECURITY D-05).
const (
	maxInflated = 64 << 20
	maxRatio    = 100
)

// failure is an error with its dispatch class.
type failure struct {
	err   *tollgate.Error
	class string
}

// Error returns the text for the log.
func (f *failure) Error() string { return f.err.Error() }

// Unwrap returns the domain error, so that it is found by errors.As.
func (f *failure) Unwrap() error { return f.err }

// ErrorClass returns the class of an error that Do or Send gave, "cut" for any
// other error.
func ErrorClass(err error) string {
	if f, ok := errors.AsType[*failure](err); ok {
		return f.class
	}
	if errors.Is(err, context.Canceled) {
		return ClassCanceled
	}
	return ClassCut
}

// Send builds, sends and reports: the answer's status or the error counts for
// or against the credential.
func (e *Endpoint) Send(ctx context.Context, c *Credential, call *Call) (*http.Response, error) {
	req, err := e.NewRequest(ctx, c, call)
	if err != nil {
		return nil, err
	}
	res, err := e.Do(req)
	switch {
	case err != nil:
		if class := ErrorClass(err); class != ClassCanceled {
			c.Report(Result{Class: class})
		}
	case res.StatusCode >= 400:
		c.Report(Result{Status: res.StatusCode, Class: ClassStatus, RetryAfter: RetryAfter(res.Header, e.now())})
	default:
		c.Report(Result{Status: res.StatusCode})
	}
	return res, err
}

// Do sends req and returns the answer whatever its status; a redirect is an
// error. A stale pooled connection is replaced without a word. When the
// request's context has ended, the error is its cause; else it is a
// *tollgate.Error (CodeUpstream, CodeTimeout) whose message is the same
// whatever was wrong at the other end (SECURITY F-10); ErrorClass tells the
// kinds apart. The caller closes the body.
func (e *Endpoint) Do(req *http.Request) (*http.Response, error) {
	res, err := e.transport.RoundTrip(req)
	if err != nil && !e.plain && unsent(err) {
		res, err = e.resend(req, err)
	}
	if err != nil {
		return nil, e.failed(req.Context(), err)
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		_ = res.Body.Close()
		return nil, &failure{tollgate.Errorf(tollgate.CodeUpstream, "provider %s answered with a redirect, which is not followed", e.provider.Name), ClassStatus}
	}
	if enc := res.Header.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") && !inflate(res, enc) {
		_ = res.Body.Close()
		return nil, &failure{tollgate.Errorf(tollgate.CodeUpstream, "provider %s answered in an encoding that was not asked for", e.provider.Name), ClassStatus}
	}
	return res, nil
}

// maxResends bounds how many dead connections of the pool one request may meet.
const maxResends = 256

// unsent reports whether err says that the request could not be written whole,
// so that the provider cannot have acted on it. net/http retries a request on
// a dead pooled connection by itself, but takes a write that fails inside a
// larger body for an error of the body.
func unsent(err error) bool {
	if oe, ok := errors.AsType[*net.OpError](err); ok && (oe.Op == "write" || oe.Op == "readfrom") {
		return true
	}
	return errors.Is(err, net.ErrClosed)
}

// resend sends req again until it met a connection that is not from the pool,
// or failed in another way.
func (e *Endpoint) resend(req *http.Request, err error) (*http.Response, error) {
	var reused atomic.Bool
	reused.Store(true)
	trace := &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) { reused.Store(i.Reused) }}
	again := req.Clone(httptrace.WithClientTrace(req.Context(), trace))
	for n := 0; n < maxResends && unsent(err) && reused.Load() && req.Context().Err() == nil; n++ {
		if req.GetBody != nil {
			body, bodyErr := req.GetBody()
			if bodyErr != nil {
				return nil, bodyErr
			}
			again.Body = body
		}
		var res *http.Response
		if res, err = e.transport.RoundTrip(again); err == nil {
			return res, nil
		}
	}
	return nil, err
}

// failed turns a transport error into ours.
func (e *Endpoint) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		cause := context.Cause(ctx)
		if te, ok := errors.AsType[*tollgate.Error](cause); ok {
			return &failure{te, ClassCanceled}
		}
		return &failure{tollgate.WrapError(tollgate.CodeUnavailable, cause, "the call was given up"), ClassCanceled}
	}
	if _, ok := errors.AsType[*guard.DialError](err); ok {
		return &failure{tollgate.WrapError(tollgate.CodeUpstream, err, "provider %s could not be reached", e.provider.Name), ClassConnect}
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
		return &failure{tollgate.WrapError(tollgate.CodeTimeout, err, "provider %s did not answer in time", e.provider.Name), ClassTimeout}
	}
	return &failure{tollgate.WrapError(tollgate.CodeUpstream, err, "provider %s closed the connection without an answer", e.provider.Name), ClassCut}
}

// inflate replaces a gzip body by its bounded content and reports whether it
// could: identity was asked for, and gzip alone is forgiven.
func inflate(res *http.Response, encoding string) bool {
	if !strings.EqualFold(encoding, "gzip") {
		return false
	}
	res.Body = &inflated{body: res.Body}
	res.Header.Del("Content-Encoding")
	res.Header.Del("Content-Length")
	res.ContentLength = -1
	return true
}

// inflated is a decompressed body with bounds on size and ratio.
type inflated struct {
	body    io.ReadCloser
	zr      *gzip.Reader // nil until the first Read
	in, out int64
}

// rawReader counts the compressed bytes.
type rawReader struct{ i *inflated }

// Read reads from the body as it came.
func (r rawReader) Read(p []byte) (int, error) {
	n, err := r.i.body.Read(p)
	r.i.in += int64(n)
	return n, err
}

// Read fails once the content is larger than 64 MiB, or than 1 MiB and a
// hundred times its compressed form.
func (i *inflated) Read(p []byte) (int, error) {
	if i.zr == nil {
		zr, err := gzip.NewReader(rawReader{i})
		if err != nil {
			return 0, err
		}
		i.zr = zr
	}
	n, err := i.zr.Read(p)
	i.out += int64(n)
	if i.out > maxInflated || i.out > 1<<20 && i.out > maxRatio*i.in {
		return 0, tollgate.Errorf(tollgate.CodeUpstream, "the provider's compressed answer grows beyond bounds")
	}
	return n, err
}

// Close closes the body as it came.
func (i *inflated) Close() error { return i.body.Close() }
