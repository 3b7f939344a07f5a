package journal_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/store/journal"
)

const (
	smallest   = 8 << 10 // a ring of two pages
	headerSize = 4096
	headSize   = 16
)

func owner() [16]byte { return [16]byte{1, 2, 3} }

// file is an open journal in a folder of the test.
type file struct {
	*journal.Journal
	t    *testing.T
	path string
	ends []int64 // of the records that are not released
}

func create(t *testing.T, size int64) *file {
	t.Helper()
	path := filepath.Join(t.TempDir(), "tollgate.journal")
	j, err := journal.Create(path, owner(), size)
	if err != nil {
		t.Fatal(err)
	}
	f := &file{j, t, path, nil}
	t.Cleanup(func() { _ = j.Close() })
	return f
}

// row is a request whose record is longer by its text.
func row(n, length int) tollgate.Request {
	return tollgate.Request{ID: tollgate.RequestID(n) << 4, ErrorText: string(bytes.Repeat([]byte{'x'}, length))}
}

// add appends row n.
func (f *file) add(n, length int) error {
	end, err := f.Append(journal.Encode(nil, []tollgate.Request{row(n, length)}, nil))
	if err == nil {
		f.ends = append(f.ends, end)
	}
	return err
}

func (f *file) mustAdd(n, length int) {
	f.t.Helper()
	if err := f.add(n, length); err != nil {
		f.t.Fatal(err)
	}
}

// release gives the first n records free.
func (f *file) release(n int) {
	f.t.Helper()
	if err := f.Release(f.ends[n-1]); err != nil {
		f.t.Fatal(err)
	}
	f.ends = f.ends[n:]
}

func (f *file) bytes() []byte {
	f.t.Helper()
	b, err := os.ReadFile(f.path)
	if err != nil {
		f.t.Fatal(err)
	}
	return b
}

// numbers reads a journal and returns the numbers of its rows.
func numbers(t *testing.T, path string) ([]int, error) {
	t.Helper()
	found, err := journal.Read(path, owner())
	out := []int{}
	for _, content := range found.Contents {
		rows, _, err := journal.Decode(content)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range rows {
			out = append(out, int(r.ID>>4))
		}
	}
	return out, err
}

// left reads a journal of these bytes.
func left(t *testing.T, b []byte) ([]int, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "left")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return numbers(t, path)
}

func upTo(first, last int) []int {
	out := []int{}
	for n := first; n <= last; n++ {
		out = append(out, n)
	}
	return out
}

