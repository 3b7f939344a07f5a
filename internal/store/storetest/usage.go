package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tollgate"
)

// request is a request row with all fields set and two dispatches.
func request(ids *tollgate.RequestIDs, user int64, at time.Time) tollgate.Request {
	tokens := tollgate.Tokens{Input: 10, CacheRead: 2, CacheWrite: 3, CacheWrite1h: 4, Output: 50, Reasoning: 20}
	r := tollgate.Request{
		ID: ids.Next(at), UserID: user, KeyID: 2, SessionID: 3, TeamID: 4, Service: true, StartedAt: at, ClientIP: "192.0.2.9", UserAgent: "sdk/1",
		Dialect: tollgate.DialectAnthropic, Operation: tollgate.OpGenerate, Stream: true, Model: "fast", ProviderID: 7, Served: "some/model", Status: 200,
		ErrorClass: tollgate.CodeUpstream, ErrorText: "first try failed", FirstToken: 1500 * time.Microsecond, Latency: 2 * time.Second, Tags: "team=x", Losses: "seed, tools.strict",
		Tokens: tokens, Cost: 1_234_567,
	}
	parts := tokens
	parts.InputAudio, parts.InputImage, parts.OutputAudio, parts.OutputImage = 1, 2, 3, 4
	for n := range 2 {
		r.Dispatches = append(r.Dispatches, tollgate.Dispatch{
			ID: r.ID.Dispatch(n + 1), ProviderID: 7, CredentialID: int64(n), Model: "some/model", StartedAt: at.Add(time.Duration(n) * time.Second),
			Latency: time.Millisecond, Status: 500 - 300*n, ErrorClass: "status", Tokens: parts, Exactness: tollgate.ExactMeasured,
			ServiceTier: "flex", Cost: 1_000_000 + tollgate.Money(n), PriceVersion: 9, Overrun: tollgate.Money(n),
		})
	}
	return r
}

// usageRows are the usage rows that a request should give.
func usageRows(r tollgate.Request) []tollgate.UsageRow {
	var out []tollgate.UsageRow
	for _, d := range r.Dispatches {
		out = append(out, tollgate.UsageRow{
			Dispatch: d, RequestID: r.ID, UserID: r.UserID, KeyID: r.KeyID, TeamID: r.TeamID, Service: r.Service,
			Dialect: r.Dialect, Operation: r.Operation,
		})
	}
	return out
}

// recorded returns what is stored of f.
func recorded(t *testing.T, b *bench, f tollgate.UsageFilter) (requests []tollgate.Request, dispatches []tollgate.UsageRow) {
	t.Helper()
	b.view(t, func(ctx context.Context, tx tollgate.Tx) (err error) {
		requests, _, err = tx.Usage.Requests(ctx, tollgate.RequestFilter{UsageFilter: f}, tollgate.Page{All: true})
		must(t, err)
		dispatches, _, err = tx.Usage.Dispatches(ctx, f, tollgate.Page{All: true})
		must(t, err)
		n, err := tx.Usage.CountDispatches(ctx, f)
		must(t, err)
		if n != int64(len(dispatches)) {
			t.Fatalf("CountDispatches says %d, Dispatches returned %d", n, len(dispatches))
		}
		return nil
	})
	return requests, dispatches
}

func bare(r tollgate.Request) tollgate.Request {
	r.Dispatches = nil
	return r
}

func testAppendReadsBack(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	first, second, empty := request(ids, 1, day()), request(ids, 2, day()), tollgate.Request{ID: ids.Next(day()), StartedAt: day()}
	must(t, b.s.Append(t.Context(), nil))
	must(t, b.s.Append(t.Context(), []tollgate.Request{second, first, empty}))
	requests, dispatches := recorded(t, b, tollgate.UsageFilter{})
	same(t, requests, []tollgate.Request{bare(first), bare(second), empty})
	same(t, dispatches, append(usageRows(first), usageRows(second)...))
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		page := tollgate.Page{Sort: "-id", Limit: 3}
		rows, next, err := tx.Usage.Dispatches(ctx, tollgate.UsageFilter{}, page)
		must(t, err)
		page.After = next
		rest, last, err := tx.Usage.Dispatches(ctx, tollgate.UsageFilter{}, page)
		must(t, err)
		if last != nil {
			t.Fatalf("a third page of four rows: %+v", last)
		}
		all := slices.Concat(rows, rest)
		slices.Reverse(all)
		same(t, all, dispatches)
		_, _, err = tx.Usage.Requests(ctx, tollgate.RequestFilter{}, tollgate.Page{Sort: "cost"})
		wantCode(t, err, tollgate.CodeInvalid)
		return nil
	})
}

