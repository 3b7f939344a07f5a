package sqlstore

import (
	"time"

	"tollgate"
)

// The lengths of what roll-ups are kept for, in microseconds.
const (
	hourMicros  = int64(time.Hour / time.Microsecond)
	hoursPerDay = 24
	dayMicros   = hoursPerDay * hourMicros
)

// rollupKey is what roll-ups are grouped by.
type rollupKey struct {
	period     int64 // the hour or UTC day since 1970 that the dispatch started in
	userID     int64
	teamID     int64
	keyID      int64
	service    bool
	providerID int64
	model      string
}

// rollup is a row of the hourly or the daily roll-ups.
type rollup struct {
	rollupKey

	dispatches, errors, estimated int64
	latency                       time.Duration
	cost                          tollgate.Money
	tokens                        tollgate.Tokens
}

// rollupKeys is how many columns of rollupColumns are the key.
const rollupKeys = 7

// rollupColumns are those of a table of roll-ups by a period: "hour" or "day".
func rollupColumns(period string) []column[rollup] {
	return append([]column[rollup]{
		integer(period, func(r *rollup) *int64 { return &r.period }),
		integer("user_id", func(r *rollup) *int64 { return &r.userID }),
		integer("team_id", func(r *rollup) *int64 { return &r.teamID }),
		integer("key_id", func(r *rollup) *int64 { return &r.keyID }),
		boolean("service", func(r *rollup) *bool { return &r.service }),
		integer("provider_id", func(r *rollup) *int64 { return &r.providerID }),
		clipped("model", maxRecordText, func(r *rollup) *string { return &r.model }),
		integer("dispatches", func(r *rollup) *int64 { return &r.dispatches }),
		integer("errors", func(r *rollup) *int64 { return &r.errors }),
		integer("estimated", func(r *rollup) *int64 { return &r.estimated }),
		span("latency", func(r *rollup) *time.Duration { return &r.latency }),
		integer("cost", func(r *rollup) *tollgate.Money { return &r.cost }),
	}, tokenColumns(func(r *rollup) *tollgate.Tokens { return &r.tokens })...)
}

// rollupTable is the table of a period.
func rollupTable(columns []column[rollup]) string { return "usage_" + columns[0].name + "s" }

// hourOf is the hourly roll-up of one dispatch.
func hourOf(u *tollgate.UsageRow) rollup {
	r := rollup{
		rollupKey: rollupKey{
			period: micros(u.StartedAt) / hourMicros, userID: u.UserID, teamID: u.TeamID, keyID: u.KeyID, service: u.Service,
			providerID: u.ProviderID, model: u.Model,
		},
		dispatches: 1, latency: u.Latency.Truncate(time.Microsecond), tokens: u.Tokens, cost: u.Cost,
	}
	if u.ErrorClass != "" {
		r.errors = 1
	}
	if u.Exactness == tollgate.ExactEstimated || u.Exactness == tollgate.ExactUnknownOutcome {
		r.estimated = 1
	}
	return r
}

func (r *rollup) add(more *rollup) {
	r.dispatches += more.dispatches
	r.errors += more.errors
	r.estimated += more.estimated
	r.latency += more.latency
	r.tokens = r.tokens.Add(more.tokens)
	r.cost += more.cost
}

// growRollup is the end of an insert into roll-ups: what is there grows.
func growRollup(columns []column[rollup]) string {
	return grows(rollupTable(columns), columns, rollupKeys)
}
