package conversation

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"

	"tollgate"
)

// Limits bound what is kept. The zero value of a field means its default.
type Limits struct {
	Life  time.Duration // of an answer; 30 days
	Chain int64         // bytes of one conversation, before compression; 16 MiB
	Owner int64         // bytes of all that one user keeps, compressed; 256 MiB
	Turns int           // answers that one conversation may go back; 1000
}

func (l Limits) defaults() Limits {
	if l.Life == 0 {
		l.Life = 30 * 24 * time.Hour
	}
	if l.Chain == 0 {
		l.Chain = 16 << 20
	}
	if l.Owner == 0 {
		l.Owner = 256 << 20
	}
	if l.Turns == 0 {
		l.Turns = 1000
	}
	return l
}

// Steps of what the store does in one transaction, in turns.
const (
	trimStep  = 100
	pruneStep = 200
)

// Keeper keeps turns in a store. It is safe for concurrent use.
type Keeper struct {
	store  tollgate.Store
	sealer tollgate.Sealer
	now    func() time.Time
	limits Limits
	enc    *zstd.Encoder
	dec    *zstd.Decoder

	mu    sync.Mutex
	sizes map[int64]int64 // bytes by owner, as far as known
}

// NewKeeper returns a keeper of turns in s, which this process alone writes.
func NewKeeper(s tollgate.Store, sealer tollgate.Sealer, now func() time.Time, l Limits) (*Keeper, error) {
	l = l.defaults()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(2), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	most := uint64(2*l.Chain + 1<<20) //nolint:gosec // checked to be positive where it is configured
	dec, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(2), zstd.WithDecoderMaxMemory(most))
	if err != nil {
		return nil, fmt.Errorf("set up compression: %w", err)
	}
	return &Keeper{store: s, sealer: sealer, now: now, limits: l, enc: enc, dec: dec, sizes: map[int64]int64{}}, nil
}

// Limits returns the bounds in force.
func (k *Keeper) Limits() Limits { return k.limits }

// Keep stores a turn of owner (0 = the service key). One with the same id is
// replaced. When the owner's room is used up, the oldest turns make way; a turn
// over the bound of a conversation is CodeTooLarge.
func (k *Keeper) Keep(ctx context.Context, owner int64, t Turn) error {
	if t.size() > k.limits.Chain {
		return TooLong(k.limits.Chain)
	}
	row := tollgate.Turn{UserID: owner, ResponseID: t.ID, CreatedAt: k.now()}
	row.ExpiresAt = row.CreatedAt.Add(k.limits.Life)
	plain := appendRecord(make([]byte, 0, t.size()+64), &t)
	var err error
	if row.Sealed, err = k.sealer.Seal(labelOf(owner, t.ID), k.enc.EncodeAll(plain, nil)); err != nil {
		return fmt.Errorf("seal a turn: %w", err)
	}
	held, err := k.held(ctx, owner)
	if err != nil {
		return err
	}
	size := int64(len(row.Sealed))
	var freed int64
	err = k.store.Update(ctx, func(tx tollgate.Tx) error {
		freed = 0
		if over := held + size - k.limits.Owner; over > 0 {
			// A little more than needed, so that not every turn has to make room.
			var err error
			if freed, err = tx.Turns.Trim(ctx, owner, over+k.limits.Owner/32, trimStep); err != nil {
				return err
			}
		}
		return tx.Turns.Put(ctx, &row)
	})
	if err == nil {
		k.grow(owner, size-freed)
	}
	return err
}

