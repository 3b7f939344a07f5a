package gemini

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// StreamEncoder implements wire.Front.
func (Codec) StreamEncoder(req *ir.Request, f wire.Framing, id tollgate.RequestID) wire.StreamEncoder {
	return &streamEncoder{framing: f, id: id, model: req.Model}
}

// streamEncoder writes an answer as events or as elements of one array. Every
// event is a whole response with one new part; the last one has the finish
// reasons and the usage. Parts belong to no item that a client could tell, so
// that items which overlap are written one after the other.
type streamEncoder struct {
	framing wire.Framing
	id      tollgate.RequestID
	model   string
	// trail is what every event ends with.
	trail   []byte
	start   ir.Start
	answer  string // id
	usage   ir.Usage
	sent    int // events written
	held    int // bytes waiting for their turn
	over    bool
	choices []*candidate
	losses  ir.Losses
}

// candidate is one choice while it is written.
type candidate struct {
	index  int
	items  []*outItem
	turn   int // the item whose parts are written at once
	called bool
	stop   ir.Stop
	// text and thought as in answerParts.
	text, thought bool
	last          string
	thoughts      []keptThought // for the next call
	kept          int           // bytes of them
	run           int64         // bytes of the texts that readers take for one, so far
}

// outItem is one item of a candidate.
type outItem struct {
	shell  ir.Item
	ended  bool
	held   [][]byte // candidates' contents that wait for the item's turn
	args   []byte   // of a call
	texts  [][]byte // of a thought, as far as they may be kept
	part   int      // of a message, the last begun
	begun  bool
	offset offsets
	base   int64 // bytes of the text before this part
	ground grounding
	cites  int // of this part, those that are lost too
	seal   *ir.Private
}

// Bounds of what waits, in bytes.
const (
	maxHeld = 8 << 20
	maxArgs = 8 << 20
	maxKept = 1 << 20 // of thoughts, for the call behind them
)

// Losses implements wire.StreamEncoder.
func (s *streamEncoder) Losses() []ir.Loss { return s.losses.List() }

// Ping implements wire.StreamEncoder. Gemini has no event for it, and its SDKs
// take a comment for a broken event.
func (s *streamEncoder) Ping(dst []byte) []byte { return dst }

// Error implements wire.StreamEncoder.
func (s *streamEncoder) Error(dst []byte, e *tollgate.Error) []byte {
	if s.over {
		return dst
	}
	s.over = true
	return append(dst, Codec{}.ErrorEvent(e, s.framing, s.sent, s.id)...)
}

// Event implements wire.StreamEncoder.
func (s *streamEncoder) Event(dst []byte, ev ir.Event) []byte {
	if s.over {
		return dst
	}
	switch ev := ev.(type) {
	case ir.Start:
		s.begin(ev)
	case ir.ItemStart:
		dst = s.open(dst, ev)
	case ir.TextDelta:
		dst = s.textDelta(dst, ev)
	case ir.RefusalDelta:
		dst = s.refusal(dst, ev)
	case ir.PartAdded:
		dst = s.added(dst, ev)
	case ir.Cited:
		s.cited(ev)
	case ir.ThoughtDelta:
		dst = s.thoughtDelta(dst, ev)
	case ir.ArgumentsDelta:
		s.arguments(ev)
	case ir.Sealed:
		dst = s.sealed(dst, ev)
	case ir.ItemEnd:
		dst = s.end(dst, ev)
	case ir.Stopped:
		s.choice(ev.Choice).stop = ev.Stop
	case ir.Progress:
		s.usage = ev.Usage
	case ir.Ping: // has no place
	case ir.Failed:
		dst = s.Error(dst, ev.Err)
	case ir.Finish:
		dst = s.finish(dst, ev)
	}
	return dst
}

func (s *streamEncoder) begin(ev ir.Start) {
	s.start, s.usage = ev, ev.Usage
	s.trail = []byte(`,"modelVersion":`)
	s.trail = jsonscan.AppendString(s.trail, s.model)
	s.trail = append(s.trail, `,"responseId":`...)
	s.answer = answerID(ev.ID, s.id, &s.losses)
	s.trail = append(jsonscan.AppendString(s.trail, s.answer), '}')
	if ev.Created != 0 {
		s.losses.Note("created", "Gemini's answers do not say when")
	}
	if ev.Model != s.model {
		s.losses.Note("model", "the name that the client sent")
	}
}

func (s *streamEncoder) choice(n int) *candidate {
	for len(s.choices) <= n {
		s.choices = append(s.choices, &candidate{index: len(s.choices)})
	}
	return s.choices[n]
}

func (s *streamEncoder) item(choice, index int) (*candidate, *outItem) {
	c := s.choice(choice)
	return c, c.items[index]
}

