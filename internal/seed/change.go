package seed

import (
	"fmt"
	"strings"

	"tollgate"
	"tollgate/internal/config"
)

// Action is what a change does, or would do.
type Action string

// The actions. What is in the database alone is reported as extra and stays,
// unless the run prunes.
const (
	Create Action = "create"
	Update Action = "update"
	Extra  Action = "extra"
	Delete Action = "delete" // an extra of a run that prunes
)

// Change is one difference between a file and the database. It holds no
// secret: of a secret it says only that it differs.
type Change struct {
	Action Action
	Kind   string // "user", "key", "provider"…
	Name   string // as an operator would call it
	// Fields are what an update changes, and what a new record is made of.
	Fields []Field
	At     config.Place // in the file; zero for extras
}

// Field is one value of a record before and after a change. Of a secret it
// says only that it changes.
type Field struct {
	Name          string
	Before, After any // nil where the record was not there, and of secrets
	Secret        bool
}

// diff collects the fields that differ.
type diff []Field

func (d *diff) add(name string, before, after any) {
	*d = append(*d, Field{Name: name, Before: before, After: after})
}

func (d *diff) secret(name string) { *d = append(*d, Field{Name: name, Secret: true}) }

// created is d as a new record shows it: there is nothing before.
func (d *diff) created() []Field {
	for i := range *d {
		(*d)[i].Before = nil
	}
	return *d
}

// Names are the fields that an update changes.
func (c Change) Names() []string {
	if c.Action != Update {
		return nil
	}
	out := make([]string, len(c.Fields))
	for i, f := range c.Fields {
		out[i] = f.Name
	}
	return out
}

// String returns the change as one line.
func (c Change) String() string {
	line := fmt.Sprintf("%-6s %s %s", c.Action, c.Kind, c.Name)
	if names := c.Names(); len(names) > 0 {
		line += " (" + strings.Join(names, ", ") + ")"
	}
	return line
}

// Plan is how a file and the database differ.
type Plan struct {
	Changes []Change
	// Problems keep the file from being imported: references to records that
	// are neither in the file nor in the database, keys of somebody else.
	Problems config.Problems
	// Notes are remarks about how the file was read.
	Notes config.Problems
	// NeedSecret names the keys and credentials that would be created without
	// a secret.
	NeedSecret []string
	// State is a fingerprint of the records that the plan was made against.
	State [32]byte
}

// Drift returns how many records of the file are missing in the database and
// how many differ from it.
func (p Plan) Drift() (missing, different int) {
	for _, c := range p.Changes {
		switch c.Action {
		case Create:
			missing++
		case Update:
			different++
		case Extra, Delete:
		}
	}
	return missing, different
}

// Report is what an import did.
type Report struct {
	Changes []Change
	Notes   config.Problems
	// NeedSecret names the keys and credentials that were created without a
	// secret; they are disabled until they get one.
	NeedSecret []string
	// Version is the version of the history that the import made; 0 = it
	// changed nothing.
	Version int64
}

// place puts the place of a record in front of an error about it, keeping the
// error's code.
func place(at config.Place, what string, err error) error {
	return placeless(at.String()+": "+what, err)
}

// placeless is place for a record that is not in the file.
func placeless(what string, err error) error {
	e := *tollgate.AsError(err)
	if e.Code == tollgate.CodeInternal {
		return fmt.Errorf("%s: %w", what, err)
	}
	e.Message = what + ": " + e.Message
	return &e
}
