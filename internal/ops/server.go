package ops

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"tollgate"
)

// Server carries out operations that arrive on the control socket.
type Server struct {
	listener net.Listener
	http     *http.Server
	path     string
	done     sync.WaitGroup
}

// Serve listens on the control socket of dataDir and carries out what arrives
// on host. The socket has mode 0600, and its folder is the owner's alone: who
// can reach it is the operator. A socket left behind by a dead process is
// replaced; the caller owns the database, so no other server can be alive.
func Serve(ctx context.Context, dataDir string, host Runner, log *slog.Logger) (*Server, error) {
	path := SocketPath(dataDir)
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the control socket %s cannot be replaced", path)
	}
	l, err := listenUnix(ctx, path)
	if err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, err, "the control socket %s cannot be made", path)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	s := &Server{listener: l, path: path}
	mux := http.NewServeMux()
	mux.Handle("POST "+operationPath, endpoint{host})
	s.http = &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	s.done.Go(func() {
		if err := s.http.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.ErrorContext(ctx, "the control socket failed", "error", err)
		}
	})
	return s, nil
}

// Close ends the server and removes the socket. Operations that are under way
// may finish while ctx lasts.
func (s *Server) Close(ctx context.Context) error {
	err := s.http.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, s.http.Close())
	}
	s.done.Wait()
	if rm := os.Remove(s.path); rm != nil && !errors.Is(rm, fs.ErrNotExist) {
		err = errors.Join(err, rm)
	}
	return err
}

// endpoint is the control socket's one resource.
type endpoint struct{ host Runner }

// ServeHTTP carries out one operation and answers in lines of JSON. When the
// command goes away, the operation is cancelled.
func (e endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var req request
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxRequest)).Decode(&req); err != nil {
		http.Error(w, "the request is not understood", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := &lines{w: w, control: http.NewResponseController(w)}
	result, err := e.host.Run(r.Context(), req.Operation, req.Args, func(p Progress) { out.send(event{Progress: &p}) })
	if err != nil {
		out.send(event{Error: newFailure(err)})
		return
	}
	out.send(event{Result: result})
}

// lines writes events, one a line; progress may come from several goroutines.
type lines struct {
	mu      sync.Mutex
	w       http.ResponseWriter
	control *http.ResponseController
}

// send writes one event. A command that is gone is noticed by its context.
func (l *lines) send(e event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if json.NewEncoder(l.w).Encode(e) == nil {
		_ = l.control.Flush()
	}
}
