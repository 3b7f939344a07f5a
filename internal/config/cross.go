package config

import (
	"crypto/tls"
	"net"
	"path/filepath"

	"tollgate"
)

// minAccessKey is the least length of [server] access_key (CONTRACT 7).
const minAccessKey = 24

// derive fills what depends on other values.
func (l *loader) derive(c *Config) {
	if c.DataDir == "" {
		dir, err := filepath.Abs("data")
		if err != nil {
			addf(&l.problems, Place{}, "the current folder cannot be found: %v", err)
		}
		c.DataDir = dir
	}
	if c.DSN.Empty() {
		c.DSN = tollgate.NewSecret("sqlite://" + filepath.Join(c.DataDir, "tollgate.db"))
	}
	if !c.Server.AccessKey.Empty() && len(c.Server.AccessPermissions) == 0 {
		c.Server.AccessPermissions = []AccessPermission{{ModelPattern: "*"}}
	}
}

// cross checks what only several values together can tell.
func (l *loader) cross(c *Config) {
	at := l.source
	switch {
	case (c.TLSCert == "") != (c.TLSKey == ""):
		addf(&l.problems, at("TOLLGATE_TLS_CERT", "TOLLGATE_TLS_KEY"), "a certificate needs its key and a key its certificate: give both or neither")
	case c.TLSCert != "":
		if _, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey); err != nil {
			addf(&l.problems, at("TOLLGATE_TLS_CERT", "TOLLGATE_TLS_KEY"), "the certificate cannot be used: %v", err)
		}
	case !c.Loopback() && !c.AllowHTTP:
		addf(&l.problems, at("TOLLGATE_HOST"),
			"serving plain HTTP on %s would send keys in clear; give a certificate (TOLLGATE_TLS_CERT, TOLLGATE_TLS_KEY), or set TOLLGATE_ALLOW_HTTP=true behind a TLS proxy", c.Host)
	}
	if c.MetricsAddr != "" && c.Port != 0 && c.MetricsAddr == c.Addr() {
		addf(&l.problems, at("TOLLGATE_METRICS_ADDR"), "is the main listen address; choose another port")
	}
	if host, _, err := net.SplitHostPort(c.MetricsAddr); err == nil && !(Config{Host: host}).Loopback() {
		addf(&l.warnings, at("TOLLGATE_METRICS_ADDR"), "/metrics on %s is open to everyone who can reach it", c.MetricsAddr)
	}
	if len(c.SSO) > 0 && c.PublicURL == "" {
		addf(&l.problems, c.SSO[0].At, "sign-in through other providers needs TOLLGATE_PUBLIC_URL (public_url in [server]), the address under which browsers reach the gateway")
	}
	for _, p := range c.TrustedProxies {
		if p.Bits() == 0 {
			addf(&l.warnings, at("TOLLGATE_TRUSTED_PROXIES"), "%s trusts forwarding headers from everywhere: callers can choose their address", p)
		}
	}
	if c.Upstream.FetchRemote && !c.Proxy.Empty() {
		addf(&l.problems, at("TOLLGATE_PROXY"), "an outbound proxy looks up names by itself, so that fetch_remote in [upstream] could reach private addresses through it; leave one of them out")
	}
	if !c.PreviousMasterKey.Empty() && c.PreviousMasterKey.Equal(c.MasterKey) {
		addf(&l.problems, at("DATABASE_SECRET_KEY_PREVIOUS"), "is the same as DATABASE_SECRET_KEY")
	}
	l.crossAccess(c)
}

func (l *loader) crossAccess(c *Config) {
	key := c.Server.AccessKey.Reveal()
	at := l.access
	if key == "" {
		return
	}
	if len(key) < minAccessKey {
		addf(&l.problems, at, "access_key in [server] has at least %d characters", minAccessKey)
	} else if err := validKeyText(key); err != nil {
		addf(&l.problems, at, "access_key in [server]: %v", err)
	}
	if c.Server.AccessKey.Equal(c.Admin.APIKey) {
		addf(&l.problems, at, "access_key in [server] must not be a user's key: it is the admin's")
	}
	for _, u := range c.Seed.Users {
		for _, k := range u.Keys {
			if k.APIKey.Equal(c.Server.AccessKey) {
				addf(&l.problems, k.At, "access_key in [server] must not be a user's key: it is one of %s", u.Name)
			}
		}
	}
}

// source returns the place of the first of the named settings that was given,
// else the first name itself.
func (l *loader) source(names ...string) Place {
	for _, name := range names {
		if at, ok := l.origin[name]; ok {
			return at
		}
	}
	return Place{Source: names[0]}
}
