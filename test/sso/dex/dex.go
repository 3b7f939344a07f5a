// Package dex serves Dex, built from its module, with its own login form and
// consent page, for the tests of sign-in.
package dex

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/dexidp/dex/web"
	"golang.org/x/crypto/bcrypt"
)

// New returns Dex under issuer with one client of redirectURI. Users are
// name@example.com, all of one password; those whose name begins with ops
// belong to the group ops. It works until ctx ends.
func New(ctx context.Context, issuer, clientSecret, redirectURI, password string, users ...string) (http.Handler, error) {
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost+6)
	if err != nil {
		return nil, err
	}
	log := slog.New(slog.DiscardHandler)
	var passwords []storage.Password
	for _, name := range users {
		p := storage.Password{Email: name + "@example.com", Username: name, PreferredUsername: name, UserID: "dex-" + name, Hash: hash}
		if strings.HasPrefix(name, "ops") {
			p.Groups = []string{"ops"}
		}
		passwords = append(passwords, p)
	}
	store := storage.WithStaticPasswords(memory.New(log), passwords, log)
	store = storage.WithStaticClients(store, []storage.Client{{ID: "tollgate", Secret: clientSecret, Name: "Tollgate", RedirectURIs: []string{redirectURI}}})
	store = storage.WithStaticConnectors(store, []storage.Connector{{ID: server.LocalConnector, Type: server.LocalConnector, Name: "Email"}})
	sign, err := (&signer.LocalConfig{KeysRotationPeriod: "6h"}).Open(ctx, store, time.Hour, time.Now, log)
	if err != nil {
		return nil, err
	}
	return server.NewServer(ctx, server.Config{
		Issuer: issuer, Storage: store, Signer: sign, Logger: log, Web: server.WebConfig{WebFS: web.FS()},
		SupportedResponseTypes: []string{"code"}, IDTokensValidFor: time.Hour,
	})
}
