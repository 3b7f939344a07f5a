package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"hash/crc32"
	"os"
	"strings"
)

// The form of a header: magic, version (4 bytes), generation (8), nonce (8),
// installation (16), boot (16), size of the ring (8), mark (8), checksum (4).
const (
	magic       = "tollgate"
	version     = 1
	headerBytes = 80
)

// header is what a journal says of itself.
type header struct {
	generation uint64   // the higher of two is the newer
	nonce      [8]byte  // of this file alone
	id         [16]byte // whose records these are
	boot       [16]byte // of the machine when the file was made; zero = unknown
	size       int64    // of the ring
	mark       int64    // what is before this position is released
}

// offset is where the header's generation is kept: the two in turn.
func (h *header) offset() int64 { return int64(h.generation%2) * headerSize / 2 }

func (h *header) seed() uint32 { return crc32.Checksum(h.nonce[:], castagnoli()) }

func (h *header) encode() []byte {
	b := make([]byte, 0, headerBytes)
	b = append(b, magic...)
	b = binary.LittleEndian.AppendUint32(b, version)
	b = binary.LittleEndian.AppendUint64(b, h.generation)
	b = append(b, h.nonce[:]...)
	b = append(b, h.id[:]...)
	b = append(b, h.boot[:]...)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.size)) //nolint:gosec // positive
	b = binary.LittleEndian.AppendUint64(b, uint64(h.mark)) //nolint:gosec // positive
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli()))
}

// decode reads a header; it reports false when there is no whole one, and the
// version that it was written in.
func (h *header) decode(b []byte) (of uint32, ok bool) {
	if len(b) < headerBytes || string(b[:len(magic)]) != magic {
		return 0, false
	}
	b = b[:headerBytes]
	of = binary.LittleEndian.Uint32(b[8:])
	if binary.LittleEndian.Uint32(b[headerBytes-4:]) != crc32.Checksum(b[:headerBytes-4], castagnoli()) {
		return of, false
	}
	h.generation = binary.LittleEndian.Uint64(b[12:])
	copy(h.nonce[:], b[20:])
	copy(h.id[:], b[28:])
	copy(h.boot[:], b[44:])
	h.size = int64(binary.LittleEndian.Uint64(b[60:])) //nolint:gosec // checked below
	h.mark = int64(binary.LittleEndian.Uint64(b[68:])) //nolint:gosec // checked below
	return of, of == version && h.size > 0 && h.size%headerSize == 0 && h.mark >= 0 && h.mark%grain == 0
}

// newest is the newer of a file's two headers.
func newest(b []byte) (h header, of uint32, ok bool) {
	for at := 0; at < headerSize; at += headerSize / 2 {
		var one header
		v, whole := one.decode(b[min(at, len(b)):])
		of = max(of, v)
		if whole && one.generation > h.generation {
			h, ok = one, true
		}
	}
	return h, of, ok
}

// blank reports whether no header was ever written: the machine went down
// before the file was.
func blank(b []byte) bool {
	b = b[:min(len(b), headerSize)]
	return len(bytes.Trim(b, "\x00")) == 0
}

// bootID is a random number of this run of the machine; zero where the system
// does not tell (proc(5): /proc/sys/kernel/random/boot_id).
func bootID() (id [16]byte) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return id
	}
	b, err := hex.DecodeString(strings.ReplaceAll(strings.TrimSpace(string(text)), "-", ""))
	if err == nil {
		copy(id[:], b)
	}
	return id
}
