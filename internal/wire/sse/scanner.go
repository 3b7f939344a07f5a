package sse

import (
	"bytes"
	"slices"
)

// span is a range relative to the start of the current event; end 0 = none.
type span struct{ start, end int }

func (s span) of(b []byte) []byte {
	if s.end == 0 {
		return nil
	}
	return b[s.start:s.end:s.end]
}

// Scanner reads text/event-stream as the HTML standard describes it: lines end
// with LF, CRLF or CR, a leading byte order mark is skipped, lines that begin
// with a colon are comments.
type Scanner struct {
	window
	limits Limits
	begun  bool // past the place of a byte order mark
	empty  int
	err    error

	// The event being read; offsets count from its first byte.
	line      int // where the current line begins
	scan      int // everything before has been searched for line ends
	lf        int // the next line feed; one before scan is stale
	lfChecked int // everything before has been searched for line feeds
	name, id  span
	data      span
	lines     int // data lines so far
	irregular bool

	// joined holds the data of events with several data lines; that of the
	// current event begins at joinAt.
	joined []byte
	joinAt int
}

var _ Reader = (*Scanner)(nil)

// NewScanner returns a reader of text/event-stream.
func NewScanner(l Limits) *Scanner { return &Scanner{limits: l.withDefaults(), lf: -1} }

// Buffer implements Reader.
func (s *Scanner) Buffer() []byte {
	s.joined = append(s.joined[:0], s.joined[s.joinAt:]...)
	s.joinAt = 0
	return s.window.Buffer()
}

// Reset implements Reader.
func (s *Scanner) Reset() {
	*s = Scanner{window: s.window, limits: s.limits, joined: s.joined[:0], lf: -1}
	s.reset()
}

// Next implements Reader.
func (s *Scanner) Next() (Event, bool, error) {
	if s.err != nil {
		return Event{}, false, s.err
	}
	b := s.buf[s.r:s.w]
	if !s.begun && !s.begin(b) {
		return Event{}, false, nil
	}
	for {
		end, next := s.lineEnd(b)
		if end < 0 {
			s.err = s.check(len(b)-s.line, len(b))
			return Event{}, false, s.err
		}
		if s.err = s.check(end-s.line, next); s.err != nil {
			return Event{}, false, s.err
		}
		if end == s.line {
			return s.take(b[:next:next])
		}
		s.field(b, s.line, end)
		s.line, s.scan = next, next
	}
}

// begin steps over a byte order mark; false = not enough bytes to tell.
func (s *Scanner) begin(b []byte) bool {
	const bom = "\xef\xbb\xbf"
	if len(b) < len(bom) && bytes.HasPrefix([]byte(bom), b) {
		return false
	}
	if bytes.HasPrefix(b, []byte(bom)) {
		s.line, s.scan, s.irregular = len(bom), len(bom), true
	}
	s.begun = true
	return true
}

// lineEnd finds the end of the current line: where its text ends and where
// the next line begins. Both are -1 when the line is not complete. A carriage
// return at the very end waits for the byte after it, so that the result does
// not depend on how the input was cut.
func (s *Scanner) lineEnd(b []byte) (end, next int) {
	if s.lf < s.scan {
		from := max(s.scan, s.lfChecked)
		if i := bytes.IndexByte(b[from:], '\n'); i >= 0 {
			s.lf = from + i
			s.lfChecked = s.lf + 1
		} else {
			s.lfChecked = len(b)
		}
	}
	upTo := len(b)
	if s.lf >= s.scan {
		upTo = s.lf
	}
	cr := bytes.IndexByte(b[s.scan:upTo], '\r')
	switch {
	case cr < 0 && upTo == len(b):
		s.scan = len(b)
		return -1, -1
	case cr < 0:
		return upTo, upTo + 1
	}
	cr += s.scan
	switch {
	case cr+1 == len(b):
		s.scan = cr
		return -1, -1
	case b[cr+1] == '\n':
		return cr, cr + 2
	default:
		s.irregular = true
		return cr, cr + 1
	}
}

func (s *Scanner) check(line, event int) error {
	switch {
	case line > s.limits.Line:
		return &LimitError{What: "line", Max: s.limits.Line}
	case event > s.limits.Event:
		return &LimitError{What: "event", Max: s.limits.Event}
	default:
		return nil
	}
}

// field takes the line b[start:end], which is not blank.
func (s *Scanner) field(b []byte, start, end int) {
	colon := bytes.IndexByte(b[start:end], ':')
	if colon == 0 {
		return // a comment
	}
	value := span{end, end}
	if colon > 0 {
		value.start = start + colon + 1
		if value.start < end && b[value.start] == ' ' {
			value.start++
		}
	} else {
		colon = end - start
	}
	switch string(b[start : start+colon]) {
	case "data":
		s.addData(b, value)
	case "event":
		s.name = value
	case "id":
		if bytes.IndexByte(value.of(b), 0) < 0 {
			s.id = value
		}
	}
}

func (s *Scanner) addData(b []byte, value span) {
	s.lines++
	switch s.lines {
	case 1:
		s.data = value
		return
	case 2:
		s.joined = append(s.joined, s.data.of(b)...)
	}
	s.joined = append(append(s.joined, '\n'), value.of(b)...)
}

// take ends the current event, whose bytes are raw, and clears the way for
// the next.
func (s *Scanner) take(raw []byte) (Event, bool, error) {
	e := Event{Raw: raw, Name: s.name.of(raw), Data: s.data.of(raw), ID: s.id.of(raw), Irregular: s.irregular}
	if s.lines > 1 {
		e.Data = s.joined[s.joinAt:len(s.joined):len(s.joined)]
		s.joinAt = len(s.joined)
	}
	if e.Data == nil {
		if s.empty++; s.empty > s.limits.Empty {
			s.err = &LimitError{What: "empty events", Max: s.limits.Empty}
			return Event{}, false, s.err
		}
	}
	s.r += len(raw)
	s.lf -= len(raw)
	s.lfChecked -= len(raw)
	s.line, s.scan, s.lines = 0, 0, 0
	s.name, s.id, s.data, s.irregular = span{}, span{}, span{}, false
	return e, true, nil
}

// Finish implements Reader: an event without its blank line is returned with
// Partial set.
func (s *Scanner) Finish() (Event, bool, error) {
	if s.err != nil || s.r == s.w {
		return Event{}, false, s.err
	}
	s.begun = true
	b := s.buf[s.r:s.w]
	end := len(b)
	if end > s.line && b[end-1] == '\r' {
		end--
	}
	if end > s.line {
		s.field(b, s.line, end)
	}
	e, ok, err := s.take(slices.Clip(b))
	e.Partial = true
	return e, ok, err
}
