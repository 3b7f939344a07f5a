package sock

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// Quick returns nc with quick reads and writes, if it is a TCP connection.
// What it reads, writes and answers is what nc would.
func Quick(nc net.Conn) net.Conn {
	tcp, ok := nc.(*net.TCPConn)
	if !ok {
		return nc
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nc
	}
	c := &conn{TCPConn: tcp, raw: raw}
	c.in.try, c.out.try = c.in.read, c.out.write
	return c
}

// atOnce bounds what is written in one system call, in bytes. The kernel copies
// it while the scheduler believes that our code runs.
const atOnce = 64 << 10

// conn is a TCP connection; everything but Read and Write is net's.
type conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out transfer
}

// transfer is one direction of a connection. It keeps its function, so that no
// call allocates one.
type transfer struct {
	mu    sync.Mutex // calls may come from several goroutines
	p     []byte
	n     int
	errno syscall.Errno
	try   func(fd uintptr) bool // reports whether the transfer has ended
}

// Read reads into p within the connection's deadline.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t := &c.in
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p, t.n, t.errno = p, 0, 0
	err := c.raw.Read(t.try)
	t.p = nil
	switch {
	case err != nil:
		return 0, err
	case t.errno != 0:
		return 0, c.failed("read", t.errno)
	case t.n == 0:
		return 0, io.EOF
	}
	return t.n, nil
}

// Write writes all of p within the connection's deadline.
func (c *conn) Write(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t := &c.out
	t.mu.Lock()
	defer t.mu.Unlock()
	t.p, t.n, t.errno = p, 0, 0
	err := c.raw.Write(t.try)
	t.p = nil
	if err == nil && t.errno != 0 {
		err = c.failed("write", t.errno)
	}
	return t.n, err
}

func (c *conn) failed(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}

// read reads once; false = there is nothing yet.
func (t *transfer) read(fd uintptr) bool {
	for {
		n, errno := call(syscall.SYS_READ, fd, t.p)
		if errno == syscall.EAGAIN {
			return false
		}
		if errno != syscall.EINTR {
			t.n, t.errno = n, errno
			return true
		}
	}
}

// write writes until all is written; false = the peer must take something first.
func (t *transfer) write(fd uintptr) bool {
	for t.n < len(t.p) {
		n, errno := call(syscall.SYS_WRITE, fd, t.p[t.n:min(len(t.p), t.n+atOnce)])
		if errno == syscall.EAGAIN {
			return false
		}
		if errno != 0 && errno != syscall.EINTR {
			t.errno = errno
			return true
		}
		t.n += n
	}
	return true
}

// call makes the system call, which must not block.
func call(number, fd uintptr, p []byte) (int, syscall.Errno) {
	n, _, errno := syscall.RawSyscall(number, fd, uintptr(unsafe.Pointer(&p[0])), uintptr(len(p))) //nolint:gosec // as package syscall does it
	if errno != 0 {
		return 0, errno
	}
	return int(n), 0
}
