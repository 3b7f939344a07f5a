//go:build linux || darwin

package journal

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"syscall"
)

// mapped writes into memory that is the file.
type mapped struct {
	file  *os.File
	bytes []byte
}

// newMedium maps a file, or writes it where it cannot be mapped: some network
// file systems.
func newMedium(f *os.File, size int64) (medium, error) {
	b, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if errors.Is(err, syscall.ENODEV) || errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.EACCES) {
		return f, nil
	}
	return &mapped{f, b}, err
}

// WriteAt copies. A page that the file system cannot provide after all (a disk
// that fails, or one that copies on write and is full) is an error, and not the
// end of the process.
func (m *mapped) WriteAt(b []byte, at int64) (n int, err error) {
	if at < 0 || at+int64(len(b)) > int64(len(m.bytes)) {
		return 0, io.ErrShortWrite // closed
	}
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			n, err = 0, fmt.Errorf("the journal cannot be written: %v", p)
		}
	}()
	return copy(m.bytes[at:], b), nil
}

// Close ends the mapping; the kernel keeps what was written.
func (m *mapped) Close() (err error) {
	if m.bytes != nil {
		err = syscall.Munmap(m.bytes)
	}
	m.bytes = nil
	return errors.Join(err, m.file.Close())
}
