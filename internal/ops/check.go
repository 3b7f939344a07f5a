package ops

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"tollgate"
	"tollgate/internal/auth/seal"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/store/sqlstore"
)

// Finding is one line of a check.
type Finding struct {
	// Level is "ok", "note" or "fail".
	Level string
	Text  string
}

// Check looks at an installation without changing a byte of it: the database,
// the master key, the allowed private networks, and whether the seed could be
// imported. A new database's seed is tried on a throw-away one.
func Check(ctx context.Context, o OpenOptions) []Finding {
	c := checker{o: o}
	c.networks()
	c.signIn()
	c.folder()
	c.database(ctx)
	return c.findings
}

// Failed reports whether any finding is a failure.
func Failed(findings []Finding) bool {
	for _, f := range findings {
		if f.Level == "fail" {
			return true
		}
	}
	return false
}

type checker struct {
	o        OpenOptions
	findings []Finding
}

func (c *checker) add(level, format string, args ...any) {
	c.findings = append(c.findings, Finding{level, fmt.Sprintf(format, args...)})
}

func (c *checker) fail(what string, err error) { c.add("fail", "%s: %v", what, tollgate.AsError(err)) }

func (c *checker) networks() {
	for _, a := range Allowed(c.o.Config) {
		if err := a.Valid(); err != nil {
			c.fail("upstream", err)
		}
	}
}

// signIn judges the sign-in providers of the file as a start does.
func (c *checker) signIn() {
	for _, p := range c.o.Config.SSO {
		if err := seed.SignIn(p.Name, p.Kind, p.SignInSettings).Check(); err != nil {
			c.add("fail", "sign-in provider %s: %v", p.Name, tollgate.AsError(err))
			continue
		}
		c.add("ok", "sign-in provider %s (%s)", p.Name, p.Kind)
	}
}

func (c *checker) folder() {
	info, err := os.Stat(c.o.Config.DataDir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		c.add("ok", "data folder: %s will be made", c.o.Config.DataDir)
	case err != nil:
		c.add("fail", "data folder: %v", err)
	case !info.IsDir():
		c.add("fail", "data folder: %s is not a folder", c.o.Config.DataDir)
	case info.Mode().Perm()&0o077 != 0:
		c.add("note", "data folder: %s can be entered by others (mode %04o)", c.o.Config.DataDir, info.Mode().Perm())
	default:
		c.add("ok", "data folder: %s", c.o.Config.DataDir)
	}
}

func (c *checker) database(ctx context.Context) {
	if client, ok := Dial(ctx, c.o.Config.DataDir); ok {
		defer client.Close()
		c.add("ok", "database: a server is running on it")
		c.running(ctx, client)
		return
	}
	found, err := sqlstore.Probe(ctx, storeOptions(c.o))
	if err != nil {
		c.fail("database", err)
		return
	}
	switch {
	case !found.Exists:
		c.add("ok", "database: a new one will be made")
	case !found.Ours:
		c.add("fail", "database: it holds something that is not tollgate's; bring users over with `tollgate import`")
		return
	default:
		c.add("ok", "database: schema version %d", found.SchemaVersion)
	}
	master, keys, err := unlock(c.o.Config, found)
	switch {
	case err != nil:
		c.fail("master key", err)
		return
	case keys != nil:
		c.add("ok", "master key: it opens the database")
	case master.Create:
		c.add("ok", "master key: the key file %s will be made", master.KeyFile)
	default:
		c.add("ok", "master key: given")
	}
	if !found.Exists {
		c.trial(ctx)
	} else if !c.o.Config.Seed.Empty() {
		c.add("note", "seed: not compared; `tollgate import --plan` does")
	}
}

// running has the running server compare the file with its database.
func (c *checker) running(ctx context.Context, client *Client) {
	path := c.o.Config.ConfigPath
	if path == "" || c.o.Config.Seed.Empty() {
		return
	}
	text, err := os.ReadFile(path)
	if err != nil {
		c.add("fail", "seed: %v", err)
		return
	}
	doc, err := config.NewDocument(path, text, c.o.Environ)
	if err != nil {
		c.add("fail", "seed: %v", err)
		return
	}
	plan, err := Call[Plan](ctx, client, "seed.plan", doc, nil)
	if err != nil {
		c.fail("seed", err)
		return
	}
	for _, p := range plan.Problems {
		c.add("fail", "seed: %s", p)
	}
	if n := len(plan.Differences); n > 0 {
		c.add("note", "seed: file and database differ in %d records; `tollgate import --plan` shows them", n)
	}
}

// trial imports the seed into a throw-away database.
func (c *checker) trial(ctx context.Context) {
	dir, err := os.MkdirTemp("", "tollgate-check-")
	if err != nil {
		c.add("note", "seed: not tried: %v", err)
		return
	}
	defer os.RemoveAll(dir) //nolint:errcheck // best effort in the system's own folder
	if err := c.try(ctx, dir); err != nil {
		c.fail("seed", err)
		return
	}
	if !c.o.Config.Seed.Empty() {
		c.add("ok", "seed: it can be imported")
	}
}

func (c *checker) try(ctx context.Context, dir string) (err error) {
	o := c.o
	o.Config.DSN = tollgate.NewSecret("sqlite://" + filepath.Join(dir, "trial.db"))
	o.Config.Ledger.Durability = "process"
	store, err := sqlstore.Open(ctx, storeOptions(o))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	key, err := seal.NewMaster(o.Rand)
	if err != nil {
		return err
	}
	master := seal.Master{Key: key, Source: seal.SourceEnv}
	keys, err := createKeys(ctx, store, master, o.Rand)
	if err != nil {
		return err
	}
	_, err = newDatabase(o, store, keys, master, nil).Importer.Start(ctx, store, o.Config.Admin, o.Config.Seed)
	return err
}
