package memory

import "time"

// shape is the length of a window and of the slots that it is counted in.
type shape struct {
	slot  time.Duration
	slots int64 // in a window
}

// window counts what was used in a rolling window. What was used in a slot
// counts until the window behind the slot's end has passed: at least as long
// as the window, and up to one slot longer.
type window struct {
	shape
	ring []int64 // of slots+1; nil until something is used
	head int64   // the number of the newest slot
	sum  int64
}

// advance moves the window on to a slot and forgets what no longer counts.
// A step back by one slot is taken for two callers that overtook each other;
// a larger one is a clock that was set back: what was used keeps its age.
func (w *window) advance(slot int64) {
	if w.ring == nil {
		w.head = slot
		return
	}
	steps := slot - w.head
	switch {
	case steps == 0 || steps == -1:
		return
	case steps < 0:
		w.turn(slot)
		return
	case steps > w.slots:
		clear(w.ring)
		w.sum = 0
	default:
		for s := w.head + 1; s <= slot; s++ {
			at := w.at(s)
			w.sum -= w.ring[at]
			w.ring[at] = 0
		}
	}
	w.head = slot
}

// turn moves the head to an earlier slot together with all that is counted.
func (w *window) turn(slot int64) {
	moved := make([]int64, len(w.ring))
	for age := range w.slots + 1 {
		moved[mod(slot-age, w.slots+1)] = w.ring[w.at(w.head-age)]
	}
	w.ring, w.head = moved, slot
}

func (w *window) at(slot int64) int64 { return mod(slot, w.slots+1) }

func mod(a, n int64) int64 { return ((a % n) + n) % n }

// add counts n in the newest slot and returns its number.
func (w *window) add(n int64) int64 {
	if w.ring == nil {
		w.ring = make([]int64, w.slots+1)
	}
	w.ring[w.at(w.head)] += n
	w.sum += n
	return w.head
}

// correct adds n, which may be negative, to what was used in a slot, if that
// still counts.
func (w *window) correct(slot, n int64) {
	if w.ring == nil || slot > w.head || slot < w.head-w.slots {
		return
	}
	at := w.at(slot)
	n = min(max(n, -w.ring[at]), limitOfCounts-w.sum)
	w.ring[at] += n
	w.sum += n
}

// wait is how long after now, which is in the newest slot or before it, until
// at most n count; false = they never will be that few.
func (w *window) wait(now time.Duration, n int64) (time.Duration, bool) {
	if n < 0 {
		return 0, false
	}
	left := w.sum
	if left <= n {
		return 0, true
	}
	for age := w.slots; age >= 0; age-- {
		slot := w.head - age
		if left -= w.ring[w.at(slot)]; left <= n {
			return w.end(slot) - now, true
		}
	}
	return 0, false
}
