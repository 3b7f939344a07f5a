package tollgate_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"tollgate"
)

func TestRequestIDsAreUniqueAndRiseAlsoWhenTheClockJumpsBack(t *testing.T) {
	var ids tollgate.RequestIDs
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	last := tollgate.RequestID(0)
	for i := range 10_000 {
		at := now.Add(time.Duration(i) * time.Microsecond)
		if i > 5_000 {
			at = at.Add(-time.Hour)
		}
		id := ids.Next(at)
		if id <= last || id.Attempt() != 0 {
			t.Fatalf("%d after %d, attempt %d", id, last, id.Attempt())
		}
		last = id
	}
}

func TestRequestIDsAreUniqueAcrossGoroutines(t *testing.T) {
	var ids tollgate.RequestIDs
	var wg sync.WaitGroup
	all := make([][]tollgate.RequestID, 8)
	for g := range all {
		wg.Go(func() {
			for range 20_000 {
				all[g] = append(all[g], ids.Next(time.UnixMilli(1_800_000_000_000)))
			}
		})
	}
	wg.Wait()
	flat := slices.Concat(all...)
	slices.Sort(flat)
	if n := len(slices.Compact(flat)); n != 160_000 {
		t.Fatalf("%d distinct ids of 160000", n)
	}
}

func TestRequestIDTextSortsAndRoundTrips(t *testing.T) {
	var ids tollgate.RequestIDs
	at := time.Date(2026, 11, 22, 10, 0, 0, 123e6, time.UTC)
	a := ids.Next(at)
	b := a.Dispatch(3)
	if a.String() >= b.String() || b.Request() != a || b.Attempt() != 3 || !a.Time().Equal(at) {
		t.Fatalf("a %v b %v attempt %d time %v", a, b, b.Attempt(), a.Time())
	}
	for _, id := range []tollgate.RequestID{a, b, 0, 1<<63 - 1} {
		if back, err := tollgate.ParseRequestID(id.String()); err != nil || back != id {
			t.Errorf("%v → %v, %v", id, back, err)
		}
	}
	for _, bad := range []string{"", "req_", "req_000000000000", "req_zzzzzzzzzzzzz", "req_0000000000000u", "0000000000000", "req_000000000000U"} {
		if id, err := tollgate.ParseRequestID(bad); err == nil {
			t.Errorf("ParseRequestID(%q) = %d", bad, id)
		}
	}
}
