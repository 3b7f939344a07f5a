package config

import (
	"fmt"
	"strings"
)

// Place is where a value came from: a file with line and column (counted
// from 1), a variable, a flag. The zero value is nowhere in particular.
type Place struct {
	Source       string // file name, variable name, or --flag
	Line, Column int    // 0 = the source as a whole
}

// String returns "file:line:column", or the name of the variable or flag.
func (p Place) String() string {
	if p.Line == 0 {
		return p.Source
	}
	return fmt.Sprintf("%s:%d:%d", p.Source, p.Line, p.Column)
}

// Problem is one thing that is wrong with the configuration, or, as a
// warning, worth knowing. Message never holds a secret.
type Problem struct {
	Place   Place
	Message string
}

// String returns "place: message".
func (p Problem) String() string {
	if p.Place.Source == "" {
		return p.Message
	}
	return p.Place.String() + ": " + p.Message
}

// Problems is everything that is wrong at once. As an error it has one line
// for each problem.
type Problems []Problem

// Error returns one line for each problem.
func (ps Problems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// Err returns ps as an error, or nil if there is no problem.
func (ps Problems) Err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

// addf adds a problem to a list.
func addf(ps *Problems, at Place, format string, args ...any) {
	*ps = append(*ps, Problem{Place: at, Message: fmt.Sprintf(format, args...)})
}
