package laws

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"tollgate"
	"tollgate/internal/wire"
)

// Recordings reads what real clients sent (shared/recordings: a JSON file a
// request) as cases without points. Only generate calls are taken. A missing
// folder gives none.
func Recordings(dir string) ([]Case, error) {
	var out []Case
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".json") {
			return err
		}
		c, ok, err := recording(path)
		if ok {
			out = append(out, c)
		}
		return err
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return out, err
}

func recording(path string) (Case, bool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return Case{}, false, err
	}
	var rec struct {
		Method string
		URL    string
		Body   json.RawMessage
	}
	ok := json.Unmarshal(data, &rec) == nil // other recordings have other forms
	if !ok || rec.Method != http.MethodPost || len(rec.Body) == 0 || rec.Body[0] != '{' {
		return Case{}, false, nil
	}
	name := filepath.Base(filepath.Dir(path)) + "/" + strings.TrimSuffix(filepath.Base(path), ".json")
	c := Case{Name: name, Parts: map[string]string{"path": rec.URL, "request": string(rec.Body)}}
	r, err := c.Route()
	if err != nil || r.Operation != tollgate.OpGenerate {
		return Case{}, false, nil //nolint:nilerr // a path that is not served is no generate call
	}
	if _, err := wire.Peek(r, rec.Body); err != nil { // a recording that was cut is no body
		return Case{}, false, nil //nolint:nilerr // it is left out
	}
	c.Dialect = r.Dialect
	return c, true, nil
}
