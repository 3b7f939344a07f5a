package openai

import (
	"encoding/json"
	"hash/fnv"
	"strconv"
	"strings"

	"tollgate/internal/ir"
)

// chatTurn collects the items that become one assistant message: thoughts,
// then what is said, then calls. They are indices of the request's items.
type chatTurn struct {
	thoughts, said, calls []int
	moved                 bool // something came behind a call, where Chat has no place for it
}

// thought takes a thought into the turn. Thoughts that another vendor sealed
// were another vendor's model's; those of a provider of Chat go back to it.
func (e *chatAsk) thought(i int, t ir.Thought) {
	at := ir.ItemPath(i)
	own := t.Private != nil && t.Private.Vendor == ir.VendorChat && json.Valid([]byte(t.Private.Data))
	sealed := t.Private != nil && t.Private.Data != ""
	if !own && (sealed || len(t.Texts) == 0) {
		e.lost.Note(at, "a thought that another vendor sealed is not shown to this one")
		return
	}
	if t.ID != "" {
		e.lost.Note(at+".id", "thoughts of Chat have no id")
	}
	if !own && !t.Raw {
		e.lost.Note(at+".raw", "Chat does not tell summaries from thoughts")
	}
	if t.Private != nil && !own {
		e.lost.Note(at+".private", "an empty seal is none")
	}
	if len(t.Texts) > 1 {
		e.lost.Note(at+".texts", "the texts of a thought are joined")
	}
	switch {
	case len(e.turn.calls) > 0:
		e.turn.moved = true
	case len(e.turn.said) > 0:
		e.flush()
	}
	e.turn.thoughts = append(e.turn.thoughts, i)
}

// say takes an assistant message into the turn.
func (e *chatAsk) say(i int) {
	switch {
	case len(e.turn.calls) > 0:
		e.turn.moved = true
	case len(e.turn.said) > 0:
		e.flush()
	}
	e.turn.said = append(e.turn.said, i)
}

// flush writes the collected turn as one message.
func (e *chatAsk) flush() {
	t := e.turn
	if len(t.thoughts)+len(t.said)+len(t.calls) == 0 {
		return
	}
	e.turn = chatTurn{}
	e.noteOrder(t)
	var m ir.Message
	for _, i := range t.said {
		said, _ := e.req.Items[i].(ir.Message)
		m.Parts = append(m.Parts, e.carried(ir.ItemPath(i), said)...)
		m.Extras = append(m.Extras, said.Extras...)
		if m.Name == "" {
			m.Name = said.Name
		}
	}
	e.w.Object("")
	e.w.Str("role", "assistant")
	e.w.OptStr("name", m.Name)
	parts := e.apart(m.Parts)
	if len(parts) > 0 || (len(t.said) == 0 && len(t.calls) == 0) {
		e.content(parts)
	} else {
		e.w.Null("content")
	}
	e.annotations(m.Parts)
	e.writeThoughts(t.thoughts)
	chatNested(&e.w, m.Extras, "")
	e.writeCalls(t.calls)
	e.w.End()
}

// noteOrder says that the turn's items come in another order, or as fewer.
func (e *chatAsk) noteOrder(t chatTurn) {
	if t.moved {
		for _, list := range [][]int{t.thoughts, t.said, t.calls} {
			for _, i := range list {
				e.lost.Note(ir.ItemPath(i), "in a message of Chat thoughts come first and calls last")
			}
		}
		return
	}
	if len(t.thoughts) > 1 {
		for _, i := range t.thoughts {
			e.lost.Note(ir.ItemPath(i), "the thoughts before one message are joined")
		}
	}
}

// writeThoughts writes the texts and what the provider sealed.
func (e *chatAsk) writeThoughts(list []int) {
	var texts []string
	var seals []json.RawMessage
	for _, i := range list {
		t, _ := e.req.Items[i].(ir.Thought)
		texts = append(texts, t.Texts...)
		if t.Private != nil && t.Private.Vendor == ir.VendorChat {
			seals = append(seals, chatRaw(t.Private.Data))
		}
	}
	e.w.OptStr("reasoning_content", strings.Join(texts, chatGap))
	switch len(seals) {
	case 0:
	case 1:
		e.w.Raw("reasoning_details", seals[0])
	default:
		e.w.Raw("reasoning_details", chatJoin(seals))
	}
}

// chatJoin makes one JSON array of several.
func chatJoin(arrays []json.RawMessage) json.RawMessage {
	var all []json.RawMessage
	for _, a := range arrays {
		var list []json.RawMessage
		if json.Unmarshal(a, &list) == nil {
			all = append(all, list...)
		}
	}
	return mustJSON(all)
}

func (e *chatAsk) writeCalls(list []int) {
	if len(list) == 0 {
		return
	}
	for _, i := range list {
		c, _ := e.req.Items[i].(ir.ToolCall)
		chatNested(&e.w, c.Extras, chatOfMessage)
	}
	e.w.Array("tool_calls")
	for _, i := range list {
		c, _ := e.req.Items[i].(ir.ToolCall)
		e.call(ir.ItemPath(i), c)
	}
	e.w.End()
}

func (e *chatAsk) call(at string, c ir.ToolCall) {
	w := &e.w
	if c.Kind == ir.ToolCustom && e.family != chatReasoner {
		e.lost.Note(at, "the tool is a function here, and the text its argument input")
		c.Kind, c.Arguments = ir.ToolFunction, ir.WrapInput(c.Arguments)
	}
	if c.Kind == "" {
		c.Kind = ir.ToolFunction
	}
	e.noteCall(at, c)
	w.Object("")
	w.Str("id", e.callID(at+".id", c.ID))
	w.Str("type", string(c.Kind))
	w.Object(string(c.Kind))
	w.Str("name", ir.FlatName(c.Namespace, c.Name))
	if c.Kind == ir.ToolCustom {
		w.Str("input", c.Arguments)
	} else {
		w.Str("arguments", c.Arguments)
	}
	chatNested(w, c.Extras, string(c.Kind)+".")
	w.End()
	if c.Private != nil && c.Private.Vendor == ir.VendorChat && json.Valid([]byte(c.Private.Data)) {
		w.Raw("extra_content", chatRaw(c.Private.Data))
	}
	chatNested(w, c.Extras, "")
	w.End()
}

// noteCall says what of a call has no place in Chat.
func (e *chatAsk) noteCall(at string, c ir.ToolCall) {
	if c.Namespace != "" {
		e.lost.Note(at+".namespace", "it is part of the name")
		e.lost.Note(at+".name", "the namespace is part of it")
	}
	if c.ItemID != "" {
		e.lost.Note(at+".item_id", "calls of Chat have one id")
	}
	if c.Cache != nil {
		e.lost.Note(at+".cache", "Chat providers cache by themselves")
	}
	if c.Private != nil && c.Private.Vendor != ir.VendorChat {
		e.lost.Note(at+".private", "what another vendor sealed is not shown to this one")
	}
	e.lost.Extras(at, c.Extras, chatName)
}

// chatMaxCallID is how long a call's id may be for OpenAI, in characters.
const chatMaxCallID = 40

// callID returns id, shortened with a checksum where it is too long; the same
// id always becomes the same, so that calls and results still fit.
func (e *chatAsk) callID(at, id string) string {
	if len(id) <= chatMaxCallID {
		return id
	}
	e.lost.Note(at, "ids of calls are at most 40 characters long for OpenAI; it is shortened")
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(id)) // a hash takes everything
	mark := "_" + strconv.FormatUint(sum.Sum64(), 36)
	return strings.ToValidUTF8(id[:chatMaxCallID-len(mark)], "") + mark
}
