// Package payload keeps the bodies of requests for who asks for it: cut into
// parts of which each user has every one once, compressed, sealed, and written
// in the background. What is kept never holds up or fails a request: without
// room it is dropped and counted.
package payload

import (
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/klauspost/compress/zstd"

	"tollgate"
)

// Settings say what is kept, and how long.
type Settings struct {
	// Mode is of which requests bodies are kept; keys may ask for more.
	Mode tollgate.PayloadMode
	// Body is how much is kept of one body, in bytes.
	Body int64
	// Sent also keeps what went to a provider of another dialect.
	Sent bool
	// Life is how long bodies are kept.
	Life time.Duration
	// Total is how many bytes are kept of all users together, sealed.
	Total int64
}

// MaxBody is the most that Settings.Body may be.
const MaxBody = 16 << 20

const (
	// queueLength and queueBytes bound what waits to be written, queueBytes also
	// what is collected of requests under way.
	queueLength = 1024
	queueBytes  = 64 << 20
	// knownChunks is how many chunks are remembered between two looks into the store.
	knownChunks = 32 << 10
)

// Keeper keeps payloads in a store that this process alone writes. The fields
// are required and may not change once it is used; Set may be called at any time.
type Keeper struct {
	Store  tollgate.Store
	Sealer tollgate.Sealer
	// MAC is a keyed digest.
	MAC func(purpose string, data []byte) [32]byte
	Now func() time.Time
	Log *slog.Logger
	// QueueBytes bounds what waits, and what is collected; 0 = 64 MiB.
	QueueBytes int64

	settings atomic.Pointer[Settings]
	enc      *zstd.Encoder
	dec      *zstd.Decoder
	queue    chan *job
	over     chan struct{} // more is kept than Total
	taken    atomic.Int64
	stats    counters

	// chunks is held by who adds or removes chunks, so that none is removed that
	// a payload on its way needs.
	chunks sync.Mutex
	known  map[string]int64 // chunk ids by user and digest, under chunks
	size   atomic.Int64     // bytes kept, once measured is set
	swept  bool             // everything, since the start; of Prune
}

type counters struct{ kept, dropped, failed atomic.Int64 }

// Stats are counters since the start, and gauges.
type Stats struct {
	Kept    int64 // payloads written
	Dropped int64 // for want of room
	Failed  int64 // that the store did not take
	Waiting int64 // bytes that are collected or wait to be written
	Bytes   int64 // kept, as far as known
}

// Open makes k ready with its first settings.
func (k *Keeper) Open(s Settings) (err error) {
	if k.enc, err = zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithLowerEncoderMem(true)); err != nil {
		return fmt.Errorf("set up compression: %w", err)
	}
	if k.dec, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(4*MaxBody)); err != nil {
		return fmt.Errorf("set up compression: %w", err)
	}
	if k.QueueBytes == 0 {
		k.QueueBytes = queueBytes
	}
	k.queue, k.over, k.known = make(chan *job, queueLength), make(chan struct{}, 1), map[string]int64{}
	k.Set(s)
	return nil
}

// Set puts settings in force.
func (k *Keeper) Set(s Settings) { k.settings.Store(&s) }

// Stats returns the current figures.
func (k *Keeper) Stats() Stats {
	return Stats{
		Kept: k.stats.kept.Load(), Dropped: k.stats.dropped.Load(), Failed: k.stats.failed.Load(),
		Waiting: k.taken.Load(), Bytes: k.size.Load(),
	}
}

// Begin starts collecting the bodies of a request by key (nil = by none); nil
// = nothing is kept of it. What the settings ask for holds for every key, which
// may ask for more.
func (k *Keeper) Begin(key *tollgate.Key) *Capture {
	s := k.settings.Load()
	mode := s.Mode
	if key != nil {
		mode = mode.Or(key.Payloads)
	}
	if mode != tollgate.PayloadsErrors && mode != tollgate.PayloadsAll {
		return nil
	}
	return &Capture{k: k, mode: mode, body: s.Body, wantsSent: s.Sent}
}

// take counts n more bytes; it reports false when there is no room.
func (k *Keeper) take(n int64) bool {
	if k.taken.Add(n) > k.QueueBytes {
		k.taken.Add(-n)
		return false
	}
	return true
}

// Capture collects the bodies of one request. It is used by one goroutine at a
// time, and ends with Finish.
type Capture struct {
	k         *Keeper
	mode      tollgate.PayloadMode
	body      int64
	wantsSent bool
	content   Content
	taken     int64
	lost      bool // there was no room
}

// Request notes the body of the request; it is copied.
func (c *Capture) Request(kind string, body []byte) { c.add(&c.content.Request, kind, body) }

// Sent notes what goes to a provider of another dialect, in place of what went
// to one before; it is copied, if it is kept at all.
func (c *Capture) Sent(body []byte) {
	if !c.wantsSent {
		return
	}
	if c.content.Sent != nil {
		c.give(int64(len(c.content.Sent.Data)))
		c.content.Sent = nil
	}
	c.add(&c.content.Sent, "application/json", body)
}

// Answer notes a part of what the client gets; it is copied.
func (c *Capture) Answer(kind string, part []byte) { c.add(&c.content.Response, kind, part) }

func (c *Capture) add(at **Body, kind string, data []byte) {
	if c.lost {
		return
	}
	if *at == nil {
		*at = &Body{Type: kind}
	}
	b := *at
	b.Bytes += int64(len(data))
	n := min(int64(len(data)), c.body-int64(len(b.Data)))
	if n < int64(len(data)) {
		b.Truncated = true
	}
	if n <= 0 {
		return
	}
	if !c.k.take(n) {
		c.lost, c.content = true, Content{}
		c.give(c.taken)
		return
	}
	c.taken += n
	b.Data = append(b.Data, data[:n]...)
}

func (c *Capture) give(n int64) {
	c.taken -= n
	c.k.taken.Add(-n)
}

// Outcome is what became of a request.
type Outcome struct {
	ID     tollgate.RequestID
	UserID int64
	Failed bool
	// Scrub takes secrets out of a body.
	Scrub func([]byte) []byte
}

// Finish hands over what was collected, if the request is one to be kept. It
// never waits.
func (c *Capture) Finish(o Outcome) {
	if c.mode == tollgate.PayloadsErrors && !o.Failed {
		c.give(c.taken)
		return
	}
	if !c.lost {
		select {
		case c.k.queue <- &job{Outcome: o, content: c.content, taken: c.taken}:
			return
		default:
		}
	}
	c.give(c.taken)
	c.k.stats.dropped.Add(1)
}
