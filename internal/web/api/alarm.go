package api

import (
	"time"

	"tollgate"
)

// AlarmFields select alarms.
type AlarmFields struct {
	Kind         Scope[string] `json:"kind,omitzero" doc:"quota, unpriced or overrun"`
	Open         *bool         `json:"open,omitempty" doc:"Only those that stand, or do not stand any more."`
	Acknowledged *bool         `json:"acknowledged,omitempty" doc:"Only those that somebody has seen, or nobody has."`
}

// Filter is what the store selects by at a time.
func (q AlarmFields) Filter(now time.Time) (tollgate.AlarmFilter, error) {
	f := tollgate.AlarmFilter{Kind: tollgate.Match[tollgate.AlarmKind]{Set: q.Kind.Set}, Open: q.Open, At: now, Acknowledged: q.Acknowledged}
	for _, v := range q.Kind.Values {
		switch kind := tollgate.AlarmKind(v); kind {
		case tollgate.AlarmQuota, tollgate.AlarmUnpriced, tollgate.AlarmOverrun:
			f.Kind.Values = append(f.Kind.Values, kind)
		default:
			return f, tollgate.Invalidf("kind", "a kind is quota, unpriced or overrun")
		}
	}
	return f, nil
}

// Alarm is the JSON of an alarm.
type Alarm struct {
	ID      int64     `json:"id"`
	EventID string    `json:"event_id" doc:"The webhook-id of its deliveries."`
	Kind    string    `json:"kind" enum:"quota,unpriced,overrun"`
	At      time.Time `json:"at"`
	Open    bool      `json:"open" doc:"It stands: false when its window is over, or the budget is below the threshold again."`

	Scope       string     `json:"scope" doc:"Of a budget: user, key, team, instance or service."`
	UserID      int64      `json:"user_id,omitzero"`
	KeyID       int64      `json:"key_id,omitzero"`
	TeamID      int64      `json:"team_id,omitzero"`
	Window      string     `json:"window"`
	WindowStart *time.Time `json:"window_start" doc:"null for total"`
	ResetsAt    *time.Time `json:"resets_at" doc:"null for total"`
	Threshold   int        `json:"threshold" doc:"Percent of the budget; 100 also when a little is left that nothing fits into."`
	Quota       Money      `json:"quota" doc:"The budget, when the threshold was reached."`
	CostUsed    Money      `json:"cost_used" doc:"Spent of it then."`

	ProviderID int64  `json:"provider_id,omitzero" doc:"Of a model without a price, or a cost above its hold."`
	Model      string `json:"model,omitzero"`
	Overrun    Money  `json:"overrun,omitzero" doc:"What the cost was above what was held."`

	Webhook        *Delivery  `json:"webhook,omitempty"`
	AcknowledgedAt *time.Time `json:"acknowledged_at"`
	AcknowledgedBy *int64     `json:"acknowledged_by"`
}

// Delivery is how far an alarm has come on its way to the webhook.
type Delivery struct {
	State    string     `json:"state" enum:"none,pending,sent,failed" doc:"none = there was no webhook; failed = given up."`
	Attempts int        `json:"attempts"`
	NextAt   *time.Time `json:"next_at"`
	SentAt   *time.Time `json:"sent_at"`
	Failure  string     `json:"failure" doc:"Of the last attempt."`
}

// AlarmRecord returns the JSON of a at a time.
func AlarmRecord(a tollgate.Alarm, now time.Time) Alarm {
	rec := Alarm{
		ID: a.ID, EventID: a.EventID, Kind: string(a.Kind), At: a.At,
		Open:       a.Open && (a.WindowEnd.IsZero() || a.WindowEnd.After(now)),
		ProviderID: a.ProviderID, Model: a.Model,
		Webhook:        &Delivery{Attempts: a.Attempts, NextAt: Stamp(a.NextAt), SentAt: Stamp(a.SentAt), Failure: a.Failure},
		AcknowledgedAt: Stamp(a.AcknowledgedAt), AcknowledgedBy: OrNull(a.AcknowledgedBy),
	}
	switch {
	case !a.SentAt.IsZero():
		rec.Webhook.State = "sent"
	case !a.NextAt.IsZero():
		rec.Webhook.State = "pending"
	case a.Attempts > 0:
		rec.Webhook.State = "failed"
	default:
		rec.Webhook.State = "none"
	}
	if a.Kind != tollgate.AlarmQuota {
		rec.Overrun = Money(a.Spent)
		return rec
	}
	rec.Scope, rec.Window, rec.WindowStart, rec.ResetsAt = string(a.Scope), string(a.Window), Stamp(a.WindowStart), Stamp(a.WindowEnd)
	rec.Threshold, rec.Quota, rec.CostUsed, rec.UserID = a.Threshold, Money(a.Limit), Money(a.Spent), a.UserID
	switch a.Scope {
	case tollgate.ScopeKey:
		rec.KeyID = a.ScopeID
	case tollgate.ScopeTeam:
		rec.TeamID = a.ScopeID
	case tollgate.ScopeUser, tollgate.ScopeInstance, tollgate.ScopeService:
	}
	return rec
}
