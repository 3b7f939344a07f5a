package app

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"tollgate"
	"tollgate/internal/admin"
	"tollgate/internal/config"
	"tollgate/internal/demo"
)

// announce tells the operator where the gateway is and what to do next. What
// was generated is shown here, once, and nowhere else.
func (a *App) announce() {
	cfg := a.cfg.Load()
	base := a.baseURL(cfg)
	var b strings.Builder
	fmt.Fprintf(&b, "\nTollgate %s is ready on %s\n\n", a.opts.Version, base)
	fmt.Fprintf(&b, "  Console   %s/console/\n", base)
	fmt.Fprintf(&b, "  Docs      %s/docs\n", base)
	if s := a.started; s.Admin != "" {
		fmt.Fprintf(&b, "  Admin     %s\n", s.Admin)
	}
	if s := a.started.Setup; !s.Empty() {
		fmt.Fprintf(&b, "\nThere is no account yet. Whoever opens this link makes the first one, the super admin's:\n\n  %s%s%s\n\nIt ends when it is used, and with the next start, which prints a new one.\n",
			base, admin.PageSetup, s.Reveal())
	}
	shown := a.showGenerated(&b)
	switch {
	case cfg.Demo:
		a.showCurl(&b, base)
	case len(a.fleet.Endpoints()) == 0:
		b.WriteString(noProvider)
	}
	if !shown && cfg.Demo && a.started.SuperAdmin != "" {
		fmt.Fprintf(&b, "\nNo key at hand? Mint one:\n\n  tollgate key create --user %s --label laptop\n  (from a checkout: go run ./cmd/tollgate key create --user %[1]s --label laptop)\n", a.started.SuperAdmin)
	}
	if !strings.HasPrefix(base, "https://") && !cfg.Loopback() {
		b.WriteString("\nWarning: this is plain HTTP on an address that others can reach. Put TLS in front, or set TOLLGATE_TLS_CERT and TOLLGATE_TLS_KEY.\n")
	}
	a.started.Password, a.started.APIKey, a.started.Setup = tollgate.Secret{}, tollgate.Secret{}, tollgate.Secret{}
	b.WriteByte('\n')
	_, _ = fmt.Fprint(a.opts.Stdout, b.String())
}

const noProvider = `
There is no provider yet, so no model can be called. Either

  tollgate --demo                 a simulated provider, to try things out

or add one to tollgate.toml and run ` + "`tollgate import`" + `:

  [[providers]]
  name = "openai"
  kind = "openai"                 # openai, anthropic, gemini, openai-compatible
  [[providers.credentials]]
  api_key = "env:OPENAI_API_KEY"
  [[models]]
  provider_name = "openai"
  model_id = "gpt-5"

or do the same through the admin API (/docs: providers/upsert, credentials/upsert, models/upsert).
`

// showGenerated writes what was generated, and reports whether a key was.
func (a *App) showGenerated(b *strings.Builder) bool {
	s := &a.started
	if !s.Password.Empty() {
		fmt.Fprintf(b, "  Password  %s\n", s.Password.Reveal())
	}
	if !s.APIKey.Empty() {
		fmt.Fprintf(b, "  API key   %s\n", s.APIKey.Reveal())
	}
	if s.Password.Empty() && s.APIKey.Empty() {
		return false
	}
	b.WriteString("\nThese are shown once. Keep them in your password manager.\n")
	return !s.APIKey.Empty()
}

// showCurl writes a line that works as it stands.
func (a *App) showCurl(b *strings.Builder, base string) {
	key := "$TOLLGATE_API_KEY"
	if !a.started.APIKey.Empty() {
		key = a.started.APIKey.Reveal()
	}
	quote := `"`
	fmt.Fprintf(b, "\nTry it:\n\n  curl %s/v1/chat/completions -H %sAuthorization: Bearer %s%s -H 'Content-Type: application/json' -d '{\"model\":\"%s\",\"messages\":[{\"role\":\"user\",\"content\":\"Hello!\"}]}'\n",
		base, quote, key, quote, demo.Models()[0].ID)
}

// baseURL is what a browser on this host, or the public, types.
func (a *App) baseURL(cfg *config.Config) string {
	if cfg.PublicURL != "" {
		return strings.TrimSuffix(cfg.PublicURL, "/")
	}
	scheme := "http"
	if a.cert != nil {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(a.Addr())
	if err != nil {
		return scheme + "://" + a.Addr()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}

// passkeyOrigin is where browsers find this gateway for passkeys: the public
// origin, else localhost, since no browser ties a passkey to an address.
func (a *App) passkeyOrigin(cfg *config.Config) string {
	base := a.baseURL(cfg)
	u, err := url.Parse(base)
	if err != nil || cfg.PublicURL != "" || !loopback(u.Hostname()) {
		return base
	}
	return u.Scheme + "://" + net.JoinHostPort("localhost", u.Port())
}

// linkOrigin is what links begin with that are handed on to people: the
// configured address alone, never what a request says (SECURITY A-09). Where
// none is configured, only people at this host can follow a link.
func (a *App) linkOrigin() (string, error) {
	cfg := a.cfg.Load()
	base := a.baseURL(cfg)
	if cfg.PublicURL == "" && !cfg.Loopback() {
		return "", tollgate.Errorf(tollgate.CodeConflict, "links need an address: set TOLLGATE_PUBLIC_URL to the one that people open")
	}
	return base, nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
