package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// parseDuration reads a duration such as "90s" or "2m30s".
func parseDuration(s string) (time.Duration, error) {
	v, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New(`must be a duration such as "90s" or "2m30s"`)
	}
	return v, nil
}

// parsePrefix reads a CIDR or a single address.
func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("%q is not a network such as 10.0.0.0/8 or fd00::/8", clip(s))
	}
	if p != p.Masked() {
		return netip.Prefix{}, fmt.Errorf("%q has bits set behind the prefix; did you mean %s?", clip(s), p.Masked())
	}
	return p, nil
}

// UnmarshalText reads CIDR, CIDR:port, address, address:port; an IPv6 network
// with a port stands in brackets: [fd00::/8]:8080.
func (n *PrivateNetwork) UnmarshalText(text []byte) error {
	s := string(text)
	network, port := s, ""
	if rest, ok := strings.CutPrefix(s, "["); ok {
		inner, tail, closed := strings.Cut(rest, "]")
		if !closed || (tail != "" && !strings.HasPrefix(tail, ":")) {
			return fmt.Errorf("%q is not of the form [network]:port", clip(s))
		}
		network, port = inner, strings.TrimPrefix(tail, ":")
	} else if strings.Count(s, ":") == 1 {
		network, port, _ = strings.Cut(s, ":")
	}
	p, err := parsePrefix(network)
	if err != nil {
		return err
	}
	n.Prefix, n.Port = p, 0
	if port != "" {
		v, err := strconv.ParseUint(port, 10, 16)
		if err != nil || v == 0 {
			return fmt.Errorf("%q has no valid port; ports are 1 to 65535", clip(s))
		}
		n.Port = uint16(v)
	}
	return nil
}

// parseHost checks a listen host: an address or a name.
func parseHost(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	if _, err := netip.ParseAddr(s); err == nil {
		return s, nil
	}
	if !validHostname(s) || strings.Trim(s, "0123456789.") == "" {
		return "", fmt.Errorf("%q is not an address or a host name", clip(s))
	}
	return s, nil
}

func validHostname(s string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._"
	return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool { return !strings.ContainsRune(letters, r) })
}

func parsePort(s string) (int, error) {
	v, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		if strings.Contains(s, "://") {
			return 0, fmt.Errorf("%q is a URL, not a port from 0 to 65535 (a container platform may have set it for a service of this name)", clip(s))
		}
		return 0, fmt.Errorf("%q is not a port from 0 to 65535", clip(s))
	}
	return int(v), nil
}

func parseBool(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	default:
		return false, fmt.Errorf("%q is neither true nor false", clip(s))
	}
}

// parseOrigin reads scheme://host[:port] and nothing more.
func parseOrigin(s string) (string, error) {
	u, err := url.Parse(strings.TrimSuffix(s, "/"))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil ||
		u.Path != "" || u.RawQuery != "" || u.Fragment != "" || u.ForceQuery {
		return "", errors.New("must be an origin: http:// or https://, a host, perhaps a port, and nothing behind it")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func parseHostPort(s string) (string, error) {
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return "", fmt.Errorf("%q is not of the form host:port", clip(s))
	}
	if _, err := parsePort(port); err != nil {
		return "", err
	}
	if host != "" {
		if _, err := parseHost(host); err != nil {
			return "", err
		}
	}
	return s, nil
}

// parseProxy checks an outbound proxy. Its text may hold a password and never
// appears in an error.
func parseProxy(s string) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, u.Scheme) ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return errors.New("must be a URL such as http://proxy.example:3128 (http, https or socks5)")
	}
	return nil
}

// parseDSN checks the form of a database URL. Its text may hold a password
// and never appears in an error. The mode=rwc that other products write is
// dropped: creating what is missing is what happens anyway.
func parseDSN(s string) (string, error) {
	switch {
	case hasScheme(s, "sqlite"):
		rest, ok := strings.CutPrefix(s[len("sqlite"):], "://")
		path, query, _ := strings.Cut(rest, "?")
		if !ok || path == "" || (query != "" && query != "mode=rwc") {
			return "", errors.New("a SQLite database is written sqlite://PATH, such as sqlite://data/tollgate.db")
		}
		return "sqlite://" + path, nil
	case hasScheme(s, "postgres"), hasScheme(s, "postgresql"):
		u, err := url.Parse(s)
		if err != nil || (u.Host == "" && u.Query().Get("host") == "") {
			return "", errors.New("a PostgreSQL database is written postgres://USER:PASSWORD@HOST:PORT/NAME")
		}
		return s, nil
	default:
		return "", errors.New("must begin with sqlite:// or postgres://")
	}
}

// list splits a comma-separated value and drops empty parts.
func list(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}
