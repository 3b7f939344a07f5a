// Package feed tells whoever watches what requests begin and end. Nobody waits
// for a watcher: one that is slow loses events and is told how many.
package feed

import (
	"sync"
	"sync/atomic"

	"tollgate"
)

// Buffer is how many events a watcher may be behind.
const Buffer = 256

// Event is a request that began or ended. Its row must not be changed.
type Event struct {
	Ended   bool
	Request *tollgate.Request
}

// Hub passes events on. The zero value is ready.
type Hub struct {
	watchers atomic.Int32
	mu       sync.RWMutex
	watches  map[*Watch]struct{}
}

// Watch is somebody's view of the feed.
type Watch struct {
	// C carries the events.
	C    chan Event
	lost atomic.Int64
	want func(*tollgate.Request) bool
	hub  *Hub
}

// Watched reports whether anybody watches; it costs one load.
func (h *Hub) Watched() bool { return h.watchers.Load() > 0 }

// Began tells that r began; it copies r if anybody watches.
func (h *Hub) Began(r *tollgate.Request) { h.publish(r, false) }

// Ended tells that r ended, likewise.
func (h *Hub) Ended(r *tollgate.Request) { h.publish(r, true) }

func (h *Hub) publish(r *tollgate.Request, ended bool) {
	if !h.Watched() {
		return
	}
	h.mu.RLock()
	defer h.mu.RUnlock()
	var e *Event
	for w := range h.watches {
		if !w.want(r) {
			continue
		}
		if e == nil {
			row := *r
			row.Dispatches = nil
			e = &Event{Ended: ended, Request: &row}
		}
		select {
		case w.C <- *e:
		default:
			w.lost.Add(1)
		}
	}
}

// Watch begins to watch the requests that want picks; end it with Close.
func (h *Hub) Watch(want func(*tollgate.Request) bool) *Watch {
	w := &Watch{C: make(chan Event, Buffer), want: want, hub: h}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.watches == nil {
		h.watches = map[*Watch]struct{}{}
	}
	h.watches[w] = struct{}{}
	h.watchers.Add(1)
	return w
}

// Lost returns how many events were lost since it was last asked.
func (w *Watch) Lost() int64 { return w.lost.Swap(0) }

// Close ends the watch; no event comes after it.
func (w *Watch) Close() {
	w.hub.mu.Lock()
	defer w.hub.mu.Unlock()
	if _, ok := w.hub.watches[w]; ok {
		delete(w.hub.watches, w)
		w.hub.watchers.Add(-1)
	}
}
