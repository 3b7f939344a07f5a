package proxy

import (
	"net/http"
	"strconv"

	"tollgate"
	"tollgate/internal/conversation"
	"tollgate/internal/wire/openai"
)

// serveKept serves the operations on a response that the caller has stored
// here. Those of others, and those that a provider keeps, are not found.
func (c *call) serveKept() error {
	if c.p.Turns == nil {
		return tollgate.Errorf(tollgate.CodeNotFound, "Response with id '%s' not found.", c.route.ResponseID)
	}
	turn, err := c.p.Turns.Get(&c.ctx, c.owner(), c.route.ResponseID)
	if err != nil {
		return err
	}
	op := c.route.Operation
	if op == tollgate.OpRetrieve && c.query.Get("stream") == "true" {
		return tollgate.Invalidf("stream", "This response cannot be streamed: only responses that were created with background=true and stream=true can.")
	}
	if op == tollgate.OpRetrieve {
		return c.answerOwn(turn.Response)
	}
	if op == tollgate.OpInputItems {
		return c.listInput(&turn)
	}
	if op == tollgate.OpCancel {
		return tollgate.Invalidf("", "Cannot cancel a synchronous response.")
	}
	if err := c.p.Turns.Delete(&c.ctx, c.owner(), turn.ID); err != nil {
		return err
	}
	return c.answerOwn(openai.Responses{}.EncodeDeleted(turn.ID))
}

// listInput answers with the items that the response's request added.
func (c *call) listInput(turn *conversation.Turn) error {
	q := openai.InputQuery{Limit: 20, Descending: true, After: c.query.Get("after")}
	if s := c.query.Get("limit"); s != "" {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 || n > 100 {
			return tollgate.Invalidf("limit", "limit must be a number from 1 to 100")
		}
		q.Limit = n
	}
	switch s := c.query.Get("order"); s {
	case "", "desc":
	case "asc":
		q.Descending = false
	default:
		return tollgate.Invalidf("order", "order must be asc or desc")
	}
	body, err := openai.Responses{}.EncodeInputItems(turn.ID, turn.Input, q)
	if err != nil {
		return err
	}
	return c.answerOwn(body)
}

// isKept reports whether an operation is one on a stored response.
func isKept(op tollgate.Operation) bool {
	return op == tollgate.OpRetrieve || op == tollgate.OpInputItems || op == tollgate.OpDelete || op == tollgate.OpCancel
}

// prewarm answers a turn that asks for no answer yet (generate: false): what it
// says is remembered under an id to go on from, and no provider is asked.
func (c *call) prewarm(targets []target) error {
	if err := c.decode(); err != nil {
		return err
	}
	c.expect(&targets[0])
	events := c.emptyAnswer()
	c.streamed(events)
	h := c.w.Header()
	h["Content-Type"] = []string{"text/event-stream; charset=utf-8"}
	c.row.Status = http.StatusOK
	c.recordLater()
	c.write(http.StatusOK, events)
	return nil
}
