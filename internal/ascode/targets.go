package ascode

import (
	"context"
	"net/url"
	"time"

	"tollgate"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

// target is the JSON of a place.
type target struct {
	ID            int64      `json:"id"`
	Name          string     `json:"name"`
	Kind          string     `json:"kind" enum:"folder,webdav,gist"`
	Location      string     `json:"location"`
	File          string     `json:"file"`
	Username      string     `json:"username"`
	HasPassword   bool       `json:"has_password"`
	HasPassphrase bool       `json:"has_passphrase"`
	WithSecrets   bool       `json:"with_secrets"`
	Seen          string     `json:"seen" doc:"The version that was last pushed or pulled."`
	PushedAt      *time.Time `json:"pushed_at"`
	PulledAt      *time.Time `json:"pulled_at"`
	CreatedAt     time.Time  `json:"created_at"`
}

func targetRecord(t tollgate.SyncTarget) target {
	return target{
		t.ID, t.Name, string(t.Kind), t.Location, t.File, t.Username, len(t.Password) > 0, len(t.Passphrase) > 0, t.WithSecrets, t.Seen,
		timeOrNull(t.PushedAt), timeOrNull(t.PulledAt), t.CreatedAt,
	}
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

type targetQuery struct {
	ID   api.Scope[int64]  `json:"id,omitzero"`
	Name api.Scope[string] `json:"name,omitzero"`
	api.Page
}

type targetWrite struct {
	ID          int64           `json:"id,omitempty" minimum:"0" doc:"0 or absent = a new target."`
	Name        api.Val[string] `json:"name,omitzero" maxLength:"128"`
	Kind        api.Val[string] `json:"kind,omitzero" enum:"folder,webdav,gist"`
	Location    api.Val[string] `json:"location,omitzero" maxLength:"2048" doc:"A path below [server] sync_folder, the URL of the file, or the id of the gist."`
	File        api.Val[string] `json:"file,omitzero" maxLength:"100" doc:"The name in a gist; the default is tollgate.toml."`
	Username    api.Val[string] `json:"username,omitzero" maxLength:"256"`
	Password    api.Opt[string] `json:"password,omitzero" maxLength:"1024" doc:"Of WebDAV, or a GitHub token. Empty keeps it, null removes it."`
	Passphrase  api.Opt[string] `json:"passphrase,omitzero" maxLength:"1024" doc:"What documents with secrets are encrypted to. Empty keeps it, null removes it."`
	WithSecrets api.Val[bool]   `json:"with_secrets,omitzero" doc:"Push secrets too, encrypted. The super admin's to say."`
}

func (s *Server) mountTargets() {
	api.Listing[targetQuery, tollgate.SyncTarget, tollgate.SyncTargetFilter, target]{
		Op:     reads("/admin/config-sync/query", "Find the places that the configuration is kept at", nil),
		Source: api.Rows(func(tx tollgate.Tx) tollgate.SyncTargets { return tx.SyncTargets }),
		Filter: func(_ context.Context, q targetQuery) (tollgate.SyncTargetFilter, error) {
			return tollgate.SyncTargetFilter{ID: q.ID.Match, Name: q.Name.Match}, nil
		},
		Records: api.Each(targetRecord),
	}.Mount(s.API, s.Store, s.Cursors)
	example := map[string]any{"name": "git", "kind": "folder", "location": "prod/tollgate.toml"}
	api.Handle(s.API, writes("/admin/config-sync/upsert", "Create or change a place", example), func(ctx context.Context, in *targetWrite) (api.Done, error) {
		var id int64
		err := s.Store.Update(ctx, func(tx tollgate.Tx) (err error) {
			id, err = s.saveTarget(ctx, tx, *in)
			return err
		})
		return api.Done{OK: true, ID: id}, err
	})
	api.Handle(s.API, writes("/admin/config-sync/delete", "Forget a place; what is there stays there", api.ByID{ID: 7}), func(ctx context.Context, in *api.ByID) (api.Done, error) {
		err := s.Store.Update(ctx, func(tx tollgate.Tx) error {
			t, err := tx.SyncTargets.Get(ctx, in.ID)
			if err != nil {
				return err
			}
			if err := tx.SyncTargets.Delete(ctx, in.ID); err != nil {
				return err
			}
			return s.auditTarget(ctx, tx, "config_sync.delete", t)
		})
		return api.Done{OK: true, ID: in.ID}, err
	})
}

// writes is an operation that changes something.
func writes(path, summary string, example any) api.Op {
	op := reads(path, summary, example)
	op.Policy.Mutates = true
	return op
}

func (s *Server) saveTarget(ctx context.Context, tx tollgate.Tx, w targetWrite) (int64, error) {
	t := tollgate.SyncTarget{File: "tollgate.toml", CreatedAt: s.Now()}
	if w.ID != 0 {
		var err error
		if t, err = tx.SyncTargets.Get(ctx, w.ID); err != nil {
			return 0, err
		}
	}
	old := t
	t.Name, t.Kind = w.Name.Or(t.Name), tollgate.SyncKind(w.Kind.Or(string(t.Kind)))
	t.Location, t.File, t.Username = w.Location.Or(t.Location), w.File.Or(t.File), w.Username.Or(t.Username)
	t.WithSecrets = w.WithSecrets.Or(t.WithSecrets)
	if err := s.mayChange(ctx, old, t, w); err != nil {
		return 0, err
	}
	if t.Kind != old.Kind || t.Location != old.Location || t.File != old.File {
		t.Seen = "" // it is another document
	}
	if t.ID == 0 {
		if err := tx.SyncTargets.Insert(ctx, &t); err != nil {
			return 0, err
		}
	}
	var err error
	if t.Password, err = s.sealSecret(t, "password", t.Password, w.Password.Opt); err != nil {
		return 0, err
	}
	if t.Passphrase, err = s.sealSecret(t, "passphrase", t.Passphrase, w.Passphrase.Opt); err != nil {
		return 0, err
	}
	if t.WithSecrets && t.Passphrase == nil {
		return 0, checkPassphrase("")
	}
	if err := tx.SyncTargets.Update(ctx, t); err != nil {
		return 0, err
	}
	return t.ID, s.auditTarget(ctx, tx, "config_sync.upsert", t)
}

// mayChange checks a target and who may save it: one with secrets is the super
// admin's, since its passphrase and place decide who can read them, and a
// password is never sent to another server than it was given for.
func (s *Server) mayChange(ctx context.Context, old, t tollgate.SyncTarget, w targetWrite) error {
	if err := checkTarget(t); err != nil {
		return err
	}
	if old.WithSecrets || t.WithSecrets {
		policy := web.Policy{Access: web.AccessSuperAdmin, RecentSignIn: true}
		if err := policy.Permits(api.Actor(ctx).Principal, s.Now()); err != nil {
			return err
		}
	}
	if p, ok := w.Passphrase.Given(); ok && p != "" {
		if err := checkPassphrase(p); err != nil {
			return err
		}
	}
	if len(old.Password) > 0 && origin(old) != origin(t) && (!w.Password.Set || w.Password.Value == "" && !w.Password.Null) {
		return tollgate.Invalidf("password", "the password was given for another server and is never sent elsewhere; give it again, or null to remove it")
	}
	return nil
}

// origin is which server a target's password is for.
func origin(t tollgate.SyncTarget) string {
	if t.Kind != tollgate.SyncWebDAV {
		return string(t.Kind)
	}
	u, err := url.Parse(t.Location)
	if err != nil {
		return t.Location
	}
	return u.Scheme + "://" + u.Host
}

// sealSecret returns what is to be stored after a write.
func (s *Server) sealSecret(t tollgate.SyncTarget, column string, stored []byte, w tollgate.Opt[string]) ([]byte, error) {
	switch value, given := w.Given(); {
	case w.Null:
		return nil, nil
	case !given || value == "":
		return stored, nil
	default:
		sealed, err := s.Importer.Accounts.Sealer.Seal(label(t, column), []byte(value))
		if err != nil {
			return nil, tollgate.WrapError(tollgate.CodeInternal, err, "seal a secret of a sync target")
		}
		return sealed, nil
	}
}
