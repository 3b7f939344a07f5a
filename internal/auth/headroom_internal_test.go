package auth

import (
	"runtime"
	"sync"
	"testing"
	"time"
)

// TestHashesHaveProcessorsOfTheirOwn: while a hash runs there is one more
// processor for each slot, and afterwards there are as many as before.
func TestHashesHaveProcessorsOfTheirOwn(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	h := &headroom{slots: 2}
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			h.enter()
			defer h.leave()
			if got := runtime.GOMAXPROCS(0); got != before+2 {
				t.Errorf("%d processors while a hash runs, want %d", got, before+2)
			}
		})
	}
	all.Wait()
	for end := time.Now().Add(10 * time.Second); runtime.GOMAXPROCS(0) != before; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%d processors long afterwards, want %d", runtime.GOMAXPROCS(0), before)
		}
	}
}
