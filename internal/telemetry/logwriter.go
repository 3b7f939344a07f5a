package telemetry

import (
	"io"
	"sync"
	"time"
)

// LogWriter spares a busy process a system call for each log line. A line that
// comes alone is written at once; lines that follow within LogDelay are written
// together. A process that is killed loses at most the lines of that time;
// Flush before leaving.
type LogWriter struct {
	out io.Writer

	mu    sync.Mutex
	buf   []byte
	open  bool // a delay is running
	timer *time.Timer
}

// LogDelay is how long a log line may wait for others.
const LogDelay = 20 * time.Millisecond

// maxLogBuffer is the size from which waiting lines are written at once, in bytes.
const maxLogBuffer = 64 << 10

// NewLogWriter returns a LogWriter on out.
func NewLogWriter(out io.Writer) *LogWriter { return &LogWriter{out: out} }

// Write takes whole lines. Errors of delayed lines are not reported: there is
// nowhere to log them.
func (w *LogWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		w.open = true
		if w.timer == nil {
			w.timer = time.AfterFunc(LogDelay, w.expire)
		} else {
			w.timer.Reset(LogDelay)
		}
		return w.out.Write(p)
	}
	w.buf = append(w.buf, p...)
	if len(w.buf) >= maxLogBuffer {
		w.write()
	}
	return len(p), nil
}

// Flush writes what waits.
func (w *LogWriter) Flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.write()
}

// expire ends a delay; another begins as long as lines keep coming.
func (w *LogWriter) expire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.buf) == 0 {
		w.open = false
		return
	}
	w.write()
	w.timer.Reset(LogDelay)
}

func (w *LogWriter) write() {
	if len(w.buf) > 0 {
		_, _ = w.out.Write(w.buf)
		w.buf = w.buf[:0]
	}
}
