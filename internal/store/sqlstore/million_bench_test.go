//go:build unix

package sqlstore_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tollgate"
	"tollgate/internal/store/sqlstore"
)

// BenchmarkMillionRows asks a database of a million usage rows, over 60 days
// and of 200 users, what reports ask (issue 4: summaries within 300 ms, a
// filtered page within 100 ms).
func BenchmarkMillionRows(b *testing.B) {
	const rows, users = 1_000_000, 200
	dir := b.TempDir()
	s, err := sqlstore.Open(b.Context(), sqlstore.Options{Dir: dir, Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	fillRecord(b, s, rows, users)
	copied := filepath.Join(dir, "copy.db") // the database without its log
	if err := s.Backup(b.Context(), copied, nil); err != nil {
		b.Fatal(err)
	}
	if info, err := os.Stat(copied); err == nil {
		b.Logf("%d bytes per request with its dispatch", info.Size()/rows)
	}
	month := tollgate.UsageFilter{Since: stamp().Truncate(time.Hour).AddDate(0, 0, -30)}
	fortnight := tollgate.UsageFilter{Since: stamp().Truncate(time.Hour).AddDate(0, 0, -14)}
	latest := tollgate.Page{Sort: "-id", Limit: 100}
	for name, ask := range map[string]func(ctx context.Context, tx tollgate.Tx) error{
		"summary by user": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupUser)
			return err
		},
		"summary of a month by day": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, month, tollgate.GroupDay)
			return err
		},
		"summary of a month, to the minute, by model": func(ctx context.Context, tx tollgate.Tx) error {
			f := tollgate.UsageFilter{Since: month.Since.Add(time.Minute), Until: month.Since.Add(20*24*time.Hour + time.Minute)}
			_, err := tx.Usage.Summarize(ctx, f, tollgate.GroupModel)
			return err
		},
		"page of requests by tag": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Requests(ctx, tollgate.RequestFilter{Tag: "no such tag"}, latest)
			return err
		},
		"summary of a month by tag": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, month, tollgate.GroupTag)
			return err
		},
		"count of requests by error text": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.CountRequests(ctx, tollgate.RequestFilter{ErrorText: "no such text"})
			return err
		},
		"summary of a user by model": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{UserID: tollgate.Is[int64](7)}, tollgate.GroupModel)
			return err
		},
		"page of a user": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Dispatches(ctx, tollgate.UsageFilter{UserID: tollgate.Is[int64](7)}, latest)
			return err
		},
		"page of requests of a month": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Requests(ctx, tollgate.RequestFilter{UsageFilter: month}, latest)
			return err
		},
		"page of requests by error text": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Requests(ctx, tollgate.RequestFilter{ErrorText: "no such text"}, latest)
			return err
		},
		"page of slow requests of a user": func(ctx context.Context, tx tollgate.Tx) error {
			f := tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{UserID: tollgate.Is[int64](7)}, MinLatency: time.Hour}
			_, _, err := tx.Usage.Requests(ctx, f, latest)
			return err
		},
		"page of requests by key": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Requests(ctx, tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{KeyID: tollgate.Is[int64](999)}}, latest)
			return err
		},
		"slowest requests": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Slowest(ctx, tollgate.UsageFilter{}, 10)
			return err
		},
		"traffic of a day": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{Since: stamp().AddDate(0, 0, -1), Until: stamp(), Step: 15 * time.Minute})
			return err
		},
		"traffic of 60 days": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{Since: stamp().AddDate(0, 0, -60), Until: stamp(), Step: 24 * time.Hour})
			return err
		},
		"summary of 14 days by hour": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, fortnight, tollgate.GroupHour)
			return err
		},
		"summary of 14 days by hour and user": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, fortnight, tollgate.GroupHour, tollgate.GroupUser)
			return err
		},
		"summary of 14 days by hour and model": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, fortnight, tollgate.GroupHour, tollgate.GroupModel)
			return err
		},
		"summary of 60 days by day and user": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupDay, tollgate.GroupUser)
			return err
		},
		"summary of 60 days by user and model": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupUser, tollgate.GroupModel)
			return err
		},
		"summary of 60 days by model and provider": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupModel, tollgate.GroupProvider)
			return err
		},
		"summary of 60 days by day and model": func(ctx context.Context, tx tollgate.Tx) error {
			_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupDay, tollgate.GroupModel)
			return err
		},
		"page of a model": func(ctx context.Context, tx tollgate.Tx) error {
			_, _, err := tx.Usage.Dispatches(ctx, tollgate.UsageFilter{Model: tollgate.Is("gpt-5-mini")}, latest)
			return err
		},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := s.View(b.Context(), func(tx tollgate.Tx) error { return ask(b.Context(), tx) }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRemoval removes old requests from a database of so many that most
// pages are out of the cache, in the steps that retention takes.
func BenchmarkRemoval(b *testing.B) {
	const rows, users, step = 300_000, 200, 100
	s, err := sqlstore.Open(b.Context(), sqlstore.Options{Dir: b.TempDir(), Now: time.Now})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	fillRecord(b, s, rows, users)
	if err := s.View(b.Context(), func(tollgate.Tx) error { return nil }); err != nil { // writes what waits
		b.Fatal(err)
	}
	var took []time.Duration
	for b.Loop() {
		begun := time.Now()
		err := s.Update(b.Context(), func(tx tollgate.Tx) error {
			_, err := tx.Ledger.Remove(b.Context(), tollgate.RequestIDAt(stamp()), step)
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(begun))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "p99-µs")
	b.ReportMetric(float64(took[len(took)-1].Microseconds()), "longest-µs")
	b.ReportMetric(step, "requests/op")
}

// fillRecord appends requests that end now and began 60 days ago, evenly.
func fillRecord(b *testing.B, s *sqlstore.Store, rows, users int) {
	b.Helper()
	ids := new(tollgate.RequestIDs)
	batch := make([]tollgate.Request, 0, 500)
	for i := range rows {
		at := stamp().AddDate(0, 0, -60).Add(time.Duration(i) * (60 * 24 * time.Hour / time.Duration(rows)))
		r := benchRequest(ids, users)
		r.ID, r.StartedAt, r.UserID = ids.Next(at), at, int64(i%users)
		r.Dispatches[0].ID, r.Dispatches[0].StartedAt = r.ID.Dispatch(1), at
		if i%3 == 0 {
			r.Dispatches[0].Model, r.Served = "claude-sonnet-4-5", "claude-sonnet-4-5"
		}
		if batch = append(batch, r); len(batch) == cap(batch) || i == rows-1 {
			if err := s.Append(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
			batch = batch[:0]
		}
	}
}
