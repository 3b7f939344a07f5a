package lane

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// makeHead appends the head of the answer and what of the body waits for it.
// more is the body's next piece, which is looked at for its type but not taken.
func (x *exchange) makeHead(more []byte) {
	x.settleBody()
	h := x.frozen
	if h == nil {
		h = x.header
	}
	if h.Get("Connection") == "close" || x.c.s.draining.Load() {
		x.last = true
	}
	x.chunked = x.declared < 0 && hasBody(x.status)
	b := appendStatus(x.out.b, x.status)
	b = x.appendFields(b, h)
	if _, ok := h["Date"]; !ok {
		b = appendField(b, "Date", x.c.s.dateText())
	}
	switch {
	case x.chunked:
		b = appendField(b, "Transfer-Encoding", "chunked")
	case hasBody(x.status):
		b = append(b, "Content-Length: "...)
		b = append(strconv.AppendInt(b, x.declared, 10), "\r\n"...)
	}
	if x.last {
		b = appendField(b, "Connection", "close")
	}
	if kind := x.sniff(h, more); kind != "" {
		b = appendField(b, "Content-Type", kind)
	}
	x.out.b = append(b, "\r\n"...)
	x.headMade = true
	x.put(x.pending)
	x.pending = nil
}

// settleBody reads what the handler has left of a request's body, because a
// client may wait with reading until it has sent everything.
func (x *exchange) settleBody() {
	if left := x.body.left.Load(); left == 0 || x.header.Get("Connection") == "close" {
		return
	}
	x.last = !x.body.skip()
	_ = x.body.Close()
}

// appendFields appends the handler's header fields but those that the lane
// writes itself, and those that an answer without body must not have.
func (x *exchange) appendFields(b []byte, h http.Header) []byte {
	for name, values := range h {
		switch name {
		case "Content-Length", "Transfer-Encoding":
			continue
		case "Connection":
			if x.last {
				continue
			}
		case "Content-Type":
			if x.status == http.StatusNotModified {
				continue
			}
		}
		if !httpguts.ValidHeaderFieldName(name) {
			continue
		}
		for _, v := range values {
			b = appendField(b, name, v)
		}
	}
	return b
}

// sniff returns the content type that the body looks like, if the handler has
// not told it, as net/http does.
func (x *exchange) sniff(h http.Header, more []byte) string {
	if _, ok := h["Content-Type"]; ok || !hasBody(x.status) || len(x.pending)+len(more) == 0 || h.Get("Content-Encoding") != "" {
		return ""
	}
	return http.DetectContentType(append(slices.Clip(x.pending), more[:min(len(more), 512)]...))
}

func appendStatus(b []byte, status int) []byte {
	b = append(b, "HTTP/1.1 "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	if text := http.StatusText(status); text != "" {
		b = append(b, text...)
	} else {
		b = append(b, "status code "...)
		b = strconv.AppendInt(b, int64(status), 10)
	}
	return append(b, "\r\n"...)
}

// appendField appends a header line. Line ends in a value would end the line,
// and become spaces.
func appendField(b []byte, name, value string) []byte {
	if strings.IndexByte(value, '\n') >= 0 || strings.IndexByte(value, '\r') >= 0 {
		value = strings.NewReplacer("\r", " ", "\n", " ").Replace(value)
	}
	b = append(b, name...)
	b = append(b, ": "...)
	if value != "" && (value[0] <= ' ' || value[len(value)-1] <= ' ') {
		value = strings.Trim(value, " \t")
	}
	b = append(b, value...)
	return append(b, "\r\n"...)
}
