package app

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// heapFloor is the heap size below which no collection is worth its cost, in
// bytes. A relay keeps little alive and allocates for each request; with Go's
// default the heap would be collected every few megabytes, a fifth of the CPU
// under load (measured).
const heapFloor = 48 << 20

// tuneCollector keeps the collector's target at heapFloor or at twice the live
// heap, whichever is more: the percentage follows the live heap after each
// collection. An operator's GOGC or GOMEMLIMIT is left alone.
func tuneCollector(environ func(string) bool) {
	if environ("GOGC") || environ("GOMEMLIMIT") {
		return
	}
	adjust()
	watchCollections(&tick{})
}

// tick dies with each collection, and its finalizer brings the next one up.
type tick struct{ _ [16]byte }

func watchCollections(t *tick) {
	runtime.SetFinalizer(t, func(*tick) {
		adjust()
		watchCollections(&tick{})
	})
}

func adjust() {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	debug.SetGCPercent(percentFor(live[0].Value.Uint64()))
}

// percentFor returns the GOGC value that makes the next target heapFloor, at
// least 100 and at most 1600.
func percentFor(live uint64) int {
	live = max(live, 1<<20)
	if live >= heapFloor/2 {
		return 100
	}
	return int(min((heapFloor-live)*100/live, 1600))
}
