package proxy

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/conversation"
	"tollgate/internal/ir"
	"tollgate/internal/wire/openai"
)

// summary is a conversation being compacted by the gateway: a model that has
// no such operation is asked for a summary, which goes to the client sealed.
type summary struct {
	kept []ir.Message // of the user, that stay as they were
}

// maxKept bounds the user's messages that stay as they were, in bytes: the
// latest are the ones that matter.
const maxKept = 32 << 10

// summaryAsk asks for the summary.
const summaryAsk = `Write a summary of the conversation above that lets another model carry on the work without having seen it. Keep: what the user wants and has decided, word for word where it matters; names, paths, ids, numbers and code that will be needed; what was done and found out, with the results of tools; what is still open, and the next step. Leave out what no longer matters. Answer with the summary alone.`

// summaryLead stands before a summary where a model reads it.
const summaryLead = "Summary of the conversation so far, which is not repeated here:\n\n"

// compacting turns a call that no target serves as it is into one for a
// summary.
func (c *call) compacting() error {
	if c.p.Sealer == nil {
		return tollgate.Errorf(tollgate.CodeUnsupported, "this gateway does not compact conversations")
	}
	c.summary = &summary{}
	c.route.Operation = tollgate.OpGenerate
	return nil
}

// request makes the body that asks for the summary of items.
func (s *summary) request(body []byte, items []json.RawMessage) ([]byte, error) {
	if err := s.keep(items); err != nil {
		return nil, err
	}
	return openai.Responses{}.SummaryRequest(body, slices.Concat(items, []json.RawMessage{openai.Responses{}.UserItem(summaryAsk)}))
}

// keep notes the latest messages of the user that consist of text.
func (s *summary) keep(items []json.RawMessage) error {
	size := 0
	for _, raw := range slices.Backward(items) {
		if head := (openai.Responses{}).ReadItemHead(raw); head.Type != "message" || head.Role != "user" {
			continue
		}
		if size += len(raw); size > maxKept {
			break
		}
		decoded, err := openai.Responses{}.DecodeItems(slices.Concat([]byte("["), raw, []byte("]")))
		if err != nil {
			return err
		}
		if m, ok := decoded[0].(ir.Message); ok && onlyTexts(m.Parts) {
			s.kept = append(s.kept, m)
		}
	}
	slices.Reverse(s.kept)
	return nil
}

func onlyTexts(parts []ir.Part) bool {
	return !slices.ContainsFunc(parts, func(p ir.Part) bool { _, ok := p.(ir.Text); return !ok })
}

// compacted turns the model's answer, as a client would read it, into that of
// responses/compact.
func (c *call) compacted(answer []byte) ([]byte, error) {
	resp, _, err := openai.Responses{}.DecodeResponse(answer)
	if err != nil {
		return nil, err
	}
	text := textOf(resp)
	if text == "" {
		return nil, tollgate.Errorf(tollgate.CodeUpstream, "the model gave no summary of the conversation")
	}
	sealed, err := conversation.SealText(c.p.Sealer, c.owner(), text)
	if err != nil {
		return nil, err
	}
	return openai.Responses{}.EncodeCompaction(openai.Compaction{Kept: c.summary.kept, Sealed: sealed, Usage: resp.Usage}, c.id), nil
}

// textOf is the text of an answer's messages.
func textOf(resp *ir.Response) string {
	var b strings.Builder
	for _, ch := range resp.Choices {
		for _, it := range ch.Items {
			m, ok := it.(ir.Message)
			if !ok {
				continue
			}
			for _, p := range m.Parts {
				if t, ok := p.(ir.Text); ok {
					b.WriteString(t.Text)
				}
			}
		}
	}
	return strings.TrimSpace(b.String())
}

// emptyAnswer is the stream of an answer that says nothing and costs nothing.
func (c *call) emptyAnswer() []byte {
	return c.encodeAnswer(&ir.Response{
		Model: c.peeked.Model, Choices: []ir.Choice{{Stop: ir.Stop{Reason: ir.StopEnd}}}, Usage: ir.Usage{Reported: true},
	})
}
