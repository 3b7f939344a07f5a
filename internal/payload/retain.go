package payload

import (
	"context"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/life"
)

// How payloads are removed.
const (
	// pruneEvery is how often it is looked what is too old.
	pruneEvery = 10 * time.Minute
	// trimShare is the part of all payloads that makes room at a time.
	trimShare = 32
	// restShare is how many times as long as a step took it is waited before the next.
	restShare = 4
)

// Retain removes what is too old or too much until ctx ends.
func (k *Keeper) Retain(ctx context.Context) {
	tick := time.NewTicker(pruneEvery)
	defer tick.Stop()
	for {
		if err := k.Prune(ctx); err != nil && ctx.Err() == nil {
			k.Log.ErrorContext(ctx, "old payloads could not be removed", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-k.over:
		}
	}
}

// Prune removes payloads of users who are gone, those that are older than
// Settings.Life, and the oldest as long as all take more than Settings.Total.
// The first call also removes chunks that a process which died left unused.
func (k *Keeper) Prune(ctx context.Context) error {
	s := k.settings.Load()
	doomed := []tollgate.PayloadFilter{{Before: tollgate.Some(tollgate.RequestIDAt(k.Now().Add(-s.Life)))}}
	// Who is gone is found by a reader: the search must not hold the writer.
	err := k.Store.View(ctx, func(tx tollgate.Tx) error {
		gone, err := tx.Payloads.Orphans(ctx)
		if len(gone) > 0 {
			doomed = append(doomed, tollgate.PayloadFilter{UserID: tollgate.Is(gone...)})
		}
		return err
	})
	if err != nil {
		return err
	}
	for _, f := range doomed {
		if _, err := k.remove(ctx, f, 0, nil); err != nil {
			return err
		}
	}
	if !k.swept {
		if err := k.sweepAll(ctx); err != nil {
			return err
		}
		k.swept = true
	}
	return k.trim(ctx, s.Total)
}

// trim removes the oldest payloads until all take at most so many bytes.
func (k *Keeper) trim(ctx context.Context, most int64) error {
	for {
		n, bytes, err := k.measure(ctx)
		if err != nil || bytes <= most || n == 0 {
			return err
		}
		gone, err := k.remove(ctx, tollgate.PayloadFilter{}, max(1, n/trimShare), nil)
		if err != nil {
			return err
		}
		k.Log.InfoContext(ctx, "payloads made room", "removed", gone, "bytes", bytes, "limit", most)
	}
}

func (k *Keeper) measure(ctx context.Context) (n, bytes int64, err error) {
	k.chunks.Lock()
	defer k.chunks.Unlock()
	err = k.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		n, bytes, err = tx.Payloads.Size(ctx)
		return err
	})
	if err == nil {
		k.size.Store(bytes)
	}
	return n, bytes, err
}

// Clear removes the payloads that f selects, those that wait to be written
// included, and what only they needed. note, if not nil, runs in the first
// transaction of it.
func (k *Keeper) Clear(ctx context.Context, f tollgate.PayloadFilter, note func(tollgate.Tx) error) (int64, error) {
	if err := k.Flush(ctx); err != nil {
		return 0, err
	}
	gone, err := k.remove(ctx, f, 0, note)
	if err != nil {
		return gone, err
	}
	_, _, err = k.measure(ctx)
	return gone, err
}

// Forgetting runs fn, which removes all payloads and chunks from the store, when
// what waits is written, and lets nothing be written meanwhile.
func (k *Keeper) Forgetting(ctx context.Context, fn func() error) error {
	if err := k.Flush(ctx); err != nil {
		return err
	}
	k.chunks.Lock()
	err := fn()
	clear(k.known)
	k.chunks.Unlock()
	if err != nil {
		return err
	}
	_, _, err = k.measure(ctx)
	return err
}

// remove removes payloads in small steps, at most limit (0 = all), and then the
// chunks that nothing needs any more.
func (k *Keeper) remove(ctx context.Context, f tollgate.PayloadFilter, limit int64, note func(tollgate.Tx) error) (gone int64, err error) {
	owners := map[int64]bool{}
	for more := true; more; {
		step := int64(recordBatch)
		if limit > 0 {
			step = min(step, limit-gone)
		}
		var users []int64
		start := k.Now()
		err := k.Store.Update(ctx, func(tx tollgate.Tx) (err error) {
			if note != nil {
				if err := note(tx); err != nil {
					return err
				}
			}
			users, err = tx.Payloads.Remove(ctx, f, int(step))
			return err
		})
		if err != nil {
			return gone, err
		}
		note = nil
		for _, u := range users {
			owners[u] = true
		}
		gone += int64(len(users))
		more = int64(len(users)) == step && (limit == 0 || gone < limit)
		if more && !life.Sleep(ctx, restShare*k.Now().Sub(start)) {
			return gone, ctx.Err()
		}
	}
	for owner := range owners {
		if err := k.sweep(ctx, owner); err != nil {
			return gone, err
		}
	}
	return gone, nil
}

// sweepAll sweeps everybody's chunks.
func (k *Keeper) sweepAll(ctx context.Context) error {
	var owners []int64
	err := k.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		owners, err = tx.Payloads.ChunkOwners(ctx)
		return err
	})
	for _, owner := range owners {
		if err == nil {
			err = k.sweep(ctx, owner)
		}
	}
	return err
}

// sweep removes the chunks of a user that no payload needs. Nothing is written
// meanwhile: a payload on its way could need one of them.
func (k *Keeper) sweep(ctx context.Context, owner int64) error {
	k.chunks.Lock()
	defer k.chunks.Unlock()
	var unused []int64
	err := k.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		unused, err = tx.Payloads.Unused(ctx, owner)
		return err
	})
	if err != nil || len(unused) == 0 {
		return err
	}
	clear(k.known)
	for part := range slices.Chunk(unused, recordBatch) {
		start := k.Now()
		err := k.Store.Update(ctx, func(tx tollgate.Tx) error {
			_, err := tx.Payloads.RemoveChunks(ctx, part)
			return err
		})
		if err != nil {
			return err
		}
		if !life.Sleep(ctx, restShare*k.Now().Sub(start)) {
			return ctx.Err()
		}
	}
	return nil
}