func testAppendTwice(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	first, second := request(ids, 1, day()), request(ids, 1, day())
	must(t, b.s.Append(t.Context(), []tollgate.Request{first}))
	changed := first
	changed.Status, changed.Dispatches = 500, append(slices.Clone(first.Dispatches), tollgate.Dispatch{ID: first.ID.Dispatch(3), StartedAt: day(), Cost: 5})
	changed.Dispatches[0].Cost = 17
	must(t, b.s.Append(t.Context(), []tollgate.Request{changed, second, second}))
	must(t, b.s.Append(t.Context(), []tollgate.Request{first, second}))
	requests, dispatches := recorded(t, b, tollgate.UsageFilter{})
	same(t, requests, []tollgate.Request{bare(first), bare(second)})
	changed.Dispatches[0], changed.Dispatches[1] = first.Dispatches[0], first.Dispatches[1]
	same(t, dispatches, append(usageRows(changed), usageRows(second)...)) // row by row: one that was missing is added
}

func testAppendAtomic(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	good, bad := request(ids, 1, day()), request(ids, 1, day())
	bad.Dispatches[1].ID = good.ID.Dispatch(9) // another request's
	wantCode(t, b.s.Append(t.Context(), []tollgate.Request{good, bad}), tollgate.CodeInvalid)
	wantCode(t, b.s.Append(t.Context(), []tollgate.Request{good, {StartedAt: day()}}), tollgate.CodeInvalid)
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.s.Append(canceled, []tollgate.Request{good}); err == nil {
		t.Fatal("append under an ended context succeeded")
	}
	if requests, dispatches := recorded(t, b, tollgate.UsageFilter{}); len(requests)+len(dispatches) != 0 {
		t.Fatalf("a refused batch left %d requests and %d dispatches", len(requests), len(dispatches))
	}
	must(t, b.s.Append(t.Context(), []tollgate.Request{good}))
}

func testAppendStrangeText(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	r := request(ids, 1, day())
	r.UserAgent, r.Model, r.ErrorText = "a\x00b\xffc", strings.Repeat("ä", 300), strings.Repeat("x", 4096)
	r.Cost, r.Tokens.Input = math.MaxInt64, math.MaxInt64
	must(t, b.s.Append(t.Context(), []tollgate.Request{r}))
	requests, _ := recorded(t, b, tollgate.UsageFilter{})
	got := requests[0]
	if got.UserAgent != "abc" || !strings.HasPrefix(got.Model, "ää") || len(got.Model) > 256 || len(got.ErrorText) != 512 || got.Cost != math.MaxInt64 {
		t.Fatalf("stored %q, %q, %d bytes of error", got.UserAgent, got.Model, len(got.ErrorText))
	}
}

func testUsageFilters(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	var rows []tollgate.Request
	for i := range 6 {
		r := request(ids, int64(i%3), day().Add(time.Duration(i)*time.Hour))
		r.KeyID, r.ProviderID = int64(i%2), int64(i)
		r.Served = fmt.Sprint("model-", i%2)
		for j := range r.Dispatches {
			r.Dispatches[j].ProviderID, r.Dispatches[j].Model = int64(i), r.Served
		}
		rows = append(rows, r)
	}
	must(t, b.s.Append(t.Context(), rows))
	expect := func(f tollgate.UsageFilter, want ...int) {
		t.Helper()
		var requests []tollgate.Request
		var dispatches []tollgate.UsageRow
		for _, i := range want {
			requests = append(requests, bare(rows[i]))
			dispatches = append(dispatches, usageRows(rows[i])...)
		}
		gotRequests, gotDispatches := recorded(t, b, f)
		same(t, gotRequests, requests)
		same(t, gotDispatches, dispatches)
	}
	expect(tollgate.UsageFilter{}, 0, 1, 2, 3, 4, 5)
	expect(tollgate.UsageFilter{UserID: tollgate.Is[int64](1)}, 1, 4)
	expect(tollgate.UsageFilter{UserID: tollgate.Match[int64]{Set: true}})
	expect(tollgate.UsageFilter{KeyID: tollgate.Is[int64](1), UserID: tollgate.Is[int64](1, 2)}, 1, 5)
	expect(tollgate.UsageFilter{ProviderID: tollgate.Is[int64](3)}, 3)
	expect(tollgate.UsageFilter{Model: tollgate.Is("model-1")}, 1, 3, 5)
	expect(tollgate.UsageFilter{RequestID: tollgate.Is(rows[2].ID, rows[4].ID)}, 2, 4)
	expect(tollgate.UsageFilter{RequestID: tollgate.Is(rows[2].Dispatches[0].ID)}, 2)
	expect(tollgate.UsageFilter{Since: rows[4].StartedAt}, 4, 5)
	// A dispatch starts after its request: both ends cut by the row's own time.
	expect(tollgate.UsageFilter{Until: rows[1].StartedAt}, 0)
	expect(tollgate.UsageFilter{Since: rows[1].StartedAt, Until: rows[3].StartedAt}, 1, 2)
	requests, dispatches := recorded(t, b, tollgate.UsageFilter{Since: rows[5].StartedAt.Add(time.Second)})
	if len(requests) != 0 || len(dispatches) != 1 {
		t.Fatalf("%d requests and %d dispatches began after the last request, want 0 and 1", len(requests), len(dispatches))
	}
}

