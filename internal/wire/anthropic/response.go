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
	b.writeUsage(w, resp.Usage, resp.ServiceTier, resp.Extras)
	b.noteIf(resp.ServiceTier == "auto", "service_tier", whyAuto)
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
