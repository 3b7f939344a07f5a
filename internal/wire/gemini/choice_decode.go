package gemini

import (
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// choice is one candidate while it is read. It has one item open at a time: a
// part of another kind closes it.
type choice struct {
	d     *decoder
	index int
	next  int // index of the open item, or of the next one
	open  itemKind
	// part is the open part of a message; fresh says that the next text begins
	// another one, since the last is sealed or no text.
	part  int
	fresh bool
	// text is the open message's text part so far, for positions in it.
	text     offsets
	pending  []stretch // citations of this event
	adrift   bool      // one of them found no text
	ground   *jsondoc.Object
	cited    map[citeMark]bool
	args     *argsBuilder // of the call that is being streamed
	called   bool
	reason   string
	stop     ir.Stop
	logprobs []ir.Logprob
}

type itemKind uint8

const (
	itemNone itemKind = iota
	itemMessage
	itemThought
	itemCall
)

func (c *choice) content(o *jsondoc.Object) {
	o.Str("role")
	for n, v := range list(o.Get("parts")) {
		p := readPiece(v)
		switch p.kind {
		case pieceText:
			c.say(p)
			base := c.text.size - len(p.text)
			if n == 0 { // of a stream: positions in all of the text
				base = 0
			}
			c.giveCitations(int64(n), base)
		case pieceThought:
			c.think(p)
		case pieceMedia:
			c.add(p)
		case pieceCall:
			c.call(p)
		case pieceResult: // no model makes results
			c.add(piece{kind: pieceMedia, content: ir.Opaque{Dialect: own, Type: "functionResponse", Raw: v.Raw()}})
			p.extras = nil
		}
		for _, e := range p.extras {
			c.d.losses.Lose(ir.OutputPath(c.index, max(c.next, 0))+".extras."+e.Path, "a member of an answer's part that has no place")
		}
	}
	c.giveCitations(-1, 0)
	if extras := rest(nil, o, ""); len(extras) > 0 {
		c.d.losses.Lose(ir.OutputPath(c.index, c.next)+".extras", "members of an answer's content that have no place")
	}
}

// close ends the open item.
func (c *choice) close() {
	if c.open == itemNone {
		return
	}
	if c.open == itemCall {
		c.delta(c.args.end())
		c.args = nil
	}
	c.d.emit(ir.ItemEnd{Choice: c.index, Index: c.next})
	c.next++
	c.open = itemNone
}

func (c *choice) begin(kind itemKind, shell ir.Item) {
	c.close()
	c.open, c.part, c.fresh = kind, 0, false
	c.text, c.cited = offsets{}, nil
	c.d.emit(ir.ItemStart{Choice: c.index, Index: c.next, Item: shell})
}

func (c *choice) openMessage() {
	if c.open != itemMessage {
		c.begin(itemMessage, ir.Message{Role: ir.RoleAssistant})
		c.part = -1
		c.fresh = true
	}
}

// say adds text. A signature seals the part that it comes with or behind; what
// follows is another part.
func (c *choice) say(p piece) {
	if p.text == "" && p.private == nil {
		return
	}
	c.openMessage()
	if c.fresh && (p.text != "" || c.part < 0 || p.private != nil) {
		c.part, c.fresh, c.text, c.cited = c.part+1, false, offsets{}, nil
		if p.text == "" { // a seal alone needs a part to be on
			c.d.emit(ir.TextDelta{Choice: c.index, Index: c.next, Part: c.part})
		}
	}
	if p.text != "" {
		c.text.add(p.text)
		c.d.emit(ir.TextDelta{Choice: c.index, Index: c.next, Part: c.part, Text: p.text, Logprobs: c.logprobs})
		c.logprobs = nil
	}
	if p.private != nil {
		c.d.emit(ir.Sealed{Choice: c.index, Index: c.next, Part: c.part, Private: *p.private})
		c.fresh = true
	}
}

// flushLogprobs gives what no text of the event took to the open text.
func (c *choice) flushLogprobs() {
	if len(c.logprobs) == 0 {
		return
	}
	if c.open == itemMessage && c.part >= 0 && !c.fresh {
		c.d.emit(ir.TextDelta{Choice: c.index, Index: c.next, Part: c.part, Logprobs: c.logprobs})
	} else {
		c.d.losses.Lose(ir.OutputPath(c.index, c.next)+".logprobs", "of tokens that are no text")
	}
	c.logprobs = nil
}

// add adds a part that comes whole.
func (c *choice) add(p piece) {
	c.openMessage()
	c.part++
	c.fresh = true
	c.text = offsets{}
	c.d.emit(ir.PartAdded{Choice: c.index, Index: c.next, Part: c.part, Content: p.content})
}

// think adds to the open thought; behind its seal begins another.
func (c *choice) think(p piece) {
	if p.text == "" && p.private == nil {
		return
	}
	if c.open != itemThought || c.fresh {
		c.begin(itemThought, ir.Thought{})
	}
	if p.text != "" {
		c.d.emit(ir.ThoughtDelta{Choice: c.index, Index: c.next, Text: p.text})
	}
	if p.private != nil {
		c.d.emit(ir.Sealed{Choice: c.index, Index: c.next, Private: *p.private, Redacted: p.redacted})
		c.fresh = true
	}
}

func (c *choice) delta(text string) {
	if text != "" {
		c.d.emit(ir.ArgumentsDelta{Choice: c.index, Index: c.next, Text: text})
	}
}

// call reads a call: whole, or a piece of one whose arguments come bit by bit
// (Vertex AI, streamFunctionCallArguments). A piece with a name begins a call,
// and ends one whose last piece never came.
func (c *choice) call(p piece) {
	o := p.body
	name, more := o.Str("name"), o.Get("willContinue").Bool()
	goesOn := more != nil && *more
	if name != "" {
		id, carried := ir.OpenID(o.Str("id"))
		c.begin(itemCall, ir.ToolCall{ID: c.d.ids.Call(id, name), Kind: ir.ToolFunction, Name: name})
		c.args, c.called = &argsBuilder{}, true
		if p.private == nil {
			p.private = carried
		}
	} else if c.open != itemCall {
		if goesOn || o.Has("args") || o.Has("partialArgs") {
			o.Value().Fail("has no name and continues no call")
		}
		return
	}
	if p.private != nil { // before the arguments: other dialects carry it in the call's id
		c.d.emit(ir.Sealed{Choice: c.index, Index: c.next, Private: *p.private})
	}
	if o.Has("args") {
		if args := readArgs(o); args != "{}" || !goesOn { // the pieces are still to come
			c.delta(c.args.all(args))
		}
	}
	for _, v := range list(o.Get("partialArgs")) {
		text, err := c.args.add(v)
		if err != "" {
			v.Fail("%s", err)
			return
		}
		c.delta(text)
	}
	if extras := rest(nil, o, ""); len(extras) > 0 {
		c.d.losses.Lose(ir.OutputPath(c.index, c.next)+".extras", "members of a call that have no place")
	}
	if !goesOn {
		c.close()
	}
}
