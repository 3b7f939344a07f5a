package payload

import "tollgate/internal/wire/jsonscan"

// How bodies are cut, in bytes.
const (
	// minChunk is the least that is kept apart: less costs more than it saves.
	minChunk = 256
	// openAbove is the size above which an element is cut into its own parts, so
	// that a mark in one of them does not make all of it new.
	openAbove = 4 << 10
	// blockSize is the size of the parts of what is no JSON or was cut off.
	blockSize = 64 << 10
	// openDepth is how deep elements are cut.
	openDepth = 6
)

// piece is a part of a body: what may be shared with other bodies, or not.
type piece struct {
	data   []byte
	shared bool
}

// split cuts a body at the elements of its arrays and the large values of its
// objects: the messages of a conversation that grows, its tools and its
// instructions are then the same pieces in every request. The pieces together
// are the body, byte for byte, whatever it is.
func split(body []byte) []piece {
	s := splitter{body: body}
	at := jsonscan.Space(body, 0)
	if at < len(body) && (body[at] == '{' || body[at] == '[') {
		s.open(at, 0)
	}
	s.rest()
	return s.out
}

// splitter cuts a body from its beginning to its end; what is not cut yet
// begins at done.
type splitter struct {
	body   []byte
	done   int
	limits jsonscan.Limits
	out    []piece
}

// open cuts the container that begins at an offset, which depth others are
// around, and returns its end as jsonscan does. Where that fails, what is cut so
// far stays.
func (s *splitter) open(at, depth int) int {
	if s.body[at] == '[' {
		a := s.limits.Array(s.body, at, depth)
		for a.NextItem() && a.Pass(s.value(a.Value.Start, depth+1)) {
			continue
		}
		return a.Stop()
	}
	o := s.limits.Object(s.body, at, depth)
	for o.NextKey() && o.Pass(s.value(o.Value.Start, depth+1)) {
		continue
	}
	return o.Stop()
}

// value cuts out the value at an offset, or its parts, and returns its end.
func (s *splitter) value(at, depth int) int {
	if at >= len(s.body) {
		return s.limits.Skip(s.body, at, depth)
	}
	container := s.body[at] == '{' || s.body[at] == '['
	end := s.limits.Skip(s.body, at, depth)
	list := depth == 1 && s.body[at] == '['
	switch size := end - at; {
	case container && depth < openDepth && (end < 0 || size > openAbove || list):
		return s.open(at, depth)
	case end > 0 && size >= minChunk:
		s.literal(at)
		s.out = append(s.out, piece{s.body[at:end], true})
		s.done = end
	}
	return end
}

// literal ends what is not shared before an offset.
func (s *splitter) literal(to int) {
	if to > s.done {
		s.out = append(s.out, piece{s.body[s.done:to], false})
		s.done = to
	}
}

// rest cuts what could not be read: of a conversation that is cut off at a
// bound, it is the same every time.
func (s *splitter) rest() {
	for len(s.body)-s.done >= minChunk {
		end := min(s.done+blockSize, len(s.body))
		s.out = append(s.out, piece{s.body[s.done:end], true})
		s.done = end
	}
	s.literal(len(s.body))
}
