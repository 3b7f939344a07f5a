package gemini

import (
	"strconv"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// open takes a new item. What is whole already is written.
func (s *streamEncoder) open(dst []byte, ev ir.ItemStart) []byte {
	c := s.choice(ev.Choice)
	c.items = append(c.items, &outItem{shell: ev.Item, part: -1})
	at := ir.OutputPath(ev.Choice, ev.Index)
	switch x := ev.Item.(type) {
	case ir.Message:
		c.thought = false
		setApart(c.thoughts)
		answerMessage(&s.losses, at, &x)
	case ir.ToolCall:
		c.text, c.thought, c.called = false, false, true
	case ir.Thought:
		if c.thought {
			sameThought(&s.losses, c.last, at)
		}
		c.text, c.thought, c.last = false, true, at
		if x.ID != "" {
			s.losses.Note(at+".id", "Gemini's thoughts have no ids")
		}
		if x.Raw {
			s.losses.Note(at+".raw", "Gemini does not tell it from a summary")
		}
	case ir.ToolResult:
		s.losses.Lose(at, "Gemini's answers hold no results of tools")
	case ir.Opaque:
		if x.Dialect == own { // others are not written, so that texts around them meet
			c.text, c.thought = false, false
		}
		dst = s.givePart(dst, c, ev.Index, func(p *parts) { p.part(at, x, nil, "") })
	}
	return dst
}

// enter goes to part n of a message.
func (s *streamEncoder) enter(c *candidate, it *outItem, choice, index, n int) {
	if n == it.part {
		return
	}
	at := ir.OutputPath(choice, index)
	if c.text {
		sameText(&s.losses, c.last, at)
	} else {
		c.run = 0
	}
	it.part, it.offset, it.base, it.cites, c.last = n, offsets{}, c.run, 0, at
}

func (s *streamEncoder) textDelta(dst []byte, ev ir.TextDelta) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	if ev.Text == "" && len(ev.Logprobs) == 0 {
		return dst
	}
	s.enter(c, it, ev.Choice, ev.Index, ev.Part)
	c.text, it.begun = true, true
	it.offset.add(ev.Text)
	c.run = it.base + int64(it.offset.size)
	if len(ev.Logprobs) == 0 {
		return s.fast(dst, c, ev.Index, ev.Text, false)
	}
	at := ir.PartPath(ir.OutputPath(ev.Choice, ev.Index), ev.Part)
	w := jsondoc.NewWriter(make([]byte, 0, 512))
	w.Object("")
	w.Object("content")
	w.Array("parts")
	w.Object("")
	w.Str("text", ev.Text)
	w.End()
	w.End()
	w.Str("role", "model")
	w.End()
	writeLogprobs(w, appendLogprobs(nil, ev.Logprobs, &s.losses, at))
	return s.give(dst, c, ev.Index, w.Bytes()[1:])
}

func (s *streamEncoder) refusal(dst []byte, ev ir.RefusalDelta) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	s.enter(c, it, ev.Choice, ev.Index, ev.Part)
	s.losses.Note(ir.PartPath(ir.OutputPath(ev.Choice, ev.Index), ev.Part), "Gemini has no refusals: plain text")
	if ev.Text == "" {
		return dst
	}
	c.text, it.begun = true, true
	it.offset.add(ev.Text)
	c.run = it.base + int64(it.offset.size)
	return s.fast(dst, c, ev.Index, ev.Text, false)
}

func (s *streamEncoder) added(dst []byte, ev ir.PartAdded) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	it.part, it.begun = ev.Part, true
	c.text = false
	it.offset, it.base = offsets{}, 0
	at := ir.PartPath(ir.OutputPath(ev.Choice, ev.Index), ev.Part)
	return s.givePart(dst, c, ev.Index, func(p *parts) { p.part(at, ev.Content, nil, "") })
}

