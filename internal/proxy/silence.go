package proxy

import (
	"sync"
	"time"

	"tollgate"
)

// silence watches a provider that is being read. The handler waits in Read
// meanwhile, so that a beat, which runs on the timer's goroutine, has the
// client's connection to itself; mu hands it over.
type silence struct {
	mu    sync.Mutex
	timer *time.Timer
	on    bool
	step  time.Duration // as the timer was last set
	left  time.Duration // until the call ends
	// beat sends the client a sign of life each interval; nil = it cannot.
	beat     func()
	interval time.Duration
}

// idleTimer ends the call with CodeTimeout if the provider sends nothing for d.
func (c *call) idleTimer(d time.Duration) {
	s := &c.silence
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on, s.left = true, d
	c.arm()
}

// arm sets the timer to the next beat or the end, whichever is first.
func (c *call) arm() {
	s := &c.silence
	if s.step = s.left; s.beat != nil {
		s.step = min(s.left, s.interval)
	}
	if s.timer == nil {
		s.timer = time.AfterFunc(s.step, c.silent)
		return
	}
	s.timer.Reset(s.step)
}

// stopTimer ends the watch; a beat under way is waited for.
func (c *call) stopTimer() {
	s := &c.silence
	s.mu.Lock()
	defer s.mu.Unlock()
	s.on = false
	if s.timer != nil {
		s.timer.Stop()
	}
}

// silent runs when the timer fires.
func (c *call) silent() {
	s := &c.silence
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.on:
	case s.left <= s.step:
		c.idle()
	default:
		s.left -= s.step
		s.beat()
		c.arm()
	}
}

// idle ends the call. After the terminator of a stream there is nothing left
// to wait for, so that this is its end and no failure.
func (c *call) idle() {
	if c.lingering.Load() {
		c.ctx.End(errLinger)
		return
	}
	c.ctx.End(&tollgate.Error{Code: tollgate.CodeTimeout, Message: "the provider stopped sending"})
}

// beatWith makes fn the sign of life; nil ends it. Not while a read is watched.
func (c *call) beatWith(fn func()) {
	c.silence.mu.Lock()
	defer c.silence.mu.Unlock()
	c.silence.beat, c.silence.interval = fn, c.p.Limits.KeepAlive
}

// signOfLife returns what a client of the dialect may be sent between two
// events of a stream: the protocol's own ping once the answer has begun, else
// a comment. Gemini's SDKs take a comment for a broken event, and have no ping.
func signOfLife(d tollgate.Dialect, begun bool) string {
	switch {
	case d == tollgate.DialectGemini:
		return ""
	case d == tollgate.DialectAnthropic && begun:
		return "event: ping\ndata: {\"type\": \"ping\"}\n\n"
	default:
		return ": keep-alive\n\n"
	}
}
