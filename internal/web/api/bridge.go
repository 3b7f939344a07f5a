package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"tollgate"
	"tollgate/internal/web"
)

// bridge mounts huma's operations on the router. An operation without a
// policy is mounted without one, which the router reports as a reason not to
// start (SECURITY Z-01).
type bridge struct{ router *web.Router }

var _ huma.Adapter = bridge{}

// ServeHTTP is there for huma's interface; requests come through the router.
func (b bridge) ServeHTTP(w http.ResponseWriter, r *http.Request) { b.router.ServeHTTP(w, r) }

// Handle mounts one operation.
func (b bridge) Handle(op *huma.Operation, serve func(huma.Context)) {
	policy, _ := op.Metadata[policyKey].(web.Policy)
	list := takesList(op)
	_, streams := op.Metadata[streamKey]
	b.router.Handle(op.Method, op.Path, policy, func(w http.ResponseWriter, r *http.Request) error {
		if err := checkedBody(r, list); err != nil {
			return err
		}
		if streams {
			serve(humago.NewContext(op, r, w))
			return nil
		}
		buf := &buffered{header: w.Header()}
		serve(humago.NewContext(op, r, buf))
		if buf.status == 0 {
			buf.status = http.StatusOK
		}
		w.Header().Set("Content-Length", strconv.Itoa(buf.body.Len()))
		w.WriteHeader(buf.status)
		_, _ = w.Write(buf.body.Bytes())
		return nil
	})
}

func takesList(op *huma.Operation) bool {
	if op.RequestBody == nil || op.RequestBody.Content["application/json"] == nil {
		return false
	}
	s := op.RequestBody.Content["application/json"].Schema
	return s != nil && s.Type == huma.TypeArray
}

// checkedBody reads the bounded body and refuses JSON that two parsers could
// read differently. No body at all is an empty object.
func checkedBody(r *http.Request, list bool) error {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			if _, ok := errors.AsType[*tollgate.Error](err); ok {
				return err
			}
			if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
				return err
			}
			return tollgate.WrapError(tollgate.CodeInvalid, err, "the request body could not be read")
		}
	}
	if len(bytes.TrimSpace(body)) == 0 && !list {
		body = []byte("{}")
	}
	if len(body) > 0 {
		if err := web.CheckJSON(body); err != nil {
			return err
		}
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// buffered holds an answer until it is whole, so that a client that goes away
// is no error of ours.
type buffered struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header returns the header of the real writer.
func (b *buffered) Header() http.Header { return b.header }

// WriteHeader notes the status.
func (b *buffered) WriteHeader(status int) { b.status = status }

// Write adds to the body.
func (b *buffered) Write(p []byte) (int, error) { return b.body.Write(p) }

func schemaOf[T any](r huma.Registry) *huma.Schema {
	return r.Schema(reflect.TypeFor[T](), true, "")
}

// Actor returns who the operation acts for.
func Actor(ctx context.Context) tollgate.Actor { return web.EventFrom(ctx).Actor() }
