package auth

import (
	"runtime"
	"sync"
	"time"
)

// headroomLinger is how long the processors stay after the last hash: sign-ins
// come in bursts, and each change stops the world for a moment.
const headroomLinger = time.Second

// headroom gives the scheduler a processor for every hash that may run, for as
// long as any does. A hash keeps its processor for ten milliseconds at a time;
// with as many processors as cores, requests would wait behind it. The
// operating system shares the cores more finely. Always on, it would cost
// every request a tenth of its CPU (docs/decisions/033-headroom.md).
type headroom struct {
	slots int

	mu     sync.Mutex
	active int
	before int // GOMAXPROCS without it; 0 = it is not raised
	lower  *time.Timer
}

func (h *headroom) enter() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.active++
	if h.lower != nil {
		h.lower.Stop()
		h.lower = nil
	}
	if h.before == 0 {
		h.before = runtime.GOMAXPROCS(0)
		runtime.GOMAXPROCS(h.before + h.slots)
	}
}

func (h *headroom) leave() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active--; h.active == 0 {
		h.lower = time.AfterFunc(headroomLinger, h.settle)
	}
}

// settle takes the processors back, unless a hash has come meanwhile.
func (h *headroom) settle() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.active == 0 && h.before != 0 {
		runtime.GOMAXPROCS(h.before)
		h.before = 0
	}
}
