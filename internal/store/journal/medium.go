package journal

// medium is what a journal is written to.
type medium interface {
	// WriteAt puts bytes where the kernel keeps them when the process dies.
	WriteAt(b []byte, at int64) (int, error)
	// Close gives file and memory free.
	Close() error
}
