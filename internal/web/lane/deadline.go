package lane

import (
	"sync"
	"time"
)

// deadline is a read or a write deadline of a connection. Setting one costs
// more than it is worth for each of many short requests, so it is put on the
// connection only when something is about to wait, and not if the one that is
// there comes at most an eighth of the wait later.
type deadline struct {
	set func(time.Time) error

	mu      sync.Mutex
	wanted  time.Time
	have    time.Time // on the connection
	waiting bool
}

// want sets the time by which the next wait, or the one under way, must end;
// zero = never.
func (d *deadline) want(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = t
	if d.waiting {
		d.apply()
	}
}

// begin comes before a wait.
func (d *deadline) begin() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = true
	d.apply()
}

// end comes after a wait.
func (d *deadline) end() {
	d.mu.Lock()
	d.waiting = false
	d.mu.Unlock()
}

// apply puts the wanted deadline on the connection, with half of the slack, so
// that it lasts for some more requests.
func (d *deadline) apply() {
	if d.wanted.IsZero() {
		if !d.have.IsZero() {
			d.have = time.Time{}
			_ = d.set(d.have)
		}
		return
	}
	late := d.have.Sub(d.wanted)
	if d.have.IsZero() || late != 0 {
		slack := max(d.wanted.Sub(now())/8, 0)
		if d.have.IsZero() || late < 0 || late > slack {
			d.have = d.wanted.Add(slack)
			_ = d.set(d.have)
		}
	}
}

// clear leaves the connection without a deadline.
func (d *deadline) clear() {
	d.want(time.Time{})
	d.begin()
	d.end()
}
