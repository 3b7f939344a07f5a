package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync/atomic"
	"time"
)

// client is one connection of the load generator. It reads just enough
// HTTP/1.1 to know where an answer ends, so that the CPU goes to the others.
type client struct {
	addr    string
	request []byte
	stream  bool
	window  window
	sample  *sample

	conn net.Conn
	r    *bufio.Reader
}

// maxFailures ends a client that gets nowhere.
const maxFailures = 20

// run sends requests until stop, each no sooner than the schedule says.
func (c *client) run(ctx context.Context, stop *atomic.Bool, schedule func(n int) time.Time) {
	defer c.hangUp()
	var free time.Time // when the previous answer had ended
	for n := 0; !stop.Load() && c.sample.failures < maxFailures; n++ {
		due := schedule(n)
		if !due.IsZero() && sleepUntil(ctx, due) != nil {
			return
		}
		if stop.Load() {
			return
		}
		// A request that had to wait for the one before it is late by our
		// doing; one that the timer woke late is not the target's fault.
		begun := time.Now()
		if free.After(due) && !due.IsZero() {
			begun = due
		}
		if err := c.exchange(); err != nil {
			if stop.Load() {
				return
			}
			c.hangUp()
			c.sample.failures++
			if c.sample.first == nil {
				c.sample.first = err
			}
			continue
		}
		free = time.Now()
		if !c.stream && c.window.holds(free) {
			c.sample.units++
			c.sample.times = append(c.sample.times, free.Sub(begun))
		}
	}
}

func (c *client) hangUp() {
	if c.conn != nil {
		_ = c.conn.Close()
		c.conn = nil
	}
}

// exchange sends the request and reads the whole answer.
func (c *client) exchange() error {
	if c.conn == nil {
		conn, err := dial(c.addr)
		if err != nil {
			return err
		}
		c.conn, c.r = conn, bufio.NewReaderSize(conn, 16<<10)
	}
	if err := c.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := c.conn.Write(c.request); err != nil {
		return err
	}
	length, chunked, keep, err := c.head()
	if err != nil {
		return err
	}
	if chunked {
		err = c.chunks()
	} else {
		_, err = c.r.Discard(length)
	}
	if !keep {
		c.hangUp()
	}
	return err
}

// head reads the status and the headers that say how the body is framed.
func (c *client) head() (length int, chunked, keep bool, err error) {
	keep = true
	line, err := c.r.ReadSlice('\n')
	if err != nil {
		return 0, false, false, err
	}
	status := string(line[:max(len(line)-2, 0)])
	for {
		line, err = c.r.ReadSlice('\n')
		if err != nil {
			return 0, false, false, err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("content-length")):
			length, err = strconv.Atoi(string(value))
		case bytes.EqualFold(name, []byte("transfer-encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("connection")):
			keep = !bytes.EqualFold(value, []byte("close"))
		}
		if err != nil {
			return 0, false, false, err
		}
	}
	if len(status) < 12 || status[9:12] != "200" {
		text, _ := c.r.Peek(min(length, 300))
		return 0, false, false, fmt.Errorf("%s: %s", status, text)
	}
	return length, chunked, keep, nil
}

// chunks reads a chunked body; a stream's events are counted on the way. The
// events of the fake upstream fit a chunk, but a proxy may frame them anew, so
// lines are looked for in the text, not in the chunks.
func (c *client) chunks() error {
	var text []byte
	done := false
	for {
		line, err := c.r.ReadSlice('\n')
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(string(bytes.TrimRight(line, "\r\n")), 16, 32)
		if err != nil {
			return fmt.Errorf("chunk size: %w", err)
		}
		if size == 0 {
			if _, err := c.r.Discard(2); err != nil {
				return err
			}
			if c.stream && !done {
				return errors.New("the stream ended without [DONE]")
			}
			return nil
		}
		at := len(text)
		text = append(text, make([]byte, size)...)
		if _, err := io.ReadFull(c.r, text[at:]); err != nil {
			return err
		}
		if _, err := c.r.Discard(2); err != nil {
			return err
		}
		if c.stream {
			done = bytes.Contains(text, []byte("[DONE]")) || done
			text = c.events(text)
		} else {
			text = text[:0]
		}
	}
}

// events counts the stamped events in text and returns what may be half of one.
func (c *client) events(text []byte) []byte {
	now := time.Now()
	for {
		i := bytes.Index(text, []byte(stamp))
		if i < 0 {
			return append(text[:0], text[max(0, len(text)-len("[DONE]")):]...)
		}
		end := i + len(stamp) + 19
		if end > len(text) {
			return append(text[:0], text[i:]...)
		}
		if c.window.holds(now) {
			c.sample.units++
			if ns, err := strconv.ParseInt(string(text[i+len(stamp):end]), 10, 64); err == nil {
				c.sample.times = append(c.sample.times, now.Sub(time.Unix(0, ns)))
			}
		}
		text = text[end:]
	}
}
