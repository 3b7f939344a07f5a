package gemini

import (
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// EncodeCount implements wire.Front.
func (Codec) EncodeCount(tokens int64) []byte {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Int("totalTokens", tokens)
	w.End()
	return w.Bytes()
}

// DecodeCount implements wire.Back.
func (Codec) DecodeCount(body []byte) (int64, error) {
	o, err := parse(body)
	if err != nil {
		return 0, wire.NotAnAnswer(err)
	}
	n := whole(o.Get("totalTokens"))
	switch {
	case o.Err() != nil:
		return 0, wire.NotAnAnswer(o.Err())
	case n == nil || *n < 0:
		return 0, wire.NotAnAnswer(errNoAnswer)
	}
	return *n, nil
}
