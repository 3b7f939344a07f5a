package proxy

import (
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
)

// translation stands between the events of a provider's stream and what its
// client reads: decoder, stop sequences, encoder. The end of the answer is
// held back until its usage is durable.
type translation struct {
	dec wire.StreamDecoder
	enc wire.StreamEncoder // nil: the client wants one whole answer, see fold
	// fold collects the answer for a client that did not ask for a stream.
	fold   ir.Folder
	stop   *ir.Stopper // nil: the provider applies stop sequences itself
	events []ir.Event
	begun  bool
	// What an answer that is cut has to end: items, and of so many choices those
	// that have not stopped.
	open    []ir.ItemEnd
	choices int
	stopped map[int]bool
	finish  *ir.Finish // seen, and not yet written
	failed  *tollgate.Error
}

// newTranslation starts the translation of one answer of t.
func (c *call) newTranslation(t *target) *translation {
	x := &translation{dec: t.codec.Back.StreamDecoder(), stop: ir.NewStopper(t.stop)}
	if c.peeked.Stream {
		x.enc = c.codec.Front.StreamEncoder(c.asked, c.route.Framing, c.id)
	}
	return x
}

// take translates one event and appends what is to be written to dst, also
// when there is an error behind it. The provider's own report of a failure is
// in failed; nothing may follow it.
func (x *translation) take(dst, name, data []byte) ([]byte, error) {
	events, broken := x.dec.Event(x.events[:0], name, data)
	return x.write(dst, events, broken)
}

// end is called when the provider's stream ended cleanly.
func (x *translation) end(dst []byte) ([]byte, error) {
	if x.over() {
		return dst, nil
	}
	events, broken := x.dec.End(x.events[:0])
	return x.write(dst, events, broken)
}

// over reports whether the end of the answer, good or bad, has been met.
func (x *translation) over() bool { return x.finish != nil || x.failed != nil }

// write hands events on, and returns what the decoder said behind them.
func (x *translation) write(dst []byte, events []ir.Event, broken error) ([]byte, error) {
	x.events = events
	for _, ev := range events {
		switch ev := ev.(type) {
		case ir.Finish:
			x.finish = &ev
			continue
		case ir.Failed:
			x.failed = ev.Err
			return dst, broken
		case ir.Start:
			x.begun, x.choices = true, 1
		case ir.ItemStart:
			x.open = append(x.open, ir.ItemEnd{Choice: ev.Choice, Index: ev.Index})
			x.choices = max(x.choices, ev.Choice+1)
		case ir.ItemEnd:
			x.open = slices.DeleteFunc(x.open, func(at ir.ItemEnd) bool { return at == ev })
		case ir.Stopped:
			if x.stopped == nil {
				x.stopped = map[int]bool{}
			}
			x.stopped[ev.Choice] = true
		case ir.TextDelta, ir.RefusalDelta, ir.PartAdded, ir.Cited, ir.ThoughtDelta, ir.ArgumentsDelta, ir.Sealed, ir.Progress, ir.Ping:
		}
		var err error
		if dst, err = x.filter(dst, ev); err != nil {
			return dst, err
		}
	}
	return dst, broken
}

// filter applies the stop sequences that are the gateway's to apply.
func (x *translation) filter(dst []byte, ev ir.Event) (out []byte, err error) {
	if x.stop == nil {
		return x.emit(dst, ev)
	}
	x.stop.Event(ev, func(ev ir.Event) {
		if err == nil {
			dst, err = x.emit(dst, ev)
		}
	})
	return dst, err
}

func (x *translation) emit(dst []byte, ev ir.Event) ([]byte, error) {
	if x.enc == nil {
		return dst, x.fold.Event(ev)
	}
	return x.enc.Event(dst, ev), nil
}

// close writes the end of the answer, which take or end has met.
func (x *translation) close(dst []byte) ([]byte, error) {
	return x.emit(dst, *x.finish)
}

// losses are what decoder and encoder have lost so far.
func (x *translation) losses() []ir.Loss {
	out := x.dec.Losses()
	if x.enc != nil {
		out = append(slices.Clip(out), x.enc.Losses()...)
	}
	return out
}
