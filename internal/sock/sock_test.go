package sock_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"tollgate/internal/sock"
)

// pair returns both ends of a connection, quick ones.
func pair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	accepted := make(chan net.Conn, 1)
	go func() {
		nc, err := sock.Listen(l).Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- nc
	}()
	nc, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	client, server = sock.Quick(nc), <-accepted
	t.Cleanup(func() { _, _ = client.Close(), server.Close() })
	return client, server
}

// What is written arrives whole, whatever the sizes, while the reader is slow
// and both directions are in use.
func TestEverythingArrives(t *testing.T) {
	a, b := pair(t)
	sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB: more than the kernel keeps
	var all sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		all.Go(func() {
			for rest, size := sent, 1; len(rest) > 0; size = size*3 + 1 {
				n, err := way[0].Write(rest[:min(size, len(rest))])
				if err != nil {
					t.Error(err)
					return
				}
				rest = rest[n:]
			}
		})
		all.Go(func() {
			got := make([]byte, len(sent))
			if _, err := io.ReadFull(way[1], got); err != nil || !bytes.Equal(got, sent) {
				t.Errorf("error %v, the same bytes: %v", err, bytes.Equal(got, sent))
			}
		})
	}
	all.Wait()
}

func TestEndOfInput(t *testing.T) {
	a, b := pair(t)
	if _, err := a.Write([]byte("last words")); err != nil {
		t.Fatal(err)
	}
	if cw, ok := a.(interface{ CloseWrite() error }); !ok || cw.CloseWrite() != nil {
		t.Fatal("a quick connection lost CloseWrite")
	}
	got, err := io.ReadAll(b)
	if err != nil || string(got) != "last words" {
		t.Errorf("read %q, %v", got, err)
	}
	if n, err := b.Read(nil); n != 0 || err != nil {
		t.Errorf("an empty read says %d, %v", n, err)
	}
}

// The errors are those of net.Conn: callers look for them.
func TestErrors(t *testing.T) {
	a, b := pair(t)
	_ = b.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
	if _, err := b.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read beyond its deadline: %v", err)
	}
	_ = b.SetReadDeadline(time.Time{})
	_ = a.SetWriteDeadline(time.Now().Add(10 * time.Millisecond))
	n, err := a.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == 64<<20 {
		t.Errorf("a write beyond its deadline wrote %d bytes: %v", n, err)
	}
	var ne net.Error
	if !errors.As(err, &ne) || !ne.Timeout() {
		t.Errorf("%v is no timeout", err)
	}
	closed := make(chan error)
	c, d := pair(t)
	go func() { _, err := d.Read(make([]byte, 1)); closed <- err }()
	time.Sleep(10 * time.Millisecond)
	_ = d.Close()
	if err := <-closed; !errors.Is(err, net.ErrClosed) {
		t.Errorf("a read of a closed connection: %v", err)
	}
	if _, err := d.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("a write to a closed connection: %v", err)
	}
	_ = c.Close()
	e, f := pair(t)
	if l, ok := e.(interface{ SetLinger(sec int) error }); !ok || l.SetLinger(0) != nil {
		t.Fatal("a quick connection lost SetLinger")
	}
	_ = e.Close() // resets the connection
	if _, err := f.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a read of a reset connection: %v", err)
	}
	if _, err := f.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("a write to a reset connection: %v", err)
	}
}

func TestOtherConnectionsStay(t *testing.T) {
	a, b := net.Pipe()
	defer func() { _, _ = a.Close(), b.Close() }()
	if sock.Quick(a) != a {
		t.Error("a pipe became something else")
	}
}

func BenchmarkExchange(b *testing.B) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{"net": func(nc net.Conn) net.Conn { return nc }, "quick": sock.Quick} {
		b.Run(name, func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			go func() {
				nc, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = io.Copy(struct{ io.Writer }{wrap(nc)}, struct{ io.Reader }{wrap(nc)})
			}()
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			nc = wrap(nc)
			defer func() { _ = nc.Close() }()
			p := make([]byte, 1024)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := nc.Write(p); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(nc, p); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
