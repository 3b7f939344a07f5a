package api

import (
	"time"

	"tollgate"
)

// Ask is the JSON of an ask.
type Ask struct {
	ID           int64      `json:"id"`
	UserID       int64      `json:"user_id"`
	Kind         string     `json:"kind" enum:"budget,model"`
	Window       *string    `json:"window" doc:"Of a budget."`
	Quota        *Money     `json:"quota" doc:"The budget that is asked for."`
	Model        *string    `json:"model" doc:"The model that is asked for."`
	Note         string     `json:"note"`
	State        string     `json:"state" enum:"open,approved,declined,withdrawn"`
	CreatedAt    time.Time  `json:"created_at"`
	DecidedBy    *int64     `json:"decided_by"`
	DecidedAt    *time.Time `json:"decided_at"`
	DecisionNote string     `json:"decision_note"`
}

// AskRecord returns the JSON of a.
func AskRecord(a tollgate.Ask) Ask {
	return Ask{
		ID: a.ID, UserID: a.UserID, Kind: string(a.Kind), Window: TextOrNull(string(a.Window)), Quota: MoneyOf(a.Amount), Model: TextOrNull(a.Model),
		Note: a.Note, State: string(a.State), CreatedAt: a.CreatedAt.UTC(), DecidedBy: OrNull(a.DecidedBy), DecidedAt: Stamp(a.DecidedAt),
		DecisionNote: a.DecisionNote,
	}
}

// AskFields are the filters of asks.
type AskFields struct {
	ID    Scope[int64]  `json:"id,omitzero"`
	Kind  Scope[string] `json:"kind,omitzero" doc:"budget or model"`
	State Scope[string] `json:"state,omitzero" doc:"open, approved, declined or withdrawn"`
	Page
}

// Filter returns what the store selects by.
func (q AskFields) Filter() tollgate.AskFilter {
	f := tollgate.AskFilter{ID: q.ID.Match, Kind: tollgate.Match[tollgate.AskKind]{Set: q.Kind.Set}, State: tollgate.Match[tollgate.AskState]{Set: q.State.Set}}
	for _, k := range q.Kind.Values {
		f.Kind.Values = append(f.Kind.Values, tollgate.AskKind(k))
	}
	for _, s := range q.State.Values {
		f.State.Values = append(f.State.Values, tollgate.AskState(s))
	}
	return f
}
