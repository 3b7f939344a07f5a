package proxy

import (
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/upstream"
)

// TokenCounter counts the input tokens of a request without asking a provider.
type TokenCounter interface {
	Count(req *ir.Request) (int64, error)
}

// prepare makes the request to t. A failure of it leaves nothing dispatched.
func (c *call) prepare(t *target) (*upstream.Call, *failure) {
	if !t.translated {
		return c.outgoing(t), nil
	}
	if err := c.decode(); err != nil {
		return nil, &failure{err: tollgate.AsError(err), idle: true}
	}
	body, err := c.encode(t)
	if err == nil {
		err = c.refuseLosses(t)
	}
	if err != nil {
		return nil, &failure{err: c.inClientsWords(tollgate.AsError(err)), idle: true, next: true}
	}
	out := &upstream.Call{
		Dialect: t.dialect, Operation: t.op, Model: t.Model, Stream: c.peeked.Stream, Header: c.r.Header, Translated: true, Body: body,
	}
	if t.dialect == tollgate.DialectGemini && out.Stream {
		out.Query = map[string][]string{"alt": {"sse"}}
	}
	return out, nil
}

// inClientsWords returns e with a field that the client knows, as far as the
// hub's path tells which member of the body is meant.
func (c *call) inClientsWords(e *tollgate.Error) *tollgate.Error {
	var conversation, choices string
	switch c.route.Dialect {
	case tollgate.DialectOpenAIChat:
		conversation, choices = "messages", "n"
	case tollgate.DialectOpenAIResponses:
		conversation = "input"
	case tollgate.DialectAnthropic:
		conversation = "messages"
	case tollgate.DialectGemini:
		conversation, choices = "contents", "generationConfig.candidateCount"
	}
	renamed := *e
	switch {
	case strings.HasPrefix(e.Field, "items["):
		renamed.Field = conversation
	case e.Field == "choices":
		renamed.Field = choices
	}
	return &renamed
}

// decode reads the request into the hub's form, once for all targets.
func (c *call) decode() (err error) {
	switch op := c.route.Operation; {
	case c.asked != nil || c.embedding != nil:
	case op == tollgate.OpEmbed || op == tollgate.OpBatchEmbed:
		c.embedding, err = c.codec.EmbedFront.DecodeEmbedding(c.route, c.body.data)
	default:
		if c.asked, err = c.codec.Front.DecodeRequest(c.route, c.body.data); err == nil {
			c.asked.PreviousID = c.thread.previous // for the answer; the request says it all
		}
	}
	return err
}

// encode writes the request in t's dialect and notes what that does not carry.
func (c *call) encode(t *target) (body []byte, err error) {
	switch {
	case t.estimated:
		return nil, nil
	case c.embedding != nil:
		sent := *c.embedding
		sent.Model = t.Model
		body, t.losses, err = t.codec.EmbedBack.EncodeEmbedding(&sent)
	case t.op == tollgate.OpCount:
		sent := *c.asked
		sent.Model, sent.PreviousID = t.Model, ""
		body, t.losses, err = t.codec.Back.EncodeCountRequest(&sent)
		if tollgate.ErrorCode(err) == tollgate.CodeUnsupported && c.p.Tokens != nil {
			t.estimated, t.losses = true, nil
			return nil, nil
		}
	default:
		body, err = c.encodeGenerate(t)
	}
	return body, err
}

func (c *call) encodeGenerate(t *target) (body []byte, err error) {
	sent := *c.asked
	sent.Model, sent.Stream, sent.PreviousID, sent.NoUsage = t.Model, c.peeked.Stream, "", !t.endpoint.IncludeUsage()
	if t.offer.cap > 0 {
		sent.MaxOutput = &t.offer.cap
	}
	var notes []ir.Loss
	switch t.dialect {
	case tollgate.DialectAnthropic: // demands a limit
		if sent.MaxOutput == nil && t.OutputTokens > 0 {
			sent.MaxOutput = &t.OutputTokens
		}
	case tollgate.DialectOpenAIResponses: // has no stop sequences
		if len(sent.Stop) > 0 {
			t.stop, sent.Stop = sent.Stop, nil
			notes = []ir.Loss{{Path: "stop", Why: "applied by the gateway", Note: true}}
		}
	case tollgate.DialectGemini: // fetches no files from the web
		if c.p.Files != nil {
			if sent.Items, err = c.inline(sent.Items); err != nil {
				return nil, err
			}
		}
	case tollgate.DialectOpenAIChat:
	}
	body, t.losses, err = t.codec.Back.EncodeRequest(&sent)
	t.losses = append(notes, t.losses...)
	return body, err
}

// estimate answers a count that no provider was asked for.
func (c *call) estimate(t *target) *failure {
	n, err := c.p.Tokens.Count(c.asked)
	if err != nil {
		return &failure{err: tollgate.AsError(err), idle: true}
	}
	c.row.ProviderID, c.row.Served = t.ProviderID, t.Model
	c.event.Provider = t.ProviderName
	c.closeClaim()
	if len(c.row.Dispatches) > 0 {
		c.row.Status = 200
		if err := c.record(); err != nil {
			return &failure{err: tollgate.AsError(err)}
		}
	}
	c.w.Header()[headerCount] = []string{"estimated"}
	if err := c.answerOwn(c.codec.Front.EncodeCount(n)); err != nil {
		return &failure{err: tollgate.AsError(err)}
	}
	return nil
}

// translateAnswer returns what the client reads of a provider's whole answer.
func (c *call) translateAnswer(t *target, body []byte) ([]byte, error) {
	switch {
	case c.embedding != nil:
		vectors, err := t.codec.EmbedBack.DecodeEmbeddings(body)
		if err != nil {
			return nil, err
		}
		out, losses := c.codec.EmbedFront.EncodeEmbeddings(c.embedding, vectors)
		c.lose(losses)
		return out, nil
	case t.op == tollgate.OpCount:
		n, err := t.codec.Back.DecodeCount(body)
		if err != nil {
			return nil, err
		}
		return c.codec.Front.EncodeCount(n), nil
	}
	resp, losses, err := t.codec.Back.DecodeResponse(body)
	if err != nil {
		return nil, err
	}
	c.lose(losses)
	if resp, err = ir.CutAt(resp, t.stop); err != nil {
		return nil, tollgate.WrapError(tollgate.CodeUpstream, err, "the provider's answer is not one of its protocol")
	}
	return c.encodeAnswer(resp), nil
}

// encodeAnswer writes a whole answer in the form that the client asked for.
func (c *call) encodeAnswer(resp *ir.Response) []byte {
	if !c.peeked.Stream {
		out, losses := c.codec.Front.EncodeResponse(c.asked, resp, c.id)
		c.lose(losses)
		return out
	}
	enc := c.codec.Front.StreamEncoder(c.asked, c.route.Framing, c.id)
	var out []byte
	ir.Unfold(resp, func(ev ir.Event) bool {
		out = enc.Event(out, ev)
		return true
	})
	c.lose(enc.Losses())
	return out
}
