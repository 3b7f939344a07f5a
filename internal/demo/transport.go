package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
)

// errAborted is what the client sees where a real connection would break.
var errAborted = fmt.Errorf("demo: the connection was cut: %w", io.ErrUnexpectedEOF)

// Transport returns a RoundTripper that hands requests to v inside the
// process. Answers stream: the body is readable as it is written, a slow
// reader slows the vendor, and a broken connection is an error of the read.
func Transport(v http.Handler) http.RoundTripper { return transport{v} }

type transport struct{ handler http.Handler }

// RoundTrip runs the handler and returns as soon as it has sent its headers.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	// The handler learns of a cancellation only after the pipe is closed, so
	// that nothing it then writes is read.
	ctx, cancel := context.WithCancelCause(context.WithoutCancel(req.Context()))
	in := req.Clone(ctx)
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "in-process"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	pr, pw := io.Pipe()
	w := &responseWriter{header: http.Header{}, pipe: pw, ready: make(chan struct{}), left: -1}
	go func() {
		defer cancel(nil)
		defer func() { _ = in.Body.Close() }()
		w.end(serve(t.handler, w, in))
	}()
	stop := context.AfterFunc(req.Context(), func() {
		_ = pw.CloseWithError(context.Cause(req.Context()))
		cancel(context.Cause(req.Context()))
	})
	select {
	case <-w.ready:
	case <-req.Context().Done():
		stop()
		_ = pw.CloseWithError(context.Cause(req.Context()))
		cancel(context.Cause(req.Context()))
		return nil, context.Cause(req.Context())
	}
	if w.failed != nil {
		stop()
		return nil, w.failed
	}
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, ContentLength: w.length, Request: req,
		Body: &responseBody{PipeReader: pr, leave: func() { stop(); cancel(errAborted) }},
	}, nil
}

// serve runs the handler. A panic ends this request only: the one that means
// "abort" as a broken connection, any other as an error that says so.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = p
			if errors.Is(p, http.ErrAbortHandler) {
				err = errAborted
			}
		default:
			err = fmt.Errorf("demo: handler panicked: %v", p)
		}
	}()
	h.ServeHTTP(w, r)
	return nil
}

// responseBody tells the handler when the reader leaves.
type responseBody struct {
	*io.PipeReader
	leave func()
}

// Close ends the reading; the handler's next write fails.
func (b *responseBody) Close() error {
	b.leave()
	return b.PipeReader.Close()
}

// responseWriter is the handler's side. status, sent, length and failed are
// written before ready is closed and only read afterwards.
type responseWriter struct {
	header http.Header
	pipe   *io.PipeWriter
	once   sync.Once
	ready  chan struct{}
	status int
	sent   http.Header
	length int64
	left   int64 // of a declared Content-Length; -1 = none
	failed error
}

// Header returns the headers to be sent.
func (w *responseWriter) Header() http.Header { return w.header }

// WriteHeader sends the headers; only the first call counts.
func (w *responseWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent, w.length = status, w.header.Clone(), -1
		if n, err := strconv.ParseInt(w.header.Get("Content-Length"), 10, 64); err == nil && n >= 0 {
			w.length, w.left = n, n
		}
		close(w.ready)
	})
}

// Write sends body bytes; it waits until they are read.
func (w *responseWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	n, err := w.pipe.Write(p)
	if w.left >= 0 {
		w.left -= int64(n)
	}
	return n, err
}

// FlushError sends the headers; bytes are never held back.
func (w *responseWriter) FlushError() error {
	w.WriteHeader(http.StatusOK)
	return nil
}

// end closes the body after the handler: broken when it was aborted or sent
// less than it declared.
func (w *responseWriter) end(err error) {
	if err != nil {
		w.once.Do(func() {
			w.failed = err
			close(w.ready)
		})
		_ = w.pipe.CloseWithError(err)
		return
	}
	w.WriteHeader(http.StatusOK)
	if w.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	_ = w.pipe.CloseWithError(err)
}

var _ http.RoundTripper = transport{}
