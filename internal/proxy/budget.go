package proxy

import (
	"sync"
	"sync/atomic"
)

// budget bounds the bytes of bodies held in memory by all calls together
// (SECURITY D-03). The zero value admits nothing.
type budget struct {
	used atomic.Int64
}

// take reserves n bytes of limit and reports whether they were free. It never
// waits: an overloaded gateway says so at once.
func (b *budget) take(n, limit int64) bool {
	if b.used.Add(n) <= limit {
		return true
	}
	b.used.Add(-n)
	return false
}

func (b *budget) give(n int64) { b.used.Add(-n) }

// The sizes of buffers, in bytes: where one starts, and up to which it is kept
// for the next call.
const (
	bufferStart = 4 << 10
	bufferKeep  = 256 << 10
)

// buffer is a body in memory, its capacity counted against the budget.
type buffer struct {
	data  []byte
	taken int64
}

// buffers lends buffers. The zero value is ready.
type buffers struct{ pool sync.Pool }

func (p *buffers) get() *buffer {
	if b, ok := p.pool.Get().(*buffer); ok {
		return b
	}
	return &buffer{data: make([]byte, 0, bufferStart)}
}

// put takes b back. The caller must be sure that nobody reads its bytes any more.
func (p *buffers) put(b *buffer) {
	if cap(b.data) <= bufferKeep {
		b.data = b.data[:0]
		p.pool.Put(b)
	}
}

// grow makes room for at least one more byte, and for hint bytes in all while
// the hint is honest: it is believed only up to bufferKeep, beyond that the
// room doubles with what has really arrived. It reports false when the budget
// is used up.
func (b *buffer) grow(bg *budget, limit, hint int64) bool {
	n := int64(cap(b.data))
	if int64(len(b.data)) == n {
		switch {
		case hint > n && hint <= bufferKeep:
			n = hint
		case hint > n:
			n = min(hint, max(2*n, bufferKeep))
		default:
			n = max(2*n, bufferStart)
		}
	}
	if more := n - b.taken; more > 0 {
		if !bg.take(more, limit) {
			return false
		}
		b.taken = n
	}
	if n > int64(cap(b.data)) {
		grown := make([]byte, len(b.data), n)
		copy(grown, b.data)
		b.data = grown
	}
	return true
}

// drop returns what b took of the budget.
func (b *buffer) drop(bg *budget) {
	bg.give(b.taken)
	b.taken = 0
}
