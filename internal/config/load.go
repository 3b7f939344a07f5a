package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tollgate"
)

// defaultFile is read when no other file is named, if it is there.
const defaultFile = "tollgate.toml"

// maxSecretBytes bounds a file that holds a single value.
const maxSecretBytes = 64 << 10

// Sources is everything that Load reads besides the files that they name.
type Sources struct {
	// Flags are the command line's values.
	Flags Flags
	// Environ is the environment as os.Environ gives it.
	Environ []string
	// Demo is the --demo flag of serve.
	Demo bool
}

// Load reads flags, environment and file, checks them as a whole, and returns
// the settings. Its error is Problems: everything that is wrong. It reads
// files and changes nothing; a reload is a second call with the same Sources.
func Load(src Sources) (Config, error) {
	l := loader{env: environ(src.Environ), flags: src.Flags.values()}
	c := defaults()
	c.Demo = src.Demo
	c.ConfigPath = l.configPath()
	doc := l.file(c.ConfigPath)
	l.settings(&c, doc.settings())
	l.note(doc)
	c.Origins = l.origin
	l.access = doc.Server.AccessKey.at
	doc.apply(&c, &l.problems)
	c.Seed = doc.Seed
	finishSeed(&c.Seed, l.gproxy, &l.problems)
	l.derive(&c)
	l.cross(&c)
	l.misspelt()
	c.Warnings = append(l.warnings, c.Seed.Notes...)
	sortProblems(c.Warnings)
	sortProblems(l.problems)
	return c, l.problems.Err()
}

// ParseSeed reads the seed sections of a document that does not come from the
// gateway's own disk: env: and file: values are refused. Process settings in
// it are checked for form and otherwise ignored. Its error is Problems.
func ParseSeed(name string, data []byte) (Seed, error) {
	return parseSeed(name, data, nil)
}

// Document is a file that an operator at the host brings: its text, and the
// values of its env: and file: references, resolved where the operator is.
type Document struct {
	Name       string            `json:"name"`
	Text       []byte            `json:"text"`
	References map[string]string `json:"references,omitempty"`
}

// NewDocument takes a file's text and resolves its references with the given
// environment, relative paths from the file's folder. Errors are Problems.
func NewDocument(name string, text []byte, environment []string) (Document, error) {
	l := loader{env: environ(environment)}
	d := Document{Name: name, Text: text, References: map[string]string{}}
	_, err := parseSeed(name, text, func(ref string) (string, error) {
		value, err := l.reference(filepath.Dir(name), ref)
		if err == nil {
			d.References[ref] = value
		}
		return value, err
	})
	return d, err
}

// Seed reads the seed sections of the document. Its error is Problems.
func (d Document) Seed() (Seed, error) {
	return parseSeed(d.Name, d.Text, func(ref string) (string, error) {
		value, ok := d.References[ref]
		if !ok {
			return "", errors.New("the reference is not resolved")
		}
		return value, nil
	})
}

// ParseApplied is ParseSeed for a document that shall be applied over the
// network: its process settings are refused instead of ignored (CONTRACT 4).
func ParseApplied(name string, data []byte) (Seed, error) {
	root, problem := parseTree(name, data)
	if problem != nil {
		return Seed{}, Problems{*problem}
	}
	s, err := parseSeed(name, data, nil)
	var problems Problems
	for _, section := range processSections() {
		if at, ok := root.keyAt[section]; ok {
			addf(&problems, at, "[%s] holds process settings, which are read only from the file on the gateway's own disk; take the section out", section)
		}
	}
	if len(problems) == 0 {
		return s, err
	}
	if more, ok := errors.AsType[Problems](err); ok {
		problems = append(problems, more...)
	}
	sortProblems(problems)
	return s, problems
}

// processSections are the sections that are no seed.
func processSections() []string {
	return []string{"server", "global", "upstream", "logging", "ledger", "sso"}
}

func parseSeed(name string, data []byte, resolve func(string) (string, error)) (Seed, error) {
	l := loader{}
	doc := l.parse(name, data, resolve)
	finishSeed(&doc.Seed, l.gproxy, &l.problems)
	doc.Notes = append(l.warnings, doc.Notes...)
	sortProblems(doc.Notes)
	sortProblems(l.problems)
	return doc.Seed, l.problems.Err()
}

// loader collects what Load finds on its way.
type loader struct {
	env      map[string]string
	flags    map[string]given
	problems Problems
	warnings Problems
	gproxy   bool             // the file is a GPROXY file
	origin   map[string]Place // where each setting came from
	access   Place            // access_key in [server]
}

func environ(vars []string) map[string]string {
	out := make(map[string]string, len(vars))
	for _, v := range vars {
		if name, value, ok := strings.Cut(v, "="); ok {
			out[name] = value
		}
	}
	return out
}

func sortProblems(ps Problems) {
	slices.SortStableFunc(ps, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Place.Source, b.Place.Source), cmp.Compare(a.Place.Line, b.Place.Line), cmp.Compare(a.Place.Column, b.Place.Column))
	})
}

// configPath returns the file to read; empty = none.
func (l *loader) configPath() string {
	if g := l.lookup(setting{env: "TOLLGATE_CONFIG", gproxy: true}); g.set {
		return g.text
	}
	if _, err := os.Stat(defaultFile); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return defaultFile
}

