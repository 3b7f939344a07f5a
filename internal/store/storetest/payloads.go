package storetest

import (
	"context"
	"slices"
	"time"

	"tollgate"
)

// payload is what is kept of the request at n hours.
func payload(user int64, n int, chunks ...int64) tollgate.Payload {
	return tollgate.Payload{
		ID: tollgate.RequestIDAt(day().Add(time.Duration(n) * time.Hour)), UserID: user, Truncated: n%2 == 1, Bytes: 1000,
		Chunks: chunks, Sealed: []byte{0, 255, "abcdefgh"[n]},
	}
}

func chunk(user int64, digest string) tollgate.Chunk {
	return tollgate.Chunk{UserID: user, Digest: []byte(digest), Sealed: []byte("sealed " + digest)}
}

func testPayloads(b *bench) {
	t := b.t
	f := stored(t, b)
	quiet := 0
	b.s.Watch(func(context.Context, tollgate.Area) error { quiet++; return nil })
	rows := []tollgate.Payload{payload(f.user.ID, 0, 7, 5, 7, 1<<40), payload(0, 1), payload(f.user.ID, 2), payload(unknown, 3), payload(f.user.ID, 4)}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, p := range rows {
			must(t, tx.Payloads.Put(ctx, &p))
		}
		other := payload(0, 0, 9)
		must(t, tx.Payloads.Put(ctx, &other)) // stays as it was
		return nil
	})
	if quiet != 0 {
		t.Fatalf("the change feed ran %d times for payloads", quiet)
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, want := range rows {
			got, err := tx.Payloads.Get(ctx, want.ID)
			must(t, err)
			same(t, got, want)
		}
		_, err := tx.Payloads.Get(ctx, 16)
		wantCode(t, err, tollgate.CodeNotFound)
		states, err := tx.Payloads.States(ctx, []tollgate.RequestID{rows[0].ID, rows[1].ID, 16})
		must(t, err)
		same(t, states, map[tollgate.RequestID]tollgate.PayloadState{rows[0].ID: tollgate.PayloadKept, rows[1].ID: tollgate.PayloadTruncated})
		return nil
	})
	removed := func(f tollgate.PayloadFilter, limit int, want ...int64) {
		t.Helper()
		b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
			users, err := tx.Payloads.Remove(ctx, f, limit)
			must(t, err)
			if !slices.Equal(users, want) {
				t.Fatalf("%+v removed payloads of %v, want %v", f, users, want)
			}
			return nil
		})
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		gone, err := tx.Payloads.Orphans(ctx)
		must(t, err)
		same(t, gone, []int64{unknown})
		return nil
	})
	removed(tollgate.PayloadFilter{UserID: tollgate.Is[int64](unknown)}, 10, unknown)
	removed(tollgate.PayloadFilter{Before: tollgate.Some(tollgate.RequestID(0))}, 10) // before there were ids
	removed(tollgate.PayloadFilter{Before: tollgate.Some(rows[2].ID)}, 1, f.user.ID)
	removed(tollgate.PayloadFilter{Before: tollgate.Some(rows[2].ID)}, 10, 0)
	removed(tollgate.PayloadFilter{ID: tollgate.Is(rows[4].ID), UserID: tollgate.Is(f.root.ID)}, 10)
	removed(tollgate.PayloadFilter{ID: tollgate.Is(rows[4].ID)}, 10, f.user.ID)
	removed(tollgate.PayloadFilter{}, 10, f.user.ID)
	removed(tollgate.PayloadFilter{}, 10)
}

func testChunks(b *bench) {
	t := b.t
	const ann, bob = 71, 72
	chunks := []tollgate.Chunk{chunk(ann, "a"), chunk(ann, "b"), chunk(bob, "a"), chunk(ann, "c")}
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		for i := range chunks {
			must(t, tx.Payloads.AddChunk(ctx, &chunks[i]))
		}
		again := chunk(ann, "a")
		wantCode(t, tx.Payloads.AddChunk(ctx, &again), tollgate.CodeConflict)
		first, second := payload(ann, 0, chunks[0].ID, chunks[1].ID), payload(bob, 2, chunks[2].ID)
		must(t, tx.Payloads.Put(ctx, &first))
		return tx.Payloads.Put(ctx, &second)
	})
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		known, err := tx.Payloads.Known(ctx, ann, [][]byte{[]byte("a"), []byte("c"), []byte("x")})
		must(t, err)
		same(t, known, map[string]int64{"a": chunks[0].ID, "c": chunks[3].ID})
		got, err := tx.Payloads.Chunks(ctx, ann, []int64{chunks[0].ID, chunks[2].ID, unknown})
		must(t, err)
		same(t, got, chunks[:1])
		owners, err := tx.Payloads.ChunkOwners(ctx)
		must(t, err)
		same(t, owners, []int64{ann, bob})
		n, bytes, err := tx.Payloads.Size(ctx)
		must(t, err)
		same(t, n, 2)
		if bytes < 4*int64(len("sealed a"))+2*3 {
			t.Fatalf("%d bytes", bytes)
		}
		return nil
	})
	b.update(t, func(ctx context.Context, tx tollgate.Tx) error {
		unused, err := tx.Payloads.Unused(ctx, ann)
		must(t, err)
		same(t, unused, []int64{chunks[3].ID})
		_, err = tx.Payloads.Remove(ctx, tollgate.PayloadFilter{UserID: tollgate.Is[int64](ann)}, 10)
		must(t, err)
		unused, err = tx.Payloads.Unused(ctx, ann)
		must(t, err)
		same(t, unused, []int64{chunks[0].ID, chunks[1].ID, chunks[3].ID})
		freed, err := tx.Payloads.RemoveChunks(ctx, append(unused, unknown))
		must(t, err)
		same(t, freed, 3*int64(len("sealed a")))
		unused, err = tx.Payloads.Unused(ctx, bob)
		must(t, err)
		same(t, len(unused), 0)
		return nil
	})
}
