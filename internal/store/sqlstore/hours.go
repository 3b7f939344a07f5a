package sqlstore

import (
	"strings"
	"time"

	"tollgate"
)

// hourKey is what the hourly roll-ups are grouped by.
type hourKey struct {
	hour       int64 // since 1970, by the time inside the id
	userID     int64
	teamID     int64
	keyID      int64
	service    bool
	providerID int64
	model      string
}

// hour is a row of the hourly roll-ups.
type hour struct {
	hourKey

	dispatches, errors, estimated int64
	latency                       time.Duration
	tokens                        tollgate.Tokens
	cost                          tollgate.Money
}

// hourKeys is how many columns of hourColumns are the key.
const hourKeys = 7

func hourColumns() []column[hour] {
	return append([]column[hour]{
		integer("hour", func(h *hour) *int64 { return &h.hour }),
		integer("user_id", func(h *hour) *int64 { return &h.userID }),
		integer("team_id", func(h *hour) *int64 { return &h.teamID }),
		integer("key_id", func(h *hour) *int64 { return &h.keyID }),
		boolean("service", func(h *hour) *bool { return &h.service }),
		integer("provider_id", func(h *hour) *int64 { return &h.providerID }),
		clipped("model", maxRecordText, func(h *hour) *string { return &h.model }),
		integer("dispatches", func(h *hour) *int64 { return &h.dispatches }),
		integer("errors", func(h *hour) *int64 { return &h.errors }),
		integer("estimated", func(h *hour) *int64 { return &h.estimated }),
		span("latency", func(h *hour) *time.Duration { return &h.latency }),
		integer("cost", func(h *hour) *tollgate.Money { return &h.cost }),
	}, tokenColumns(func(h *hour) *tollgate.Tokens { return &h.tokens })...)
}

// hourOf is the roll-up of one dispatch.
func hourOf(u *tollgate.UsageRow) hour {
	h := hour{
		hourKey: hourKey{
			hour: u.ID.Time().Unix() / int64(time.Hour/time.Second), userID: u.UserID, teamID: u.TeamID, keyID: u.KeyID, service: u.Service,
			providerID: u.ProviderID, model: u.Model,
		},
		dispatches: 1, latency: u.Latency.Truncate(time.Microsecond), tokens: u.Tokens, cost: u.Cost,
	}
	if u.ErrorClass != "" {
		h.errors = 1
	}
	if u.Exactness == tollgate.ExactEstimated || u.Exactness == tollgate.ExactUnknownOutcome {
		h.estimated = 1
	}
	return h
}

func (h *hour) add(more *hour) {
	h.dispatches += more.dispatches
	h.errors += more.errors
	h.estimated += more.estimated
	h.latency += more.latency
	h.tokens = h.tokens.Add(more.tokens)
	h.cost += more.cost
}

// addHour is the end of an insert into the roll-ups: what is there grows.
func addHour(columns []column[hour]) string {
	sums := make([]string, 0, len(columns))
	for _, c := range columns[hourKeys:] {
		sums = append(sums, c.name+" = usage_hours."+c.name+" + excluded."+c.name)
	}
	return " ON CONFLICT (" + names(columns[:hourKeys]) + ") DO UPDATE SET " + strings.Join(sums, ", ")
}
