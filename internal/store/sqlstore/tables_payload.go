package sqlstore

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"

	"tollgate"
)

// payloads keeps bodies of requests. It touches no area.
type payloads struct{ s *session }

// Put adds a payload.
func (t payloads) Put(ctx context.Context, p *tollgate.Payload) error {
	const query = "INSERT INTO payloads (id, user_id, truncated, bytes, size, chunks, sealed) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING"
	ids := packIDs(p.Chunks)
	_, err := t.s.exec(ctx, query, int64(p.ID), p.UserID, p.Truncated, p.Bytes, int64(len(ids)+len(p.Sealed)), ids, p.Sealed)
	return t.s.fail(ctx, err, "keep a payload")
}

// Get returns the payload of a request.
func (t payloads) Get(ctx context.Context, id tollgate.RequestID) (tollgate.Payload, error) {
	p := tollgate.Payload{ID: id}
	var ids []byte
	const query = "SELECT user_id, truncated, bytes, chunks, sealed FROM payloads WHERE id = $1"
	err := t.s.tx.QueryRowContext(ctx, query, int64(id)).Scan(&p.UserID, &p.Truncated, &p.Bytes, &ids, &p.Sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return p, tollgate.Errorf(tollgate.CodeNotFound, "no payload is kept of the request")
	}
	if err == nil {
		p.Chunks, err = unpackIDs(ids)
	}
	return p, t.s.fail(ctx, err, "read a payload")
}

// States returns of which requests something is kept.
func (t payloads) States(ctx context.Context, ids []tollgate.RequestID) (map[tollgate.RequestID]tollgate.PayloadState, error) {
	out := map[tollgate.RequestID]tollgate.PayloadState{}
	if len(ids) == 0 {
		return out, nil
	}
	w := where{engine: t.s.engine}
	ints(&w, "id", tollgate.Is(ids...))
	err := collect(ctx, t.s.tx, "SELECT id, truncated FROM payloads"+w.clause(), func(scan func(...any) error) error {
		var id int64
		var cut bool
		err := scan(&id, &cut)
		out[tollgate.RequestID(id)] = tollgate.PayloadKept
		if cut {
			out[tollgate.RequestID(id)] = tollgate.PayloadTruncated
		}
		return err
	}, w.args...)
	return out, t.s.fail(ctx, err, "look for payloads")
}

// AddChunk adds a chunk.
func (t payloads) AddChunk(ctx context.Context, c *tollgate.Chunk) error {
	const query = "INSERT INTO payload_chunks (user_id, digest, size, sealed) VALUES ($1, $2, $3, $4) RETURNING id"
	err := t.s.write(ctx, func() error {
		return t.s.tx.QueryRowContext(ctx, query, c.UserID, c.Digest, len(c.Sealed), c.Sealed).Scan(&c.ID)
	})
	if err != nil && t.s.engine.classify(err).kind == failUnique {
		return tollgate.WrapError(tollgate.CodeConflict, err, "the chunk is kept already")
	}
	return t.s.fail(ctx, err, "keep a chunk")
}

// Known returns the ids of chunks by their digests.
func (t payloads) Known(ctx context.Context, userID int64, digests [][]byte) (map[string]int64, error) {
	out := make(map[string]int64, len(digests))
	for _, d := range digests {
		var id int64
		err := t.s.tx.QueryRowContext(ctx, "SELECT id FROM payload_chunks WHERE user_id = $1 AND digest = $2", userID, d).Scan(&id)
		switch {
		case errors.Is(err, sql.ErrNoRows):
		case err != nil:
			return nil, t.s.fail(ctx, err, "look for chunks "+hex.EncodeToString(d))
		default:
			out[string(d)] = id
		}
	}
	return out, nil
}

// Chunks returns chunks of a user by their ids.
func (t payloads) Chunks(ctx context.Context, userID int64, ids []int64) (out []tollgate.Chunk, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	w := where{engine: t.s.engine}
	ints(&w, "id", tollgate.Is(ids...))
	ints(&w, "user_id", tollgate.Is(userID))
	err = collect(ctx, t.s.tx, "SELECT id, digest, sealed FROM payload_chunks"+w.clause(), func(scan func(...any) error) error {
		c := tollgate.Chunk{UserID: userID}
		err := scan(&c.ID, &c.Digest, &c.Sealed)
		out = append(out, c)
		return err
	}, w.args...)
	return out, t.s.fail(ctx, err, "read chunks")
}

