package proxy

import (
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tollgate"
	"tollgate/internal/conversation"
	"tollgate/internal/web"
	"tollgate/internal/wire/openai"
)

// waitingTurns is how many turns a client may send ahead of the one that runs.
const waitingTurns = 4

// closeWait is how long a client may take to say goodbye.
const closeWait = time.Second

// socket is a WebSocket on /v1/responses. Each message of the client is a turn:
// one call through the same phases as a POST, one after the other.
type socket struct {
	p      *Proxy
	c      *call // the upgrade; nothing of it is served any more
	conn   *websocket.Conn
	header http.Header // of every turn
	memory *conversation.Memory

	ctx    context.Context //nolint:containedctx // the connection is what lives as long
	cancel context.CancelFunc
	frames chan frame
	// over is closed when no further turn may begin; why says what the client is
	// told, and is set before.
	over    chan struct{}
	endOnce sync.Once
	why     *tollgate.Error
	told    tollgate.Code // the error that the last turn ended with
}

// frame is a message of the client.
type frame struct {
	text *buffer
	err  *tollgate.Error // instead of it
	last bool            // nothing more can be read
}

// connect serves the WebSocket that an authenticated caller asks for, until
// one side ends it.
func (c *call) connect() error {
	if err := checkHandshake(c.r); err != nil {
		return err
	}
	s := &socket{
		p: c.p, c: c, header: turnHeader(c.r.Header), memory: conversation.NewMemory((*bodyRoom)(c.p), c.p.Limits.Conversation),
		frames: make(chan frame, waitingTurns), over: make(chan struct{}),
	}
	if !c.p.sockets.add(s) {
		return drainError()
	}
	defer c.p.sockets.remove(s)
	release, err := c.p.Directory.Attend(c.principal, tollgate.SurfaceLLM, func(err error) { s.end(tollgate.AsError(err)) })
	if err != nil {
		return err
	}
	defer release()
	s.ctx, s.cancel = context.WithCancel(&c.ctx)
	defer s.cancel()
	// Keys travel in headers alone, which no page of another origin can set: its
	// origin need not be checked.
	s.conn, err = websocket.Accept(c.w, c.r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	c.probe, c.recorded, c.wrote = true, true, true // no call: its turns are
	if err != nil {
		c.logged = err
		return nil
	}
	c.p.live.remove(c)
	s.conn.SetReadLimit(-1) // each message is held against the limit of a body
	s.run()
	return nil
}

// checkHandshake refuses what cannot become a WebSocket, in the protocol's own
// words.
func checkHandshake(r *http.Request) error {
	if r.ProtoMajor != 1 {
		return tollgate.Errorf(tollgate.CodeUpgradeRequired, "WebSocket is served over HTTP/1.1 here")
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(r.Header.Get("Sec-WebSocket-Key")))
	upgrade := slices.ContainsFunc(strings.Split(strings.Join(r.Header["Connection"], ","), ","), func(s string) bool {
		return strings.EqualFold(strings.TrimSpace(s), "upgrade")
	})
	if !upgrade || err != nil || len(key) != 16 || len(r.Header["Sec-Websocket-Key"]) != 1 || r.Header.Get("Sec-WebSocket-Version") != "13" {
		return tollgate.Invalidf("", "this is no WebSocket handshake: it needs Connection: Upgrade, Sec-WebSocket-Version: 13 and Sec-WebSocket-Key")
	}
	return nil
}

// turnHeader makes the headers of a turn from those of the upgrade.
func turnHeader(h http.Header) http.Header {
	out := h.Clone()
	for name := range out {
		switch {
		case strings.HasPrefix(name, "Sec-Websocket-"):
			delete(out, name)
		case slices.Contains([]string{"Connection", "Upgrade", "Content-Length", "Content-Encoding", "Transfer-Encoding", "Expect", "Origin"}, name):
			delete(out, name)
		}
	}
	var betas []string
	for v := range strings.SplitSeq(strings.Join(out["Openai-Beta"], ","), ",") {
		if v = strings.TrimSpace(v); v != "" && !strings.HasPrefix(v, "responses_websockets=") {
			betas = append(betas, v)
		}
	}
	if delete(out, "Openai-Beta"); len(betas) > 0 {
		out["Openai-Beta"] = []string{strings.Join(betas, ",")}
	}
	out["Content-Type"], out["Accept"] = []string{"application/json"}, []string{"text/event-stream"}
	return out
}

// end lets no further turn begin and closes the connection when the one that
// runs is over. It does not wait.
func (s *socket) end(why *tollgate.Error) {
	s.endOnce.Do(func() {
		s.why = why
		close(s.over)
	})
}

// run serves turns until the connection ends, and leaves nothing behind.
func (s *socket) run() {
	var work sync.WaitGroup
	work.Go(s.read)
	work.Go(s.ping)
	code, reason := s.turns()
	force := time.AfterFunc(closeWait, s.cancel)
	_ = s.conn.Close(code, reason)
	force.Stop()
	s.cancel()
	work.Wait()
	for len(s.frames) > 0 {
		s.drop(<-s.frames)
	}
	s.memory.Close()
}

// turns serves one message after the other; it returns how to close.
func (s *socket) turns() (websocket.StatusCode, string) {
	life, idle := time.NewTimer(s.p.Limits.SocketLife), time.NewTimer(s.p.Limits.SocketIdle)
	defer life.Stop()
	defer idle.Stop()
	for {
		select {
		case <-s.over:
			return s.last()
		default:
		}
		select {
		case <-s.over:
			return s.last()
		case <-s.ctx.Done():
			return websocket.StatusNormalClosure, ""
		case <-life.C:
			s.tell(&tollgate.Error{
				Code: tollgate.CodeInvalid, Reason: "websocket_connection_limit_reached",
				Message: "The connection has reached its time limit of " + s.p.Limits.SocketLife.String() + "; open a new one to go on.",
			}, "")
			return websocket.StatusGoingAway, "time limit reached"
		case <-idle.C:
			return websocket.StatusNormalClosure, "no turn for a long time"
		case f := <-s.frames:
			if !s.message(f) {
				return websocket.StatusMessageTooBig, "message not readable"
			}
			idle.Reset(s.p.Limits.SocketIdle)
		}
	}
}

// last says why the connection ends, unless the last turn has.
func (s *socket) last() (websocket.StatusCode, string) {
	if s.why.Reason == reasonDraining {
		return websocket.StatusGoingAway, "shutting down"
	}
	if s.told != s.why.Code {
		s.tell(s.why, "")
	}
	return websocket.StatusPolicyViolation, "access ended"
}

// message serves one message; false = nothing more can be read.
func (s *socket) message(f frame) bool {
	s.told = ""
	if f.err != nil {
		s.tell(f.err, "")
		return !f.last
	}
	create, err := openai.Responses{}.ReadCreate(f.text.data)
	s.drop(f)
	if err != nil {
		s.tell(tollgate.AsError(err), create.StreamID)
		return true
	}
	t := &turn{socket: s, generate: create.Generate, streamID: create.StreamID}
	t.serve(create.Body)
	return true
}

func (s *socket) drop(f frame) {
	if f.text != nil {
		f.text.drop(&s.p.bodies)
		s.p.requests.put(f.text)
	}
}

// tell sends the event of an error that belongs to no turn.
func (s *socket) tell(e *tollgate.Error, streamID string) {
	status, h, body := openai.Responses{}.EncodeError(e, s.c.id)
	ctx, cancel := context.WithTimeout(s.ctx, s.p.Limits.Write)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, openai.Responses{}.SocketError(status, h, body, streamID)); err != nil {
		s.cancel()
	}
}

