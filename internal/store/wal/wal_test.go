package wal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"testing"
	"testing/iotest"
)

// sample is the log that SQLite wrote for a table with pages of 512 bytes: it
// was created, filled by two rows, one of which was deleted again.
func sample(tb testing.TB) []byte {
	tb.Helper()
	b, err := os.ReadFile("testdata/sample.wal")
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestALogCountsToItsLastWholeCommit(t *testing.T) {
	log := sample(t)
	whole, err := Read(bytes.NewReader(log))
	if err != nil || whole.Count == 0 || whole.Size != 512 || len(whole.At) != int(whole.Count) {
		t.Fatalf("the log gave %+v, %v", whole, err)
	}
	frame := frameSize + int(whole.Size)
	commits, count := 0, uint32(0)
	for end := headerSize; end <= len(log); end += frame {
		if end > headerSize {
			if n := binary.BigEndian.Uint32(log[end-frame+4:]); n != 0 {
				commits, count = commits+1, n
			}
		}
		cut, err := Read(bytes.NewReader(log[:min(end+frame/2, len(log))]))
		if err != nil || cut.Count != count {
			t.Fatalf("cut at %d after a commit of %d pages: %+v, %v", end, count, cut, err)
		}
		for page, at := range cut.At {
			if at >= int64(end) {
				t.Fatalf("cut at %d, page %d is read from %d", end, page, at)
			}
		}
	}
	if commits != 4 {
		t.Fatalf("%d commits in the sample, want 4", commits)
	}
}

func TestADamagedLogEndsAtTheDamage(t *testing.T) {
	log := sample(t)
	for _, at := range []int{0, 4, 9, 17, 25, headerSize + 1, headerSize + 9, headerSize + 17, headerSize + frameSize + 100} {
		damaged := bytes.Clone(log)
		damaged[at] ^= 0x10
		if none, err := Read(bytes.NewReader(damaged)); err != nil || none.Count != 0 || len(none.At) != 0 {
			t.Errorf("with byte %d flipped the log gave %+v, %v", at, none, err)
		}
	}
	broken := errors.New("disk")
	if _, err := Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("a failing reader gave %v", err)
	}
}

func FuzzRead(f *testing.F) {
	log := sample(f)
	f.Add(log)
	f.Add(log[:len(log)/2])
	f.Add(log[:headerSize])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Read(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("a reader that cannot fail gave %v", err)
		}
		if got.Count == 0 && len(got.At) != 0 {
			t.Fatal("pages without a commit")
		}
		for page, at := range got.At {
			if page == 0 || at < headerSize+frameSize || at+got.Size > int64(len(b)) {
				t.Fatalf("page %d lies at %d of %d bytes", page, at, len(b))
			}
		}
	})
}
