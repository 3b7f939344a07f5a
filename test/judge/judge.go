// Package judge holds what the gateway writes against the vendors' own
// descriptions: OpenAI's and Open Responses' OpenAPI documents, Anthropic's
// official Go SDK, Google's protobuf types. It is a module of its own because
// those are large. The OpenAPI documents are not part of this project: the
// judge reads them from TOLLGATE_SHARED where they are present.
package judge

import "strings"

// Verdict is what a judge finds wrong with a text; nil is what fits.
type Verdict []Finding

// Finding is one place that does not fit.
type Finding struct {
	// Path is the place in the text, "*" standing for any index ("/output/*/type").
	Path string
	// Says is what is wrong there.
	Says string
	// Missing marks a member that the description requires and that is left out:
	// a warning. Everything else (wrong types, values outside of closed lists,
	// members that are not known) is a failure.
	Missing bool
}

func (f Finding) String() string { return f.Path + ": " + f.Says }

// place writes a path from its steps.
func place(steps []string) string {
	var b strings.Builder
	for _, s := range steps {
		b.WriteByte('/')
		if s != "" && strings.Trim(s, "0123456789") == "" {
			s = "*"
		}
		b.WriteString(s)
	}
	return b.String()
}
