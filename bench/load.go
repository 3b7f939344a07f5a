package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// load is what the clients of a case do.
type load struct {
	conns  int  // connections, one request at a time on each
	rate   int  // requests per second over all connections; 0 = as fast as answers come
	stream bool // count events instead of requests
	body   []byte
}

// sample is what one round saw.
type sample struct {
	units    int             // requests, or events of streams, within the window
	times    []time.Duration // of each unit: a request's latency, an event's delay since it was sent
	failures int             // connections refused or cut, statuses other than 200
	elapsed  time.Duration
	first    error // the first failure
}

// percentile returns the time that the share p of all units did not pass, in microseconds.
func (s *sample) percentile(p float64) float64 {
	if len(s.times) == 0 {
		return 0
	}
	slices.Sort(s.times)
	return float64(s.times[min(len(s.times)-1, int(p*float64(len(s.times))))].Nanoseconds()) / 1e3
}

// window says from when to when units count.
type window struct{ open, close time.Time }

func (w window) holds(t time.Time) bool { return !t.Before(w.open) && t.Before(w.close) }

// run puts the load on addr: warm first, then the window, calling atOpen and
// atClose at its edges. Failures in the warm-up count too.
func (l load) run(ctx context.Context, addr, key string, warm, length time.Duration, atOpen, atMiddle, atClose func()) (sample, error) {
	start := time.Now()
	w := window{open: start.Add(warm), close: start.Add(warm + length)}
	ctx, cancel := context.WithDeadline(ctx, w.close.Add(10*time.Second))
	defer cancel()

	request := l.request(addr, key)
	var stop atomic.Bool
	samples := make([]sample, l.conns)
	var clients sync.WaitGroup
	for i := range samples {
		clients.Go(func() {
			c := client{addr: addr, request: request, stream: l.stream, window: w, sample: &samples[i]}
			c.run(ctx, &stop, l.schedule(i, start))
		})
	}
	edges := []struct {
		at time.Time
		do func()
	}{{w.open, atOpen}, {w.open.Add(length / 2), atMiddle}, {w.close, atClose}}
	var opened, closed time.Time
	for i, edge := range edges {
		if err := sleepUntil(ctx, edge.at); err != nil {
			stop.Store(true)
			clients.Wait()
			return sample{}, err
		}
		edge.do()
		if i == 0 {
			opened = time.Now()
		}
		closed = time.Now()
	}
	stop.Store(true)
	clients.Wait()
	return merge(samples, closed.Sub(opened)), nil
}

// request returns the bytes that every client sends.
func (l load) request(addr, key string) []byte {
	return append(fmt.Appendf(nil, "POST /v1/chat/completions HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n"+
		"Accept: */*\r\nUser-Agent: tollgate-bench/1\r\nContent-Length: %d\r\n\r\n", addr, key, len(l.body)), l.body...)
}

// schedule returns when connection i sends its n-th request; nil = at once.
func (l load) schedule(i int, start time.Time) func(n int) time.Time {
	gap := time.Duration(0)
	switch {
	case l.rate > 0:
		gap = time.Second * time.Duration(l.conns) / time.Duration(l.rate)
	case l.stream: // spread the starts, then follow each other
		lead := 100 * time.Millisecond * time.Duration(i) / time.Duration(l.conns)
		return func(n int) time.Time {
			if n == 0 {
				return start.Add(lead)
			}
			return time.Time{}
		}
	default:
		return func(int) time.Time { return time.Time{} }
	}
	lead := gap * time.Duration(i) / time.Duration(l.conns)
	return func(n int) time.Time { return start.Add(lead + gap*time.Duration(n)) }
}

func sleepUntil(ctx context.Context, t time.Time) error {
	timer := time.NewTimer(time.Until(t))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

func merge(samples []sample, elapsed time.Duration) sample {
	out := sample{elapsed: elapsed}
	for _, s := range samples {
		out.units += s.units
		out.failures += s.failures
		out.times = append(out.times, s.times...)
		if out.first == nil {
			out.first = s.first
		}
	}
	return out
}

func dial(addr string) (net.Conn, error) {
	return net.DialTimeout("tcp", addr, 5*time.Second)
}
