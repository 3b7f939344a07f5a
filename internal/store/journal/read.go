package journal

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
)

// Errors of Read. Each says that there are records which must not be lost, or
// that nobody can tell.
var (
	// ErrDamaged says that the file is not as a killed process leaves it.
	ErrDamaged = errors.New("the journal is damaged")
	// ErrForeign says that the records are another installation's.
	ErrForeign = errors.New("the journal belongs to another database")
	// ErrVersion says that another version of this program wrote the file.
	ErrVersion = errors.New("the journal was written by another version")
)

// Found is what a journal holds that is not released.
type Found struct {
	// Contents are those of the records, for Decode, in their order.
	Contents [][]byte
	// Gaps is where records are missing because the machine went down before
	// all of the file was on disk.
	Gaps int
}

// Read returns what the journal at path holds; no file holds nothing. The
// record that was being written when the process died is none: nobody was told
// that it is there. Damage among the others is an error, unless the machine
// went down since: what was on disk is returned then.
func Read(path string, id [16]byte) (Found, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Found{}, nil
	}
	if err != nil {
		return Found{}, err
	}
	h, of, ok := newest(b)
	switch {
	case !ok && of > version:
		return Found{}, fmt.Errorf("%w (format %d, this one reads %d)", ErrVersion, of, version)
	case !ok && blank(b):
		return Found{Gaps: 1}, nil
	case !ok:
		return Found{}, fmt.Errorf("%w: it has no whole header", ErrDamaged)
	case int64(len(b)) != headerSize+h.size:
		return Found{}, fmt.Errorf("%w: it has %d bytes, not %d", ErrDamaged, len(b), headerSize+h.size)
	}
	out, hole := ring{h, b[headerSize:], h.seed()}.read()
	switch {
	case len(out.Contents) > 0 && h.id != id:
		return Found{}, fmt.Errorf("%w, and holds %d records of it", ErrForeign, len(out.Contents))
	case out.Gaps > 0 && h.boot != [16]byte{} && h.boot == bootID():
		return Found{}, fmt.Errorf("%w at byte %d, and there are records behind", ErrDamaged, headerSize+hole%h.size)
	}
	return out, nil
}

// ring is the records of a file.
type ring struct {
	header

	b   []byte
	sum uint32
}

// read finds every record behind the mark, and the first hole among them.
func (r ring) read() (out Found, hole int64) {
	for at, last := r.mark, r.mark+r.size; at < last; {
		content, next := r.record(at)
		if next == 0 {
			behind := r.search(at+grain, last)
			if behind == last {
				break
			}
			if out.Gaps++; out.Gaps == 1 {
				hole = at
			}
			at = behind
			continue
		}
		if content != nil {
			out.Contents = append(out.Contents, content)
		}
		at = next
	}
	return out, hole
}

// search returns the first position from at on that has a whole record, or last.
func (r ring) search(at, last int64) int64 {
	for ; at < last; at += grain {
		if _, next := r.record(at); next != 0 {
			return at
		}
	}
	return last
}

// record returns the content of the record at a position, nil for one that
// skips the rest of the ring, and the position behind it; 0 = none is there.
func (r ring) record(at int64) (content []byte, next int64) {
	b := r.b[at%r.size:]
	if binary.LittleEndian.Uint64(b[8:]) != uint64(at) { //nolint:gosec // positive
		return nil, 0
	}
	length := int64(binary.LittleEndian.Uint32(b))
	if length > int64(len(b)-grain) || length%grain != 0 {
		return nil, 0
	}
	content = b[grain : grain+length]
	if headSum(b, crc32.Update(r.sum, castagnoli(), content)) != binary.LittleEndian.Uint32(b[4:]) {
		return nil, 0
	}
	if length == 0 {
		return nil, at + int64(len(b))
	}
	return content, at + grain + length
}
