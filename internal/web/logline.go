package web

import (
	"context"
	"log/slog"
	"unicode/utf8"

	"tollgate"
)

// Bounds of client text in events and logs, in bytes.
const (
	maxUserAgent = 256
	maxErrorText = 512
)

// maxAttrs is the number of attributes that a log line can have.
const maxAttrs = 21

// logLine writes the one line of a request: no query string, no header, no
// body, so that no secret can be in it (SECURITY L-01, L-02).
func (d *Door) logLine(ctx context.Context, e *Event) {
	level := slog.LevelInfo
	switch {
	case e.Status >= 500:
		level = slog.LevelWarn
	case e.Quiet && e.Err == nil:
		level = slog.LevelDebug
	}
	if !d.Log.Enabled(ctx, level) {
		return
	}
	pattern := e.Pattern
	if pattern == "" {
		pattern = "unmatched"
	}
	var buf [maxAttrs]slog.Attr
	a := append(buf[:0],
		slog.String("request_id", e.ID.String()), slog.String("method", clip(e.Method, 16)), slog.String("pattern", pattern),
		slog.Int("status", e.Status), slog.Duration("duration", e.Duration), slog.Int64("bytes", e.Bytes),
	)
	if e.ClientIP.IsValid() {
		a = append(a, slog.String("client_ip", e.ClientIP.String()))
	}
	if id := e.Principal.UserID(); id != 0 {
		a = append(a, slog.Int64("user_id", id))
	}
	if id := e.Principal.KeyID(); id != 0 {
		a = append(a, slog.Int64("key_id", id))
	}
	if e.Principal.Kind == tollgate.PrincipalService {
		a = append(a, slog.String("user", "service"))
	}
	a = appendCall(a, e)
	if e.Err != nil {
		a = append(a, slog.String("error", clip(e.Err.Error(), maxErrorText)))
	}
	d.Log.LogAttrs(ctx, level, "request", a...)
}

func appendCall(a []slog.Attr, e *Event) []slog.Attr {
	c := e.Call
	if c == nil {
		return a
	}
	if c.Model != "" {
		a = append(a, slog.String("model", clip(c.Model, tollgate.MaxModelNameLength)))
	}
	if e.Provider != "" {
		a = append(a, slog.String("provider", e.Provider))
	}
	if c.Losses != "" {
		a = append(a, slog.String("losses", clip(c.Losses, maxErrorText)))
	}
	if c.FirstToken > 0 {
		a = append(a, slog.Duration("first_token", c.FirstToken))
	}
	if c.Tokens != (tollgate.Tokens{}) {
		a = append(a, slog.Int64("input_tokens", c.Tokens.Input), slog.Int64("output_tokens", c.Tokens.Output),
			slog.Int64("cache_read_tokens", c.Tokens.CacheRead), slog.Int64("cache_write_tokens", c.Tokens.CacheWrite+c.Tokens.CacheWrite1h))
	}
	return a
}

// clip cuts s to at most n bytes, at a character's border.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
