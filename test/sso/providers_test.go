package sso

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"tollgate/test/sso/dex"
)

// clientSecret has what has to be escaped in either style of authentication.
const clientSecret = "a secret of the suite: 100%+1"

const password = "the same for everybody"

// startDex serves Dex and returns its issuer.
func startDex(t *testing.T, redirectURI string, users ...string) string {
	t.Helper()
	var handler http.Handler
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { handler.ServeHTTP(w, r) }))
	t.Cleanup(s.Close)
	var err error
	handler, err = dex.New(t.Context(), s.URL+"/dex", clientSecret, redirectURI, password, users...)
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
