package payload

import (
	"encoding/binary"
	"errors"
)

// Body is one body of a request.
type Body struct {
	// Type is its content type.
	Type string
	// Data is what is kept of it.
	Data []byte
	// Bytes is how long it was, Truncated that Data is less.
	Bytes     int64
	Truncated bool
}

// Content is what is kept of a request; nil = there was no such body, or it is
// not kept.
type Content struct {
	Request  *Body // as the client sent it
	Sent     *Body // as a provider of another dialect got it
	Response *Body // as the client got it: of a stream, its bytes
}

// bodies are the bodies in the order of a record.
func (c *Content) bodies() [3]**Body { return [3]**Body{&c.Request, &c.Sent, &c.Response} }

// recordVersion is the first byte of a record.
const recordVersion = 1

// errRecord is a record that cannot be read.
var errRecord = errors.New("the record of a payload is damaged")

// cutBody is a body in pieces, each shared one with its place in the list of chunks.
type cutBody struct {
	*Body
	pieces []piece
	chunks []int // of shared pieces, in their order
}

// appendRecord writes bodies: of shared pieces only which chunk they are. A
// body that is nil is left out.
func appendRecord(dst []byte, bodies [3]*cutBody) []byte {
	dst = append(dst, recordVersion)
	for _, b := range bodies {
		if b == nil {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		dst = binary.AppendUvarint(dst, uint64(b.Bytes)) //nolint:gosec // a length
		dst = appendText(dst, b.Type)
		dst = binary.AppendUvarint(dst, uint64(len(b.pieces)))
		next := 0
		for _, p := range b.pieces {
			if p.shared {
				dst = binary.AppendUvarint(dst, uint64(b.chunks[next])<<1|1) //nolint:gosec // an index
				next++
				continue
			}
			dst = binary.AppendUvarint(dst, uint64(len(p.data))<<1)
			dst = append(dst, p.data...)
		}
	}
	return dst
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// readRecord reads what appendRecord wrote; chunks are the contents of the
// shared pieces. What is read is at most limit bytes long.
func readRecord(b []byte, chunks [][]byte, limit int64) (Content, error) {
	r := reader{b: b, left: limit}
	var c Content
	if r.byte() != recordVersion {
		return c, errRecord
	}
	for _, at := range c.bodies() {
		if r.byte() == 0 {
			continue
		}
		body := &Body{Bytes: int64(r.number()), Type: string(r.take(r.number())), Data: []byte{}} //nolint:gosec // compared below
		for n := r.number(); n > 0 && !r.failed; n-- {
			body.Data = append(body.Data, r.piece(chunks)...)
		}
		body.Truncated = body.Bytes > int64(len(body.Data))
		*at = body
	}
	if r.failed || len(r.b) > 0 {
		return Content{}, errRecord
	}
	return c, nil
}

// reader reads a record; after a failure it gives zeros.
type reader struct {
	b      []byte
	left   int64 // bytes of content that may still be read
	failed bool
}

func (r *reader) fail() { r.b, r.failed = nil, true }

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.b = r.b[1:]
	return c
}

func (r *reader) number() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) piece(chunks [][]byte) (out []byte) {
	v := r.number()
	if v&1 == 0 {
		out = r.take(v >> 1)
	} else if i := v >> 1; i < uint64(len(chunks)) {
		out = chunks[i]
	} else {
		r.fail()
	}
	if r.left -= int64(len(out)); r.left < 0 {
		r.fail()
		return nil
	}
	return out
}
