package openai

import (
	"unicode/utf8"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// chatSpeaker writes one choice of a stream. It keeps counts and its open
// items, never what was said.
type chatSpeaker struct {
	teller   *chatTeller
	n        int
	items    map[int]*chatLine
	stage    int   // of the latest item: thought, message, call
	messages int   // begun so far
	said     int64 // characters of content
	hasText  bool
	refused  bool
	thought  int // bytes of reasoning_content
	thoughts int // begun so far
	sounds   int
	calls    int
}

// chatLine is an open item.
type chatLine struct {
	at    string // its path
	item  ir.Item
	nth   int   // among its kind, from 0
	part  int   // the latest part, -1 = none
	base  int64 // where the part begins, in characters of content
	cited int   // citations of the part so far
	spans []int // of a thought

	call    ir.ToolCall
	custom  bool // a function that is a custom tool for the client
	started bool
	input   ir.InputReader
	seal    *ir.Private
	hidden  bool // nothing of it is written
	redacts bool
}

// delta writes a chunk with a delta.
func (s *chatSpeaker) delta(dst []byte, logprobs []ir.Logprob, body func(w *jsondoc.Writer)) []byte {
	return s.teller.chunk(dst, func(w *jsondoc.Writer) {
		w.Array("choices")
		w.Object("")
		w.Int("index", int64(s.n))
		w.Object("delta")
		body(w)
		w.End()
		if logprobs != nil {
			chatWriteLogprobs(w, logprobs)
		} else {
			w.Null("logprobs")
		}
		w.Null("finish_reason")
		w.End()
		w.End()
		if s.teller.req.Form.StreamUsage {
			w.Null("usage")
		}
	})
}

// say writes a delta of one string.
func (s *chatSpeaker) say(dst []byte, name, text string, logprobs []ir.Logprob) []byte {
	return s.delta(dst, logprobs, func(w *jsondoc.Writer) { w.Str(name, text) })
}

func (s *chatSpeaker) begin(dst []byte, ev ir.ItemStart) []byte {
	l := &chatLine{at: ir.OutputPath(s.n, ev.Index), item: ev.Item, part: -1}
	s.items[ev.Index] = l
	stage, lost := s.stage, &s.teller.lost
	switch x := ev.Item.(type) {
	case ir.Thought:
		stage, l.nth = 0, s.thoughts
		s.thoughts++
	case ir.Message:
		stage, l.nth = 1, s.messages
		s.messages++
		if x.Phase != "" {
			lost.Note(l.at+".phase", "messages of Chat have no phase")
		}
		lost.Extras(l.at, x.Extras, "") // there is no place for them
	case ir.ToolCall:
		stage = 2
		s.beginCall(l, x)
	case ir.ToolResult:
		l.hidden = true
		lost.Lose(l.at, "answers of Chat hold no results")
	case ir.Opaque:
		l.hidden = true
		lost.Lose(l.at, "only "+x.Dialect+" has "+x.Type)
	}
	if stage < s.stage || (stage == 1 && s.messages > 1) {
		lost.Note(chatItems(s.n), chatOneMessage)
	}
	s.stage = max(s.stage, stage)
	return dst
}

// reach moves on to a part of a message.
func (s *chatSpeaker) reach(l *chatLine, part int) {
	if part > l.part {
		l.part, l.base, l.cited = part, s.said, 0
	}
	if part > 0 {
		s.teller.lost.Note(l.at+".parts", "the parts of an answer are sorted by kind and joined")
	}
}

func (s *chatSpeaker) text(dst []byte, ev ir.TextDelta) []byte {
	l := s.items[ev.Index]
	if ev.Text == "" && ev.Logprobs == nil {
		return dst
	}
	gap := ""
	if l.nth > 0 && l.part < 0 && s.hasText {
		gap = chatGap
		s.said += int64(len(gap))
	}
	s.reach(l, ev.Part)
	s.hasText = true
	s.said += int64(utf8.RuneCountInString(ev.Text))
	return s.say(dst, "content", gap+ev.Text, ev.Logprobs)
}

func (s *chatSpeaker) refuse(dst []byte, ev ir.RefusalDelta) []byte {
	s.reach(s.items[ev.Index], ev.Part)
	if ev.Text == "" {
		return dst
	}
	s.refused = true
	return s.say(dst, "refusal", ev.Text, nil)
}

func (s *chatSpeaker) part(dst []byte, ev ir.PartAdded) []byte {
	l, lost := s.items[ev.Index], &s.teller.lost
	s.reach(l, ev.Part)
	at := ir.PartPath(l.at, ev.Part)
	switch x := ev.Content.(type) {
	case ir.Image:
		if chatShowable(lost, at, x) {
			return s.delta(dst, nil, func(w *jsondoc.Writer) {
				w.Array("images")
				chatWriteImage(w, x)
				w.End()
			})
		}
	case ir.Audio:
		if chatAudible(lost, at, x, s.sounds > 0) {
			s.sounds++
			return s.delta(dst, nil, func(w *jsondoc.Writer) { chatWriteAudio(w, x, s.teller.id) })
		}
	case ir.File:
		lost.Lose(at, "answers of Chat hold no files")
	case ir.Opaque:
		lost.Lose(at, "answers of Chat hold no "+x.Type)
	case ir.Text, ir.Refusal: // these come as deltas
	}
	return dst
}

func (s *chatSpeaker) cite(dst []byte, ev ir.Cited) []byte {
	l := s.items[ev.Index]
	s.reach(l, ev.Part)
	s.hasText = true
	at := chatCitationPath(ir.PartPath(l.at, ev.Part), l.cited)
	l.cited++
	c, ok := chatCite(&s.teller.lost, at, ev.Citation, l.base, s.said-l.base)
	if !ok {
		return dst
	}
	return s.delta(dst, nil, func(w *jsondoc.Writer) {
		w.Array("annotations")
		chatWriteCitation(w, c)
		w.End()
	})
}

func (s *chatSpeaker) think(dst []byte, ev ir.ThoughtDelta) []byte {
	l, text := s.items[ev.Index], ev.Text
	if ev.Part > l.part {
		l.part = ev.Part
		if s.thought > 0 {
			text = chatGap + text
			s.thought += len(chatGap)
		}
		l.spans = append(l.spans, s.thought, s.thought)
	}
	s.thought += len(ev.Text)
	l.spans[len(l.spans)-1] = s.thought
	if text == "" {
		return dst
	}
	return s.say(dst, "reasoning_content", text, nil)
}

func (s *chatSpeaker) seal(ev ir.Sealed) {
	l := s.items[ev.Index]
	switch l.item.(type) {
	case ir.Thought:
		l.seal, l.redacts = &ev.Private, ev.Redacted
	case ir.ToolCall:
		if l.started && !s.teller.req.Form.FunctionCall {
			s.teller.lost.Lose(l.at+".private", "the seal came after the id of the call, which carries it")
		}
		l.seal = &ev.Private
	case ir.Message:
		s.teller.lost.Note(ir.PartPath(l.at, ev.Part)+".private", "texts of Chat carry no seal")
	case ir.ToolResult, ir.Opaque:
	}
}

func (s *chatSpeaker) end(dst []byte, ev ir.ItemEnd) []byte {
	l := s.items[ev.Index]
	delete(s.items, ev.Index)
	switch x := l.item.(type) {
	case ir.Thought:
		return s.endThought(dst, l, x)
	case ir.ToolCall:
		return s.endCall(dst, l)
	case ir.Message:
		if l.part < 0 {
			s.teller.lost.Note(l.at, "it says nothing")
		}
	case ir.ToolResult, ir.Opaque:
	}
	return dst
}

func (s *chatSpeaker) endThought(dst []byte, l *chatLine, t ir.Thought) []byte {
	t.Private, t.Redacted = l.seal, t.Redacted || l.redacts
	t.Texts = make([]string, len(l.spans)/2)
	chatNoteThought(&s.teller.lost, l.at, t, l.nth > 0)
	if !t.Raw {
		s.teller.lost.Note(l.at+".raw", "Chat does not tell summaries from thoughts")
	}
	if len(t.Texts) > 1 {
		s.teller.lost.Note(l.at+".texts", "the texts of a thought are joined")
	}
	if t.Private == nil {
		return dst
	}
	return s.delta(dst, nil, func(w *jsondoc.Writer) {
		w.Array("reasoning_details")
		seal := chatSeal{thought: t, spans: l.spans}
		seal.write(w, l.nth)
		w.End()
	})
}

func (s *chatSpeaker) beginCall(l *chatLine, c ir.ToolCall) {
	l.call = chatRestored(&s.teller.lost, l.at, s.teller.req, c)
	l.custom = l.call.Kind == ir.ToolCustom && c.Kind != ir.ToolCustom
	if l.seal = c.Private; s.teller.req.Form.FunctionCall {
		s.teller.lost.Note(l.at+".id", "a function_call has no id")
		if l.hidden = s.calls > 0; l.hidden {
			s.teller.lost.Lose(l.at, "the client can take one function_call at a time")
		}
	}
	l.nth = s.calls
	s.calls++
}

// startCall writes the first chunk of a call. It waits for the arguments, since
// a seal that the id has to carry comes before them.
func (s *chatSpeaker) startCall(dst []byte, l *chatLine, piece string) []byte {
	l.started = true
	l.call.Private, l.call.Arguments = l.seal, piece
	return s.delta(dst, nil, func(w *jsondoc.Writer) {
		if s.teller.req.Form.FunctionCall {
			w.Object("function_call")
			w.Str("name", ir.FlatName(l.call.Namespace, l.call.Name))
			w.Str("arguments", piece)
			w.End()
			return
		}
		w.Array("tool_calls")
		w.Object("")
		w.Int("index", int64(l.nth))
		chatWriteCall(w, l.call)
		w.End()
		w.End()
	})
}

func (s *chatSpeaker) argue(dst []byte, ev ir.ArgumentsDelta) []byte {
	l := s.items[ev.Index]
	if l.custom {
		ev.Text = l.input.Next(ev.Text)
	}
	return s.argument(dst, l, ev.Text)
}

func (s *chatSpeaker) argument(dst []byte, l *chatLine, piece string) []byte {
	switch {
	case l.hidden || (piece == "" && l.started):
		return dst
	case !l.started:
		for n := range l.nth { // clients take the calls in order of their index
			if earlier := s.unstarted(n); earlier != nil {
				dst = s.startCall(dst, earlier, "")
			}
		}
		return s.startCall(dst, l, piece)
	case s.teller.req.Form.FunctionCall:
		return s.delta(dst, nil, func(w *jsondoc.Writer) {
			w.Object("function_call")
			w.Str("arguments", piece)
			w.End()
		})
	}
	kind, member := "function", "arguments"
	if l.call.Kind == ir.ToolCustom {
		kind, member = "custom", "input"
	}
	return s.delta(dst, nil, func(w *jsondoc.Writer) {
		w.Array("tool_calls")
		w.Object("")
		w.Int("index", int64(l.nth))
		w.Object(kind)
		w.Str(member, piece)
		w.End()
		w.End()
		w.End()
	})
}

// unstarted is the nth call if nothing of it has been written.
func (s *chatSpeaker) unstarted(nth int) *chatLine {
	for _, l := range s.items {
		if _, ok := l.item.(ir.ToolCall); ok && l.nth == nth && !l.started && !l.hidden {
			return l
		}
	}
	return nil
}

func (s *chatSpeaker) endCall(dst []byte, l *chatLine) []byte {
	rest := ""
	if l.custom {
		rest = l.input.End()
	}
	return s.argument(dst, l, rest)
}

// stop writes the chunk with the reason of the end.
func (s *chatSpeaker) stop(dst []byte, stop ir.Stop) []byte {
	form := chatForm{calls: s.calls > 0, refused: s.refused, legacy: s.teller.req.Form.FunctionCall}
	return s.teller.chunk(dst, func(w *jsondoc.Writer) {
		w.Array("choices")
		w.Object("")
		w.Int("index", int64(s.n))
		w.Object("delta")
		w.End()
		w.Null("logprobs")
		chatFinish(w, &s.teller.lost, s.n, stop, form)
		w.End()
		w.End()
		if s.teller.req.Form.StreamUsage {
			w.Null("usage")
		}
	})
}
