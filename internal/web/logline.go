package web

import (
	"context"
	"log/slog"
	"time"
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
	if d.Lines != nil {
		d.writeLine(level, e)
		return
	}
	a := attrs{list: make([]slog.Attr, 0, maxAttrs)}
	describe(&a, e)
	d.Log.LogAttrs(ctx, level, "request", a.list...)
}

// fields takes the fields of a log line.
type fields interface {
	text(key, value string)
	number(key string, value int64)
	span(key string, value time.Duration)
}

// describe gives the fields of e's line.
func describe(f fields, e *Event) {
	pattern := e.Pattern
	if pattern == "" {
		pattern = "unmatched"
	}
	f.text("request_id", e.ID.String())
	f.text("method", clip(e.Method, 16))
	f.text("pattern", pattern)
	f.number("status", int64(e.Status))
	f.span("duration", e.Duration)
	f.number("bytes", e.Bytes)
	if e.ClientIP.IsValid() {
		f.text("client_ip", e.ClientIP.String())
	}
	if id := e.Principal.UserID(); id != 0 {
		f.number("user_id", id)
	}
	if id := e.Principal.KeyID(); id != 0 {
		f.number("key_id", id)
	}
	if e.Principal.Kind == tollgate.PrincipalService {
		f.text("user", "service")
	}
	describeCall(f, e)
	if e.Err != nil {
		f.text("error", clip(e.Err.Error(), maxErrorText))
	}
}

func describeCall(f fields, e *Event) {
	c := e.Call
	if c == nil {
		return
	}
	if c.Model != "" {
		f.text("model", clip(c.Model, tollgate.MaxModelNameLength))
	}
	if e.Provider != "" {
		f.text("provider", e.Provider)
	}
	if c.Losses != "" {
		f.text("losses", clip(c.Losses, maxErrorText))
	}
	if c.FirstToken > 0 {
		f.span("first_token", c.FirstToken)
	}
	if c.Tokens != (tollgate.Tokens{}) {
		f.number("input_tokens", c.Tokens.Input)
		f.number("output_tokens", c.Tokens.Output)
		f.number("cache_read_tokens", c.Tokens.CacheRead)
		f.number("cache_write_tokens", c.Tokens.CacheWrite+c.Tokens.CacheWrite1h)
	}
}

// attrs are the fields as slog takes them.
type attrs struct{ list []slog.Attr }

func (a *attrs) text(key, value string)         { a.list = append(a.list, slog.String(key, value)) }
func (a *attrs) number(key string, value int64) { a.list = append(a.list, slog.Int64(key, value)) }
func (a *attrs) span(key string, value time.Duration) {
	a.list = append(a.list, slog.Duration(key, value))
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