func testSummaries(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	var rows []tollgate.Request
	for i := range 40 {
		at := time.Date(2026, 3, 14, 23, 59, 50, 0, time.UTC).Add(time.Duration(i) * time.Second)
		if i >= 20 { // and over days, so that hours, days and both are asked for
			at = at.Add(time.Duration(i-20) * 5 * time.Hour)
		}
		r := request(ids, int64(i%3), at)
		r.KeyID, r.TeamID = int64(i%4), int64(i%2)
		for j := range r.Dispatches {
			d := &r.Dispatches[j]
			d.ProviderID, d.Model, d.Cost, d.Tokens.Input = int64(j), fmt.Sprint("m", i%5), tollgate.Money(i*1000), int64(i)
		}
		rows = append(rows, r)
	}
	must(t, b.s.Append(t.Context(), rows))
	keys := map[tollgate.UsageGroup]func(tollgate.UsageRow) string{ //nolint:exhaustive // tags are no columns of usage rows
		tollgate.GroupUser:     func(r tollgate.UsageRow) string { return strconv.FormatInt(r.UserID, 10) },
		tollgate.GroupKey:      func(r tollgate.UsageRow) string { return strconv.FormatInt(r.KeyID, 10) },
		tollgate.GroupTeam:     func(r tollgate.UsageRow) string { return strconv.FormatInt(r.TeamID, 10) },
		tollgate.GroupProvider: func(r tollgate.UsageRow) string { return strconv.FormatInt(r.ProviderID, 10) },
		tollgate.GroupModel:    func(r tollgate.UsageRow) string { return r.Model },
		tollgate.GroupDay:      func(r tollgate.UsageRow) string { return r.StartedAt.Format(time.DateOnly) },
	}
	filter := tollgate.UsageFilter{UserID: tollgate.Is[int64](1, 2)}
	midnight := time.Date(2026, 3, 15, 0, 0, 0, 0, time.UTC)
	keys[tollgate.GroupHour] = func(r tollgate.UsageRow) string { return r.StartedAt.Truncate(time.Hour).Format(time.RFC3339) }
	both := func(a, b tollgate.UsageGroup) []tollgate.UsageGroup { return []tollgate.UsageGroup{a, b} }
	for _, by := range [][]tollgate.UsageGroup{
		{tollgate.GroupUser},
		{tollgate.GroupKey},
		{tollgate.GroupTeam},
		{tollgate.GroupProvider},
		{tollgate.GroupModel},
		{tollgate.GroupDay},
		{tollgate.GroupHour},
		both(tollgate.GroupDay, tollgate.GroupModel), both(tollgate.GroupHour, tollgate.GroupUser), both(tollgate.GroupTeam, tollgate.GroupKey),
		both(tollgate.GroupModel, tollgate.GroupDay),
	} {
		key := func(r tollgate.UsageRow) (out []string) {
			for _, g := range by {
				out = append(out, keys[g](r))
			}
			return out
		}
		for _, bounds := range [][2]time.Time{ // on whole hours, and not
			{},
			{midnight, midnight.Add(time.Hour)},
			{{}, midnight},
			{midnight.Add(-time.Hour), {}},
			{midnight.Add(-3 * time.Hour), midnight.Add(53 * time.Hour)},
			{midnight, midnight.Add(48 * time.Hour)},
			{midnight.Add(2 * time.Hour), midnight.Add(20 * time.Hour)},
			{midnight.Add(time.Microsecond), {}},
			{{}, midnight.Add(20*time.Hour + 5*time.Second)},
			{midnight.Add(-5 * time.Second), midnight.Add(50*time.Hour + 27*time.Second)},
			{midnight.Add(5 * time.Second), midnight.Add(time.Hour)},
			{midnight.Add(-3 * time.Second), midnight.Add(7 * time.Second)},
		} {
			filter.Since, filter.Until = bounds[0], bounds[1]
			want := expectedSums(rows, key, by[0], filter)
			b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
				got, err := tx.Usage.Summarize(ctx, filter, by...)
				must(t, err)
				same(t, got, want)
				return nil
			})
		}
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, by := range [][]tollgate.UsageGroup{{"colour"}, {}, both("day", "day"), {"user", "day", "model"}, both("tag", "day")} {
			_, err := tx.Usage.Summarize(ctx, filter, by...)
			wantCode(t, err, tollgate.CodeInvalid)
		}
		none, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{UserID: tollgate.Is(unknown)}, tollgate.GroupModel)
		must(t, err)
		same(t, none, nil)
		return nil
	})
}

