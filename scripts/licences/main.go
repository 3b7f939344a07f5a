// Command licences lists the modules that become part of the program, with
// version and licence, one in a line, in the file that it is given. It reads the
// module cache and no network, and the same go.mod gives the same list.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

func main() {
	if len(os.Args) != 2 {
		fail(errors.New("usage: licences FILE"))
	}
	list, err := licences("tollgate/cmd/tollgate")
	if err == nil {
		err = os.WriteFile(os.Args[1], []byte(list), 0o644)
	}
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "licences:", err)
	os.Exit(1)
}

// module is what go list tells of a package's module.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// licences returns the list for a program.
func licences(program string) (string, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=Module", program)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", err
	}
	modules := map[string]module{}
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p struct{ Module *module }
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return "", err
		}
		if m := p.Module; m != nil && !m.Main {
			modules[m.Path] = *m
		}
	}
	var b strings.Builder
	b.WriteString("# Modules in the program, their versions and licences (SPDX). Made by scripts/licences; run make generate.\n")
	for _, path := range slices.Sorted(maps.Keys(modules)) {
		m := modules[path]
		if m.Replace != nil {
			m.Dir = m.Replace.Dir
		}
		id, err := licenceOf(m.Dir)
		if err != nil {
			return "", fmt.Errorf("%s: %w", path, err)
		}
		fmt.Fprintf(&b, "%s %s %s\n", path, m.Version, id)
	}
	return b.String(), nil
}

// licenceOf reads the licence file in a module's folder.
func licenceOf(dir string) (string, error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, f := range files {
		name := strings.ToUpper(f.Name())
		if f.IsDir() || !strings.HasPrefix(name, "LICEN") && !strings.HasPrefix(name, "COPYING") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			return "", err
		}
		if id := identify(string(text)); id != "" {
			return id, nil
		}
	}
	return "", fmt.Errorf("no licence that is known in %s; teach identify", dir)
}

// identify tells a licence by the sentences that only it has.
func identify(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	for _, l := range []struct{ id, sentence string }{
		{"Apache-2.0", "Apache License Version 2.0"},
		{"MPL-2.0", "Mozilla Public License Version 2.0"},
		{"MPL-2.0", "Mozilla Public License, version 2.0"},
		{"BSD-3-Clause", "may be used to endorse or promote"},
		{"BSD-2-Clause", "Redistributions in binary form must reproduce"},
		{"ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"},
		{"ISC", "Permission to use, copy, modify, and distribute this software for any purpose"},
		{"MIT", "Permission is hereby granted, free of charge"},
		{"Unlicense", "free and unencumbered software released into the public domain"},
		{"CC0-1.0", "CC0 1.0 Universal"},
	} {
		if strings.Contains(text, l.sentence) {
			return l.id
		}
	}
	return ""
}
