package sse

import "io"

type arrayPhase uint8

const (
	beforeArray  arrayPhase = iota // nothing but white space so far
	beforeFirst                    // after the opening bracket
	afterElement                   // a comma or the closing bracket follows
	beforeNext                     // after a comma
	inElement
	afterArray
)

// ArrayScanner reads a stream that is one JSON array of objects, each of them
// an event. It finds where the elements end; it does not validate them.
type ArrayScanner struct {
	window
	limits   Limits
	phase    arrayPhase
	err      error
	scan     int // everything before has been looked at; counts from the window's start
	element  int // where the current element begins
	depth    int
	inString bool
	escaped  bool
}

var _ Reader = (*ArrayScanner)(nil)

// NewArrayScanner returns a reader of a JSON array.
func NewArrayScanner(l Limits) *ArrayScanner { return &ArrayScanner{limits: l.withDefaults()} }

// Reset implements Reader.
func (s *ArrayScanner) Reset() {
	*s = ArrayScanner{window: s.window, limits: s.limits}
	s.reset()
}

// Next implements Reader.
func (s *ArrayScanner) Next() (Event, bool, error) {
	if s.err != nil {
		return Event{}, false, s.err
	}
	b := s.buf[s.r:s.w]
	for s.scan < len(b) {
		if s.phase == inElement {
			if !s.skim(b) {
				break
			}
			s.phase = afterElement
			return s.take(b, Event{Data: b[s.element:s.scan:s.scan]})
		}
		c := b[s.scan]
		s.scan++
		if c == ' ' || c == '\n' || c == '\r' || c == '\t' {
			continue
		}
		if end := s.step(c); end {
			return s.take(b, Event{End: true})
		}
		if s.err != nil {
			return Event{}, false, s.err
		}
	}
	if len(b) > s.limits.Event {
		s.err = &LimitError{What: "event", Max: s.limits.Event}
	}
	return Event{}, false, s.err
}

// step takes a byte between the elements; it reports the end of the array.
func (s *ArrayScanner) step(c byte) (end bool) {
	switch {
	case s.phase == beforeArray && c == '[':
		s.phase = beforeFirst
	case (s.phase == beforeFirst || s.phase == beforeNext) && c == '{':
		s.phase, s.element, s.depth = inElement, s.scan-1, 1
	case s.phase == afterElement && c == ',':
		s.phase = beforeNext
	case (s.phase == beforeFirst || s.phase == afterElement) && c == ']':
		s.phase = afterArray
		return true
	default:
		s.err = &SyntaxError{Why: "it is not a JSON array of objects"}
	}
	return false
}

// skim moves on to the end of the current element; it reports whether that
// was reached.
func (s *ArrayScanner) skim(b []byte) bool {
	for s.scan < len(b) {
		if s.inString {
			s.skimString(b)
			continue
		}
		c := b[s.scan]
		s.scan++
		switch c {
		case '"':
			s.inString = true
		case '{', '[':
			s.depth++
		case '}', ']':
			if s.depth--; s.depth == 0 {
				return true
			}
		}
	}
	return false
}

// skimString moves on behind the string's closing quote, or to the end of b.
func (s *ArrayScanner) skimString(b []byte) {
	i := s.scan
	if s.escaped && i < len(b) {
		s.escaped = false
		i++
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' {
		i++
	}
	if i < len(b) {
		s.escaped = b[i] == '\\'
		s.inString = s.escaped
		i++
	}
	s.scan = i
}

func (s *ArrayScanner) take(b []byte, e Event) (Event, bool, error) {
	e.Raw, e.array = b[:s.scan:s.scan], true
	if len(e.Raw) > s.limits.Event {
		s.err = &LimitError{What: "event", Max: s.limits.Event}
		return Event{}, false, s.err
	}
	s.r += s.scan
	s.scan = 0
	return e, true, nil
}

// Finish implements Reader: white space behind the array is the last event.
func (s *ArrayScanner) Finish() (Event, bool, error) {
	if s.err == nil && s.phase != afterArray {
		s.err = io.ErrUnexpectedEOF
	}
	if s.err != nil || s.r == s.w {
		return Event{}, false, s.err
	}
	return s.take(s.buf[s.r:s.w], Event{})
}
