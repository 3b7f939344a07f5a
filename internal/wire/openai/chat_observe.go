package openai

import (
	"bytes"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// chatObserver watches an answer of Chat or of an operation beside it.
type chatObserver struct {
	op        tollgate.Operation
	dropUsage bool
	rename    wire.Renamer
	usage     wire.Usage
	done      bool
	lead      lead
}

// Event implements wire.Observer.
func (w *chatObserver) Event(_, data []byte) ([]byte, wire.Signal) {
	if len(data) == 0 || data[0] != '{' {
		if wire.IsDone(data) {
			w.done = true
			return data, wire.SignalTerminal
		}
		return data, wire.SignalPass
	}
	if n, ok := w.lead.match(data); ok {
		w.generated(n)
		return w.rename.Splice(data, w.lead.model), wire.SignalPass
	}
	return w.inspect(data)
}

// inspect looks at a chunk that is not known to be a usual one. It is only
// searched for markers: a quoted name can stand in it as a name or a whole
// string but not inside generated text, where its quotes would be escaped.
func (w *chatObserver) inspect(data []byte) ([]byte, wire.Signal) {
	w.content(data)
	usage, failure := valueAfter(data, "usage"), valueAfter(data, "error")
	if usage < 0 && failure < 0 {
		if w.op == tollgate.OpGenerate {
			w.lead.learn(data, w.rename.Active())
		}
		return w.rename.Rename(data, "model"), wire.SignalPass
	}
	alone := usage >= 0 && data[usage] == '{' && w.chunkUsage(data)
	switch {
	case failure >= 0 && isFailure(data):
		return data, wire.SignalError
	case alone && w.dropUsage:
		return data, wire.SignalDrop
	default:
		return w.rename.Rename(data, "model"), wire.SignalPass
	}
}

// valueAfter returns where the value of the first member with the given name
// and a value that is not null begins, at any depth; -1 if there is none.
func valueAfter(data []byte, name string) int {
	from := 1
	for {
		i := bytes.Index(data[from:], []byte(name))
		if i < 0 {
			return -1
		}
		i, from = from+i, from+i+len(name)
		if data[i-1] != '"' || from >= len(data) || data[from] != '"' {
			continue
		}
		if at := jsonscan.Space(data, from+1); at < len(data) && data[at] == ':' {
			if at = jsonscan.Space(data, at+1); at < len(data) && data[at] != 'n' {
				return at
			}
		}
	}
}

// content counts what a chunk generates.
func (w *chatObserver) content(data []byte) {
	name := "delta"
	if w.op == tollgate.OpComplete {
		name = "text"
	}
	at := valueAfter(data, name)
	switch {
	case at < 0:
	case data[at] == '"':
		w.generated(stringLength(data, at))
	default:
		n, _ := deltaLength(data, at)
		w.generated(n)
	}
}

func (w *chatObserver) generated(n int64) {
	if n > 0 {
		w.usage.Content = true
		w.usage.OutputBytes += n
	}
}

func stringLength(data []byte, at int) int64 {
	end := bytes.IndexByte(data[at+1:], '"')
	for end > 0 && data[at+end] == '\\' { // rare; the exact end does not matter for an estimate
		next := bytes.IndexByte(data[at+end+2:], '"')
		if next < 0 {
			break
		}
		end += next + 1
	}
	return int64(max(end, 0))
}

// deltaLength sums the strings of the delta at data[at] that are generated
// text; end is where the delta ends, 0 if it is malformed.
func deltaLength(data []byte, at int) (n int64, end int) {
	o := wire.AnswerLimits().Object(data, at, 0)
	for o.Next() {
		switch v := o.Value; string(o.Key.Of(data)) {
		case "content", "reasoning_content", "reasoning", "refusal":
			if data[v.Start] == '"' {
				n += int64(v.End - v.Start - 2)
			}
		case "tool_calls", "function_call", "audio":
			if data[v.Start] != 'n' {
				n += int64(v.End - v.Start)
			}
		}
	}
	return n, o.End
}

// chunkUsage reads a chunk that seems to carry usage. It reports whether that
// is all the chunk carries.
func (w *chatObserver) chunkUsage(data []byte) bool {
	limits := wire.AnswerLimits()
	at, ok := limits.Path(data, "usage")
	if ok && data[at.Start] == '{' {
		if w.take(at.Of(data)) {
			if tier, ok := limits.Path(data, "service_tier"); ok {
				w.tier(tier.Of(data))
			}
		}
		choices, ok := limits.Path(data, "choices")
		return !ok || data[choices.Start] == 'n' || jsonscan.Space(data, choices.Start+1) == choices.End-1
	}
	// Moonshot puts it into the last choice, Groq into an extension.
	if at, ok = limits.Path(data, "x_groq", "usage"); ok {
		w.take(at.Of(data))
	} else if at, ok = limits.Path(data, "choices"); ok && data[at.Start] == '[' {
		first := jsonscan.Space(data, at.Start+1)
		if at, ok = limits.Path(data[first:], "usage"); ok {
			w.take(at.Of(data[first:]))
		}
	}
	return false
}

// take reads a usage object; the last one of an answer counts.
func (w *chatObserver) take(value []byte) bool {
	tokens, ok := readUsage(value)
	if ok {
		w.usage.Tokens, w.usage.Reported = tokens, true
	}
	return ok
}

func (w *chatObserver) tier(value []byte) {
	if tier, ok := jsonscan.String(value); ok && len(tier) <= 64 {
		w.usage.ServiceTier = tier
	}
}

// isFailure reports whether the object has an error that is not null.
func isFailure(data []byte) bool {
	at, ok := wire.AnswerLimits().Path(data, "error")
	return ok && data[at.Start] != 'n' && data[at.Start] != 'f'
}

// Body implements wire.Observer.
func (w *chatObserver) Body(body []byte) ([]byte, error) {
	found := false
	o := wire.AnswerLimits().Object(body, jsonscan.Space(body, 0), 0)
	for o.Next() {
		value := o.Value.Of(body)
		switch string(o.Key.Of(body)) {
		case "choices":
			found = found || w.op == tollgate.OpGenerate || w.op == tollgate.OpComplete
			if len(value) > 2 && (w.op == tollgate.OpGenerate || w.op == tollgate.OpComplete) {
				w.usage.Content, w.usage.OutputBytes = true, int64(len(value))
			}
		case "data":
			found = found || w.op == tollgate.OpEmbed
		case "results":
			found = found || w.op == tollgate.OpModerate
		case "usage":
			w.take(value)
		case "service_tier":
			w.tier(value)
		}
	}
	switch {
	case o.Err() != nil:
		return nil, wire.NotAnAnswer(o.Err())
	case jsonscan.Space(body, o.End) != len(body):
		return nil, wire.NotAnAnswer(&jsonscan.Error{Kind: jsonscan.KindTrailing, Offset: o.End})
	case !found:
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	if w.op == tollgate.OpModerate { // free of charge
		w.usage.Reported = true
	}
	w.done = true
	return w.rename.Rename(body, "model"), nil
}

// answerError is why a well-formed JSON text is no answer.
type answerError string

// Error returns the reason.
func (e answerError) Error() string { return string(e) }

const errNoAnswer answerError = "the JSON has none of the members of an answer"

// Complete implements wire.Observer.
func (w *chatObserver) Complete() bool { return w.done }

// Usage implements wire.Observer.
func (w *chatObserver) Usage() wire.Usage { return w.usage }
