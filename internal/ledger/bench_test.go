//go:build unix

package ledger_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/ledger"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// BenchmarkAdmitAndSettle is the machine alone, by how many quotas stand in
// the chain; all callers share them.
func BenchmarkAdmitAndSettle(b *testing.B) {
	all := []tollgate.Quota{
		quota(tollgate.ScopeKey, 1, tollgate.WindowTotal, tollgate.MaxMoney), quota(tollgate.ScopeUser, 2, tollgate.WindowMonth, tollgate.MaxMoney),
		quota(tollgate.ScopeTeam, 3, tollgate.WindowDay, tollgate.MaxMoney), quota(tollgate.ScopeInstance, 0, tollgate.WindowMonth, tollgate.MaxMoney),
	}
	for n := range len(all) + 1 {
		b.Run(fmt.Sprintf("quotas=%d", n), func(b *testing.B) {
			bank := newBank(b, all[:n]...)
			id := bank.id()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					h, err := bank.Admit(b.Context(), id, alice(), 5)
					if err != nil {
						b.Error(err)
						return
					}
					h.Settle(4)
				}
			})
		})
	}
}

// BenchmarkDispatch is what accounting adds to a request: admission, a durable
// intent, settlement and durable rows, with 64 callers who wait.
func BenchmarkDispatch(b *testing.B) {
	for _, durability := range []string{sqlstore.DurableProcess, sqlstore.DurablePower} {
		for _, quotas := range []int{0, 3} {
			b.Run(fmt.Sprintf("%s/quotas=%d", durability, quotas), func(b *testing.B) {
				h := newHouse(b, sqlstore.Options{Dir: b.TempDir(), Durability: durability})
				c := h.people()
				if quotas > 0 {
					h.quota(tollgate.ScopeKey, c.KeyID, tollgate.WindowTotal, tollgate.MaxMoney)
					h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowMonth, tollgate.MaxMoney)
					h.quota(tollgate.ScopeTeam, c.TeamID, tollgate.WindowDay, tollgate.MaxMoney)
				}
				benchDispatch(b, h, c)
			})
		}
	}
}

func benchDispatch(b *testing.B, h *house, c ledger.Chain) {
	b.Helper()
	const waiters = 64
	h.Live = func() int { return waiters } // as a busy gateway tells it
	before, start := h.Recorder.Stats(), storetest.ProcessCPU(b)
	b.SetParallelism(waiters / runtime.GOMAXPROCS(0))
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := h.spend(c, 1_234_000); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.ReportMetric(float64(storetest.ProcessCPU(b)-start)/float64(b.N), "cpu-ns/op")
	after := h.Recorder.Stats()
	b.ReportMetric(float64(after.Recorded+after.Intended-before.Recorded-before.Intended)/float64(after.Batches-before.Batches), "entries/commit")
}

// BenchmarkVerify adds up a record of 100,000 dispatches.
func BenchmarkVerify(b *testing.B) {
	h := newHouse(b, sqlstore.Options{Dir: b.TempDir()})
	c := h.people()
	h.quota(tollgate.ScopeUser, c.UserID, tollgate.WindowTotal, tollgate.MaxMoney)
	if err := h.spend(c, 1); err != nil {
		b.Fatal(err)
	}
	rows := make([]tollgate.Request, 1000)
	for range 100 {
		for i := range rows {
			r := h.request(c)
			r.Dispatches = []tollgate.Dispatch{*dispatch(r, 1)}
			rows[i] = *r
		}
		if err := h.store.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := ledger.Verify(b.Context(), h.store, time.UTC); err != nil {
			b.Fatal(err)
		}
	}
}
