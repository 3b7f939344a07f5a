package auth

import (
	"context"
	"strings"

	"tollgate"
)

const (
	maxOpenAsks = 10   // per user
	maxAskNote  = 1000 // bytes
)

// CreateAsk notes what the actor asks for: a higher quota in a window where
// they have one, or leave to call a model. An admin decides.
func (a *Accounts) CreateAsk(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, ask tollgate.Ask) (tollgate.Ask, error) {
	if err := signedIn(by); err != nil {
		return ask, err
	}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return ask, err
	}
	ask.UserID, ask.State, ask.CreatedAt = who.id, tollgate.AskOpen, a.Now()
	if err := a.checkAsk(ctx, tx, &ask); err != nil {
		return ask, err
	}
	n, err := tx.Asks.Count(ctx, tollgate.AskFilter{UserID: tollgate.Is(who.id), State: tollgate.Is(tollgate.AskOpen)})
	if err != nil {
		return ask, err
	}
	if n >= maxOpenAsks {
		return ask, tollgate.Errorf(tollgate.CodeConflict, "%d of your asks are open; withdraw one or wait", n)
	}
	if err := tx.Asks.Insert(ctx, &ask); err != nil {
		return ask, err
	}
	return ask, a.audit(ctx, tx, who, "ask.create", "ask", ask.ID, nil, viewAsk(ask))
}

func (a *Accounts) checkAsk(ctx context.Context, tx tollgate.Tx, ask *tollgate.Ask) error {
	if len(ask.Note) > maxAskNote {
		return tollgate.Invalidf("note", "a note has at most %d bytes", maxAskNote)
	}
	switch ask.Kind {
	case tollgate.AskModel:
		switch {
		case ask.Amount != nil || ask.Window != "":
			return tollgate.Invalidf("quota", "an ask for a model has no quota")
		case strings.ContainsAny(ask.Model, "*?"):
			return tollgate.Invalidf("model", "ask for one model by its name, without wildcards")
		}
		return tollgate.ValidPattern("model", ask.Model)
	case tollgate.AskBudget:
		return a.checkBudgetAsk(ctx, tx, ask)
	}
	return tollgate.Invalidf("kind", "kind is budget or model")
}

func (a *Accounts) checkBudgetAsk(ctx context.Context, tx tollgate.Tx, ask *tollgate.Ask) error {
	switch {
	case ask.Model != "":
		return tollgate.Invalidf("model", "an ask for a budget names no model")
	case ask.Amount == nil || *ask.Amount <= 0 || *ask.Amount > tollgate.MaxMoney:
		return tollgate.Invalidf("quota", "say how much: more than 0 and at most %d dollars", tollgate.MaxMoney/tollgate.Dollar)
	}
	q, found, err := findQuota(ctx, tx, tollgate.ScopeUser, ask.UserID, ask.Window)
	ask.Window = q.Window
	switch {
	case err != nil:
		return err
	case !found || q.Limit == nil:
		return tollgate.Errorf(tollgate.CodeConflict, "you have no budget of your own in this window that could be raised")
	case *ask.Amount <= *q.Limit:
		return tollgate.Errorf(tollgate.CodeConflict, "your budget is that high already")
	}
	return nil
}

// WithdrawAsk takes one's own open ask back. Another's does not exist.
func (a *Accounts) WithdrawAsk(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, id int64) error {
	if err := signedIn(by); err != nil {
		return err
	}
	who, err := a.actor(ctx, tx, by)
	if err != nil {
		return err
	}
	ask, err := tx.Asks.Get(ctx, id)
	if err == nil && !who.self(ask.UserID) {
		err = errMissing("ask", id)
	}
	if err != nil {
		return missing(err, "ask", id)
	}
	return a.closeAsk(ctx, tx, who, ask, tollgate.AskWithdrawn, "")
}

// Decision is what an admin says to an ask.
type Decision struct {
	ID      int64
	Approve bool
	Note    string
	// Amount, ProviderID and ModelPattern, where given, are granted instead of
	// what was asked for.
	Amount       tollgate.Opt[tollgate.Money]
	ProviderID   int64 // 0 = every provider
	ModelPattern string
}

// DecideAsk approves or declines an open ask; approving also grants it, under
// the rules for doing so by hand. No budget is lowered by it.
func (a *Accounts) DecideAsk(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, d Decision) error {
	ask, err := tx.Asks.Get(ctx, d.ID)
	if err != nil {
		return a.refuseFirst(ctx, tx, by, missing(err, "ask", d.ID))
	}
	who, err := a.grantee(ctx, tx, by, ask.UserID)
	switch {
	case err != nil:
		return err
	case len(d.Note) > maxAskNote:
		return tollgate.Invalidf("note", "a note has at most %d bytes", maxAskNote)
	}
	state := tollgate.AskDeclined
	if d.Approve {
		state = tollgate.AskApproved
	}
	if err := a.closeAsk(ctx, tx, who, ask, state, d.Note); err != nil || !d.Approve {
		return err
	}
	if ask.Kind == tollgate.AskModel {
		p := tollgate.Permission{UserID: ask.UserID, ProviderID: d.ProviderID, ModelPattern: d.ModelPattern}
		if p.ModelPattern == "" {
			p.ModelPattern = ask.Model
		}
		_, err := a.SavePermission(ctx, tx, by, p)
		return err
	}
	return a.raise(ctx, tx, by, ask, d.Amount.Or(*ask.Amount))
}

// raise sets the budget that was asked for, unless it is that high by now.
func (a *Accounts) raise(ctx context.Context, tx tollgate.Tx, by tollgate.Actor, ask tollgate.Ask, to tollgate.Money) error {
	q, found, err := findQuota(ctx, tx, tollgate.ScopeUser, ask.UserID, ask.Window)
	if err != nil || !found || q.Limit == nil || *q.Limit >= to {
		return err
	}
	_, err = a.SaveQuota(ctx, tx, by, QuotaWrite{Scope: tollgate.ScopeUser, ScopeID: ask.UserID, Window: ask.Window, Limit: tollgate.Some(to)})
	return err
}

func (a *Accounts) closeAsk(ctx context.Context, tx tollgate.Tx, who actor, ask tollgate.Ask, state tollgate.AskState, note string) error {
	if ask.State != tollgate.AskOpen {
		return tollgate.Errorf(tollgate.CodeConflict, "this ask is %s already", ask.State)
	}
	before := viewAsk(ask)
	ask.State, ask.DecidedAt, ask.DecisionNote = state, a.Now(), note
	if state != tollgate.AskWithdrawn {
		ask.DecidedBy = who.id
	}
	if err := tx.Asks.Update(ctx, ask); err != nil {
		return err
	}
	return a.audit(ctx, tx, who, "ask."+string(state), "ask", ask.ID, before, viewAsk(ask))
}

// askView is an ask as the audit shows it; amounts in dollars.
type askView struct {
	ID           int64             `json:"id"`
	UserID       int64             `json:"user_id"`
	Kind         tollgate.AskKind  `json:"kind"`
	Window       tollgate.Window   `json:"window,omitempty"`
	Quota        *tollgate.Money   `json:"quota,omitempty"`
	Model        string            `json:"model,omitempty"`
	Note         string            `json:"note,omitempty"`
	State        tollgate.AskState `json:"state"`
	DecisionNote string            `json:"decision_note,omitempty"`
}

func viewAsk(a tollgate.Ask) askView {
	return askView{a.ID, a.UserID, a.Kind, a.Window, a.Amount, a.Model, a.Note, a.State, a.DecisionNote}
}
