// Command tollgate is the gateway and its tools: it serves (the default), and
// its other commands work on the same installation, through the running server
// or on its database.
package main

import (
	"context"
	"errors"
	"os"
	"strings"
	_ "time/tzdata" // [ledger] timezone works on systems without a database of zones

	"github.com/alecthomas/kong"
)

// The exit codes.
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

func main() {
	stop := startProfile()
	code := run(context.Background(), os.Args[1:], &session{
		environ: os.Environ(), stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
	})
	stop()
	os.Exit(code)
}

// run carries out one command line and returns the exit code.
func run(ctx context.Context, args []string, s *session) int {
	var c cli
	exit := -1
	parser, err := kong.New(&c, append(options(), kong.Writers(s.stdout, s.stderr), kong.Exit(func(code int) { exit = code }))...)
	if err != nil {
		s.fail(err)
		return exitFailure
	}
	command, err := parser.Parse(args)
	if exit >= 0 { // --help or --version has answered
		return exit
	}
	if err != nil {
		s.fail(err)
		s.notef("tollgate: `tollgate --help` lists commands and flags\n")
		return exitUsage
	}
	s.flags, s.demo = c.Flags, c.Demo
	command.BindTo(ctx, (*context.Context)(nil))
	if err := command.Run(s); err != nil {
		if !errors.Is(err, errSilent) {
			s.fail(err)
		}
		return exitFailure
	}
	return exitOK
}

// errSilent ends a command that has said already what is wrong.
var errSilent = errors.New("failed")

// fail prints an error; each further line is indented.
func (s *session) fail(err error) {
	s.notef("tollgate: %s\n", strings.ReplaceAll(strings.TrimSpace(explain(err)), "\n", "\n  "))
}
