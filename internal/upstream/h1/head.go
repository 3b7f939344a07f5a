package h1

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"strconv"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// headKeep is the size up to which a connection keeps its room for a header, in bytes.
const headKeep = 16 << 10

// readHead reads lines up to and including an empty one and returns them as
// one string. Lines end with LF; a CR before it belongs to the line's end.
func (c *conn) readHead() (string, error) {
	if head := c.headAtHand(); head != "" {
		return head, nil
	}
	head := c.head[:0]
	defer func() {
		if c.head = head; cap(head) > headKeep {
			c.head = nil
		}
	}()
	for start := 0; ; {
		part, err := c.br.ReadSlice('\n')
		head = append(head, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case err != nil:
			return "", err
		case isEmptyLine(head[start:]):
			return string(head), nil
		default:
			start = len(head)
		}
	}
}

// headAtHand returns a head that came with one read and whose lines all end
// with CR LF, as nearly all do; else "", and nothing is lost.
func (c *conn) headAtHand() string {
	if _, err := c.br.Peek(1); err != nil {
		return "" // the error comes again
	}
	b, _ := c.br.Peek(c.br.Buffered())
	end := bytes.Index(b, []byte("\n\r\n"))
	if end < 0 || b[0] == '\n' || b[0] == '\r' || bytes.Contains(b[:end+1], []byte("\n\n")) {
		return ""
	}
	head := string(b[:end+3])
	_, _ = c.br.Discard(end + 3) // it is there
	return head
}

func isEmptyLine(l []byte) bool { return len(l) == 1 || len(l) == 2 && l[0] == '\r' }

// nextLine cuts the first line off a head, without what ends it.
func nextLine(head string) (line, rest string) {
	line, rest, _ = strings.Cut(head, "\n")
	return strings.TrimSuffix(line, "\r"), rest
}

// framing is where a response's body ends (RFC 9112, section 6.3).
type framing uint8

const (
	framedEmpty   framing = iota // there is none
	framedLength                 // after Content-Length bytes
	framedChunked                // with the last chunk
	framedClose                  // with the connection
)

// parseResponse reads a response's header. It is stricter than net/http:
// versions but HTTP/1.0 and 1.1, folded lines, and a Transfer-Encoding in
// HTTP/1.0 are refused, and a connection whose response carries both
// Transfer-Encoding and Content-Length is not used again.
func parseResponse(resp *http.Response, head string) (framing, error) {
	line, rest := nextLine(head)
	if err := parseStatus(resp, line); err != nil {
		return 0, err
	}
	var err error
	if resp.Header, err = parseFields(rest); err != nil {
		return 0, err
	}
	resp.Close = closes(resp)
	return parseFraming(resp)
}

// parseStatus reads the status line: HTTP/1.1 200 OK.
func parseStatus(resp *http.Response, line string) error {
	proto, status, _ := strings.Cut(line, " ")
	switch proto {
	case "HTTP/1.1":
		resp.ProtoMinor = 1
	case "HTTP/1.0":
		resp.ProtoMinor = 0
	default:
		return fmt.Errorf("malformed status line %.64q", line)
	}
	code, _, _ := strings.Cut(status, " ")
	n, err := strconv.ParseUint(code, 10, 16)
	if err != nil || len(code) != 3 || n < 100 {
		return fmt.Errorf("malformed status line %.64q", line)
	}
	resp.Proto, resp.ProtoMajor, resp.Status, resp.StatusCode = proto, 1, status, int(n)
	return nil
}

// parseFields reads header fields up to the empty line. The strings are parts
// of head.
func parseFields(head string) (http.Header, error) {
	n := strings.Count(head, "\n") - 1
	h := make(http.Header, max(n, 0))
	values := make([]string, max(n, 0))
	for {
		var line string
		if line, head = nextLine(head); line == "" {
			return h, nil
		}
		name, value, ok := strings.Cut(line, ":")
		value = trimSpace(value)
		if !ok || !httpguts.ValidHeaderFieldName(name) || !httpguts.ValidHeaderFieldValue(value) {
			return nil, fmt.Errorf("malformed header line %.64q", line)
		}
		name = textproto.CanonicalMIMEHeaderKey(name)
		if had, ok := h[name]; ok {
			h[name] = append(had, value)
			continue
		}
		values[0] = value
		h[name], values = values[:1:1], values[1:]
	}
}

// trimSpace cuts spaces and tabs off both ends.
func trimSpace(s string) string {
	for s != "" && (s[0] == ' ' || s[0] == '\t') {
		s = s[1:]
	}
	for s != "" && (s[len(s)-1] == ' ' || s[len(s)-1] == '\t') {
		s = s[:len(s)-1]
	}
	return s
}

// parseFraming finds out where the body ends, sets ContentLength and removes
// what was of this connection only.
func parseFraming(resp *http.Response) (framing, error) {
	h := resp.Header
	coding, coded := h["Transfer-Encoding"]
	delete(h, "Transfer-Encoding")
	if coded && (resp.ProtoMinor == 0 || len(coding) != 1 || !strings.EqualFold(coding[0], "chunked")) {
		return 0, fmt.Errorf("unsupported transfer encoding %.64q in %s", coding, resp.Proto)
	}
	length, err := contentLength(h)
	if err != nil {
		return 0, err
	}
	if coded {
		resp.Close = resp.Close || length >= 0
		delete(h, "Trailer")
	}
	resp.ContentLength = length
	switch {
	case resp.Request.Method == http.MethodHead:
		return framedEmpty, nil
	case resp.StatusCode < 200 || resp.StatusCode == http.StatusNoContent || resp.StatusCode == http.StatusNotModified:
		resp.ContentLength = 0
		return framedEmpty, nil
	case coded:
		resp.ContentLength = -1
		delete(h, "Content-Length")
		return framedChunked, nil
	case length == 0:
		return framedEmpty, nil
	case length > 0:
		return framedLength, nil
	default:
		resp.Close = true
		return framedClose, nil
	}
}

// contentLength returns the length that the header gives, -1 if none. Several
// fields must agree.
func contentLength(h http.Header) (int64, error) {
	values, ok := h["Content-Length"]
	if !ok {
		return -1, nil
	}
	for _, v := range values {
		if v != values[0] {
			return 0, fmt.Errorf("contradicting content lengths %.64q", values)
		}
	}
	n, err := strconv.ParseUint(values[0], 10, 63)
	if err != nil {
		return 0, fmt.Errorf("malformed content length %.64q", values[0])
	}
	if len(values) > 1 {
		h["Content-Length"] = values[:1]
	}
	return int64(n), nil
}

// closes reports whether the peer ends the connection after the response.
func closes(resp *http.Response) bool {
	connection, ok := resp.Header["Connection"]
	if resp.ProtoMinor == 0 {
		return !httpguts.HeaderValuesContainsToken(connection, "keep-alive") || httpguts.HeaderValuesContainsToken(connection, "close")
	}
	return ok && httpguts.HeaderValuesContainsToken(connection, "close")
}
