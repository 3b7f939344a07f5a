//go:build !linux

package sock

import "net"

// Quick returns nc.
func Quick(nc net.Conn) net.Conn { return nc }
