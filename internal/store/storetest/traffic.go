package storetest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"tollgate"
)

// variedRequests are requests of two days that differ in all that can be asked for.
func variedRequests(ids *tollgate.RequestIDs) []tollgate.Request {
	var rows []tollgate.Request
	statuses := []int{200, 200, 429, 499, 503, 0}
	for i := range 300 {
		at := day().Add(time.Duration(i) * 11 * time.Minute)
		r := request(ids, int64(i%3), at)
		r.Status, r.Stream = statuses[i%len(statuses)], i%4 == 0
		r.Latency, r.FirstToken = time.Duration(i*i)*time.Millisecond, time.Duration(i%7)*time.Millisecond
		r.KeyID, r.TeamID, r.Cost = int64(i%5), int64(i%2), tollgate.Money(i)*1000
		r.Model, r.Served = fmt.Sprint("m", i%4), fmt.Sprint("served-", i%3)
		r.ErrorClass, r.ErrorText, r.Tags = "", "", ""
		if r.Status >= 400 || i%24 == 1 { // some broke off after a good beginning
			r.ErrorClass, r.ErrorText = tollgate.CodeUpstream, fmt.Sprintf("the Provider_%d said 100%% no! Écrit en FRANÇAIS", i%10)
		}
		if i%36 == 0 && r.ErrorClass == "" {
			r.ErrorClass = tollgate.CodeQuota
		}
		switch i % 3 {
		case 1:
			r.Tags = "blue, team=x"
		case 2:
			r.Tags = "blue"
		}
		rows = append(rows, r)
	}
	return rows
}

func testRequestFilters(b *bench) {
	t := b.t
	rows := variedRequests(new(tollgate.RequestIDs))
	must(t, b.s.Append(t.Context(), rows))
	is := func(n ...int64) tollgate.Match[int64] { return tollgate.Is(n...) }
	for name, c := range map[string]struct {
		f    tollgate.RequestFilter
		want func(r *tollgate.Request) bool
	}{
		"all":               {tollgate.RequestFilter{}, func(*tollgate.Request) bool { return true }},
		"user":              {tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{UserID: is(1)}}, func(r *tollgate.Request) bool { return r.UserID == 1 }},
		"team, key":         {tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{TeamID: is(1), KeyID: is(2, 3)}}, func(r *tollgate.Request) bool { return r.TeamID == 1 && (r.KeyID == 2 || r.KeyID == 3) }},
		"status":            {tollgate.RequestFilter{Status: tollgate.Is(429, 499)}, func(r *tollgate.Request) bool { return r.Status == 429 || r.Status == 499 }},
		"class":             {tollgate.RequestFilter{Class: tollgate.Is(5)}, func(r *tollgate.Request) bool { return r.Status == 503 }},
		"error class":       {tollgate.RequestFilter{ErrorClass: tollgate.Is(tollgate.CodeUpstream)}, func(r *tollgate.Request) bool { return r.ErrorClass == tollgate.CodeUpstream }},
		"text":              {tollgate.RequestFilter{ErrorText: "PROVIDER_7"}, func(r *tollgate.Request) bool { return strings.Contains(r.ErrorText, "Provider_7") }},
		"text of wildcards": {tollgate.RequestFilter{ErrorText: "0% NO!"}, func(r *tollgate.Request) bool { return r.ErrorText != "" }},
		"text beyond ASCII": {tollgate.RequestFilter{ErrorText: "Écrit EN FRANÇ"}, func(r *tollgate.Request) bool { return r.ErrorText != "" }},
		"no such text":      {tollgate.RequestFilter{ErrorText: "Provider%7"}, func(*tollgate.Request) bool { return false }},
		"tag":               {tollgate.RequestFilter{Tag: "team=x"}, func(r *tollgate.Request) bool { return strings.Contains(r.Tags, "team=x") }},
		"tag's case":        {tollgate.RequestFilter{Tag: "Blue"}, func(*tollgate.Request) bool { return false }},
		"tag of wildcards":  {tollgate.RequestFilter{Tag: "bl_e"}, func(*tollgate.Request) bool { return false }},
		"part of a tag":     {tollgate.RequestFilter{Tag: "team"}, func(*tollgate.Request) bool { return false }},
		"slow":              {tollgate.RequestFilter{MinLatency: time.Minute}, func(r *tollgate.Request) bool { return r.Latency >= time.Minute }},
		"model and time": {
			tollgate.RequestFilter{UsageFilter: tollgate.UsageFilter{Model: tollgate.Is("m1", "served-2"), Since: day().Add(time.Hour), Until: day().Add(9 * time.Hour)}},
			func(r *tollgate.Request) bool {
				return (r.Model == "m1" || r.Served == "served-2") && !r.StartedAt.Before(day().Add(time.Hour)) && r.StartedAt.Before(day().Add(9*time.Hour))
			},
		},
	} {
		var want []tollgate.Request
		for i := range rows {
			if c.want(&rows[i]) {
				want = append(want, bare(rows[i]))
			}
		}
		for _, sort := range []string{"id", "-id"} {
			got := b.allRequests(c.f, tollgate.Page{Sort: sort, Limit: 7})
			if sort == "-id" {
				slices.Reverse(got)
			}
			if len(got) != len(want) {
				t.Errorf("%s: %d requests, want %d", name, len(got), len(want))
				continue
			}
			same(t, got, want)
		}
		b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
			n, err := tx.Usage.CountRequests(ctx, c.f)
			must(t, err)
			same(t, n, int64(len(want)))
			return nil
		})
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		slow, err := tx.Usage.Slowest(ctx, tollgate.UsageFilter{UserID: is(2)}, 3)
		must(t, err)
		same(t, slow, []tollgate.Request{bare(rows[299]), bare(rows[296]), bare(rows[293])})
		_, err = tx.Usage.Slowest(ctx, tollgate.UsageFilter{}, 0)
		wantCode(t, err, tollgate.CodeInvalid)
		sums, err := tx.Usage.Summarize(ctx, tollgate.UsageFilter{UserID: is(1, 2)}, tollgate.GroupTag)
		must(t, err)
		if len(sums) != 2 || sums[0].Keys[0] != "blue" || sums[0].Dispatches != 200 || sums[1].Keys[0] != "team=x" || sums[1].Dispatches != 100 ||
			sums[0].Cost <= sums[1].Cost || sums[1].Tokens.Input != 1000 || sums[1].Errors == 0 {
			t.Errorf("by tag: %+v", sums)
		}
		return nil
	})
}

