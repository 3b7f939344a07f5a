package proxy

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

// turnWriter is the http.ResponseWriter of a turn: events become messages, a
// refusal becomes an error event, and exactly one event ends the turn.
type turnWriter struct {
	t      *turn
	header http.Header
	status int
	events *sse.Scanner // of a stream
	body   []byte       // of anything else
	// ended is set when the event that ends the turn was sent, complete when it
	// said that the answer is one to go on from.
	ended, complete bool

	mu       sync.Mutex // guards what a deadline shares with a write
	deadline time.Time
	timer    *time.Timer
	abort    context.CancelFunc // of the write under way
}

var _ http.ResponseWriter = (*turnWriter)(nil)

// Header implements http.ResponseWriter.
func (w *turnWriter) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *turnWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
}

// Write implements http.ResponseWriter. It blocks while the client does not
// read, until the deadline.
func (w *turnWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.status >= 300 || !strings.HasPrefix(w.header.Get("Content-Type"), "text/event-stream") {
		w.body = append(w.body, b...)
		return len(b), nil
	}
	if w.events == nil {
		w.events = sse.NewScanner(sse.Limits{})
	}
	for rest := b; len(rest) > 0; {
		n := copy(w.events.Buffer(), rest)
		w.events.Fill(n)
		rest = rest[n:]
		for {
			ev, ok, err := w.events.Next()
			if err != nil {
				return 0, err
			}
			if !ok {
				break
			}
			if err := w.event(ev.Name, ev.Data); err != nil {
				return 0, err
			}
		}
	}
	return len(b), nil
}

// event sends one event of the stream.
func (w *turnWriter) event(name, data []byte) error {
	if len(data) == 0 || wire.IsDone(data) || w.ended {
		return nil
	}
	switch string(wire.EventType(data, name)) {
	case "error":
		return w.fail(w.failure(), data)
	case "response.completed", "response.incomplete":
		w.ended, w.complete = true, true
	case "response.failed":
		w.ended = true
	}
	return w.send(openai.Responses{}.SocketEvent(data, w.t.streamID))
}

// failure is the status of an error in the stream, as an answer would have it.
func (w *turnWriter) failure() int {
	if c := w.t.call; c != nil && c.logged != nil {
		return wire.Status(tollgate.AsError(c.logged))
	}
	return http.StatusBadGateway
}

// fail ends the turn with the event of an error.
func (w *turnWriter) fail(status int, body []byte) error {
	w.ended = true
	if c := w.t.call; c != nil && c.logged != nil {
		w.t.socket.told = tollgate.ErrorCode(c.logged)
	}
	return w.send(openai.Responses{}.SocketError(status, w.header, body, w.t.streamID))
}

// finish sends the end of the turn that is still owed.
func (w *turnWriter) finish() {
	switch {
	case w.ended:
	case w.status >= 200 && w.status < 300 && len(bytes.TrimSpace(w.body)) > 0:
		w.ended, w.complete = true, true
		_ = w.send(openai.Responses{}.SocketWhole(w.body, w.t.streamID)) // a client that left needs none
	default:
		status := w.status
		if status < 400 {
			status = w.failure()
		}
		_ = w.fail(status, w.body)
	}
}

// send writes one message. A write that fails ends the connection.
func (w *turnWriter) send(message []byte) error {
	ctx, cancel := context.WithCancel(w.t.socket.ctx)
	w.mu.Lock()
	w.abort = cancel
	w.arm()
	w.mu.Unlock()
	err := w.t.socket.conn.Write(ctx, websocket.MessageText, message)
	w.mu.Lock()
	w.abort = nil
	if w.timer != nil {
		w.timer.Stop()
	}
	w.mu.Unlock()
	cancel()
	if err != nil {
		w.t.socket.cancel()
	}
	return err
}

// arm makes the deadline end the write under way; it runs under the lock.
func (w *turnWriter) arm() {
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.abort != nil && !w.deadline.IsZero() {
		w.timer = time.AfterFunc(time.Until(w.deadline), w.abort)
	}
}

// SetWriteDeadline bounds writes, also the one under way, for
// http.ResponseController.
func (w *turnWriter) SetWriteDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.deadline = t
	w.arm()
	return nil
}

// SetReadDeadline does nothing: the body of a turn is in memory.
func (*turnWriter) SetReadDeadline(time.Time) error { return nil }

// FlushError does nothing: each message goes out when it is written.
func (*turnWriter) FlushError() error { return nil }
