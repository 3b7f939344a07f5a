// Package monorelay reads an installation of MonoRelay, its config.yml and its
// users database, as a seed, and reports what could not be carried over. The
// formats are those of MonoRelay's own sources (github.com/Excurs1ons/MonoRelay:
// config.yml.example, backend/models.py, backend/auth_models.py).
package monorelay

import (
	"bytes"
	"fmt"
	"strings"

	"tollgate/internal/config"
)

// Result is what an installation becomes.
type Result struct {
	Seed config.Seed
	// Report says, a line each, what was carried over otherwise than it was or
	// not at all. It holds no secret.
	Report []string
}

func (r *Result) notef(format string, args ...any) {
	r.Report = append(r.Report, fmt.Sprintf(format, args...))
}

// Document returns the seed as TOML that an import reads. It holds secrets.
func (r *Result) Document() ([]byte, error) {
	var b bytes.Buffer
	err := config.WriteSeed(&b, r.Seed, true)
	return b.Bytes(), err
}

// clip bounds what is quoted from a file.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
