package admin

import (
	"context"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

type askQuery struct {
	UserID api.Scope[int64] `json:"user_id,omitzero"`
	api.AskFields
}

type askDecision struct {
	ID           int64              `json:"id" required:"true" minimum:"1"`
	Approve      bool               `json:"approve" required:"true" doc:"true grants it, false declines it."`
	Note         string             `json:"note,omitempty" maxLength:"1000" doc:"For the user to read."`
	Quota        api.Val[api.Money] `json:"quota,omitzero" doc:"A budget to grant instead of the one asked for."`
	ProviderID   int64              `json:"provider_id,omitempty" minimum:"1" doc:"Grant the model at this provider only."`
	ModelPattern string             `json:"model_pattern,omitempty" maxLength:"256" doc:"A pattern to grant instead of the model asked for."`
}

func (s *Server) mountAsks() {
	const tag = "Asks"
	api.Listing[askQuery, tollgate.Ask, tollgate.AskFilter, api.Ask]{
		Op:     reads("/admin/asks/query", tag, "Show what users ask for"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Asks { return tx.Asks }),
		Filter: func(_ context.Context, q askQuery) (tollgate.AskFilter, error) {
			f := q.Filter()
			f.UserID = q.UserID.Match
			return f, nil
		},
		Records: api.Each(api.AskRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/admin/asks/decide", tag, "Approve and so grant an ask, or decline it", map[string]any{"id": 7, "approve": true, "note": "until the end of the project"}),
		func(ctx context.Context, in *askDecision) (api.Done, error) {
			return s.changeOne(ctx, func(tx tollgate.Tx, by tollgate.Actor) (int64, error) {
				return in.ID, s.Accounts.DecideAsk(ctx, tx, by, auth.Decision{
					ID: in.ID, Approve: in.Approve, Note: in.Note, ProviderID: in.ProviderID, ModelPattern: in.ModelPattern,
					Amount: api.WithValue(api.Opt[api.Money](in.Quota), tollgate.Money(in.Quota.Value)),
				})
			})
		})
}
