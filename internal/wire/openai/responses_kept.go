package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strconv"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// ResponseHead is what a response object says of itself.
type ResponseHead struct{ ID, Status string }

// ReadResponseHead reads the head of a response object; what is none is empty.
func (Responses) ReadResponseHead(response []byte) ResponseHead {
	o, err := jsondoc.Parse(response, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return ResponseHead{}
	}
	return ResponseHead{ID: textOf(o, "id"), Status: textOf(o, "status")}
}

// WithOutput returns a response object with the given items as its output.
func (Responses) WithOutput(response []byte, items []json.RawMessage) ([]byte, error) {
	return withArray(response, "output", items)
}

// withArray returns an object with items as its member name, in the member's
// place or at the end, and without the members named in drop.
func withArray(object []byte, name string, items []json.RawMessage, drop ...string) ([]byte, error) {
	o, err := jsondoc.Parse(object, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, err
	}
	size := len(object)
	for _, it := range items {
		size += len(it) + 1
	}
	w := jsondoc.NewWriter(make([]byte, 0, size))
	w.Object("")
	for _, k := range o.Keys() {
		if k != name && !slices.Contains(drop, k) {
			w.Raw(k, o.Raw(k))
		}
	}
	w.Array(name)
	for _, it := range items {
		w.Raw("", it)
	}
	w.End()
	w.End()
	return w.Bytes(), nil
}

// EncodeDeleted writes the answer to the deletion of a response.
func (Responses) EncodeDeleted(id string) []byte {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("id", id)
	w.Str("object", "response")
	w.Bool("deleted", true)
	w.End()
	return w.Bytes()
}

// InputQuery selects a page of input items.
type InputQuery struct {
	Limit      int
	Descending bool   // the last item first
	After      string // the id of the item before the page; empty = from the start
}

// EncodeInputItems writes the page of a list of items that q selects, each in
// the form that the API lists it in: with an id, and messages with parts. An
// unknown After is CodeInvalid.
func (Responses) EncodeInputItems(response string, items []json.RawMessage, q InputQuery) ([]byte, error) {
	listed := make([]listedItem, 0, len(items))
	for i, raw := range items {
		it, err := listItem(response, i, raw)
		if err != nil {
			return nil, err
		}
		listed = append(listed, it)
	}
	if q.Descending {
		slices.Reverse(listed)
	}
	if q.After != "" {
		at := slices.IndexFunc(listed, func(it listedItem) bool { return it.id == q.After })
		if at < 0 {
			return nil, tollgate.Invalidf("after", "Item with id '%s' not found.", q.After)
		}
		listed = listed[at+1:]
	}
	more := len(listed) > q.Limit
	listed = listed[:min(len(listed), q.Limit)]
	first, last := "", ""
	if len(listed) > 0 {
		first, last = listed[0].id, listed[len(listed)-1].id
	}
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("object", "list")
	w.Array("data")
	for _, it := range listed {
		w.Raw("", it.raw)
	}
	w.End()
	w.Str("first_id", first)
	w.Str("last_id", last)
	w.Bool("has_more", more)
	w.End()
	return w.Bytes(), nil
}

type listedItem struct {
	id  string
	raw json.RawMessage
}

// listItem gives an item what clients may leave out: id, type and status, and
// the parts of a message that is a text.
func listItem(response string, index int, raw json.RawMessage) (listedItem, error) {
	o, err := jsondoc.Parse(raw, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return listedItem{}, err
	}
	head := Responses{}.ReadItemHead(raw)
	it := listedItem{id: head.ID, raw: raw}
	message := head.Type == "message"
	if it.id != "" && (!message || o.Has("type") && o.Has("status") && o.Get("content").Kind() == jsondoc.IsArray) {
		return it, nil
	}
	if it.id == "" {
		sum := sha256.Sum256([]byte(response + " " + strconv.Itoa(index)))
		prefix := "item_"
		if message {
			prefix = "msg_"
		}
		it.id = prefix + hex.EncodeToString(sum[:16])
	}
	w := jsondoc.NewWriter(make([]byte, 0, len(raw)+128))
	w.Object("")
	w.Str("id", it.id)
	w.Str("type", head.Type)
	if message && !o.Has("status") {
		w.Str("status", "completed")
	}
	for _, k := range o.Keys() {
		switch {
		case k == "id" || k == "type":
		case k == "content" && message && o.Get(k).Kind() == jsondoc.String:
			w.Array(k)
			w.Object("")
			w.Str("type", partType(head.Role))
			w.Str("text", o.Str(k))
			if head.Role == "assistant" {
				w.Array("annotations")
				w.End()
			}
			w.End()
			w.End()
		default:
			w.Raw(k, o.Raw(k))
		}
	}
	w.End()
	it.raw = w.Bytes()
	return it, nil
}

// partType is the type of a text in a message of a role.
func partType(role string) string {
	if role == "assistant" {
		return "output_text"
	}
	return "input_text"
}

// SummaryRequest returns the body of a request to /v1/responses that answers
// items in plain text, with what else body says of the model to ask: a request
// to /v1/responses/compact, which has the members of any other.
func (Responses) SummaryRequest(body []byte, items []json.RawMessage) ([]byte, error) {
	out, err := withArray(body, "input", items, "previous_response_id", "stream", "stream_options", "store", "background", "include",
		"text", "tool_choice", "conversation", "truncation", "context_management")
	if err != nil {
		return nil, err
	}
	more := `,"store":false`
	if o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()}); err == nil && o.Has("tools") {
		more += `,"tool_choice":"none"` // calls in the conversation need them; new ones are not wanted
	}
	return append(append(out[:len(out)-1], more...), '}'), nil
}
