package openai

import (
	"bytes"
	"slices"
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/sse"
)

// StreamEncoder implements wire.Front: the role first, a chunk for every
// delta, finish_reason in a chunk of its own, the usage chunk if the client
// asked for it, [DONE].
func (Chat) StreamEncoder(req *ir.Request, _ wire.Framing, id tollgate.RequestID) wire.StreamEncoder {
	return &chatTeller{req: req, id: id, choices: map[int]*chatSpeaker{}}
}

// chatTeller writes one stream.
type chatTeller struct {
	req     *ir.Request
	id      tollgate.RequestID
	plain   []byte // what every chunk begins with, but for the tier
	head    []byte // … and with it
	tier    string
	choices map[int]*chatSpeaker
	scratch []byte
	over    bool
	lost    chatOnce
}

// Event implements wire.StreamEncoder.
func (t *chatTeller) Event(dst []byte, ev ir.Event) []byte {
	if t.over {
		return dst
	}
	switch ev := ev.(type) {
	case ir.Start:
		return t.start(dst, ev)
	case ir.ItemStart:
		return t.speaker(&dst, ev.Choice).begin(dst, ev)
	case ir.TextDelta:
		return t.choices[ev.Choice].text(dst, ev)
	case ir.RefusalDelta:
		return t.choices[ev.Choice].refuse(dst, ev)
	case ir.PartAdded:
		return t.choices[ev.Choice].part(dst, ev)
	case ir.Cited:
		return t.choices[ev.Choice].cite(dst, ev)
	case ir.ThoughtDelta:
		return t.choices[ev.Choice].think(dst, ev)
	case ir.ArgumentsDelta:
		return t.choices[ev.Choice].argue(dst, ev)
	case ir.Sealed:
		t.choices[ev.Choice].seal(ev)
		return dst
	case ir.ItemEnd:
		return t.choices[ev.Choice].end(dst, ev)
	case ir.Stopped:
		return t.speaker(&dst, ev.Choice).stop(dst, ev.Stop)
	case ir.Finish:
		return t.finish(dst, ev)
	case ir.Failed:
		return t.Error(dst, ev.Err)
	case ir.Ping:
		return t.Ping(dst)
	case ir.Progress:
	}
	return dst
}

// start writes the role at once, so that the client sees that it is heard.
func (t *chatTeller) start(dst []byte, ev ir.Start) []byte {
	w := jsondoc.NewWriter([]byte("{"))
	w.Str("id", chatID(ev.ID, t.id))
	w.Str("object", "chat.completion.chunk")
	w.Int("created", chatCreated(ev.Created, t.id))
	w.Str("model", t.req.Model)
	t.plain = w.Bytes()
	t.served(ev.ServiceTier)
	t.speaker(&dst, 0)
	return dst
}

// served makes the head of chunks from now on tell the tier.
func (t *chatTeller) served(tier string) {
	t.tier, t.head = tier, t.plain
	if tier != "" {
		t.head = append(slices.Clip(t.plain), `,"service_tier":`...)
		t.head = jsonscan.AppendString(t.head, tier)
	}
}

// speaker returns the state of choice n, which begins with its role.
func (t *chatTeller) speaker(dst *[]byte, n int) *chatSpeaker {
	s := t.choices[n]
	if s == nil {
		s = &chatSpeaker{teller: t, n: n, items: map[int]*chatLine{}}
		t.choices[n] = s
		*dst = s.delta(*dst, nil, func(w *jsondoc.Writer) {
			w.Str("role", "assistant")
			w.Str("content", "")
			w.Null("refusal")
		})
	}
	return s
}

// chunk appends a chunk; body writes its members behind the head.
func (t *chatTeller) chunk(dst []byte, body func(w *jsondoc.Writer)) []byte {
	t.scratch = append(append(t.scratch[:0], t.head...), ',')
	w := jsondoc.NewWriter(t.scratch)
	body(w)
	t.scratch = append(w.Bytes(), '}')
	if bytes.IndexByte(t.scratch, '\n') >= 0 { // raw JSON of a provider
		return sse.AppendEvent(dst, nil, t.scratch)
	}
	return append(append(append(dst, "data: "...), t.scratch...), '\n', '\n')
}

func (t *chatTeller) finish(dst []byte, ev ir.Finish) []byte {
	t.over = true
	if len(t.choices) == 0 {
		t.speaker(&dst, 0)
	}
	t.lost.Extras("", ev.Extras, chatName)
	late := ev.ServiceTier != "" && ev.ServiceTier != t.tier
	if !t.req.Form.StreamUsage || !ev.Usage.Reported {
		if ev.Usage.Reported {
			t.lost.Note("usage", "the client did not ask for it")
		}
		if late {
			t.lost.Note("service_tier", "it came too late for the client")
		}
		t.lost.Extras("", ev.Extras, "")
		return append(dst, "data: [DONE]\n\n"...)
	}
	if late {
		t.served(ev.ServiceTier)
	}
	dst = t.chunk(dst, func(w *jsondoc.Writer) {
		w.Array("choices")
		w.End()
		writeChatUsage(w, ev.Usage)
		noteChatUsage(&t.lost, ev.Usage)
		chatNested(w, ev.Extras, "")
	})
	return append(dst, "data: [DONE]\n\n"...)
}

// Error implements wire.StreamEncoder.
func (t *chatTeller) Error(dst []byte, e *tollgate.Error) []byte {
	t.over = true
	return append(dst, Chat{}.ErrorEvent(e, wire.FramingSSE, 0, t.id)...)
}

// Ping implements wire.StreamEncoder: a comment, since Chat has no ping.
func (t *chatTeller) Ping(dst []byte) []byte { return append(dst, ": ping\n\n"...) }

// Losses implements wire.StreamEncoder.
func (t *chatTeller) Losses() []ir.Loss { return t.lost.List() }

// chatItems is the path of all items of choice n.
func chatItems(n int) string { return "choices[" + strconv.Itoa(n) + "].items" }
