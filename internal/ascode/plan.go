package ascode

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/web/api"
)

// Document is a configuration that somebody sends.
type Document struct {
	TOML       string `json:"toml" required:"true" minLength:"1" maxLength:"8388608" doc:"The document, or an encrypted export."`
	Passphrase string `json:"passphrase,omitempty" maxLength:"1024" doc:"Of an encrypted export."`
	TargetID   int64  `json:"target_id,omitempty" minimum:"0" doc:"A sync target whose passphrase opens the document."`
	Prune      bool   `json:"prune,omitempty" doc:"Delete the records that the document does not name. Otherwise they stay."`
}

type application struct {
	Document
	Token string `json:"token" required:"true" minLength:"1" maxLength:"256" doc:"Of the plan of this very document."`
}

// change is the JSON of one difference.
type change struct {
	Action string  `json:"action" enum:"create,update,delete,extra" doc:"extra: in the database alone; it stays."`
	Kind   string  `json:"kind"`
	Name   string  `json:"name"`
	Fields []field `json:"fields"`
}

type field struct {
	Name   string `json:"name"`
	Before any    `json:"before" doc:"null in a new record."`
	After  any    `json:"after"`
	Secret bool   `json:"secret,omitempty" doc:"It is set anew; what it is or was is not shown."`
}

// Plan is what a document would change.
type Plan struct {
	Token      string   `json:"token" doc:"For config/apply: good while the records are as they are now."`
	Changes    []change `json:"changes"`
	Problems   []string `json:"problems" doc:"What keeps the document from being applied."`
	Notes      []string `json:"notes" doc:"What was read otherwise than written."`
	NeedSecret []string `json:"need_secret" doc:"Keys and credentials that would be created disabled, without a secret."`
}

// Applied is the answer of a change.
type Applied struct {
	OK         bool     `json:"ok"`
	ID         int64    `json:"id" doc:"The version that was made; 0 = nothing was different."`
	Changes    []change `json:"changes"`
	Notes      []string `json:"notes"`
	NeedSecret []string `json:"need_secret"`
}

func (s *Server) mountPlan() {
	example := Document{TOML: "[[users]]\nname = \"alice\"\n"}
	op := reads("/admin/config/plan", "Say what a document would change", example)
	op.Policy.MaxBody = maxBody
	api.Handle(s.API, op, func(ctx context.Context, in *Document) (Plan, error) {
		r, err := s.read(ctx, *in)
		if err != nil {
			return Plan{}, err
		}
		return s.plan(ctx, r)
	})
	op = dangerous("/admin/config/apply", "Apply a document that was planned, all or nothing", application{example, "…"})
	op.Notes = "Each record is changed under the rules of its single command, as the caller. " +
		"Process settings and env: or file: values are refused. 409 when the records have changed since the plan."
	op.Policy.MaxBody = maxBody
	api.Handle(s.API, op, func(ctx context.Context, in *application) (Applied, error) {
		r, err := s.read(ctx, in.Document)
		if err != nil {
			return Applied{}, err
		}
		return s.apply(ctx, r, in.Token)
	})
}

// reading is a document as it was read, and how it shall be brought in.
type reading struct {
	seed   config.Seed
	digest [32]byte // of the text, or what else tells readings apart
	seed.Options
}

// read decrypts and parses a document. What is wrong with it is CodeInvalid.
func (s *Server) read(ctx context.Context, d Document) (reading, error) {
	text := []byte(d.TOML)
	if seed.Encrypted(text) {
		passphrase, err := s.passphrase(ctx, d)
		if err != nil {
			return reading{}, err
		}
		if text, err = s.decrypt(ctx, text, passphrase); err != nil {
			return reading{}, err
		}
	}
	out, err := config.ParseApplied("config.toml", text)
	if err != nil {
		return reading{}, tollgate.Invalidf("toml", "%s", err)
	}
	return reading{seed: out, digest: sha256.Sum256(text), Options: seed.Options{Prune: d.Prune, Origin: tollgate.ConfigApplied}}, nil
}

