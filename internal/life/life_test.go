package life_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"tollgate/internal/life"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type key struct{}

func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}

func TestAContextEndsOnceAndTellsWhy(t *testing.T) {
	first, second := errors.New("first"), errors.New("second")
	for _, c := range []struct {
		name        string
		cause, want error
	}{{"a cause", first, first}, {"none", nil, context.Canceled}, {"canceled", context.Canceled, context.Canceled}} {
		for _, early := range []bool{true, false} {
			var ctx life.Context
			if ctx.Err() != nil || context.Cause(&ctx) != nil {
				t.Errorf("%s: ended before its end", c.name)
			}
			if early && isClosed(ctx.Done()) {
				t.Errorf("%s: done before its end", c.name)
			}
			ctx.End(c.cause)
			ctx.End(second)
			if !isClosed(ctx.Done()) {
				t.Errorf("%s: not done", c.name)
			}
			for _, err := range []error{ctx.Err(), context.Cause(&ctx)} {
				if !errors.Is(err, c.want) || !errors.Is(err, context.Canceled) || errors.Is(err, second) {
					t.Errorf("%s: %v", c.name, err)
				}
			}
			if c.cause == nil && ctx.Err() != context.Canceled { //nolint:errorlint // the bare one is promised
				t.Errorf("%s: %#v", c.name, ctx.Err())
			}
		}
	}
}

func TestValuesComeFromValuesAndTheirEndMeansNothing(t *testing.T) {
	parent, cancel := context.WithCancel(context.WithValue(t.Context(), key{}, 7))
	cancel()
	ctx := life.Context{Values: parent}
	if ctx.Value(key{}) != 7 || ctx.Err() != nil || isClosed(ctx.Done()) {
		t.Error(ctx.Value(key{}), ctx.Err())
	}
	var bare life.Context
	if bare.Value(key{}) != nil {
		t.Error("a value out of nothing")
	}
}

func TestFunctionsRunAtTheEndUnlessTheyAreStopped(t *testing.T) {
	var ctx life.Context
	var ran []int
	stops := map[int]func() bool{}
	for i := range 6 {
		stops[i] = ctx.AfterFunc(func() { ran = append(ran, i) })
	}
	for _, i := range []int{0, 3, 5} {
		if !stops[i]() || stops[i]() {
			t.Errorf("%d: stop is true once", i)
		}
	}
	stops[6] = ctx.AfterFunc(func() { ran = append(ran, 6) })
	ctx.End(nil)
	late := make(chan struct{})
	ctx.AfterFunc(func() { ran = append(ran, 7); close(late) })
	<-late
	got := map[int]bool{}
	for _, i := range ran {
		got[i] = true
	}
	if len(ran) != 5 || !got[1] || !got[2] || !got[4] || !got[6] || !got[7] {
		t.Error(ran)
	}
	if stops[1]() {
		t.Error("stopped after it ran")
	}
}

// A context that is derived from one that ends meanwhile ends too: the context
// package asks with its child's lock held.
func TestDerivedWhileItEnds(t *testing.T) {
	for range 2000 {
		var ctx life.Context
		var both sync.WaitGroup
		both.Go(func() { ctx.End(nil) })
		both.Go(func() {
			child, cancel := context.WithTimeout(&ctx, time.Hour)
			defer cancel()
			<-child.Done()
		})
		both.Wait()
	}
}

// The context package's children end with it, with its cause, and no goroutine
// waits for that.
func TestDerivedContexts(t *testing.T) {
	var ctx life.Context
	before := runtime.NumGoroutine()
	children := make([]context.Context, 5)
	for i := range children {
		child, cancel := context.WithCancel(&ctx)
		defer cancel()
		children[i] = child
	}
	grandchild, cancel := context.WithTimeout(children[0], time.Hour)
	defer cancel()
	left, leave := context.WithCancelCause(&ctx)
	leave(errors.New("own"))
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more", n-before)
	}
	why := errors.New("why")
	ctx.End(why)
	for _, c := range append(children, grandchild) {
		if !isClosed(c.Done()) || !errors.Is(context.Cause(c), why) {
			t.Error(c.Err(), context.Cause(c))
		}
	}
	if context.Cause(left).Error() != "own" {
		t.Error(context.Cause(left))
	}
}

func TestAfterFuncWorksOnAnyContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan bool, 1)
	life.AfterFunc(ctx, func() { done <- true })
	stop := life.AfterFunc(ctx, func() { t.Error("ran though stopped") })
	if !stop() {
		t.Error("not stopped")
	}
	cancel()
	<-done
	var own life.Context
	life.AfterFunc(&own, func() { done <- true })
	own.End(nil)
	<-done
}

func TestManyMayUseIt(t *testing.T) {
	for range 200 {
		var ctx life.Context
		var wg sync.WaitGroup
		var ran, stopped atomic.Int64
		for range 8 {
			wg.Go(func() {
				stop := ctx.AfterFunc(func() { ran.Add(1) })
				_ = ctx.Err()
				if stop() {
					stopped.Add(1)
				}
				<-ctx.Done()
			})
		}
		wg.Go(func() { ctx.End(nil) })
		wg.Wait()
		for deadline := time.Now().Add(5 * time.Second); ran.Load()+stopped.Load() != 8 && time.Now().Before(deadline); {
			runtime.Gosched() // what was too late runs by itself
		}
		if ran.Load()+stopped.Load() != 8 {
			t.Fatalf("%d ran, %d stopped", ran.Load(), stopped.Load())
		}
	}
}

func TestATimeoutCountsFromTheFirstWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := life.Timeout{Limit: time.Minute}
		time.Sleep(time.Hour)
		if ctx.Err() != nil {
			t.Error("ended before anybody waited")
		}
		from := time.Now()
		<-ctx.Done()
		if d := time.Since(from); d != time.Minute || !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Error(d, ctx.Err())
		}
		ctx.Stop()

		derived := life.Timeout{Limit: time.Minute}
		child, cancel := context.WithCancel(&derived)
		defer cancel()
		<-child.Done()

		stopped := life.Timeout{Limit: time.Minute}
		stopped.Stop()
		<-stopped.Done()
		if !errors.Is(stopped.Err(), context.Canceled) {
			t.Error(stopped.Err())
		}
	})
}

func BenchmarkContext(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var request, call life.Context
		leave := request.AfterFunc(func() { call.End(nil) })
		stop := call.AfterFunc(func() {})
		stop()
		leave()
		call.End(nil)
		request.End(nil)
	}
}

func BenchmarkOfTheContextPackage(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		request, end := context.WithCancel(context.Background())
		call, cancel := context.WithCancelCause(request)
		stop := context.AfterFunc(call, func() {})
		stop()
		cancel(nil)
		end()
	}
}
