package gemini

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

// Event implements wire.Observer. Every event is a whole response, so its top
// level is walked; arguments of tool calls are objects here, in which any name
// may stand, so that markers would not do.
//
// SignalTerminal may come more than once (several candidates; some back ends
// give every event a finish reason), and the last one has the final usage.
func (w *observer) Event(_, data []byte) ([]byte, wire.Signal) {
	if len(data) == 0 || data[0] != '{' {
		if wire.IsDone(data) { // of back ends that imitate OpenAI
			return data, wire.SignalTerminal
		}
		return data, wire.SignalPass
	}
	s := w.walk(data)
	switch {
	case s.failed:
		return data, wire.SignalError
	case s.finished:
		w.done = true
		return w.rename.Rename(data, "modelVersion"), wire.SignalTerminal
	default:
		return w.rename.Rename(data, "modelVersion"), wire.SignalPass
	}
}

// seen is what a response object holds.
type seen struct {
	answer, finished, failed bool
	err                      error
}

func (w *observer) walk(data []byte) seen {
	var s seen
	o := wire.AnswerLimits().Object(data, jsonscan.Space(data, 0), 0)
	for o.Next() {
		value := o.Value.Of(data)
		switch string(o.Key.Of(data)) {
		case "candidates":
			s.answer = s.answer || w.op == tollgate.OpGenerate
			s.finished = w.candidates(value) || s.finished
		case "promptFeedback":
			s.answer = s.answer || w.op == tollgate.OpGenerate
			if at, ok := wire.AnswerLimits().Path(value, "blockReason"); ok && value[at.Start] == '"' {
				s.finished = true
			}
		case "usageMetadata":
			s.answer = s.answer || w.op == tollgate.OpGenerate
			w.take(value)
		case "totalTokens":
			s.answer = s.answer || w.op == tollgate.OpCount
		case "embedding":
			s.answer = s.answer || w.op == tollgate.OpEmbed
		case "embeddings":
			s.answer = s.answer || w.op == tollgate.OpEmbed || w.op == tollgate.OpBatchEmbed
		case "error":
			s.failed = s.failed || value[0] == '{'
		}
	}
	s.err = o.Err()
	if s.err == nil && jsonscan.Space(data, o.End) != len(data) {
		s.err = &jsonscan.Error{Kind: jsonscan.KindTrailing, Offset: o.End}
	}
	return s
}

// candidates counts what the candidates generate and reports whether one of
// them is finished.
func (w *observer) candidates(value []byte) (finished bool) {
	a := wire.AnswerLimits().Array(value, 0, 0)
	for a.Next() {
		candidate := a.Value.Of(value)
		o := wire.AnswerLimits().Object(candidate, 0, 0)
		for o.Next() {
			member := o.Value.Of(candidate)
			switch string(o.Key.Of(candidate)) {
			case "content":
				w.content(member)
			case "finishReason":
				finished = finished || (member[0] == '"' && string(member) != `"FINISH_REASON_UNSPECIFIED"`)
			}
		}
	}
	return finished
}

// content estimates the generated text by the size of the parts less the usual
// wrapping, {"text":""}.
func (w *observer) content(value []byte) {
	at, ok := wire.AnswerLimits().Seek(value, 0, "parts")
	if !ok {
		return
	}
	const wrapping = len(`[{"text":""}],"role":"model"}`)
	if n := len(value) - at - wrapping; n > 0 && !bytes.HasPrefix(value[at:], []byte("[]")) {
		w.usage.Content = true
		w.usage.OutputBytes += int64(n)
	}
}

func (w *observer) take(value []byte) {
	if w.counts.read(value) {
		w.usage.Reported, w.usage.Tokens = true, w.counts.tokens()
	}
	if w.counts.tier != "" {
		w.usage.ServiceTier = w.counts.tier
	}
}

// Body implements wire.Observer.
func (w *observer) Body(body []byte) ([]byte, error) {
	s := w.walk(body)
	switch {
	case s.err != nil:
		return nil, wire.NotAnAnswer(s.err)
	case !s.answer:
		return nil, wire.NotAnAnswer(errNoAnswer)
	}
	w.done = true
	if w.op == tollgate.OpCount { // free of charge
		w.usage = wire.Usage{Reported: true}
	}
	return w.rename.Rename(body, "modelVersion"), nil
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
