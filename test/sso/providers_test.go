package sso

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/dexidp/dex/server"
	"github.com/dexidp/dex/server/signer"
	"github.com/dexidp/dex/storage"
	"github.com/dexidp/dex/storage/memory"
	"github.com/dexidp/dex/web"
	"golang.org/x/crypto/bcrypt"
)

// clientSecret has what has to be escaped in either style of authentication.
const clientSecret = "a secret of the suite: 100%+1"

const password = "the same for everybody"

// startDex serves Dex with its password form and returns its issuer. Users are
// name@example.com; ops belongs to the group ops.
func startDex(t *testing.T, redirectURI string, users ...string) string {
	t.Helper()
	hash, err := bcrypt.GenerateFromPassword([]byte(password), bcrypt.MinCost+6)
	if err != nil {
		t.Fatal(err)
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
	sign, err := (&signer.LocalConfig{KeysRotationPeriod: "6h"}).Open(t.Context(), store, time.Hour, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	var dex http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { dex.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	dex, err = server.NewServer(t.Context(), server.Config{
		Issuer: s.URL + "/dex", Storage: store, Signer: sign, Logger: log, Web: server.WebConfig{WebFS: web.FS()},
		SupportedResponseTypes: []string{"code"}, IDTokensValidFor: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.URL + "/dex"
}

// startNode runs js/provider.js and returns its issuer.
func startNode(t *testing.T, redirectURI string) string {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	cmd := exec.CommandContext(t.Context(), "node", "js/provider.js", port, redirectURI)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() == "ready" {
			return "http://127.0.0.1:" + port
		}
	}
	t.Fatal("the provider ended before it listened")
	return ""
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	var port int
	if _, err := fmt.Sscanf(l.Addr().String(), "127.0.0.1:%d", &port); err != nil {
		t.Fatal(err)
	}
	return port
}
