package ops

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"sync"

	"tollgate"
	"tollgate/internal/config"
)

// Progress tells how far an operation is, in units of its own.
type Progress struct {
	Done  int64  `json:"done"`
	Total int64  `json:"total"`
	What  string `json:"what,omitempty"`
}

// Report takes progress; it must not block for long.
type Report func(Progress)

// Runner carries out operations: inside a server, or here. args and the
// answer are JSON.
type Runner interface {
	// Run carries out the operation called name. Errors are *tollgate.Error.
	Run(ctx context.Context, name string, args json.RawMessage, report Report) (json.RawMessage, error)
}

// Host carries out operations on an open installation.
type Host struct {
	*Database
	// Log gets a line for each operation.
	Log *slog.Logger
	// Reload puts process settings in force again; nil = nothing to reload here.
	Reload func(ctx context.Context) error

	master sync.Mutex // guards Master during a change
}

var _ Runner = (*Host)(nil)

// operation is one entry of the table of what a Host can do.
type operation func(ctx context.Context, h *Host, args json.RawMessage, report Report) (any, error)

// operations is the whole table.
func operations() map[string]operation {
	return map[string]operation{
		"user.list":             bind((*Host).userList),
		"user.create":           bind((*Host).userCreate),
		"user.passwd":           bind((*Host).userPassword),
		"user.update":           bind((*Host).userUpdate),
		"user.make-super-admin": bind((*Host).userSuperAdmin),
		"audit.head":            bind((*Host).auditHead),
		"audit.page":            bind((*Host).auditPage),
		"audit.verify":          bind((*Host).auditVerify),
		"user.delete":           bind((*Host).userDelete),
		"key.list":              bind((*Host).keyList),
		"key.create":            bind((*Host).keyCreate),
		"key.enable":            bind((*Host).keyEnable),
		"key.rotate":            bind((*Host).keyRotate),
		"key.delete":            bind((*Host).keyDelete),
		"price.list":            bind((*Host).priceList),
		"price.import":          bind((*Host).priceImport),
		"price.re-rate":         bind((*Host).priceRerate),
		"seed.plan":             bind((*Host).plan),
		"seed.import":           bind((*Host).importSeed),
		"seed.export":           bind((*Host).export),
		"backup":                bind((*Host).backup),
		"rekey":                 bind((*Host).rekey),
		"verify":                bind((*Host).verify),
		"reload":                bind((*Host).reload),
		"server.state":          bind((*Host).state),
	}
}

// bind gives a method with typed arguments the form of an operation. Unknown
// arguments are refused: a command of another version may mean more.
func bind[A, R any](fn func(*Host, context.Context, A, Report) (R, error)) operation {
	return func(ctx context.Context, h *Host, args json.RawMessage, report Report) (any, error) {
		var a A
		if len(args) > 0 {
			d := json.NewDecoder(bytes.NewReader(args))
			d.DisallowUnknownFields()
			if err := d.Decode(&a); err != nil {
				return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the operation's arguments are not understood; is the server of another version?")
			}
		}
		return fn(h, ctx, a, report)
	}
}

// Run implements Runner.
func (h *Host) Run(ctx context.Context, name string, args json.RawMessage, report Report) (json.RawMessage, error) {
	op, ok := operations()[name]
	if !ok {
		return nil, tollgate.Errorf(tollgate.CodeNotFound, "there is no operation %q; is the server of another version?", name)
	}
	if report == nil {
		report = func(Progress) {}
	}
	out, err := op(ctx, h, args, report)
	if err != nil {
		return nil, err
	}
	h.Log.InfoContext(ctx, "host operation", "operation", name)
	return json.Marshal(out)
}

// Call runs an operation with typed arguments and answer.
func Call[R any](ctx context.Context, r Runner, name string, args any, report Report) (R, error) {
	var out R
	raw, err := json.Marshal(args)
	if err != nil {
		return out, err
	}
	answer, err := r.Run(ctx, name, raw, report)
	if err != nil {
		return out, err
	}
	if err := json.Unmarshal(answer, &out); err != nil {
		return out, tollgate.WrapError(tollgate.CodeInternal, err, "the server's answer is not understood; is it of another version?")
	}
	return out, nil
}

// None is the answer of operations that have nothing to tell.
type None struct{}

// operator is who host operations are made by.
func operator() tollgate.Actor { return tollgate.HostActor("cli") }

// importer is who imports are made by.
func importActor() tollgate.Actor { return tollgate.HostActor("import") }

// State is what a running server tells about itself.
type State struct {
	Running bool `json:"running"`
}

func (h *Host) state(context.Context, None, Report) (State, error) {
	return State{Running: h.Reload != nil}, nil
}

func (h *Host) reload(ctx context.Context, _ None, _ Report) (None, error) {
	if h.Reload == nil {
		return None{}, tollgate.Errorf(tollgate.CodeConflict, "no server is running; there is nothing to reload")
	}
	return None{}, h.Reload(ctx)
}

// Problems are configuration problems in an answer.
type Problems []string

func problems(ps config.Problems) Problems {
	out := make(Problems, len(ps))
	for i, p := range ps {
		out[i] = p.String()
	}
	return out
}
