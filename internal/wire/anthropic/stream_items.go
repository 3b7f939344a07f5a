package anthropic

import (
	"encoding/json"
	"strconv"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// itemState is the item that is being written.
type itemState struct {
	index int
	at    string // its path
	first int    // its first block
	shell ir.Item
	open  bool // a block is open
	begun bool // its block has begun
	part  int  // the part that the open block holds
	cites cites
	// private is the seal as far as it has come.
	private  *ir.Private
	redacted bool
	texts    int // how many texts of a thought have begun
}

// cites counts the citations of a part, those that are lost too.
type cites struct{ part, n int }

// next is the number of the next citation of part k.
func (c *cites) next(k int) int {
	if c.part != k {
		c.part, c.n = k, 0
	}
	c.n++
	return c.n - 1
}

// write writes an event of the item whose turn it is.
func (e *streamEncoder) write(dst []byte, ev ir.Event) []byte {
	switch x := ev.(type) {
	case ir.ItemStart:
		return e.openItem(dst, x)
	case ir.TextDelta:
		return e.say(dst, x.Part, x.Text, len(x.Logprobs) > 0)
	case ir.RefusalDelta:
		e.Note(ir.PartPath(e.item.at, x.Part), "a refusal is written as text")
		return e.say(dst, x.Part, x.Text, false)
	case ir.PartAdded:
		return e.addPart(dst, x.Part, x.Content)
	case ir.Cited:
		return e.cite(dst, x.Part, x.Citation)
	case ir.ThoughtDelta:
		return e.think(dst, x.Part, x.Text)
	case ir.ArgumentsDelta:
		return e.arguments(dst, x.Text)
	case ir.Sealed:
		e.seal(x)
	case ir.ItemEnd:
		return e.closeItem(dst)
	case ir.Start, ir.Stopped, ir.Progress, ir.Ping, ir.Failed, ir.Finish:
	}
	return dst
}

func (e *streamEncoder) openItem(dst []byte, ev ir.ItemStart) []byte {
	e.item = itemState{index: ev.Index, at: ir.OutputPath(0, ev.Index), first: e.blocks, shell: ev.Item, part: -1}
	switch x := ev.Item.(type) {
	case ir.Message:
		e.messageNotes(e.item.at, x)
	case ir.ToolCall:
		e.calls, e.item.private = true, x.Private
	case ir.Thought:
		e.thoughtNotes(e.item.at, x)
		e.item.private, e.item.redacted = x.Private, x.Redacted
	case ir.Opaque:
		if x.Dialect != own {
			e.Lose(e.item.at, "only "+x.Dialect+" has it")
			return dst
		}
		dst = e.begin(dst, func(w *jsondoc.Writer) { w.Raw("content_block", x.Raw) })
	case ir.ToolResult:
		e.Lose(e.item.at, "answers of Anthropic hold no results of clients' tools")
	}
	return dst
}

// say adds text to part k, in a block of its own.
func (e *streamEncoder) say(dst []byte, k int, text string, logprobs bool) []byte {
	e.loseIf(logprobs, ir.PartPath(e.item.at, k)+".logprobs", "Anthropic tells no probabilities")
	if text == "" {
		return dst
	}
	return e.delta(e.openText(dst, k), "text_delta", "text", text)
}

func (e *streamEncoder) openText(dst []byte, k int) []byte {
	if e.item.open && e.item.part == k {
		return dst
	}
	dst = e.end(dst)
	e.item.part, e.item.begun = k, true
	return e.begin(dst, func(w *jsondoc.Writer) {
		w.Object("content_block")
		w.Str("type", "text")
		w.Str("text", "")
		w.End()
	})
}

func (e *streamEncoder) cite(dst []byte, k int, c ir.Citation) []byte {
	at := ir.PartPath(e.item.at, k) + ".citations[" + strconv.Itoa(e.item.cites.next(k)) + "]"
	w := jsondoc.NewWriter(nil)
	if !writeCitation(w, c) {
		e.Lose(at, "Anthropic cites pages and documents by their place alone")
		return dst
	}
	lostOfCitation(&e.losses, at, c)
	dst = e.openText(dst, k)
	return e.frame(dst, "content_block_delta", func(f *jsondoc.Writer) {
		f.Int("index", int64(e.blocks-1))
		f.Object("delta")
		f.Str("type", "citations_delta")
		f.Raw("citation", w.Bytes())
		f.End()
	})
}

// addPart writes a part that comes whole as a block of its own.
func (e *streamEncoder) addPart(dst []byte, k int, p ir.Part) []byte {
	e.w = jsondoc.NewWriter(nil)
	e.w.Array("")
	n := e.part(ir.PartPath(e.item.at, k), ir.RoleAssistant, p, nil, "")
	e.w.End()
	if n == 0 {
		return dst
	}
	dst = e.end(dst)
	block := e.w.Bytes()[1 : e.w.Len()-1]
	e.item.part, e.item.begun = k, true
	dst = e.begin(dst, func(w *jsondoc.Writer) { w.Raw("content_block", json.RawMessage(block)) })
	return e.end(dst)
}

// think adds to a thought. One block holds all its texts.
func (e *streamEncoder) think(dst []byte, k int, text string) []byte {
	dst = e.openThought(dst)
	if k >= e.item.texts {
		if e.item.texts > 0 {
			e.Note(e.item.at+".texts", "joined into one")
			dst = e.delta(dst, "thinking_delta", "thinking", thoughtBreak)
		}
		e.item.texts = k + 1
	}
	if text == "" {
		return dst
	}
	return e.delta(dst, "thinking_delta", "thinking", text)
}

func (e *streamEncoder) openThought(dst []byte) []byte {
	if e.item.begun {
		return dst
	}
	e.item.begun = true
	t, _ := e.item.shell.(ir.Thought)
	return e.begin(dst, func(w *jsondoc.Writer) {
		w.Object("content_block")
		w.Str("type", "thinking")
		w.Str("thinking", "")
		w.Str("signature", "")
		writeExtras(w, t.Extras, "")
		w.End()
	})
}

// openCall begins a call. Its id may carry a seal, so that it waits for the
// first argument.
func (e *streamEncoder) openCall(dst []byte) []byte {
	c, ok := e.item.shell.(ir.ToolCall)
	if e.item.begun || !ok {
		return dst
	}
	e.item.begun = true
	c.Private = e.item.private
	e.callNotes(e.item.at, c)
	dst = e.begin(dst, func(w *jsondoc.Writer) {
		w.Object("content_block")
		w.Str("type", "tool_use")
		w.Str("id", e.callID(e.item.at, c))
		w.Str("name", e.toolName(e.item.at, c.Name, c.Namespace))
		w.Object("input")
		w.End()
		writeExtras(w, c.Extras, "")
		w.End()
	})
	dst = e.delta(dst, "input_json_delta", "partial_json", "")
	if c.Kind == ir.ToolCustom {
		dst = e.delta(dst, "input_json_delta", "partial_json", `{"input":"`)
	}
	return dst
}

func (e *streamEncoder) arguments(dst []byte, text string) []byte {
	dst = e.openCall(dst)
	if c, ok := e.item.shell.(ir.ToolCall); ok && c.Kind == ir.ToolCustom {
		quoted := jsonscan.AppendString(nil, text)
		text = string(quoted[1 : len(quoted)-1])
	}
	if text == "" {
		return dst
	}
	return e.delta(dst, "input_json_delta", "partial_json", text)
}

func (e *streamEncoder) seal(x ir.Sealed) {
	switch e.item.shell.(type) {
	case ir.ToolCall:
		e.loseIf(e.item.begun && !ownSeal(&x.Private), e.item.at+".private", "it came after the call's id was written")
	case ir.Thought:
		e.item.redacted = e.item.redacted || x.Redacted
	case ir.Message:
		e.Note(ir.PartPath(e.item.at, x.Part)+".private", "Anthropic has no place for a sealed text")
	case ir.ToolResult, ir.Opaque:
	}
	e.item.private = &x.Private
}

// closeItem ends the item whose turn it is.
func (e *streamEncoder) closeItem(dst []byte) []byte {
	switch x := e.item.shell.(type) {
	case ir.ToolCall:
		dst = e.openCall(dst)
		if x.Kind == ir.ToolCustom {
			dst = e.delta(dst, "input_json_delta", "partial_json", `"}`)
		}
	case ir.Thought:
		dst = e.closeThought(dst, x)
	case ir.Message:
		e.noteIf(!e.item.begun, e.item.at, "an empty message")
	case ir.ToolResult, ir.Opaque:
	}
	e.wrote(e.item.index, e.item.shell, e.blocks > e.item.first)
	return e.end(dst)
}

func (e *streamEncoder) closeThought(dst []byte, t ir.Thought) []byte {
	p := e.item.private
	switch {
	case !e.item.begun && p == nil:
		e.Note(e.item.at, "an empty thought")
		return dst
	case !e.item.begun && e.item.redacted:
		return e.begin(dst, func(w *jsondoc.Writer) {
			w.Object("content_block")
			w.Str("type", "redacted_thinking")
			w.Str("data", signature(p))
			writeExtras(w, t.Extras, "")
			w.End()
		})
	}
	e.noteIf(e.item.redacted, e.item.at+".redacted", "written as a thought with its text")
	dst = e.openThought(dst)
	if p == nil {
		return dst
	}
	return e.delta(dst, "signature_delta", "signature", signature(p))
}
