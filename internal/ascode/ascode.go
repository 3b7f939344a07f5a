// Package ascode is configuration as code: the records of the database as one
// TOML document that admins export, plan, apply and roll back, and that is
// kept at places outside (a folder for Git, WebDAV, a GitHub Gist). What a
// document says is brought in by package seed, record by record under the
// rules of its single command, as the admin who applies it.
package ascode

import (
	"bytes"
	"context"
	"time"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/web"
	"tollgate/internal/web/api"
)

const tag = "Configuration"

// maxBody bounds a body that holds a document, in bytes; JSON escapes some of it.
const maxBody = seed.MaxDocument + seed.MaxDocument/2

// minPassphrase is the least length of a passphrase, in characters.
const minPassphrase = 12

// Server is configuration as code with everything it can reach.
type Server struct {
	API      *api.API
	Store    tollgate.Store
	Importer *seed.Importer
	Cursors  api.Cursors
	Now      func() time.Time
	// Places reach what is outside.
	Places Places

	one chan struct{} // held while a document is decrypted
}

// Mount mounts every operation.
func (s *Server) Mount() {
	s.one = make(chan struct{}, 1)
	s.mountExport()
	s.mountPlan()
	s.mountHistory()
	s.mountSync()
}

func reads(path, summary string, example any) api.Op {
	return api.Op{Path: path, Tag: tag, Summary: summary, Example: example, Policy: web.Policy{Access: web.AccessAdmin, MaxBody: api.MaxBody}}
}

// dangerous operations change much at once.
func dangerous(path, summary string, example any) api.Op {
	op := reads(path, summary, example)
	op.Policy.Mutates, op.Policy.RecentSignIn = true, true
	return op
}

type exportQuery struct {
	WithSecrets bool   `json:"with_secrets,omitempty" doc:"Keys, credentials and password hashes too, encrypted to the passphrase. For the super admin after a recent sign-in."`
	Passphrase  string `json:"passphrase,omitempty" maxLength:"1024" doc:"At least 12 characters; needed for with_secrets."`
}

type exported struct {
	TOML  string   `json:"toml" doc:"The document; with secrets it is encrypted (age, armoured)."`
	Notes []string `json:"notes" doc:"What has no place in a document."`
}

func (s *Server) mountExport() {
	op := reads("/admin/config/export-toml", "Export the records as TOML", exportQuery{})
	op.Notes = "Without secrets, a document that is applied elsewhere makes keys and credentials that are disabled until they get a secret."
	api.Handle(s.API, op, func(ctx context.Context, in *exportQuery) (exported, error) {
		if !in.WithSecrets {
			text, notes, err := s.text(ctx, false)
			return exported{TOML: string(text), Notes: notes}, err
		}
		if err := s.mayTakeSecrets(ctx, in.Passphrase); err != nil {
			return exported{}, err
		}
		text, notes, err := s.text(ctx, true)
		if err != nil {
			return exported{}, err
		}
		if text, err = seed.Encrypt(text, tollgate.NewSecret(in.Passphrase)); err != nil {
			return exported{}, tollgate.WrapError(tollgate.CodeInternal, err, "encrypt the export")
		}
		return exported{TOML: string(text), Notes: notes}, s.record(ctx, "config.export_secrets", 0)
	})
}

// mayTakeSecrets holds the rule for exports with secrets.
func (s *Server) mayTakeSecrets(ctx context.Context, passphrase string) error {
	policy := web.Policy{Access: web.AccessSuperAdmin, RecentSignIn: true}
	if err := policy.Permits(api.Actor(ctx).Principal, s.Now()); err != nil {
		return err
	}
	return checkPassphrase(passphrase)
}

func checkPassphrase(passphrase string) error {
	if len([]rune(passphrase)) < minPassphrase {
		return tollgate.Invalidf("passphrase", "secrets leave encrypted to a passphrase; give one of at least %d characters", minPassphrase)
	}
	return nil
}

// text is what the database holds.
func (s *Server) text(ctx context.Context, secrets bool) ([]byte, []string, error) {
	out, err := s.Importer.Export(ctx, s.Store, secrets)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	err = config.WriteSeed(&b, out, secrets)
	return b.Bytes(), lines(out.Notes), err
}

// record appends an audit entry of something that changes no record.
func (s *Server) record(ctx context.Context, action string, id int64) error {
	e := api.Actor(ctx).Entry(s.Now(), action, "config", id)
	return s.Store.Update(ctx, func(tx tollgate.Tx) error { return tx.Audit.Append(ctx, &e) })
}

func lines(ps config.Problems) []string {
	out := make([]string, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return out
}
