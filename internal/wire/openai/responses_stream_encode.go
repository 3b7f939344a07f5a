package openai

import (
	"bytes"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// responsesEncoder writes an answer as the events of the Responses API. It is
// also how whole answers are written: the last event holds the whole object.
//
// Every event goes out at once. What was said is kept all the same, since the
// protocol repeats each part, each item and in the end everything.
type responsesEncoder struct {
	req    *ir.Request
	id     tollgate.RequestID
	silent bool // only the final object is wanted
	echo   []byte
	state  responsesState
	seq    int64
	began  bool
	items  []*responsesOut // by the index of choice 0
	output []*responsesOut // as numbered on the wire
	stop   ir.Stop
	losses ir.Losses
	more   bool // further choices were lost
}

// StreamEncoder implements wire.Front. The API has server-sent events alone.
func (Responses) StreamEncoder(req *ir.Request, _ wire.Framing, id tollgate.RequestID) wire.StreamEncoder {
	return newResponsesEncoder(req, id)
}

func newResponsesEncoder(req *ir.Request, id tollgate.RequestID) *responsesEncoder {
	return &responsesEncoder{
		req: req, id: id, echo: responsesEcho(req),
		state: responsesState{id: responsesMadeID(id), created: id.Time().Unix(), status: "in_progress"},
	}
}

// EncodeResponse implements wire.Front.
func (Responses) EncodeResponse(req *ir.Request, resp *ir.Response, id tollgate.RequestID) ([]byte, []ir.Loss) {
	e := newResponsesEncoder(req, id)
	e.silent = true
	ir.Unfold(resp, func(ev ir.Event) bool {
		e.Event(nil, ev)
		return true
	})
	return appendResponse(nil, &e.state, e.echo), e.Losses()
}

// Losses implements wire.StreamEncoder.
func (e *responsesEncoder) Losses() []ir.Loss { return e.losses.List() }

// Ping implements wire.StreamEncoder. The described events have none; every
// client skips a comment.
func (e *responsesEncoder) Ping(dst []byte) []byte { return append(dst, ": ping\n\n"...) }

// Event implements wire.StreamEncoder.
func (e *responsesEncoder) Event(dst []byte, ev ir.Event) []byte {
	switch ev := ev.(type) {
	case ir.Start:
		return e.start(dst, ev)
	case ir.ItemStart:
		return e.itemStart(dst, ev)
	case ir.TextDelta:
		return e.textDelta(dst, ev)
	case ir.RefusalDelta:
		return e.refusalDelta(dst, ev)
	case ir.PartAdded:
		return e.partAdded(dst, ev)
	case ir.Cited:
		return e.cited(dst, ev)
	case ir.ThoughtDelta:
		return e.thoughtDelta(dst, ev)
	case ir.ArgumentsDelta:
		return e.argumentsDelta(dst, ev)
	case ir.Sealed:
		return e.sealed(dst, ev)
	case ir.ItemEnd:
		return e.itemEnd(dst, ev)
	case ir.Stopped:
		if e.ours(ev.Choice) {
			e.stop = ev.Stop
		}
	case ir.Progress:
		e.state.usage = ev.Usage
	case ir.Ping:
		return e.Ping(dst)
	case ir.Failed:
		return e.Error(dst, ev.Err)
	case ir.Finish:
		return e.finish(dst, ev)
	}
	return dst
}

// ours reports whether an event is about the one answer that the API has.
func (e *responsesEncoder) ours(choice int) bool {
	if choice != 0 && !e.more {
		e.more = true
		e.losses.Lose("choices[1]", "the API gives one answer at a time")
	}
	return choice == 0
}

func (e *responsesEncoder) start(dst []byte, ev ir.Start) []byte {
	switch {
	case len(ev.ID) > len("resp_") && ev.ID[:len("resp_")] == "resp_":
		e.state.id = ev.ID
	case ev.ID != "":
		e.losses.Note("id", "an answer has an id that begins with resp_")
	}
	if ev.Created != 0 {
		e.state.created = ev.Created
	} else {
		e.losses.Note("created", "the time of the request stands for it")
	}
	if ev.Model != e.req.Model {
		e.losses.Note("model", "the name that was asked for")
	}
	e.state.tier, e.state.usage = ev.ServiceTier, ev.Usage
	return e.begin(dst)
}

// begin opens the stream, unless that is done.
func (e *responsesEncoder) begin(dst []byte) []byte {
	if e.began {
		return dst
	}
	e.began = true
	usage := e.state.usage
	e.state.usage = ir.Usage{}
	dst = e.whole(dst, "response.created")
	dst = e.whole(dst, "response.in_progress")
	e.state.usage = usage
	return dst
}

// whole appends an event with the whole response.
func (e *responsesEncoder) whole(dst []byte, kind string) []byte {
	if e.silent {
		return dst
	}
	w, at := e.open(dst, kind)
	w.Raw("response", appendResponse(nil, &e.state, e.echo))
	return e.close(w, at)
}

// open begins an event; close ends it. at is where its data stands.
func (e *responsesEncoder) open(dst []byte, kind string) (w *jsondoc.Writer, at int) {
	dst = append(append(append(dst, "event: "...), kind...), "\ndata: "...)
	w = jsondoc.NewWriter(dst)
	w.Object("")
	w.Str("type", kind)
	w.Int("sequence_number", e.seq)
	e.seq++
	return w, len(dst)
}

// close ends an event. JSON from elsewhere may hold line ends between its
// tokens, where they mean nothing, but would cut the event.
func (e *responsesEncoder) close(w *jsondoc.Writer, at int) []byte {
	w.End()
	b := w.Bytes()
	for _, end := range []byte("\n\r") {
		for i := bytes.IndexByte(b[at:], end); i >= 0; i = bytes.IndexByte(b[at:], end) {
			b[at+i] = ' '
		}
	}
	return append(b, "\n\n"...)
}

// finish ends a complete answer.
func (e *responsesEncoder) finish(dst []byte, ev ir.Finish) []byte {
	dst = e.begin(dst)
	if ev.Usage.Reported || !e.state.usage.Reported {
		e.state.usage = ev.Usage
	}
	if ev.ServiceTier != "" {
		e.state.tier = ev.ServiceTier
	}
	if e.state.tier == "" {
		e.losses.Note("service_tier", "default where the provider says none")
	}
	e.state.extras = ev.Extras
	e.losses.Extras("", ev.Extras, responsesDialect)
	e.state.output = e.writeOutput
	e.usageLosses()
	e.end()
	return e.whole(dst, "response."+e.state.status)
}

// end finds the status for the reason why the answer ended, and says what of
// the reason is lost.
func (e *responsesEncoder) end() {
	const at = "choices[0].stop"
	e.state.status = "completed"
	reads := e.completedReason()
	switch e.stop.Reason {
	case ir.StopLength, ir.StopContext:
		e.state.status, e.state.reason, reads = "incomplete", "max_output_tokens", ir.StopLength
	case ir.StopFilter:
		e.state.status, e.state.reason, reads = "incomplete", "content_filter", ir.StopFilter
	case ir.StopRefusal:
		if reads != ir.StopRefusal {
			e.state.status, e.state.reason, reads = "incomplete", "content_filter", ir.StopFilter
		}
	case ir.StopFailure:
		e.state.status, reads = "failed", ir.StopFailure
		e.state.failure = tollgate.Errorf(tollgate.CodeUpstream, "%s", brokenOutput)
	case ir.StopUnknown, ir.StopEnd, ir.StopSequence, ir.StopTools, ir.StopPause:
	}
	if reads != e.stop.Reason {
		e.losses.Note(at+".reason", "an answer is completed, or cut off by a limit or a filter")
	}
	if e.stop.Sequence != "" {
		e.losses.Lose(at+".sequence", "which stop sequence came is not said")
	}
	if e.stop.Detail != "" {
		e.losses.Note(at+".detail", "the vendor's own word has no place")
	}
}

// completedReason is how a client understands that the answer is completed.
func (e *responsesEncoder) completedReason() ir.StopReason {
	reason := ir.StopEnd
	for _, out := range e.output {
		switch out.kind {
		case outFunction, outCustom:
			return ir.StopTools
		case outMessage:
			for i := range out.parts {
				if out.parts[i].kind == partRefusal {
					reason = ir.StopRefusal
				}
			}
		case outThought, outRaw:
		}
	}
	return reason
}

func (e *responsesEncoder) usageLosses() {
	u := &e.state.usage
	if u.Tokens.CacheWrite1h > 0 {
		e.losses.Note("usage.tokens", "what was written to a cache is counted whatever its life")
	}
	for _, x := range []struct {
		n    int64
		path string
	}{
		{u.AudioInput, "audio_input"}, {u.AudioOutput, "audio_output"}, {u.ImageInput, "image_input"}, {u.ImageOutput, "image_output"},
	} {
		if x.n > 0 {
			e.losses.Note("usage."+x.path, "counted with the others")
		}
	}
}

// writeOutput writes the items so far; those still open are incomplete.
func (e *responsesEncoder) writeOutput(w *jsondoc.Writer) {
	for _, out := range e.output {
		if out.done != nil {
			w.Raw("", out.done)
		} else {
			out.write(w, "", "incomplete")
		}
	}
}

// Error implements wire.StreamEncoder: an error event, which some SDKs throw
// on, then response.failed, which the others wait for (TRANSLATION 6.11), with
// what was made so far.
func (e *responsesEncoder) Error(dst []byte, err *tollgate.Error) []byte {
	d := describe(err)
	w, at := e.open(dst, "error")
	w.Str("code", failureCode(err))
	w.Str("message", d.Message)
	if d.Param != nil {
		w.Str("param", *d.Param)
	} else {
		w.Null("param")
	}
	w.Raw("error", mustJSON(d))
	dst = e.close(w, at)
	e.state.status, e.state.failure, e.state.output = "failed", err, e.writeOutput
	e.began = true
	return e.whole(dst, "response.failed")
}
