package conversation

import (
	"encoding/json"
	"slices"
)

// memoryTurns is how many of the latest answers a connection goes on from.
const memoryTurns = 16

// Room lends bytes of memory to those who keep things in it.
type Room interface {
	// Take reserves n bytes and reports whether they were free.
	Take(n int64) bool
	// Give returns n bytes.
	Give(n int64)
}

// Memory keeps the latest turns of one connection, whether or not they are
// stored. It is used by one goroutine.
type Memory struct {
	room   Room
	limit  int64 // bytes of one conversation
	turns  map[string]*node
	latest []string // the oldest first
}

// node is a turn in memory: what it added, behind what came before.
type node struct {
	parent *node             // nil = items say everything
	items  []json.RawMessage // input, then output
	stored bool              // a Keeper has it as well
	own    int64             // bytes of items
	total  int64             // bytes of the conversation
	refs   int               // by the memory itself and by turns that go on from it
}

// NewMemory returns an empty memory for conversations of at most limit bytes.
func NewMemory(room Room, limit int64) *Memory {
	return &Memory{room: room, limit: limit, turns: map[string]*node{}}
}

// Remember keeps a turn: the items of its request and of its answer. previous
// is the response it went on from if that is in this memory, else input must
// say everything. stored says that a Keeper has the turn as well. Where there is
// no room the turn is not kept, and nothing tells its id from one that never was.
func (m *Memory) Remember(id, previous string, input, output []json.RawMessage, stored bool) {
	n := &node{parent: m.turns[previous], items: slices.Concat(input, output), stored: stored, refs: 1}
	for _, it := range n.items {
		n.own += int64(len(it))
	}
	if n.total = n.own; n.parent != nil {
		n.total += n.parent.total
	}
	if n.total > m.limit || !m.room.Take(n.own) {
		return
	}
	if n.parent != nil {
		n.parent.refs++
	}
	m.Forget(id)
	m.turns[id] = n
	if m.latest = append(m.latest, id); len(m.latest) > memoryTurns {
		m.Forget(m.latest[0])
	}
}

// Holds reports whether id can be gone on from.
func (m *Memory) Holds(id string) bool { return m.turns[id] != nil }

// History returns the items up to and including the response id, oldest first,
// whether a Keeper has that as well, and whether it is in this memory.
func (m *Memory) History(id string) (items []json.RawMessage, stored, ok bool) {
	n := m.turns[id]
	if n == nil {
		return nil, false, false
	}
	stored = n.stored
	var parts [][]json.RawMessage
	for ; n != nil; n = n.parent {
		parts = append(parts, n.items)
	}
	slices.Reverse(parts)
	return slices.Concat(parts...), stored, true
}

// Forget makes id unknown. Turns that went on from it stay whole.
func (m *Memory) Forget(id string) {
	n := m.turns[id]
	if n == nil {
		return
	}
	delete(m.turns, id)
	m.latest = slices.DeleteFunc(m.latest, func(s string) bool { return s == id })
	for ; n != nil; n = n.parent {
		if n.refs--; n.refs > 0 {
			return
		}
		m.room.Give(n.own)
	}
}

// Close forgets everything.
func (m *Memory) Close() {
	for len(m.latest) > 0 {
		m.Forget(m.latest[0])
	}
}