// read takes the client's messages, also while a turn runs, so that a client
// that leaves is noticed. Turns that are sent ahead wait.
func (s *socket) read() {
	defer s.cancel()
	for {
		f, err := s.next()
		if err != nil {
			return
		}
		select {
		case s.frames <- f:
		default:
			s.drop(f)
			s.tell(&tollgate.Error{
				Code: tollgate.CodeRateLimited, Reason: "requests", Message: "Too many turns wait on this connection; send the next one when an answer is complete.",
			}, "")
			continue
		}
		if f.last {
			<-s.ctx.Done()
			return
		}
	}
}

// next reads a message, bounded in size, time and memory like the body of a
// request. An error means that the connection is gone.
func (s *socket) next() (frame, error) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	kind, r, err := s.conn.Reader(ctx)
	if err != nil {
		return frame{}, err
	}
	start := s.p.Now()
	slow := time.AfterFunc(s.p.Limits.Body, cancel)
	defer slow.Stop()
	b := s.p.requests.get()
	err = s.p.fill(b, r, 0, s.p.Limits.MaxBody, func(read int) {
		slow.Reset(max(s.p.Limits.Body, time.Duration(read/minRate)*time.Second) - s.p.Now().Sub(start))
	})
	f := frame{text: b}
	switch {
	case err == nil && kind == websocket.MessageText:
		return f, nil
	case err == nil:
		s.drop(f)
		return frame{err: tollgate.Invalidf("", "a turn is sent as a text message")}, nil
	}
	s.drop(f)
	switch {
	case errors.Is(err, errTooLarge):
		return frame{err: tollgate.AsError(bodyTooLarge(s.p.Limits.MaxBody)), last: true}, nil
	case errors.Is(err, errNoMemory):
		return frame{err: noRoom(), last: true}, nil
	default:
		return frame{}, err
	}
}

// ping asks now and then whether the client is still there.
func (s *socket) ping() {
	tick := time.NewTicker(s.p.Limits.SocketPing)
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		ctx, cancel := context.WithTimeout(s.ctx, s.p.Limits.Write)
		err := s.conn.Ping(ctx)
		cancel()
		if err != nil {
			s.cancel()
			return
		}
	}
}

// bodyRoom lends memory for bodies to what a connection remembers.
type bodyRoom Proxy

// Take implements conversation.Room.
func (p *bodyRoom) Take(n int64) bool { return p.bodies.take(n, p.Limits.InFlightBytes) }

// Give implements conversation.Room.
func (p *bodyRoom) Give(n int64) { p.bodies.give(n) }

var _ io.Writer = (*turnWriter)(nil)

// turn is one message of the client being answered.
type turn struct {
	socket   *socket
	call     *call // set once it is served
	generate bool
	streamID string
}

// serve runs the turn and sends what the client is owed. A turn that failed
// makes the answer that it went on from unknown on this connection.
func (t *turn) serve(body []byte) {
	s := t.socket
	ctx := web.WithEvent(s.ctx, &web.Event{ClientIP: s.c.event.ClientIP, Method: http.MethodPost})
	r := s.c.r.WithContext(ctx)
	r.Method, r.Header, r.Body, r.ContentLength = http.MethodPost, s.header.Clone(), io.NopCloser(strings.NewReader(string(body))), int64(len(body))
	w := &turnWriter{t: t, header: http.Header{}}
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.p.serveTurn(w, r, t) })
	if s.p.Door != nil {
		h = s.p.Door(h)
	}
	serveAborted(h, w, r)
	w.finish()
	if c := t.call; c != nil && !w.complete {
		s.memory.Forget(c.thread.asked)
	}
}

// serveAborted serves r; an answer that must not end as if it were whole ends
// here, where it has an event for that.
func serveAborted(h http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if v := recover(); v != nil && v != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
			panic(v)
		}
	}()
	h.ServeHTTP(w, r)
}
