package lane

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Server serves one listener. Create it with New.
type Server struct {
	http *http.Server
	over *handover
	date atomic.Pointer[date]

	mu       sync.Mutex // guards listener and conns
	listener net.Listener
	conns    map[*conn]struct{}

	draining atomic.Bool
	watching atomic.Bool // the watch timer runs
	watch    *time.Timer

	in, out sync.Pool // of *buffer
}

// New returns a server in front of rest, whose handler, timeouts and error log
// it shares, and to which it hands what is not plain. rest must not serve
// anything else, and its ReadTimeout, WriteTimeout, BaseContext, ConnContext
// and ConnState are of no effect on what the lane serves.
func New(rest *http.Server) *Server {
	s := &Server{http: rest, over: newHandover(), conns: map[*conn]struct{}{}}
	s.watch = time.AfterFunc(time.Hour, s.look)
	s.watch.Stop()
	return s
}

// Serve accepts connections until Shutdown or Close, and then returns
// http.ErrServerClosed; another error is the listener's. It is called once.
func (s *Server) Serve(l net.Listener) error {
	s.mu.Lock()
	s.listener = l
	s.mu.Unlock()
	s.over.addr = l.Addr()
	if s.draining.Load() {
		_ = l.Close()
		return http.ErrServerClosed
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = s.http.Serve(s.over) // it ends only when it is told to
	}()
	err := s.accept(l)
	if s.draining.Load() {
		return http.ErrServerClosed
	}
	_ = s.Close()
	<-ended
	return err
}

// accept starts the connections. Failures that pass, such as too many open
// files, are waited out as net/http does.
func (s *Server) accept(l net.Listener) error {
	var pause time.Duration
	for {
		nc, err := l.Accept()
		switch {
		case err == nil:
			pause = 0
			s.start(nc)
		case s.draining.Load():
			return err
		case passes(err):
			pause = min(max(2*pause, 5*time.Millisecond), time.Second)
			s.logf("http: Accept error: %v; retrying in %v", err, pause)
			time.Sleep(pause)
		default:
			return err
		}
	}
}

func passes(err error) bool {
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && errno.Temporary()
}

// start serves nc in a goroutine of its own.
func (s *Server) start(nc net.Conn) {
	raw := rawConn(nc)
	if raw == nil { // nothing that could be watched
		go s.over.give(nc)
		return
	}
	c := newConn(s, nc, raw)
	s.mu.Lock()
	s.conns[c] = struct{}{}
	s.mu.Unlock()
	go c.serve()
}

func rawConn(nc net.Conn) syscall.RawConn {
	sc, ok := nc.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}

func (s *Server) forget(c *conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

// freshFor is how long a connection that has sent nothing yet is taken for one
// whose request is on its way.
const freshFor = 5 * time.Second

// Shutdown stops listening, closes connections that are idle, lets the others
// end what they are at, and returns when none is left or with ctx's error. It
// may be called again.
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopListening()
	s.http.SetKeepAlivesEnabled(false)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !s.closeIdle() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	return s.http.Shutdown(ctx)
}

func (s *Server) stopListening() {
	s.draining.Store(true)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		_ = s.listener.Close()
	}
}

// closeIdle closes the connections that wait for a request; it reports whether
// none is left.
func (s *Server) closeIdle() bool {
	at := now()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		if c.state.CompareAndSwap(stateIdle, stateClosed) ||
			at.Sub(c.since) > freshFor && c.state.CompareAndSwap(stateFresh, stateClosed) {
			_ = c.nc.Close()
		}
	}
	return len(s.conns) == 0
}

// Close closes the listener and every connection at once. The contexts of
// requests end; it does not wait for their handlers.
func (s *Server) Close() error {
	s.stopListening()
	s.mu.Lock()
	for c := range s.conns {
		c.state.Store(stateClosed)
		_ = c.nc.Close()
		c.abandon()
	}
	s.mu.Unlock()
	_ = s.over.Close()
	return s.http.Close()
}

func (s *Server) logf(format string, args ...any) {
	if s.http.ErrorLog != nil {
		s.http.ErrorLog.Printf(format, args...)
	}
}

// date is the text of one second.
type date struct {
	second int64
	text   string
}

// dateText returns the value of the Date header, made once a second.
func (s *Server) dateText() string {
	at := now()
	if d := s.date.Load(); d != nil && d.second == at.Unix() {
		return d.text
	}
	d := &date{at.Unix(), at.UTC().Format(http.TimeFormat)}
	s.date.Store(d)
	return d.text
}

// now is the clock of network deadlines, which no test may replace: the
// kernel would not follow.
func now() time.Time { return time.Now() } //nolint:forbidigo // see above

// buffer is a piece of pooled memory.
type buffer struct{ b []byte }

func take(p *sync.Pool, size int) *buffer {
	if b, ok := p.Get().(*buffer); ok {
		return b
	}
	return &buffer{make([]byte, 0, size)}
}

// give returns b to its pool unless it has grown out of proportion.
func give(p *sync.Pool, b *buffer) {
	if cap(b.b) <= 4*maxHead {
		b.b = b.b[:0]
		p.Put(b)
	}
}
