package sqlstore

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// Summarize sums the usage rows that f selects by group: whole hours from the
// roll-ups, what is left at either end from the rows.
func (u usage) Summarize(ctx context.Context, f tollgate.UsageFilter, by ...tollgate.UsageGroup) ([]tollgate.UsageSum, error) {
	if len(by) == 1 && by[0] == tollgate.GroupTag {
		sums, err := u.sumTags(ctx, f)
		return sums, u.s.fail(ctx, err, "sum usage")
	}
	g, err := newGroups(by)
	if err != nil {
		return nil, err
	}
	w := &where{engine: u.s.engine}
	tokens := tokenColumns(func(t *tollgate.Tokens) *tollgate.Tokens { return t })
	parts := summed(w, f, g, names(tokens))
	columns, keys := make([]string, 0, len(g)+4), make([]string, len(g))
	for i := range g {
		keys[i] = "k" + strconv.Itoa(i)
	}
	columns = append(columns, keys...)
	for _, sum := range append([]string{"n", "cost", "errors", "latency"}, splitNames(names(tokens))...) {
		columns = append(columns, "CAST(SUM("+sum+") AS BIGINT)")
	}
	query := fmt.Sprintf("SELECT %s FROM (%s) AS parts GROUP BY %s ORDER BY %s LIMIT %s",
		strings.Join(columns, ", "), strings.Join(parts, " UNION ALL "), strings.Join(keys, ", "), g.order(), w.arg(int64(tollgate.MaxSums+1)))
	var out []tollgate.UsageSum
	err = collect(ctx, u.s.tx, query, func(scan func(...any) error) error {
		sum := tollgate.UsageSum{Keys: make([]string, len(g))}
		var dests []any
		for i := range sum.Keys {
			dests = append(dests, &sum.Keys[i])
		}
		dests = append(dests, &sum.Dispatches, &sum.Cost, &sum.Errors, microSpan{&sum.Latency})
		for _, c := range tokens {
			dests = append(dests, c.dest(&sum.Tokens))
		}
		if err := scan(dests...); err != nil {
			return err
		}
		g.name(sum.Keys)
		out = append(out, sum)
		return nil
	}, w.args...)
	if err != nil || len(out) <= tollgate.MaxSums {
		return out, u.s.fail(ctx, err, "sum usage")
	}
	if g.inTime() {
		return nil, tollgate.Invalidf("group_by", "the summary has more than %d rows; ask for a shorter time, filter, or group by less", tollgate.MaxSums)
	}
	return out[:tollgate.MaxSums], nil
}

// largest orders sums by cost, then by number, largest first.
func largest(a, b tollgate.UsageSum) int {
	return cmp.Or(cmp.Compare(b.Cost, a.Cost), cmp.Compare(b.Dispatches, a.Dispatches), slices.Compare(a.Keys, b.Keys))
}

func splitNames(list string) []string { return strings.Split(list, ", ") }

// groups are what a summary is grouped by, as columns; days and hours stand for
// themselves, since every table has its own way of counting them.
type groups []string

const (
	groupDay  = "day"
	groupHour = "hour"
)

func newGroups(by []tollgate.UsageGroup) (groups, error) {
	if len(by) < 1 || len(by) > 2 || len(by) == 2 && by[0] == by[1] {
		return nil, tollgate.Invalidf("group_by", "usage is grouped by one thing or by two different ones")
	}
	out := make(groups, len(by))
	for i, g := range by {
		switch g {
		case tollgate.GroupUser:
			out[i] = "user_id"
		case tollgate.GroupKey:
			out[i] = "key_id"
		case tollgate.GroupTeam:
			out[i] = "team_id"
		case tollgate.GroupProvider:
			out[i] = "provider_id"
		case tollgate.GroupModel:
			out[i] = "model"
		case tollgate.GroupDay:
			out[i] = groupDay
		case tollgate.GroupHour:
			out[i] = groupHour
		case tollgate.GroupTag:
			return nil, tollgate.Invalidf("group_by", "tags are grouped by alone")
		default:
			return nil, tollgate.Invalidf("group_by", "cannot group usage by %q", g)
		}
	}
	return out, nil
}

// inTime reports whether the sums are ordered by time.
func (g groups) inTime() bool { return g[0] == groupDay || g[0] == groupHour }

// order is how the sums are ordered.
func (g groups) order() string {
	cost, n := len(g)+2, len(g)+1
	if g.inTime() {
		return fmt.Sprintf("1, %d DESC, %d DESC, %d", cost, n, len(g))
	}
	keys := "1"
	if len(g) > 1 {
		keys = "1, 2"
	}
	return fmt.Sprintf("%d DESC, %d DESC, %s", cost, n, keys)
}

