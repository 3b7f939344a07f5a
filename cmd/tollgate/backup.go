package main

import (
	"context"
	"errors"
	"path/filepath"

	"tollgate/internal/ops"
)

type backupCmd struct {
	File string `arg:"" help:"The file to write; it must not exist."`
}

// Help says more than the one line.
func (*backupCmd) Help() string {
	return "The backup is a SQLite file, whatever the engine. The master key is not inside: without secret.key or DATABASE_SECRET_KEY a backup cannot be restored, so keep that apart."
}

// Run writes a backup.
func (c *backupCmd) Run(ctx context.Context, s *session) error {
	path, err := filepath.Abs(c.File)
	if err != nil {
		return err
	}
	return s.operate(ctx, func(conn *ops.Connection) error {
		bar := s.progress()
		_, err := ops.Call[ops.None](ctx, conn, "backup", ops.BackupArgs{Path: path}, bar.report)
		bar.end()
		if err != nil {
			return err
		}
		s.printf("%s\n", path)
		s.notef("The master key is not inside: keep secret.key or DATABASE_SECRET_KEY apart from the backup.\n")
		return nil
	})
}

type restoreCmd struct {
	File string `arg:"" help:"The backup."`
}

// Help says more than the one line.
func (*restoreCmd) Help() string {
	return "No server may be running, and the database must be empty. The master key of the backup must be in place first: secret.key in the data folder, or DATABASE_SECRET_KEY."
}

// Run restores a backup.
func (c *restoreCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	o := s.open(cfg)
	bar := s.progress()
	out, err := ops.Restore(ctx, o, c.File, bar.report)
	bar.end()
	if err != nil {
		return err
	}
	s.notef("Restored %d users and %d keys; %d sessions have ended.\nKeys, users and permissions that were taken away after the backup are back: look through them.\n", out.Users, out.Keys, out.Sessions)
	return nil
}

type rekeyCmd struct {
	KeyFile bool `help:"Generate a new key file and use that."`
}

// Help says more than the one line.
func (*rekeyCmd) Help() string {
	return "The new key is DATABASE_SECRET_KEY (or a new key file with --key-file), the present one DATABASE_SECRET_KEY_PREVIOUS or the key file in use. " +
		"Only the wrapping of the root key is written anew, so it takes a moment; a running gateway goes on. An interrupted change is finished by running it again; until then both keys work."
}

// Run changes the master key.
func (c *rekeyCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	conn, args, err := ops.ConnectForRekey(ctx, s.open(cfg), c.KeyFile)
	if err != nil {
		return err
	}
	bar := s.progress()
	out, err := ops.Call[ops.Rekeyed](ctx, conn, "rekey", args, bar.report)
	bar.end()
	if err := errors.Join(err, conn.Close()); err != nil {
		return err
	}
	switch {
	case out.KeyFile != "":
		s.notef("The master key is now in %s. Start the gateway without DATABASE_SECRET_KEY from now on.\n", out.KeyFile)
	default:
		s.notef("The master key is now DATABASE_SECRET_KEY. Start the gateway with it from now on, without DATABASE_SECRET_KEY_PREVIOUS.\n")
	}
	if out.FormerKeyFile != "" {
		s.notef("The key file %s opens this database no more; backups made before still need it.\n", out.FormerKeyFile)
	}
	return nil
}
