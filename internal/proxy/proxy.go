package proxy

import (
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/conversation"
	"tollgate/internal/ledger"
	"tollgate/internal/limit"
	"tollgate/internal/payload"
	"tollgate/internal/route"
	"tollgate/internal/upstream"
)

// Limits bound what one call may take; how long a provider may take is its
// endpoint's to say. The zero value of a field means its default.
type Limits struct {
	MaxBody       int64         // bytes of a request body; 32 MiB
	MaxResponse   int64         // bytes of an answer that is not streamed; 64 MiB
	InFlightBytes int64         // bytes of all bodies in memory at once; 512 MiB
	Body          time.Duration // until a request body must have kept up 1 KiB/s; 10 s
	Write         time.Duration // for one write to the client; 30 s
	Grace         time.Duration // for a write under way when a client is cut off, and for the last words after it; 400 ms
	Record        time.Duration // for a row to become durable; 10 s
	Drain         time.Duration // for the rest of an answer whose client has left and whose key says drain; 2 min
	SocketIdle    time.Duration // without a turn until a WebSocket is closed; 30 min
	SocketLife    time.Duration // of a WebSocket; 60 min, as the API has it
	SocketPing    time.Duration // between two pings of a WebSocket; 30 s
	Conversation  int64         // bytes that a WebSocket remembers of one conversation; 16 MiB
	// KeepAlive is the silence of a provider after which a streaming client is
	// sent a sign of life; 15 s, negative = never.
	KeepAlive time.Duration
	// Slice is how many tokens of output a stream holds money for at a time;
	// 1,024. Floor is what the cap on an answer's output is lowered to at least;
	// 256.
	Slice, Floor int64
}

// Defaults returns l with every zero field set to its default.
func (l Limits) Defaults() Limits {
	set := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	size := func(v *int64, n int64) {
		if *v == 0 {
			*v = n
		}
	}
	size(&l.MaxBody, 32<<20)
	size(&l.MaxResponse, 64<<20)
	size(&l.InFlightBytes, 512<<20)
	set(&l.Body, 10*time.Second)
	set(&l.Write, 30*time.Second)
	set(&l.Grace, 400*time.Millisecond)
	set(&l.Record, 10*time.Second)
	set(&l.Drain, 2*time.Minute)
	set(&l.KeepAlive, 15*time.Second)
	set(&l.SocketIdle, 30*time.Minute)
	set(&l.SocketLife, time.Hour)
	set(&l.SocketPing, 30*time.Second)
	size(&l.Conversation, 16<<20)
	size(&l.Slice, ledger.DefaultSlice)
	size(&l.Floor, ledger.DefaultFloor)
	return l
}

// Proxy is the data plane. All exported fields but those that say otherwise
// are required, and none may change once it serves; Limits should come from
// Limits.Defaults. It is an
// http.Handler that is mounted behind web's door, which opens the request event.
type Proxy struct {
	Directory *auth.Directory
	// Routes returns the current routing table; it must not block.
	Routes func() *route.Table
	Fleet  *upstream.Fleet
	Codecs map[tollgate.Dialect]*Codec
	Ledger Ledger
	// Prices is the price book; nil = nothing costs anything.
	Prices Prices
	// Limiter keeps the rate limits; nil = there are none.
	Limiter limit.Limiter
	IDs     *tollgate.RequestIDs
	Now     func() time.Time
	Log     *slog.Logger
	Limits  Limits
	// Strict refuses every translated call that would lose something.
	Strict bool
	// Tokens counts the input of a request where no provider does; nil = such
	// calls are refused.
	Tokens TokenCounter
	// Files fetches what a request refers to, for providers that cannot; nil =
	// nothing is fetched.
	Files FileFetcher
	// Turns keeps answers of the Responses API, to be gone on from, for providers
	// that do not; nil = only WebSockets remember theirs.
	Turns *conversation.Keeper
	// Sealer seals what clients carry for the gateway: compacted conversations;
	// nil = conversations are not compacted.
	Sealer tollgate.Sealer
	// Payloads keeps the bodies of requests; nil = none are.
	Payloads *payload.Keeper
	// Door wraps what serves a turn of a WebSocket, so that each is logged and
	// counted like a request of its own; nil = turns are served bare.
	Door func(http.Handler) http.Handler
	// Lost is told of everything that a translation did not carry: the feature,
	// and whether it was carried in another form. nil = nobody is.
	Lost func(feature string, note bool)
	// Began is told of every request that is about to go out for the first time;
	// it must neither block nor keep the row. nil = nobody is.
	Began func(*tollgate.Request)

	bodies   budget
	buffers  buffers // of answers
	requests buffers // of requests, which are larger
	chunks   chunks
	live     live
	sockets  sockets
	panics   atomic.Int64
	streams  atomic.Int64
}

var _ http.Handler = (*Proxy)(nil)

// Stats are the data plane's gauges and counters.
type Stats struct {
	Calls     int   // in flight
	Streams   int64 // answers being streamed
	Sockets   int   // WebSockets that are open
	BodyBytes int64 // held in memory for bodies
	Panics    int64 // since the start
}

// Stats returns the current figures.
func (p *Proxy) Stats() Stats {
	return Stats{
		Calls: p.live.count(), Streams: p.streams.Load(), Sockets: p.sockets.count(),
		BodyBytes: p.bodies.used.Load(), Panics: p.panics.Load(),
	}
}

// ServeHTTP serves one call. It panics with http.ErrAbortHandler, as net/http
// asks, when a streamed answer must not end as if it were whole.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := p.open(w, r)
	defer c.close()
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

// serveTurn serves a turn of a WebSocket.
func (p *Proxy) serveTurn(w http.ResponseWriter, r *http.Request, t *turn) {
	c := p.open(w, r)
	c.turn, t.call, c.thread.memory = t, c, t.socket.memory
	defer c.close()
	if err := c.serve(); err != nil {
		c.refuse(err)
	}
}

// serve leads the call through its phases. An error is what the client is
// still to be told; nil means that it has got its answer.
func (c *call) serve() error {
	if c.isProbe() {
		return c.answerProbe()
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	if err := c.classified(); err != nil {
		return err
	}
	switch op := c.route.Operation; {
	case op == tollgate.OpListModels:
		return c.listModels()
	case op == tollgate.OpGetModel:
		return c.getModel()
	case op == tollgate.OpConnect:
		return c.connect()
	case isKept(op):
		return c.serveKept()
	}
	c.keepBodies()
	if err := c.readStrict(); err != nil {
		return err
	}
	if err := c.readBody(); err != nil {
		return err
	}
	c.keepRequest()
	if err := c.peek(); err != nil {
		return err
	}
	targets, err := c.resolve()
	if err != nil {
		return err
	}
	if targets, err = c.converse(targets); err != nil {
		return err
	}
	if err := c.admit(&targets[0]); err != nil {
		return err
	}
	if c.turn != nil && !c.turn.generate {
		return c.prewarm(targets)
	}
	return c.attempts(targets)
}
