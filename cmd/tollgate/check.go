package main

import (
	"context"

	"tollgate/internal/ops"
)

type checkCmd struct{}

// Help says more than the one line.
func (*checkCmd) Help() string {
	return "Every problem is listed with its place; the exit code is 0 when there is none. Nothing is written: the seed of a new database is tried on a throw-away one."
}

// Run checks the installation.
func (c *checkCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	for _, w := range cfg.Warnings {
		s.printf("note  %s\n", w)
	}
	if err != nil {
		return err
	}
	if cfg.ConfigPath == "" {
		s.printf("ok    settings: no file, defaults and environment\n")
	} else {
		s.printf("ok    settings: %s\n", cfg.ConfigPath)
	}
	findings := ops.Check(ctx, s.open(cfg))
	for _, f := range findings {
		s.printf("%-5s %s\n", f.Level, f.Text)
	}
	if ops.Failed(findings) {
		return errSilent
	}
	return nil
}
