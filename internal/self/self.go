// Package self is the self-service API (CONTRACT 8): what the admin API can do
// to a user's own keys, usage and sign-ins, with user_id forced to the caller.
// A record of somebody else does not exist here (SECURITY Z-03).
package self

import (
	"context"
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// Server is the self-service API with everything it can reach.
type Server struct {
	API      *api.API
	Store    tollgate.Store
	Accounts *auth.Accounts
	Sessions *auth.Sessions
	Cursors  api.Cursors
	// Models returns the models that a caller may use, by the names they send.
	Models func(tollgate.Principal) []Model
	// Zone is the time zone of quota windows ([ledger] timezone).
	Zone *time.Location
	// Held tells what running requests hold of a quota; nil = nothing does.
	Held api.Held
	// CostLines says what the cost of a usage row is made of.
	CostLines api.CostLines
	// ReadPayload reads what is kept of the bodies of a request.
	ReadPayload api.PayloadReader
	Live        api.Live
	// Origin is where people open the console (scheme://host[:port]), for
	// invitations; an error when that is not known.
	Origin func() (string, error)
	// Attend ends streams when their caller may no longer see them.
	Attend api.Attend
	Now    func() time.Time
}

// Model is the JSON of a model that the caller may use.
type Model struct {
	ID            string `json:"id" doc:"The name to send."`
	DisplayName   string `json:"display_name"`
	Provider      string `json:"provider"`
	ContextTokens int64  `json:"context_tokens" doc:"0 = unknown"`
	OutputTokens  int64  `json:"output_tokens" doc:"0 = unknown"`
	// Prices are what a call costs now; nil = no price is known.
	Prices json.RawMessage `json:"prices" doc:"Price keys in dollars per million tokens; null = none is known."`
}

const (
	tag = "Self-service"
	// maxPasswordBody bounds bodies that hold a password, in bytes (SECURITY D-03).
	maxPasswordBody = 4 << 10
)

// Mount mounts every operation.
func (s *Server) Mount() {
	s.mountAccount()
	s.mountKeys()
	s.mountAsks()
	s.mountUsage()
	s.mountAlarms()
	s.mountRequests()
	s.mountDashboard()
	s.mountTeam()
}

// readable operations are open to the caller's API keys too.
func readable(path, summary string) api.Op {
	return api.Op{Path: path, Tag: tag, Summary: summary, Policy: web.Policy{Access: web.AccessSelfRead, MaxBody: api.MaxBody}}
}

func reads(path, summary string) api.Op {
	op := readable(path, summary)
	op.Policy.Access = web.AccessSelf
	return op
}

func writes(path, summary string, example any) api.Op {
	op := reads(path, summary)
	op.Policy.Mutates, op.Example = true, example
	return op
}

// caller returns the user id that every query and change is forced to.
func caller(ctx context.Context) int64 { return web.EventFrom(ctx).Principal.UserID() }

// own is the caller's id as a filter.
func own(ctx context.Context) tollgate.Match[int64] { return tollgate.Is(caller(ctx)) }

func missing(what string, id int64) error {
	return tollgate.Errorf(tollgate.CodeNotFound, "there is no %s with id %d", what, id)
}

type profile struct {
	Name  api.Val[string] `json:"name,omitzero" maxLength:"128"`
	Email api.Opt[string] `json:"email,omitzero" doc:"null removes it."`
}

type me struct {
	api.User
	Via string `json:"via" enum:"session,api_key" doc:"What authenticated this request."`
}

func (s *Server) mountAccount() {
	whoami := reads("/user/me", "Show the own account")
	whoami.Policy.Enrols = true
	api.Handle(s.API, whoami, func(ctx context.Context, _ *struct{}) (me, error) {
		e := web.EventFrom(ctx)
		out := me{Via: e.Actor().Via}
		err := s.Store.View(ctx, func(tx tollgate.Tx) error {
			u, err := tx.Users.Get(ctx, e.Principal.UserID())
			if err != nil {
				return err
			}
			recs, err := api.UserRecords(ctx, tx, []tollgate.User{u})
			out.User = recs[0]
			return err
		})
		return out, err
	})
	change := writes("/user/profile", "Change the own name and e-mail address", map[string]any{"email": "me@example.com"})
	change.Policy.RecentSignIn = true
	api.Handle(s.API, change, func(ctx context.Context, in *profile) (api.Done, error) {
		by := api.Actor(ctx)
		return api.Done{OK: true, ID: caller(ctx)}, s.Store.Update(ctx, func(tx tollgate.Tx) error {
			return s.Accounts.SaveProfile(ctx, tx, by, in.Name.Opt, in.Email.Opt)
		})
	})
	api.Handle(s.API, readable("/user/quota", "Show the own budgets and what is left of them"), s.quota)
	api.Handle(s.API, readable("/user/models", "List the models the caller may use"), func(ctx context.Context, _ *struct{}) ([]Model, error) {
		models := s.Models(web.EventFrom(ctx).Principal)
		if models == nil {
			models = []Model{}
		}
		return models, nil
	})
	api.Handle(s.API, reads("/user/effective", "Show what the caller may, and why"), s.effective)
	s.mountSessions()
	s.mountIdentities()
	s.mountFactors()
}

func (s *Server) effective(ctx context.Context, _ *struct{}) (rights api.Rights, err error) {
	now := s.Now()
	err = s.Store.View(ctx, func(tx tollgate.Tx) error {
		u, err := tx.Users.Get(ctx, caller(ctx))
		if err == nil {
			rights, err = api.RightsOf(ctx, tx, u, api.QuotaView{Now: now, Zone: s.Zone, Held: s.Held, Instance: u.Role.IsAdmin()})
		}
		return err
	})
	return rights, err
}

// quota shows the budgets of the caller and of the caller's keys.
func (s *Server) quota(ctx context.Context, _ *struct{}) ([]api.Quota, error) {
	recs, now := []api.Quota{}, s.Now()
	filters, err := s.ownQuotas(ctx)
	if err != nil {
		return nil, err
	}
	err = s.Store.View(ctx, func(tx tollgate.Tx) error {
		for _, f := range filters {
			rows, _, err := tx.Quotas.Query(ctx, f, tollgate.Page{All: true})
			if err != nil {
				return err
			}
			for _, q := range rows {
				recs = append(recs, api.QuotaRecord(q, now, s.Zone, s.Held))
			}
		}
		return nil
	})
	return recs, err
}

// ownQuotas select the budgets of the caller and of the caller's keys.
func (s *Server) ownQuotas(ctx context.Context) ([]tollgate.QuotaFilter, error) {
	keyIDs := tollgate.Match[int64]{Set: true}
	err := s.Store.View(ctx, func(tx tollgate.Tx) error {
		keys, _, err := tx.Keys.Query(ctx, tollgate.KeyFilter{UserID: own(ctx)}, tollgate.Page{All: true})
		for _, k := range keys {
			keyIDs.Values = append(keyIDs.Values, k.ID)
		}
		return err
	})
	return []tollgate.QuotaFilter{
		{Scope: tollgate.Is(tollgate.ScopeUser), ScopeID: own(ctx)}, {Scope: tollgate.Is(tollgate.ScopeKey), ScopeID: keyIDs},
	}, err
}
