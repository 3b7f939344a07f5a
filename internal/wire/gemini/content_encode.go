package gemini

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"tollgate/internal/ir"
)

// beside is where extras of part k of a message are kept.
func beside(k int) string { return "parts[" + strconv.Itoa(k) + "]." }

// contents writes the conversation in turns. Everything that the model did
// between two turns of the user is one content; so are all results of a turn.
func (e *encoder) contents() {
	items := e.req.Items
	for i := 0; i < len(items); {
		if ofModel(items[i]) {
			i = e.modelTurn(i)
		} else {
			i = e.userTurns(i)
		}
	}
}

// ofModel reports whether the model made an item. One that only another
// dialect knows belongs to whatever is around it.
func ofModel(it ir.Item) bool {
	switch x := it.(type) {
	case ir.Message:
		return x.Role == ir.RoleAssistant
	case ir.ToolCall, ir.Thought:
		return true
	case ir.ToolResult, ir.Opaque:
	}
	return false
}

// turn opens a content when its first part comes.
type turn struct {
	e     *encoder
	role  string
	wrote int
	mark  int
}

func (e *encoder) begin(role string) turn {
	t := turn{e: e, role: role, wrote: e.parts.wrote, mark: e.w.Len()}
	e.w.Object("")
	e.w.Array("parts")
	return t
}

// end closes the content, or takes it back when nothing came into it.
func (t turn) end(extras []ir.Extra) {
	if t.e.parts.wrote == t.wrote {
		t.e.w.Undo(t.mark, 2)
		return
	}
	t.e.w.End()
	t.e.w.Str("role", t.role)
	withExtras(t.e.w, extras, "")
	t.e.w.End()
}

// modelTurn writes the content that begins with item i and returns what comes
// behind it. Two messages in a row are two contents, so that they stay two.
func (e *encoder) modelTurn(i int) int {
	t := e.begin("model")
	signed := false
	var before ir.Item
	var extras []ir.Extra
	for ; i < len(e.req.Items); i++ {
		at := ir.ItemPath(i)
		it := e.req.Items[i]
		switch x := it.(type) {
		case ir.Message:
			if _, again := before.(ir.Message); again || x.Role != ir.RoleAssistant {
				t.end(extras)
				return i
			}
			e.message(at, &x)
			extras = append(extras, x.Extras...)
		case ir.Thought:
			if was, again := before.(ir.Thought); again && !sealedByUs(was.Private) {
				sameThought(&e.parts.losses, ir.ItemPath(i-1), at)
			}
			e.parts.thought(at, &x)
		case ir.ToolCall:
			e.call(at, &x, &signed)
		case ir.Opaque:
			e.opaque(at, x)
			continue
		case ir.ToolResult:
			t.end(extras)
			return i
		}
		before = it
	}
	t.end(extras)
	return i
}

func sealedByUs(p *ir.Private) bool { return p != nil && p.Vendor == ir.VendorGemini }

// opaque writes an item that only one dialect knows, where that is this one.
func (e *encoder) opaque(at string, o ir.Opaque) {
	e.parts.part(at, o, nil, "")
}

// message writes the parts of a message and says what it loses.
func (e *encoder) message(at string, m *ir.Message) {
	if m.Name != "" {
		e.lose(at+".name", "Gemini's speakers have no names")
	}
	if m.ID != "" {
		e.note(at+".id", "Gemini's messages have no ids")
	}
	if m.Phase != "" {
		e.note(at+".phase", "Gemini does not tell remarks from answers")
	}
	e.parts.losses.Extras(at, m.Extras, own)
	before := e.parts.wrote
	e.parts.message(at, m)
	if e.parts.wrote == before {
		e.note(at, "a message without content")
	}
}

// call writes a call. The first one of a turn carries the turn's signature;
// when another model made it, models that verify take the sentinel instead.
func (e *encoder) call(at string, c *ir.ToolCall, signed *bool) {
	signature := ""
	switch {
	case sealedByUs(c.Private):
		signature = c.Private.Data
	case !*signed && e.fam.verifies():
		signature = sentinel
	}
	if c.Private != nil && !sealedByUs(c.Private) {
		e.note(at+".private", "sealed by "+string(c.Private.Vendor)+", which alone may see it")
	}
	*signed = true
	if c.ItemID != "" {
		e.note(at+".item_id", "Gemini's calls have one id")
	}
	e.cache(at, c.Cache)
	e.parts.losses.Extras(at, c.Extras, own)
	name := e.flatName(at, c.Namespace, c.Name)
	wired := *c
	if e.fam.old() {
		wired.ID = ""
		e.note(at+".id", "the model pairs calls and results by name and order")
	}
	e.parts.call(at, &wired, name, signature)
}

// userTurns writes what stands between two turns of the model, from item i on,
// and returns what comes behind it: first the results, all in one content, as
// the API wants them right behind their calls; then each message.
func (e *encoder) userTurns(i int) int {
	items := e.req.Items
	end, results, spoken := i, false, false
	for ; end < len(items) && !ofModel(items[end]); end++ {
		switch items[end].(type) {
		case ir.ToolResult:
			results = true
			if spoken {
				e.note(ir.ItemPath(end), "results stand before messages")
			}
		case ir.Message:
			spoken = true
		case ir.ToolCall, ir.Thought, ir.Opaque:
		}
	}
	if results {
		e.results(i, end)
	}
	for k := i; k < end; k++ {
		at := ir.ItemPath(k)
		switch x := items[k].(type) {
		case ir.Message:
			t := e.begin("user")
			if x.Role == ir.RoleSystem {
				e.note(at, "Gemini has one system prompt, at the head: a tagged turn of the user")
				x = ir.TagSystem(x)
			}
			e.message(at, &x)
			t.end(x.Extras)
		case ir.Opaque:
			t := e.begin("user")
			e.opaque(at, x)
			t.end(nil)
		case ir.ToolCall, ir.ToolResult, ir.Thought:
		}
	}
	return end
}

