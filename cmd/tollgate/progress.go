package main

import (
	"fmt"
	"strings"

	"tollgate/internal/ops"
)

// progress shows how far a long operation is: a bar that redraws itself on a
// terminal, a line for each tenth elsewhere.
type progress struct {
	s     *session
	live  bool
	last  int64
	drawn bool
}

func (s *session) progress() *progress { return &progress{s: s, live: terminal(s.stderr), last: -1} }

// report is an ops.Report.
func (p *progress) report(at ops.Progress) {
	if at.Total <= 0 {
		return
	}
	percent := min(at.Done*100/at.Total, 100)
	if p.live {
		if percent != p.last || at.What != "" {
			filled := int(percent) * 30 / 100
			p.s.notef("\r\x1b[K  [%s%s] %3d %%  %s", strings.Repeat("=", filled), strings.Repeat(" ", 30-filled), percent, at.What)
			p.drawn = true
		}
	} else if step := percent / 10; p.last < 0 || step != p.last/10 {
		p.s.notef("  %3d %%  %s\n", percent, at.What)
	}
	p.last = percent
}

// end finishes the bar's line.
func (p *progress) end() {
	if p.drawn {
		p.s.notef("\n")
	}
}

// table prints rows in columns.
func (s *session) table(header []string, rows [][]string) {
	width := make([]int, len(header))
	for _, row := range append([][]string{header}, rows...) {
		for i, cell := range row {
			width[i] = max(width[i], len([]rune(cell)))
		}
	}
	for _, row := range append([][]string{header}, rows...) {
		var b strings.Builder
		for i, cell := range row {
			if i == len(row)-1 {
				b.WriteString(cell)
				break
			}
			fmt.Fprintf(&b, "%s%s", cell, strings.Repeat(" ", width[i]-len([]rune(cell))+2))
		}
		s.printf("%s\n", strings.TrimRight(b.String(), " "))
	}
}
