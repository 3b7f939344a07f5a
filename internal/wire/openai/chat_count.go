package openai

import (
	"strconv"

	"tollgate"
	"tollgate/internal/ir"
)

// EncodeCount implements wire.Front. Chat has no count of its own; the shape is
// that of Responses.
func (Chat) EncodeCount(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"object":"response.input_tokens","input_tokens":`), tokens, 10), '}')
}

// EncodeCountRequest implements wire.Back: Chat has no such call.
func (Chat) EncodeCountRequest(*ir.Request) ([]byte, []ir.Loss, error) {
	return nil, nil, chatNoCount()
}

// DecodeCount implements wire.Back: Chat has no such answer.
func (Chat) DecodeCount([]byte) (int64, error) { return 0, chatNoCount() }

func chatNoCount() error {
	return tollgate.Errorf(tollgate.CodeUnsupported, "the provider cannot count tokens: chat completions have no call for it")
}
