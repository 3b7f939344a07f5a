package demo

import (
	"net/http"
	"slices"
)

// Bounds of what is recorded; older requests make room.
const (
	maxRecorded      = 100_000
	maxRecordedBytes = 256 << 20
)

// Request is a request as the vendor got it.
type Request struct {
	Number int64 // of the dispatch, from 1; ids in the answer carry it
	Method string
	Path   string // as sent, escapes included
	Query  string
	Host   string
	Header http.Header
	Body   []byte
}

// recorder keeps requests, under Vendor.mu.
type recorder struct {
	on    bool
	list  []Request
	bytes int
}

// Record turns recording on or off. What is recorded stays until Reset.
func (v *Vendor) Record(on bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rec.on = on
}

// Requests returns what was recorded, in order of arrival, at most the last
// 100,000 requests and 256 MiB of bodies.
func (v *Vendor) Requests() []Request {
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.rec.list)
}

// Dispatches returns how many requests have arrived since the start, recorded or not.
func (v *Vendor) Dispatches() int64 { return v.count.Load() }

// Reset forgets what was recorded; the numbering goes on.
func (v *Vendor) Reset() {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.rec.list, v.rec.bytes = nil, 0
}

func (v *Vendor) record(x *exchange) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.rec.on {
		return
	}
	v.rec.list = append(v.rec.list, Request{
		Number: x.number, Method: x.r.Method, Path: x.r.URL.EscapedPath(), Query: x.r.URL.RawQuery, Host: x.r.Host,
		Header: x.r.Header.Clone(), Body: x.body,
	})
	v.rec.bytes += len(x.body)
	drop := 0
	for drop < len(v.rec.list)-1 && (len(v.rec.list)-drop > maxRecorded || v.rec.bytes > maxRecordedBytes) {
		v.rec.bytes -= len(v.rec.list[drop].Body)
		drop++
	}
	v.rec.list = slices.Delete(v.rec.list, 0, drop)
}
