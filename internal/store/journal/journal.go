// Package journal keeps what a process has promised to remember until the
// database has it: records in a file that the kernel holds, so that they
// outlive the process however it ends. To append is to copy into memory that is
// mapped from the file: no call into the kernel, nobody to wait for.
//
// The file is a header and a ring. A position counts bytes since the file was
// made; a record is at its position modulo the ring's size, in one piece, and
// carries its position and a checksum. What is released is overwritten later.
// The header says up to where records are released and whose they are; it is
// kept twice and written in turn, so that one of the two is always whole.
package journal

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"sync"
)

// Sizes in bytes.
const (
	// DefaultSize is that of the ring: a second of a gateway that has nothing
	// else to do.
	DefaultSize = 8 << 20
	// headerSize is that of both headers with the room between them.
	headerSize = 4096
	// grain is what records are aligned to; the head of a record is as long, so
	// that it never lies across the end of the ring.
	grain    = 16
	fileMode = 0o600
)

// Errors of Append.
var (
	// ErrFull says that what is not released yet leaves no room.
	ErrFull = errors.New("the journal is full")
	// ErrTooLarge says that a record is longer than a quarter of the ring.
	ErrTooLarge = errors.New("the record is too long for the journal")
)

// Journal is an open journal. Safe for concurrent use.
type Journal struct {
	mu   sync.Mutex
	out  medium
	head header
	seed uint32 // of the checksums: records of another file never fit
	end  int64  // the position of the next record
}

// Create makes an empty journal of size bytes (a multiple of 4,096; 0 =
// DefaultSize) at path for the installation id. A file that is there is
// replaced. All of it is written now, so that a disk that fills up later does
// not matter.
func Create(path string, id [16]byte, size int64) (*Journal, error) {
	if size == 0 {
		size = DefaultSize
	}
	h := header{generation: 2, id: id, boot: bootID(), size: size}
	if _, err := rand.Read(h.nonce[:]); err != nil {
		return nil, err
	}
	partial := path + ".new"
	if err := fill(partial, h); err != nil {
		return nil, errors.Join(err, os.RemoveAll(partial))
	}
	if err := os.Rename(partial, path); err != nil {
		return nil, errors.Join(err, os.Remove(partial))
	}
	f, err := os.OpenFile(path, os.O_RDWR, fileMode)
	if err != nil {
		return nil, err
	}
	out, err := newMedium(f, headerSize+size)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("map the journal: %w", err), f.Close())
	}
	return &Journal{out: out, head: h, seed: h.seed()}, nil
}

// fill writes both headers and an empty ring into a file.
func fill(path string, h header) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := f.Chmod(fileMode); err != nil {
		return err
	}
	zeros := make([]byte, 1<<20)
	for left := headerSize + h.size; left > 0; {
		n, err := f.Write(zeros[:min(left, int64(len(zeros)))])
		if err != nil {
			return err
		}
		left -= int64(n)
	}
	before := h
	before.generation--
	_, one := f.WriteAt(before.encode(), before.offset())
	_, two := f.WriteAt(h.encode(), h.offset())
	return errors.Join(one, two)
}

// Append adds a record that Encode made and returns the position behind it.
// When it returns without an error the record outlives the process. Errors are
// ErrFull, ErrTooLarge, and those of a disk that fails; the journal is as it
// was then.
func (j *Journal) Append(record []byte) (int64, error) {
	length := int64(len(record))
	if length > j.head.size/4 {
		return 0, ErrTooLarge
	}
	sum := crc32.Update(j.seed, castagnoli(), record[grain:])
	j.mu.Lock()
	defer j.mu.Unlock()
	at := j.end
	room := j.head.size - at%j.head.size
	if length > room {
		at += room
	}
	if at+length-j.head.mark > j.head.size {
		return 0, ErrFull
	}
	if length > room {
		if err := j.skip(j.end); err != nil {
			return 0, err
		}
	}
	seal(record, at, sum)
	if err := j.write(record, at); err != nil {
		return 0, err
	}
	j.end = at + length
	return j.end, nil
}

// skip writes a record that says that the next one is at the ring's beginning.
func (j *Journal) skip(at int64) error {
	var record [grain]byte
	seal(record[:], at, j.seed)
	return j.write(record[:], at)
}

func (j *Journal) write(b []byte, at int64) error {
	_, err := j.out.WriteAt(b, headerSize+at%j.head.size)
	return err
}

// Release gives the room of everything before a position free: the database
// has it.
func (j *Journal) Release(before int64) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := j.head
	next.generation++
	next.mark = before
	if _, err := j.out.WriteAt(next.encode(), next.offset()); err != nil {
		return err
	}
	j.head = next
	return nil
}

// Close closes the file, which stays.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.out.Close()
}

// seal completes the head of a record: its length without head (4 bytes),
// checksum (4) and position (8). sum covers what follows the head.
func seal(record []byte, at int64, sum uint32) {
	binary.LittleEndian.PutUint32(record, uint32(len(record)-grain)) //nolint:gosec // below a quarter of the ring
	binary.LittleEndian.PutUint64(record[8:], uint64(at))            //nolint:gosec // positions are positive
	binary.LittleEndian.PutUint32(record[4:], headSum(record, sum))
}

// headSum extends the checksum of a record's content by its length and position.
func headSum(record []byte, sum uint32) uint32 {
	sum = crc32.Update(sum, castagnoli(), record[:4])
	return crc32.Update(sum, castagnoli(), record[8:grain])
}

// castagnoli is the table of CRC-32C, which processors compute themselves.
func castagnoli() *crc32.Table { return crc32.MakeTable(crc32.Castagnoli) }
