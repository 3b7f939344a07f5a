package openai

import (
	"encoding/json"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// Conversation is what of a request's body is about earlier answers, for
// whoever keeps them.
type Conversation struct {
	// PreviousID is the answer that the request goes on from; empty = none.
	PreviousID string
	// Store is set unless the client does not want the answer kept.
	Store bool
	// Items are the items of the input, as they are; a text is a message.
	Items []json.RawMessage
}

// ItemHead is what an item says of itself.
type ItemHead struct {
	Type   string
	ID     string
	CallID string // of a call, and of its result
	Role   string // of a message
	// Sealed is the encrypted_content of a compaction or of reasoning.
	Sealed string
}

// ReadConversation reads the body of a request to /v1/responses or to
// /v1/responses/compact. Errors are CodeInvalid with the field.
func (Responses) ReadConversation(body []byte) (Conversation, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return Conversation{}, err
	}
	c := Conversation{PreviousID: o.Str("previous_response_id"), Store: true}
	if b := o.Bool("store"); b != nil {
		c.Store = *b
	}
	switch input := o.Get("input"); input.Kind() {
	case jsondoc.Absent:
	case jsondoc.String:
		c.Items = []json.RawMessage{Responses{}.UserItem(input.Str())}
	case jsondoc.IsArray, jsondoc.IsObject, jsondoc.Number, jsondoc.Bool:
		for _, v := range input.Array() {
			v.Object()
			c.Items = append(c.Items, v.Raw())
		}
	}
	return c, o.Err()
}

// UserItem returns the message of a user that says text.
func (Responses) UserItem(text string) json.RawMessage {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("type", "message")
	w.Str("role", "user")
	w.Array("content")
	w.Object("")
	w.Str("type", "input_text")
	w.Str("text", text)
	w.End()
	w.End()
	w.End()
	return w.Bytes()
}

// WithItems returns body with the given items as its input and without
// previous_response_id: the request that says itself what it goes on from.
func (Responses) WithItems(body []byte, items []json.RawMessage) ([]byte, error) {
	return withArray(body, "input", items, "previous_response_id")
}

// ReadItemHead reads the head of an item; members that are no strings are
// empty. An item without a type is a message, or the reference to an item.
func (Responses) ReadItemHead(item json.RawMessage) ItemHead {
	o, err := jsondoc.Parse(item, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return ItemHead{}
	}
	h := ItemHead{
		Type: textOf(o, "type"), ID: textOf(o, "id"), CallID: textOf(o, "call_id"), Role: textOf(o, "role"), Sealed: textOf(o, "encrypted_content"),
	}
	if h.Type == "" && o.Has("role") {
		h.Type = "message"
	} else if h.Type == "" {
		h.Type = "item_reference"
	}
	return h
}

// DecodeItems reads an array of items, such as EncodeItems wrote or a client
// sent. Errors are CodeInvalid with the path below "input".
func (Responses) DecodeItems(raw []byte) ([]ir.Item, error) {
	body := make([]byte, 0, len(raw)+len(`{"input":}`))
	body = append(append(append(body, `{"input":`...), raw...), '}')
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, err
	}
	items := responsesItems(o.Array("input"))
	return items, o.Err()
}

// EncodeItems writes items as an array from which DecodeItems reads the same:
// what only other vendors understand is kept in it as well. It is for storage,
// not for providers.
func (Responses) EncodeItems(items []ir.Item) []byte {
	w := &responsesWriter{Writer: jsondoc.NewWriter(nil), losses: &ir.Losses{}, keep: true, marks: true}
	w.Array("")
	w.items(items, ir.ItemPath)
	w.End()
	return w.Bytes()
}

// Compaction is the answer of /v1/responses/compact.
type Compaction struct {
	// Kept are messages that stay in the conversation as they were.
	Kept []ir.Message
	// Sealed is what stands for the rest, as only its maker reads it.
	Sealed string
	Usage  ir.Usage
}

// EncodeCompaction writes the answer of /v1/responses/compact, whose request
// DecodeRequest reads: it has the members of any other.
func (Responses) EncodeCompaction(c Compaction, id tollgate.RequestID) []byte {
	w := &responsesWriter{Writer: jsondoc.NewWriter(nil), losses: &ir.Losses{}, keep: true}
	w.Object("")
	w.Str("id", responsesMadeID(id))
	w.Str("object", "response.compaction")
	w.Int("created_at", id.Time().Unix())
	w.Array("output")
	for i := range c.Kept {
		w.kept(&c.Kept[i], responsesMadeItemID("msg_", id, i))
	}
	w.Object("")
	w.Str("type", "compaction")
	w.Str("id", responsesMadeItemID("cmp_", id, len(c.Kept)))
	w.Str("encrypted_content", c.Sealed)
	w.End()
	w.End()
	usage := c.Usage
	usage.Reported = true
	writeResponsesUsage(w.Writer, &usage)
	w.End()
	return w.Bytes()
}

// kept writes a message as answers have it, with all its members.
func (w *responsesWriter) kept(m *ir.Message, id string) {
	role := string(m.Role)
	if m.Role == ir.RoleSystem {
		role = "developer"
	}
	if m.ID != "" {
		id = m.ID
	}
	w.Object("")
	w.Str("id", id)
	w.Str("type", "message")
	w.Str("status", "completed")
	w.Str("role", role)
	w.Array("content")
	for k, p := range m.Parts {
		w.part(ir.PartPath("", k), m.Role, p, nil, "")
	}
	w.End()
	w.End()
}
