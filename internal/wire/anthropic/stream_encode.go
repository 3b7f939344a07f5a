package anthropic

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/sse"
)

// StreamEncoder implements wire.Front. The dialect streams as SSE alone.
func (Codec) StreamEncoder(req *ir.Request, _ wire.Framing, id tollgate.RequestID) wire.StreamEncoder {
	return &streamEncoder{req: req, id: id, blockWriter: blockWriter{answer: true}}
}

// streamEncoder writes a stream: one block open at a time, so that the events
// of an item wait until every item before it has ended.
type streamEncoder struct {
	blockWriter
	req     *ir.Request
	id      tollgate.RequestID
	turn    int                // the item that may be written
	waiting map[int][]ir.Event // those of later items
	held    int                // bytes in waiting
	blocks  int                // how many blocks have begun
	item    itemState
	calls   bool
	stop    ir.Stop
	told    ir.Usage // at the start
	usage   ir.Usage
	tier    string // that was told at the start
	done    bool
}

// Event implements wire.StreamEncoder.
func (e *streamEncoder) Event(dst []byte, ev ir.Event) []byte {
	if e.done {
		return dst
	}
	switch x := ev.(type) {
	case ir.Start:
		return e.start(dst, x)
	case ir.ItemStart:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.TextDelta:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.RefusalDelta:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.PartAdded:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.Cited:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.ThoughtDelta:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.ArgumentsDelta:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.Sealed:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.ItemEnd:
		return e.route(dst, x.Choice, x.Index, ev)
	case ir.Stopped:
		if x.Choice == 0 {
			e.stop = x.Stop
		}
	case ir.Progress:
		e.usage = x.Usage
	case ir.Ping:
		return e.Ping(dst)
	case ir.Failed:
		return e.Error(dst, x.Err)
	case ir.Finish:
		return e.finish(dst, x)
	}
	return dst
}

// Error implements wire.StreamEncoder.
func (e *streamEncoder) Error(dst []byte, err *tollgate.Error) []byte {
	if e.done {
		return dst
	}
	e.done, e.waiting = true, nil
	return sse.AppendEvent(dst, []byte("error"), mustJSON(describe(err, e.id)))
}

// Ping implements wire.StreamEncoder.
func (e *streamEncoder) Ping(dst []byte) []byte {
	return append(dst, "event: ping\ndata: {\"type\":\"ping\"}\n\n"...)
}

// Losses implements wire.StreamEncoder.
func (e *streamEncoder) Losses() []ir.Loss { return e.losses.List() }

// frame writes an event that build fills.
func (e *streamEncoder) frame(dst []byte, name string, build func(w *jsondoc.Writer)) []byte {
	w := jsondoc.NewWriter(e.scratch[:0])
	w.Object("")
	w.Str("type", name)
	build(w)
	w.End()
	e.scratch = w.Bytes()
	return sse.AppendEvent(dst, []byte(name), e.scratch)
}

func (e *streamEncoder) start(dst []byte, s ir.Start) []byte {
	e.told, e.usage, e.tier = s.Usage, s.Usage, s.ServiceTier
	e.noteIf(s.Created != 0, "created", "Anthropic tells no time")
	return e.frame(dst, "message_start", func(w *jsondoc.Writer) {
		w.Object("message")
		writeHead(w, e.req, s.ID, s.Model, e.id)
		w.Array("content")
		w.End()
		w.Null("stop_reason")
		w.Null("stop_sequence")
		known := s.Usage
		known.Reported = true // zeroes until the vendor says more
		e.writeUsage(w, known, s.ServiceTier, nil)
		w.End()
	})
}

