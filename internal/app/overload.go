package app

import (
	"context"
	"math"
	"runtime/debug"
	"runtime/metrics"
	"sync/atomic"
	"time"
)

// overload sheds new data-plane requests while the process's memory is above
// nine tenths of its soft limit (GOMEMLIMIT); health and admin routes stay
// open (SECURITY D-08). Without a limit it never sheds.
type overload struct {
	limit    uint64
	shedding atomic.Bool
}

func newOverload() *overload {
	limit := debug.SetMemoryLimit(-1)
	if limit == math.MaxInt64 {
		return &overload{}
	}
	return &overload{limit: uint64(limit)} //nolint:gosec // a soft limit is never negative
}

// active reports whether new requests are to be refused.
func (o *overload) active() bool { return o.shedding.Load() }

// watch samples the memory until ctx ends.
func (o *overload) watch(ctx context.Context, interval time.Duration) {
	if o.limit == 0 {
		return
	}
	samples := []metrics.Sample{{Name: "/memory/classes/total:bytes"}, {Name: "/memory/classes/heap/released:bytes"}}
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		metrics.Read(samples)
		used := samples[0].Value.Uint64() - samples[1].Value.Uint64()
		o.shedding.Store(used > o.limit/10*9)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