// allRequests reads page by page.
func (b *bench) allRequests(f tollgate.RequestFilter, p tollgate.Page) (out []tollgate.Request) {
	b.t.Helper()
	for range 1000 {
		var next *tollgate.Cursor
		b.view(b.t, func(ctx context.Context, tx tollgate.Tx) error {
			rows, more, err := tx.Usage.Requests(ctx, f, p)
			must(b.t, err)
			out, next = append(out, rows...), more
			return nil
		})
		if next == nil {
			return out
		}
		p.After = next
	}
	b.t.Fatal("the pages do not end")
	return nil
}

func testTraffic(b *bench) {
	t := b.t
	rows := variedRequests(new(tollgate.RequestIDs))
	must(t, b.s.Append(t.Context(), rows[:200]))
	must(t, b.s.Append(t.Context(), rows[100:])) // a hundred of them again
	since, until := day().Add(-time.Hour), day().Add(60*time.Hour)
	for _, step := range []time.Duration{5 * time.Minute, 30 * time.Minute, time.Hour, 24 * time.Hour} {
		for _, user := range []tollgate.Match[int64]{{}, tollgate.Is[int64](1)} {
			checkTraffic(b, rows, tollgate.TrafficFilter{UserID: user, Since: since, Until: until, Step: step})
		}
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		for _, f := range []tollgate.TrafficFilter{
			{Since: since, Until: until},
			{Since: since, Until: until, Step: 7 * time.Minute},
			{Since: since, Until: until, Step: 90 * time.Minute},
			{Until: until, Step: time.Hour},
			{Since: until, Until: since, Step: time.Hour},
		} {
			_, err := tx.Usage.Traffic(ctx, f)
			wantCode(t, err, tollgate.CodeInvalid)
		}
		return nil
	})
	cut := day().Add(10 * time.Hour)
	must(t, b.s.Update(t.Context(), func(tx tollgate.Tx) error { return tx.Usage.ForgetTraffic(t.Context(), cut) }))
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		fine, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{Since: since, Until: until, Step: tollgate.TrafficSpan})
		must(t, err)
		coarse, err := tx.Usage.Traffic(ctx, tollgate.TrafficFilter{Since: since, Until: until, Step: time.Hour})
		must(t, err)
		if len(fine) == 0 || fine[0].At.Before(cut) || coarse[0].At.After(day()) {
			t.Errorf("after forgetting, the fine steps begin at %v and the coarse ones at %v", fine[0].At, coarse[0].At)
		}
		return nil
	})
}

// checkTraffic compares the steps that f selects with a count of the rows.
func checkTraffic(b *bench, rows []tollgate.Request, f tollgate.TrafficFilter) {
	t := b.t
	t.Helper()
	want := map[time.Time]*tollgate.Traffic{}
	for i := range rows {
		if r := &rows[i]; !f.UserID.Set || r.UserID == 1 {
			count(want, r, r.StartedAt.Truncate(f.Step).UTC(), !f.UserID.Set)
		}
	}
	b.view(t, func(ctx context.Context, tx tollgate.Tx) error {
		got, err := tx.Usage.Traffic(ctx, f)
		must(t, err)
		if len(got) != len(want) {
			t.Errorf("steps of %v: %d, want %d", f.Step, len(got), len(want))
		}
		for i := range got {
			if w := want[got[i].At]; w == nil || got[i] != *w {
				t.Errorf("%v at %v: got %+v, want %+v", f.Step, got[i].At, got[i], w)
			}
		}
		if !slices.IsSortedFunc(got, func(x, y tollgate.Traffic) int { return x.At.Compare(y.At) }) {
			t.Error("the steps are not in order")
		}
		return nil
	})
}

// count adds r to the step that it began in.
func count(steps map[time.Time]*tollgate.Traffic, r *tollgate.Request, at time.Time, lengths bool) {
	s := steps[at]
	if s == nil {
		s = &tollgate.Traffic{At: at}
		steps[at] = s
	}
	class := r.Status / 100
	switch {
	case r.Status == 499:
		class = 0
	case r.Status == 200 && r.ErrorClass == tollgate.CodeQuota:
		class = 4
	case r.Status == 200 && r.ErrorClass != "":
		class = 5
	}
	s.Requests[class]++
	if r.Stream {
		s.Streams++
	}
	s.Cost += r.Cost
	s.Input += r.Tokens.Input + r.Tokens.CacheRead + r.Tokens.CacheWrite + r.Tokens.CacheWrite1h
	s.Output += r.Tokens.Output
	if !lengths {
		return
	}
	bucket := func(d time.Duration) int {
		n := 0
		for _, bound := range tollgate.LatencyBounds() {
			if bound <= d.Microseconds() {
				n++
			}
		}
		return n
	}
	s.Latency.Put(bucket(r.Latency), 1)
	if r.FirstToken > 0 {
		s.FirstToken.Put(bucket(r.FirstToken), 1)
	}
}
