package ascode

import (
	"bytes"
	"context"
	"encoding/json"

	"tollgate"
	"tollgate/internal/seed"
	"tollgate/internal/web/api"
)

type push struct {
	ID    int64 `json:"id" required:"true" minimum:"1"`
	Force bool  `json:"force,omitempty" doc:"Replace the document at the place although it was changed since."`
}

type pushed struct {
	OK      bool     `json:"ok"`
	Version string   `json:"version" doc:"What the place calls the version."`
	Notes   []string `json:"notes"`
}

type pull struct {
	ID         int64  `json:"id" required:"true" minimum:"1"`
	Version    string `json:"version,omitempty" maxLength:"256" doc:"One that versions names; empty = the present one."`
	Passphrase string `json:"passphrase,omitempty" maxLength:"1024" doc:"Of an encrypted document, if it is not that of the target."`
	Prune      bool   `json:"prune,omitempty" doc:"Plan to delete the records that the document does not name."`
}

// pulled is a document from outside and what it would change.
type pulled struct {
	Plan
	Version string `json:"version"`
	TOML    string `json:"toml" doc:"The document as it is at the place, for config/apply."`
}

type probe struct {
	OK        bool   `json:"ok"`
	There     bool   `json:"there" doc:"Whether there is a document."`
	Version   string `json:"version"`
	Bytes     int    `json:"bytes"`
	Encrypted bool   `json:"encrypted"`
	Moved     bool   `json:"moved" doc:"It was changed since it was last pushed or pulled: a push would be refused."`
}

func (s *Server) mountSync() {
	s.mountTargets()
	example := api.ByID{ID: 7}
	api.Handle(s.API, reads("/admin/config-sync/test", "Look whether a place can be reached, and what is there", example), s.probe)
	api.Handle(s.API, reads("/admin/config-sync/versions", "List the versions that a place has", example), func(ctx context.Context, in *api.ByID) ([]revision, error) {
		_, at, err := s.target(ctx, in.ID)
		if err != nil {
			return nil, err
		}
		out, err := at.versions(ctx)
		return append([]revision{}, out...), err
	})
	op := writes("/admin/config-sync/push", "Bring the records to a place", push{ID: 7})
	op.Notes = "409 when the document there was changed since it was last pushed or pulled. Secrets go along, encrypted, where the place says so."
	api.Handle(s.API, op, s.push)
	op = writes("/admin/config-sync/pull", "Read the document of a place and plan it; config/apply applies it", pull{ID: 7})
	api.Handle(s.API, op, s.pull)
}

// target reads a target and opens its place.
func (s *Server) target(ctx context.Context, id int64) (tollgate.SyncTarget, remote, error) {
	var t tollgate.SyncTarget
	err := s.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		t, err = tx.SyncTargets.Get(ctx, id)
		return err
	})
	if err != nil {
		return t, nil, err
	}
	at, err := s.open(t)
	return t, at, err
}

func (s *Server) probe(ctx context.Context, in *api.ByID) (probe, error) {
	t, at, err := s.target(ctx, in.ID)
	if err != nil {
		return probe{}, err
	}
	now, err := at.get(ctx, "")
	return probe{
		OK: err == nil, There: now.version != "", Version: now.version, Bytes: len(now.text), Encrypted: seed.Encrypted(now.text),
		Moved: now.version != t.Seen,
	}, err
}

func (s *Server) push(ctx context.Context, in *push) (pushed, error) {
	t, at, err := s.target(ctx, in.ID)
	if err != nil {
		return pushed{}, err
	}
	text, notes, err := s.outgoing(ctx, t)
	if err != nil {
		return pushed{}, err
	}
	now, err := at.get(ctx, "")
	if err != nil {
		return pushed{}, err
	}
	version := now.version
	switch {
	case now.version != "" && bytes.Equal(now.text, text): // it is there
	case now.version != t.Seen && !in.Force:
		return pushed{}, tollgate.Errorf(tollgate.CodeConflict,
			"the document at %s was changed since it was last pushed or pulled: it is at version %s, and was at %s; pull it and look what it would change, or push with force",
			t.Name, orNothing(now.version), orNothing(t.Seen))
	default:
		if version, err = at.put(ctx, text, now.version); err != nil {
			return pushed{}, err
		}
	}
	err = s.seen(ctx, t.ID, "config_sync.push", func(t *tollgate.SyncTarget) { t.Seen, t.PushedAt = version, s.Now() })
	return pushed{OK: true, Version: version, Notes: list(notes)}, err
}

func orNothing(version string) string {
	if version == "" {
		return "none"
	}
	return version
}

// outgoing is the document that is pushed to t. Secrets are for the super
// admin after a recent sign-in.
func (s *Server) outgoing(ctx context.Context, t tollgate.SyncTarget) ([]byte, []string, error) {
	if !t.WithSecrets {
		return s.text(ctx, false)
	}
	passphrase, err := s.secret(t, "passphrase", t.Passphrase)
	if err != nil {
		return nil, nil, err
	}
	if err := s.mayTakeSecrets(ctx, passphrase.Reveal()); err != nil {
		return nil, nil, err
	}
	text, notes, err := s.text(ctx, true)
	if err != nil {
		return nil, nil, err
	}
	text, err = seed.Encrypt(text, passphrase)
	return text, notes, err
}

func (s *Server) pull(ctx context.Context, in *pull) (pulled, error) {
	t, at, err := s.target(ctx, in.ID)
	if err != nil {
		return pulled{}, err
	}
	got, err := at.get(ctx, in.Version)
	if err != nil {
		return pulled{}, err
	}
	if got.version == "" {
		return pulled{}, tollgate.Errorf(tollgate.CodeNotFound, "there is no document at %s; push one first", t.Name)
	}
	r, err := s.read(ctx, Document{TOML: string(got.text), Passphrase: in.Passphrase, Prune: in.Prune, TargetID: in.ID})
	if err != nil {
		return pulled{}, err
	}
	p, err := s.plan(ctx, r)
	if err != nil {
		return pulled{}, err
	}
	err = s.seen(ctx, t.ID, "config_sync.pull", func(t *tollgate.SyncTarget) {
		if t.PulledAt = s.Now(); in.Version == "" {
			t.Seen = got.version
		}
	})
	return pulled{Plan: p, Version: got.version, TOML: string(got.text)}, err
}

// seen notes that a target was pushed to or pulled from.
func (s *Server) seen(ctx context.Context, id int64, action string, note func(*tollgate.SyncTarget)) error {
	return s.Store.Update(ctx, func(tx tollgate.Tx) error {
		t, err := tx.SyncTargets.Get(ctx, id)
		if err != nil {
			return err
		}
		note(&t)
		if err := tx.SyncTargets.Update(ctx, t); err != nil {
			return err
		}
		return s.auditTarget(ctx, tx, action, t)
	})
}

func (s *Server) auditTarget(ctx context.Context, tx tollgate.Tx, action string, t tollgate.SyncTarget) error {
	e := api.Actor(ctx).Entry(s.Now(), action, "sync_target", t.ID)
	detail, err := json.Marshal(struct {
		Name        string `json:"name"`
		Kind        string `json:"kind"`
		Location    string `json:"location"`
		Version     string `json:"version,omitempty"`
		WithSecrets bool   `json:"with_secrets"`
	}{t.Name, string(t.Kind), t.Location, t.Seen, t.WithSecrets})
	if err != nil {
		return err
	}
	e.Detail = detail
	return tx.Audit.Append(ctx, &e)
}
