package proxy

import (
	"time"

	"tollgate"
	"tollgate/internal/life"
)

// leaver is what a call whose answer is read to its end, though its client may
// leave, knows of that.
type leaver struct {
	stop  func() bool // the watch on the client
	timer *time.Timer // ends a call whose client has left
}

// outlive lets the call go on when its client leaves, where its key says so,
// for at most Limits.Drain. It is called before anything waits on the call's
// context.
func (c *call) outlive() {
	if c.principal.Key == nil || c.principal.Key.OnLeave != tollgate.LeaveDrain {
		return
	}
	c.unlink()
	c.leaver.timer = time.AfterFunc(c.p.Limits.Drain, func() { c.ctx.End(nil) })
	c.leaver.timer.Stop()
	c.leaver.stop = life.AfterFunc(c.r.Context(), c.leave)
}

// leave notes that the client has left. What goes on then is only read.
func (c *call) leave() {
	if !c.gone.Swap(true) {
		c.leaver.timer.Reset(c.p.Limits.Drain)
	}
}

// outlives reports whether the call goes on without its client.
func (c *call) outlives() bool { return c.leaver.stop != nil }

// endLeave ends the watch on the client.
func (c *call) endLeave() {
	if c.outlives() {
		c.leaver.stop()
		c.leaver.timer.Stop()
	}
}
