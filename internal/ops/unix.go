package ops

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strconv"
)

// maxSocketPath is the longest path that every system takes for a socket.
const maxSocketPath = 100

// viaFolder calls use with a short path for a socket. Paths of sockets are
// bounded to about a hundred bytes; a longer one is reached through a handle
// on its folder, where the system has /proc.
func viaFolder[T any](path string, use func(path string) (T, error)) (T, error) {
	if len(path) <= maxSocketPath {
		return use(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		var none T
		return none, err
	}
	defer dir.Close() //nolint:errcheck // a handle for looking up only
	return use("/proc/self/fd/" + strconv.Itoa(int(dir.Fd())) + "/" + filepath.Base(path))
}

func listenUnix(ctx context.Context, path string) (net.Listener, error) {
	return viaFolder(path, func(path string) (net.Listener, error) {
		var c net.ListenConfig
		l, err := c.Listen(ctx, "unix", path)
		if u, ok := l.(*net.UnixListener); ok {
			u.SetUnlinkOnClose(false) // its owner removes it: the short path is gone by then
		}
		return l, err
	})
}

func dialUnix(ctx context.Context, path string) (net.Conn, error) {
	return viaFolder(path, func(path string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", path)
	})
}
