package openai

import (
	"encoding/json"
	"net/http"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// DecodeResponse implements wire.Back. An answer that failed, or that is not
// there yet, is an error.
func (Responses) DecodeResponse(body []byte) (*ir.Response, []ir.Loss, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, nil, wire.NotAnAnswer(err)
	}
	if !o.Has("output") && !o.Has("status") {
		return nil, nil, wire.NotAnAnswer(errNoAnswer)
	}
	if err := responsesUnfinished(o); err != nil {
		return nil, nil, err
	}
	resp := &ir.Response{}
	responsesHead(resp, o)
	items := responsesItems(o.Array("output"))
	if len(items) == 0 {
		items = nil
	}
	resp.Choices = []ir.Choice{{Items: items, Stop: responsesStop(o, items)}}
	resp.Extras = responsesAnswerExtras(o)
	if err := o.Err(); err != nil {
		return nil, nil, wire.NotAnAnswer(err)
	}
	return resp, nil, nil
}

// responsesUnfinished is the error of an answer whose status says that there is
// none; nil for the others.
func responsesUnfinished(o *jsondoc.Object) error {
	switch status := textOf(o, "status"); status {
	case "failed":
		if failure := responsesFailure(o); failure.Message != brokenOutput {
			return failure
		}
		return nil
	case "cancelled", "queued", "in_progress":
		return tollgate.Errorf(tollgate.CodeUpstream, "the provider gave no answer: its status is %s", status)
	default: // completed, incomplete; some servers leave it out
		return nil
	}
}

// brokenOutput is the message of an answer that failed because the model wrote
// something that is no call of a tool. Such an answer is one all the same, and
// read as one.
const brokenOutput = "the model's output was broken, so that the answer is not whole"

// responsesFailure reads the error of a failed answer, or of an error event.
func responsesFailure(o *jsondoc.Object) *tollgate.Error {
	e := openaiErrorObject(o)
	e.Code = openaiReasonCode(e.Reason)
	if e.Message == "" {
		e.Message = "the provider could not finish the answer"
	}
	return e
}

// responsesHead reads what an answer says about itself.
func responsesHead(resp *ir.Response, o *jsondoc.Object) {
	resp.ID = responsesForeignID(o.Str("id"))
	resp.Model = o.Str("model")
	if at := o.Float("created_at"); at != nil {
		resp.Created = int64(*at)
	}
	resp.ServiceTier = o.Str("service_tier")
	resp.Usage = responsesUsage(o.Object("usage"))
}

// responsesUsage reads usage as the observer of passed answers does.
func responsesUsage(o *jsondoc.Object) ir.Usage {
	if !o.Present() {
		return ir.Usage{}
	}
	tokens, ok := readUsage(o.Value().Raw())
	return ir.Usage{Tokens: tokens, Reported: ok}
}

// responsesStop says why the answer ended. The API does not: calls that wait
// for the client, and the model's own refusal, are seen in the items.
func responsesStop(o *jsondoc.Object, items []ir.Item) ir.Stop {
	details := o.Object("incomplete_details")
	return responsesStopOf(textOf(o, "status"), details.Str("reason"), items)
}

func responsesStopOf(status, reason string, items []ir.Item) ir.Stop {
	switch {
	case status == "failed":
		return ir.Stop{Reason: ir.StopFailure}
	case status != "incomplete":
		return ir.Stop{Reason: responsesEnd(items)}
	case reason == "max_output_tokens" || reason == "":
		return ir.Stop{Reason: ir.StopLength}
	case reason == "content_filter":
		return ir.Stop{Reason: ir.StopFilter}
	default:
		return ir.Stop{Reason: ir.StopUnknown, Detail: reason}
	}
}

// responsesEnd is the reason of a completed answer.
func responsesEnd(items []ir.Item) ir.StopReason {
	reason := ir.StopEnd
	for _, it := range items {
		switch x := it.(type) {
		case ir.ToolCall:
			return ir.StopTools
		case ir.Message:
			for _, p := range x.Parts {
				if _, ok := p.(ir.Refusal); ok {
					reason = ir.StopRefusal
				}
			}
		case ir.ToolResult, ir.Thought, ir.Opaque:
		}
	}
	return reason
}

// responsesAnswerExtras keeps what an answer says beyond its content and beyond
// the request, which it repeats.
func responsesAnswerExtras(o *jsondoc.Object) []ir.Extra {
	responsesKnown(o, "object", "status", "error", "completed_at", "output_text", "input",
		"background", "frequency_penalty", "instructions", "max_output_tokens", "max_tool_calls", "metadata", "parallel_tool_calls",
		"presence_penalty", "previous_response_id", "prompt", "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
		"reasoning", "safety_identifier", "store", "temperature", "text", "tool_choice", "tools", "top_logprobs", "top_p", "truncation", "user")
	var extras []ir.Extra
	o.Rest(func(name string, raw json.RawMessage) {
		extras = append(extras, ir.Extra{Dialect: responsesDialect, Path: name, Raw: raw, Hint: true})
	})
	return extras
}

// DecodeCount implements wire.Back.
func (Responses) DecodeCount(body []byte) (int64, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return 0, wire.NotAnAnswer(err)
	}
	n := o.Int("input_tokens")
	if n == nil || *n < 0 || o.Err() != nil {
		return 0, wire.NotAnAnswer(errNoAnswer)
	}
	return *n, nil
}

// DecodeError implements wire.Back.
func (Responses) DecodeError(status int, h http.Header, body []byte) *tollgate.Error {
	return openaiFailure(status, h, body)
}
