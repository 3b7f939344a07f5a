package memory

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/limit"
)

// saved is the text of a counter: of each window, until when (nanoseconds
// since 1970) how much counts.
type saved struct {
	Minute [][2]int64 `json:"minute,omitempty"`
	Day    [][2]int64 `json:"day,omitempty"`
	Tokens [][2]int64 `json:"tokens,omitempty"`
}

// Save implements limit.Keeper. Slots of concurrency are not kept: what took
// them ends with the process.
func (l *Limiter) Save() []tollgate.RateCounters {
	var out []tollgate.RateCounters
	byID := l.index.Load().byID
	for _, id := range slices.Sorted(maps.Keys(byID)) {
		c := byID[id]
		c.mu.Lock()
		wall := l.now()
		now := l.since(wall)
		c.advance(now)
		s := saved{c.minute.save(wall, now), c.day.save(wall, now), c.tokens.save(wall, now)}
		c.mu.Unlock()
		if s.Minute == nil && s.Day == nil && s.Tokens == nil {
			continue
		}
		state, err := json.Marshal(s)
		if err == nil { // numbers always have a JSON form
			out = append(out, tollgate.RateCounters{LimitID: id, State: state})
		}
	}
	return out
}

func (w *window) save(wall time.Time, now time.Duration) (out [][2]int64) {
	if w.ring == nil {
		return nil
	}
	for age := range w.slots + 1 {
		s := w.head - age
		if n := w.ring[w.at(s)]; n > 0 {
			out = append(out, [2]int64{wall.Add(w.end(s) - now).UnixNano(), n})
		}
	}
	return out
}

// end is the time at which what was used in a slot no longer counts.
func (w *window) end(slot int64) time.Duration { return time.Duration(slot+w.slots+1) * w.slot }

// Restore implements limit.Keeper.
func (l *Limiter) Restore(rows []tollgate.RateCounters) (lost int) {
	byID := l.index.Load().byID
	for _, row := range rows {
		c, ok := byID[row.LimitID]
		var s saved
		if !ok || json.Unmarshal(row.State, &s) != nil {
			lost++
			continue
		}
		c.mu.Lock()
		wall := l.now()
		now := l.since(wall)
		c.advance(now)
		c.minute.restore(s.Minute, wall, now)
		c.day.restore(s.Day, wall, now)
		c.tokens.restore(s.Tokens, wall, now)
		c.mu.Unlock()
	}
	return lost
}

// restore counts what was saved into the oldest slots in which it counts long
// enough. What would count longer than anything can, since the clock was set
// back, counts as if it had been used now.
func (w *window) restore(rows [][2]int64, wall time.Time, now time.Duration) {
	w.advance(slot(now, w.slot))
	for _, row := range rows {
		left := time.Unix(0, row[0]).Sub(wall)
		if left <= 0 || row[1] <= 0 {
			continue
		}
		last := now + min(left, w.end(0))
		s := slot(last+w.slot-1, w.slot) - w.slots - 1
		w.addAt(min(s, w.head), row[1])
	}
}

// addAt counts n in a slot that still counts.
func (w *window) addAt(slot, n int64) {
	if slot < w.head-w.slots {
		return
	}
	w.add(0)
	n = min(n, limitOfCounts-w.sum) // of a text that somebody has changed
	w.ring[w.at(slot)] += n
	w.sum += n
}

// limitOfCounts bounds what a window counts, far above what anything uses.
const limitOfCounts = 1 << 60

var _ limit.Keeper = (*Limiter)(nil)