// results writes the results among items[from:to] into one content, in the
// order of their calls: clients give them in the order in which the tools were
// done, and models that take no ids pair them by name and order.
func (e *encoder) results(from, to int) {
	t := e.begin("user")
	var behind []func()
	came := e.resultsAmong(from, to)
	for n, k := range e.byCall(came, from) {
		r, _ := e.req.Items[k].(ir.ToolResult)
		if k != came[n] {
			e.note(ir.ItemPath(k), "results stand in the order of their calls")
		}
		if late := e.result(ir.ItemPath(k), &r, n+1); late != nil {
			behind = append(behind, late)
		}
	}
	for _, late := range behind {
		late()
	}
	t.end(nil)
}

func (e *encoder) resultsAmong(from, to int) []int {
	var out []int
	for k := from; k < to; k++ {
		if _, ok := e.req.Items[k].(ir.ToolResult); ok {
			out = append(out, k)
		}
	}
	return out
}

// byCall returns results in the order of their calls, which stand before item
// from.
func (e *encoder) byCall(results []int, from int) []int {
	if len(results) < 2 {
		return results
	}
	places := map[string]int{}
	for i := from - 1; i >= 0; i-- {
		switch x := e.req.Items[i].(type) {
		case ir.ToolCall:
			places[x.ID] = i
		case ir.Message, ir.ToolResult:
			if !ofModel(x) {
				i = 0
			}
		case ir.Thought, ir.Opaque:
		}
	}
	place := func(k int) int {
		r, _ := e.req.Items[k].(ir.ToolResult)
		return places[r.CallID]
	}
	return slices.SortedStableFunc(slices.Values(results), func(a, b int) int { return cmp.Compare(place(a), place(b)) })
}

// result writes result number n of its content; what it returns writes the media
// that must come behind all results where the model takes none in them.
func (e *encoder) result(at string, r *ir.ToolResult, n int) (late func()) {
	name := r.Name
	if c, ok := e.calls[r.CallID]; ok {
		if c.Namespace == "" && name == "" {
			e.note(at+".name", "that of its call")
		}
		name = e.flatName(at, c.Namespace, c.Name)
	}
	if name == "" {
		e.refuse(at+".call_id", "answers no call of the conversation, and Gemini needs the name of the function")
		return nil
	}
	if r.Kind == ir.ToolCustom {
		e.note(at+".kind", "Gemini has functions alone")
	}
	e.cache(at, r.Cache)
	e.parts.losses.Extras(at, r.Extras, own)
	text, media := e.split(at, r)
	e.parts.open()
	e.w.Object("functionResponse")
	if !e.fam.old() {
		e.w.Str("id", r.CallID)
	} else {
		e.note(at+".call_id", "the model pairs calls and results by name and order")
	}
	e.w.Str("name", name)
	e.response(r, text)
	inside := e.fam.resultMedia() && len(media) > 0
	if inside {
		e.w.Array("parts")
		for m, k := range media {
			e.parts.part(ir.PartPath(at, k), r.Parts[k], r.Extras, "functionResponse.parts["+strconv.Itoa(m)+"].")
		}
		e.w.End()
	}
	withExtras(e.w, r.Extras, "functionResponse.")
	e.w.End()
	e.parts.close(r.Extras, "")
	if inside || len(media) == 0 {
		return nil
	}
	for _, k := range media {
		e.note(ir.PartPath(at, k), "the model takes no media in results: a part behind them")
	}
	return func() {
		e.parts.text(at, &ir.Text{Text: mediaMark(n, name)}, nil, "")
		for _, k := range media {
			e.parts.part(ir.PartPath(at, k), r.Parts[k], nil, "")
		}
	}
}

// response writes the object that a result must be.
func (e *encoder) response(r *ir.ToolResult, texts []string) {
	if len(texts) == 0 && !r.IsError {
		e.w.Object("response")
		e.w.End()
		return
	}
	e.w.Raw("response", responseOf(strings.Join(texts, "\n"), r.IsError))
}

// split tells the texts of a result from its media, of which it returns the
// numbers.
func (e *encoder) split(at string, r *ir.ToolResult) (texts []string, media []int) {
	for k, p := range r.Parts {
		switch x := p.(type) {
		case ir.Text:
			if len(media) > 0 {
				e.note(at+".parts", "texts stand before media")
			}
			e.cache(ir.PartPath(at, k), x.Cache)
			if len(x.Citations) > 0 {
				e.lose(ir.PartPath(at, k)+".citations", "Gemini takes no citations back")
			}
			texts = append(texts, x.Text)
		case ir.Refusal:
			texts = append(texts, x.Text)
			e.note(ir.PartPath(at, k), "Gemini has no refusals: plain text")
		case ir.Image, ir.Audio, ir.File:
			media = append(media, k)
		case ir.Opaque:
			e.lose(ir.PartPath(at, k), "only "+x.Dialect+" knows "+x.Type)
		}
	}
	if len(texts) > 1 {
		e.note(at+".parts", "its texts are one")
	}
	if r.IsError && len(texts) == 0 {
		e.note(at+".parts", "an error without words is an empty text")
	}
	return texts, media
}
