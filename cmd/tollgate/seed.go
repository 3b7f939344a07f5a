package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/ops"
	"tollgate/internal/seed"
)

type importCmd struct {
	File      importFileCmd      `cmd:"" default:"withargs" help:"Bring in a settings file, an export or a GPROXY file."`
	Monorelay importMonorelayCmd `cmd:"" name:"monorelay" help:"Bring in an installation of MonoRelay."`
}

type importFileCmd struct {
	File           string `arg:"" optional:"" help:"The file; - is standard input (default: the settings file)."`
	Plan           bool   `help:"Show what would change; change nothing."`
	PassphraseFile string `placeholder:"FILE" help:"Passphrase of an encrypted export (default: ask)."`
}

// Help says more than the one line.
func (*importFileCmd) Help() string {
	return "Records that are missing in the database are created, records that differ are updated, nothing is deleted, and what the file does not say stays as it is. " +
		"All of it happens in one transaction, or nothing does. GPROXY files are understood; what was read differently is listed."
}

// Run imports a file, or plans to.
func (c *importFileCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	doc, err := c.document(s, cfg.ConfigPath)
	if err != nil {
		return err
	}
	return s.bringIn(ctx, cfg, doc, c.Plan)
}

// bringIn plans or imports a document.
func (s *session) bringIn(ctx context.Context, cfg config.Config, doc config.Document, plan bool) error {
	o := s.open(cfg)
	o.MustExist = plan
	conn, err := ops.Connect(ctx, o)
	if err != nil {
		return err
	}
	if plan {
		err = s.planSeed(ctx, conn, doc)
	} else {
		err = s.importSeed(ctx, conn, doc)
	}
	return errors.Join(err, conn.Close())
}

// document reads the file, and decrypts it if it is an encrypted export.
func (c *importFileCmd) document(s *session, configPath string) (config.Document, error) {
	name, in := c.File, io.Reader(s.stdin)
	if name == "" {
		name = configPath
	}
	switch name {
	case "":
		return config.Document{}, tollgate.Errorf(tollgate.CodeInvalid, "name the file to import; there is no settings file here")
	case "-":
		name = "standard input"
	default:
		f, err := os.Open(name)
		if err != nil {
			return config.Document{}, err
		}
		defer f.Close() //nolint:errcheck // read only
		in = f
		if name, err = filepath.Abs(name); err != nil {
			return config.Document{}, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(in, seed.MaxDocument+1))
	if err != nil {
		return config.Document{}, err
	}
	if len(text) > seed.MaxDocument {
		return config.Document{}, tollgate.Errorf(tollgate.CodeTooLarge, "%s is larger than %d MiB", name, seed.MaxDocument>>20)
	}
	if seed.Encrypted(text) {
		if text, err = c.decrypt(s, text); err != nil {
			return config.Document{}, err
		}
	}
	return config.NewDocument(name, text, s.environ)
}

func (c *importFileCmd) decrypt(s *session, text []byte) ([]byte, error) {
	passphrase, err := s.passphrase(c.PassphraseFile, false)
	if err != nil {
		return nil, err
	}
	return seed.Decrypt(text, passphrase)
}

// passphrase reads the passphrase of an export.
func (s *session) passphrase(file string, isNew bool) (tollgate.Secret, error) {
	if file != "" {
		return s.secretFile(file, "the passphrase")
	}
	if !terminal(s.stdin) {
		return tollgate.Secret{}, tollgate.Errorf(tollgate.CodeInvalid, "give the passphrase with --passphrase-file; there is no terminal to ask on")
	}
	return s.ask("Passphrase", isNew)
}

func (s *session) planSeed(ctx context.Context, conn ops.Runner, doc config.Document) error {
	p, err := ops.Call[ops.Plan](ctx, conn, "seed.plan", doc, nil)
	if err != nil {
		return err
	}
	s.remarks(p.Notes)
	counts := map[string]int{}
	for _, d := range p.Differences {
		s.printf("%s\n", d.Line)
		counts[d.Action]++
	}
	s.notef("An import would create %d and update %d records; %d records are in the database alone and stay.\n", counts["create"], counts["update"], counts["extra"])
	if len(p.Problems) > 0 {
		return tollgate.Errorf(tollgate.CodeInvalid, "the file cannot be imported:\n%s", strings.Join(p.Problems, "\n"))
	}
	return nil
}

func (s *session) importSeed(ctx context.Context, conn ops.Runner, doc config.Document) error {
	r, err := ops.Call[ops.Imported](ctx, conn, "seed.import", doc, nil)
	if err != nil {
		return err
	}
	s.remarks(r.Notes)
	for _, d := range r.Differences {
		s.printf("%s\n", d.Line)
	}
	if len(r.Differences) == 0 {
		s.notef("Nothing to do: the database holds what the file says.\n")
	}
	if len(r.NeedSecret) > 0 {
		s.notef("These have no secret yet and are disabled until they get one:\n")
		for _, name := range r.NeedSecret {
			s.notef("  %s\n", name)
		}
	}
	return nil
}

func (s *session) remarks(notes ops.Problems) {
	for _, n := range notes {
		s.notef("note: %s\n", n)
	}
}

type exportCmd struct {
	File           string `arg:"" optional:"" help:"The file to write, which must not exist; - or nothing is standard output."`
	WithSecrets    bool   `help:"Include keys, credentials and password hashes, encrypted to a passphrase."`
	PassphraseFile string `placeholder:"FILE" help:"The passphrase (default: ask)."`
}

// Help says more than the one line.
func (*exportCmd) Help() string {
	return "Without secrets, an import of the file into another database creates keys and credentials disabled until they get a secret. " +
		"Client keys can be exported only where the master key is DATABASE_SECRET_KEY; otherwise the database holds nothing but their digests. " +
		"The encrypted form is age with a passphrase; `tollgate import` reads it."
}

// Run writes the records of the database.
func (c *exportCmd) Run(ctx context.Context, s *session) error {
	var passphrase tollgate.Secret
	var err error
	if c.WithSecrets {
		if passphrase, err = s.passphrase(c.PassphraseFile, true); err != nil {
			return err
		}
	}
	return s.operate(ctx, func(conn *ops.Connection) error {
		out, err := ops.Call[ops.Exported](ctx, conn, "seed.export", ops.ExportArgs{WithSecrets: c.WithSecrets}, nil)
		if err != nil {
			return err
		}
		s.remarks(out.Notes)
		text := []byte(out.TOML)
		if c.WithSecrets {
			if text, err = seed.Encrypt(text, passphrase); err != nil {
				return err
			}
		}
		if c.File == "" || c.File == "-" {
			_, err = s.stdout.Write(text)
			return err
		}
		f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		return errors.Join(err, f.Close())
	})
}
