// Package life has contexts that are part of what they belong to: a request or
// a call embeds one, and no memory is taken, no goroutine and no timer started
// for it until somebody waits. The context package needs four to six pieces of
// memory for each level, three levels a request.
package life

import (
	"context"
	"sync"
	"time"
)

// Context is a context.Context that lasts until End. Set Values before it is
// used; otherwise the zero value is ready. It must not be copied once used.
//
// Err is context.Canceled or an error that is context.Canceled to errors.Is and
// also the cause given to End, so that context.Cause finds the cause. That
// holds as long as Values does not descend from a context of the context
// package that can end, since context.Cause would ask that one.
type Context struct {
	// Values answers Value; nil = there are none. Its end means nothing here.
	Values context.Context //nolint:containedctx // a context wraps another

	mu    sync.Mutex
	err   error         // set at the end
	done  chan struct{} // made when somebody waits
	hooks []hook
	room  [2]hook // of hooks, as a rule
	last  uint64  // id of the newest hook
}

// hook is a function that runs at the end.
type hook struct {
	id uint64
	f  func()
}

var _ context.Context = (*Context)(nil)

// Deadline returns that there is none.
func (*Context) Deadline() (deadline time.Time, ok bool) { return time.Time{}, false }

// Value returns what Values holds.
func (c *Context) Value(key any) any {
	if c.Values == nil {
		return nil
	}
	return c.Values.Value(key)
}

// Err returns nil until the end, then why.
func (c *Context) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Done returns a channel that is closed at the end.
func (c *Context) Done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
		if c.err != nil {
			close(c.done)
		}
	}
	return c.done
}

// End ends the context, once; nil = context.Canceled. It runs what AfterFunc
// was given before it returns.
func (c *Context) End(cause error) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = reason(cause)
	if c.done != nil {
		close(c.done)
	}
	hooks := c.hooks
	c.hooks = nil
	c.mu.Unlock()
	for _, h := range hooks {
		h.f()
	}
}

// AfterFunc arranges for f to run at the end. stop undoes it and reports whether
// f will not run. Unlike context.AfterFunc's, f runs in the goroutine of End and
// must not wait for anything; once the end has come it runs in one of its own.
// The context package looks for this method when it derives a context from this
// one, and calls it with a lock held that f takes.
func (c *Context) AfterFunc(f func()) (stop func() bool) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		go f()
		return func() bool { return false }
	}
	defer c.mu.Unlock()
	if c.hooks == nil {
		c.hooks = c.room[:0]
	}
	c.last++
	id := c.last
	c.hooks = append(c.hooks, hook{id, f})
	return func() bool { return c.remove(id) }
}

func (c *Context) remove(id uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.hooks {
		if c.hooks[i].id == id {
			n := len(c.hooks) - 1
			c.hooks[i], c.hooks[n] = c.hooks[n], hook{}
			c.hooks = c.hooks[:n]
			return true
		}
	}
	return false
}

// AfterFunc is context.AfterFunc, except that f may run in the goroutine that
// ends ctx, if ctx offers that, and must not wait for anything.
func AfterFunc(ctx context.Context, f func()) (stop func() bool) {
	if a, ok := ctx.(interface {
		AfterFunc(f func()) func() bool
	}); ok {
		return a.AfterFunc(f)
	}
	return context.AfterFunc(ctx, f)
}

// ended is the end of a context with a cause of its own.
type ended struct{ cause error }

func reason(cause error) error {
	if cause == nil || cause == context.Canceled { //nolint:errorlint // the bare one needs no wrapping
		return context.Canceled
	}
	return &ended{cause}
}

// Error returns the cause's text.
func (e *ended) Error() string { return e.cause.Error() }

// Unwrap returns the cause, and that it was a cancellation.
func (e *ended) Unwrap() []error { return []error{e.cause, context.Canceled} }

// Timeout is a context that ends Limit after somebody has begun to wait for
// its end, or when it is stopped.
type Timeout struct {
	Context

	Limit time.Duration

	once  sync.Once
	timer *time.Timer
}

// Done starts the time.
func (t *Timeout) Done() <-chan struct{} {
	t.begin()
	return t.Context.Done()
}

// AfterFunc starts the time.
func (t *Timeout) AfterFunc(f func()) (stop func() bool) {
	t.begin()
	return t.Context.AfterFunc(f)
}

func (t *Timeout) begin() {
	t.once.Do(func() { t.timer = time.AfterFunc(t.Limit, func() { t.End(context.DeadlineExceeded) }) })
}

// Stop ends the context.
func (t *Timeout) Stop() {
	t.once.Do(func() {})
	if t.timer != nil {
		t.timer.Stop()
	}
	t.End(nil)
}
