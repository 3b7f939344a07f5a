package anthropic

import (
	"encoding/json"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// maxMarks is how many cache marks the vendor takes.
const maxMarks = 4

// blockWriter writes content blocks, of a request or of an answer.
type blockWriter struct {
	w       *jsondoc.Writer
	losses  ir.Losses
	answer  bool // to a client; else a request to the vendor
	marks   int
	talking int // of an answer: one more than the first of the messages that became one
	ids     callIDs
	scratch []byte
	err     error // the first thing that cannot be asked at all
}

// Lose adds a loss.
func (b *blockWriter) Lose(path, why string) { b.losses.Lose(path, why) }

// Note adds a note.
func (b *blockWriter) Note(path, why string) { b.losses.Note(path, why) }

func (b *blockWriter) loseIf(is bool, path, why string) {
	if is {
		b.losses.Lose(path, why)
	}
}

func (b *blockWriter) noteIf(is bool, path, why string) {
	if is {
		b.losses.Note(path, why)
	}
}

func (b *blockWriter) refusef(path, format string, args ...any) {
	if b.err == nil {
		b.err = tollgate.Invalidf(path, format, args...)
	}
}

// mark writes a cache mark. Four are taken.
func (b *blockWriter) mark(at string, c *ir.Cache) {
	switch {
	case c == nil:
		return
	case b.marks >= maxMarks:
		b.Note(at, "Anthropic takes four cache marks")
		return
	}
	b.marks++
	b.w.Object("cache_control")
	b.w.Str("type", "ephemeral")
	if c.Life == "5m" || c.Life == "1h" {
		b.w.Str("ttl", c.Life)
	} else {
		b.noteIf(c.Life != "", at, "Anthropic keeps five minutes or an hour: the mark is without a life")
	}
	b.w.End()
}

// item writes the blocks of an item and returns how many there are.
func (b *blockWriter) item(at string, role ir.Role, it ir.Item) int {
	switch x := it.(type) {
	case ir.Message:
		return b.message(at, role, x)
	case ir.ToolCall:
		b.call(at, x)
	case ir.ToolResult:
		b.result(at, x)
	case ir.Thought:
		b.thought(at, x)
	case ir.Opaque:
		b.w.Raw("", x.Raw)
	}
	return 1
}

func (b *blockWriter) message(at string, role ir.Role, m ir.Message) int {
	b.messageNotes(at, m)
	n := 0
	for k, p := range m.Parts {
		n += b.part(ir.PartPath(at, k), role, p, m.Extras, contentAt(k))
	}
	return n
}

// messageNotes says what of a message other than its parts is left out.
func (b *blockWriter) messageNotes(at string, m ir.Message) {
	b.loseIf(m.Name != "", at+".name", "Anthropic tells no participants apart")
	b.noteIf(m.ID != "", at+".id", "ids of messages mean something to their own vendor alone")
	b.noteIf(m.Phase != "", at+".phase", "Anthropic knows no phases")
	b.losses.Extras(at, m.Extras, own)
}

// part writes a part of a message or of a result and returns how many blocks
// that gave. Its further members are the extras below prefix.
func (b *blockWriter) part(at string, role ir.Role, p ir.Part, extras []ir.Extra, prefix string) int {
	switch x := p.(type) {
	case ir.Text:
		if strings.TrimSpace(x.Text) == "" && !b.answer || x.Text == "" && len(x.Citations) == 0 {
			b.Note(at, "empty texts are not taken")
			if prefix != "" {
				b.loseExtras(at[:strings.LastIndexByte(at, '.')+1], extras, prefix)
			}
			return 0
		}
		b.text(at, x, extras, prefix)
	case ir.Refusal:
		b.Note(at, "a refusal is written as text")
		if strings.TrimSpace(x.Text) == "" {
			return 0
		}
		b.text(at, ir.Text{Text: x.Text}, nil, "")
	case ir.Image:
		return b.image(at, role, x, extras, prefix)
	case ir.Audio:
		return b.audio(at, role, x)
	case ir.File:
		return b.file(at, role, x)
	case ir.Opaque:
		if x.Dialect != own {
			b.Lose(at, "only "+x.Dialect+" has it")
			return 0
		}
		b.w.Raw("", x.Raw)
	}
	return 1
}

// loseExtras says that the extras below prefix are gone with what they were of;
// owner is the path of their owner with a dot, empty for the request.
func (b *blockWriter) loseExtras(owner string, extras []ir.Extra, prefix string) {
	for i := range extras {
		if e := &extras[i]; e.Dialect == own && strings.HasPrefix(e.Path, prefix) {
			b.Lose(owner+"extras."+e.Path, "its text is empty, and empty texts are not taken")
		}
	}
}

func (b *blockWriter) text(at string, t ir.Text, extras []ir.Extra, prefix string) {
	b.w.Object("")
	b.w.Str("type", "text")
	b.w.Str("text", t.Text)
	b.citations(at, t.Citations)
	b.mark(at+".cache", t.Cache)
	if prefix != "" {
		writeExtras(b.w, extras, prefix)
	}
	b.w.End()
	b.noteIf(t.Private != nil, at+".private", "Anthropic has no place for a sealed text")
	b.loseIf(len(t.Logprobs) > 0, at+".logprobs", "Anthropic tells no probabilities")
}

func (b *blockWriter) citations(at string, list []ir.Citation) {
	open := false
	for j, c := range list {
		where := at + ".citations[" + strconv.Itoa(j) + "]"
		if !b.answer && (c.Dialect != own || unsealed(c)) {
			b.Lose(where, "Anthropic takes its own citations alone")
			continue
		}
		if !open {
			b.w.Array("citations")
			open = true
		}
		if !writeCitation(b.w, c) {
			b.Lose(where, "Anthropic cites pages and documents by their place alone")
			continue
		}
		lostOfCitation(&b.losses, where, c)
	}
	if open {
		b.w.End()
	}
}

func (b *blockWriter) call(at string, c ir.ToolCall) {
	b.w.Object("")
	b.w.Str("type", "tool_use")
	b.w.Str("id", b.callID(at, c))
	b.w.Str("name", b.toolName(at, c.Name, c.Namespace))
	b.w.Raw("input", b.input(at, c))
	b.mark(at+".cache", c.Cache)
	writeExtras(b.w, c.Extras, "")
	b.w.End()
	b.callNotes(at, c)
}

// callNotes says what of a call other than its name and arguments is left out.
func (b *blockWriter) callNotes(at string, c ir.ToolCall) {
	b.losses.Extras(at, c.Extras, own)
	b.noteIf(c.ItemID != "", at+".item_id", "ids of items mean something to their own vendor alone")
	b.noteIf(c.Kind == ir.ToolCustom, at+".kind", "a function with one text")
	b.noteIf(c.Kind == ir.ToolCustom, at+".arguments", "a function with one text")
}

// callID returns the id that a call goes by. A seal of another vendor goes to
// clients in it; the vendor is never shown one.
func (b *blockWriter) callID(at string, c ir.ToolCall) string {
	id := b.ids.call(c.ID)
	b.noteIf(id != c.ID, at+".id", "ids of calls are of letters and digits, and each its own")
	if c.Private == nil || ownSeal(c.Private) {
		return id
	}
	if b.answer {
		return ir.CarryID(id, c.Private)
	}
	b.Note(at+".private", "what "+string(c.Private.Vendor)+" sealed is given back to it alone")
	return id
}

func (b *blockWriter) toolName(at, name, namespace string) string {
	b.noteIf(namespace != "", at+".namespace", "carried in the name")
	b.noteIf(namespace != "", at+".name", "with its namespace")
	return ir.FlatName(namespace, name)
}

// input returns the arguments of a call, which must be an object.
func (b *blockWriter) input(at string, c ir.ToolCall) json.RawMessage {
	switch args := strings.TrimSpace(c.Arguments); {
	case c.Kind == ir.ToolCustom:
		return json.RawMessage(ir.WrapInput(c.Arguments))
	case args == "":
		b.Note(at+".arguments", "no arguments are an empty object")
		return json.RawMessage("{}")
	case args[0] == '{' && wire.AnswerLimits().Valid([]byte(args)) == nil:
		return json.RawMessage(args)
	default:
		b.Lose(at+".arguments", "they are no JSON object, and are carried as a text")
		return json.RawMessage(ir.WrapInput(c.Arguments))
	}
}

func (b *blockWriter) result(at string, r ir.ToolResult) {
	id := b.ids.result(r.CallID)
	b.noteIf(id != r.CallID, at+".call_id", "ids of calls are of letters and digits, and each its own")
	b.w.Object("")
	b.w.Str("type", "tool_result")
	b.w.Str("tool_use_id", id)
	b.resultContent(at, r)
	if r.IsError {
		b.w.Bool("is_error", true)
	}
	b.mark(at+".cache", r.Cache)
	b.losses.Extras(at, r.Extras, own)
	writeExtras(b.w, r.Extras, "")
	b.w.End()
	b.noteIf(r.Name != "", at+".name", "the call says it")
	b.noteIf(r.Kind != ir.ToolFunction, at+".kind", "a function with one text")
}

func (b *blockWriter) resultContent(at string, r ir.ToolResult) {
	if len(r.Parts) == 0 {
		return
	}
	if t, ok := r.Parts[0].(ir.Text); ok && len(r.Parts) == 1 && t.Cache == nil && len(t.Citations) == 0 && !hasExtras(r.Extras, onContent) {
		b.w.Str("content", t.Text)
		b.noteIf(t.Private != nil, ir.PartPath(at, 0)+".private", "Anthropic has no place for a sealed text")
		return
	}
	b.w.Array("content")
	for k, p := range r.Parts {
		b.part(ir.PartPath(at, k), ir.RoleUser, p, r.Extras, contentAt(k))
	}
	b.w.End()
}

// thought writes a thought. In answers a foreign seal is carried, and a thought
// without one has an empty signature; requests hold the vendor's own alone.
func (b *blockWriter) thought(at string, t ir.Thought) {
	b.w.Object("")
	if t.Redacted && t.Private != nil {
		b.w.Str("type", "redacted_thinking")
		b.w.Str("data", signature(t.Private))
		b.noteIf(len(t.Texts) > 0, at+".texts", "a redacted thought has no text")
	} else {
		b.w.Str("type", "thinking")
		b.w.Str("thinking", strings.Join(t.Texts, thoughtBreak))
		b.w.Str("signature", signature(t.Private))
		b.noteIf(len(t.Texts) > 1, at+".texts", "joined into one")
		b.noteIf(t.Redacted, at+".redacted", "written as a thought without text")
	}
	writeExtras(b.w, t.Extras, "")
	b.w.End()
	b.thoughtNotes(at, t)
}

// thoughtNotes says what of a thought other than its texts and seal is left out.
func (b *blockWriter) thoughtNotes(at string, t ir.Thought) {
	b.losses.Extras(at, t.Extras, own)
	b.noteIf(t.ID != "", at+".id", "ids of items mean something to their own vendor alone")
	b.noteIf(t.Raw, at+".raw", "Anthropic tells no raw thoughts from summaries")
}

// thoughtBreak joins the texts of a thought that has several.
const thoughtBreak = "\n\n"

// signature is the text that stands for a seal in this protocol.
func signature(p *ir.Private) string {
	switch {
	case p == nil:
		return ""
	case p.Vendor == ir.VendorAnthropic:
		return p.Data
	default:
		return ir.Carry(*p)
	}
}
