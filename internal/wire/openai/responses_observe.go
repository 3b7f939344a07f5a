package openai

import (
	"bytes"
	"slices"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// responsesObserver watches an answer of Responses.
type responsesObserver struct {
	op       tollgate.Operation
	rename   wire.Renamer // of the model
	previous wire.Renamer // of the response that the answer goes on from
	usage    wire.Usage
	done     bool
}

// Event implements wire.Observer. Only the events that hold the whole response
// are looked into; of the deltas just the length counts.
func (w *responsesObserver) Event(name, data []byte) ([]byte, wire.Signal) {
	if len(data) == 0 || data[0] != '{' {
		return data, wire.SignalPass // some servers add [DONE]
	}
	switch kind := wire.EventType(data, name); string(kind) {
	case "response.completed", "response.incomplete":
		w.done = true
		w.whole(data)
		return w.changed(data, "response"), wire.SignalTerminal
	case "response.failed":
		w.whole(data)
		return w.changed(data, "response"), wire.SignalError
	case "error":
		return data, wire.SignalError
	case "response.created", "response.in_progress", "response.queued":
		return w.changed(data, "response"), wire.SignalPass
	default:
		if bytes.HasSuffix(kind, []byte("delta")) {
			w.delta(data)
		}
		return data, wire.SignalPass
	}
}

// delta counts the generated text of a delta event.
func (w *responsesObserver) delta(data []byte) {
	w.usage.Content = true
	if at := valueAfter(data, "delta"); at >= 0 && data[at] == '"' {
		w.usage.OutputBytes += stringLength(data, at)
	}
}

// whole reads an event that ends the answer.
func (w *responsesObserver) whole(data []byte) {
	if at, ok := wire.AnswerLimits().Path(data, "response"); ok && data[at.Start] == '{' {
		_, _ = w.response(at.Of(data)) // what cannot be read reports nothing
	}
}

// response reads a response object and reports whether it is one.
func (w *responsesObserver) response(value []byte) (found bool, err error) {
	o := wire.AnswerLimits().Object(value, jsonscan.Space(value, 0), 0)
	for o.Next() {
		member := o.Value.Of(value)
		switch string(o.Key.Of(value)) {
		case "output":
			found = true
			if w.usage.OutputBytes == 0 && len(member) > 2 {
				w.usage.Content, w.usage.OutputBytes = true, int64(len(member))
			}
		case "status":
			found = true
		case "usage":
			if tokens, ok := readUsage(member); ok {
				w.usage.Tokens, w.usage.Reported = tokens, true
			}
		case "service_tier":
			if tier, ok := jsonscan.String(member); ok && len(tier) <= 64 {
				w.usage.ServiceTier = tier
			}
		}
	}
	if o.Err() != nil {
		return false, o.Err()
	}
	if end := jsonscan.Space(value, o.End); end != len(value) {
		return false, &jsonscan.Error{Kind: jsonscan.KindTrailing, Offset: end}
	}
	return found, nil
}

// Body implements wire.Observer.
func (w *responsesObserver) Body(body []byte) ([]byte, error) {
	if w.op == tollgate.OpCount {
		return w.count(body)
	}
	found, err := w.response(body)
	switch {
	case err != nil:
		return nil, wire.NotAnAnswer(err)
	case !found:
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	w.done = true
	return w.changed(body), nil
}

// changed returns data with what the client is to see of the response object at
// the end of path.
func (w *responsesObserver) changed(data []byte, path ...string) []byte {
	if w.rename.Active() {
		data = w.rename.Rename(data, append(slices.Clip(path), "model")...)
	}
	if w.previous.Active() {
		data = w.previous.Put(data, append(slices.Clip(path), "previous_response_id")...)
	}
	return data
}

// count takes the answer of input_tokens, which is free of charge.
func (w *responsesObserver) count(body []byte) ([]byte, error) {
	if err := wire.AnswerLimits().Valid(body); err != nil {
		return nil, wire.NotAnAnswer(err)
	}
	if _, ok := wire.AnswerLimits().Path(body, "input_tokens"); !ok {
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	w.done, w.usage.Reported = true, true
	return body, nil
}

// Complete implements wire.Observer.
func (w *responsesObserver) Complete() bool { return w.done }

// Usage implements wire.Observer.
func (w *responsesObserver) Usage() wire.Usage { return w.usage }