func TestRecordsAreReadUntilTheyAreReleased(t *testing.T) {
	f := create(t, 0)
	for n := range 5 {
		f.mustAdd(n+1, n*100)
	}
	if got, err := numbers(t, f.path); err != nil || !reflect.DeepEqual(got, upTo(1, 5)) {
		t.Fatalf("%v, %v", got, err)
	}
	f.release(2)
	if got, err := numbers(t, f.path); err != nil || !reflect.DeepEqual(got, upTo(3, 5)) {
		t.Fatalf("after the release of two: %v, %v", got, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.add(9, 0); err == nil {
		t.Fatal("a closed journal takes records")
	}
	if got, err := numbers(t, f.path); err != nil || !reflect.DeepEqual(got, upTo(3, 5)) {
		t.Fatalf("after Close: %v, %v", got, err)
	}
	if info, err := os.Stat(f.path); err != nil || info.Mode().Perm() != 0o600 || info.Size() != headerSize+journal.DefaultSize {
		t.Fatalf("%v, %v", info, err)
	}
	if got, err := numbers(t, f.path+".other"); err != nil || len(got) != 0 {
		t.Fatalf("no file holds %v, %v", got, err)
	}
}

// The ring goes round and round, full and empty; what is read is always what
// was appended and not released, in order.
func TestTheRingGoesRound(t *testing.T) {
	f := create(t, smallest)
	rnd := rand.New(rand.NewPCG(4, 2))
	first, next, full := 1, 1, 0
	for range 4000 {
		if rnd.IntN(5) < 3 {
			err := f.add(next, rnd.IntN(1500))
			if errors.Is(err, journal.ErrFull) {
				full++
			} else if err != nil {
				t.Fatal(err)
			} else {
				next++
			}
		} else if n := len(f.ends); n > 0 {
			n = 1 + rnd.IntN(n)
			f.release(n)
			first += n
		}
		if rnd.IntN(8) > 0 {
			continue
		}
		if got, err := numbers(t, f.path); err != nil || !reflect.DeepEqual(got, upTo(first, next-1)) {
			t.Fatalf("%v, %v; want %d to %d", got, err, first, next-1)
		}
	}
	if full < 40 || next < 1000 {
		t.Fatalf("full %d times, %d records", full, next)
	}
	if err := f.add(next, smallest/4); !errors.Is(err, journal.ErrTooLarge) {
		t.Fatalf("a record that is too long: %v", err)
	}
}

// lapped is a ring that has gone round and holds rows 8 to 12.
func lapped(t *testing.T) *file {
	t.Helper()
	f := create(t, smallest)
	for n := 1; n <= 7; n++ {
		f.mustAdd(n, 1000)
	}
	f.release(7)
	for n := 8; n <= 12; n++ {
		f.mustAdd(n, 230)
	}
	return f
}

// A process that dies in the middle of a record leaves the ones before it,
// whatever part of the record is there, and whatever was there before.
func TestDyingAtEveryByteOfARecordLosesNoOther(t *testing.T) {
	for name, f := range map[string]*file{"fresh": create(t, smallest), "lapped": lapped(t)} {
		t.Run(name, func(t *testing.T) {
			first, next := 8, 13
			if name == "fresh" {
				first, next = 1, 4
				for n := 1; n < next; n++ {
					f.mustAdd(n, 100)
				}
			}
			before := f.bytes()
			start := f.ends[len(f.ends)-1]
			f.mustAdd(next, 200)
			after := f.bytes()
			at, end := headerSize+int(start%smallest), headerSize+int((f.ends[len(f.ends)-1]-1)%smallest)+1
			for cut := at; cut < end; cut++ {
				for order, torn := range [][]byte{append(bytes.Clone(after[:cut]), before[cut:]...), backwards(before, after, at, cut)} {
					got, err := left(t, torn)
					if err != nil || !reflect.DeepEqual(got, upTo(first, next-1)) && !bytes.Equal(torn[at:end], after[at:end]) {
						t.Fatalf("died after byte %d of %d (order %d): %v, %v", cut-at, end-at, order, got, err)
					}
				}
				garbage := bytes.Clone(after)
				garbage[cut] ^= 0x55
				if got, err := left(t, garbage); err != nil || !reflect.DeepEqual(got, upTo(first, next-1)) {
					t.Fatalf("garbage in byte %d of the last record: %v, %v", cut-at, got, err)
				}
			}
			if got, err := left(t, after); err != nil || !reflect.DeepEqual(got, upTo(first, next)) {
				t.Fatalf("the whole record: %v, %v", got, err)
			}
		})
	}
}

// backwards is a record of which the bytes from cut on were written first.
func backwards(before, after []byte, at, cut int) []byte {
	out := bytes.Clone(after)
	copy(out[at:cut], before[at:cut])
	return out
}

// Damage in front of other records is an error: they must not be lost.
func TestDamageInTheMiddleIsAnError(t *testing.T) {
	for name, f := range map[string]*file{"fresh": create(t, smallest), "lapped": lapped(t)} {
		t.Run(name, func(t *testing.T) {
			if name == "fresh" {
				for n := 1; n <= 4; n++ {
					f.mustAdd(n, 80)
				}
			}
			whole, n := f.bytes(), len(f.ends)
			for record := range n - 1 {
				from := int64(0)
				if record > 0 {
					from = f.ends[record-1]
				} else if name == "lapped" {
					from = f.ends[0] - (f.ends[1] - f.ends[0]) // all are of one length
				}
				for at := from; at < f.ends[record]; at++ {
					if skipped := f.ends[record] / smallest * smallest; at >= from+headSize && from < skipped && at < skipped {
						continue // nothing is in the rest of a round
					}
					bad := bytes.Clone(whole)
					bad[headerSize+at%smallest] ^= 1
					got, err := left(t, bad)
					if !errors.Is(err, journal.ErrDamaged) || len(got) != 0 {
						t.Fatalf("damage in byte %d of record %d: %v, %v", at-from, record, got, err)
					}
				}
			}
			if n < 4 {
				t.Fatal("too few records")
			}
		})
	}
}

// After a crash of the machine the kernel may have written any part of the
// file: what is whole is returned, and that something is missing.
func TestAfterTheMachineWentDownWhatIsWholeIsRead(t *testing.T) {
	f := lapped(t)
	b := otherBoot(f.bytes())
	copy(b[headerSize+f.ends[2]%smallest:], make([]byte, 64)) // the head of the fourth
	path := filepath.Join(t.TempDir(), "left")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := journal.Read(path, owner())
	if err != nil || found.Gaps != 1 || len(found.Contents) != 4 {
		t.Fatalf("%d records, %d gaps, %v", len(found.Contents), found.Gaps, err)
	}
	if err := os.WriteFile(path, make([]byte, len(b)), 0o600); err != nil {
		t.Fatal(err)
	}
	if found, err := journal.Read(path, owner()); err != nil || found.Gaps != 1 || len(found.Contents) != 0 {
		t.Fatalf("a file that never came to disk: %+v, %v", found, err)
	}
}

// otherBoot makes the headers those of another run of the machine.
func otherBoot(b []byte) []byte {
	b = bytes.Clone(b)
	for _, at := range []int{0, headerSize / 2} {
		h := b[at : at+80]
		h[44] ^= 0xff
		binary.LittleEndian.PutUint32(h[76:], crc32.Checksum(h[:76], crc32.MakeTable(crc32.Castagnoli)))
	}
	return b
}

// One of the two headers is always whole; with the older one more is read, and
// never less.
func TestDyingAtEveryByteOfAHeader(t *testing.T) {
	f := create(t, smallest)
	for n := 1; n <= 3; n++ {
		f.mustAdd(n, 10)
	}
	f.release(1)
	before := f.bytes()
	f.release(1)
	after := f.bytes()
	at := 0
	for before[at] == after[at] {
		at++
	}
	at -= at % (headerSize / 2)
	for n := range 81 {
		torn := append(bytes.Clone(after[:at+n]), before[at+n:]...)
		got, err := left(t, torn)
		want := upTo(2, 3)
		if bytes.Equal(torn, after) {
			want = upTo(3, 3)
		}
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("died after byte %d: %v, %v; want %v", n, got, err, want)
		}
	}
	for _, one := range []int{0, headerSize / 2} {
		after[one+30] ^= 1
	}
	if _, err := left(t, after); !errors.Is(err, journal.ErrDamaged) {
		t.Fatalf("no header: %v", err)
	}
}

func TestAFileThatIsNotWholeOrNotOursIsRefused(t *testing.T) {
	f := create(t, smallest)
	if found, err := journal.Read(f.path, [16]byte{9}); err != nil || len(found.Contents) != 0 {
		t.Fatalf("another installation's that holds nothing: %+v, %v", found, err)
	}
	f.mustAdd(1, 10)
	if found, err := journal.Read(f.path, [16]byte{9}); !errors.Is(err, journal.ErrForeign) || len(found.Contents) != 0 {
		t.Fatalf("another installation's: %+v, %v", found, err)
	}
	b := f.bytes()
	for _, size := range []int{1, 79, 80, headerSize, headerSize + 1, len(b) - 1} {
		if got, err := left(t, b[:size]); !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("%d bytes of it: %v, %v", size, got, err)
		}
	}
	if got, err := left(t, append(b, 0)); !errors.Is(err, journal.ErrDamaged) {
		t.Fatalf("a byte more: %v, %v", got, err)
	}
	b[8], b[headerSize/2+8] = 2, 2 // the version of both headers
	if got, err := left(t, b); !errors.Is(err, journal.ErrVersion) {
		t.Fatalf("a later version: %v, %v", got, err)
	}
	if got, err := left(t, []byte("something else entirely")); !errors.Is(err, journal.ErrDamaged) {
		t.Fatalf("another file: %v, %v", got, err)
	}
}

