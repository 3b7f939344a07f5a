package proxy

import (
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// linger is how long a provider may take to close a stream that is complete.
const linger = 2 * time.Second

// chunks lends what a streamed answer needs of memory. The zero value is ready.
type chunks struct{ sse, array sync.Pool }

// chunk is the memory of one streamed answer.
type chunk struct {
	in   sse.Reader
	out  []byte // what is ready to be sent
	held []byte // what waits until the answer is known to be complete (Gemini)
	json bool
}

func (p *chunks) get(f wire.Framing) *chunk {
	if f == wire.FramingJSONArray {
		if c, ok := p.array.Get().(*chunk); ok {
			return c
		}
		return &chunk{in: sse.NewArrayScanner(sse.Limits{}), json: true}
	}
	if c, ok := p.sse.Get().(*chunk); ok {
		return c
	}
	return &chunk{in: sse.NewScanner(sse.Limits{})}
}

func (p *chunks) put(c *chunk) {
	if cap(c.out)+cap(c.held) > bufferKeep {
		return
	}
	c.in.Reset()
	c.out, c.held = c.out[:0], c.held[:0]
	if c.json {
		p.array.Put(c)
		return
	}
	p.sse.Put(c)
}

// stream is one answer on its way, event by event.
type stream struct {
	c       *call
	t       *target
	d       *tollgate.Dispatch
	resp    *http.Response
	obs     wire.Observer
	framing wire.Framing // of the provider
	tr      *translation // nil: events pass through
	*chunk
	taken   int64 // of the memory for bodies, by a stream that is collected
	events  int   // with data, sent or ready to be
	waiting int   // with data, in held
	phase   phase
	paid    paid
}

// phase is how far a stream is.
type phase uint8

const (
	phaseOpen     phase = iota // the answer goes on
	phaseComplete              // its terminator was seen
	phaseFailed                // the provider reported a failure in it
)

// relayStream relays a streamed answer: whole events, as they came, one write
// for each read. The headers go out with the first event, so that until then a
// failure is still an ordinary refusal.
func (c *call) relayStream(t *target, d *tollgate.Dispatch, resp *http.Response, f wire.Framing) *failure {
	s := &stream{c: c, t: t, d: d, resp: resp, obs: c.observe(t), framing: f, chunk: c.p.chunks.get(f)}
	if t.translated {
		s.tr = c.newTranslation(t)
	}
	s.meter()
	if s.mayBeat() {
		c.beatWith(s.beat)
	}
	c.p.streams.Add(1)
	defer func() {
		c.stopTimer()
		c.beatWith(nil)
		c.p.bodies.give(s.taken)
		c.p.streams.Add(-1)
		c.p.chunks.put(s.chunk)
	}()
	h := s.run()
	if s.collects() && (h == nil || c.recorded) {
		return s.deliver()
	}
	return s.end(h)
}

// run reads and sends until the answer ends; nil = it is whole.
func (s *stream) run() *halt {
	c := s.c
	c.idleTimer(s.t.endpoint.Timeouts().Header)
	for {
		n, err := s.resp.Body.Read(s.in.Buffer())
		c.stopTimer()
		s.in.Fill(n)
		if n > 0 {
			if h := s.keep(n); h != nil {
				return h
			}
			if h := s.take(); h != nil {
				return h
			}
		}
		if err != nil {
			return s.finish(err)
		}
		if s.phase == phaseOpen {
			c.idleTimer(s.t.endpoint.Timeouts().Idle)
		} else {
			c.idleTimer(linger)
		}
	}
}

// halt is why a stream ends other than well.
type halt struct {
	err   *tollgate.Error
	class string
	// length says that the answer is to end as one whose cap is reached.
	length bool
}

// broke is the end of a stream that went wrong.
func broke(err *tollgate.Error, class string) *halt { return &halt{err: err, class: class} }

// take handles the events that are whole and sends what is ready.
func (s *stream) take() *halt {
	for {
		ev, ok, err := s.in.Next()
		if err != nil {
			return broke(tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's stream is not well formed"), classInvalid)
		}
		if !ok {
			break
		}
		if h := s.event(&ev); h != nil {
			return h
		}
		if h := s.pay(); h != nil {
			return h
		}
	}
	return s.flush()
}

// event decides on one event.
func (s *stream) event(ev *sse.Event) *halt {
	if s.tr != nil {
		return s.translated(ev)
	}
	if ev.Data == nil {
		if ev.End || len(s.held) > 0 {
			s.held = append(s.held, ev.Raw...)
		} else {
			s.out = append(s.out, ev.Raw...)
		}
		return nil
	}
	data, signal := s.obs.Event(ev.Name, ev.Data)
	if s.c.row.FirstToken == 0 && s.obs.Usage().Content {
		s.c.row.FirstToken = s.c.p.Now().Sub(s.c.start)
	}
	if signal == wire.SignalDrop {
		return nil
	}
	switch {
	case signal == wire.SignalError:
		s.phase = phaseFailed
		s.c.lingering.Store(true)
		data = s.t.endpoint.Scrub(data)
	case signal == wire.SignalTerminal && s.c.route.Dialect == tollgate.DialectGemini:
		// It may come again; the last one counts, and only the end of the
		// stream tells which that is.
		s.release()
		s.phase = phaseComplete
		s.c.lingering.Store(true)
		s.held = ev.AppendTo(s.held, data)
		s.waiting++
		return nil
	case signal == wire.SignalTerminal && s.phase == phaseOpen:
		s.phase = phaseComplete
		s.c.lingering.Store(true)
		if h := s.settled(); h != nil {
			return h
		}
	}
	s.release()
	s.follow(ev.Name, data)
	s.out = ev.AppendTo(s.out, data)
	s.events++
	return nil
}

// release moves what was held back in front of what comes after it.
func (s *stream) release() {
	if len(s.held) > 0 {
		s.out = append(s.out, s.held...)
		s.held = s.held[:0]
		s.events += s.waiting
		s.waiting = 0
	}
}

// settled makes the complete answer's usage and row durable. A failure keeps
// the end of the answer from the client.
func (s *stream) settled() *halt {
	s.c.settle(s.d, classNone, s.obs)
	s.c.served(s.t, s.d)
	if s.tr != nil {
		s.c.lose(s.tr.losses())
	}
	if err := s.c.record(); err != nil {
		return &halt{err: tollgate.AsError(err)}
	}
	return nil
}

// finish handles the end of the provider's bytes; nil = the answer is whole.
func (s *stream) finish(err error) *halt {
	failed := broke(tollgate.Errorf(tollgate.CodeUpstream, "the provider reported a failure in its stream"), classStatus)
	if s.phase == phaseFailed {
		return failed
	}
	if s.c.held != nil {
		if h := s.rest(err); h != nil {
			return h
		}
	}
	if s.phase == phaseFailed {
		return failed
	}
	if s.tr != nil {
		return s.finishTranslated()
	}
	if s.c.held != nil { // complete without a terminator (Gemini)
		if h := s.settled(); h != nil {
			return h
		}
	}
	s.release()
	return s.flush()
}

// rest takes the unterminated rest of a stream that ended with err, and
// decides whether the answer is complete with it.
func (s *stream) rest(err error) *halt {
	c := s.c
	lingered := errors.Is(c.ctx.Err(), errLinger)
	if e := c.stopped(); e != nil && !lingered {
		return broke(e, c.stopClass(e))
	}
	broken := broke(tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's stream broke off"), classCut)
	if err != io.EOF && !lingered { //nolint:errorlint // net/http gives it bare
		return broken
	}
	ev, ok, ferr := s.in.Finish()
	if ferr != nil && !lingered {
		return broken
	}
	if ok && ev.Data != nil && wire.CompleteData(ev.Data) {
		if h := s.event(&ev); h != nil {
			return h
		}
	}
	if !s.obs.Complete() && s.phase != phaseFailed {
		return broken
	}
	return nil
}

// end ends the answer: cleanly if h is nil, else with the protocol's error
// event and an aborted connection, never as if it were whole. Before the first
// byte it is an ordinary failure instead.
func (s *stream) end(h *halt) *failure {
	c := s.c
	switch {
	case h == nil:
		return nil
	case c.recorded && h.err.Reason != reasonGone:
		// What follows a complete and recorded answer is of no account.
		if h = s.flush(); h == nil {
			return nil
		}
	}
	if e := c.wasInterrupted(); e != nil && c.held != nil && s.phase != phaseFailed {
		h = broke(e, c.stopClass(e))
	}
	if c.held != nil {
		c.settle(s.d, h.class, s.obs)
	}
	if h.length && s.cutShort(h.err) {
		return nil
	}
	if !c.wrote && s.phase != phaseFailed {
		return &failure{err: h.err}
	}
	c.abort, c.logged = true, h.err
	if !c.recorded {
		c.served(s.t, s.d)
		c.failed(s.d.Status, h.err)
		c.recordSpent()
	}
	if h.err.Reason == reasonGone {
		return nil
	}
	switch {
	case s.tr != nil:
		s.out = s.tr.enc.Error(s.out, h.err)
	case s.phase != phaseFailed: // else the provider's own error event goes out
		s.out = append(s.out, c.codec.Inbound.ErrorEvent(h.err, s.framing, s.events, c.id)...)
	}
	c.lastWords()
	_ = s.flush()
	return nil
}

// flush sends what is ready with one write.
func (s *stream) flush() *halt {
	if len(s.out) == 0 {
		return nil
	}
	c := s.c
	if !c.wrote {
		var known []ir.Loss
		if s.tr != nil {
			known = s.tr.losses()
		}
		c.answerHeader(s.t, s.resp, known...)
		c.w.Header()["X-Accel-Buffering"] = []string{"no"}
		c.wrote = true
		c.w.WriteHeader(s.resp.StatusCode)
	}
	c.streamed(s.out)
	if c.gone.Load() {
		s.out = s.out[:0]
		return nil
	}
	c.writeDeadline()
	_, err := c.w.Write(s.out)
	s.out = s.out[:0]
	if err == nil {
		err = c.rc.Flush()
	}
	if err == nil {
		return nil
	}
	if c.outlives() && c.wasInterrupted() == nil {
		c.leave()
		return nil
	}
	e := errGone(err)
	if why := c.wasInterrupted(); why != nil {
		e = why
	}
	return broke(e, c.stopClass(e))
}
