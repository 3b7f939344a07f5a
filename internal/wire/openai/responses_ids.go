package openai

import (
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
)

// Ids of responses and their items that the gateway makes are the request's id
// behind the usual prefix ("resp_", "msg_", …), items with a number behind it.
// No provider's id looks like that, so that an id which comes back in a later
// request is known as made: it names nothing at a provider, which would refuse
// it, and is not kept.

const requestIDLength = 13

// responsesMadeID makes the id of an answer.
func responsesMadeID(id tollgate.RequestID) string { return "resp_" + id.String()[len("req_"):] }

// responsesMadeItemID makes the id of output item n.
func responsesMadeItemID(prefix string, id tollgate.RequestID, n int) string {
	return prefix + id.String()[len("req_"):] + "_" + strconv.Itoa(n)
}

// responsesForeignID returns a vendor's id; empty for one that was made here.
func responsesForeignID(s string) string {
	if responsesIsMade(s) {
		return ""
	}
	return s
}

// responsesIsMade reports whether the gateway made the id of an answer or item.
func responsesIsMade(s string) bool {
	_, rest, ok := strings.Cut(s, "_")
	if !ok || len(rest) < requestIDLength {
		return false
	}
	if _, err := tollgate.ParseRequestID("req_" + rest[:requestIDLength]); err != nil {
		return false
	}
	switch tail := rest[requestIDLength:]; {
	case tail == "":
		return true
	case tail[0] != '_' || len(tail) == 1:
		return false
	default:
		return strings.Trim(tail[1:], "0123456789") == ""
	}
}

// ResponseOfItem returns the answer that an item belongs to, and whether its id
// was made here: others do not tell.
func ResponseOfItem(id string) (response string, made bool) {
	_, rest, _ := strings.Cut(id, "_")
	if !responsesIsMade(id) || len(rest) == requestIDLength {
		return "", false
	}
	return "resp_" + rest[:requestIDLength], true
}

// redactedMark stands before the sealed text of a thought that Anthropic shows
// in no other form, when it travels in encrypted_content: the two forms of a
// thought go back to Anthropic in different blocks. Sealed texts are base64,
// which has no space.
const redactedMark = "redacted "

// responsesSeal is the encrypted_content of a thought; empty when it has none.
// What another vendor sealed is given to a client whether or not it asked for
// reasoning.encrypted_content: no provider keeps it under the item's id, as
// OpenAI does, so that the client could not replay the thought otherwise.
func responsesSeal(th *ir.Thought) string {
	p := th.Private
	switch {
	case p == nil:
		return ""
	case p.Vendor == ir.VendorOpenAI:
		return p.Data
	case th.Redacted:
		return ir.Carry(ir.Private{Vendor: p.Vendor, Data: redactedMark + p.Data})
	default:
		return ir.Carry(*p)
	}
}

// responsesUnseal undoes responsesSeal.
func responsesUnseal(sealed string) (p *ir.Private, redacted bool) {
	if sealed == "" {
		return nil, false
	}
	found := ir.Open(sealed, ir.VendorOpenAI)
	if found.Vendor != ir.VendorOpenAI {
		found.Data, redacted = strings.CutPrefix(found.Data, redactedMark)
	}
	return &found, redacted
}

// responsesDialect is the wire name of this dialect, as extras and opaque items
// spell it.
const responsesDialect = string(tollgate.DialectOpenAIResponses)
