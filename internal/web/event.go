package web

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"tollgate"
	"tollgate/internal/life"
)

// Event is the record of one request: opened at the door, filled on the way,
// written once when the answer is out. The log line, the metrics and the
// request row all come from it. It belongs to the goroutine that serves the
// request; whoever hands work to another goroutine copies what that needs.
type Event struct {
	ID        tollgate.RequestID
	Start     time.Time
	ClientIP  netip.Addr // of the client, through trusted proxies; invalid if unknown
	Secure    bool       // the client speaks TLS, to us or to a trusted proxy
	UserAgent string     // at most 256 bytes
	Method    string
	// Pattern is the matched route, a label of bounded cardinality; empty
	// until a route has matched.
	Pattern string
	// Quiet lowers the log line of a success to debug (health checks).
	Quiet     bool
	Principal tollgate.Principal
	// ViaCookie is set when the session cookie authenticated the request.
	ViaCookie bool
	Status    int           // what the client got; 0 until the header is written
	Bytes     int64         // of the answer's body
	Duration  time.Duration // set when the request is done
	// Err is why the request failed, for the log.
	Err error
	// Call is the request row, filled by the data plane; nil elsewhere.
	Call *tollgate.Request
	// Provider is the name of the provider that answered, for log and metrics.
	Provider string
}

// Actor returns who the request acts for, as the audit records it.
func (e *Event) Actor() tollgate.Actor {
	a := tollgate.Actor{Principal: e.Principal, IP: e.ClientIP, RequestID: e.ID, Via: "anonymous"}
	switch e.Principal.Kind {
	case tollgate.PrincipalKey:
		a.Via = "api_key"
	case tollgate.PrincipalSession:
		a.Via = "session"
	case tollgate.PrincipalService:
		a.Via = "service"
	case tollgate.PrincipalHost:
		a.Via = "cli"
	case tollgate.PrincipalNone:
	}
	return a
}

type eventKey struct{}

// EventFrom returns the event of the request that ctx belongs to. Outside a
// door it returns a new, empty event that nobody reads.
func EventFrom(ctx context.Context) *Event {
	if e, ok := ctx.Value(eventKey{}).(*Event); ok {
		return e
	}
	return &Event{}
}

// WithEvent returns a context that carries e. The door does this for every
// request; tests and the control socket do it themselves.
func WithEvent(ctx context.Context, e *Event) context.Context {
	return context.WithValue(ctx, eventKey{}, e)
}

// Principal returns who sent r, as the router found it.
func Principal(r *http.Request) tollgate.Principal { return EventFrom(r.Context()).Principal }

// visit holds all that one request needs of the door in one allocation: the
// event, the context that carries it, and the writer that watches the answer.
type visit struct {
	context.Context //nolint:containedctx // it is the request's context, wrapped
	event           Event
	response        response
}

// AfterFunc is the wrapped context's, so that the context package need not
// start a goroutine for each context derived from this one.
func (v *visit) AfterFunc(f func()) (stop func() bool) { return life.AfterFunc(v.Context, f) }

// Value returns the event for the door's key, else what the wrapped context holds.
func (v *visit) Value(key any) any {
	if _, ok := key.(eventKey); ok {
		return &v.event
	}
	return v.Context.Value(key)
}
