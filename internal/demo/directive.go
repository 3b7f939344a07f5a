package demo

import (
	"strconv"
	"strings"
	"time"
)

// Bounds of what a directive may ask for.
const (
	maxTokens = 100_000
	maxBytes  = 16 << 20
	maxWait   = 10 * time.Minute
)

// never is the event number that no stream reaches.
const never = 1 << 30

// directives are what a prompt asks of the vendor; see the package documentation.
type directives struct {
	status               int
	retryAfter           string
	delay, silence, slow time.Duration
	tokens, big          int // -1 = not asked
	tool, text           bool
	toolName             string
	calls                int
	script               []call // the very calls to make in the turn of the question
	parallel             bool   // calls is meant for the turn of the question alone
	reasoning, cached    int64
	finish               string
	errorAt, cutAt       int // event number; never = not asked
	eofAt                int
	afterContent         bool // errorAt means the first content event
	half, badJSON, noise bool
	html, empty, nothing bool
	noUsage, flagged     bool
}

// parseDirectives takes the directives out of text. Unknown ones stay in it.
func parseDirectives(text string) (directives, string) {
	d := directives{tokens: -1, big: -1, calls: 1, errorAt: never, cutAt: never, eofAt: never}
	var rest strings.Builder
	for {
		before, after, ok := strings.Cut(text, "[[demo:")
		rest.WriteString(before)
		if !ok {
			break
		}
		inside, tail, ok := strings.Cut(after, "]]")
		if !ok || !d.set(inside) {
			rest.WriteString("[[demo:")
			text = after
			continue
		}
		text = tail
	}
	return d, strings.TrimSpace(rest.String())
}

// set applies one directive and reports whether it is one.
func (d *directives) set(s string) bool {
	name, value, _ := strings.Cut(strings.TrimSpace(s), "=")
	value = strings.TrimSpace(value)
	switch name {
	case "status":
		d.status = bounded(value, 500, 599)
	case "retry-after":
		d.retryAfter = value
	case "delay":
		d.delay = wait(value)
	case "silence":
		d.silence = wait(value)
	case "slow":
		d.slow = wait(value)
	case "tokens":
		d.tokens = bounded(value, 0, maxTokens)
	case "big":
		d.big = bounded(value, 1<<20, maxBytes)
	case "calls":
		d.tool, d.calls = true, max(bounded(value, 2, 64), 1)
	case "parallel":
		d.parallel, d.calls = true, max(bounded(value, 2, 64), 1)
	case "reasoning":
		d.reasoning = int64(bounded(value, 8, maxTokens))
	case "cached":
		d.cached = int64(bounded(value, 1, maxTokens))
	case "finish":
		d.finish = value
	case "cut":
		d.cutAt = bounded(value, 3, never)
	case "eof":
		d.eofAt = bounded(value, 3, never)
	case "error":
		d.errorAt, d.afterContent = bounded(value, 1, never), value == ""
	case "tool":
		d.tool, d.toolName = true, value
	case "call":
		tool, args, _ := strings.Cut(value, " ")
		d.script = append(d.script, call{name: tool, args: args})
	default:
		return d.setFlag(name)
	}
	return true
}

func (d *directives) setFlag(name string) bool {
	flags := map[string]*bool{
		"text": &d.text, "half": &d.half, "badjson": &d.badJSON, "noise": &d.noise, "html": &d.html,
		"empty": &d.empty, "nothing": &d.nothing, "nousage": &d.noUsage, "flagged": &d.flagged,
	}
	flag, ok := flags[name]
	if ok {
		*flag = true
	}
	return ok
}

// bounded reads a number between 0 and highest; fallback when it is none.
func bounded(s string, fallback, highest int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return fallback
	}
	return min(n, highest)
}

// wait reads a duration of at most ten minutes; one second when it is none.
func wait(s string) time.Duration {
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return time.Second
	}
	return min(d, maxWait)
}
