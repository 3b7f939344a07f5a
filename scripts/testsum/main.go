// Command testsum reads the events of `go test -json` on its standard input,
// prints one line a package as it finishes and the output of what failed, and
// counts what ran:
//
//	go test -json ./... | testsum -strict -tally counts.txt
//
// It exits with 1 when a test or a build failed, when nothing ran, and with
// -strict also when a test was skipped.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

// pulse is how long the output may stay silent before a line says what still runs.
const pulse = 30 * time.Second

func main() {
	strict := flag.Bool("strict", false, "count a skipped test as a failure")
	tally := flag.String("tally", "", "append `passed failed skipped` to this file")
	flag.Parse()
	sum, err := run(os.Stdin, os.Stdout, time.NewTicker(pulse).C)
	if err == nil && *tally != "" {
		err = sum.append(*tally)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testsum:", err)
		os.Exit(1)
	}
	if !sum.good(*strict) {
		os.Exit(1)
	}
}

// run feeds every line of in to a summary and reports to out; a tick makes it
// say which tests are running.
func run(in io.Reader, out io.Writer, tick <-chan time.Time) (*summary, error) {
	lines := make(chan []byte)
	failed := make(chan error, 1)
	go func() {
		defer close(lines)
		r := bufio.NewReaderSize(in, 1<<20)
		for {
			line, err := r.ReadBytes('\n')
			if len(line) > 0 {
				lines <- line
			}
			if err != nil {
				if err != io.EOF {
					failed <- err
				}
				return
			}
		}
	}()
	sum := newSummary(out)
	for {
		select {
		case line, ok := <-lines:
			if !ok {
				sum.close()
				select {
				case err := <-failed:
					return sum, fmt.Errorf("reading events: %w", err)
				default:
					return sum, nil
				}
			}
			sum.line(line)
		case <-tick:
			sum.pulse()
		}
	}
}
