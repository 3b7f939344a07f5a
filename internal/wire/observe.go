package wire

import (
	"bytes"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// AnswerLimits bound the answers of providers. They nest deeper than requests
// may, and hold long arrays (one element per token with log probabilities).
func AnswerLimits() jsonscan.Limits { return jsonscan.Limits{Depth: 512} }

// CompleteData reports whether the data of an event that the end of the stream
// cut off is whole all the same: the [DONE] of OpenAI streams, or valid JSON.
func CompleteData(data []byte) bool {
	return IsDone(data) || AnswerLimits().Valid(data) == nil
}

// IsDone recognises the [DONE] that ends OpenAI streams.
func IsDone(data []byte) bool {
	return len(data) >= 6 && data[0] == '[' && string(bytes.TrimSpace(data)) == "[DONE]"
}

// TokenCount reads a count of tokens: at least 0, at most 2^40; anything but a
// number is 0 and false.
func TokenCount(value []byte) (int64, bool) { return jsonscan.Count(value, maxCount) }

// Renamer puts the name that the client sent in place of the upstream's model
// name. The zero value, and one for "", changes nothing.
type Renamer struct {
	quoted []byte
	buf    []byte
}

// NewRenamer returns a Renamer to the given model name.
func NewRenamer(model string) Renamer {
	if model == "" {
		return Renamer{}
	}
	return Renamer{quoted: jsonscan.AppendString(nil, model)}
}

// Active reports whether there is anything to rename.
func (r *Renamer) Active() bool { return r.quoted != nil }

// Rename returns data with the string at the end of path replaced; data itself
// when there is none. The result is valid until the next call.
func (r *Renamer) Rename(data []byte, path ...string) []byte {
	if r.quoted == nil {
		return data
	}
	at, ok := AnswerLimits().Path(data, path...)
	if !ok || data[at.Start] != '"' || bytes.Equal(at.Of(data), r.quoted) {
		return data
	}
	return r.Splice(data, at)
}

// Put returns data with the value at the end of path replaced, whatever it is;
// data itself when there is none. The result is valid until the next call.
func (r *Renamer) Put(data []byte, path ...string) []byte {
	if r.quoted == nil {
		return data
	}
	at, ok := AnswerLimits().Path(data, path...)
	if !ok {
		return data
	}
	return r.Splice(data, at)
}

// Splice returns data with what at covers replaced by the name; data itself
// when at is empty or nothing is to be renamed. The result is valid until the
// next call.
func (r *Renamer) Splice(data []byte, at jsonscan.Span) []byte {
	if r.quoted == nil || at.Empty() {
		return data
	}
	r.buf = append(r.buf[:0], data[:at.Start]...)
	r.buf = append(r.buf, r.quoted...)
	r.buf = append(r.buf, data[at.End:]...)
	return r.buf
}

// NotAnAnswer is the CodeUpstream error of Observer.Body; cause is for the log.
func NotAnAnswer(cause error) error {
	return tollgate.WrapError(tollgate.CodeUpstream, cause, "the provider sent an answer that is not of its protocol")
}

// EventType returns the value of the leading "type" member of an event, the
// place where every provider puts it, else of the first one further on, else
// fallback (the event's name).
func EventType(data, fallback []byte) []byte {
	const lead = `{"type":"`
	if len(data) > len(lead) && string(data[:len(lead)]) == lead {
		if i := bytes.IndexByte(data[len(lead):], '"'); i >= 0 {
			return data[len(lead) : len(lead)+i]
		}
	}
	if at, ok := AnswerLimits().Path(data, "type"); ok && data[at.Start] == '"' {
		return data[at.Start+1 : at.End-1]
	}
	return fallback
}
