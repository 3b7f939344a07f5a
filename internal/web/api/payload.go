package api

import (
	"context"
	"encoding/base64"
	"unicode/utf8"

	"tollgate"
)

// Payload is the JSON of what is kept of the bodies of a request.
type Payload struct {
	ID       string `json:"id"`
	UserID   *int64 `json:"user_id" doc:"null = the access key's"`
	Request  *Body  `json:"request" doc:"As the client sent it; null = not kept."`
	Sent     *Body  `json:"sent" doc:"As a provider of another protocol got it; null = there was none, or it is not kept."`
	Response *Body  `json:"response" doc:"As the client got it, of a stream its bytes; null = not kept."`
}

// Body is the JSON of one body.
type Body struct {
	ContentType string `json:"content_type"`
	Bytes       int64  `json:"bytes" doc:"How long it was, less what was redacted."`
	Truncated   bool   `json:"truncated" doc:"Less is kept than there was."`
	Encoding    string `json:"encoding" enum:"utf-8,base64" doc:"Of text."`
	Text        string `json:"text"`
}

// BodyRecord returns the JSON of a body. What was cut within a letter is text
// without its last one.
func BodyRecord(kind string, data []byte, bytes int64, truncated bool) *Body {
	out := &Body{ContentType: kind, Bytes: bytes, Truncated: truncated, Encoding: "base64", Text: base64.StdEncoding.EncodeToString(data)}
	for cut := 0; truncated && cut < utf8.UTFMax-1 && len(data) > 0 && !utf8.Valid(data); cut++ {
		data = data[:len(data)-1]
	}
	if utf8.Valid(data) {
		out.Encoding, out.Text = "utf-8", string(data)
	}
	return out
}

// PayloadReader reads what is kept of a request and whose it is; where users is
// set, what is not theirs is CodeNotFound.
type PayloadReader func(ctx context.Context, id tollgate.RequestID, users tollgate.Match[int64]) (Payload, error)

// RequestID reads the id of a request.
func (b ByRequest) RequestID() (tollgate.RequestID, error) { return parseRequest("id", b.ID) }

func parseRequest(field, text string) (tollgate.RequestID, error) {
	id, err := tollgate.ParseRequestID(text)
	if err != nil {
		return 0, tollgate.Invalidf(field, "%s is not a request id (req_ and 13 characters)", field)
	}
	return id.Request(), nil
}

// ParseRequests reads a list of request ids.
func ParseRequests(field string, texts []string) ([]tollgate.RequestID, error) {
	out := make([]tollgate.RequestID, len(texts))
	for i, text := range texts {
		var err error
		if out[i], err = parseRequest(field, text); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// WithPayloads is the Records of a listing of requests: each with whether its
// bodies are kept.
func WithPayloads(one func(tollgate.Request) Request) func(context.Context, tollgate.Tx, []tollgate.Request) ([]Request, error) {
	return func(ctx context.Context, tx tollgate.Tx, rows []tollgate.Request) ([]Request, error) {
		ids := make([]tollgate.RequestID, len(rows))
		for i := range rows {
			ids[i] = rows[i].ID
		}
		states, err := tx.Payloads.States(ctx, ids)
		if err != nil {
			return nil, err
		}
		out := make([]Request, len(rows))
		for i := range rows {
			out[i] = one(rows[i])
			out[i].Payload = payloadState(states, rows[i].ID)
		}
		return out, nil
	}
}

func payloadState(states map[tollgate.RequestID]tollgate.PayloadState, id tollgate.RequestID) string {
	if s, ok := states[id]; ok {
		return string(s)
	}
	return string(tollgate.PayloadNone)
}
