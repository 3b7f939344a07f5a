// Package direct speaks to the SQLite library itself, for the one place where
// database/sql and its driver cost more than the database: rows that are
// written by the thousand. A connection belongs to one goroutine at a time,
// which is why the library takes no locks for it, and its statements only
// write. Facts about the calls: sqlite.org/c3ref.
package direct

import (
	"fmt"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// Error is what the library refused with.
type Error struct {
	code int
	text string
}

// Error is the library's description of the code and its message.
func (e *Error) Error() string { return fmt.Sprintf("%s (%d)", e.text, e.code) }

// Code is the extended result code, as SQLITE_CONSTRAINT_UNIQUE.
func (e *Error) Code() int { return e.code }

// Conn is a connection.
type Conn struct {
	tls   *libc.TLS
	db    uintptr
	out   uintptr // where the library puts a pointer
	texts texts
	stmts []*Stmt
}

// Open opens the existing database file at path for reading and writing and
// runs the setup, SQL such as PRAGMA statements.
func Open(path, setup string) (_ *Conn, err error) {
	c := &Conn{tls: libc.NewTLS()}
	c.texts = texts{tls: c.tls, kept: map[string]uintptr{}}
	defer func() {
		if err != nil {
			_ = c.Close() // err tells why
		}
	}()
	if c.out = libc.Xcalloc(c.tls, 1, pointerSize); c.out == 0 {
		return nil, &Error{sqlite3.SQLITE_NOMEM, "out of memory"}
	}
	err = c.with(path, func(name uintptr) int32 {
		const flags = sqlite3.SQLITE_OPEN_READWRITE | sqlite3.SQLITE_OPEN_NOMUTEX | sqlite3.SQLITE_OPEN_EXRESCODE
		rc := sqlite3.Xsqlite3_open_v2(c.tls, name, c.out, flags, 0)
		c.db = libc.AtomicLoadNUintptr(c.out, 0) // also set when it fails, for its message
		return rc
	})
	if err != nil {
		return nil, err
	}
	return c, c.with(setup, func(sql uintptr) int32 { return sqlite3.Xsqlite3_exec(c.tls, c.db, sql, 0, 0, 0) })
}

// pointerSize is room for a pointer on every platform.
const pointerSize = 8

// Prepare compiles a statement, which stays until the connection is closed.
func (c *Conn) Prepare(query string) (*Stmt, error) {
	s := &Stmt{c: c}
	err := c.with(query, func(sql uintptr) int32 {
		rc := sqlite3.Xsqlite3_prepare_v3(c.tls, c.db, sql, -1, sqlite3.SQLITE_PREPARE_PERSISTENT, c.out, 0)
		s.stmt = libc.AtomicLoadNUintptr(c.out, 0)
		return rc
	})
	if err != nil {
		return nil, err
	}
	c.stmts = append(c.stmts, s)
	return s, nil
}

// Tidy is to be called now and then, before the parameters of a statement are
// bound: it bounds the memory for what was bound before.
func (c *Conn) Tidy() {
	if len(c.texts.kept) >= maxTexts {
		c.texts.forget()
		for _, s := range c.stmts { // what they are bound to is gone
			clear(s.bound)
		}
	}
}

// Close ends the statements and the connection.
func (c *Conn) Close() error {
	for _, s := range c.stmts {
		sqlite3.Xsqlite3_finalize(c.tls, s.stmt) // repeats the error of the last Exec, which was told
	}
	c.stmts = nil
	err := c.check(sqlite3.Xsqlite3_close_v2(c.tls, c.db))
	c.texts.forget()
	libc.Xfree(c.tls, c.out)
	c.tls.Close()
	return err
}

// with calls the library with a text that it only reads.
func (c *Conn) with(text string, call func(text uintptr) int32) error {
	p, err := libc.CString(text)
	if err != nil {
		return &Error{sqlite3.SQLITE_NOMEM, "out of memory"}
	}
	defer libc.Xfree(c.tls, p)
	return c.check(call(p))
}

func (c *Conn) check(rc int32) error {
	if rc == sqlite3.SQLITE_OK {
		return nil
	}
	text := libc.GoString(sqlite3.Xsqlite3_errstr(c.tls, rc))
	if c.db != 0 && sqlite3.Xsqlite3_errcode(c.tls, c.db)&0xff == rc&0xff {
		text += ": " + libc.GoString(sqlite3.Xsqlite3_errmsg(c.tls, c.db))
	}
	return &Error{int(rc), text}
}
