package openai

import (
	"maps"
	"slices"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// responsesEcho writes the members of a response that repeat the request, as
// every response object has them, without the braces around. Defaults are those
// of the API's description.
func responsesEcho(req *ir.Request) []byte {
	w := &responsesWriter{Writer: jsondoc.NewWriter(make([]byte, 0, 1024)), losses: &ir.Losses{}, echo: true, marks: true}
	w.Object("")
	w.orNull("instructions", instructionsOf(req))
	w.orNull("previous_response_id", req.PreviousID)
	w.Str("model", req.Model)
	w.tools("tools", req.Tools)
	if req.ToolChoice.Mode == ir.ToolUnset {
		w.Str("tool_choice", "auto")
	} else {
		w.choice("tool_choice", req)
	}
	w.echoText(req)
	w.echoReasoning(&req.Reasoning)
	w.boolOr("parallel_tool_calls", req.ParallelCalls, true)
	w.boolOr("store", req.Store, true)
	w.Bool("background", false)
	w.floatOr("temperature", req.Temperature, 1)
	w.floatOr("top_p", req.TopP, 1)
	w.floatOr("presence_penalty", req.PresencePenalty, 0)
	w.floatOr("frequency_penalty", req.FrequencyPenalty, 0)
	w.Int("top_logprobs", orZero(req.TopLogprobs))
	w.extraOr(req, "truncation", `"disabled"`)
	if req.MaxOutput != nil {
		w.Int("max_output_tokens", *req.MaxOutput)
	} else {
		w.Null("max_output_tokens")
	}
	w.extraOr(req, "max_tool_calls", "null")
	w.OptStr("user", req.User)
	w.orNull("safety_identifier", req.SafetyID)
	w.orNull("prompt_cache_key", req.CacheKey)
	w.OptStr("prompt_cache_retention", req.CacheLife)
	w.Object("metadata")
	for _, k := range slices.Sorted(maps.Keys(req.Metadata)) {
		w.Str(k, req.Metadata[k])
	}
	w.End()
	w.End()
	b := w.Bytes()
	return b[1 : len(b)-1]
}

// instructionsOf is the member instructions of the request.
func instructionsOf(req *ir.Request) string {
	if hasExtra(req.Extras, "instructions") || len(req.System) == 0 {
		return ""
	}
	t, _ := req.System[0].(ir.Text)
	return t.Text
}

func (w *responsesWriter) orNull(name, s string) {
	if s == "" {
		w.Null(name)
	} else {
		w.Str(name, s)
	}
}

func (w *responsesWriter) boolOr(name string, b *bool, fallback bool) {
	if b != nil {
		fallback = *b
	}
	w.Bool(name, fallback)
}

func (w *responsesWriter) floatOr(name string, f *float64, fallback float64) {
	if f != nil {
		fallback = *f
	}
	w.Float(name, fallback)
}

func (w *responsesWriter) extraOr(req *ir.Request, name, fallback string) {
	if raw, ok := findExtra(req.Extras, name); ok {
		w.Raw(name, raw)
		return
	}
	w.Raw(name, []byte(fallback))
}

func (w *responsesWriter) echoText(req *ir.Request) {
	w.Object("text")
	w.Object("format")
	switch f := &req.Format; f.Kind {
	case ir.FormatText:
		w.Str("type", "text")
	case ir.FormatJSON:
		w.Str("type", "json_object")
	case ir.FormatSchema:
		w.Str("type", "json_schema")
		w.Str("name", f.Name)
		w.orNull("description", f.Description)
		w.Raw("schema", f.Schema)
		w.boolOr("strict", f.Strict, false)
	}
	w.End()
	verbosity := req.Verbosity
	if verbosity == "" {
		verbosity = "medium"
	}
	w.Str("verbosity", verbosity)
	w.End()
}

func (w *responsesWriter) echoReasoning(r *ir.Reasoning) {
	effort := r.Effort
	if r.Mode == ir.ReasoningOff {
		effort = "none"
	}
	w.Object("reasoning")
	summary := r.Summary
	if summary == "none" {
		summary = ""
	}
	w.orNull("effort", effort)
	w.orNull("summary", summary)
	w.End()
}

// responsesState is what changes of a response while it is made.
type responsesState struct {
	id      string
	created int64
	status  string // in_progress, completed, incomplete, failed
	reason  string // of incomplete
	failure *tollgate.Error
	output  func(w *jsondoc.Writer) // writes the items; nil = none yet
	usage   ir.Usage
	tier    string
	extras  []ir.Extra
}

// appendResponse appends a response object. The time of completion is that of
// creation: a codec has no clock.
func appendResponse(dst []byte, s *responsesState, echo []byte) []byte {
	w := jsondoc.NewWriter(dst)
	w.Object("")
	w.Str("id", s.id)
	w.Str("object", "response")
	w.Int("created_at", s.created)
	if s.status == "completed" {
		w.Int("completed_at", s.created)
	} else {
		w.Null("completed_at")
	}
	w.Str("status", s.status)
	if s.failure != nil {
		w.Object("error")
		w.Str("code", failureCode(s.failure))
		w.Str("message", s.failure.Message)
		w.End()
	} else {
		w.Null("error")
	}
	if s.reason != "" {
		w.Object("incomplete_details")
		w.Str("reason", s.reason)
		w.End()
	} else {
		w.Null("incomplete_details")
	}
	w.Array("output")
	if s.output != nil {
		s.output(w)
	}
	w.End()
	writeResponsesUsage(w, &s.usage)
	tier := s.tier
	if tier == "" {
		tier = "default"
	}
	w.Str("service_tier", tier)
	for i := range s.extras {
		if e := &s.extras[i]; e.Dialect == responsesDialect {
			w.Raw(e.Path, e.Raw)
		}
	}
	dst = append(w.Bytes(), ',')
	return append(append(dst, echo...), '}')
}

// failureCode is the code of a failed response. Its vocabulary is smaller than
// that of refusals and has one word for all that is not the client's fault;
// clients react to the others (Codex ends the turn at a spent quota or a prompt
// that is too long, and tries again at server_error).
func failureCode(e *tollgate.Error) string {
	if e.Reason != "" && e.Code == tollgate.CodeInvalid {
		return e.Reason
	}
	switch e.Code { //nolint:exhaustive // the others are the server's
	case tollgate.CodeInvalid:
		return "invalid_prompt"
	case tollgate.CodeQuota, tollgate.CodeRateLimited:
		return *describe(e).Code
	default:
		return "server_error"
	}
}

// writeResponsesUsage writes usage: input includes what was read from and
// written to a cache, output includes reasoning.
func writeResponsesUsage(w *jsondoc.Writer, u *ir.Usage) {
	if !u.Reported {
		w.Null("usage")
		return
	}
	t := u.Tokens
	input := t.Input + t.CacheRead + t.CacheWrite + t.CacheWrite1h
	w.Object("usage")
	w.Int("input_tokens", input)
	w.Object("input_tokens_details")
	w.Int("cached_tokens", t.CacheRead)
	w.Int("cache_write_tokens", t.CacheWrite+t.CacheWrite1h)
	w.End()
	w.Int("output_tokens", t.Output)
	w.Object("output_tokens_details")
	w.Int("reasoning_tokens", t.Reasoning)
	w.End()
	w.Int("total_tokens", input+t.Output)
	w.End()
}
