package sso

import (
	"net/url"
	"strings"
)

// ReturnTo returns path if it is a path of this site that a browser cannot be
// talked into reading as another site's address, else "/" (SECURITY O-12). It
// must begin with one slash and hold, written or percent-encoded any number of
// times, no backslash, no control character and no second slash at its start.
func ReturnTo(path string) string {
	if len(path) > 2048 || !localPath(path) {
		return "/"
	}
	for last := path; ; {
		decoded, err := url.PathUnescape(last)
		if err != nil || !localPath(decoded) {
			return "/"
		}
		if decoded == last {
			return path
		}
		last = decoded
	}
}

func localPath(p string) bool {
	if !strings.HasPrefix(p, "/") || strings.HasPrefix(p, "//") {
		return false
	}
	return !strings.ContainsFunc(p, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '\\' || r == '\uFFFD' })
}
