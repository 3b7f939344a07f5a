package proxy

import (
	"bytes"
	"encoding/json"
	"slices"

	"tollgate"
	"tollgate/internal/conversation"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// thread is what a call to the Responses API has to do with the answers before
// it. A call that goes on from an answer becomes one that says itself what came
// before, in the JSON that the client sent and saw: all that follows, passing
// through or translating, billing, losses, sees a request like any other.
type thread struct {
	memory *conversation.Memory // of the connection; nil over plain HTTP
	// asked is the answer that the client names to go on from.
	asked string
	// previous is the answer that the call goes on from, found here; history are
	// the items up to and including it.
	previous string
	history  []json.RawMessage
	stored   bool // previous is kept by Proxy.Turns
	// input are the items that the call itself adds; read from the body where the
	// call was not rewritten.
	input []json.RawMessage
	read  bool // input is set
	// store and remember say what is done with the answer of the provider that is
	// being read; done is set when it is.
	store, remember, done bool
	items                 []json.RawMessage // of the answer so far, as they ended
}

// keepsState reports whether the provider itself knows the answers that a
// client may go on from.
func (t *target) keepsState() bool { return !t.translated && t.endpoint.KeepsResponses() }

// owner is whose turns the caller's are; 0 = the service key.
func (c *call) owner() int64 { return c.row.UserID }

// converse makes a call that goes on from an earlier answer say what came
// before, and returns the targets that can take it. What the gateway does not
// know is left to providers that keep their answers themselves.
func (c *call) converse(targets []target) ([]target, error) {
	if c.route.Dialect != tollgate.DialectOpenAIResponses {
		return targets, nil
	}
	if id := c.thread.asked; id != "" {
		known, err := c.recall(id)
		if err != nil {
			return nil, err
		}
		if !known {
			if targets = onlyKeeping(targets); len(targets) == 0 || c.summary != nil {
				return nil, conversation.NotFound(id)
			}
			return targets, nil
		}
	}
	if c.thread.previous == "" && c.summary == nil && !bytes.Contains(c.body.data, []byte(conversation.SealMark())) &&
		!bytes.Contains(c.body.data, []byte(`"item_reference"`)) {
		return targets, nil
	}
	return c.rewrite(targets)
}

func onlyKeeping(targets []target) []target {
	return slices.DeleteFunc(targets, func(t target) bool { return !t.keepsState() })
}

// recall looks an earlier answer up: what this connection remembers, then what
// the caller has stored.
func (c *call) recall(id string) (known bool, err error) {
	th := &c.thread
	if th.memory != nil {
		if items, stored, ok := th.memory.History(id); ok {
			th.previous, th.history, th.stored = id, items, stored
			return true, nil
		}
	}
	if c.p.Turns == nil {
		return false, nil
	}
	items, err := c.p.Turns.History(&c.ctx, c.owner(), id)
	if e := tollgate.AsError(err); err != nil && e.Reason == conversation.NotFound(id).Reason {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	th.previous, th.history, th.stored = id, items, true
	return true, nil
}

// rewrite replaces the body by one whose input holds everything: the history,
// items in place of references to them, and messages in place of compactions
// that the gateway has sealed.
func (c *call) rewrite(targets []target) ([]target, error) {
	th := &c.thread
	conv, err := openai.Responses{}.ReadConversation(c.body.data)
	if err != nil {
		return nil, err
	}
	x := &resolver{c: c, history: th.history}
	th.input, th.read = make([]json.RawMessage, 0, len(conv.Items)), true
	for _, it := range conv.Items {
		if it, err = x.item(it); err != nil {
			return nil, err
		}
		th.input = append(th.input, it)
	}
	if x.unknown != "" { // an item that its provider may have
		if targets = onlyKeeping(targets); len(targets) == 0 || c.summary != nil {
			return nil, tollgate.Invalidf("input", "Item with id '%s' not found.", x.unknown)
		}
	}
	sent := slices.Concat(th.history, th.input)
	for i := range sent {
		if sent[i], err = c.opened(sent[i]); err != nil {
			return nil, err
		}
	}
	if th.previous != "" {
		if err := answered(sent); err != nil {
			return nil, err
		}
	}
	var body []byte
	if c.summary != nil {
		body, err = c.summary.request(c.body.data, sent)
	} else {
		body, err = openai.Responses{}.WithItems(c.body.data, sent)
	}
	if err != nil {
		return nil, err
	}
	return targets, c.replaceBody(body)
}

// replaceBody makes body the request's. The old bytes may be in use as items;
// they are left to the garbage collector.
func (c *call) replaceBody(body []byte) error {
	more := int64(cap(body)) - c.body.taken
	if more > 0 {
		if !c.p.bodies.take(more, c.p.Limits.InFlightBytes) {
			return noRoom()
		}
		c.body.taken += more
	}
	c.body.data = body
	peeked, err := wire.Peek(c.route, body)
	if err != nil {
		return err
	}
	c.peeked = peeked
	return nil
}

// opened returns the item, or the message that a compaction of ours stands for.
func (c *call) opened(item json.RawMessage) (json.RawMessage, error) {
	if c.p.Sealer == nil || !bytes.Contains(item, []byte(conversation.SealMark())) {
		return item, nil
	}
	head := openai.Responses{}.ReadItemHead(item)
	if head.Type != "compaction" && head.Type != "compaction_summary" {
		return item, nil
	}
	text, ours, err := conversation.OpenText(c.p.Sealer, c.owner(), head.Sealed)
	if err != nil || !ours {
		return item, err
	}
	return openai.Responses{}.UserItem(summaryLead + text), nil
}

// answered refuses results without their call, as the API does: most providers
// would take them for something else.
func answered(items []json.RawMessage) error {
	calls := map[string]bool{}
	for _, it := range items {
		head := openai.Responses{}.ReadItemHead(it)
		switch head.Type {
		case "function_call", "custom_tool_call":
			calls[head.CallID] = true
		case "function_call_output", "custom_tool_call_output":
			if !calls[head.CallID] {
				return tollgate.Invalidf("input", "No tool call found for function call output with call_id %s.", head.CallID)
			}
		}
	}
	return nil
}

// resolver puts items in place of references to them.
type resolver struct {
	c       *call
	history []json.RawMessage
	known   map[string]json.RawMessage // of the history, by id
	looked  map[string]bool            // responses whose items are known
	unknown string                     // the first item that nobody here knows
}

func (x *resolver) item(item json.RawMessage) (json.RawMessage, error) {
	if !bytes.Contains(item, []byte(`"item_reference"`)) {
		return item, nil
	}
	head := openai.Responses{}.ReadItemHead(item)
	if head.Type != "item_reference" {
		return item, nil
	}
	if x.known == nil {
		x.known, x.looked = map[string]json.RawMessage{}, map[string]bool{}
		x.learn(x.history)
	}
	if found, ok := x.known[head.ID]; ok {
		return found, nil
	}
	if response, made := openai.ResponseOfItem(head.ID); made && x.c.p.Turns != nil && !x.looked[response] {
		x.looked[response] = true
		turn, err := x.c.p.Turns.Get(&x.c.ctx, x.c.owner(), response)
		switch {
		case err == nil:
			x.learn(turn.Output())
		case tollgate.ErrorCode(err) != tollgate.CodeNotFound:
			return nil, err
		}
		if found, ok := x.known[head.ID]; ok {
			return found, nil
		}
	}
	if x.unknown == "" {
		x.unknown = head.ID
	}
	return item, nil
}

func (x *resolver) learn(items []json.RawMessage) {
	for _, it := range items {
		if head := (openai.Responses{}).ReadItemHead(it); head.ID != "" && head.Type != "item_reference" {
			x.known[head.ID] = it
		}
	}
}
