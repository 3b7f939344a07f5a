package openai

import "tollgate/internal/ir"

// chatLog takes losses: ir.Losses for what is translated at once, chatOnce for
// streams.
type chatLog interface {
	Lose(path, why string)
	Note(path, why string)
	Extras(at string, extras []ir.Extra, dialect string)
}

// chatOnce takes each path once, and no more than chatMaxLosses of them, so
// that a stream stays bounded. The zero value is ready.
type chatOnce struct {
	list ir.Losses
	seen map[string]bool
}

var (
	_ chatLog = (*ir.Losses)(nil)
	_ chatLog = (*chatOnce)(nil)
)

// chatMaxLosses bounds the losses of one stream.
const chatMaxLosses = 256

func (l *chatOnce) first(path string) bool {
	if l.seen == nil {
		l.seen = map[string]bool{}
	}
	if l.seen[path] || len(l.seen) >= chatMaxLosses {
		return false
	}
	l.seen[path] = true
	return true
}

// Lose implements chatLog.
func (l *chatOnce) Lose(path, why string) {
	if l.first(path) {
		l.list.Lose(path, why)
	}
}

// Note implements chatLog.
func (l *chatOnce) Note(path, why string) {
	if l.first(path) {
		l.list.Note(path, why)
	}
}

// Extras implements chatLog.
func (l *chatOnce) Extras(at string, extras []ir.Extra, dialect string) {
	var found ir.Losses
	found.Extras(at, extras, dialect)
	for _, x := range found.List() {
		l.Lose(x.Path, x.Why)
	}
}

// List is what was taken.
func (l *chatOnce) List() []ir.Loss { return l.list.List() }