// Remove removes payloads, the oldest first.
func (t payloads) Remove(ctx context.Context, f tollgate.PayloadFilter, limit int) (users []int64, err error) {
	w := where{engine: t.s.engine}
	ints(&w, "id", f.ID)
	ints(&w, "user_id", f.UserID)
	if before, given := f.Before.Given(); given {
		w.add("id < " + w.arg(int64(before)))
	}
	var ids []int64
	query := "SELECT id, user_id FROM payloads" + w.clause() + " ORDER BY id LIMIT " + w.arg(limit)
	err = collect(ctx, t.s.tx, query, func(scan func(...any) error) error {
		var id, user int64
		err := scan(&id, &user)
		ids, users = append(ids, id), append(users, user)
		return err
	}, w.args...)
	if err == nil {
		err = t.removeRows(ctx, "payloads", ids)
	}
	return users, t.s.fail(ctx, err, "remove payloads")
}

func (t payloads) removeRows(ctx context.Context, table string, ids []int64) error {
	if len(ids) == 0 {
		return nil
	}
	w := where{engine: t.s.engine}
	ints(&w, "id", tollgate.Is(ids...))
	_, err := t.s.exec(ctx, "DELETE FROM "+table+w.clause(), w.args...)
	return err
}

// Unused returns the chunks of a user that no payload needs.
func (t payloads) Unused(ctx context.Context, userID int64) (unused []int64, err error) {
	needed := map[int64]bool{}
	err = collect(ctx, t.s.tx, "SELECT chunks FROM payloads WHERE user_id = $1", func(scan func(...any) error) error {
		var packed []byte
		if err := scan(&packed); err != nil {
			return err
		}
		ids, err := unpackIDs(packed)
		for _, id := range ids {
			needed[id] = true
		}
		return err
	}, userID)
	if err != nil {
		return nil, t.s.fail(ctx, err, "look for unused chunks")
	}
	err = collect(ctx, t.s.tx, "SELECT id FROM payload_chunks WHERE user_id = $1 ORDER BY id", func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		if !needed[id] {
			unused = append(unused, id)
		}
		return err
	}, userID)
	return unused, t.s.fail(ctx, err, "look for unused chunks")
}

// RemoveChunks removes chunks by their ids.
func (t payloads) RemoveChunks(ctx context.Context, ids []int64) (freed int64, err error) {
	if len(ids) == 0 {
		return 0, nil
	}
	w := where{engine: t.s.engine}
	ints(&w, "id", tollgate.Is(ids...))
	freed, err = t.s.number(ctx, "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM payload_chunks"+w.clause(), w.args...)
	if err == nil {
		err = t.removeRows(ctx, "payload_chunks", ids)
	}
	return freed, t.s.fail(ctx, err, "remove chunks")
}

// ChunkOwners returns who has chunks.
func (t payloads) ChunkOwners(ctx context.Context) ([]int64, error) {
	return t.owners(ctx, "SELECT DISTINCT user_id FROM payload_chunks ORDER BY user_id")
}

// Orphans returns the users who are gone and have payloads.
func (t payloads) Orphans(ctx context.Context) ([]int64, error) {
	return t.owners(ctx, "SELECT user_id FROM (SELECT DISTINCT user_id FROM payloads WHERE user_id <> 0) AS owners"+
		" WHERE NOT EXISTS (SELECT 1 FROM users WHERE users.id = owners.user_id) ORDER BY user_id")
}

func (t payloads) owners(ctx context.Context, query string) (out []int64, err error) {
	err = collect(ctx, t.s.tx, query, func(scan func(...any) error) error {
		var id int64
		err := scan(&id)
		out = append(out, id)
		return err
	})
	return out, t.s.fail(ctx, err, "list owners of payloads")
}

// Size returns how much there is.
func (t payloads) Size(ctx context.Context) (n, bytes int64, err error) {
	const query = "SELECT (SELECT COUNT(*) FROM payloads)," +
		" CAST(COALESCE((SELECT SUM(size) FROM payloads), 0) + COALESCE((SELECT SUM(size) FROM payload_chunks), 0) AS BIGINT)"
	err = t.s.tx.QueryRowContext(ctx, query).Scan(&n, &bytes)
	return n, bytes, t.s.fail(ctx, err, "measure payloads")
}

// packIDs writes ids as the differences between each and the one before, which
// are small where a conversation goes on.
func packIDs(ids []int64) []byte {
	out := make([]byte, 0, 2*len(ids))
	var last int64
	for _, id := range ids {
		out = binary.AppendVarint(out, id-last)
		last = id
	}
	return out
}

func unpackIDs(packed []byte) (ids []int64, err error) {
	var last int64
	for len(packed) > 0 {
		d, n := binary.Varint(packed)
		if n <= 0 {
			return nil, errors.New("the list of a payload's chunks is damaged")
		}
		last += d
		ids, packed = append(ids, last), packed[n:]
	}
	return ids, nil
}
