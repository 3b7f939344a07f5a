package demo

import (
	"bytes"
	"net/http"
	"strconv"
	"time"
)

// event is one event of a stream.
type event struct {
	name    string // of the SSE event field, where the dialect has one
	data    raw
	content bool // carries generated content: paced
}

// framing is how events are cut out of the byte stream.
type framing uint8

const (
	frameData  framing = iota // data: … (OpenAI chat)
	frameNamed                // event: … data: … (responses, messages)
	frameCRLF                 // data: … with CRLF line ends (Gemini)
	frameArray                // one JSON array (Gemini without alt=sse)
)

// begin does what directives ask for before an answer; false = it is over.
func (x *exchange) begin() bool {
	x.sleep(x.d.delay)
	switch {
	case x.d.nothing:
		panic(http.ErrAbortHandler)
	case x.d.status >= 400:
		if x.d.retryAfter != "" {
			x.w.Header().Set("Retry-After", x.d.retryAfter)
		}
		x.fail(x.d.status, "", "The demo vendor was asked to answer "+strconv.Itoa(x.d.status)+".")
		return false
	case x.d.status >= 300:
		x.w.Header().Set("Location", "https://example.com/elsewhere")
		x.w.WriteHeader(x.d.status)
		return false
	case x.d.html:
		x.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = x.w.Write([]byte("<!doctype html><html><title>Bad gateway</title><body><h1>502</h1></body></html>\n"))
		return false
	case x.d.empty:
		x.w.WriteHeader(http.StatusOK)
		return false
	default:
		return true
	}
}

// sleep waits; it ends the handler when the caller leaves.
func (x *exchange) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-x.r.Context().Done():
		panic(http.ErrAbortHandler)
	}
}

// reply sends a whole body, broken where a directive asks for it.
func (x *exchange) reply(body raw) {
	h := x.w.Header()
	h.Set("Content-Type", "application/json")
	half := len(body) / 2
	switch {
	case x.d.errorAt != never:
		h.Del("Content-Type")
		x.fail(http.StatusInternalServerError, "", "The demo vendor was asked to fail.")
		return
	case x.d.half || x.d.badJSON || x.d.eofAt != never:
		_, _ = x.w.Write(body[:half])
		return
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if x.d.cutAt == never && x.d.silence == 0 {
		_, _ = x.w.Write(body)
		return
	}
	_, _ = x.w.Write(body[:half])
	x.flush()
	if x.d.cutAt != never {
		panic(http.ErrAbortHandler)
	}
	x.sleep(x.d.silence)
	_, _ = x.w.Write(body[half:])
}

func (x *exchange) flush() { _ = http.NewResponseController(x.w).Flush() }

// stream sends the events, broken where a directive asks for it; failure is
// what the dialect sends when it fails in between.
func (x *exchange) stream(events []event, f framing, failure func(after int) []event) {
	contentType := "text/event-stream; charset=utf-8"
	if f == frameArray {
		contentType = "application/json; charset=UTF-8"
	}
	x.w.Header().Set("Content-Type", contentType)
	x.w.Header().Set("Cache-Control", "no-cache")
	x.w.WriteHeader(http.StatusOK)
	x.flush()
	first := firstContent(events)
	errorAt := x.d.errorAt
	if x.d.afterContent {
		errorAt = first + 1
	}
	pace := x.v.Pace
	if x.d.slow > 0 {
		pace = x.d.slow
	}
	for i, ev := range events {
		switch {
		case i == x.d.cutAt:
			panic(http.ErrAbortHandler)
		case i == x.d.eofAt:
			return
		case i == errorAt:
			for j, fe := range failure(i) {
				x.send(frame(f, fe, i+j, x.d.noise))
			}
			x.finish(f)
			return
		case x.d.half && i == len(events)/2:
			b := frame(f, ev, i, x.d.noise)
			x.send(b[:len(b)/2])
			return
		case x.d.badJSON && i == first:
			ev.data = ev.data[:len(ev.data)/2]
		}
		if ev.content && (i != first || x.d.slow > 0) {
			x.sleep(pace)
		}
		x.send(frame(f, ev, i, x.d.noise))
		if i == first {
			x.sleep(x.d.silence)
		}
	}
	x.finish(f)
}

func firstContent(events []event) int {
	for i, ev := range events {
		if ev.content {
			return i
		}
	}
	return max(len(events)-2, 0)
}

// finish closes the array.
func (x *exchange) finish(f framing) {
	if f == frameArray {
		x.send([]byte("]"))
	}
}

// send writes and flushes; it ends the handler when the caller has left.
func (x *exchange) send(b []byte) {
	if _, err := x.w.Write(b); err != nil {
		panic(http.ErrAbortHandler)
	}
	x.flush()
}

// frame returns the bytes of the i-th event.
func frame(f framing, ev event, i int, noise bool) []byte {
	var b bytes.Buffer
	if f == frameArray {
		b.WriteString(map[bool]string{true: "[", false: ",\r\n"}[i == 0])
		b.Write(ev.data)
		return b.Bytes()
	}
	end := "\n"
	if f == frameCRLF || noise {
		end = "\r\n"
	}
	if noise {
		b.WriteString(": keep-alive" + end + end + "retry: 3000" + end)
	}
	if f == frameNamed {
		b.WriteString("event: " + ev.name + end)
	}
	b.WriteString("data: ")
	b.Write(ev.data)
	b.WriteString(end + end)
	return b.Bytes()
}
