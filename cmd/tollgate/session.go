package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	"tollgate"
	"tollgate/internal/config"
	"tollgate/internal/ops"
)

// session is what a command runs with.
type session struct {
	flags          config.Flags
	demo           bool
	environ        []string
	stdin          *os.File
	stdout, stderr *os.File
}

// config reads the settings.
func (s *session) config() (config.Config, error) {
	return config.Load(config.Sources{Flags: s.flags, Environ: s.environ, Demo: s.demo})
}

// open returns the options for working on the installation in this process.
func (s *session) open(cfg config.Config) ops.OpenOptions {
	log := slog.New(slog.NewTextHandler(s.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return ops.OpenOptions{Config: cfg, Now: time.Now, Rand: rand.Reader, Log: log, Environ: s.environ, MustExist: true}
}

// connect finds the running server or opens the database.
func (s *session) connect(ctx context.Context) (*ops.Connection, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	return ops.Connect(ctx, s.open(cfg))
}

// operate connects, runs use and disconnects.
func (s *session) operate(ctx context.Context, use func(*ops.Connection) error) error {
	c, err := s.connect(ctx)
	if err != nil {
		return err
	}
	return errors.Join(use(c), c.Close())
}

// printf writes an answer to standard output. Where that is gone, there is
// nobody to tell.
func (s *session) printf(format string, args ...any) { _, _ = fmt.Fprintf(s.stdout, format, args...) }

// notef writes to standard error what is not the answer itself.
func (s *session) notef(format string, args ...any) { _, _ = fmt.Fprintf(s.stderr, format, args...) }

// explain returns the text of an error for the operator at the host: message
// and cause.
func explain(err error) string {
	if ps, ok := errors.AsType[config.Problems](err); ok {
		if len(ps) == 1 {
			return ps.Error()
		}
		return fmt.Sprintf("the configuration has %d problems:\n%v", len(ps), ps)
	}
	return err.Error()
}

// terminal reports whether f is one.
func terminal(f *os.File) bool { return f != nil && term.IsTerminal(int(f.Fd())) }

// ask reads a secret: from the terminal without showing it, twice where it is
// new; else the first line of standard input.
func (s *session) ask(what string, isNew bool) (tollgate.Secret, error) {
	if !terminal(s.stdin) {
		return s.readLine(what)
	}
	first, err := s.hidden(what + ": ")
	if err != nil || !isNew {
		return first, err
	}
	again, err := s.hidden("Once more: ")
	if err == nil && !first.Equal(again) {
		err = tollgate.Errorf(tollgate.CodeInvalid, "the two are not the same")
	}
	return first, err
}

func (s *session) hidden(prompt string) (tollgate.Secret, error) {
	s.notef("%s", prompt)
	text, err := term.ReadPassword(int(s.stdin.Fd()))
	s.notef("\n")
	if err != nil {
		return tollgate.Secret{}, fmt.Errorf("reading from the terminal: %w", err)
	}
	if len(text) == 0 {
		return tollgate.Secret{}, tollgate.Errorf(tollgate.CodeInvalid, "nothing was entered")
	}
	return tollgate.NewSecret(string(text)), nil
}

func (s *session) readLine(what string) (tollgate.Secret, error) {
	data, err := io.ReadAll(io.LimitReader(s.stdin, 64<<10))
	if err != nil {
		return tollgate.Secret{}, fmt.Errorf("reading standard input: %w", err)
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return tollgate.Secret{}, tollgate.Errorf(tollgate.CodeInvalid, "%s is missing: enter it on a terminal, or as the first line of standard input", what)
	}
	return tollgate.NewSecret(line), nil
}

// confirm asks before something that cannot be undone. Without a terminal the
// answer must have been given by a flag.
func (s *session) confirm(yes bool, question string) error {
	if yes {
		return nil
	}
	if !terminal(s.stdin) {
		return tollgate.Errorf(tollgate.CodeInvalid, "this cannot be undone; say --yes")
	}
	s.notef("%s [y/N] ", question)
	answer := make([]byte, 16)
	n, err := s.stdin.Read(answer)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if strings.EqualFold(strings.TrimSpace(string(answer[:n])), "y") {
		return nil
	}
	return tollgate.Errorf(tollgate.CodeInvalid, "nothing was changed")
}

// secretFile reads a secret from the first line of a file; "-" is standard input.
func (s *session) secretFile(path, what string) (tollgate.Secret, error) {
	if path == "-" {
		return s.readLine(what)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return tollgate.Secret{}, err
	}
	line, _, _ := strings.Cut(string(data), "\n")
	if line = strings.TrimSuffix(line, "\r"); line == "" {
		return tollgate.Secret{}, tollgate.Errorf(tollgate.CodeInvalid, "%s is empty", path)
	}
	return tollgate.NewSecret(line), nil
}
