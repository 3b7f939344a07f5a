package direct

import (
	"math"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Stmt is a statement that returns no rows. Parameters count from 1 and keep
// their values from one Exec to the next; bind all of them before each. One that
// has the value already costs nothing: rows that follow each other have much in
// common.
type Stmt struct {
	c     *Conn
	stmt  uintptr
	bound []bound // by parameter
	err   error   // the first that a binding met
}

// bound is what a parameter has.
type bound struct {
	kind boundKind
	n    int64
	text string // kept by Conn.texts
}

type boundKind uint8

const (
	boundUnknown boundKind = iota
	boundInt
	boundText
)

// param returns what a parameter has.
func (s *Stmt) param(n int) *bound {
	for len(s.bound) < n {
		s.bound = append(s.bound, bound{})
	}
	return &s.bound[n-1]
}

// Int binds a number.
func (s *Stmt) Int(param int, v int64) {
	b := s.param(param)
	if b.kind == boundInt && b.n == v {
		return
	}
	*b = bound{kind: boundInt, n: v}
	s.note(sqlite3.Xsqlite3_bind_int64(s.c.tls, s.stmt, small(param), v))
}

// Text binds a text.
func (s *Stmt) Text(param int, v string) {
	b := s.param(param)
	if b.kind == boundText && b.text == v {
		return
	}
	*b = bound{}
	if p := s.c.texts.keep(v); p != 0 {
		*b = bound{kind: boundText, text: v}
		const static = 0 // the library need not copy
		s.note(sqlite3.Xsqlite3_bind_text(s.c.tls, s.stmt, small(param), p, small(len(v)), static))
		return
	}
	p, err := libc.CString(v)
	if err != nil {
		s.note(sqlite3.SQLITE_NOMEM)
		return
	}
	s.note(sqlite3.Xsqlite3_bind_text(s.c.tls, s.stmt, small(param), p, small(len(v)), transient))
	libc.Xfree(s.c.tls, p)
}

// transient is SQLITE_TRANSIENT, -1: the library copies.
const transient = ^uintptr(0)

// small is a number of a parameter, or the length of a text that fits in memory
// twice: beyond SQLite's own limit of 1e9 the call says so.
func small(n int) int32 { return int32(min(n, math.MaxInt32)) } //nolint:gosec // it is bounded here

// note remembers what a binding met.
func (s *Stmt) note(rc int32) {
	if rc != sqlite3.SQLITE_OK && s.err == nil {
		s.err = s.c.check(rc)
		clear(s.bound)
	}
}

// Exec runs the statement and returns how many rows it inserted, changed or
// removed; for other statements the number says nothing.
func (s *Stmt) Exec() (changed int64, err error) {
	if err := s.err; err != nil {
		s.err = nil
		return 0, err
	}
	rc := sqlite3.Xsqlite3_step(s.c.tls, s.stmt)
	if rc == sqlite3.SQLITE_DONE || rc == sqlite3.SQLITE_ROW {
		changed, rc = int64(sqlite3.Xsqlite3_changes(s.c.tls, s.c.db)), sqlite3.SQLITE_OK
	}
	err = s.c.check(rc)
	sqlite3.Xsqlite3_reset(s.c.tls, s.stmt) // returns the error of the step again
	return changed, err
}

// Bounds of texts that are kept.
const (
	maxTexts    = 4096
	maxTextSize = 128 // bytes
)

// texts are copies in the library's memory of short texts that were bound, as
// names of models, which come back in row after row.
type texts struct {
	tls  *libc.TLS
	kept map[string]uintptr
}

// keep returns the copy of v, or 0 when v is too long to be kept.
func (t *texts) keep(v string) uintptr {
	if p, ok := t.kept[v]; ok {
		return p
	}
	if len(v) > maxTextSize || len(t.kept) >= maxTexts {
		return 0
	}
	p, err := libc.CString(v)
	if err != nil {
		return 0
	}
	t.kept[v] = p
	return p
}

// forget frees the copies.
func (t *texts) forget() {
	for _, p := range t.kept {
		libc.Xfree(t.tls, p)
	}
	clear(t.kept)
}
