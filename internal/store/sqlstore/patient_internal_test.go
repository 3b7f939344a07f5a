package sqlstore

import (
	"context"
	"errors"
	"net"
	"syscall"
	"testing"
	"testing/synctest"
)

func TestAFullQueueOfConnectionsIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full := 3
		other := errors.New("refused")
		var end error
		dial := patient(func(context.Context, string, string) (net.Conn, error) {
			if full > 0 {
				full--
				return nil, &net.OpError{Op: "dial", Err: syscall.EAGAIN}
			}
			return nil, end
		})
		if _, err := dial(t.Context(), "unix", "x"); err != nil {
			t.Errorf("after three full queues: %v", err)
		}
		end = other
		if _, err := dial(t.Context(), "unix", "x"); !errors.Is(err, other) {
			t.Errorf("another failure: %v", err)
		}
		full = 1 << 30
		if _, err := dial(t.Context(), "unix", "x"); !errors.Is(err, syscall.EAGAIN) {
			t.Errorf("a queue that stays full: %v", err)
		}
	})
}
