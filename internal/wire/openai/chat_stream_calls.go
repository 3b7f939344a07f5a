package openai

import (
	"slices"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// chatPending is a call in the making.
type chatPending struct {
	index  int64  // -1 = the function_call of old
	id     string // as sent
	name   string
	custom bool
	item   int         // -1 = not begun, since its name has not come
	held   string      // arguments that came before
	seal   *ir.Private // not told yet
	some   bool        // arguments came
	whole  chatJSONEnd
	closed bool
}

// What a provider can make the decoder keep.
const (
	chatMaxCalls = 1024
	chatMaxHeld  = 1 << 20
)

// chatLegacyIndex stands for the index of a function_call.
const chatLegacyIndex = -1

func (c *chatChoice) callDeltas(dst []ir.Event, o *jsondoc.Object) ([]ir.Event, error) {
	var err error
	for _, v := range o.Array("tool_calls") {
		d := v.Object()
		if dst, err = c.callDelta(dst, d, c.pending(d)); err != nil {
			return dst, err
		}
	}
	if !o.Has("function_call") {
		return dst, nil
	}
	f, p := o.Object("function_call"), c.byIndex(chatLegacyIndex)
	if p == nil {
		p = c.added(chatLegacyIndex, "")
	}
	return c.advance(dst, p, f, f.Get("arguments"), nil)
}

// pending is the call that a delta is about. Google gives every call the
// index 0, others give none: a new id with a name is a new call.
func (c *chatChoice) pending(o *jsondoc.Object) *chatPending {
	id, at := o.Str("id"), o.Int("index")
	var p *chatPending
	switch {
	case at != nil:
		p = c.byIndex(*at)
	case len(c.calls) > 0:
		p = c.calls[len(c.calls)-1]
	}
	index := int64(len(c.calls))
	if at != nil {
		index = *at
	}
	if p == nil || (id != "" && p.id != "" && id != p.id && o.Object("function").Has("name")) {
		p = c.added(index, id)
	}
	if p.id == "" {
		p.id = id
	}
	return p
}

// byIndex is the latest call with the index.
func (c *chatChoice) byIndex(index int64) *chatPending {
	for _, p := range slices.Backward(c.calls) {
		if p.index == index {
			return p
		}
	}
	return nil
}

func (c *chatChoice) added(index int64, id string) *chatPending {
	p := &chatPending{index: index, id: id, item: -1}
	c.calls = append(c.calls, p)
	return p
}

func (c *chatChoice) callDelta(dst []ir.Event, o *jsondoc.Object, p *chatPending) ([]ir.Event, error) {
	inner, member := o.Object("function"), "arguments"
	if o.Str("type") == "custom" || p.custom || (!inner.Present() && o.Has("custom")) {
		p.custom, inner, member = true, o.Object("custom"), "input"
	}
	dst, err := c.advance(dst, p, inner, inner.Get(member), chatExtraContent(o))
	if err != nil {
		return dst, err
	}
	for _, e := range append(chatExtras(inner, ""), chatExtras(o, "")...) {
		c.stream.lost.Note("choices["+strconv.Itoa(c.n)+"].extras.tool_calls."+e.Path, "only "+chatName+" has it")
	}
	return dst, nil
}

// advance takes the name, a seal and a piece of the arguments of a call.
func (c *chatChoice) advance(dst []ir.Event, p *chatPending, o *jsondoc.Object, arguments jsondoc.Value, seal *ir.Private) ([]ir.Event, error) {
	if len(c.calls) > chatMaxCalls {
		return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider made more than %d calls in one answer", chatMaxCalls)
	}
	if p.name == "" {
		p.name = o.Str("name")
	}
	if seal != nil {
		p.seal = seal
	}
	piece := chatPiece(arguments)
	if p.item < 0 && p.name == "" {
		if p.held += piece; len(p.held) > chatMaxHeld {
			return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider sent arguments of a call without saying its name")
		}
		return dst, nil
	}
	if p.item < 0 {
		dst = c.beginCall(dst, p)
		piece, p.held = p.held+piece, ""
	}
	if p.seal != nil && !p.closed {
		dst = append(dst, ir.Sealed{Choice: c.n, Index: p.item, Private: *p.seal})
		p.seal = nil
	}
	return c.argue(dst, p, piece)
}

// beginCall opens a call. Earlier ones whose arguments are whole end before:
// clients whose protocol has one block open at a time need not wait then.
func (c *chatChoice) beginCall(dst []ir.Event, p *chatPending) []ir.Event {
	dst = c.close(dst)
	for _, earlier := range c.calls {
		if earlier.item >= 0 && !earlier.closed && earlier.whole.reached() {
			earlier.closed = true
			dst = append(dst, ir.ItemEnd{Choice: c.n, Index: earlier.item})
		}
	}
	shell := ir.ToolCall{Kind: ir.ToolFunction, Name: p.name}
	if p.custom {
		shell.Kind = ir.ToolCustom
	}
	id, seal := ir.OpenID(p.id)
	if p.seal == nil {
		p.seal = seal
	}
	shell.ID = c.stream.ids.Call(id, p.name)
	p.item = c.items
	return c.begin(dst, shell)
}

func (c *chatChoice) argue(dst []ir.Event, p *chatPending, piece string) ([]ir.Event, error) {
	switch {
	case piece == "":
		return dst, nil
	case p.closed && strings.TrimSpace(piece) == "":
		return dst, nil
	case p.closed:
		return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider sent arguments of call %q after they were whole", p.name)
	}
	p.some = true
	if !p.custom {
		p.whole.next(piece)
	}
	return append(dst, ir.ArgumentsDelta{Choice: c.n, Index: p.item, Text: piece}), nil
}

// endCalls ends the calls that are open.
func (c *chatChoice) endCalls(dst []ir.Event) ([]ir.Event, error) {
	for _, p := range c.calls {
		switch {
		case p.item < 0:
			return dst, tollgate.Errorf(tollgate.CodeUpstream, "the provider made a call without a name")
		case p.closed:
			continue
		case !p.some && !p.custom:
			dst = append(dst, ir.ArgumentsDelta{Choice: c.n, Index: p.item, Text: "{}"})
		}
		p.closed = true
		dst = append(dst, ir.ItemEnd{Choice: c.n, Index: p.item})
	}
	return dst, nil
}

// chatJSONEnd watches for the end of a JSON object that comes in pieces.
type chatJSONEnd struct {
	depth           int
	begun           bool
	quoted, escaped bool
}

func (j *chatJSONEnd) next(piece string) {
	for i := range len(piece) {
		switch c := piece[i]; {
		case j.escaped:
			j.escaped = false
		case j.quoted:
			j.escaped, j.quoted = c == '\\', c != '"'
		case c == '"':
			j.quoted = true
		case c == '{' || c == '[':
			j.depth++
			j.begun = true
		case c == '}' || c == ']':
			j.depth--
		}
	}
}

// reached reports whether the object has ended.
func (j *chatJSONEnd) reached() bool { return j.begun && j.depth <= 0 && !j.quoted }
