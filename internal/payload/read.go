package payload

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"tollgate"
)

// chunkLabel binds a chunk to its user and its digest.
func chunkLabel(c *tollgate.Chunk) tollgate.Label {
	return tollgate.Label{Table: "payload_chunks", Column: "sealed", Row: c.UserID, Origin: hex.EncodeToString(c.Digest)}
}

// payloadLabel binds a payload to its request and its user.
func payloadLabel(p *tollgate.Payload) tollgate.Label {
	return tollgate.Label{Table: "payloads", Column: "sealed", Row: int64(p.ID), Origin: strconv.FormatInt(p.UserID, 10)}
}

// Read returns what is kept of a request and whose it is. Where users is set,
// what is not one of theirs does not exist: CodeNotFound.
func (k *Keeper) Read(ctx context.Context, id tollgate.RequestID, users tollgate.Match[int64]) (Content, int64, error) {
	var p tollgate.Payload
	var chunks []tollgate.Chunk
	err := k.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		if p, err = tx.Payloads.Get(ctx, id); err != nil {
			return err
		}
		if users.Set && !slices.Contains(users.Values, p.UserID) {
			return tollgate.Errorf(tollgate.CodeNotFound, "no payload is kept of the request")
		}
		chunks, err = tx.Payloads.Chunks(ctx, p.UserID, p.Chunks)
		return err
	})
	if err != nil {
		return Content{}, 0, err
	}
	content, err := k.open(&p, chunks)
	return content, p.UserID, err
}

func (k *Keeper) open(p *tollgate.Payload, chunks []tollgate.Chunk) (Content, error) {
	byID := make(map[int64][]byte, len(chunks))
	for i := range chunks {
		data, err := k.unpack(chunkLabel(&chunks[i]), chunks[i].Sealed)
		if err != nil {
			return Content{}, fmt.Errorf("read a chunk of a payload: %w", err)
		}
		byID[chunks[i].ID] = data
	}
	parts := make([][]byte, len(p.Chunks))
	for i, id := range p.Chunks {
		data, ok := byID[id]
		if !ok {
			return Content{}, fmt.Errorf("chunk %d of a payload is missing", id)
		}
		parts[i] = data
	}
	record, err := k.unpack(payloadLabel(p), p.Sealed)
	if err != nil {
		return Content{}, fmt.Errorf("read a payload: %w", err)
	}
	return readRecord(record, parts, 4*MaxBody)
}

func (k *Keeper) unpack(at tollgate.Label, sealed []byte) ([]byte, error) {
	packed, err := k.Sealer.Open(at, sealed)
	if err != nil {
		return nil, err
	}
	return k.dec.DecodeAll(packed, nil)
}
