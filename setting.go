package tollgate

import "encoding/json"

// Setting is an instance setting that has no TOML key.
type Setting struct {
	Name  string
	Value json.RawMessage
}
