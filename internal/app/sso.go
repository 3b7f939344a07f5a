package app

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"tollgate"
	"tollgate/internal/auth/sso"
	"tollgate/internal/config"
	"tollgate/internal/seed"
	"tollgate/internal/upstream/guard"
)

// ssoTimeout bounds one request to a sign-in provider: somebody waits for it.
const ssoTimeout = 10 * time.Second

// buildSSO makes the engine of sign-in through other providers, which are
// dialled as upstream ones are: private addresses only where [upstream]
// allow_private opens them. Without a public URL there is none.
func (a *App) buildSSO(cfg *config.Config, outbound *url.URL) error {
	if cfg.PublicURL == "" {
		return nil
	}
	engine, err := sso.New(sso.Options{
		Client: guard.Client(guard.Options{Policy: a.db.Policy, Proxy: outbound, AnyTLSPort: true, Idle: 1}, ssoTimeout),
		Sealer: a.db.Keys, PublicURL: cfg.PublicURL, Now: a.opts.Now, Random: a.opts.Rand,
	})
	if err != nil {
		return err
	}
	a.sso = engine
	a.db.Accounts.SignInOfFile = engine.OfFile // a reload may change what the file says
	return engine.Set(ssoOfFile(cfg))
}

// loadSSO puts the sign-in providers of the file and of the database in force.
// One of the file hides one of the database that has its name.
func (a *App) loadSSO(ctx context.Context, cfg *config.Config) error {
	if a.sso == nil {
		return nil
	}
	list, names := ssoOfFile(cfg), map[string]bool{}
	for _, p := range list {
		names[p.Name] = true
	}
	err := a.db.Store.View(ctx, func(tx tollgate.Tx) error {
		rows, err := a.db.Accounts.SignInProviders(ctx, tx)
		for _, p := range rows {
			if !names[p.Name] {
				list = append(list, p)
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("reading the sign-in providers: %w", err)
	}
	return a.sso.Set(list)
}

func ssoOfFile(cfg *config.Config) []sso.Settings {
	list := make([]sso.Settings, len(cfg.SSO))
	for i, p := range cfg.SSO {
		list[i] = seed.SignIn(p.Name, p.Kind, p.SignInSettings)
	}
	return list
}
