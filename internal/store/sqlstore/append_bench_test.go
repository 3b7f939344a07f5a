//go:build unix

package sqlstore_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/store/storetest"
)

// BenchmarkAppend gives the cost of one request with one dispatch, which is
// two rows, by batch size.
func BenchmarkAppend(b *testing.B) {
	engines := map[string]string{"sqlite": "sqlite://bench.db"}
	if dsn := os.Getenv("TOLLGATE_BENCH_PG"); dsn != "" {
		engines["postgres"] = dsn
	}
	for name, dsn := range engines {
		for _, batch := range []int{1, 8, 64, 512} {
			for _, users := range []int{1, 50} {
				b.Run(fmt.Sprintf("%s/batch=%d/users=%d", name, batch, users), func(b *testing.B) { benchAppend(b, dsn, batch, users) })
			}
		}
	}
}

func benchAppend(b *testing.B, dsn string, batch, users int) {
	b.Helper()
	s, err := sqlstore.Open(b.Context(), sqlstore.Options{DSN: dsn, Dir: b.TempDir(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ids := new(tollgate.RequestIDs)
	rows := make([]tollgate.Request, batch)
	start, total := storetest.ProcessCPU(b), 0
	for b.Loop() {
		for i := range rows {
			rows[i] = benchRequest(ids, users)
		}
		if err := s.Append(b.Context(), rows); err != nil {
			b.Fatal(err)
		}
		total += batch
	}
	b.ReportMetric(float64(storetest.ProcessCPU(b)-start)/float64(2*total), "cpu-ns/row")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*total), "wall-ns/row")
}

// benchRequest is a typical request of one of some users, who take turns: each
// has a page of its own in the indexes by user.
func benchRequest(ids *tollgate.RequestIDs, users int) tollgate.Request {
	now := stamp()
	id := ids.Next(now)
	user := 1 + int64(id>>4)%int64(users)
	tokens := tollgate.Tokens{Input: 812, Output: 93, CacheRead: 2048}
	return tollgate.Request{
		ID: id, UserID: user, KeyID: user, StartedAt: now, ClientIP: "192.0.2.17", UserAgent: "OpenAI/Python 1.99.0",
		Dialect: tollgate.DialectOpenAIChat, Operation: tollgate.OpGenerate, Stream: true, Model: "gpt-5-mini", ProviderID: 3, Served: "gpt-5-mini",
		Status: 200, FirstToken: 412 * time.Millisecond, Latency: 3 * time.Second, Tokens: tokens, Cost: 1_234_000,
		Dispatches: []tollgate.Dispatch{{
			ID: id.Dispatch(1), ProviderID: 3, CredentialID: 4, Model: "gpt-5-mini", StartedAt: now, Latency: 3 * time.Second, Status: 200,
			Tokens: tokens, Exactness: tollgate.ExactMeasured, Cost: 1_234_000, PriceVersion: 1,
		}},
	}
}