// held returns how many bytes the owner keeps, asking the store once. Turns
// that were replaced count on until the next start, which errs on the side of
// less.
func (k *Keeper) held(ctx context.Context, owner int64) (int64, error) {
	k.mu.Lock()
	n, ok := k.sizes[owner]
	k.mu.Unlock()
	if ok {
		return n, nil
	}
	err := k.store.View(ctx, func(tx tollgate.Tx) (err error) {
		n, err = tx.Turns.Size(ctx, owner)
		return err
	})
	if err != nil {
		return 0, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if known, ok := k.sizes[owner]; ok {
		return known, nil
	}
	k.sizes[owner] = n
	return n, nil
}

func (k *Keeper) grow(owner, by int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if n, ok := k.sizes[owner]; ok {
		k.sizes[owner] = max(0, n+by)
	}
}

// Get returns a turn of owner; CodeNotFound when it is not kept, has expired
// or belongs to another.
func (k *Keeper) Get(ctx context.Context, owner int64, id string) (Turn, error) {
	var t Turn
	err := k.store.View(ctx, func(tx tollgate.Tx) (err error) {
		t, err = k.get(ctx, tx, owner, id)
		return err
	})
	return t, err
}

func (k *Keeper) get(ctx context.Context, tx tollgate.Tx, owner int64, id string) (Turn, error) {
	missing := tollgate.Errorf(tollgate.CodeNotFound, "Response with id '%s' not found.", id)
	row, err := tx.Turns.Get(ctx, owner, id)
	switch {
	case tollgate.ErrorCode(err) == tollgate.CodeNotFound:
		return Turn{}, missing
	case err != nil:
		return Turn{}, err
	case !k.now().Before(row.ExpiresAt):
		return Turn{}, missing
	}
	packed, err := k.sealer.Open(labelOf(owner, id), row.Sealed)
	if err != nil {
		return Turn{}, fmt.Errorf("open a turn: %w", err)
	}
	plain, err := k.dec.DecodeAll(packed, nil)
	if err != nil {
		return Turn{}, fmt.Errorf("unpack a turn: %w", err)
	}
	t := Turn{ID: id, CreatedAt: row.CreatedAt}
	return t, readRecord(plain, &t)
}

// History returns the items of owner's conversation up to and including the
// response id, oldest first. A link that is not kept is NotFound, a
// conversation over the bound TooLong.
func (k *Keeper) History(ctx context.Context, owner int64, id string) ([]json.RawMessage, error) {
	var parts [][]json.RawMessage
	err := k.store.View(ctx, func(tx tollgate.Tx) error {
		size := int64(0)
		for n := 0; id != ""; n++ {
			t, err := k.get(ctx, tx, owner, id)
			if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
				return NotFound(id)
			}
			if err != nil {
				return err
			}
			if size += t.size(); size > k.limits.Chain || n >= k.limits.Turns {
				return TooLong(k.limits.Chain)
			}
			parts = append(parts, t.Output(), t.Input)
			id = t.Previous
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Reverse(parts)
	return slices.Concat(parts...), nil
}

// Delete removes a turn of owner; CodeNotFound as Get.
func (k *Keeper) Delete(ctx context.Context, owner int64, id string) error {
	if _, err := k.Get(ctx, owner, id); err != nil {
		return err
	}
	var freed int64
	err := k.store.Update(ctx, func(tx tollgate.Tx) (err error) {
		freed, err = tx.Turns.Delete(ctx, owner, id)
		return err
	})
	if err == nil {
		k.grow(owner, -freed)
	}
	return err
}

// Prune removes expired turns in small steps, so that nobody waits long for
// the store. Call it hourly.
func (k *Keeper) Prune(ctx context.Context) error {
	now := k.now()
	for {
		var n int64
		err := k.store.Update(ctx, func(tx tollgate.Tx) (err error) {
			n, err = tx.Turns.Prune(ctx, now, pruneStep)
			return err
		})
		if err != nil {
			return err
		}
		if n < pruneStep {
			break
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	clear(k.sizes) // asked for anew
	return nil
}

// labelOf binds a sealed turn to its owner and its id.
func labelOf(owner int64, id string) tollgate.Label {
	return tollgate.Label{Table: "turns", Column: "sealed", Row: owner, Origin: id}
}
