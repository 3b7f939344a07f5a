package main

import (
	"context"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"tollgate/internal/app"
	"tollgate/internal/config"
	"tollgate/internal/telemetry"
)

type serveCmd struct{}

// Run serves until SIGTERM or SIGINT; a second one ends at once. SIGHUP reads
// the settings again.
func (c *serveCmd) Run(ctx context.Context, s *session) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	level := new(slog.LevelVar)
	log, lines, flush := s.logger(cfg, level)
	defer flush()
	var a *app.App
	a, err = app.New(ctx, app.Options{
		Config: cfg, Log: log, Lines: lines, Stdout: s.stdout, Version: version(), Level: level, Environ: s.environ,
		Reload: func(ctx context.Context) error { return s.reload(ctx, a) },
	})
	if err != nil {
		return err
	}
	signals := make(chan os.Signal, 4)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)
	if err := a.Start(ctx); err != nil {
		return err
	}
	for {
		select {
		case err := <-a.Failed():
			log.ErrorContext(ctx, "a listener failed", "error", err)
			_ = a.Stop(ctx) // the failure is what counts
			return err
		case sig := <-signals:
			if sig == syscall.SIGHUP {
				if err := s.reload(ctx, a); err != nil {
					log.ErrorContext(ctx, "the settings were not reloaded; the last good ones stay", "error", err)
				}
				continue
			}
			log.InfoContext(ctx, "stopping", "signal", sig.String())
			return stop(ctx, a, signals)
		}
	}
}

// reload reads the settings again; bad ones leave the last good ones in force.
func (s *session) reload(ctx context.Context, a *app.App) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	return a.Reload(ctx, cfg)
}

// stop drains; another signal cuts the patience short.
func stop(ctx context.Context, a *app.App, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-signals:
			cancel()
		case <-ctx.Done():
		}
	}()
	return a.Stop(ctx)
}

// logger writes to standard error: text for eyes, JSON for machines, whose
// lines about requests may go to lines directly. flush writes what a busy
// machine's log still holds back.
func (s *session) logger(cfg config.Config, level *slog.LevelVar) (log *slog.Logger, lines io.Writer, flush func()) {
	level.Set(cfg.LogLevel)
	o := &slog.HandlerOptions{Level: level}
	if terminal(s.stderr) {
		if cfg.LogFormat == "json" {
			return slog.New(slog.NewJSONHandler(s.stderr, o)), nil, func() {}
		}
		return slog.New(slog.NewTextHandler(s.stderr, o)), nil, func() {}
	}
	w := telemetry.NewLogWriter(s.stderr)
	if cfg.LogFormat == "text" {
		return slog.New(slog.NewTextHandler(w, o)), nil, w.Flush
	}
	return slog.New(slog.NewJSONHandler(w, o)), w, w.Flush
}
