package journal

import "os"

// medium is what a journal is written to.
type medium interface {
	// WriteAt puts bytes where the kernel keeps them when the process dies.
	WriteAt(b []byte, at int64) (int, error)
	// Close gives file and memory free.
	Close() error
	// release gives memory free, and leaves the file open.
	release() error
}

// plain writes by calls to the kernel.
type plain struct{ *os.File }

func (plain) release() error { return nil }
