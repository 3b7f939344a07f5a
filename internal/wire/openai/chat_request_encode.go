package openai

import (
	"encoding/json"
	"slices"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// EncodeRequest implements wire.Back. What depends on the server is decided by
// the model's name (see chatFamily): the cap is max_completion_tokens for
// OpenAI's reasoning models, which refuse max_tokens, and max_tokens elsewhere,
// which every compatible server knows. A stream is always asked for its usage.
func (Chat) EncodeRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	if req.PreviousID != "" {
		return nil, nil, &tollgate.Error{
			Code: tollgate.CodeInvalid, Field: "previous_id", Reason: "previous_response_not_found",
			Message: "the provider keeps no answers, so that none can be continued by its id; send the whole conversation",
		}
	}
	e := chatAsk{req: req, family: chatFamilyOf(req.Model)}
	e.w.Object("")
	e.w.Str("model", req.Model)
	e.stream()
	e.messages()
	e.tools()
	e.output()
	e.reasoning()
	e.sampling()
	e.options()
	e.extras()
	e.w.End()
	if e.err != nil {
		return nil, nil, e.err
	}
	return e.w.Bytes(), e.lost.List(), nil
}

// chatAsk writes one request.
type chatAsk struct {
	req    *ir.Request
	family chatFamily
	w      jsondoc.Writer
	lost   ir.Losses
	err    error // the first thing that cannot be asked at all
	turn   chatTurn
	shown  []ir.Part // of tool results, for the next user message
}

func (e *chatAsk) stream() {
	if !e.req.Stream {
		return
	}
	e.w.Bool("stream", true)
	if e.req.NoUsage {
		return
	}
	e.w.Object("stream_options")
	e.w.Bool("include_usage", true)
	e.nested("stream_options.")
	e.w.End()
}

func (e *chatAsk) output() {
	r, w := e.req, &e.w
	if e.family == chatReasoner || chatHasExtra(r.Extras, "max_tokens") {
		w.OptInt("max_completion_tokens", r.MaxOutput)
	} else {
		w.OptInt("max_tokens", r.MaxOutput)
	}
	w.OptStr("verbosity", r.Verbosity)
	switch r.Format.Kind {
	case ir.FormatText:
	case ir.FormatJSON:
		w.Object("response_format")
		w.Str("type", "json_object")
		e.nested("response_format.")
		w.End()
	case ir.FormatSchema:
		e.schema(r.Format)
	}
}

func chatHasExtra(extras []ir.Extra, path string) bool {
	for _, x := range extras {
		if x.Dialect == chatName && x.Path == path {
			return true
		}
	}
	return false
}

// schema writes the form of the answer. OpenAI wants it to have a name.
func (e *chatAsk) schema(f ir.Format) {
	w := &e.w
	w.Object("response_format")
	w.Str("type", "json_schema")
	w.Object("json_schema")
	if f.Name == "" {
		f.Name = "answer"
		e.lost.Note("format.name", "a schema needs a name in Chat; it is called answer")
	}
	w.Str("name", f.Name)
	w.OptStr("description", f.Description)
	w.OptRaw("schema", f.Schema)
	w.OptBool("strict", f.Strict)
	e.nested("response_format.json_schema.")
	w.End()
	e.nested("response_format.")
	w.End()
}

// Budgets up to these are low and medium effort, in tokens.
const (
	chatLowBudget    = 4096
	chatMediumBudget = 16384
)

// reasoning writes how much to think as an effort, which is all that Chat has.
func (e *chatAsk) reasoning() {
	r := e.req.Reasoning
	effort := r.Effort
	if r.Mode == ir.ReasoningOff && effort != "none" {
		effort = "none"
		e.lost.Note("reasoning.effort", "thinking is off, which Chat says as the effort none")
	}
	if r.Budget != nil {
		e.lost.Lose("reasoning.budget", "Chat has no budget of thinking tokens; an effort stands for it")
		if effort == "" {
			effort = chatEffortOf(*r.Budget)
			e.lost.Note("reasoning.effort", "made of the budget")
		}
	}
	if (r.Mode == ir.ReasoningOff) != (effort == "none") || r.Mode == ir.ReasoningOn || r.Mode == ir.ReasoningAdaptive {
		e.lost.Note("reasoning.mode", "Chat has an effort alone; whether to think is the model's own")
	}
	if r.Summary != "" {
		e.lost.Note("reasoning.summary", "providers of Chat show their thoughts or they do not")
	}
	if r.Sealed {
		e.lost.Note("reasoning.sealed", "Chat has no sealed thoughts to ask for")
	}
	switch {
	case effort == "":
	case e.family == chatPlain && effort == "none":
		e.lost.Note("reasoning.effort", "the model never thinks, and refuses to be told")
	case e.family == chatPlain:
		e.lost.Lose("reasoning.effort", "the model does not think, and refuses to be asked")
	default:
		e.w.Str("reasoning_effort", effort)
	}
}