// file reads and decodes the TOML file at path.
func (l *loader) file(path string) file {
	if path == "" {
		return file{}
	}
	data, err := readLimited(path, maxFileBytes+1)
	if err != nil {
		addf(&l.problems, Place{Source: path}, "the file cannot be read: %v", reason(err))
		return file{}
	}
	dir := filepath.Dir(path)
	return l.parse(path, data, func(ref string) (string, error) { return l.reference(dir, ref) })
}

func (l *loader) parse(name string, data []byte, resolve func(string) (string, error)) file {
	root, problem := parseTree(name, data)
	if problem != nil {
		l.problems = append(l.problems, *problem)
		return file{}
	}
	l.gproxy = isGPROXY(root)
	var doc file
	d := decoder{resolve: resolve}
	d.document(root, &doc)
	l.problems = append(l.problems, d.problems...)
	l.warnings = append(l.warnings, d.notes...)
	return doc
}

// reference resolves env:NAME and file:PATH; a relative path is relative to
// the file that names it.
func (l *loader) reference(dir, ref string) (string, error) {
	kind, name, _ := strings.Cut(ref, ":")
	if kind == "env" {
		v := l.env[name]
		if v == "" {
			return "", fmt.Errorf("the variable %s is not set", clip(name))
		}
		return v, nil
	}
	if !filepath.IsAbs(name) {
		name = filepath.Join(dir, name)
	}
	return readValue(name)
}

// readValue reads a file that holds one value; the line end behind it is not
// part of the value.
func readValue(path string) (string, error) {
	data, err := readLimited(path, maxSecretBytes+1)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s cannot be read: %w", path, reason(err))
	case len(data) > maxSecretBytes:
		return "", fmt.Errorf("%s is larger than %d KiB", path, maxSecretBytes>>10)
	}
	s := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if s == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return s, nil
}

func readLimited(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	return io.ReadAll(io.LimitReader(f, limit))
}

// reason strips the operation and path from a file error: the message has them.
func reason(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// settings gives every setting its value by the rule flag > environment >
// file > default.
func (l *loader) settings(c *Config, fromFile map[string]given) {
	l.origin = map[string]Place{}
	for _, s := range settings() {
		g := l.lookup(s)
		if !g.set {
			g = fromFile[s.env]
		}
		if !g.set {
			continue
		}
		l.origin[s.env] = g.at
		if err := s.apply(c, g.text); err != nil {
			addf(&l.problems, g.at, "%s", strings.TrimSpace(g.name+" "+message(err)))
		}
	}
}

// message returns the text of an error for the operator, without the field
// names of domain errors.
func message(err error) string {
	if e, ok := errors.AsType[*tollgate.Error](err); ok {
		return e.Message
	}
	return err.Error()
}

// lookup returns what flags, else variables, say about a setting.
func (l *loader) lookup(s setting) given {
	if g := l.pair(s, s.env, l.flags); g.set {
		return g
	}
	ours := l.pair(s, s.env, l.variables(s.env))
	if !s.gproxy {
		return ours
	}
	alias := "GPROXY_" + strings.TrimPrefix(s.env, "TOLLGATE_")
	theirs := l.pair(s, alias, l.variables(alias))
	if ours.set && theirs.set && ours.text != theirs.text {
		addf(&l.problems, theirs.at, "is another name for %s; both are set, and they differ", s.env)
	}
	if !ours.set {
		return theirs
	}
	return ours
}

// variables returns name and its _FILE form as the environment has them. An
// empty variable is as good as none, except for the master key, where it
// would silently choose the key file.
func (l *loader) variables(name string) map[string]given {
	out := map[string]given{}
	for _, n := range []string{name, name + "_FILE"} {
		if v, ok := l.env[n]; ok && (v != "" || name == "DATABASE_SECRET_KEY") {
			out[n] = given{text: v, at: Place{Source: n}, set: true}
		}
	}
	return out
}

// pair chooses between a value and its _FILE form, which it reads.
func (l *loader) pair(s setting, name string, from map[string]given) given {
	direct, viaFile := from[name], from[name+"_FILE"]
	if !s.secret || !viaFile.set {
		return direct
	}
	if direct.set {
		addf(&l.problems, viaFile.at, "give either %s or %s, not both", direct.at, viaFile.at)
		return direct
	}
	v, err := readValue(viaFile.text)
	if err != nil {
		addf(&l.problems, viaFile.at, "%v", err)
		return given{}
	}
	return given{text: v, at: viaFile.at, set: true}
}

// misspelt warns of variables that look like a slip of one of ours.
func (l *loader) misspelt() {
	var known []string
	for _, s := range settings() {
		known = append(known, strings.ToLower(s.env))
		if s.secret {
			known = append(known, strings.ToLower(s.env)+"_file")
		}
	}
	for name := range l.env {
		lower := strings.ToLower(name)
		if !strings.HasPrefix(name, "TOLLGATE_") || slices.Contains(known, lower) {
			continue
		}
		if near, ok := nearest(lower, known); ok {
			addf(&l.warnings, Place{Source: name}, "is not a variable of this program; did you mean %s?", strings.ToUpper(near))
		}
	}
}

// hasScheme reports whether a DSN or URL has the scheme.
func hasScheme(s, scheme string) bool {
	return len(s) > len(scheme) && strings.EqualFold(s[:len(scheme)], scheme) && s[len(scheme)] == ':'
}
