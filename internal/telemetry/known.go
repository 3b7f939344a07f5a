package telemetry

import (
	"maps"
	"sync"
	"sync/atomic"
)

// known finds the series of a metric that have been used before: asking the
// metric costs several times as much. Keys have the bounded cardinality of its
// labels. The zero value is ready.
type known[K comparable, M any] struct {
	series atomic.Pointer[map[K]M]
	adding sync.Mutex
}

// get returns the series of k, asked for with ask the first time.
func (f *known[K, M]) get(k K, ask func() M) M {
	if series := f.series.Load(); series != nil {
		if m, ok := (*series)[k]; ok {
			return m
		}
	}
	f.adding.Lock()
	defer f.adding.Unlock()
	next := map[K]M{}
	if series := f.series.Load(); series != nil {
		next = maps.Clone(*series)
	}
	m := ask() // the metric gives the same one again
	next[k] = m
	f.series.Store(&next)
	return m
}
