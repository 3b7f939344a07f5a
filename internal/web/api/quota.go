package api

import (
	"time"

	"tollgate"
)

// Quota is the JSON of a budget (CONTRACT 8). Whose it is stands in one of the
// ids; the service and the instance have none.
type Quota struct {
	Scope     string     `json:"scope" enum:"user,key,team,instance,service"`
	UserID    int64      `json:"user_id,omitzero"`
	KeyID     int64      `json:"key_id,omitzero"`
	TeamID    int64      `json:"team_id,omitzero"`
	Quota     *Money     `json:"quota" doc:"null = unlimited, 0 = nothing"`
	CostUsed  Money      `json:"cost_used" doc:"Spent in the running window."`
	Held      Money      `json:"held" doc:"Set aside for requests that are running."`
	Remaining *Money     `json:"remaining" doc:"Neither spent nor held; null = unlimited."`
	Window    string     `json:"window" enum:"total,day,week,month"`
	ResetsAt  *time.Time `json:"resets_at" doc:"null for total"`
}

// Held tells what running requests hold of a quota; nil = nothing does.
type Held func(quotaID int64) tollgate.Money

// QuotaRecord returns q as it stands at now; windows run in zone.
func QuotaRecord(q tollgate.Quota, now time.Time, zone *time.Location, holds Held) Quota {
	_, end := q.Window.Bounds(now, zone)
	spent := q.SpentAt(now, zone)
	var held tollgate.Money
	if holds != nil {
		held = holds(q.ID)
	}
	rec := Quota{
		Scope: string(q.Scope), Quota: MoneyOf(q.Limit), CostUsed: Money(spent), Held: Money(held), Window: string(q.Window), ResetsAt: Stamp(end),
	}
	switch q.Scope {
	case tollgate.ScopeUser:
		rec.UserID = q.ScopeID
	case tollgate.ScopeKey:
		rec.KeyID = q.ScopeID
	case tollgate.ScopeTeam:
		rec.TeamID = q.ScopeID
	case tollgate.ScopeInstance, tollgate.ScopeService:
	}
	if q.Limit != nil {
		left := Money(max(*q.Limit-spent-held, 0))
		rec.Remaining = &left
	}
	return rec
}

// Adjustment is the JSON of a correction of a balance.
type Adjustment struct {
	ID          int64      `json:"id"`
	At          time.Time  `json:"at"`
	Kind        string     `json:"kind" enum:"correction,carry" doc:"A carry stands for settlements whose rows were deleted."`
	Scope       string     `json:"scope" enum:"user,key,team,instance,service"`
	ScopeID     int64      `json:"scope_id"`
	Window      string     `json:"window" enum:"total,day,week,month"`
	WindowStart *time.Time `json:"window_start" doc:"null for total"`
	Amount      Money      `json:"amount" doc:"Added to what is spent."`
	Reason      string     `json:"reason"`
	ActorID     int64      `json:"actor_id"`
	ActorName   string     `json:"actor_name"`
	Via         string     `json:"via"`
	ReratingID  *int64     `json:"rerating_id" doc:"The re-rating that it books; null = none"`
}

// AdjustmentRecord returns the JSON of a.
func AdjustmentRecord(a tollgate.Adjustment) Adjustment {
	return Adjustment{
		ID: a.ID, At: a.At, Kind: string(a.Kind), Scope: string(a.Scope), ScopeID: a.ScopeID, Window: string(a.Window),
		WindowStart: Stamp(a.WindowStart), Amount: Money(a.Amount), Reason: a.Reason, ActorID: a.ActorID, ActorName: a.ActorName, Via: a.Via,
		ReratingID: OrNull(a.ReratingID),
	}
}
