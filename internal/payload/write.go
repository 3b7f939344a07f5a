package payload

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"strconv"
	"time"

	"tollgate"
)

// How payloads are written.
const (
	gatherFor = 100 * time.Millisecond // for the payloads of one transaction
	batchJobs = 32
	batchSize = 4 << 20         // bytes of bodies
	lastWords = 5 * time.Second // for what waits when the process ends
	// digestSize is the length of a chunk's digest, in bytes.
	digestSize = 16
	// recordBatch bounds the rows of one transaction that removes.
	recordBatch = 100
)

// job is a payload to be written, or, with done, a mark that is passed.
type job struct {
	Outcome
	content Content
	taken   int64
	done    chan struct{}

	cut    [3]*cutBody
	wants  []want // chunks by their place in the payload's list
	places map[string]int
}

// want is a chunk that a payload needs.
type want struct {
	digest []byte
	data   []byte
	id     int64
}

// Run writes what comes until ctx ends, and then what waits.
func (k *Keeper) Run(ctx context.Context) {
	for {
		select {
		case j := <-k.queue:
			k.write(ctx, k.gather(ctx, j))
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
			defer cancel()
			for {
				select {
				case j := <-k.queue:
					k.write(last, k.gather(last, j))
				default:
					return
				}
			}
		}
	}
}

// Flush waits until what was handed over before is written.
func (k *Keeper) Flush(ctx context.Context) error {
	j := &job{done: make(chan struct{})}
	select {
	case k.queue <- j:
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "payloads were not written in time")
	}
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
		return tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "payloads were not written in time")
	}
}

// gather waits a moment for more jobs: a transaction for each would cost the
// requests' own rows their place.
func (k *Keeper) gather(ctx context.Context, first *job) []*job {
	jobs, size := []*job{first}, first.taken
	t := time.NewTimer(gatherFor)
	defer t.Stop()
	for len(jobs) < batchJobs && size < batchSize && jobs[len(jobs)-1].done == nil {
		select {
		case j := <-k.queue:
			jobs, size = append(jobs, j), size+j.taken
		case <-t.C:
			return jobs
		case <-ctx.Done():
			return jobs
		}
	}
	return jobs
}

// write writes jobs in one transaction, gives back their room, and then tells
// those who wait.
func (k *Keeper) write(ctx context.Context, jobs []*job) {
	k.writeAll(ctx, jobs)
	for _, j := range jobs {
		if j.done != nil {
			close(j.done)
		}
	}
}

// writeAll counts jobs that the store does not take; they are gone.
func (k *Keeper) writeAll(ctx context.Context, jobs []*job) {
	var todo []*job
	for _, j := range jobs {
		if j.done != nil {
			continue
		}
		defer k.taken.Add(-j.taken)
		if k.prepared(ctx, j) {
			todo = append(todo, j)
		}
	}
	if len(todo) == 0 {
		return
	}
	k.chunks.Lock()
	defer k.chunks.Unlock()
	size, err := k.store(ctx, todo)
	if err != nil {
		clear(k.known) // what is there is asked for anew
		k.stats.failed.Add(int64(len(todo)))
		k.Log.WarnContext(ctx, "payloads could not be kept", "requests", len(todo), "error", err)
		return
	}
	k.stats.kept.Add(int64(len(todo)))
	if k.size.Add(size) > k.settings.Load().Total {
		select {
		case k.over <- struct{}{}:
		default:
		}
	}
}

// prepared prepares a job; it reports false when that panicked: what a body
// holds must not end the process.
func (k *Keeper) prepared(ctx context.Context, j *job) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			k.stats.failed.Add(1)
			k.Log.ErrorContext(ctx, "preparing a payload panicked", "request_id", j.ID.String(), "panic", fmt.Sprintf("%T", v))
		}
	}()
	k.prepare(j)
	return true
}

// prepare takes secrets out of the bodies and cuts them. The answer is nobody
// else's: it is one piece.
func (k *Keeper) prepare(j *job) {
	j.places = map[string]int{}
	for i, at := range j.content.bodies() {
		b := *at
		if b == nil {
			continue
		}
		cut := b.Truncated
		b.Data = j.Scrub(b.Data)
		if !cut {
			b.Bytes = int64(len(b.Data))
		} else {
			b.Bytes = max(b.Bytes, int64(len(b.Data))+1)
		}
		c := &cutBody{Body: b, pieces: []piece{{b.Data, false}}}
		if at != &j.content.Response {
			c.pieces = split(b.Data)
		}
		for _, p := range c.pieces {
			if p.shared {
				c.chunks = append(c.chunks, k.place(j, p.data))
			}
		}
		j.cut[i] = c
	}
}

