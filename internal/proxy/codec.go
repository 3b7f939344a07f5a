package proxy

import (
	"tollgate"
	"tollgate/internal/wire"
)

// Codec is what the data plane needs of a dialect: to speak to clients in it,
// and to read providers' answers. The halves of translation are nil where the
// dialect has none.
type Codec struct {
	Inbound    wire.Inbound
	Outbound   wire.Outbound
	Front      wire.Front
	Back       wire.Back
	EmbedFront wire.EmbedFront
	EmbedBack  wire.EmbedBack
}

// NewCodec returns all that c can do.
func NewCodec(c wire.Codec) *Codec {
	out := &Codec{Inbound: c, Outbound: c}
	out.Front, _ = c.(wire.Front)
	out.Back, _ = c.(wire.Back)
	out.EmbedFront, _ = c.(wire.EmbedFront)
	out.EmbedBack, _ = c.(wire.EmbedBack)
	return out
}

// codec returns the codec of d; one that can do nothing for an unknown dialect.
func (p *Proxy) codec(d tollgate.Dialect) *Codec {
	if c := p.Codecs[d]; c != nil {
		return c
	}
	return &Codec{}
}

// preferred lists the dialects to translate to from a client's own, the best
// first: the one that carries most of what the client may say. Within a
// vendor's family the sibling leads where its words are the same; else
// Responses, the richest, comes before the native dialects of Anthropic and
// Gemini, and Chat, the poorest, is last.
func preferred(client tollgate.Dialect) [3]tollgate.Dialect {
	const (
		chat      = tollgate.DialectOpenAIChat
		responses = tollgate.DialectOpenAIResponses
		anthropic = tollgate.DialectAnthropic
		gemini    = tollgate.DialectGemini
	)
	switch client {
	case responses:
		return [3]tollgate.Dialect{chat, anthropic, gemini}
	case anthropic:
		return [3]tollgate.Dialect{responses, gemini, chat}
	case gemini:
		return [3]tollgate.Dialect{responses, anthropic, chat}
	case chat:
		return [3]tollgate.Dialect{responses, anthropic, gemini}
	default:
		return [3]tollgate.Dialect{}
	}
}

// bridge decides how t can serve a call of another dialect, and reports
// whether it can.
func (c *call) bridge(t *target) bool {
	for _, d := range preferred(c.route.Dialect) {
		back := c.p.codec(d)
		if !t.endpoint.Speaks(d) {
			continue
		}
		op, ok := c.operationAt(d, back)
		if ok && t.endpoint.Serves(d, op) {
			t.dialect, t.op, t.codec, t.translated = d, op, back, true
			return true
		}
	}
	// Counting needs no provider.
	if c.route.Operation == tollgate.OpCount && c.codec.Front != nil && c.p.Tokens != nil {
		t.op, t.codec, t.translated, t.estimated = tollgate.OpCount, c.codec, true, true
		return true
	}
	return false
}

// operationAt returns what a provider of dialect d is asked for, and whether
// both codecs can do it.
func (c *call) operationAt(d tollgate.Dialect, back *Codec) (tollgate.Operation, bool) {
	switch op := c.route.Operation; op {
	case tollgate.OpGenerate:
		return op, c.codec.Front != nil && back.Back != nil
	case tollgate.OpCount:
		return op, c.codec.Front != nil && back.Back != nil && d != tollgate.DialectOpenAIChat
	case tollgate.OpEmbed, tollgate.OpBatchEmbed:
		if d == tollgate.DialectGemini {
			return tollgate.OpBatchEmbed, c.codec.EmbedFront != nil && back.EmbedBack != nil
		}
		return tollgate.OpEmbed, c.codec.EmbedFront != nil && back.EmbedBack != nil
	case tollgate.OpComplete, tollgate.OpModerate, tollgate.OpListModels, tollgate.OpGetModel, tollgate.OpOther,
		tollgate.OpCompact, tollgate.OpConnect, tollgate.OpRetrieve, tollgate.OpInputItems, tollgate.OpDelete, tollgate.OpCancel:
	}
	return "", false
}
