package api

import (
	"context"
	"io"
	"net/http"
	"reflect"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"tollgate"
	"tollgate/internal/web"
)

const streamKey = "stream"

// writeLimit is how long a client may take for one write of a stream (SECURITY D-01).
const writeLimit = 30 * time.Second

// Stream is an answer that is sent while it is made.
type Stream struct {
	ContentType string
	FileName    string // for clients that save it; "" = they need not
	// Send writes the answer; it ends early when the client has left. After an
	// error the connection is aborted, so that what was sent is not taken for
	// whole.
	Send func(w *Sender) error
}

// Attend calls cancel, with the reason, when p may no longer use a surface.
type Attend func(p tollgate.Principal, on tollgate.Surface, cancel func(error)) (release func(), err error)

// Sender writes a stream.
type Sender struct {
	w  io.Writer
	rc *http.ResponseController
}

// Write sends p within the time that a client has for it.
func (s *Sender) Write(p []byte) (int, error) {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeLimit)) //nolint:forbidigo // the kernel's clock
	return s.w.Write(p)
}

// Flush sends what is buffered.
func (s *Sender) Flush() error { return s.rc.Flush() }

type streamOutput struct {
	ContentType string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	NoStore     string `header:"Cache-Control"`
	Buffering   string `header:"X-Accel-Buffering"`
	Body        func(huma.Context)
}

// HandleStream mounts an operation that answers a stream of one of the types.
// The context of h is that of the whole stream; it is done, with the reason as
// its cause, when the caller may no longer see what is sent.
func HandleStream[I any](a *API, op Op, types []string, attend Attend, h func(ctx context.Context, in *I) (Stream, error)) {
	o := a.operation(op)
	o.Metadata[streamKey] = true
	content := map[string]*huma.MediaType{}
	for _, t := range types {
		content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	o.Responses["200"] = &huma.Response{Description: "OK", Content: content}
	huma.Register(a.huma, o, func(ctx context.Context, in *input[I]) (*streamOutput, error) {
		if err := checkFields(reflect.ValueOf(in.Body), ""); err != nil {
			return nil, failed(ctx, err)
		}
		ctx, leave, err := attended(ctx, op.Policy, attend)
		if err != nil {
			return nil, failed(ctx, err)
		}
		sends := false
		defer func() {
			if !sends {
				leave()
			}
		}()
		s, err := h(ctx, &in.Body)
		if err != nil {
			return nil, failed(ctx, err)
		}
		out := &streamOutput{ContentType: s.ContentType, NoStore: "no-store", Buffering: "no"}
		if s.FileName != "" {
			out.Disposition = `attachment; filename="` + s.FileName + `"`
		}
		out.Body = func(hc huma.Context) {
			defer leave()
			w, ok := hc.BodyWriter().(http.ResponseWriter)
			if !ok {
				panic(http.ErrAbortHandler)
			}
			if s.Send(&Sender{w: w, rc: http.NewResponseController(w)}) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		sends = true
		return out, nil
	})
}

// attended is the context of what the caller is sent; leave ends it.
func attended(ctx context.Context, p web.Policy, attend Attend) (_ context.Context, leave func(), err error) {
	surface := tollgate.SurfaceUser
	if p.Access == web.AccessAdmin || p.Access == web.AccessSuperAdmin {
		surface = tollgate.SurfaceAdmin
	}
	sent, cancel := context.WithCancelCause(ctx)
	release, err := attend(web.EventFrom(ctx).Principal, surface, cancel)
	if err != nil {
		cancel(nil)
		return ctx, nil, err
	}
	return sent, func() { release(); cancel(nil) }, nil
}