// frame begins an event or an element; close ends it.
func (s *streamEncoder) frame(dst []byte) []byte {
	s.sent++
	switch {
	case s.framing != wire.FramingJSONArray:
		return append(dst, "data: "...)
	case s.sent == 1:
		return append(dst, '[')
	default:
		return append(dst, ",\r\n"...)
	}
}

func (s *streamEncoder) close(dst []byte) []byte {
	if s.framing != wire.FramingJSONArray {
		return append(dst, "\r\n\r\n"...)
	}
	return dst
}

// event appends one event with the given members of candidate n.
func (s *streamEncoder) event(dst []byte, n int, body []byte) []byte {
	dst = s.frame(dst)
	dst = append(dst, `{"candidates":[{`...)
	dst = append(dst, body...)
	dst = append(dst, `,"index":`...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	dst = append(dst, "}]"...)
	return s.close(append(dst, s.trail...))
}

// give writes a body now if it is the item's turn, else later.
func (s *streamEncoder) give(dst []byte, c *candidate, index int, body []byte) []byte {
	if index == c.turn {
		return s.event(dst, c.index, body)
	}
	it := c.items[index]
	it.held = append(it.held, body)
	s.held += len(body)
	if s.held > maxHeld {
		s.losses.Note(ir.OutputPath(c.index, index), "too much waited for its turn: written before it")
		return s.release(dst, c, it)
	}
	return dst
}

// givePart writes one part of an item.
func (s *streamEncoder) givePart(dst []byte, c *candidate, index int, write func(p *parts)) []byte {
	w := jsondoc.NewWriter(make([]byte, 0, 256))
	p := parts{w: w}
	w.Object("")
	w.Object("content")
	w.Array("parts")
	write(&p)
	w.End()
	w.Str("role", "model")
	w.End()
	for _, l := range p.losses.List() {
		if l.Note {
			s.losses.Note(l.Path, l.Why)
		} else {
			s.losses.Lose(l.Path, l.Why)
		}
	}
	if p.wrote == 0 {
		return dst
	}
	return s.give(dst, c, index, w.Bytes()[1:])
}

// fast writes a part that is text alone, the bulk of every answer.
func (s *streamEncoder) fast(dst []byte, c *candidate, index int, text string, thought bool) []byte {
	now := index == c.turn
	out := dst
	if now {
		out = append(s.frame(out), `{"candidates":[{`...)
	} else {
		out = make([]byte, 0, len(text)+64)
	}
	out = append(out, `"content":{"parts":[{"text":`...)
	out = jsonscan.AppendString(out, text)
	if thought {
		out = append(out, `,"thought":true`...)
	}
	out = append(out, `}],"role":"model"}`...)
	if !now {
		return s.give(dst, c, index, out)
	}
	out = append(out, `,"index":`...)
	out = strconv.AppendInt(out, int64(c.index), 10)
	out = append(out, "}]"...)
	return s.close(append(out, s.trail...))
}

func (s *streamEncoder) release(dst []byte, c *candidate, it *outItem) []byte {
	for _, body := range it.held {
		s.held -= len(body)
		dst = s.event(dst, c.index, body)
	}
	it.held = nil
	return dst
}

// end closes an item and lets those that waited for it go on.
func (s *streamEncoder) end(dst []byte, ev ir.ItemEnd) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	it.ended = true
	dst = s.complete(dst, c, ev.Index)
	for c.turn < len(c.items) && c.items[c.turn].ended {
		c.items[c.turn] = &outItem{ended: true} // nothing of it is needed any more
		c.turn++
		if c.turn < len(c.items) {
			dst = s.release(dst, c, c.items[c.turn])
		}
	}
	return dst
}

// finish writes the last event.
func (s *streamEncoder) finish(dst []byte, ev ir.Finish) []byte {
	usage := ev.Usage
	if !usage.Reported && s.usage.Reported {
		usage = s.usage
	}
	tier := ev.ServiceTier
	if tier == "" {
		tier = s.start.ServiceTier
	}
	dst = s.frame(dst)
	w := jsondoc.NewWriter(dst)
	w.Object("")
	w.Array("candidates")
	for n, c := range s.choices {
		w.Object("")
		w.Object("content")
		w.Array("parts")
		w.Object("")
		w.Str("text", "")
		w.End()
		w.End()
		w.Str("role", "model")
		w.End()
		w.Str("finishReason", finishReason(c.stop, c.called, &s.losses, "choices["+strconv.Itoa(n)+"].stop"))
		w.Int("index", int64(n))
		(&grounding{}).write(w, ev.Extras, candidateAt(n))
		withExtras(w, ev.Extras, candidateAt(n))
		w.End()
	}
	w.End()
	writeTail(w, &s.losses, &tail{usage: &usage, tier: tier, extras: ev.Extras, model: s.model, id: s.answer})
	w.End()
	dst = s.close(w.Bytes())
	if s.framing == wire.FramingJSONArray {
		dst = append(dst, ']')
	}
	s.over = true
	return dst
}
