package self

import (
	"context"

	"tollgate"
	"tollgate/internal/web/api"
)

type askCreate struct {
	Kind   string     `json:"kind" required:"true" enum:"budget,model"`
	Window string     `json:"window,omitempty" enum:"total,day,week,month" doc:"Of a budget; the default is total."`
	Quota  *api.Money `json:"quota,omitempty" doc:"The budget that is asked for."`
	Model  string     `json:"model,omitempty" maxLength:"256" doc:"The model that is asked for, by name."`
	Note   string     `json:"note,omitempty" maxLength:"1000" doc:"Why."`
}

type askQuery struct{ api.AskFields }

func (s *Server) mountAsks() {
	api.Listing[askQuery, tollgate.Ask, tollgate.AskFilter, api.Ask]{
		Op:     reads("/user/asks/query", "Show what the caller has asked for"),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.Asks { return tx.Asks }),
		Filter: func(ctx context.Context, q askQuery) (tollgate.AskFilter, error) {
			f := q.Filter()
			f.UserID = own(ctx)
			return f, nil
		},
		Records: api.Each(api.AskRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, writes("/user/asks/create", "Ask for a higher budget or another model", map[string]any{"kind": "budget", "window": "month", "quota": 50, "note": "the evaluation"}),
		func(ctx context.Context, in *askCreate) (api.Done, error) {
			by, id := api.Actor(ctx), int64(0)
			err := s.Store.Update(ctx, func(tx tollgate.Tx) error {
				ask, err := s.Accounts.CreateAsk(ctx, tx, by, tollgate.Ask{
					Kind: tollgate.AskKind(in.Kind), Window: tollgate.Window(in.Window), Amount: (*tollgate.Money)(in.Quota), Model: in.Model, Note: in.Note,
				})
				id = ask.ID
				return err
			})
			return api.Done{OK: true, ID: id}, err
		})
	api.Handle(s.API, writes("/user/asks/withdraw", "Take an ask back", api.ByID{ID: 7}), func(ctx context.Context, in *api.ByID) (api.Done, error) {
		by := api.Actor(ctx)
		return api.Done{OK: true, ID: in.ID}, s.Store.Update(ctx, func(tx tollgate.Tx) error { return s.Accounts.WithdrawAsk(ctx, tx, by, in.ID) })
	})
}
