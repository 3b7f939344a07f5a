package anthropic

import (
	"bytes"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
)

// observer watches one answer.
type observer struct {
	op     tollgate.Operation
	rename wire.Renamer
	usage  wire.Usage
	counts counts
	done   bool
}

// Event implements wire.Observer.
func (w *observer) Event(name, data []byte) ([]byte, wire.Signal) {
	if len(data) == 0 || data[0] != '{' {
		return data, wire.SignalPass
	}
	switch string(wire.EventType(data, name)) {
	case "content_block_delta":
		w.usage.Content = true
		w.usage.OutputBytes += deltaLength(data)
	case "content_block_start":
		w.usage.Content = true
	case "message_start":
		w.readUsage(data, "message", "usage")
		return w.rename.Rename(data, "message", "model"), wire.SignalPass
	case "message_delta":
		w.readUsage(data, "usage")
	case "message_stop":
		w.done = true
		return data, wire.SignalTerminal
	case "error":
		return data, wire.SignalError
	}
	return data, wire.SignalPass
}

// deltaLength returns roughly how much text a delta carries: what stands
// between the delta's second string and the closing braces, as in
// {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"…"}}.
// Signatures are not generated text.
func deltaLength(data []byte) int64 {
	const mark, tail = `"delta":{"type":"`, len(`"}}`)
	i := bytes.Index(data, []byte(mark))
	if i < 0 {
		return int64(len(data)) / 2
	}
	rest := data[i+len(mark):]
	if bytes.HasPrefix(rest, []byte("signature")) || bytes.HasPrefix(rest, []byte("citations")) {
		return 0
	}
	if i = bytes.Index(rest, []byte(`":"`)); i < 0 {
		return 0
	}
	return int64(max(len(rest)-i-3-tail, 0))
}

func (w *observer) readUsage(data []byte, path ...string) {
	at, ok := wire.AnswerLimits().Path(data, path...)
	if ok && w.counts.read(at.Of(data)) {
		w.usage.Reported = true
		w.usage.Tokens = w.counts.tokens()
		if w.counts.tier != "" {
			w.usage.ServiceTier = w.counts.tier
		}
	}
}

// Body implements wire.Observer.
func (w *observer) Body(body []byte) ([]byte, error) {
	want := "content"
	if w.op == tollgate.OpCount {
		want = "input_tokens"
	}
	found := false
	o := wire.AnswerLimits().Object(body, jsonscan.Space(body, 0), 0)
	for o.Next() {
		key := o.Key.Of(body)
		found = found || string(key) == want
		if string(key) == "content" {
			w.usage.Content, w.usage.OutputBytes = true, int64(o.Value.End-o.Value.Start)
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
	w.done = true
	if w.op == tollgate.OpCount { // free of charge
		w.usage.Reported = true
		return body, nil
	}
	w.readUsage(body, "usage")
	return w.rename.Rename(body, "model"), nil
}

// answerError is why a well-formed JSON text is no answer.
type answerError string

// Error returns the reason.
func (e answerError) Error() string { return string(e) }

const errNoAnswer answerError = "the JSON has none of the members of an answer"

// Complete implements wire.Observer.
func (w *observer) Complete() bool { return w.done }

// Usage implements wire.Observer.
func (w *observer) Usage() wire.Usage { return w.usage }
