package proxy

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"slices"

	"tollgate"
	"tollgate/internal/conversation"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsonscan"
	"tollgate/internal/wire/openai"
	"tollgate/internal/wire/sse"
)

// expect notes what is to be done with the answer of t.
func (c *call) expect(t *target) {
	th := &c.thread
	th.store, th.remember, th.items, th.done = false, false, nil, false
	if c.route.Dialect != tollgate.DialectOpenAIResponses || c.row.Operation != tollgate.OpGenerate {
		return
	}
	th.remember = th.memory != nil
	th.store = c.p.Turns != nil && !c.peeked.Unstored && !t.keepsState()
}

// streamed looks at events that are about to reach the client, and keeps the
// answer when they end it: before the client knows that it is whole.
func (c *call) streamed(events []byte) {
	th := &c.thread
	if !th.store && !th.remember || th.done {
		return
	}
	if !bytes.Contains(events, []byte("response.output_item.done")) && !bytes.Contains(events, []byte("response.completed")) &&
		!bytes.Contains(events, []byte("response.incomplete")) {
		return
	}
	in := sse.NewScanner(sse.Limits{})
	for len(events) > 0 {
		n := copy(in.Buffer(), events)
		in.Fill(n)
		events = events[n:]
		for {
			ev, ok, err := in.Next()
			if err != nil || !ok {
				break
			}
			c.streamedEvent(ev.Name, ev.Data)
		}
	}
}

func (c *call) streamedEvent(name, data []byte) {
	th := &c.thread
	var limits jsonscan.Limits
	switch string(wire.EventType(data, name)) {
	case "response.output_item.done":
		if item, ok := limits.Member(data, "item"); ok {
			th.items = append(th.items, bytes.Clone(item))
		}
	case "response.completed", "response.incomplete":
		if response, ok := limits.Member(data, "response"); ok {
			c.whole(response)
		}
	}
}

// whole keeps an answer that the client is about to have: a response object.
// The answer is given out even if it could not be kept: then its id is unknown,
// which a later call is told.
func (c *call) whole(response []byte) {
	th := &c.thread
	if !th.store && !th.remember || th.done {
		return
	}
	th.done = true
	head := openai.Responses{}.ReadResponseHead(response)
	if head.ID == "" || head.Status == "failed" || head.Status == "cancelled" {
		return
	}
	output := conversation.OutputOf(response)
	if len(output) == 0 && len(th.items) > 0 { // told by the events alone
		output = th.items
		if full, err := (openai.Responses{}).WithOutput(response, output); err == nil {
			response = full
		}
	}
	input, err := c.newItems()
	stored := false
	if err == nil && th.store {
		err = c.keep(head.ID, input, response)
		stored = err == nil
	}
	if err != nil {
		c.p.Log.LogAttrs(c.r.Context(), slog.LevelError, "an answer could not be kept; it cannot be gone on from",
			slog.String("request_id", c.id.String()), slog.Any("error", err))
	}
	if th.remember {
		previous := th.previous
		if !th.memory.Holds(previous) {
			previous, input = "", slices.Concat(th.history, input)
		}
		th.memory.Remember(head.ID, previous, copied(input), copied(output), stored)
	}
}

// newItems are the items that the request added.
func (c *call) newItems() ([]json.RawMessage, error) {
	th := &c.thread
	if !th.read {
		conv, err := openai.Responses{}.ReadConversation(c.body.data)
		if err != nil {
			return nil, err
		}
		th.input, th.read = conv.Items, true
	}
	return th.input, nil
}

// keep stores the answer. Like the row of the call, it does not depend on the
// client's staying.
func (c *call) keep(id string, input []json.RawMessage, response []byte) error {
	th := &c.thread
	turn := conversation.Turn{ID: id, Input: input, Response: response}
	if th.stored {
		turn.Previous = th.previous
	} else {
		turn.Input = slices.Concat(th.history, input)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.r.Context()), c.p.Limits.Record)
	defer cancel()
	return c.p.Turns.Keep(ctx, c.owner(), turn)
}

// copied returns items that do not refer to the memory of a call.
func copied(items []json.RawMessage) []json.RawMessage {
	out := make([]json.RawMessage, len(items))
	for i, it := range items {
		out[i] = bytes.Clone(it)
	}
	return out
}
