package proxy

import (
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
	finish *ir.Finish // seen, and not yet written
	failed *tollgate.Error
}

// newTranslation starts the translation of one answer of t.
func (c *call) newTranslation(t *target) *translation {
	x := &translation{dec: t.codec.Back.StreamDecoder(), stop: ir.NewStopper(t.stop)}
	if c.peeked.Stream {
		x.enc = c.codec.Front.StreamEncoder(c.asked, c.route.Framing, c.id)
	}
	return x
}

// take translates one event and appends what is to be written to dst. The
// provider's own report of a failure is in failed; nothing may follow it.
func (x *translation) take(dst, name, data []byte) ([]byte, error) {
	var err error
	x.events, err = x.dec.Event(x.events[:0], name, data)
	return x.write(dst, err)
}

// end is called when the provider's stream ended cleanly.
func (x *translation) end(dst []byte) ([]byte, error) {
	if x.finish != nil || x.failed != nil {
		return dst, nil
	}
	var err error
	x.events, err = x.dec.End(x.events[:0])
	return x.write(dst, err)
}

// write hands the scratch events on, also those that came before an error.
func (x *translation) write(dst []byte, failed error) ([]byte, error) {
	for _, ev := range x.events {
		switch ev := ev.(type) {
		case ir.Finish:
			x.finish = &ev
			continue
		case ir.Failed:
			x.failed = ev.Err
			return dst, nil
		case ir.Start:
			x.begun = true
		}
		var err error
		if x.stop == nil {
			dst, err = x.emit(dst, ev)
		} else {
			x.stop.Event(ev, func(ev ir.Event) {
				if err == nil {
					dst, err = x.emit(dst, ev)
				}
			})
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, failed
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
		out = append(out[:len(out):len(out)], x.enc.Losses()...)
	}
	return out
}
