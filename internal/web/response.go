package web

import (
	"net/http"
)

// response watches an answer pass: its status and its bytes. It adds no
// buffer; http.ResponseController reaches the writer below through Unwrap.
type response struct {
	http.ResponseWriter
	event *Event
}

var _ http.Flusher = (*response)(nil)

// Unwrap returns the writer below.
func (w *response) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader notes the first final status and passes it on.
func (w *response) WriteHeader(status int) {
	if w.event.Status == 0 && (status >= 200 || status == http.StatusSwitchingProtocols) {
		w.event.Status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts the bytes that went out.
func (w *response) Write(b []byte) (int, error) {
	if w.event.Status == 0 {
		w.event.Status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.event.Bytes += int64(n)
	return n, err
}

// Flush sends what is buffered. A writer below that cannot flush is left as it is.
func (w *response) Flush() { _ = w.FlushError() }

// FlushError sends what is buffered and tells whether the client is still there.
func (w *response) FlushError() error {
	if w.event.Status == 0 {
		w.event.Status = http.StatusOK
	}
	switch f := w.ResponseWriter.(type) {
	case interface{ FlushError() error }:
		return f.FlushError()
	case http.Flusher:
		f.Flush()
		return nil
	default:
		return http.NewResponseController(w.ResponseWriter).Flush()
	}
}
