package console

import (
	"encoding/json"
	"fmt"
	"html"
	"slices"
	"strings"
)

// preloadFile tells what each page needs, as the build wrote it.
const preloadFile = "preload.json"

// need is what a page needs beside the entry. Named in the page that is sent, it
// is loaded with the entry, not one piece after the other.
type need struct {
	Path     string              // below base, with $NAME for a part that varies
	SignedIn bool                // it is for who is signed in
	Files    map[string][]string // by language
}

// earlyScript asks who is signed in while the others are on their way.
const earlyScript = `<script async fetchpriority="high" src="` + base + `early.js"></script>`

// pageFor is index.html for the page at path, in the language that a browser asks for.
func (s *site) pageFor(path, languages string) string {
	for i := range s.needs {
		if n := &s.needs[i]; n.at(path) {
			return strings.Replace(s.page, "</head>", n.links(languageOf(languages))+"</head>", 1)
		}
	}
	return s.page
}

// at reports whether a path is the page's.
func (n *need) at(path string) bool {
	want, got := strings.Split(n.Path, "/"), strings.Split(path, "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && (len(want[i]) < 2 || want[i][0] != '$') {
			return false
		}
	}
	return true
}

// links are what goes into the page's head.
func (n *need) links(language string) string {
	var b strings.Builder
	if n.SignedIn {
		b.WriteString(earlyScript)
	}
	for _, name := range n.Files[language] {
		_, _ = fmt.Fprintf(&b, `<link rel="modulepreload" crossorigin href="%s" nonce="%s">`, html.EscapeString(base+name), nonceMark)
	}
	return b.String()
}

// languageOf is the first language of ours in an Accept-Language header. What was
// chosen in the console itself is not known here; then a few kB come in vain.
func languageOf(header string) string {
	for tag := range strings.SplitSeq(header, ",") {
		switch tag = strings.ToLower(strings.TrimSpace(tag)); {
		case strings.HasPrefix(tag, "zh"):
			return "zh"
		case strings.HasPrefix(tag, "en"):
			return "en"
		}
	}
	return "en"
}

// readNeeds reads what the build wrote.
func (s *site) readNeeds(body []byte) error {
	if err := json.Unmarshal(body, &s.needs); err != nil {
		return fmt.Errorf("%s: %w", preloadFile, err)
	}
	// A page of its own goes before one with a part that varies.
	slices.SortStableFunc(s.needs, func(a, b need) int { return strings.Count(a.Path, "$") - strings.Count(b.Path, "$") })
	return nil
}
