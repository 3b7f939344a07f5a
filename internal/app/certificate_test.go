package app

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tollgate/internal/config"
)

// writePair writes a self-signed key pair with the given serial number.
func writePair(t *testing.T, dir string, serial int64, until time.Time) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"},
		NotBefore: until.Add(-48 * time.Hour), NotAfter: until,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for name, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func serial(t *testing.T, c *certificate) int64 {
	t.Helper()
	pair, err := c.config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return leaf.SerialNumber.Int64()
}

func TestT04ACertificateIsReloadedAndABadOneIsNot(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	certFile, keyFile := writePair(t, dir, 1, time.Now().Add(time.Hour))
	c, err := newCertificate(certFile, keyFile, slog.New(slog.NewTextHandler(&log, nil)), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if c.config().MinVersion != tls.VersionTLS12 {
		t.Error("T-01: older versions than TLS 1.2 are spoken")
	}
	c.refresh()
	if got := serial(t, c); got != 1 || log.Len() != 0 {
		t.Errorf("unchanged files: serial %d, log %s", got, &log)
	}
	writePair(t, dir, 2, time.Now().Add(time.Hour))
	c.refresh()
	if got := serial(t, c); got != 2 {
		t.Errorf("after a change: serial %d", got)
	}
	for name, harm := range map[string]func(){
		"expired": func() { writePair(t, dir, 3, time.Now().Add(-time.Hour)) },
		"not PEM": func() { _ = os.WriteFile(certFile, []byte("nonsense"), 0o600) },
		"missing": func() { _ = os.Remove(keyFile) },
	} {
		log.Reset()
		harm()
		c.refresh()
		if got := serial(t, c); got != 2 || !strings.Contains(log.String(), "the old one stays") {
			t.Errorf("%s: serial %d, log %s", name, got, &log)
		}
	}
	writePair(t, dir, 4, time.Now().Add(time.Hour))
	c.refresh()
	if got := serial(t, c); got != 4 {
		t.Errorf("mended: serial %d", got)
	}
}

func TestAnExpiredCertificateStopsTheStart(t *testing.T) {
	certFile, keyFile := writePair(t, t.TempDir(), 1, time.Now().Add(-time.Minute))
	if _, err := newCertificate(certFile, keyFile, slog.New(slog.DiscardHandler), time.Now); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Errorf("%v", err)
	}
}

func TestT01TheGatewayServesHTTPS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writePair(t, dir, 7, time.Now().Add(time.Hour))
	cfg, err := config.Load(config.Sources{Environ: []string{
		"TOLLGATE_DATA_DIR=" + filepath.Join(dir, "data"), "TOLLGATE_PORT=0", "TOLLGATE_TLS_CERT=" + certFile, "TOLLGATE_TLS_KEY=" + keyFile,
	}})
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(t.Context(), Options{Config: cfg, Log: slog.New(slog.DiscardHandler), Environ: []string{"GOGC=100"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := a.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	text, err := os.ReadFile(certFile)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+a.Addr()+"/healthz", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK || resp.ProtoMajor != 2 || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("%s %s, HSTS %q", resp.Status, resp.Proto, resp.Header.Get("Strict-Transport-Security"))
	}
	old := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost", MaxVersion: tls.VersionTLS11}}
	if resp, err := old.RoundTrip(req); err == nil {
		_ = resp.Body.Close()
		t.Error("TLS 1.1 was accepted")
	}
}
