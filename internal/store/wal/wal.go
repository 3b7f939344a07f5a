// Package wal finds the committed pages in a write-ahead log of SQLite, so that
// a database can be looked at without SQLite replaying the log. It is a package
// of its own so that its parser can be fuzzed without the weight of SQLite.
package wal

import (
	"encoding/binary"
	"errors"
	"io"
	"maps"
)

// The log as SQLite's file format document describes it: a header of 32 bytes,
// then frames of a 24-byte header and one page each. A frame counts when its
// salts are the header's and the running checksum fits, up to the last one that
// ends a commit.
const (
	headerSize   = 32
	frameSize    = 24
	magic        = 0x377f0682 // low bit: checksums are over big-endian words
	format       = 3007000
	minPageSize  = 512
	maxPageSize  = 65536
	checksumSpan = 8 // bytes of a frame header that its checksum covers
)

// Pages tells where the committed pages of a log are.
type Pages struct {
	// Size is that of a page, in bytes.
	Size int64
	// At is the offset of a page's newest committed content in the log, by
	// page number from 1.
	At map[uint32]int64
	// Count is the size of the database, in pages, after the last commit;
	// 0 = the log holds no commit.
	Count uint32
}

// Read reads a log to its last whole commit. A damaged or foreign log has no
// commits, as SQLite sees it. Errors are those of r.
func Read(r io.Reader) (Pages, error) {
	var head [headerSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return Pages{}, atEnd(err)
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(head[i:]) }
	size := int64(word(8))
	if word(0)&^1 != magic || word(4) != format || size < minPageSize || size > maxPageSize || size&(size-1) != 0 {
		return Pages{}, nil
	}
	sum := sum32{order: binary.LittleEndian}
	if word(0)&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return Pages{}, nil
	}
	out := Pages{Size: size, At: map[uint32]int64{}}
	open := map[uint32]int64{} // pages of the commit that is being read
	frame := make([]byte, frameSize+size)
	for offset := int64(headerSize); ; offset += int64(len(frame)) {
		if _, err := io.ReadFull(r, frame); err != nil {
			return out, atEnd(err)
		}
		sum.add(frame[:checksumSpan])
		sum.add(frame[frameSize:])
		page, count := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
		if page == 0 || string(frame[8:16]) != string(head[16:24]) || !sum.is(frame[16:24]) {
			return out, nil
		}
		open[page] = offset + frameSize
		if count == 0 {
			continue
		}
		maps.Copy(out.At, open)
		clear(open)
		out.Count = count
	}
}

// atEnd makes a short read the end of the log.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// sum32 is the running checksum of a log.
type sum32 struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (s *sum32) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *sum32) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}