func chatEffortOf(budget int64) string {
	switch {
	case budget <= chatLowBudget:
		return "low"
	case budget <= chatMediumBudget:
		return "medium"
	default:
		return "high"
	}
}

// chatMaxStops is how many stop sequences OpenAI takes.
const chatMaxStops = 4

func (e *chatAsk) sampling() {
	r, w := e.req, &e.w
	w.OptFloat("temperature", r.Temperature)
	w.OptFloat("top_p", r.TopP)
	if r.TopK != nil {
		e.lost.Lose("top_k", "OpenAI's API has none, and many compatible servers refuse it")
	}
	w.OptFloat("frequency_penalty", r.FrequencyPenalty)
	w.OptFloat("presence_penalty", r.PresencePenalty)
	w.OptInt("seed", r.Seed)
	stops := r.Stop
	if len(stops) > chatMaxStops && e.family != chatCompatible {
		e.lost.Lose("stop", "the provider takes four stop sequences; the others are left out")
		stops = stops[:chatMaxStops]
	}
	if len(stops) > 0 {
		w.Strings("stop", stops)
	}
	if r.Choices > 0 {
		w.Int("n", int64(r.Choices))
	}
	if r.Logprobs {
		w.Bool("logprobs", true)
	}
	w.OptInt("top_logprobs", r.TopLogprobs)
	if r.LogitBias != nil {
		w.Object("logit_bias")
		for _, k := range chatSortedKeys(r.LogitBias) {
			w.Float(k, r.LogitBias[k])
		}
		w.End()
	}
}

func chatSortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (e *chatAsk) options() {
	r, w := e.req, &e.w
	w.OptStr("user", r.User)
	w.OptStr("safety_identifier", r.SafetyID)
	if r.Metadata != nil {
		w.Object("metadata")
		for _, k := range chatSortedKeys(r.Metadata) {
			w.Str(k, r.Metadata[k])
		}
		w.End()
	}
	w.OptStr("prompt_cache_key", r.CacheKey)
	w.OptStr("prompt_cache_retention", r.CacheLife)
	w.OptStr("service_tier", r.ServiceTier)
	w.OptBool("store", r.Store)
}

// extras writes back what belongs to the top level; members of parts have lost
// their place.
func (e *chatAsk) extras() {
	e.lost.Extras("", e.req.Extras, chatName)
	for _, x := range e.req.Extras {
		switch {
		case x.Dialect != chatName || e.isNested(x.Path):
		case strings.HasPrefix(x.Path, "messages[") || chatInside(x.Path, "stream_options.", "response_format."):
			e.lost.Lose("extras."+x.Path, "what it belongs to is written anew")
		default:
			e.w.Raw(x.Path, x.Raw)
		}
	}
}

// isNested reports whether an extra was written inside of a member.
func (e *chatAsk) isNested(path string) bool {
	return chatInside(path, "stream_options.") && e.req.Stream ||
		chatInside(path, "response_format.") && e.req.Format.Kind != ir.FormatText
}

func chatInside(path string, members ...string) bool {
	for _, m := range members {
		if strings.HasPrefix(path, m) {
			return true
		}
	}
	return false
}

// nested writes the extras of the member that prefix names.
func (e *chatAsk) nested(prefix string) { chatNested(&e.w, e.req.Extras, prefix) }

// chatNested writes the own extras of an owner that stand in its member prefix;
// with no prefix, those that stand in the owner itself.
func chatNested(w *jsondoc.Writer, extras []ir.Extra, prefix string) {
	for _, x := range extras {
		name, ok := strings.CutPrefix(x.Path, prefix)
		switch prefix {
		case "":
			ok = !chatInside(x.Path, "function.", "custom.", "file.", chatOfMessage)
		case "response_format.":
			ok = ok && !chatInside(name, "json_schema.")
		}
		if ok && x.Dialect == chatName {
			w.Raw(name, x.Raw)
		}
	}
}

// refuse records that something cannot be asked of a provider at all.
func (e *chatAsk) refuse(path, why string) {
	if e.err == nil {
		e.err = tollgate.Invalidf(path, "%s: %s", path, why)
	}
}

// chatRaw is own JSON, for the writer.
func chatRaw(s string) json.RawMessage { return json.RawMessage(s) }