// place returns the place of a chunk in the list of its payload.
func (k *Keeper) place(j *job, data []byte) int {
	keyed := binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(data)), uint64(j.UserID)) //nolint:gosec // a bijection
	sum := k.MAC("payload chunk", append(keyed, data...))
	digest := string(sum[:digestSize])
	at, ok := j.places[digest]
	if !ok {
		at = len(j.wants)
		j.places[digest] = at
		j.wants = append(j.wants, want{digest: []byte(digest), data: data})
	}
	return at
}

// fresh is a chunk that is not kept yet.
type fresh struct {
	tollgate.Chunk
	name string
}

// store writes prepared jobs and returns how many bytes that took.
func (k *Keeper) store(ctx context.Context, jobs []*job) (size int64, err error) {
	if err := k.lookUp(ctx, jobs); err != nil {
		return 0, err
	}
	add, err := k.seal(jobs)
	if err != nil {
		return 0, err
	}
	added := map[string]int64{}
	err = k.Store.Update(ctx, func(tx tollgate.Tx) error {
		clear(added)
		size = 0
		for i := range add {
			if err := tx.Payloads.AddChunk(ctx, &add[i].Chunk); err != nil {
				return err
			}
			added[add[i].name] = add[i].ID
			size += int64(len(add[i].Sealed))
		}
		for _, j := range jobs {
			p, err := k.payload(j, added)
			if err != nil {
				return err
			}
			if err := tx.Payloads.Put(ctx, &p); err != nil {
				return err
			}
			size += int64(len(p.Sealed))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	if len(k.known)+len(added) > knownChunks {
		clear(k.known)
	}
	maps.Copy(k.known, added)
	return size, nil
}

// nameOf is a chunk's key in known.
func nameOf(userID int64, digest []byte) string {
	return strconv.FormatInt(userID, 10) + " " + string(digest)
}

// lookUp asks the store for chunks that are not known to be there.
func (k *Keeper) lookUp(ctx context.Context, jobs []*job) error {
	asked := map[int64][][]byte{}
	seen := map[string]bool{}
	for _, j := range jobs {
		for _, w := range j.wants {
			if name := nameOf(j.UserID, w.digest); k.known[name] == 0 && !seen[name] {
				seen[name] = true
				asked[j.UserID] = append(asked[j.UserID], w.digest)
			}
		}
	}
	if len(asked) == 0 {
		return nil
	}
	if len(k.known) > knownChunks {
		clear(k.known)
	}
	return k.Store.View(ctx, func(tx tollgate.Tx) error {
		for user, digests := range asked {
			found, err := tx.Payloads.Known(ctx, user, digests)
			if err != nil {
				return err
			}
			for digest, id := range found {
				k.known[nameOf(user, []byte(digest))] = id
			}
		}
		return nil
	})
}

// seal packs the chunks that are new, each once, and fills in the ids of those
// that are known.
func (k *Keeper) seal(jobs []*job) (add []fresh, err error) {
	seen := map[string]bool{}
	for _, j := range jobs {
		for i := range j.wants {
			w := &j.wants[i]
			name := nameOf(j.UserID, w.digest)
			if w.id = k.known[name]; w.id != 0 || seen[name] {
				continue
			}
			seen[name] = true
			c := tollgate.Chunk{UserID: j.UserID, Digest: w.digest}
			if c.Sealed, err = k.Sealer.Seal(chunkLabel(&c), k.enc.EncodeAll(w.data, nil)); err != nil {
				return nil, err
			}
			add = append(add, fresh{c, name})
		}
	}
	return add, nil
}

// payload is the row of a job; added are the ids of chunks that are new.
func (k *Keeper) payload(j *job, added map[string]int64) (tollgate.Payload, error) {
	p := tollgate.Payload{ID: j.ID, UserID: j.UserID}
	for _, w := range j.wants {
		id := w.id
		if id == 0 {
			id = added[nameOf(j.UserID, w.digest)]
		}
		p.Chunks = append(p.Chunks, id)
	}
	for _, c := range j.cut {
		if c != nil {
			p.Bytes += int64(len(c.Data))
			p.Truncated = p.Truncated || c.Bytes > int64(len(c.Data))
		}
	}
	var err error
	p.Sealed, err = k.Sealer.Seal(payloadLabel(&p), k.enc.EncodeAll(appendRecord(nil, j.cut), nil))
	return p, err
}
