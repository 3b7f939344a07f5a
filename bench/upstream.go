package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

const (
	// roleUpstream as the first argument makes this program the fake upstream.
	roleUpstream = "upstream"
	// eventGap is the pace of a stream.
	eventGap = 10 * time.Millisecond
	// eventsPerStream is how many content events a stream has.
	eventsPerStream = 100
	// stamp precedes the wall clock, in 19 digits of nanoseconds, in every content event.
	stamp = "@@T"
)

// serveUpstream answers OpenAI chat completions as fast as it can until in
// ends, which it does when the parent goes away. It speaks just enough HTTP/1.1
// on bare connections to cost next to nothing, and prints its address first.
func serveUpstream(in io.Reader, out io.Writer) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(out, l.Addr()); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(io.Discard, in)
		_ = l.Close()
	}()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		go func() {
			defer func() { _ = conn.Close() }()
			_ = answer(conn) // the client sees a broken connection and counts it
		}()
	}
}

// answer serves requests on one connection until it ends.
func answer(conn net.Conn) error {
	r := bufio.NewReaderSize(conn, 32<<10)
	whole := completion()
	for {
		length, err := readHead(r)
		if err != nil {
			return err
		}
		head, err := r.Peek(min(length, 512))
		if err != nil {
			return err
		}
		stream := bytes.Contains(head, []byte(`"stream":true`))
		if _, err := r.Discard(length); err != nil {
			return err
		}
		if stream {
			err = writeStream(conn)
		} else {
			_, err = conn.Write(whole)
		}
		if err != nil {
			return err
		}
	}
}

// readHead reads a request head and returns the length of the body, in bytes.
func readHead(r *bufio.Reader) (int, error) {
	length := 0
	for first := true; ; first = false {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 && !first {
			return length, nil
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		switch {
		case strings.EqualFold(string(name), "content-length"):
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return 0, err
			}
		case strings.EqualFold(string(name), "transfer-encoding"):
			return 0, errors.New("the fake upstream wants a content-length")
		}
	}
}

// completion returns a whole answer of about 1 kB with its head.
func completion() []byte {
	text := fmt.Sprintf(`{"id":"chatcmpl-bench","object":"chat.completion","created":1700000000,"model":%q,"choices":[{"index":0,"message":`+
		`{"role":"assistant","content":%q},"finish_reason":"stop"}],"usage":{"prompt_tokens":200,"completion_tokens":180,"total_tokens":380}}`,
		model, strings.Repeat("lorem ipsum ", 65))
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(text), text)
}

// writeStream sends a paced stream; every event is one chunk.
func writeStream(w io.Writer) error {
	if _, err := io.WriteString(w, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n"); err != nil {
		return err
	}
	buf := make([]byte, 0, 512)
	send := func(data string) error {
		buf = fmt.Appendf(buf[:0], "%x\r\ndata: %s\n\n\r\n", len(data)+len("data: \n\n"), data)
		_, err := w.Write(buf)
		return err
	}
	event := func(delta, finish, rest string) error {
		return send(`{"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1700000000,"model":"` + model +
			`","choices":[{"index":0,"delta":{` + delta + `},"finish_reason":` + finish + `}]` + rest + `}`)
	}
	next := time.Now()
	for range eventsPerStream {
		if err := event(`"content":"`+stamp+strconv.FormatInt(time.Now().UnixNano(), 10)+` "`, "null", ""); err != nil {
			return err
		}
		next = next.Add(eventGap)
		time.Sleep(time.Until(next))
	}
	if err := event("", `"stop"`, `,"usage":{"prompt_tokens":50,"completion_tokens":100,"total_tokens":150}`); err != nil {
		return err
	}
	if err := send("[DONE]"); err != nil {
		return err
	}
	_, err := io.WriteString(w, "0\r\n\r\n")
	return err
}
