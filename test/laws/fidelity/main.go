// Command fidelity writes the page that says what translation carries between
// the dialects, by translating every case of the corpus:
//
//	go run ./test/laws/fidelity test/corpus docs/fidelity.md
package main

import (
	"fmt"
	"os"

	"tollgate/test/laws"
)

//go:generate go run . ../../corpus ../../../docs/fidelity.md

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: fidelity CORPUS PAGE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "fidelity:", err)
		os.Exit(1)
	}
}

func run(corpus, file string) error {
	text, err := generate(corpus)
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

func generate(corpus string) ([]byte, error) {
	cases, err := laws.Load(corpus)
	if err != nil {
		return nil, err
	}
	f, err := laws.Measure(cases)
	if err != nil {
		return nil, err
	}
	return page(f), nil
}
