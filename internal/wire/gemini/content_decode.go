package gemini

import (
	"encoding/json"
	"strconv"
	"strings"

	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// history turns contents into items. Parts keep their boundaries; a message
// ends where its content ends or something else comes between.
type history struct {
	ids   ir.CallIDs
	items []ir.Item
	// open is set while the last item may still take parts of the same content.
	open bool
	// from is the first item of the content, and marked the result that media behind
	// a mediaMark belong to, -1 = none.
	from, marked int
}

// content reads one turn.
func (h *history) content(v jsondoc.Value) {
	o := v.Object()
	role := ir.RoleUser
	switch r := o.Get("role"); r.Str() {
	case "user", "function", "":
	case "model":
		role = ir.RoleAssistant
	default:
		r.Fail("must be user or model")
	}
	from := len(h.items)
	h.open, h.from, h.marked = false, from, -1
	for _, part := range list(o.Get("parts")) {
		h.part(role, part)
	}
	if extras := rest(nil, o, ""); len(extras) > 0 && from < len(h.items) {
		h.keep(from, extras)
	}
}

// keep puts extras of a content on its first message.
func (h *history) keep(from int, extras []ir.Extra) {
	for i := from; i < len(h.items); i++ {
		if m, ok := h.items[i].(ir.Message); ok {
			m.Extras = append(m.Extras, extras...)
			h.items[i] = m
			return
		}
	}
}

func (h *history) part(role ir.Role, v jsondoc.Value) {
	p := readPiece(v)
	if h.belongs(p) {
		return
	}
	switch p.kind {
	case pieceText:
		h.say(role, ir.Text{Text: p.text, Private: p.private}, p.extras)
	case pieceMedia:
		h.say(role, p.content, p.extras)
	case pieceThought:
		h.think(p)
	case pieceCall:
		h.recall(p.thoughts)
		h.add(h.call(p))
	case pieceResult:
		h.add(h.result(p))
	}
}

// mediaMark is the text before media that belong to result number n of a
// content, for models that take none in results.
func mediaMark(n int, name string) string {
	return "Part of result " + strconv.Itoa(n) + " (" + name + "):"
}

// belongs undoes what stands behind a mediaMark, and the mark itself.
func (h *history) belongs(p piece) bool {
	if p.kind == pieceMedia && h.marked >= 0 {
		if r, ok := h.items[h.marked].(ir.ToolResult); ok && len(p.extras) == 0 {
			r.Parts = append(r.Parts, p.content)
			h.items[h.marked] = r
			return true
		}
	}
	h.marked = -1
	if p.kind != pieceText || p.private != nil || !strings.HasPrefix(p.text, "Part of result ") {
		return false
	}
	n := 0
	for i := h.from; i < len(h.items); i++ {
		if r, ok := h.items[i].(ir.ToolResult); ok {
			if n++; mediaMark(n, r.Name) == p.text {
				h.marked = i
				return true
			}
		}
	}
	return false
}

func (h *history) add(it ir.Item) {
	h.items = append(h.items, it)
	h.open = true
}

func (h *history) say(role ir.Role, part ir.Part, extras []ir.Extra) {
	last := len(h.items) - 1
	m, ok := ir.Message{}, false
	if h.open {
		m, ok = h.items[last].(ir.Message)
	}
	if !ok {
		m = ir.Message{Role: role}
		h.add(m)
		last++
	}
	for _, e := range extras {
		e.Path = "parts[" + strconv.Itoa(len(m.Parts)) + "]." + e.Path
		m.Extras = append(m.Extras, e)
	}
	m.Parts = append(m.Parts, part)
	h.items[last] = m
}

// think adds a thought. Several parts are one thought up to the seal, also
// where each is in a turn of its own, as SDKs keep the chunks of a stream.
func (h *history) think(p piece) {
	last := len(h.items) - 1
	t, ok := ir.Thought{}, false
	if last >= 0 {
		if t, ok = h.items[last].(ir.Thought); ok && t.Private != nil {
			t, ok = ir.Thought{}, false
		}
	}
	if !ok {
		h.add(t)
		last++
	}
	if p.text != "" {
		t.Texts = append(t.Texts, p.text)
	}
	t.Private, t.Redacted = p.private, p.redacted
	// A client that was streamed the thought gives back the pieces. Anthropic
	// sealed them as one text and checks that.
	if len(t.Texts) > 1 && t.Private != nil && t.Private.Vendor == ir.VendorAnthropic {
		t.Texts = []string{strings.Join(t.Texts, "")}
	}
	h.items[last] = t
}

func (h *history) call(p piece) ir.ToolCall {
	name := p.body.Need("name")
	id, carried := ir.OpenID(p.body.Str("id"))
	if p.private == nil {
		p.private = carried
	}
	call := ir.ToolCall{
		ID: h.ids.Call(id, name), Kind: ir.ToolFunction, Name: name,
		Arguments: readArgs(p.body), Private: p.private, Extras: p.extras,
	}
	call.Extras = rest(call.Extras, p.body, "functionCall.")
	return call
}

func (h *history) result(p piece) ir.ToolResult {
	name := p.body.Need("name")
	id, _ := ir.OpenID(p.body.Str("id"))
	r := ir.ToolResult{CallID: h.ids.Result(id, name), Kind: ir.ToolFunction, Name: name, Extras: p.extras}
	r.Parts, r.IsError = readResponse(p.body.Object("response"))
	for i, v := range list(p.body.Get("parts")) {
		media := readPiece(v)
		if media.kind != pieceMedia {
			v.Fail("must be inlineData or fileData")
		}
		for _, e := range media.extras {
			e.Path = "functionResponse.parts[" + strconv.Itoa(i) + "]." + e.Path
			r.Extras = append(r.Extras, e)
		}
		r.Parts = append(r.Parts, media.content)
	}
	r.Extras = rest(r.Extras, p.body, "functionResponse.")
	return r
}

// readResponse undoes writeResponse: {"output": text} and {"error": …}, which
// are also what Google's clients write; anything else is the text of its JSON.
func readResponse(o *jsondoc.Object) (parts []ir.Part, failed bool) {
	keys := o.Keys()
	if len(keys) == 0 {
		return nil, false
	}
	if len(keys) == 1 {
		v := o.Get(keys[0])
		switch {
		case keys[0] == "error" && v.Kind() == jsondoc.String:
			return []ir.Part{ir.Text{Text: v.Str()}}, true
		case keys[0] == "error" && v.Present():
			return []ir.Part{ir.Text{Text: string(v.Raw())}}, true
		case (keys[0] == "output" || keys[0] == "result") && v.Kind() == jsondoc.String:
			return []ir.Part{ir.Text{Text: v.Str()}}, false
		}
	}
	return []ir.Part{ir.Text{Text: string(o.Value().Raw())}}, false
}

// responseOf returns the object that a result's text becomes, and undoes
// readResponse: the text itself where it is a JSON object that does not look
// like the wrapping, else the text wrapped.
func responseOf(text string, failed bool) json.RawMessage {
	w := jsondoc.NewWriter(nil)
	raw, isObject := jsonObject(text)
	switch {
	case failed && isObject:
		w.Object("")
		w.Raw("error", raw)
		w.End()
		return w.Bytes()
	case isObject && !looksWrapped(raw):
		return raw
	}
	name := "output"
	if failed {
		name = "error"
	}
	w.Object("")
	w.Str(name, text)
	w.End()
	return w.Bytes()
}

// maxResultDepth is how deep an object may nest to be given as it is; protobuf
// refuses what is deeper than about a hundred messages, which a Struct uses
// two of for each level.
const maxResultDepth = 40

func jsonObject(text string) (json.RawMessage, bool) {
	if len(text) < 2 || text[0] != '{' || text[len(text)-1] != '}' {
		return nil, false
	}
	limits := wireLimits()
	limits.Depth = maxResultDepth
	if limits.Valid([]byte(text)) != nil {
		return nil, false
	}
	return json.RawMessage(text), true
}

func looksWrapped(raw json.RawMessage) bool {
	o, err := jsondoc.Parse(raw, jsondoc.Options{Limits: wireLimits()})
	if err != nil {
		return true
	}
	parts, failed := readResponse(o)
	if len(parts) != 1 || failed {
		return true
	}
	text, ok := parts[0].(ir.Text)
	return !ok || text.Text != string(raw)
}
