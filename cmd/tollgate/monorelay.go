package main

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/seed/monorelay"
)

// maxUsersFile bounds a users database that is imported, in bytes.
const maxUsersFile = 256 << 20

type importMonorelayCmd struct {
	Path  string `arg:"" help:"Its config.yml, or the folder that holds it."`
	Users string `placeholder:"FILE" help:"Its users database (default: data/users.db beside the configuration, if it is there)."`
	Plan  bool   `help:"Show what would change; change nothing."`
}

// Help says more than the one line.
func (*importMonorelayCmd) Help() string {
	return "Providers, their keys, models, prices and aliases come from config.yml, users with their passwords from the users database. " +
		"A password keeps working: it is compared with MonoRelay's hash once, and hashed anew when its owner signs in. " +
		"What could not be carried over is listed, whether it was imported or only planned. Nothing there is changed."
}

// Run imports an installation, or plans to.
func (c *importMonorelayCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	r, err := c.read(ctx)
	if err != nil {
		return err
	}
	text, err := r.Document()
	if err != nil {
		return err
	}
	// Not NewDocument: what a foreign file calls env: or file: is no reference.
	doc := config.Document{Name: "monorelay", Text: text}
	for _, line := range r.Report {
		s.notef("not as it was: %s\n", line)
	}
	return s.bringIn(ctx, cfg, doc, c.Plan)
}

func (c *importMonorelayCmd) read(ctx context.Context) (*monorelay.Result, error) {
	path := c.Path
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "config.yml")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	text, err := io.ReadAll(io.LimitReader(f, seed.MaxDocument+1))
	if err != nil {
		return nil, err
	}
	if len(text) > seed.MaxDocument {
		return nil, tollgate.Errorf(tollgate.CodeTooLarge, "%s is larger than %d MiB", path, seed.MaxDocument>>20)
	}
	r, err := monorelay.ReadConfig(text)
	if err != nil {
		return nil, err
	}
	users := c.Users
	if users == "" {
		users = filepath.Join(filepath.Dir(path), "data", "users.db")
	}
	info, err := os.Stat(users)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Users == "":
		r.Report = append(r.Report, "there is no users database at "+users+"; name it with --users")
		return r, nil
	case err != nil:
		return nil, err
	case info.Size() > maxUsersFile:
		return nil, tollgate.Errorf(tollgate.CodeTooLarge, "%s is larger than %d MiB", users, maxUsersFile>>20)
	}
	return r, r.AddUsers(ctx, users, seed.PBKDF2)
}
