package api

import (
	"time"

	"tollgate"
)

// Quota is the JSON of a user's budget (CONTRACT 8).
type Quota struct {
	UserID    int64      `json:"user_id"`
	Quota     *Money     `json:"quota" doc:"null = unlimited, 0 = nothing"`
	CostUsed  Money      `json:"cost_used" doc:"Spent in the running window."`
	Held      Money      `json:"held" doc:"Set aside for requests that are running."`
	Remaining *Money     `json:"remaining" doc:"null = unlimited"`
	Window    string     `json:"window" enum:"total,day,week,month"`
	ResetsAt  *time.Time `json:"resets_at" doc:"null for total"`
}

// QuotaRecord returns q as it stands at now; windows run in zone.
func QuotaRecord(q tollgate.Quota, now time.Time, zone *time.Location) Quota {
	start, end := windowAt(q.Window, now, zone)
	spent := q.Spent
	if !q.WindowStart.IsZero() && q.WindowStart.Before(start) {
		spent = 0 // nothing has been settled since the window began
	}
	rec := Quota{UserID: q.ScopeID, Quota: MoneyOf(q.Limit), CostUsed: Money(spent), Window: string(q.Window), ResetsAt: Stamp(end)}
	if q.Limit != nil {
		left := Money(max(*q.Limit-spent, 0))
		rec.Remaining = &left
	}
	return rec
}

// windowAt returns when the calendar window that holds now begins and ends;
// zero times for total. Weeks begin on Monday.
func windowAt(w tollgate.Window, now time.Time, zone *time.Location) (start, end time.Time) {
	now = now.In(zone)
	y, m, d := now.Date()
	switch w {
	case tollgate.WindowDay:
		return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	case tollgate.WindowWeek:
		d -= (int(now.Weekday()) + 6) % 7
		return time.Date(y, m, d, 0, 0, 0, 0, zone), time.Date(y, m, d+7, 0, 0, 0, 0, zone)
	case tollgate.WindowMonth:
		return time.Date(y, m, 1, 0, 0, 0, 0, zone), time.Date(y, m+1, 1, 0, 0, 0, 0, zone)
	case tollgate.WindowTotal:
	}
	return time.Time{}, time.Time{}
}