// testSummaryTooLong: a summary in order of time is never cut short, since the
// latest would be missing; one by size is.
func testSummaryTooLong(b *bench) {
	t := b.t
	ids := new(tollgate.RequestIDs)
	rows := make([]tollgate.Request, tollgate.MaxSums+1)
	for i := range rows {
		rows[i] = request(ids, int64(i), day())
		rows[i].Dispatches = rows[i].Dispatches[:1]
	}
	for part := range slices.Chunk(rows, 1000) {
		must(t, b.s.Append(t.Context(), part))
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		_, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupDay, tollgate.GroupUser)
		wantCode(t, err, tollgate.CodeInvalid)
		largest, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{}, tollgate.GroupUser)
		must(t, err)
		same(t, len(largest), tollgate.MaxSums)
		return nil
	})
}

// expectedSums sums the rows of users 1 and 2 in plain Go.
func expectedSums(rows []tollgate.Request, key func(tollgate.UsageRow) []string, by tollgate.UsageGroup, f tollgate.UsageFilter) []tollgate.UsageSum {
	sums := map[string]*tollgate.UsageSum{}
	for _, r := range rows {
		for _, d := range usageRows(r) {
			if d.UserID == 0 || d.StartedAt.Before(f.Since) || !f.Until.IsZero() && !d.StartedAt.Before(f.Until) {
				continue
			}
			k := key(d)
			name := strings.Join(k, "/")
			if sums[name] == nil {
				sums[name] = &tollgate.UsageSum{Keys: k}
			}
			s := sums[name]
			s.Dispatches++
			s.Latency += d.Latency
			if d.ErrorClass != "" {
				s.Errors++
			}
			s.Cost += d.Cost
			s.Tokens.Input += d.Tokens.Input
			s.Tokens.CacheRead += d.Tokens.CacheRead
			s.Tokens.CacheWrite += d.Tokens.CacheWrite
			s.Tokens.CacheWrite1h += d.Tokens.CacheWrite1h
			s.Tokens.Output += d.Tokens.Output
			s.Tokens.Reasoning += d.Tokens.Reasoning
		}
	}
	var out []tollgate.UsageSum
	for _, s := range sums {
		out = append(out, *s)
	}
	slices.SortFunc(out, func(x, y tollgate.UsageSum) int {
		inTime := by == tollgate.GroupDay || by == tollgate.GroupHour
		if inTime && x.Keys[0] != y.Keys[0] || x.Cost == y.Cost && x.Dispatches == y.Dispatches {
			return slices.Compare(x.Keys, y.Keys)
		}
		if x.Cost != y.Cost {
			return int(y.Cost - x.Cost)
		}
		return int(y.Dispatches - x.Dispatches)
	})
	return out
}

func testTouch(b *bench) {
	t := b.t
	f := stored(t, b)
	fed := 0
	b.s.Watch(func(context.Context, tollgate.Area) error { fed++; return nil })
	later := day().Add(time.Hour)
	touch := func(at time.Time) {
		t.Helper()
		uses := map[int64]time.Time{f.key.ID: at, unknown: at}
		must(t, b.s.Touch(t.Context(), uses, map[int64]time.Time{f.session.ID: at, unknown: at}))
	}
	must(t, b.s.Touch(t.Context(), nil, nil))
	touch(later)
	touch(day()) // earlier than what is stored
	f.key.LastUsedAt, f.session.LastSeenAt = later, later
	f.equal(t, b)
	if fed != 0 {
		t.Fatalf("Touch ran the change feed %d times", fed)
	}
}