// name turns the numbers of days and hours into their names.
func (g groups) name(keys []string) {
	for i, column := range g {
		switch column {
		case groupDay:
			keys[i] = periodName(keys[i], dayMicros, time.DateOnly)
		case groupHour:
			keys[i] = periodName(keys[i], hourMicros, time.RFC3339)
		}
	}
}

// keys are the groups as columns k0, k1 of a table that counts days and hours so.
func (g groups) keys(day, hour string) string {
	out := make([]string, len(g))
	for i, column := range g {
		switch column {
		case groupDay:
			column = day
		case groupHour:
			column = hour
		}
		out[i] = column + " AS k" + strconv.Itoa(i)
	}
	return strings.Join(out, ", ")
}

// summed are the queries whose rows together are what f selects, as k0… (the
// groups), n (dispatches) and sums.
func summed(w *where, f tollgate.UsageFilter, g groups, sums string) (parts []string) {
	add := func(table, keys, numbers string, filter func(*where)) {
		part := &where{engine: w.engine, args: w.args}
		filter(part)
		w.args = part.args
		parts = append(parts, "SELECT "+keys+", "+numbers+", latency, cost, "+sums+" FROM "+table+part.clause())
	}
	whole, rest := rolled(f)
	for _, f := range rest {
		per := func(micros int64) string { return "started_at / " + strconv.FormatInt(micros, 10) }
		add("dispatches", g.keys(per(dayMicros), per(hourMicros)), "1 AS n, CASE WHEN error_class <> '' THEN 1 ELSE 0 END AS errors",
			func(w *where) { dispatchFilter(w, f) })
	}
	if whole == nil {
		return parts
	}
	for _, s := range spans(whole.Since, whole.Until, slices.Contains(g, groupHour)) {
		day := "day"
		if s.period == "hour" {
			day = "hour / " + strconv.Itoa(hoursPerDay)
		}
		add("usage_"+s.period+"s", g.keys(day, "hour"), "dispatches AS n, errors", func(w *where) {
			ints(w, "user_id", f.UserID)
			ints(w, "key_id", f.KeyID)
			ints(w, "team_id", f.TeamID)
			ints(w, "provider_id", f.ProviderID)
			texts(w, "model", f.Model)
			w.add(s.period + " >= " + w.arg(s.first))
			w.add(s.period + " < " + w.arg(s.past))
		})
	}
	return parts
}

// rolled cuts f into the whole hours, which the roll-ups know, and the rest at
// either end. They know of no single requests.
func rolled(f tollgate.UsageFilter) (whole *tollgate.UsageFilter, rest []tollgate.UsageFilter) {
	inner := f
	inner.Until = f.Until.Truncate(time.Hour)
	if inner.Since = f.Since.Truncate(time.Hour); !inner.Since.Equal(f.Since) {
		inner.Since = inner.Since.Add(time.Hour)
	}
	if f.RequestID.Set || !f.Until.IsZero() && !inner.Since.Before(inner.Until) {
		return nil, []tollgate.UsageFilter{f}
	}
	if !inner.Since.Equal(f.Since) {
		begin := f
		begin.Until = inner.Since
		rest = append(rest, begin)
	}
	if !inner.Until.Equal(f.Until) {
		end := f
		end.Since = inner.Until
		rest = append(rest, end)
	}
	return &inner, rest
}

// periods are a range of hours or of days since 1970.
type periods struct {
	period      string
	first, past int64
}

// spans cuts a time of whole hours into its whole days and the hours at either
// end, or leaves it in hours.
func spans(since, until time.Time, inHours bool) []periods {
	first, past := micros(since)/hourMicros, int64(math.MaxInt64)
	firstDay, pastDay := (first+hoursPerDay-1)/hoursPerDay, past
	if !until.IsZero() {
		past = micros(until) / hourMicros
		pastDay = past / hoursPerDay
	}
	if inHours || firstDay >= pastDay {
		return []periods{{"hour", first, past}}
	}
	out := []periods{{"day", firstDay, pastDay}}
	if first < firstDay*hoursPerDay {
		out = append(out, periods{"hour", first, firstDay * hoursPerDay})
	}
	if pastDay < math.MaxInt64 && pastDay*hoursPerDay < past {
		out = append(out, periods{"hour", pastDay * hoursPerDay, past})
	}
	return out
}

// periodName turns a number of periods since 1970 into the time that one begins.
func periodName(number string, length int64, layout string) string {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return number
	}
	return time.UnixMicro(n * length).UTC().Format(layout)
}
