package self

import (
	"context"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/web/api"
)

type teamKeyQuery struct {
	ID      api.Scope[int64]  `json:"id,omitzero"`
	UserID  api.Scope[int64]  `json:"user_id,omitzero"`
	Enabled api.Scope[bool]   `json:"enabled,omitzero"`
	Label   api.Scope[string] `json:"label,omitzero"`
	api.Page
}

type teamKeyGenerate struct {
	UserID    int64              `json:"user_id" required:"true" minimum:"1" doc:"A plain member's, whose key it becomes."`
	Label     api.Opt[string]    `json:"label,omitzero"`
	ExpiresAt api.Opt[time.Time] `json:"expires_at,omitzero"`
	Models    api.Opt[[]string]  `json:"models,omitzero" doc:"Globs over model names."`
	IPAllow   api.Opt[[]string]  `json:"ip_allow,omitzero" doc:"CIDRs or addresses."`
	OnLeave   api.Opt[string]    `json:"on_leave,omitzero" doc:"cancel (the default) or drain: what becomes of an answer whose client has left."`
	api.KeyMoney
}

type teamKeyEnabled struct {
	ID      int64 `json:"id" required:"true" minimum:"1"`
	Enabled bool  `json:"enabled" required:"true" doc:"true only for a key of the team."`
}

func (s *Server) mountTeamKeys() {
	api.Listing[teamKeyQuery, tollgate.Key, tollgate.KeyFilter, api.Key]{
		Op: teamReads("/user/team/keys/query", "Show the keys of plain members; secrets are never shown"),
		Source: ofTeam(s, api.Rows(func(tx tollgate.Tx) tollgate.Keys { return tx.Keys }), func(ctx context.Context, tx tollgate.Tx, f *tollgate.KeyFilter, teamID int64) error {
			return ofPlainMembers(ctx, tx, &f.UserID, teamID)
		}),
		Filter: func(_ context.Context, q teamKeyQuery) (tollgate.KeyFilter, error) {
			return tollgate.KeyFilter{ID: q.ID.Match, UserID: q.UserID.Match, Enabled: q.Enabled.Match, Label: q.Label.Match}, nil
		},
		Records: api.KeyRecords,
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, teamWrites("/user/team/keys/generate", "Make a key of the team for a plain member; it is shown this once", map[string]any{"user_id": 7, "label": "evaluation"}), s.generateTeamKey)
	api.Handle(s.API, teamWrites("/user/team/keys/update-enabled", "Disable a key of a plain member, or enable one of the team; in force when this returns", map[string]any{"id": 7, "enabled": false}),
		func(ctx context.Context, in *teamKeyEnabled) (api.Done, error) {
			return s.changeTeam(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error {
				return s.Accounts.SetMemberKeyEnabled(ctx, tx, by, in.ID, in.Enabled)
			})
		})
	api.Handle(s.API, teamWrites("/user/team/keys/delete", "Delete a key of a plain member, in force when this returns", api.ByID{ID: 7}),
		func(ctx context.Context, in *api.ByID) (api.Done, error) {
			return s.changeTeam(ctx, in.ID, func(tx tollgate.Tx, by tollgate.Actor) error { return s.Accounts.DeleteMemberKey(ctx, tx, by, in.ID) })
		})
}

// ofPlainMembers keeps of m the plain members of a team.
func ofPlainMembers(ctx context.Context, tx tollgate.Tx, m *tollgate.Match[int64], teamID int64) error {
	users, _, err := tx.Users.Query(ctx, tollgate.UserFilter{TeamID: tollgate.Is(teamID)}, tollgate.Page{All: true})
	kept := tollgate.Match[int64]{Set: true}
	for _, u := range users {
		if auth.PlainMember(u) && (!m.Set || slices.Contains(m.Values, u.ID)) {
			kept.Values = append(kept.Values, u.ID)
		}
	}
	*m = kept
	return err
}

func (s *Server) generateTeamKey(ctx context.Context, in *teamKeyGenerate) (made api.NewKey, err error) {
	b, err := api.KeyFields{Label: in.Label, ExpiresAt: in.ExpiresAt, Models: in.Models, IPAllow: in.IPAllow, OnLeave: in.OnLeave}.Bounds()
	if err != nil {
		return made, err
	}
	by := api.Actor(ctx)
	err = s.Store.Update(ctx, func(tx tollgate.Tx) error {
		k, secret, err := s.Accounts.GenerateTeamKey(ctx, tx, by, auth.KeyWrite{
			UserID: in.UserID, Label: b.Label, ExpiresAt: b.ExpiresAt, Models: b.Models, IPAllow: b.IPAllow, OnLeave: b.OnLeave,
		})
		if err != nil {
			return err
		}
		made = api.NewKey{OK: true, ID: k.ID, APIKey: secret.Reveal()}
		return s.Accounts.BoundKey(ctx, tx, by, k.ID, in.QuotaRows(), in.LimitRows())
	})
	return made, err
}

type teamUsage struct {
	UserID  api.Scope[int64]  `json:"user_id,omitzero"`
	KeyID   api.Scope[int64]  `json:"key_id,omitzero"`
	Model   api.Scope[string] `json:"model,omitzero" doc:"The model as sent to the provider."`
	Since   *time.Time        `json:"since,omitempty" doc:"From then on, included."`
	Until   *time.Time        `json:"until,omitempty" doc:"Up to then, not included."`
	GroupBy string            `json:"group_by,omitempty" enum:"user,key,model,day,hour" doc:"The default is user."`
	ThenBy  string            `json:"then_by,omitempty" enum:"user,key,model,day,hour" doc:"A second group within the first."`
}

func (s *Server) mountTeamUsage() {
	summary := teamReads("/user/team/usages/summary", "Sum what the team used by member, key, model, day or hour")
	summary.Notes = "What was used while its sender was a member, of those too who have left."
	api.Handle(s.API, summary, func(ctx context.Context, in *teamUsage) (recs []api.Sum, err error) {
		by, group := api.Actor(ctx), in.GroupBy
		if group == "" {
			group = string(tollgate.GroupUser)
		}
		f := tollgate.UsageFilter{UserID: in.UserID.Match, KeyID: in.KeyID.Match, Model: in.Model.Match, Since: api.Deref(in.Since), Until: api.Deref(in.Until)}
		err = s.Store.View(ctx, func(tx tollgate.Tx) error {
			t, err := s.Accounts.Led(ctx, tx, by)
			if err != nil {
				return err
			}
			f.TeamID = tollgate.Is(t.ID)
			recs, err = api.SummaryIn(ctx, tx, s.Now(), f, group, in.ThenBy)
			return err
		})
		return recs, err
	})
}
