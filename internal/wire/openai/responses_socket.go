package openai

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
	"tollgate/internal/wire/jsonscan"
)

// Create is a turn on a WebSocket: what a response.create event asks for.
type Create struct {
	// Body is the same request as a client would POST it, streamed.
	Body []byte
	// Generate is unset when the turn only prepares for a later one.
	Generate bool
	// StreamID names the lane that events of the turn belong to; empty = none.
	StreamID string
}

// maxStreamID bounds the name of a lane, in bytes, as the API does.
const maxStreamID = 256

// ReadCreate reads a text message of a client. stream and stream_options say
// nothing on a WebSocket and are left out. Errors are CodeInvalid with the
// field.
func (Responses) ReadCreate(message []byte) (Create, error) {
	o, err := jsondoc.Parse(message, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return Create{}, err
	}
	if kind := o.Need("type"); o.Err() == nil && kind != "response.create" {
		return Create{}, tollgate.Invalidf("type", "Unknown event type '%s'; a turn begins with response.create.", clipped(kind))
	}
	if b := o.Bool("background"); b != nil && *b {
		return Create{}, tollgate.Invalidf("background", "A response in the background cannot be made over a WebSocket.")
	}
	c := Create{Generate: true, StreamID: o.Str("stream_id")}
	if b := o.Bool("generate"); b != nil {
		c.Generate = *b
	}
	if !isStreamID(c.StreamID) {
		return Create{}, tollgate.Invalidf("stream_id", "stream_id consists of at most %d letters, digits, and _ . -", maxStreamID)
	}
	w := jsondoc.NewWriter(make([]byte, 0, len(message)+16))
	w.Object("")
	for _, k := range o.Keys() {
		switch k {
		case "type", "generate", "stream_id", "stream", "stream_options", "background":
		default:
			w.Raw(k, o.Raw(k))
		}
	}
	w.Bool("stream", true)
	w.End()
	c.Body = w.Bytes()
	return c, o.Err()
}

func clipped(s string) string { return strings.ToValidUTF8(s[:min(len(s), 64)], "") }

func isStreamID(s string) bool {
	return len(s) <= maxStreamID && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") == ""
}

// SocketEvent writes an event of the stream as a message of the lane.
func (Responses) SocketEvent(data []byte, streamID string) []byte {
	out := jsonscan.AppendLine(make([]byte, 0, len(data)+len(streamID)+16), data)
	if streamID == "" || len(out) < 2 || out[len(out)-1] != '}' {
		return out
	}
	out = append(out[:len(out)-1], `,"stream_id":`...)
	return append(jsonscan.AppendString(out, streamID), '}')
}

// SocketError writes the error event that ends a turn, or comes alone: body is
// an answer that says what failed (EncodeError), or the data of an error event;
// h may hold headers that a client would look at.
func (Responses) SocketError(status int, h http.Header, body []byte, streamID string) []byte {
	code := "server_error"
	e := apiError{Message: "the turn failed", Type: code, Code: &code}
	if o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()}); err == nil {
		e = socketError(o, e)
	}
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("type", "error")
	w.Int("status", int64(status))
	w.Raw("error", mustJSON(e))
	var said []string
	for _, name := range slices.Sorted(maps.Keys(h)) {
		switch strings.ToLower(name) {
		case "retry-after", "x-should-retry", "x-request-id", "x-tollgate-request-id":
			said = append(said, name)
		}
	}
	if len(said) > 0 {
		w.Object("headers")
		for _, name := range said {
			w.Str(strings.ToLower(name), h.Get(name))
		}
		w.End()
	}
	w.OptStr("stream_id", streamID)
	w.End()
	return w.Bytes()
}

// socketError reads an error in either of the forms that are in use. Its code
// is never empty: clients of WebSockets decide by it.
func socketError(o *jsondoc.Object, e apiError) apiError {
	at := o
	if inner := o.Get("error"); inner.Kind() == jsondoc.IsObject {
		at = inner.Object()
	}
	if s := textOf(at, "message"); s != "" {
		e.Message = s
	}
	if s := textOf(at, "type"); s != "" && s != "error" {
		e.Type = s
	}
	code := textOf(at, "code")
	if code == "" {
		code = e.Type
	}
	e.Code = &code
	if s := textOf(at, "param"); s != "" {
		e.Param = &s
	}
	return e
}

// SocketWhole writes an answer that came whole as the event that ends a stream.
func (Responses) SocketWhole(response json.RawMessage, streamID string) []byte {
	kind := "response.completed"
	switch (Responses{}).ReadResponseHead(response).Status {
	case "incomplete":
		kind = "response.incomplete"
	case "failed":
		kind = "response.failed"
	}
	w := jsondoc.NewWriter(make([]byte, 0, len(response)+96))
	w.Object("")
	w.Str("type", kind)
	w.Int("sequence_number", 0)
	w.Raw("response", response)
	w.OptStr("stream_id", streamID)
	w.End()
	return jsonscan.AppendLine(nil, w.Bytes())
}
