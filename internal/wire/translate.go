package wire

import (
	"net/http"

	"tollgate"
	"tollgate/internal/ir"
)

// Front is the half of a codec that faces clients when the provider speaks
// another dialect: requests become ir, answers are written in the client's
// dialect. Fronts are stateless values.
type Front interface {
	Dialect() tollgate.Dialect
	// DecodeRequest reads the body of OpGenerate or OpCount. r gives what the
	// path says (Gemini: model and stream). Errors are CodeInvalid with the path
	// of the field in the client's own spelling. It keeps no reference to body.
	DecodeRequest(r Route, body []byte) (*ir.Request, error)
	// EncodeResponse writes a whole answer to req; id names it where the vendor
	// gave no id that fits.
	EncodeResponse(req *ir.Request, resp *ir.Response, id tollgate.RequestID) ([]byte, []ir.Loss)
	// StreamEncoder starts a streamed answer to req.
	StreamEncoder(req *ir.Request, f Framing, id tollgate.RequestID) StreamEncoder
	// EncodeCount writes the answer to OpCount.
	EncodeCount(tokens int64) []byte
}

// Back is the half of a codec that faces providers when the client speaks
// another dialect. Backs are stateless values.
type Back interface {
	Dialect() tollgate.Dialect
	// EncodeRequest writes the body that asks the provider for req; req.Model is
	// the provider's own name. Losses are what the dialect cannot carry. An error
	// (CodeInvalid with the ir path, or CodeUnsupported) means that the request
	// cannot be asked of this dialect at all, such as several choices at once.
	EncodeRequest(req *ir.Request) ([]byte, []ir.Loss, error)
	// EncodeCountRequest writes the body that asks the provider to count req's input.
	// CodeUnsupported where the dialect has no such call.
	EncodeCountRequest(req *ir.Request) ([]byte, []ir.Loss, error)
	// DecodeResponse reads a whole answer; CodeUpstream when it is none.
	DecodeResponse(body []byte) (*ir.Response, []ir.Loss, error)
	// DecodeCount reads the answer to EncodeCountRequest.
	DecodeCount(body []byte) (tokens int64, err error)
	// DecodeError reads an error answer: its code as the caller is to see it
	// (429 is CodeRateLimited, 529 and 503 are CodeUnavailable, …), the
	// provider's own message without secrets, RetryAfter, and Reason where
	// clients react to it ("context_length_exceeded").
	DecodeError(status int, h http.Header, body []byte) *tollgate.Error
	// StreamDecoder starts reading a streamed answer.
	StreamDecoder() StreamDecoder
}

// StreamDecoder turns the events of a provider's stream into ir. It is used by
// one goroutine and keeps bounded state.
type StreamDecoder interface {
	// Event takes one event and appends what it means to dst, in the order that
	// ir.Event describes. Data that is no event of the protocol is CodeUpstream;
	// event types that it does not know are skipped, or an ir.Opaque where they
	// carry content.
	Event(dst []ir.Event, name, data []byte) ([]ir.Event, error)
	// End is called when the stream ended cleanly. It appends the events that are
	// still owed (Gemini has no terminator), or returns CodeUpstream when the
	// answer is not complete.
	End(dst []ir.Event) ([]ir.Event, error)
	// Losses are what the events so far could not say in ir.
	Losses() []ir.Loss
}

// StreamEncoder writes a streamed answer in the client's dialect. It is used by
// one goroutine and keeps bounded state.
type StreamEncoder interface {
	// Event appends the framed bytes of ev to dst. What follows Start must be in
	// the order that ir.Event describes. Failed is written as Error does.
	Event(dst []byte, ev ir.Event) []byte
	// Error appends the protocol's error, which ends the stream; it is complete
	// for what has been written so far (an open JSON array is closed, sequence
	// numbers go on).
	Error(dst []byte, e *tollgate.Error) []byte
	// Ping appends what keeps the connection alive while the provider is silent:
	// the protocol's own event, else a comment; nothing where clients understand
	// neither.
	Ping(dst []byte) []byte
	// Losses are what the events so far lost.
	Losses() []ir.Loss
}

// EmbedFront faces clients for embeddings.
type EmbedFront interface {
	// DecodeEmbedding reads the body of OpEmbed or OpBatchEmbed.
	DecodeEmbedding(r Route, body []byte) (*ir.Embedding, error)
	// EncodeEmbeddings writes the answer to req.
	EncodeEmbeddings(req *ir.Embedding, out *ir.Embeddings) ([]byte, []ir.Loss)
}

// EmbedBack faces providers for embeddings.
type EmbedBack interface {
	// EncodeEmbedding writes the body for the provider, which is one call for
	// all inputs (OpBatchEmbed for Gemini).
	EncodeEmbedding(req *ir.Embedding) ([]byte, []ir.Loss, error)
	// DecodeEmbeddings reads the answer; CodeUpstream when it is none.
	DecodeEmbeddings(body []byte) (*ir.Embeddings, error)
}

// Translator is both halves of a dialect that take part in translation.
type Translator interface {
	Front
	Back
}
