package conversation_test

import (
	"strconv"
	"strings"
	"testing"

	"tollgate/internal/conversation"
)

// room is a budget that a test reads.
type room struct{ used, limit int64 }

func (r *room) Take(n int64) bool {
	if r.used+n > r.limit {
		return false
	}
	r.used += n
	return true
}

func (r *room) Give(n int64) { r.used -= n }

func said(m *conversation.Memory, id string) string {
	items, _, ok := m.History(id)
	if !ok {
		return "unknown"
	}
	var out []string
	for _, it := range items {
		out = append(out, string(it))
	}
	return strings.Join(out, " ")
}

func TestMemoryGoesOnFromAnyOfTheLatestTurns(t *testing.T) {
	r := &room{limit: 1000}
	m := conversation.NewMemory(r, 1000)
	m.Remember("a", "", raws("1"), raws("2"), false)
	m.Remember("b", "a", raws("3"), raws("4"), false)
	m.Remember("fork", "a", raws("5"), nil, false)
	for id, want := range map[string]string{"a": "1 2", "b": "1 2 3 4", "fork": "1 2 5", "c": "unknown", "": "unknown"} {
		if got := said(m, id); got != want {
			t.Errorf("%s: %s, want %s", id, got, want)
		}
	}
	m.Forget("a")
	if said(m, "a") != "unknown" || m.Holds("a") || said(m, "b") != "1 2 3 4" {
		t.Errorf("after a was forgotten: a %s, b %s", said(m, "a"), said(m, "b"))
	}
	m.Remember("b", "b", raws("6"), nil, false) // a vendor that repeats ids
	if got := said(m, "b"); got != "1 2 3 4 6" {
		t.Errorf("a repeated id: %s", got)
	}
	m.Close()
	if r.used != 0 {
		t.Errorf("%d bytes are still taken after the end", r.used)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	r := &room{limit: 100}
	m := conversation.NewMemory(r, 20)
	for i := range 100 {
		m.Remember(strconv.Itoa(i), "", raws("12345"), nil, false)
	}
	if r.used > 80 || m.Holds("0") || !m.Holds("99") {
		t.Errorf("%d bytes are held, the first %t, the last %t", r.used, m.Holds("0"), m.Holds("99"))
	}
	m.Remember("long", "", raws(strings.Repeat("x", 21)), nil, false)
	if m.Holds("long") {
		t.Error("a conversation over the bound is kept")
	}
	m.Remember("1", "", raws("1234567890"), nil, false)
	m.Remember("2", "1", raws("1234567890"), nil, false)
	m.Remember("3", "2", raws("1"), nil, false)
	if m.Holds("3") {
		t.Error("a conversation that grew over the bound is kept")
	}
	r.limit = r.used
	m.Remember("none", "", raws("1"), nil, false)
	if m.Holds("none") {
		t.Error("a turn is kept without room")
	}
	m.Close()
	if r.used != 0 {
		t.Errorf("%d bytes are still taken after the end", r.used)
	}
}