func TestOneThousandCallersAtOnce(t *testing.T) {
	f := create(t, 0)
	const callers = 1000
	var all sync.WaitGroup
	ends := make([]int64, callers+1)
	for n := range callers {
		all.Go(func() {
			end, err := f.Append(journal.Encode(nil, []tollgate.Request{row(n+1, n)}, nil))
			if err != nil {
				t.Error(err)
			}
			ends[n+1] = end
		})
	}
	all.Wait()
	got, err := numbers(t, f.path)
	if err != nil || len(got) != callers {
		t.Fatalf("%d records, %v", len(got), err)
	}
	for i := 1; i < len(got); i++ {
		if ends[got[i]] <= ends[got[i-1]] {
			t.Fatalf("row %d ends at %d, and is before row %d that ends at %d", got[i-1], ends[got[i-1]], got[i], ends[got[i]])
		}
	}
}

func TestAFolderThatCannotHoldItIsAnError(t *testing.T) {
	if _, err := journal.Create(filepath.Join(t.TempDir(), "none", "j"), owner(), smallest); err == nil {
		t.Fatal("made in a folder that is not there")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "j")
	if err := os.MkdirAll(filepath.Join(path, "in the way"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := journal.Create(path, owner(), smallest); err == nil {
		t.Fatal("made in place of a folder")
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.new")); len(left) != 0 {
		t.Fatalf("left %v", left)
	}
}

// Every field of every type comes back; a new one that the codec does not know
// fails here.
func TestEveryFieldComesBack(t *testing.T) {
	n := 0
	var rows []tollgate.Request
	var intents []tollgate.Intent
	fill(t, reflect.ValueOf(&rows).Elem(), &n)
	fill(t, reflect.ValueOf(&intents).Elem(), &n)
	content := journal.Encode(nil, rows, intents)[headSize:]
	if got := [2]int{int(content[0]), len(content)}; got != [2]int{1, 2080} {
		t.Errorf("records of the form %d have %d bytes here, and had others: when a release has written that form, give the new fields a new one", got[0], got[1])
	}
	gotRows, gotIntents, err := journal.Decode(content)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(rows, gotRows); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(intents, gotIntents); d != "" {
		t.Error(d)
	}
	if n < 150 {
		t.Errorf("only %d fields", n)
	}
	zeroRows, zeroIntents := []tollgate.Request{{}}, []tollgate.Intent{{}, {ID: -1, Held: tollgate.MaxMoney}}
	gotRows, gotIntents, err = journal.Decode(journal.Encode(nil, zeroRows, zeroIntents)[headSize:])
	if d := cmp.Diff(zeroRows, gotRows) + cmp.Diff(zeroIntents, gotIntents); d != "" || err != nil {
		t.Error(d, err)
	}
}

// fill sets everything in v to something of its own.
func fill(t *testing.T, v reflect.Value, n *int) {
	t.Helper()
	*n++
	if at, ok := reflect.TypeAssert[*time.Time](v.Addr()); ok {
		*at = time.Date(2026, 3, 14, 15, 9, 26, *n*1000, time.UTC)
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(t, field, n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		for i := range v.Len() {
			fill(t, v.Index(i), n)
		}
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d \xff", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(*n) << (*n % 40) * int64(1-2*(*n%2)))
	default:
		t.Fatalf("a field of kind %s", v.Kind())
	}
}

func TestAShortContentIsAnError(t *testing.T) {
	intents := []tollgate.Intent{{ID: 17, Model: "m", Opens: []tollgate.Opening{{QuotaID: 1, Since: 5}}}}
	content := bytes.TrimRight(journal.Encode(nil, []tollgate.Request{row(1, 40)}, intents)[headSize:], "\x00")
	for n := 1; n < len(content); n++ {
		if _, _, err := journal.Decode(content[:n]); !errors.Is(err, journal.ErrDamaged) {
			t.Fatalf("%d of %d bytes: %v", n, len(content), err)
		}
	}
	if _, _, err := journal.Decode(nil); !errors.Is(err, journal.ErrVersion) {
		t.Fatal(err)
	}
	if _, _, err := journal.Decode([]byte{99}); !errors.Is(err, journal.ErrVersion) {
		t.Fatal(err)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(journal.Encode(nil, []tollgate.Request{row(1, 40)}, []tollgate.Intent{{ID: 17, Model: "m"}})[headSize:])
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Fuzz(func(t *testing.T, b []byte) {
		rows, intents, err := journal.Decode(b)
		if err != nil {
			return
		}
		again, more, err := journal.Decode(journal.Encode(nil, rows, intents)[headSize:])
		if d := cmp.Diff(rows, again) + cmp.Diff(intents, more); err != nil || d != "" {
			t.Fatal(err, d)
		}
	})
}

func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "seed")
	j, err := journal.Create(path, owner(), headerSize)
	if err != nil {
		f.Fatal(err)
	}
	for n := range 3 {
		if _, err := j.Append(journal.Encode(nil, []tollgate.Request{row(n+1, 40)}, nil)); err != nil {
			f.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err := errors.Join(err, j.Close()); err != nil {
		f.Fatal(err)
	}
	f.Add(b, 0, byte(0))
	f.Add(b, headerSize/2+60, byte(7))
	f.Fuzz(func(t *testing.T, b []byte, at int, with byte) {
		if at >= 0 && at < len(b) {
			b[at] ^= with
		}
		path := filepath.Join(t.TempDir(), "j")
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		found, err := journal.Read(path, owner())
		if err != nil && len(found.Contents) > 0 {
			t.Fatalf("%d records beside %v", len(found.Contents), err)
		}
	})
}

// BenchmarkAppend is what it costs to make the rows of a request durable:
// encoding included, released as it fills up.
func BenchmarkAppend(b *testing.B) {
	j, err := journal.Create(filepath.Join(b.TempDir(), "j"), owner(), 0)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	at := time.Now()
	rows := []tollgate.Request{{
		ID: 1 << 40, UserID: 7, KeyID: 8, StartedAt: at, ClientIP: "192.0.2.9", UserAgent: "OpenAI/Python 1.99.1", Dialect: tollgate.DialectOpenAIChat,
		Operation: tollgate.OpGenerate, Model: "gpt-5", Served: "gpt-5", Status: 200, Latency: time.Second, Cost: 12345,
		Dispatches: []tollgate.Dispatch{{ID: 1<<40 | 1, ProviderID: 1, CredentialID: 1, Model: "gpt-5", StartedAt: at, Status: 200, Exactness: tollgate.ExactMeasured, Cost: 12345}},
	}}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = journal.Encode(buf[:0], rows, nil)
		end, err := j.Append(buf)
		if errors.Is(err, journal.ErrFull) {
			b.Fatal(err)
		}
		if end%(1<<20) < 400 {
			if err := j.Release(end); err != nil {
				b.Fatal(err)
			}
		}
	}
}
