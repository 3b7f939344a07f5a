//go:build unix

package storetest

import (
	"syscall"
	"testing"
)

// ProcessCPU is the user and system time of the process so far, in
// nanoseconds, for benchmarks.
func ProcessCPU(b *testing.B) int64 {
	b.Helper()
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		b.Fatal(err)
	}
	return r.Utime.Nano() + r.Stime.Nano()
}
