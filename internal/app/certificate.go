package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// certificate serves a key pair from files and reloads it when they change. A
// pair that does not load, does not match or has expired is reported and the
// old one stays (SECURITY T-04).
type certificate struct {
	certFile, keyFile string
	log               *slog.Logger
	now               func() time.Time
	current           atomic.Pointer[tls.Certificate]
	stamp             string
}

func newCertificate(certFile, keyFile string, log *slog.Logger, now func() time.Time) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile, log: log, now: now}
	stamp, err := c.readStamp()
	if err != nil {
		return nil, err
	}
	if err := c.load(); err != nil {
		return nil, err
	}
	c.stamp = stamp
	return c, nil
}

// config returns the TLS configuration of the listener (SECURITY T-01).
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}

// watch looks at the files every interval until ctx ends.
func (c *certificate) watch(ctx context.Context, interval time.Duration) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.refresh()
		}
	}
}

func (c *certificate) refresh() {
	stamp, err := c.readStamp()
	if err == nil && stamp == c.stamp {
		return
	}
	if err == nil {
		err = c.load()
	}
	if err != nil {
		c.log.Error("the new TLS certificate is not usable; the old one stays", "error", err)
		return
	}
	c.stamp = stamp
	c.log.Info("TLS certificate reloaded", "file", c.certFile)
}

func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return fmt.Errorf("loading the TLS key pair: %w", err)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return fmt.Errorf("parsing the TLS certificate: %w", err)
	}
	if c.now().After(leaf.NotAfter) {
		return fmt.Errorf("the TLS certificate in %s expired on %s", c.certFile, leaf.NotAfter.Format(time.DateOnly))
	}
	c.current.Store(&pair)
	return nil
}

// readStamp identifies the present state of both files.
func (c *certificate) readStamp() (string, error) {
	var out strings.Builder
	for _, name := range []string{c.certFile, c.keyFile} {
		info, err := os.Stat(name)
		if err != nil {
			return "", fmt.Errorf("reading the TLS files: %w", err)
		}
		fmt.Fprint(&out, info.ModTime().UnixNano(), info.Size(), ";")
	}
	return out.String(), nil
}
