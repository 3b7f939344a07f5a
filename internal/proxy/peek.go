package proxy

import (
	"strings"

	"tollgate"
	"tollgate/internal/wire"
)

// Bounds of client text in rows, in bytes.
const (
	maxUserAgent = 256
	maxTags      = 256
	maxErrorText = 512
)

const headerTags = "X-Tollgate-Tags"

// peek validates the body and reads what the gateway needs of it.
func (c *call) peek() error {
	p, err := wire.Peek(c.route, c.body.data)
	if err != nil {
		return err
	}
	c.peeked, c.thread.asked = p, p.PreviousID
	c.row.Model, c.row.Stream = clip(p.Model, tollgate.MaxModelNameLength), p.Stream
	tags := p.User
	if v := c.r.Header[headerTags]; len(v) > 0 {
		tags = strings.Join(v, ",")
	}
	c.row.Tags = clip(tags, maxTags)
	return nil
}

// clip makes client text fit for a row and a log: valid UTF-8 without control
// characters, at most n bytes. Plain text is returned as it is.
func clip(s string, n int) string {
	if len(s) <= n && isPlain(s) {
		return s
	}
	s = strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0x7f || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s[:min(len(s), 4*n)], "\uFFFD"))
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}

func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] >= 0x7f {
			return false
		}
	}
	return true
}
