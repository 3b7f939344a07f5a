package sqlstore

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"tollgate"
)

// Summarize sums the usage rows that f selects by group: from the roll-ups
// where these know, else from the rows.
func (u usage) Summarize(ctx context.Context, f tollgate.UsageFilter, by tollgate.UsageGroup) ([]tollgate.UsageSum, error) {
	key, err := groupColumn(by)
	if err != nil {
		return nil, err
	}
	order := "3 DESC, 2 DESC, 1"
	if by == tollgate.GroupDay {
		order = "1"
	}
	w := &where{engine: u.s.engine}
	tokens := tokenColumns(func(t *tollgate.Tokens) *tollgate.Tokens { return t })
	parts := summed(w, f, key, names(tokens))
	sums := []string{"k", "CAST(SUM(n) AS BIGINT)", "CAST(SUM(cost) AS BIGINT)"}
	for _, c := range tokens {
		sums = append(sums, "CAST(SUM("+c.name+") AS BIGINT)")
	}
	query := fmt.Sprintf("SELECT %s FROM (%s) AS parts GROUP BY 1 ORDER BY %s LIMIT %s",
		strings.Join(sums, ", "), strings.Join(parts, " UNION ALL "), order, w.arg(int64(tollgate.MaxPage)))
	var out []tollgate.UsageSum
	err = collect(ctx, u.s.tx, query, func(scan func(...any) error) error {
		var sum tollgate.UsageSum
		dests := []any{&sum.Key, &sum.Dispatches, &sum.Cost}
		for _, c := range tokens {
			dests = append(dests, c.dest(&sum.Tokens))
		}
		if err := scan(dests...); err != nil {
			return err
		}
		if by == tollgate.GroupDay {
			sum.Key = dayName(sum.Key)
		}
		out = append(out, sum)
		return nil
	}, w.args...)
	return out, u.s.fail(ctx, err, "sum usage")
}

// groupDay stands for the day in what is grouped by; every table has its own
// way of counting days.
const groupDay = "day"

func groupColumn(by tollgate.UsageGroup) (string, error) {
	switch by {
	case tollgate.GroupUser:
		return "user_id", nil
	case tollgate.GroupKey:
		return "key_id", nil
	case tollgate.GroupTeam:
		return "team_id", nil
	case tollgate.GroupProvider:
		return "provider_id", nil
	case tollgate.GroupModel:
		return "model", nil
	case tollgate.GroupDay:
		return groupDay, nil
	default:
		return "", tollgate.Invalidf("group", "cannot group usage by %q", by)
	}
}

// summed are the queries whose rows together are what f selects, as k (the
// group), n (dispatches) and sums.
func summed(w *where, f tollgate.UsageFilter, key, sums string) (parts []string) {
	add := func(table, n, day string, filter func(*where)) {
		k := key
		if k == groupDay {
			k = day
		}
		part := &where{engine: w.engine, args: w.args}
		filter(part)
		w.args = part.args
		parts = append(parts, "SELECT "+k+" AS k, "+n+" AS n, cost, "+sums+" FROM "+table+part.clause())
	}
	if !rolled(f) {
		add("dispatches", "1", "started_at / "+strconv.FormatInt(dayMicros, 10), func(w *where) { dispatchFilter(w, f) })
		return parts
	}
	for _, s := range spans(f.Since, f.Until) {
		day := "day"
		if s.period == "hour" {
			day = "hour / " + strconv.Itoa(hoursPerDay)
		}
		add("usage_"+s.period+"s", "dispatches", day, func(w *where) {
			ints(w, "user_id", f.UserID)
			ints(w, "key_id", f.KeyID)
			ints(w, "provider_id", f.ProviderID)
			texts(w, "model", f.Model)
			w.add(s.period + " >= " + w.arg(s.first))
			w.add(s.period + " < " + w.arg(s.past))
		})
	}
	return parts
}

// rolled reports whether the roll-ups know what f selects: nothing smaller
// than an hour, and no single requests.
func rolled(f tollgate.UsageFilter) bool {
	whole := func(t time.Time) bool { return micros(t)%hourMicros == 0 }
	return !f.RequestID.Set && whole(f.Since) && whole(f.Until)
}

// periods are a range of hours or of days since 1970.
type periods struct {
	period      string
	first, past int64
}

// spans cuts a time of whole hours into its whole days and the hours at either
// end.
func spans(since, until time.Time) []periods {
	first, past := micros(since)/hourMicros, int64(math.MaxInt64)
	firstDay, pastDay := (first+hoursPerDay-1)/hoursPerDay, past
	if !until.IsZero() {
		past = micros(until) / hourMicros
		pastDay = past / hoursPerDay
	}
	if firstDay >= pastDay {
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

// dayName turns a number of days since 1970 into 2006-01-02.
func dayName(number string) string {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return number
	}
	return time.UnixMicro(n * dayMicros).UTC().Format(time.DateOnly)
}
