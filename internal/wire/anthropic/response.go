package anthropic

import (
	"encoding/json"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// DecodeResponse implements wire.Back.
func (Codec) DecodeResponse(body []byte) (*ir.Response, []ir.Loss, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits(), Lenient: true})
	if err != nil {
		return nil, nil, wire.NotAnAnswer(err)
	}
	if typ := o.Get("type"); typ.Str() == "error" {
		return nil, nil, failure(0, o.Object("error"))
	}
	resp := &ir.Response{ID: o.Str("id"), Model: o.Str("model")}
	o.Str("role")
	b := blockReader{}
	b.begin(ir.RoleAssistant)
	if o.Get("content").Kind() != jsondoc.IsArray {
		o.Get("content").Fail("must be an array")
	}
	b.content(o.Get("content"))
	stop, extras := readStop(o, nil)
	resp.Choices = []ir.Choice{{Items: b.items, Stop: stop}}
	var c counts
	resp.Usage, resp.Extras = readUsage(&c, o.Get("usage"), extras)
	resp.ServiceTier = tierWord(c.tier)
	resp.Extras = rest(resp.Extras, o, "")
	if err := o.Err(); err != nil {
		return nil, nil, wire.NotAnAnswer(err)
	}
	return resp, nil, nil
}

// usageMembers are read into counts.
func usageMember(name string) bool {
	switch name {
	case "input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation",
		"output_tokens_details", "service_tier":
		return true
	default:
		return false
	}
}

// readUsage adds a usage object to the counts of an answer, with the observer's
// own reading, so that a translated answer is billed as a passed one. Members
// that are no counts become extras, in place of those of an earlier object.
func readUsage(c *counts, v jsondoc.Value, extras []ir.Extra) (ir.Usage, []ir.Extra) {
	if v.Kind() != jsondoc.IsObject {
		return ir.Usage{}, extras
	}
	reported := c.read(v.Raw())
	o := v.Object()
	for _, name := range o.Keys() {
		raw := o.Raw(name)
		if usageMember(name) || raw == nil {
			continue
		}
		extras = setExtra(extras, extra(onUsage+name, raw))
	}
	return ir.Usage{Tokens: c.tokens(), Reported: reported}, extras
}

// setExtra appends e, in place of an extra of the same path.
func setExtra(extras []ir.Extra, e ir.Extra) []ir.Extra {
	for i := range extras {
		if extras[i].Path == e.Path {
			extras[i] = e
			return extras
		}
	}
	return append(extras, e)
}

// tierWord returns ir's word for the tier that an answer was given in.
func tierWord(tier string) string {
	if tier == "standard" {
		return "default"
	}
	return tier
}

// writeUsage writes the usage of an answer.
func writeUsage(w *jsondoc.Writer, l *ir.Losses, u ir.Usage, tier string, extras []ir.Extra) {
	t := u.Tokens
	if rounds := findExtra(extras, onUsage+"iterations"); rounds != nil { // they are counted beside the rest
		var c counts
		c.iterations(rounds)
		t = subtract(t, c.aside)
	}
	w.Object("usage")
	w.Int("input_tokens", t.Input)
	w.Int("cache_creation_input_tokens", t.CacheWrite+t.CacheWrite1h)
	w.Int("cache_read_input_tokens", t.CacheRead)
	if t.CacheWrite1h > 0 {
		w.Object("cache_creation")
		w.Int("ephemeral_5m_input_tokens", t.CacheWrite)
		w.Int("ephemeral_1h_input_tokens", t.CacheWrite1h)
		w.End()
	}
	w.Int("output_tokens", t.Output)
	if t.Reasoning > 0 {
		w.Object("output_tokens_details")
		w.Int("thinking_tokens", t.Reasoning)
		w.End()
	}
	switch tier {
	case "":
	case "default":
		w.Str("service_tier", "standard")
	case "priority", "batch":
		w.Str("service_tier", tier)
	default:
		l.Lose("service_tier", "Anthropic has no such tier")
	}
	writeExtras(w, extras, onUsage)
	w.End()
	for path, n := range map[string]int64{
		"usage.audio_input": u.AudioInput, "usage.audio_output": u.AudioOutput,
		"usage.image_input": u.ImageInput, "usage.image_output": u.ImageOutput,
	} {
		if n != 0 {
			l.Note(path, "counted with the other tokens")
		}
	}
	if !u.Reported {
		l.Note("usage.reported", "Anthropic always gives numbers")
	}
}

