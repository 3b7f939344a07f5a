package auth

// Occupy takes every slot of h until release is called: whoever hashes then
// waits, and is seen to.
func (h *Hasher) Occupy() (release func()) {
	for range cap(h.slots) {
		h.slots <- struct{}{}
	}
	return func() {
		for range cap(h.slots) {
			<-h.slots
		}
	}
}
