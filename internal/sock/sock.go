// Package sock reads and writes TCP sockets without telling the scheduler.
//
// Go announces every system call to its scheduler, because a call may block
// and somebody else must then have the processor. Reads and writes of the
// network never block: the sockets are non-blocking, and whoever finds nothing
// waits in the poller. The announcement is not free, and in a process that is
// idle between events, as a relay of slow streams is, it is dear: it wakes the
// runtime's monitor thread, which then looks around every 20 microseconds. A
// third of the CPU of such a relay went there (docs/decisions/025-sockets.md).
//
// On other systems than Linux connections stay as they are.
package sock

import "net"

// Listen returns l with quick connections.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

// Accept waits for the next connection and makes it quick.
func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Quick(nc), nil
}
