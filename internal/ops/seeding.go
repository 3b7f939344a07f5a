package ops

import (
	"bytes"
	"context"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
)

// Difference is one way in which a file and the database differ.
type Difference struct {
	Action string   `json:"action"`
	Kind   string   `json:"kind"`
	Name   string   `json:"name"`
	Fields []string `json:"fields,omitempty"`
	Line   string   `json:"line"` // the whole as one line of text
}

// Plan is the answer of a plan.
type Plan struct {
	Differences []Difference `json:"differences"`
	Problems    Problems     `json:"problems,omitempty"`
	Notes       Problems     `json:"notes,omitempty"`
}

// Imported is the answer of an import.
type Imported struct {
	Differences []Difference `json:"differences"`
	NeedSecret  []string     `json:"need_secret,omitempty"`
	Notes       Problems     `json:"notes,omitempty"`
}

// ExportArgs say what to export.
type ExportArgs struct {
	WithSecrets bool `json:"with_secrets,omitempty"`
}

// Exported is the answer of an export.
type Exported struct {
	TOML  string   `json:"toml"`
	Notes Problems `json:"notes,omitempty"`
}

func differences(changes []seed.Change) []Difference {
	out := make([]Difference, len(changes))
	for i, c := range changes {
		out[i] = Difference{Action: string(c.Action), Kind: c.Kind, Name: c.Name, Fields: c.Names(), Line: c.String()}
	}
	return out
}

func (h *Host) plan(ctx context.Context, d config.Document, _ Report) (Plan, error) {
	s, err := readSeed(d)
	if err != nil {
		return Plan{}, err
	}
	p, err := h.Importer.Plan(ctx, h.Store, s, seed.Options{})
	return Plan{Differences: differences(p.Changes), Problems: problems(p.Problems), Notes: problems(p.Notes)}, err
}

func (h *Host) importSeed(ctx context.Context, d config.Document, _ Report) (Imported, error) {
	s, err := readSeed(d)
	if err != nil {
		return Imported{}, err
	}
	r, err := h.Importer.Apply(ctx, h.Store, s, importActor(), seed.Options{Origin: tollgate.ConfigImported})
	return Imported{Differences: differences(r.Changes), NeedSecret: r.NeedSecret, Notes: problems(r.Notes)}, err
}

func (h *Host) export(ctx context.Context, a ExportArgs, _ Report) (Exported, error) {
	s, err := h.Importer.Export(ctx, h.Store, a.WithSecrets)
	if err != nil {
		return Exported{}, err
	}
	if a.WithSecrets {
		if err := h.auditExport(ctx); err != nil {
			return Exported{}, err
		}
	}
	var b bytes.Buffer
	err = config.WriteSeed(&b, s, a.WithSecrets)
	return Exported{TOML: b.String(), Notes: problems(s.Notes)}, err
}
