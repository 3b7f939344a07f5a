// Package about knows what the program is made of: the modules that are part of
// it, and their licences.
package about

import (
	_ "embed"
	"strings"
)

//go:generate go run ../../scripts/licences licences.txt

//go:embed licences.txt
var licences string

// Module is a module that is part of the program.
type Module struct {
	Path    string `json:"path"`
	Version string `json:"version"`
	Licence string `json:"licence" doc:"SPDX identifier."`
}

// Modules returns the modules of the program, by path.
func Modules() []Module {
	var out []Module
	for line := range strings.Lines(licences) {
		if words := strings.Fields(line); len(words) == 3 && words[0] != "#" {
			out = append(out, Module{words[0], words[1], words[2]})
		}
	}
	return out
}
