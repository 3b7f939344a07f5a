package ops

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"time"

	"tollgate"
	"tollgate/internal/auth"
	"tollgate/internal/auth/seal"
	"tollgate/internal/config"
	"tollgate/internal/meter/book"
	"tollgate/internal/meter/shipped"
	"tollgate/internal/seed"
	"tollgate/internal/store/sqlstore"
	"tollgate/internal/upstream"
	"tollgate/internal/upstream/guard"
)

// OpenOptions say which installation to open, and with what.
type OpenOptions struct {
	Config config.Config
	Now    func() time.Time
	Rand   io.Reader
	Log    *slog.Logger
	// Environ is the environment, for references in the file.
	Environ []string
	// MustExist refuses to create a database (CodeNotFound).
	MustExist bool
}

// Database is an open installation: the store, its keys, and the rules for
// changing what it holds.
type Database struct {
	Store    *sqlstore.Store
	Keys     *seal.Keyring
	Master   seal.Master
	Accounts *auth.Accounts
	Catalog  *upstream.Catalog
	Prices   *book.Rules
	// Policy says which upstream addresses may be reached.
	Policy   *guard.Policy
	Importer *seed.Importer
}

// Open proves the master key on the database and only then opens it; a
// database that is refused, or whose key is wrong, stays as it was.
func Open(ctx context.Context, o OpenOptions) (*Database, error) {
	at := storeOptions(o)
	found, err := sqlstore.Probe(ctx, at)
	if err != nil {
		return nil, err
	}
	if o.MustExist && !found.Exists {
		return nil, tollgate.Errorf(tollgate.CodeNotFound, "there is no database yet; start `tollgate` once, or run `tollgate import`")
	}
	master, keys, err := unlock(o.Config, found)
	if err != nil {
		return nil, err
	}
	store, err := openStore(ctx, at, &master, keys == nil && (!found.Exists || found.Ours), o.Rand)
	if err != nil {
		return nil, err
	}
	if keys == nil {
		if keys, err = createKeys(ctx, store, master, o.Rand); err != nil {
			return nil, errors.Join(err, store.Close())
		}
	}
	mac := func(head []byte) [32]byte { return keys.MAC("audit head", head) }
	if err := store.SealAudit(ctx, mac, o.Now()); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	table, err := shipped.Read()
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	return newDatabase(o, store, keys, master, table), nil
}

func newDatabase(o OpenOptions, store *sqlstore.Store, keys *seal.Keyring, master seal.Master, table *shipped.Table) *Database {
	accounts := &auth.Accounts{
		Sealer: keys, Keys: keys, Hasher: auth.NewHasher(auth.HasherOptions{Headroom: true}, o.Rand), Now: o.Now, Rand: o.Rand,
		SealKeys: keys.State().Source == seal.SourceEnv, Zone: o.Config.Ledger.Location,
	}
	accounts.SignInOfFile = func(name string) bool {
		return slices.ContainsFunc(o.Config.SSO, func(p config.SignInProvider) bool { return p.Name == name })
	}
	policy := guard.NewPolicy(guard.Rules{Allow: Allowed(o.Config)})
	kinds := upstream.Kinds{Demo: o.Config.Demo}
	prices := &book.Rules{Now: o.Now, Host: kinds.Host, Table: table}
	catalog := &upstream.Catalog{Sealer: keys, MAC: keys.MAC, Now: o.Now, Kinds: kinds, Policy: policy, Prices: prices}
	return &Database{
		Store: store, Keys: keys, Master: master, Accounts: accounts, Catalog: catalog, Prices: prices, Policy: policy,
		Importer: &seed.Importer{Accounts: accounts, Catalog: catalog, Prices: prices, Keys: keys, Now: o.Now},
	}
}

// Close gives the database free.
func (d *Database) Close() error { return d.Store.Close() }

func storeOptions(o OpenOptions) sqlstore.Options {
	c := o.Config
	return sqlstore.Options{DSN: c.DSN.Reveal(), Dir: c.DataDir, Durability: c.Ledger.Durability, Now: o.Now, Log: o.Log}
}

// Allowed returns the private networks that providers may be reached on.
func Allowed(c config.Config) []guard.Allow {
	list := make([]guard.Allow, len(c.Upstream.AllowPrivate))
	for i, n := range c.Upstream.AllowPrivate {
		list[i] = guard.Allow{Prefix: n.Prefix, Port: n.Port}
	}
	return list
}

// unlock decides on the master key and, where the database has a root key,
// opens it. It reads only.
func unlock(c config.Config, found sqlstore.Found) (seal.Master, *seal.Keyring, error) {
	master, err := seal.ResolveMaster(seal.Given{
		Env: optional(c.MasterKey), EnvPrevious: optional(c.PreviousMasterKey),
		KeyFile: filepath.Join(c.DataDir, seal.KeyFileName), NewDatabase: !found.Ours, Meta: found.Meta,
	})
	if err != nil {
		return master, nil, err
	}
	if _, known := found.Meta(seal.MetaRoot); !known {
		return master, nil, nil
	}
	keys, err := seal.Unlock(master, found.Meta)
	return master, keys, err
}

func optional(s tollgate.Secret) tollgate.Opt[tollgate.Secret] {
	if s.Empty() {
		return tollgate.Opt[tollgate.Secret]{}
	}
	return tollgate.Some(s)
}

// openStore opens the database. For a new one the key file is written first:
// a database whose key was never kept could not be opened again.
func openStore(ctx context.Context, at sqlstore.Options, master *seal.Master, fresh bool, random io.Reader) (*sqlstore.Store, error) {
	if fresh {
		if err := master.WriteKeyFile(random); err != nil {
			return nil, err
		}
	}
	return sqlstore.Open(ctx, at)
}

func createKeys(ctx context.Context, store tollgate.Store, master seal.Master, random io.Reader) (*seal.Keyring, error) {
	keys, stored, err := seal.Create(master, random)
	if err != nil {
		return nil, err
	}
	return keys, store.Update(ctx, func(tx tollgate.Tx) error { return stored.Save(ctx, tx) })
}
