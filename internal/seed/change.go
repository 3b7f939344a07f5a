package seed

import (
	"fmt"
	"strings"

	"tollgate"
	"tollgate/internal/config"
)

// Action is what a change does, or would do.
type Action string

// The actions. An import never deletes: what is in the database alone is
// reported as extra and stays.
const (
	Create Action = "create"
	Update Action = "update"
	Extra  Action = "extra"
)

// Change is one difference between a file and the database. It holds no
// secret: of a secret it says only that it differs.
type Change struct {
	Action Action
	Kind   string // "user", "key", "provider"…
	Name   string // as an operator would call it
	Fields []string
	At     config.Place // in the file; zero for extras
}

// String returns the change as one line.
func (c Change) String() string {
	line := fmt.Sprintf("%-6s %s %s", c.Action, c.Kind, c.Name)
	if len(c.Fields) > 0 {
		line += " (" + strings.Join(c.Fields, ", ") + ")"
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
		case Extra:
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
}

// place puts the place of a record in front of an error about it, keeping the
// error's code.
func place(at config.Place, what string, err error) error {
	e := *tollgate.AsError(err)
	if e.Code == tollgate.CodeInternal {
		return fmt.Errorf("%s: %s: %w", at, what, err)
	}
	e.Message = fmt.Sprintf("%s: %s: %s", at, what, e.Message)
	return &e
}
