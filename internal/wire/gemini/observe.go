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
	tally  tally
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
			w.done = true
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
		return w.rename.Splice(data, s.model), wire.SignalTerminal
	default:
		return w.rename.Splice(data, s.model), wire.SignalPass
	}
}

// seen is what a response object holds.
type seen struct {
	answer, finished, failed bool
	model                    jsonscan.Span
	counts                   counts
	counted                  bool
	err                      error
}

// walk passes over the top level once; what is in every event, the candidates
// and the usage, is walked into rather than skipped first.
func (w *observer) walk(data []byte) (s seen) {
	limits := wire.AnswerLimits()
	o := limits.Object(data, jsonscan.Space(data, 0), 0)
	for o.NextKey() {
		at := o.Value.Start
		var end int
		switch string(o.Key.Of(data)) {
		case "candidates":
			var finished bool
			end, finished = w.candidates(data, at)
			s.finished = s.finished || finished
			s.answer = s.answer || w.op == tollgate.OpGenerate
		case "usageMetadata":
			end = w.usageMetadata(&s, data, at)
		default:
			end = limits.Skip(data, at, 1)
		}
		if o.Pass(end) {
			w.member(&s, data, o.Key, o.Value)
		}
	}
	w.take(&s)
	s.err = o.Err()
	if s.err == nil && jsonscan.Space(data, o.End) != len(data) {
		s.err = &jsonscan.Error{Kind: jsonscan.KindTrailing, Offset: o.End}
	}
	return s
}

// member looks at a member of the top level that is rarely there or small.
func (w *observer) member(s *seen, data []byte, key, at jsonscan.Span) {
	value := at.Of(data)
	switch string(key.Of(data)) {
	case "promptFeedback":
		s.answer = s.answer || w.op == tollgate.OpGenerate
		if at, ok := wire.AnswerLimits().Path(value, "blockReason"); ok && value[at.Start] == '"' {
			s.finished = true
		}
	case "modelVersion":
		if value[0] == '"' {
			s.model = at
		}
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

// usageMetadata reads the usage at data[at] into s and reports where it ends.
func (w *observer) usageMetadata(s *seen, data []byte, at int) (end int) {
	if at >= len(data) || data[at] != '{' {
		return wire.AnswerLimits().Skip(data, at, 1)
	}
	s.counts, s.counted, end = readCounts(data, at)
	s.answer = s.answer || w.op == tollgate.OpGenerate
	return end
}

// candidates counts what the candidates at data[at] generate, and reports
// where they end and whether one of them is finished.
func (w *observer) candidates(data []byte, at int) (end int, finished bool) {
	limits := wire.AnswerLimits()
	if at >= len(data) || data[at] != '[' {
		return limits.Skip(data, at, 1), false
	}
	a := limits.Array(data, at, 1)
	for a.NextItem() {
		o := limits.Object(data, a.Value.Start, 2)
		for o.Next() {
			switch string(o.Key.Of(data)) {
			case "content":
				w.content(o.Value.Of(data))
			case "finishReason":
				reason := o.Value.Of(data)
				finished = finished || (reason[0] == '"' && string(reason) != `"FINISH_REASON_UNSPECIFIED"`)
			}
		}
		a.Pass(o.Stop())
	}
	return a.Stop(), finished
}

// content estimates the generated text by the size of the parts less the usual
// wrapping, {"text":""}.
func (w *observer) content(value []byte) {
	if !bytes.Contains(value, []byte(`"parts"`)) {
		return
	}
	const wrapping = len(`{"parts":[{"text":""}],"role":"model"}`)
	if n := len(value) - wrapping; n > 0 {
		w.usage.Content = true
		w.usage.OutputBytes += int64(n)
	}
}

// take takes the usage of an event.
func (w *observer) take(s *seen) {
	w.tally.take(&s.counts, s.counted, s.finished)
	w.usage.Reported, w.usage.Tokens, w.usage.ServiceTier = w.tally.reported, w.tally.tokens, w.tally.tier
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
	return w.rename.Splice(body, s.model), nil
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
