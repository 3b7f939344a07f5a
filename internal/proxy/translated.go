package proxy

import (
	"time"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/sse"
)

// translated decides on one event of a provider whose dialect is not the
// client's. The observer reads it first, as it does where events pass through,
// so that a translated answer is billed and judged like any other.
func (s *stream) translated(ev *sse.Event) *halt {
	if ev.Data == nil {
		return nil
	}
	_, signal := s.obs.Event(ev.Name, ev.Data)
	if s.c.row.FirstToken == 0 && s.obs.Usage().Content {
		s.c.row.FirstToken = s.c.p.Now().Sub(s.c.start)
	}
	var err error
	s.out, err = s.tr.take(s.out, ev.Name, ev.Data)
	switch {
	case s.tr.failed != nil:
		return broke(scrubbed(s.t, s.tr.failed), classStatus)
	case signal == wire.SignalError:
		return broke(tollgate.Errorf(tollgate.CodeUpstream, "the provider reported a failure in its stream"), classStatus)
	case err != nil:
		return broke(scrubbed(s.t, tollgate.AsError(err)), classInvalid)
	}
	if signal == wire.SignalTerminal {
		s.phase = phaseComplete
		s.c.lingering.Store(true)
	}
	if s.tr.finish != nil && s.obs.Complete() && s.c.held != nil {
		return s.conclude()
	}
	return nil
}

// conclude makes the usage of a whole answer durable and writes its end.
func (s *stream) conclude() *halt {
	if h := s.settled(); h != nil {
		return h
	}
	var err error
	if s.out, err = s.tr.close(s.out); err != nil {
		return broke(tollgate.AsError(err), classInvalid)
	}
	return nil
}

// finishTranslated handles the end of a provider's stream that is complete.
func (s *stream) finishTranslated() *halt {
	var err error
	s.out, err = s.tr.end(s.out)
	switch {
	case s.tr.failed != nil:
		return broke(scrubbed(s.t, s.tr.failed), classStatus)
	case err == nil && s.tr.finish == nil:
		err = tollgate.Errorf(tollgate.CodeUpstream, "the provider's stream ended without the end of its answer")
	}
	if err != nil {
		return broke(scrubbed(s.t, tollgate.AsError(err)), classCut)
	}
	if s.c.held != nil {
		if h := s.conclude(); h != nil {
			return h
		}
	}
	return s.flush()
}

// collects reports whether a stream becomes one whole answer.
func (s *stream) collects() bool { return s.tr != nil && s.tr.enc == nil }

// keep counts n bytes of a stream that is collected against the bounds of an
// answer and of the memory for bodies.
func (s *stream) keep(n int) *halt {
	if !s.collects() {
		return nil
	}
	if s.taken += int64(n); s.taken > s.c.p.Limits.MaxResponse {
		s.taken -= int64(n)
		return broke(tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer is longer than this gateway passes on"), classInvalid)
	}
	if !s.c.p.bodies.take(int64(n), s.c.p.Limits.InFlightBytes) {
		s.taken -= int64(n)
		return broke(&tollgate.Error{
			Code: tollgate.CodeUnavailable, RetryAfter: time.Second,
			Message: "the gateway holds as many bytes as it may; send the request again",
		}, classCanceled)
	}
	return nil
}

// deliver sends the collected answer, which is settled.
func (s *stream) deliver() *failure {
	resp, whole := s.tr.fold.Response()
	if !whole {
		return &failure{err: tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer is not one of its protocol")}
	}
	body := s.c.encodeAnswer(resp)
	if s.c.summary != nil {
		var err error
		if body, err = s.c.compacted(body); err != nil {
			return &failure{err: s.c.notAnAnswer(s.t, err)}
		}
	}
	s.c.answerHeader(s.t, s.resp)
	s.c.whole(body)
	s.c.write(s.resp.StatusCode, body)
	return nil
}

// mayBeat reports whether the client can be sent something between events.
func (s *stream) mayBeat() bool {
	c := s.c
	return c.p.Limits.KeepAlive > 0 && !s.collects() && c.route.Framing == wire.FramingSSE && c.route.Dialect != tollgate.DialectGemini
}

// beat sends the client a sign of life while its provider is silent. Whole
// events have gone out before, since the handler waits for the next one. A
// stream in which nothing came yet begins with it: from then on a failure is
// an error event.
func (s *stream) beat() {
	if s.phase != phaseOpen || len(s.out) > 0 {
		return
	}
	begun := s.events > 0
	if s.tr != nil {
		begun = s.tr.begun
	}
	s.out = append(s.out, signOfLife(s.c.route.Dialect, begun)...)
	if h := s.flush(); h != nil {
		s.c.ctx.End(h.err)
	}
}
