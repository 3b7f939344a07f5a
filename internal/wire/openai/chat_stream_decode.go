package openai

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// StreamDecoder implements wire.Back. It takes what providers of Chat do in
// the wild: usage in the last choice or in an extension, a finish_reason that
// comes early or again, roles that repeat, calls that come whole, without
// index or id, all with index 0 (Google), or as the function_call of old.
func (Chat) StreamDecoder() wire.StreamDecoder { return &chatStream{} }

// chatStream reads one stream. A choice ends with the stream, since providers
// send more of it after its finish_reason.
type chatStream struct {
	started, over bool
	tier          string
	usage         ir.Usage
	choices       map[int]*chatChoice
	highest       int
	ids           ir.CallIDs
	extras        []ir.Extra
	meta          []string // members about the server that were seen
	lost          chatOnce
}

// Event implements wire.StreamDecoder.
func (s *chatStream) Event(dst []ir.Event, name, data []byte) ([]ir.Event, error) {
	switch {
	case s.over || len(data) == 0:
		return dst, nil
	case wire.IsDone(data):
		return s.finish(dst)
	}
	o, err := jsondoc.Parse(data, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return dst, wire.NotAnAnswer(err)
	}
	if string(name) == "error" || isFailure(data) || (!o.Has("choices") && o.Str("object") == "error") {
		s.over = true
		return append(dst, ir.Failed{Err: Chat{}.DecodeError(0, nil, data)}), nil
	}
	dst, err = s.chunk(dst, o, data)
	if err == nil && o.Err() != nil {
		err = wire.NotAnAnswer(o.Err())
	}
	return dst, err
}

func (s *chatStream) chunk(dst []ir.Event, o *jsondoc.Object, data []byte) ([]ir.Event, error) {
	choices := o.Array("choices")
	if tier := o.Str("service_tier"); tier != "" {
		s.tier = tier
	}
	if id := o.Str("id"); !s.started && (len(choices) > 0 || id != "") {
		s.started = true
		start := ir.Start{ID: id, Model: o.Str("model"), ServiceTier: s.tier}
		if at := o.Float("created"); at != nil {
			start.Created = int64(*at)
		}
		dst = append(dst, start)
	}
	var err error
	for _, v := range choices {
		if dst, err = s.choice(dst, v.Object()); err != nil {
			return dst, err
		}
	}
	if valueAfter(data, "usage") >= 0 {
		dst = s.progress(dst, data)
	}
	s.rest(o)
	return dst, nil
}

func (s *chatStream) progress(dst []ir.Event, data []byte) []ir.Event {
	u, ok := chatFindUsage(data)
	if !ok || (u == s.usage) {
		return dst
	}
	s.usage = u
	if !s.started {
		return dst
	}
	return append(dst, ir.Progress{Usage: u})
}

// Extras of a stream are bounded in number and in bytes of each.
const (
	chatMaxExtras     = 16
	chatMaxExtraBytes = 64 << 10
)

// rest keeps the last value of members that nobody knows.
func (s *chatStream) rest(o *jsondoc.Object) {
	for _, name := range [...]string{"object", "usage", "created", "model"} {
		o.Get(name)
	}
	for _, name := range s.meta {
		o.Get(name)
	}
	for _, e := range chatExtras(o, "") {
		switch {
		case chatMeta(e.Path):
			s.meta = append(s.meta, e.Path)
			s.lost.Note("extras."+e.Path, chatMetaWhy)
		case len(e.Raw) > chatMaxExtraBytes || !s.keep(e):
			s.lost.Lose("extras."+e.Path, "too much to keep until the end of the stream")
		}
	}
}

func (s *chatStream) keep(e ir.Extra) bool {
	for i := range s.extras {
		if s.extras[i].Path == e.Path {
			s.extras[i] = e
			return true
		}
	}
	if len(s.extras) < chatMaxExtras {
		s.extras = append(s.extras, e)
		return true
	}
	return false
}

// choice reads what a chunk says of one choice.
func (s *chatStream) choice(dst []ir.Event, o *jsondoc.Object) ([]ir.Event, error) {
	n := 0
	if at := o.Int("index"); at != nil {
		if *at < 0 || *at >= chatMaxChoices {
			return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider sent an answer with the index %d", *at)
		}
		n = int(*at)
	}
	c := s.choices[n]
	if c == nil {
		if s.choices == nil {
			s.choices = map[int]*chatChoice{}
		}
		c = &chatChoice{stream: s, n: n, open: -1}
		s.choices[n], s.highest = c, max(s.highest, n)
	}
	if reason := o.Str("finish_reason"); reason != "" {
		c.reason = reason
	}
	if sequence := chatSequence(o); sequence != "" {
		c.sequence = sequence
	}
	delta := o.Object("delta")
	if !delta.Present() && o.Has("message") && c.items == 0 {
		delta = o.Object("message")
	}
	var logprobs []ir.Logprob
	if o.Has("logprobs") {
		logprobs = chatLogprobs(o.Object("logprobs"))
	}
	dst, err := c.delta(dst, delta, logprobs)
	o.Get("usage")
	s.noteRest(n, o, delta)
	return dst, err
}

func (s *chatStream) noteRest(n int, choice, delta *jsondoc.Object) {
	for _, o := range []*jsondoc.Object{choice, delta} {
		for _, e := range chatExtras(o, "") {
			s.lost.Note("choices["+strconv.Itoa(n)+"].extras."+e.Path, "only "+chatName+" has it")
		}
	}
}

// finish ends the choices and the stream.
func (s *chatStream) finish(dst []ir.Event) ([]ir.Event, error) {
	s.over = true
	if !s.started || len(s.choices) == 0 {
		return dst, wire.NotAnAnswer(errNoAnswer)
	}
	var err error
	for n := range s.highest + 1 {
		if c := s.choices[n]; c != nil {
			if dst, err = c.finish(dst); err != nil {
				return dst, err
			}
		}
	}
	return append(dst, ir.Finish{Usage: s.usage, ServiceTier: s.tier, Extras: s.extras}), nil
}

// End implements wire.StreamDecoder: only [DONE] ends a stream.
func (s *chatStream) End(dst []ir.Event) ([]ir.Event, error) {
	if !s.over {
		return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider's answer was cut off: its stream ended without [DONE]")
	}
	return dst, nil
}

// Losses implements wire.StreamDecoder.
func (s *chatStream) Losses() []ir.Loss { return s.lost.List() }
