package ascode

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"tollgate"
	"tollgate/internal/seed"
	"tollgate/internal/web/api"
)

type version struct {
	ID           int64     `json:"id"`
	At           time.Time `json:"at"`
	ActorID      *int64    `json:"actor_id" doc:"null = the operator at the host"`
	ActorName    string    `json:"actor_name"`
	Via          string    `json:"via"`
	Origin       string    `json:"origin" enum:"apply,rollback,import"`
	RolledBackTo *int64    `json:"rolled_back_to" doc:"The version that a rollback brought back."`
	Created      int       `json:"created"`
	Updated      int       `json:"updated"`
	Deleted      int       `json:"deleted"`
}

func versionRecord(v tollgate.ConfigVersion) version {
	return version{
		v.ID, v.At, api.OrNull(v.ActorID), v.ActorName, v.Via, string(v.Origin), api.OrNull(v.RolledBackTo), v.Created, v.Updated, v.Deleted,
	}
}

type versionQuery struct {
	ID      api.Scope[int64]  `json:"id,omitzero"`
	ActorID api.Scope[int64]  `json:"actor_id,omitzero" doc:"0 = the operator at the host"`
	Origin  api.Scope[string] `json:"origin,omitzero"`
	api.Page
}

type versionText struct {
	Before string `json:"before" doc:"The document before the change, without secrets."`
	After  string `json:"after"`
}

type rollback struct {
	Version int64  `json:"version" required:"true" minimum:"1"`
	Before  bool   `json:"before,omitempty" doc:"Go back to how things were before that version rather than after it."`
	DryRun  bool   `json:"dry_run,omitempty" doc:"Say what would change; change nothing."`
	Token   string `json:"token,omitempty" maxLength:"256" doc:"Of a dry run: refuse when the records have changed since."`
}

type rolledBack struct {
	Applied
	Token    string   `json:"token" doc:"Of a dry run."`
	Problems []string `json:"problems" doc:"Of a dry run: what keeps it from being done."`
}

func (s *Server) mountHistory() {
	api.Listing[versionQuery, tollgate.ConfigVersion, tollgate.ConfigVersionFilter, version]{
		Op:     reads("/admin/config/history", "Find versions of the configuration", nil),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.ConfigVersions { return tx.ConfigVersions }),
		Filter: func(_ context.Context, q versionQuery) (tollgate.ConfigVersionFilter, error) {
			f := tollgate.ConfigVersionFilter{ID: q.ID.Match, ActorID: q.ActorID.Match, Origin: tollgate.Match[tollgate.ConfigOrigin]{Set: q.Origin.Set}}
			for _, v := range q.Origin.Values {
				f.Origin.Values = append(f.Origin.Values, tollgate.ConfigOrigin(v))
			}
			return f, nil
		},
		Records: api.Each(versionRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	api.Handle(s.API, reads("/admin/config/version", "Show the documents of a version", api.ByID{ID: 7}), s.version)
	op := dangerous("/admin/config/rollback", "Go back to a version", rollback{Version: 7})
	op.Notes = "Records that were made since are deleted, and records that were deleted come back without their secrets. " +
		"What was disabled since stays disabled."
	api.Handle(s.API, op, s.rollback)
}

func (s *Server) version(ctx context.Context, in *api.ByID) (versionText, error) {
	var out versionText
	err := s.Store.View(ctx, func(tx tollgate.Tx) error {
		v, err := tx.ConfigVersions.Get(ctx, in.ID)
		if err != nil {
			return err
		}
		before, err := tx.ConfigTexts.Get(ctx, v.BeforeID)
		if err != nil {
			return err
		}
		after, err := tx.ConfigTexts.Get(ctx, v.AfterID)
		out = versionText{string(before.Text), string(after.Text)}
		return err
	})
	return out, err
}

func (s *Server) rollback(ctx context.Context, in *rollback) (rolledBack, error) {
	out, text, err := s.Importer.Version(ctx, s.Store, in.Version, in.Before)
	if err != nil {
		return rolledBack{}, err
	}
	r := reading{
		seed: out, digest: sha256.Sum256(fmt.Appendf(nil, "rollback %d %t\n%s", in.Version, in.Before, text)),
		Options: seed.Options{Prune: true, Exact: true, Origin: tollgate.ConfigRolledBack, RolledBackTo: in.Version},
	}
	if !in.DryRun {
		done, err := s.apply(ctx, r, in.Token)
		return rolledBack{Applied: done, Problems: []string{}}, err
	}
	p, err := s.plan(ctx, r)
	return rolledBack{
		Applied: Applied{OK: err == nil && len(p.Problems) == 0, Changes: p.Changes, Notes: list(p.Notes), NeedSecret: list(p.NeedSecret)},
		Token:   p.Token, Problems: list(p.Problems),
	}, err
}
