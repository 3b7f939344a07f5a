package openai

import (
	"bytes"

	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// lead remembers how the usual chunk of a stream begins and ends: nearly all
// of them differ in the delta alone. A chunk with the same bytes up to its
// delta needs no search there again, which is most of the work.
type lead struct {
	prefix []byte // everything before the delta's value
	suffix []byte // everything after it, of the last chunk
	// model is the place of the model's name in the prefix, when it is to be
	// replaced.
	model jsonscan.Span
}

// maxLead bounds what is remembered, in bytes.
const maxLead = 1024

// learn remembers a chunk that was found to carry neither usage nor an error.
func (l *lead) learn(data []byte, rename bool) {
	at := valueAfter(data, "delta")
	if at < 0 || at > maxLead || data[at] != '{' {
		return
	}
	_, end := deltaLength(data, at)
	if end == 0 || len(data)-end > maxLead {
		return
	}
	l.model = jsonscan.Span{}
	if rename {
		model, ok := wire.AnswerLimits().Path(data, "model")
		if !ok || model.End > at || data[model.Start] != '"' {
			return
		}
		l.model = model
	}
	l.prefix = append(l.prefix[:0], data[:at]...)
	l.suffix = append(l.suffix[:0], data[end:]...)
}

// match reports whether data is a usual chunk, and how much its delta
// generates.
func (l *lead) match(data []byte) (int64, bool) {
	at := len(l.prefix)
	if at == 0 || len(data) <= at || string(data[:at]) != string(l.prefix) {
		return 0, false
	}
	n, end := deltaLength(data, at)
	if end == 0 {
		return 0, false
	}
	if rest := data[end:]; !bytes.Equal(rest, l.suffix) {
		if len(rest) > maxLead || valueAfter(rest, "usage") >= 0 || valueAfter(rest, "error") >= 0 {
			return 0, false
		}
		l.suffix = append(l.suffix[:0], rest...)
	}
	return n, true
}
