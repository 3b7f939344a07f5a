// Package conversation keeps what a client of the Responses API may go on from:
// each answer with the items that led to it. Keeper keeps answers in the
// database, sealed, for each owner apart and within bounds of size and life;
// Memory keeps those of one connection. Items are the JSON that the client sent
// or saw and are given back byte for byte.
package conversation

import (
	"encoding/json"
	"time"

	"tollgate"
	"tollgate/internal/wire/jsonscan"
)

// Turn is one answer and what was new in its request.
type Turn struct {
	// ID is the id of the response, as the client saw it.
	ID string
	// Previous is the response that the request went on from, where that is kept
	// in the same place; empty = Input says everything that came before.
	Previous string
	// Input are the items that the request added.
	Input []json.RawMessage
	// Response is the whole response object as the client saw it.
	Response json.RawMessage
	// CreatedAt is set by Keeper.
	CreatedAt time.Time
}

// Output returns the items of the response.
func (t *Turn) Output() []json.RawMessage { return OutputOf(t.Response) }

// OutputOf returns the output items of a response object; none when it is no
// such object.
func OutputOf(response []byte) []json.RawMessage {
	var limits jsonscan.Limits
	raw, ok := limits.Member(response, "output")
	if !ok {
		return nil
	}
	var items []json.RawMessage
	a := limits.Array(raw, 0, 0)
	for a.Next() {
		items = append(items, a.Value.Of(raw))
	}
	return items
}

// size is what a turn counts, in bytes.
func (t *Turn) size() int64 {
	n := len(t.Response)
	for _, it := range t.Input {
		n += len(it)
	}
	return int64(n)
}

// NotFound is the error for a response that cannot be gone on from, in the
// words that clients of the API look for.
func NotFound(id string) *tollgate.Error {
	return &tollgate.Error{
		Code: tollgate.CodeInvalid, Field: "previous_response_id", Reason: "previous_response_not_found",
		Message: "Previous response with id '" + id + "' not found.",
	}
}

// TooLong is the error for a conversation over its bound.
func TooLong(limit int64) *tollgate.Error {
	return tollgate.Errorf(tollgate.CodeTooLarge,
		"the conversation holds more than %d bytes, which is all that this gateway keeps; compact it, or send its items as input", limit)
}
