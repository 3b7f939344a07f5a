package tollgate

import (
	"strings"
	"sync/atomic"
	"time"
)

// RequestID is a positive 63-bit id that rises with time: 41 bits of
// milliseconds since 2025-01-01 UTC, 18 bits of sequence, 4 bits of attempt.
// A request's own id has attempt 0; its dispatches have 1 to 15, so that they
// sort behind their request in one index and need no second one.
type RequestID int64

const (
	attemptBits  = 4
	sequenceBits = 18
	epochMillis  = 1735689600000 // 2025-01-01T00:00:00Z
)

// Dispatch returns the id of the request's attempt n, counted from 1.
func (id RequestID) Dispatch(n int) RequestID { return id.Request() | RequestID(n&MaxDispatches) }

// Request returns the id of the request that a dispatch id belongs to.
func (id RequestID) Request() RequestID { return id &^ MaxDispatches }

// Attempt returns the attempt number of a dispatch id; 0 for a request id.
func (id RequestID) Attempt() int { return int(id & MaxDispatches) }

// Time returns when the id was made, to the millisecond.
func (id RequestID) Time() time.Time {
	return time.UnixMilli(int64(id)>>(attemptBits+sequenceBits) + epochMillis).UTC()
}

// RequestIDAt returns the smallest id of the millisecond t; it bounds time ranges.
func RequestIDAt(t time.Time) RequestID {
	return RequestID(max(t.UnixMilli()-epochMillis, 0) << (attemptBits + sequenceBits))
}

const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// String returns "req_" and 13 characters of Crockford base 32, sortable.
func (id RequestID) String() string {
	var b [17]byte
	copy(b[:], "req_")
	for i, v := 16, uint64(id); i >= 4; i, v = i-1, v>>5 { //nolint:gosec // ids are positive
		b[i] = crockford[v&31]
	}
	return string(b[:])
}

// ParseRequestID reads what String wrote. Errors are CodeInvalid.
func ParseRequestID(s string) (RequestID, error) {
	digits, ok := strings.CutPrefix(s, "req_")
	var v uint64
	for i := 0; ok && i < len(digits); i++ {
		d := strings.IndexByte(crockford, digits[i])
		ok, v = d >= 0, v<<5|uint64(max(d, 0))
	}
	if !ok || len(digits) != 13 || v>>63 != 0 || strings.IndexByte(crockford, digits[0]) > 7 {
		return 0, Errorf(CodeInvalid, "%q is not a request id (req_ and 13 characters)", s)
	}
	return RequestID(v), nil
}

// RequestIDs makes ids that are unique and rising within one process, also
// when the clock jumps back. The zero value is ready.
type RequestIDs struct{ last atomic.Int64 }

// Next returns a new id for a request that starts at now. It never blocks.
func (g *RequestIDs) Next(now time.Time) RequestID {
	floor := int64(RequestIDAt(now)) >> attemptBits
	for {
		last := g.last.Load()
		next := max(last+1, floor)
		if g.last.CompareAndSwap(last, next) {
			return RequestID(next << attemptBits)
		}
	}
}

// After makes every later id higher than id, also when the clock was set back
// while the process was away.
func (g *RequestIDs) After(id RequestID) {
	floor := int64(id) >> attemptBits
	for last := g.last.Load(); last < floor; last = g.last.Load() {
		if g.last.CompareAndSwap(last, floor) {
			return
		}
	}
}