func subtract(a, b tollgate.Tokens) tollgate.Tokens {
	return tollgate.Tokens{
		Input: max(a.Input-b.Input, 0), CacheRead: max(a.CacheRead-b.CacheRead, 0), CacheWrite: max(a.CacheWrite-b.CacheWrite, 0),
		CacheWrite1h: max(a.CacheWrite1h-b.CacheWrite1h, 0), Output: max(a.Output-b.Output, 0), Reasoning: max(a.Reasoning-b.Reasoning, 0),
	}
}

// EncodeResponse implements wire.Front.
func (Codec) EncodeResponse(req *ir.Request, resp *ir.Response, id tollgate.RequestID) ([]byte, []ir.Loss) {
	b := &blockWriter{w: jsondoc.NewWriter(make([]byte, 0, 2048)), answer: true}
	w := b.w
	w.Object("")
	writeHead(w, req, resp.ID, resp.Model, id)
	w.Array("content")
	var choice ir.Choice
	for n, c := range resp.Choices {
		if n == 0 {
			choice = c
		} else {
			b.Lose(choicePath(n), "Anthropic gives one answer")
		}
	}
	calls := false
	for i, it := range choice.Items {
		calls = calls || isCall(it)
		b.wrote(i, it, b.answerItem(ir.OutputPath(0, i), it) > 0)
	}
	w.End()
	writeStop(w, &b.losses, choice.Stop, calls, resp.Extras)
	writeUsage(w, &b.losses, resp.Usage, resp.ServiceTier, resp.Extras)
	b.losses.Extras("", resp.Extras, own)
	for _, e := range resp.Extras {
		if e.Dialect == own && !nested(e.Path) && !isStop(e.Path) {
			w.Raw(memberName(e.Path), e.Raw)
		}
	}
	w.End()
	b.noteIf(resp.Created != 0, "created", "Anthropic tells no time")
	return w.Bytes(), b.losses.List()
}

func choicePath(n int) string { return strings.TrimSuffix(ir.OutputPath(n, 0), ".items[0]") }

func isCall(it ir.Item) bool {
	_, ok := it.(ir.ToolCall)
	return ok
}

// wrote notes that messages that follow each other in an answer become one: it
// is item i, and anything of it was written.
func (b *blockWriter) wrote(i int, it ir.Item, anything bool) {
	_, message := it.(ir.Message)
	switch {
	case !anything:
	case !message:
		b.talking = 0
	case b.talking == 0:
		b.talking = i + 1
	default:
		b.Note(ir.OutputPath(0, i), "one with the message before")
		b.Note(ir.OutputPath(0, b.talking-1)+".parts", "and those of the message after")
	}
}

// answerItem writes an item of an answer, as far as clients know it, and
// returns how many blocks that gave.
func (b *blockWriter) answerItem(at string, it ir.Item) int {
	switch x := it.(type) {
	case ir.Opaque:
		if x.Dialect != own {
			b.Lose(at, "only "+x.Dialect+" has it")
			return 0
		}
	case ir.ToolResult:
		b.Lose(at, "answers of Anthropic hold no results of clients' tools")
		return 0
	case ir.Thought:
		if x.Private == nil && len(x.Texts) == 0 {
			b.Note(at, "an empty thought")
			return 0
		}
	case ir.Message, ir.ToolCall:
	}
	n := b.item(at, ir.RoleAssistant, it)
	if m, ok := it.(ir.Message); ok && n == 0 {
		b.noteIf(len(m.Parts) == 0, at, "an empty message")
	}
	return n
}

// writeHead writes the members of a message before its content.
func writeHead(w *jsondoc.Writer, req *ir.Request, vendorID, model string, id tollgate.RequestID) {
	w.Str("id", messageID(vendorID, id))
	w.Str("type", "message")
	w.Str("role", string(ir.RoleAssistant))
	if req.Model != "" {
		model = req.Model
	}
	w.Str("model", model)
}

// messageID keeps ids of the vendor's form.
func messageID(vendorID string, id tollgate.RequestID) string {
	if strings.HasPrefix(vendorID, "msg_") {
		return vendorID
	}
	return "msg_" + id.String()
}

// EncodeCount implements wire.Front.
func (Codec) EncodeCount(tokens int64) []byte {
	return mustJSON(struct {
		InputTokens int64 `json:"input_tokens"`
	}{tokens})
}

// DecodeCount implements wire.Back.
func (Codec) DecodeCount(body []byte) (int64, error) {
	at, ok := wire.AnswerLimits().Path(body, "input_tokens")
	if ok {
		if n, isNumber := wire.TokenCount(at.Of(body)); isNumber && json.Valid(body) {
			return n, nil
		}
	}
	return 0, wire.NotAnAnswer(errNoAnswer)
}
