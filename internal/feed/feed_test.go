package feed_test

import (
	"sync"
	"testing"

	"tollgate"
	"tollgate/internal/feed"
)

func TestWatchersSeeWhatTheyWant(t *testing.T) {
	var h feed.Hub
	if h.Watched() {
		t.Error("somebody watches a new hub")
	}
	h.Began(&tollgate.Request{ID: 1})
	all := h.Watch(func(*tollgate.Request) bool { return true })
	mine := h.Watch(func(r *tollgate.Request) bool { return r.UserID == 7 })
	r := &tollgate.Request{ID: 16, UserID: 7, Model: "m", Dispatches: make([]tollgate.Dispatch, 1)}
	h.Began(r)
	r.Model = "changed"
	h.Ended(&tollgate.Request{ID: 32, UserID: 8})
	first, second := <-all.C, <-all.C
	if first.Ended || first.Request.ID != 16 || first.Request.Model != "m" || !second.Ended || second.Request.ID != 32 {
		t.Errorf("saw %+v, %+v", first.Request, second.Request)
	}
	if got := <-mine.C; got.Request.ID != 16 || len(mine.C) != 0 {
		t.Errorf("saw %+v and %d more", got.Request, len(mine.C))
	}
	mine.Close()
	mine.Close()
	if !h.Watched() {
		t.Error("nobody is left")
	}
	all.Close()
	if h.Watched() {
		t.Error("somebody is left")
	}
	h.Ended(r)
	if len(all.C)+len(mine.C) != 0 {
		t.Error("an event came after the end")
	}
}

// A watcher that does not read holds nobody up, and what it lost is counted.
func TestSlowWatcherLoses(t *testing.T) {
	var h feed.Hub
	w := h.Watch(func(*tollgate.Request) bool { return true })
	defer w.Close()
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range feed.Buffer {
				h.Ended(&tollgate.Request{})
			}
		})
	}
	all.Wait()
	if got := w.Lost(); len(w.C) != feed.Buffer || got != 3*feed.Buffer {
		t.Errorf("%d events are there and %d lost", len(w.C), got)
	}
	if w.Lost() != 0 {
		t.Error("what was lost is told twice")
	}
}
