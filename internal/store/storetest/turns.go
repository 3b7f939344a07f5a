package storetest

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"tollgate"
)

// turn is a turn of the suite with n bytes of content.
func turn(userID int64, id string, n int) tollgate.Turn {
	return tollgate.Turn{
		UserID: userID, ResponseID: id, CreatedAt: day(), ExpiresAt: day().Add(time.Hour), Sealed: bytes.Repeat([]byte{0, 255}, n/2),
	}
}

func testTurnOwners(b *bench) {
	t := b.t
	f := stored(t, b)
	hers, service := turn(f.user.ID, "resp_1", 10), turn(0, "resp_1", 20)
	quiet := 0
	b.s.Watch(func(context.Context, tollgate.Area) error { quiet++; return nil })
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Turns.Put(ctx, &hers))
		must(t, tx.Turns.Put(ctx, &service))
		stranger := turn(99_999, "resp_1", 2)
		wantField(t, tx.Turns.Put(ctx, &stranger), tollgate.CodeInvalid, "user_id")
		nameless := turn(f.user.ID, "", 2)
		wantField(t, tx.Turns.Put(ctx, &nameless), tollgate.CodeInvalid, "response_id")
		return nil
	})
	if quiet != 0 {
		t.Fatalf("the change feed ran %d times for turns", quiet)
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, want := range []tollgate.Turn{hers, service} {
			got, err := tx.Turns.Get(ctx, want.UserID, want.ResponseID)
			must(t, err)
			same(t, got, want)
		}
		_, err := tx.Turns.Get(ctx, f.root.ID, "resp_1")
		wantCode(t, err, tollgate.CodeNotFound)
		return nil
	})
	again := turn(f.user.ID, "resp_1", 40)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		must(t, tx.Turns.Put(ctx, &again))
		n, err := tx.Turns.Size(ctx, f.user.ID)
		must(t, err)
		same(t, n, 40)
		_, err = tx.Turns.Delete(ctx, f.root.ID, "resp_1")
		wantCode(t, err, tollgate.CodeNotFound)
		freed, err := tx.Turns.Delete(ctx, 0, "resp_1")
		must(t, err)
		same(t, freed, 20)
		return tx.Users.Delete(ctx, f.user.ID)
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, owner := range []int64{0, f.user.ID} {
			_, err := tx.Turns.Get(ctx, owner, "resp_1")
			wantCode(t, err, tollgate.CodeNotFound)
			n, err := tx.Turns.Size(ctx, owner)
			must(t, err)
			same(t, n, 0)
		}
		return nil
	})
}

func testTurnBounds(b *bench) {
	t := b.t
	f := stored(t, b)
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range 10 {
			row := turn(f.user.ID, fmt.Sprintf("resp_%d", i), 10)
			row.ExpiresAt = day().Add(-time.Duration(i) * time.Minute)
			must(t, tx.Turns.Put(ctx, &row))
		}
		other := turn(0, "resp_0", 10)
		return tx.Turns.Put(ctx, &other)
	})
	left := func(want ...int) {
		t.Helper()
		b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
			kept := turnsLeft(ctx, t, tx, f.user.ID)
			same(t, kept, want)
			n, err := tx.Turns.Size(ctx, f.user.ID)
			must(t, err)
			same(t, n, int64(10*len(want)))
			return nil
		})
	}
	step := func(fn func(ctx context.Context, tx tollgate.Tx) (int64, error), want int64) {
		t.Helper()
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			n, err := fn(ctx, tx)
			same(t, n, want)
			return err
		})
	}
	step(func(ctx context.Context, tx tollgate.Tx) (int64, error) {
		return tx.Turns.Trim(ctx, f.user.ID, 15, 100)
	}, 20)
	left(2, 3, 4, 5, 6, 7, 8, 9)
	step(func(ctx context.Context, tx tollgate.Tx) (int64, error) {
		return tx.Turns.Trim(ctx, f.user.ID, 1000, 1)
	}, 10)
	left(3, 4, 5, 6, 7, 8, 9)
	step(func(ctx context.Context, tx tollgate.Tx) (int64, error) {
		return tx.Turns.Trim(ctx, f.root.ID, 1000, 100)
	}, 0)
	step(func(ctx context.Context, tx tollgate.Tx) (int64, error) { return tx.Turns.Prune(ctx, day(), 2) }, 2)
	left(3, 4, 5, 6, 7)
	step(func(ctx context.Context, tx tollgate.Tx) (int64, error) {
		return tx.Turns.Prune(ctx, day().Add(-5*time.Minute), 100)
	}, 2)
	left(3, 4, 5)
}

func turnsLeft(ctx context.Context, t *testing.T, tx tollgate.Tx, owner int64) (kept []int) {
	t.Helper()
	for i := range 10 {
		_, err := tx.Turns.Get(ctx, owner, fmt.Sprintf("resp_%d", i))
		if tollgate.ErrorCode(err) == tollgate.CodeNotFound {
			continue
		}
		must(t, err)
		kept = append(kept, i)
	}
	return kept
}
