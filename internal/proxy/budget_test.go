package proxy

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

func TestBufferGrowsWithWhatArrivesNotWithWhatIsPromised(t *testing.T) {
	t.Parallel()
	var bg budget
	b := &buffer{}
	if !b.grow(&bg, 1<<30, 32<<20) || cap(b.data) != bufferKeep {
		t.Errorf("a promise of 32 MiB takes %d bytes at once, want %d", cap(b.data), bufferKeep)
	}
	if bg.used.Load() != bufferKeep {
		t.Errorf("%d bytes counted", bg.used.Load())
	}
	b.drop(&bg)
	if bg.used.Load() != 0 {
		t.Errorf("%d bytes still counted", bg.used.Load())
	}
}

func TestFillReadsWholeAndBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name         string
		size         int
		hint, limit  int64
		budget       int64
		want         error
		wantOverhead int
	}{
		{"exact hint", 10_000, 10_001, 1 << 20, 1 << 20, nil, 1},
		{"no hint", 300_000, 0, 1 << 20, 1 << 20, nil, 300_000},
		{"hint too small", 100_000, 10, 1 << 20, 1 << 20, nil, 100_000},
		{"at the limit", 1 << 20, 0, 1 << 20, 4 << 20, nil, 2 << 20},
		{"over the limit", 1<<20 + 1, 0, 1 << 20, 4 << 20, errTooLarge, 0},
		{"over the budget", 1 << 20, 0, 2 << 20, 300_000, errNoMemory, 0},
		{"empty", 0, 1, 10, 1 << 20, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := &Proxy{Limits: Limits{InFlightBytes: c.budget}}
			want := bytes.Repeat([]byte("ab"), c.size/2+1)[:c.size]
			for _, src := range []io.Reader{bytes.NewReader(want), iotest.DataErrReader(bytes.NewReader(want)), iotest.HalfReader(bytes.NewReader(want))} {
				b := &buffer{}
				err := p.fill(b, src, c.hint, c.limit, func(int) {})
				if !errors.Is(err, c.want) {
					t.Fatalf("error %v, want %v", err, c.want)
				}
				if err == nil && !bytes.Equal(b.data, want) {
					t.Fatalf("%d bytes read, want %d", len(b.data), len(want))
				}
				if err == nil && cap(b.data) > max(c.size+c.wantOverhead, bufferStart) {
					t.Errorf("%d bytes of memory for %d", cap(b.data), c.size)
				}
				b.drop(&p.bodies)
			}
			if n := p.bodies.used.Load(); n != 0 {
				t.Errorf("%d bytes still counted", n)
			}
		})
	}
}

func TestClipKeepsTextPlainAndBounded(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain": "plain", "é": "é", "a\nb\x00c": "a b c", "\xff": "\uFFFD",
		strings.Repeat("x", 20): strings.Repeat("x", 10), strings.Repeat("é", 20): strings.Repeat("é", 5),
		"a\u2028b": "a b",
	} {
		if got := clip(in, 10); got != want {
			t.Errorf("clip(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzClip(f *testing.F) {
	for _, s := range []string{"", "plain", "é\u2028", "\xff\xfe", strings.Repeat("日本", 30)} {
		f.Add(s, 10)
	}
	f.Fuzz(func(t *testing.T, s string, n int) {
		n = max(0, n%600)
		got := clip(s, n)
		if len(got) > n || !utf8.ValidString(got) || strings.ContainsAny(got, "\n\r\x00\x1b") {
			t.Errorf("clip(%q, %d) = %q", s, n, got)
		}
	})
}

func TestOnlyPlainJSONIsAccepted(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]bool{
		"application/json": true, "application/json; charset=utf-8": true, "Application/JSON;charset=\"UTF-8\"": true,
		"application/json;": true, "application/json; foo=bar": true,
		"": false, "text/plain": false, "application/jsonx": false, "application/json; charset=latin1": false,
		"multipart/form-data; boundary=application/json": false,
	} {
		if isJSON(v) != want {
			t.Errorf("isJSON(%q) = %v", v, !want)
		}
	}
}
