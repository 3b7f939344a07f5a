package sqlstore

import (
	"context"
	"net/url"
	"path/filepath"
	"strings"

	"tollgate"
)

// target is a parsed DSN: one database of one engine.
type target interface {
	// open opens or creates the database, as Open says.
	open(ctx context.Context, o Options) (engine, error)
	// probe looks at the database without changing a byte, as Probe says.
	probe(ctx context.Context) (Found, error)
	// restore fills the empty database from a backup of a schema version.
	restore(ctx context.Context, o Options, from *frozen, version int64, progress func(done, total int64)) error
	// describe names the database in messages, without secrets.
	describe() string
}

// target reads the DSN. Errors never repeat it: it may hold a password.
func (o Options) target() (target, error) {
	switch o.Durability {
	case "", DurableProcess, DurablePower:
	default:
		return nil, tollgate.Invalidf("durability", "durability is %q or %q", DurableProcess, DurablePower)
	}
	dsn := o.DSN
	if dsn == "" {
		dsn = "sqlite://tollgate.db"
	}
	scheme, rest, _ := strings.Cut(dsn, "://")
	switch scheme {
	case "sqlite":
		if rest == "" || strings.HasSuffix(rest, "/") || strings.ContainsAny(rest, "?#\x00") {
			return nil, tollgate.Invalidf("dsn", "a SQLite DSN is sqlite:// and the path of a file, without parameters")
		}
		path := filepath.FromSlash(rest)
		if !filepath.IsAbs(path) {
			path = filepath.Join(o.Dir, path)
		}
		abs, err := filepath.Abs(path)
		if err != nil {
			return nil, tollgate.WrapError(tollgate.CodeInvalid, err, "the path of the database cannot be resolved")
		}
		return sqliteFile(abs), nil
	case "postgres", "postgresql":
		u, err := url.Parse(dsn)
		if err != nil {
			return nil, tollgate.Invalidf("dsn", "the PostgreSQL DSN is not a URL such as postgres://user:password@host/database")
		}
		return &postgresDatabase{dsn: dsn, shown: u.Redacted()}, nil
	default:
		return nil, tollgate.Invalidf("dsn", "a DSN begins with sqlite:// or postgres://")
	}
}

// What a commit survives, for Options.Durability.
const (
	DurableProcess = "process"
	DurablePower   = "power"
)