// passphrase is what opens a document: what came with it, else its target's.
func (s *Server) passphrase(ctx context.Context, d Document) (tollgate.Secret, error) {
	if d.Passphrase != "" || d.TargetID == 0 {
		return tollgate.NewSecret(d.Passphrase), nil
	}
	var t tollgate.SyncTarget
	err := s.Store.View(ctx, func(tx tollgate.Tx) (err error) {
		t, err = tx.SyncTargets.Get(ctx, d.TargetID)
		return err
	})
	if err != nil {
		return tollgate.Secret{}, err
	}
	return s.secret(t, "passphrase", t.Passphrase)
}

// decrypt works on one document at a time: each takes up to 256 MiB meanwhile.
func (s *Server) decrypt(ctx context.Context, text []byte, passphrase tollgate.Secret) ([]byte, error) {
	select {
	case s.one <- struct{}{}:
	case <-ctx.Done():
		return nil, tollgate.WrapError(tollgate.CodeUnavailable, ctx.Err(), "another document is being decrypted; try again shortly")
	}
	defer func() { <-s.one }()
	return seed.Decrypt(text, passphrase)
}

func (s *Server) plan(ctx context.Context, r reading) (Plan, error) {
	p, err := s.Importer.Plan(ctx, s.Store, r.seed, r.Options)
	if err != nil {
		return Plan{}, err
	}
	return Plan{
		Token: s.token(p.State, r), Changes: changes(p.Changes), Problems: lines(p.Problems), Notes: lines(p.Notes), NeedSecret: list(p.NeedSecret),
	}, nil
}

// apply applies what was planned; an empty token applies without a plan.
func (s *Server) apply(ctx context.Context, r reading, token string) (Applied, error) {
	if token != "" {
		state, err := s.planned(token, r)
		if err != nil {
			return Applied{}, err
		}
		r.State = &state
	}
	report, err := s.Importer.Apply(ctx, s.Store, r.seed, api.Actor(ctx), r.Options)
	if err != nil {
		return Applied{}, err
	}
	return Applied{OK: true, ID: report.Version, Changes: changes(report.Changes), Notes: lines(report.Notes), NeedSecret: list(report.NeedSecret)}, nil
}

// token ties a plan to the state that it was made against: that, and a MAC
// over it and the document.
func (s *Server) token(state [32]byte, r reading) string {
	mac := s.mac(state, r)
	return base64.RawURLEncoding.EncodeToString(append(state[:], mac[:]...))
}

func (s *Server) mac(state [32]byte, r reading) [32]byte {
	how := "keep"
	if r.Prune {
		how = "prune"
	}
	return s.Importer.Keys.MAC("config-plan", append(append(state[:], r.digest[:]...), how...))
}

// planned returns the state that a token was made against.
func (s *Server) planned(token string, r reading) ([32]byte, error) {
	var state, sum [32]byte
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err == nil && len(raw) == 64 {
		copy(state[:], raw)
		copy(sum[:], raw[32:])
	}
	if want := s.mac(state, r); !hmac.Equal(sum[:], want[:]) {
		return state, tollgate.Invalidf("token", "the token is not of a plan of this document; plan it and apply what was planned")
	}
	return state, nil
}

func changes(in []seed.Change) []change {
	out := make([]change, len(in))
	for i, c := range in {
		out[i] = change{Action: string(c.Action), Kind: c.Kind, Name: strings.TrimSuffix(c.Name, "/"), Fields: make([]field, len(c.Fields))}
		for j, f := range c.Fields {
			out[i].Fields[j] = field{Name: f.Name, Before: f.Before, After: f.After, Secret: f.Secret}
		}
	}
	return out
}

// list is never null in an answer.
func list(in []string) []string { return append([]string{}, in...) }
