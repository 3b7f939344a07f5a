package laws

import (
	"fmt"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
)

// Written is what the gateway writes in one dialect for a case, for judges
// from outside. What a case does not have, or the dialect refuses, is nil.
type Written struct {
	Request []byte
	Answer  []byte
	Events  [][]byte // the data of each event of a stream
}

// Write translates a case into the target's dialect.
func Write(c Case, target tollgate.Dialect) (Written, error) {
	var out Written
	to := Translators()[target]
	req, err := c.asked()
	if err != nil {
		return out, err
	}
	if c.Parts["request"] != "" {
		if body, _, err := to.EncodeRequest(req); err == nil { // a refusal is the request law's matter
			out.Request = body
		}
	}
	if c.Parts["answer"] != "" {
		resp, _, err := Translators()[c.Dialect].DecodeResponse([]byte(c.Parts["answer"]))
		if err != nil {
			return out, fmt.Errorf("the answer cannot be read: %w", err)
		}
		out.Answer, _ = to.EncodeResponse(req, resp, id)
	}
	if c.Parts["stream"] != "" {
		events, _, err := Decode(c, 1<<20)
		if err != nil {
			return out, err
		}
		out.Events, err = written(to.StreamEncoder(req, framings(target)[0], id), events)
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// CountRequest translates a case's request into one for the count of its input;
// an error is a refusal.
func CountRequest(c Case, target tollgate.Dialect) ([]byte, error) {
	req, err := c.decode()
	if err != nil {
		return nil, err
	}
	body, _, err := Translators()[target].EncodeCountRequest(req)
	return body, err
}

func written(enc wire.StreamEncoder, events []ir.Event) ([][]byte, error) {
	var text []byte
	for _, ev := range events {
		text = enc.Event(text, ev)
	}
	return Data(text)
}

// Data is the data of each event of a stream of server-sent events.
func Data(text []byte) ([][]byte, error) {
	list, err := frames(string(text), wire.FramingSSE, len(text)+1)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for _, f := range list {
		out = append(out, f.data)
	}
	return out, nil
}
