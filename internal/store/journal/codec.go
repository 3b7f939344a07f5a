package journal

import (
	"encoding/binary"
	"errors"
	"time"
)

// errShort says that a content ends too early.
var errShort = errors.New("the record is too short")

// coder writes values, or reads them: one list of fields serves both ways, so
// that they cannot part. Integers are zigzag varints, texts and lists come after
// their length.
type coder struct {
	b       []byte // written so far, or left to read
	reading bool
	err     error
}

// uint passes a number on.
func (c *coder) uint(v uint64) uint64 {
	if !c.reading {
		c.b = binary.AppendUvarint(c.b, v)
		return v
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

// length passes the length of a list on; each element has at least a byte.
func (c *coder) length(n int) int {
	v := c.uint(uint64(n)) //nolint:gosec // a length
	if c.reading && v > uint64(len(c.b)) {
		c.fail()
		return 0
	}
	return int(v) //nolint:gosec // at most a length
}

func (c *coder) fail() {
	c.err, c.b = errShort, nil
}

func integer[T ~int64 | ~int](c *coder, v *T) {
	n := int64(*v)
	u := c.uint(uint64(n)<<1 ^ uint64(n>>63)) //nolint:gosec // zigzag
	if c.reading {                            // what is written may be read by others meanwhile
		*v = T(int64(u>>1) ^ -int64(u&1))
	}
}

func text[T ~string](c *coder, v *T) {
	n := c.length(len(*v))
	if !c.reading {
		c.b = append(c.b, *v...)
		return
	}
	*v, c.b = T(c.b[:n]), c.b[n:]
}

func flag(c *coder, v *bool) {
	var n int
	if *v {
		n = 1
	}
	if integer(c, &n); c.reading {
		*v = n != 0
	}
}

// moment keeps microseconds, as the database does. The zero time stays zero.
func moment(c *coder, v *time.Time) {
	set := !v.IsZero()
	if flag(c, &set); !set {
		return
	}
	at := v.UnixMicro()
	if integer(c, &at); c.reading {
		*v = time.UnixMicro(at).UTC()
	}
}

func list[T any](c *coder, v *[]T, each func(*coder, *T)) {
	n := c.length(len(*v))
	if c.reading && n > 0 {
		*v = nil
		for range n {
			var one T
			if each(c, &one); c.err != nil {
				return
			}
			*v = append(*v, one)
		}
		return
	}
	for i := range *v {
		each(c, &(*v)[i])
	}
}
