package sqlstore

import (
	"encoding/binary"
	"errors"
	"io"
	"maps"
)

// The write-ahead log of SQLite, as its file format document describes it: a
// header of 32 bytes, then frames of a 24-byte header and one page each. A
// frame counts when its salts are the header's and the running checksum fits,
// up to the last one that ends a commit.
const (
	walHeaderSize   = 32
	walFrameSize    = 24
	walMagic        = 0x377f0682 // low bit: checksums are over big-endian words
	walFormat       = 3007000
	minPageSize     = 512
	maxPageSize     = 65536
	walChecksumSpan = 8 // bytes of a frame header that its checksum covers
)

// walPages tells where the committed pages of a log are.
type walPages struct {
	pageSize int64
	// at is the offset of a page's newest committed content in the log.
	at map[uint32]int64
	// count is the size of the database, in pages, after the last commit;
	// 0 = the log holds no commit.
	count uint32
}

// readWAL reads a log to its last whole commit. A damaged or foreign log has
// no commits, as SQLite sees it.
func readWAL(r io.Reader) (walPages, error) {
	var head [walHeaderSize]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return walPages{}, atEnd(err)
	}
	word := func(i int) uint32 { return binary.BigEndian.Uint32(head[i:]) }
	size := int64(word(8))
	if word(0)&^1 != walMagic || word(4) != walFormat || size < minPageSize || size > maxPageSize || size&(size-1) != 0 {
		return walPages{}, nil
	}
	sum := walSum{order: binary.LittleEndian}
	if word(0)&1 != 0 {
		sum.order = binary.BigEndian
	}
	sum.add(head[:24])
	if !sum.is(head[24:]) {
		return walPages{}, nil
	}
	out := walPages{pageSize: size, at: map[uint32]int64{}}
	open := map[uint32]int64{} // pages of the commit that is being read
	frame := make([]byte, walFrameSize+size)
	for offset := int64(walHeaderSize); ; offset += int64(len(frame)) {
		if _, err := io.ReadFull(r, frame); err != nil {
			return out, atEnd(err)
		}
		sum.add(frame[:walChecksumSpan])
		sum.add(frame[walFrameSize:])
		page, count := binary.BigEndian.Uint32(frame), binary.BigEndian.Uint32(frame[4:])
		if page == 0 || string(frame[8:16]) != string(head[16:24]) || !sum.is(frame[16:24]) {
			return out, nil
		}
		open[page] = offset + walFrameSize
		if count == 0 {
			continue
		}
		maps.Copy(out.at, open)
		clear(open)
		out.count = count
	}
}

// atEnd makes a short read the end of the log.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}

// walSum is the running checksum of a log.
type walSum struct {
	order  binary.ByteOrder
	s0, s1 uint32
}

func (s *walSum) add(b []byte) {
	for ; len(b) >= 8; b = b[8:] {
		s.s0 += s.order.Uint32(b) + s.s1
		s.s1 += s.order.Uint32(b[4:]) + s.s0
	}
}

func (s *walSum) is(b []byte) bool {
	return binary.BigEndian.Uint32(b) == s.s0 && binary.BigEndian.Uint32(b[4:]) == s.s1
}