func (e *streamEncoder) finish(dst []byte, f ir.Finish) []byte {
	e.done = true
	if f.Usage.Reported || !e.usage.Reported {
		e.usage = f.Usage
	}
	e.losses.Extras("", f.Extras, own)
	dst = e.frame(dst, "message_delta", func(w *jsondoc.Writer) {
		w.Object("delta")
		writeStop(w, &e.losses, e.stop, e.calls, f.Extras)
		for _, x := range f.Extras {
			if x.Dialect == own && !nested(x.Path) && !isStop(x.Path) && x.Path != contextManagement {
				w.Raw(memberName(x.Path), x.Raw)
			}
		}
		w.End()
		e.writeDeltaUsage(w, f.ServiceTier, f.Extras)
		w.OptRaw(contextManagement, findExtra(f.Extras, contextManagement))
	})
	return append(dst, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"...)
}

// contextManagement stands beside the delta in a stream, not in it.
const contextManagement = "context_management"

// route writes an event whose item's turn it is, and keeps the others.
func (e *streamEncoder) route(dst []byte, choice, index int, ev ir.Event) []byte {
	if choice != 0 {
		if _, begins := ev.(ir.ItemStart); begins && index == 0 {
			e.Lose(choicePath(choice), "Anthropic gives one answer")
		}
		return dst
	}
	if index != e.turn {
		return e.wait(dst, index, ev)
	}
	dst = e.write(dst, ev)
	for _, ended := ev.(ir.ItemEnd); ended; {
		e.turn++
		ended = false
		kept := e.waiting[e.turn]
		delete(e.waiting, e.turn)
		for _, later := range kept {
			e.held -= size(later)
			dst = e.write(dst, later)
			if _, end := later.(ir.ItemEnd); end {
				ended = true
			}
		}
	}
	return dst
}

func (e *streamEncoder) wait(dst []byte, index int, ev ir.Event) []byte {
	if e.held += size(ev); e.held > maxHeld {
		return e.Error(dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer overlaps more than can be kept"))
	}
	if e.waiting == nil {
		e.waiting = map[int][]ir.Event{}
	}
	e.waiting[index] = append(e.waiting[index], ev)
	return dst
}

// size is roughly how many bytes an event keeps.
func size(ev ir.Event) int {
	const base = 64
	switch x := ev.(type) {
	case ir.TextDelta:
		return base + len(x.Text)
	case ir.RefusalDelta:
		return base + len(x.Text)
	case ir.ThoughtDelta:
		return base + len(x.Text)
	case ir.ArgumentsDelta:
		return base + len(x.Text)
	case ir.Sealed:
		return base + len(x.Private.Data)
	case ir.ItemStart:
		if o, ok := x.Item.(ir.Opaque); ok {
			return base + len(o.Raw)
		}
	case ir.PartAdded:
		return base + partSize(x.Content)
	case ir.Cited:
		return base + len(x.Citation.Raw) + len(x.Citation.Quote)
	case ir.Start, ir.ItemEnd, ir.Stopped, ir.Progress, ir.Ping, ir.Failed, ir.Finish:
	}
	return base
}

func partSize(p ir.Part) int {
	switch x := p.(type) {
	case ir.Image:
		return len(x.Source.Data)
	case ir.Audio:
		return len(x.Source.Data) + len(x.Transcript)
	case ir.File:
		return len(x.Source.Data) + len(x.Source.Text)
	case ir.Text:
		return len(x.Text)
	case ir.Opaque:
		return len(x.Raw)
	case ir.Refusal:
		return len(x.Text)
	}
	return 0
}

// delta writes a piece of the open block.
func (e *streamEncoder) delta(dst []byte, kind, member, text string) []byte {
	dst = append(dst, "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(e.blocks-1), 10)
	dst = append(append(append(append(append(dst, `,"delta":{"type":"`...), kind...), `","`...), member...), `":`...)
	dst = jsonscan.AppendString(dst, text)
	return append(dst, "}}\n\n"...)
}

// begin opens a block.
func (e *streamEncoder) begin(dst []byte, build func(w *jsondoc.Writer)) []byte {
	e.blocks++
	e.item.open = true
	return e.frame(dst, "content_block_start", func(w *jsondoc.Writer) {
		w.Int("index", int64(e.blocks-1))
		build(w)
	})
}

// end closes the open block, if there is one.
func (e *streamEncoder) end(dst []byte) []byte {
	if !e.item.open {
		return dst
	}
	e.item.open = false
	dst = append(dst, "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"...)
	dst = strconv.AppendInt(dst, int64(e.blocks-1), 10)
	return append(dst, "}\n\n"...)
}