// cited keeps a citation until the text is complete, since positions may lie
// ahead of what has come.
func (s *streamEncoder) cited(ev ir.Cited) {
	c, it := s.item(ev.Choice, ev.Index)
	at := ir.PartPath(ir.OutputPath(ev.Choice, ev.Index), ev.Part)
	if ev.Part < it.part {
		s.losses.Lose(at+".citations", "one of a text that is over")
		return
	}
	s.enter(c, it, ev.Choice, ev.Index, ev.Part) // it may come before its text
	before := len(it.ground.supports)
	it.ground.add(&ev.Citation, &it.offset, 0, &s.losses, at+".citations["+strconv.Itoa(it.cites)+"]")
	it.cites++
	if n := len(it.ground.supports); n > before {
		it.ground.supports[n-1].from += it.base
		it.ground.supports[n-1].to += it.base
	}
}

func (s *streamEncoder) thoughtDelta(dst []byte, ev ir.ThoughtDelta) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	at := ir.OutputPath(ev.Choice, ev.Index) + ".texts"
	if ev.Part > 0 {
		s.losses.Note(at, "readers take them for one")
	}
	if ev.Text == "" {
		s.losses.Note(at, "empty ones are left out")
		return dst
	}
	it.begun = true
	c.keep(it, ev.Part, ev.Text)
	return s.fast(dst, c, ev.Index, ev.Text, true)
}

// keep adds to the text of a thought that the next call brings along.
func (c *candidate) keep(it *outItem, part int, text string) {
	for len(it.texts) <= part {
		it.texts = append(it.texts, nil)
	}
	if c.kept += len(text); c.kept <= maxKept {
		it.texts[part] = append(it.texts[part], text...)
	}
}

// keptTexts returns the texts of a thought.
func keptTexts(texts [][]byte) []string {
	out := make([]string, len(texts))
	for i, t := range texts {
		out[i] = string(t)
	}
	return out
}

func (s *streamEncoder) arguments(ev ir.ArgumentsDelta) {
	_, it := s.item(ev.Choice, ev.Index)
	if len(it.args)+len(ev.Text) > maxArgs {
		s.losses.Lose(ir.OutputPath(ev.Choice, ev.Index)+".arguments", "too long")
		return
	}
	it.args = append(it.args, ev.Text...)
}

// sealed writes the seal behind the text that it belongs to; a call keeps it
// until it is complete.
func (s *streamEncoder) sealed(dst []byte, ev ir.Sealed) []byte {
	c, it := s.item(ev.Choice, ev.Index)
	switch it.shell.(type) {
	case ir.ToolCall:
		it.seal = &ev.Private
	case ir.Thought:
		it.begun = true
		if c.kept += len(ev.Private.Data); c.kept <= maxKept { // else clients that drop thoughts have lost it
			c.thoughts = keepThought(c.thoughts, &ev.Private, ev.Redacted, keptTexts(it.texts))
		}
		dst = s.givePart(dst, c, ev.Index, func(p *parts) {
			p.open()
			p.w.Str("text", "")
			p.w.Bool("thought", true)
			p.seal("", &ev.Private, ev.Redacted)
			p.close(nil, "")
		})
		c.thought = false
	case ir.Message:
		s.enter(c, it, ev.Choice, ev.Index, ev.Part)
		it.begun = true
		dst = s.givePart(dst, c, ev.Index, func(p *parts) {
			p.open()
			p.w.Str("text", "")
			p.seal("", &ev.Private, false)
			p.close(nil, "")
		})
		c.text = false
	case ir.ToolResult, ir.Opaque:
	}
	return dst
}

// complete writes what could only be written when an item is over.
func (s *streamEncoder) complete(dst []byte, c *candidate, index int) []byte {
	it := c.items[index]
	at := ir.OutputPath(c.index, index)
	switch x := it.shell.(type) {
	case ir.ToolCall:
		x.Arguments, x.Private = string(it.args), it.seal
		it.args = nil
		thoughts := c.thoughts
		c.thoughts, c.kept = nil, 0
		return s.givePart(dst, c, index, func(p *parts) { answerCall(p, at, &x, thoughts) })
	case ir.Message:
		if !it.begun {
			s.losses.Note(at, "a message without content")
		}
		if len(it.ground.supports) == 0 {
			return dst
		}
		w := jsondoc.NewWriter(make([]byte, 0, 512))
		w.Object("")
		it.ground.write(w, nil, "")
		return s.give(dst, c, index, w.Bytes()[1:])
	case ir.Thought:
		if !it.begun {
			s.losses.Note(at, "a thought without content")
		}
	case ir.ToolResult, ir.Opaque:
	}
	return dst
}
