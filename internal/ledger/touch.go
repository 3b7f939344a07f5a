package ledger

import (
	"context"
	"maps"
	"sync"
	"time"
)

const (
	// touchGrain is how exact a last use is: it is stored at most once in it.
	touchGrain = time.Minute
	// touchEvery is how often waiting last uses are written.
	touchEvery = time.Second
	// touchForget is the number of remembered ids above which old ones go.
	touchForget = 4096
)

// touches are last uses: those that wait to be written, and when each id was
// noted last, so that a busy key costs one map look-up.
type touches struct {
	mu             sync.Mutex
	keys, sessions uses
}

type uses struct {
	noted   map[int64]time.Time
	waiting map[int64]time.Time
}

// Touch notes that a key or session (0 = none) was used at a time. It never
// waits for the store; ids that no longer exist are ignored by it.
func (r *Recorder) Touch(keyID, sessionID int64, at time.Time) {
	r.touches.mu.Lock()
	r.touches.keys.note(keyID, at)
	r.touches.sessions.note(sessionID, at)
	r.touches.mu.Unlock()
	r.launch()
}

func (u *uses) note(id int64, at time.Time) {
	if id == 0 {
		return
	}
	if last, ok := u.noted[id]; ok && at.Sub(last) < touchGrain {
		return
	}
	if u.noted == nil {
		u.noted, u.waiting = map[int64]time.Time{}, map[int64]time.Time{}
	}
	u.noted[id], u.waiting[id] = at, at
}

// take returns what waits and starts anew.
func (u *uses) take() map[int64]time.Time {
	out := u.waiting
	u.waiting = map[int64]time.Time{}
	if len(u.noted) > touchForget {
		var newest time.Time
		for _, at := range u.noted {
			if at.After(newest) {
				newest = at
			}
		}
		maps.DeleteFunc(u.noted, func(_ int64, at time.Time) bool { return newest.Sub(at) >= touchGrain })
	}
	return out
}

// restore puts back what could not be written, unless a later use waits.
func (u *uses) restore(old map[int64]time.Time) {
	for id, at := range old {
		if at.After(u.waiting[id]) {
			u.waiting[id] = at
		}
	}
}

// flushTouches writes the waiting last uses; when that fails, they wait on.
func (r *Recorder) flushTouches(ctx context.Context) {
	t := &r.touches
	t.mu.Lock()
	if len(t.keys.waiting)+len(t.sessions.waiting) == 0 {
		t.mu.Unlock()
		return
	}
	keys, sessions := t.keys.take(), t.sessions.take()
	t.mu.Unlock()
	if err := r.Log.Touch(ctx, keys, sessions); err != nil {
		t.mu.Lock()
		t.keys.restore(keys)
		t.sessions.restore(sessions)
		t.mu.Unlock()
		r.Logger.WarnContext(ctx, "last uses not stored yet", "error", err)
		return
	}
	r.stats.touched.Add(int64(len(keys) + len(sessions)))
}
