package auth

import (
	"context"
	"crypto/rand"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tollgate"
)

// hold occupies n slots of h until the returned function is called.
func hold(t *testing.T, h *Hasher, n int) (release func()) {
	t.Helper()
	end := make(chan struct{})
	for range n {
		go func() {
			if err := h.run(t.Context(), func() { <-end }); err != nil {
				t.Errorf("a free slot was refused: %v", err)
			}
		}()
	}
	synctest.Wait()
	return func() { close(end) }
}

func TestA02NoMoreHashesThanSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 3, Queue: 100}, rand.Reader)
		var running, most atomic.Int32
		for range 50 {
			go func() {
				err := h.run(t.Context(), func() {
					now := running.Add(1)
					for old := most.Load(); now > old && !most.CompareAndSwap(old, now); old = most.Load() {
					}
					time.Sleep(10 * time.Millisecond)
					running.Add(-1)
				})
				if err != nil {
					t.Error(err)
				}
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if most.Load() != 3 || running.Load() != 0 {
			t.Errorf("%d hashes ran at once, want 3; %d still run", most.Load(), running.Load())
		}
	})
}

func TestA02WaitIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 1}, rand.Reader)
		release := hold(t, h, 1)
		start := time.Now()
		err := h.run(t.Context(), func() { t.Error("ran without a slot") })
		if e := tollgate.AsError(err); e.Code != tollgate.CodeUnavailable || e.RetryAfter <= 0 {
			t.Errorf("error = %v with RetryAfter %v, want CodeUnavailable and a time", err, e.RetryAfter)
		}
		if waited := time.Since(start); waited != 2*time.Second {
			t.Errorf("waited %v, want 2 s", waited)
		}
		release()
		synctest.Wait()
		if err := h.run(t.Context(), func() {}); err != nil {
			t.Errorf("after the overload: %v", err)
		}
	})
}

func TestA02QueueIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 1}, rand.Reader)
		release := hold(t, h, 1)
		var served, paused, atOnce atomic.Int32
		start := time.Now()
		for range 64 + hashCrowd + 100 {
			go func() {
				err, after := h.run(t.Context(), func() {}), time.Since(start)
				switch {
				case err == nil:
					served.Add(1)
				case tollgate.ErrorCode(err) != tollgate.CodeUnavailable:
				case after == 0:
					atOnce.Add(1)
				case after == hashPause:
					paused.Add(1)
				}
			}()
		}
		synctest.Wait()
		release()
		synctest.Wait()
		time.Sleep(hashPause)
		synctest.Wait()
		if served.Load() != 64 || paused.Load() != hashCrowd || atOnce.Load() != 100 {
			t.Errorf("%d served, %d refused after a pause, %d at once; want 64, %d and 100", served.Load(), paused.Load(), atOnce.Load(), hashCrowd)
		}
	})
}

func TestA02SlotIsHeldUntilHashingEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 1}, rand.Reader)
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan struct{})
		go func() { _ = h.run(ctx, func() { <-end }) }()
		synctest.Wait()
		cancel() // the client leaves; the memory is in use all the same
		synctest.Wait()
		if err := h.run(t.Context(), func() {}); tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Errorf("a second hash ran beside one whose client had left: %v", err)
		}
		close(end)
	})
}

func TestA02LeavingTheQueueFreesThePlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHasher(HasherOptions{Slots: 1, Queue: 1}, rand.Reader)
		release := hold(t, h, 1)
		ctx, cancel := context.WithCancel(t.Context())
		left := make(chan error, 1)
		go func() { left <- h.run(ctx, func() {}) }()
		synctest.Wait()
		cancel()
		if err := <-left; tollgate.ErrorCode(err) != tollgate.CodeUnavailable {
			t.Errorf("leaving the queue: %v", err)
		}
		stays := make(chan error, 1)
		go func() { stays <- h.run(t.Context(), func() {}) }()
		synctest.Wait()
		release()
		if err := <-stays; err != nil {
			t.Errorf("the place was not freed: %v", err)
		}
	})
}

func TestA02SlotsFollowTheCores(t *testing.T) {
	h := NewHasher(HasherOptions{}, rand.Reader)
	if cap(h.slots) < 1 || h.queue != 64 || h.wait != 2*time.Second || h.cost != PolicyCost() {
		t.Errorf("defaults are %d slots, queue %d, wait %v, cost %+v", cap(h.slots), h.queue, h.wait, h.cost)
	}
}
