package openai

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// EncodeRequest implements wire.Back. A request of another dialect asks for
// sealed reasoning where it asks for reasoning, so that the client can replay
// it, and does not let the provider keep the answer.
func (Responses) EncodeRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	if req.Choices > 1 {
		return nil, nil, tollgate.Invalidf("choices", "this model's API gives one answer at a time: %d were asked for", req.Choices)
	}
	var losses ir.Losses
	w := newResponsesRequest(req, &losses)
	w.Object("")
	w.Str("model", req.Model)
	if req.Stream {
		w.Bool("stream", true)
	}
	w.input(req)
	w.sampling(req)
	if req.Choices == 1 {
		losses.Note("choices", "there is always one")
	}
	w.delivery(req)
	w.requestExtras(req)
	w.End()
	return w.Bytes(), losses.List(), nil
}

// EncodeCountRequest implements wire.Back: the body of responses/input_tokens.
func (Responses) EncodeCountRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	var losses ir.Losses
	w := newResponsesRequest(req, &losses)
	w.Object("")
	w.Str("model", req.Model)
	w.input(req)
	w.OptStr("previous_response_id", req.PreviousID)
	w.End()
	return w.Bytes(), losses.List(), nil
}

func newResponsesRequest(req *ir.Request, losses *ir.Losses) *responsesWriter {
	return &responsesWriter{
		Writer: jsondoc.NewWriter(make([]byte, 0, 4096)), losses: losses,
		marks: hasExtra(req.Extras, "prompt_cache_options"),
	}
}

// input writes what counts as input: the conversation, the tools, the form of
// the answer.
func (w *responsesWriter) input(req *ir.Request) {
	system := req.System
	if _, apart := findExtra(req.Extras, "instructions"); !apart && len(system) > 0 {
		if t, ok := system[0].(ir.Text); ok && (t.Cache == nil || !w.marks) && t.Text != "" {
			w.textLosses(ir.SystemPath(0), &t)
			w.Str("instructions", t.Text)
			system = system[1:]
		}
	}
	if len(system)+len(req.Items) > 0 {
		w.Array("input")
		if len(system) > 0 {
			w.system(system, len(req.System)-len(system))
		}
		w.items(req.Items, ir.ItemPath)
		w.End()
	}
	w.toolOptions(req)
	w.textOptions(req)
	w.reasoning(req)
}

// toolOptions writes the tools and how they are chosen. A choice among none is
// an error there, which it is not where it was asked for.
func (w *responsesWriter) toolOptions(req *ir.Request) {
	ours := slices.ContainsFunc(req.Tools, func(t ir.Tool) bool {
		return t.Kind != ir.ToolServer || t.Server.Dialect == responsesDialect
	})
	if len(req.Tools) > 0 {
		w.tools("tools", req.Tools)
	}
	switch mode := req.ToolChoice.Mode; {
	case ours || mode == ir.ToolUnset || mode == ir.ToolAuto || mode == ir.ToolNone || len(req.ToolChoice.Server.Raw) > 0:
		w.choice("tool_choice", req)
	default:
		w.losses.Lose("tool_choice", "there are no tools to choose from")
	}
	w.OptBool("parallel_tool_calls", req.ParallelCalls)
}

// system writes the parts of the system prompt behind instructions, which is
// one text, as the message at the head of the input.
func (w *responsesWriter) system(parts []ir.Part, first int) {
	w.Object("")
	w.Str("type", "message")
	w.Str("role", "developer")
	w.Array("content")
	for k, p := range parts {
		w.part(ir.SystemPath(first+k), ir.RoleSystem, p, nil, "")
	}
	w.End()
	w.End()
}

func (w *responsesWriter) textOptions(req *ir.Request) {
	nested := w.hasNested(req, "text.")
	if req.Format.Kind == ir.FormatText && req.Verbosity == "" && !nested {
		return
	}
	w.Object("text")
	if req.Format.Kind != ir.FormatText || w.hasNested(req, "text.format.") {
		w.format(req)
	}
	w.OptStr("verbosity", req.Verbosity)
	w.nested(req, "text.")
	w.End()
}

func (w *responsesWriter) format(req *ir.Request) {
	f := &req.Format
	w.Object("format")
	switch f.Kind {
	case ir.FormatText:
		w.Str("type", "text")
	case ir.FormatJSON:
		w.Str("type", "json_object")
	case ir.FormatSchema:
		w.Str("type", "json_schema")
		name := f.Name
		if name == "" {
			name = "response"
			w.losses.Note("format.name", "a schema needs one: "+name)
		}
		w.Str("name", name)
		w.OptStr("description", f.Description)
		schema := f.Schema
		if len(schema) == 0 {
			schema = json.RawMessage("{}")
			w.losses.Note("format.schema", "none is one that everything fits")
		}
		w.Raw("schema", schema)
		w.OptBool("strict", f.Strict)
	}
	w.nested(req, "text.format.")
	w.End()
}

func (w *responsesWriter) reasoning(req *ir.Request) {
	effort, summary := w.effort(&req.Reasoning), req.Reasoning.Summary
	if summary == "none" {
		summary = ""
		w.losses.Note("reasoning.summary", "none is shown unless asked for")
	}
	if effort == "" && summary == "" && !w.hasNested(req, "reasoning.") {
		return
	}
	w.Object("reasoning")
	w.OptStr("effort", effort)
	w.OptStr("summary", summary)
	w.nested(req, "reasoning.")
	w.End()
}

// effort is how much to think in OpenAI's words.
func (w *responsesWriter) effort(r *ir.Reasoning) string {
	effort := r.Effort
	if r.Budget != nil {
		if effort == "" && r.Mode != ir.ReasoningOff {
			effort = effortOf(*r.Budget)
			w.losses.Note("reasoning.effort", "made of the budget")
		}
		w.losses.Lose("reasoning.budget", "effort is said in words: "+effort)
	}
	switch r.Mode {
	case ir.ReasoningOff:
		if r.Effort != "" && r.Effort != "none" {
			w.losses.Lose("reasoning.effort", "thinking is off, which is an effort of its own")
		} else if r.Effort == "none" {
			w.losses.Note("reasoning.effort", "it is off")
		}
		return "none"
	case ir.ReasoningOn, ir.ReasoningAdaptive:
		w.losses.Note("reasoning.mode", "models that can think do")
	case ir.ReasoningUnset:
		if effort == "none" {
			w.losses.Note("reasoning.mode", "an effort of none is off")
			w.losses.Note("reasoning.effort", "it is off")
		}
	}
	return effort
}

// effortOf is the effort whose share of thinking a budget of tokens is nearest
// to, by the share that Anthropic and Google say of theirs.
func effortOf(budget int64) string {
	switch {
	case budget <= 1024:
		return "minimal"
	case budget <= 4096:
		return "low"
	case budget <= 16384:
		return "medium"
	default:
		return "high"
	}
}

// sampling writes how tokens are chosen.
func (w *responsesWriter) sampling(req *ir.Request) {
	if n := req.MaxOutput; n != nil && *n < minOutput {
		w.Int("max_output_tokens", minOutput)
		w.losses.Lose("max_output", "raised to "+strconv.Itoa(minOutput)+", the least that can be asked for")
	} else {
		w.OptInt("max_output_tokens", n)
	}
	w.OptFloat("temperature", req.Temperature)
	w.OptFloat("top_p", req.TopP)
	w.OptFloat("frequency_penalty", req.FrequencyPenalty)
	w.OptFloat("presence_penalty", req.PresencePenalty)
	w.OptInt("top_logprobs", req.TopLogprobs)
	for _, x := range []struct {
		set  bool
		path string
	}{
		{req.TopK != nil, "top_k"}, {req.Seed != nil, "seed"}, {len(req.Stop) > 0, "stop"}, {len(req.LogitBias) > 0, "logit_bias"},
	} {
		if x.set {
			w.losses.Lose(x.path, "the Responses API has no such parameter")
		}
	}
}

// minOutput is the least max_output_tokens that OpenAI takes.
const minOutput = 16

// delivery writes what is not about the answer's content.
func (w *responsesWriter) delivery(req *ir.Request) {
	w.include(req)
	if req.Store != nil {
		w.Bool("store", *req.Store)
	} else if !hasExtra(req.Extras, "store") {
		w.Bool("store", false)
		w.losses.Note("store", "said to be false, which silence means in other dialects")
	}
	w.OptStr("previous_response_id", req.PreviousID)
	w.OptStr("user", w.short("user", req.User))
	w.OptStr("safety_identifier", w.short("safety_id", req.SafetyID))
	w.cache(req)
	w.OptStr("service_tier", req.ServiceTier)
	if len(req.Metadata) > 0 {
		w.Object("metadata")
		for _, k := range slices.Sorted(maps.Keys(req.Metadata)) {
			w.Str(k, req.Metadata[k])
		}
		w.End()
	}
}

func (w *responsesWriter) include(req *ir.Request) {
	var list []string
	r := &req.Reasoning
	foreign := req.Store == nil && !hasExtra(req.Extras, "store")
	switch {
	case r.Sealed:
		list = append(list, includeSealed)
	case foreign && r.Mode != ir.ReasoningOff && r.Effort != "none" && *r != (ir.Reasoning{}):
		list = append(list, includeSealed)
		w.losses.Note("reasoning.sealed", "asked for, so that the client can give it back")
	}
	if req.Logprobs {
		list = append(list, includeLogprobs)
	}
	if raw, ok := findExtra(req.Extras, "include"); ok {
		var more []string
		if json.Unmarshal(raw, &more) == nil {
			list = append(list, more...)
		}
	}
	if len(list) > 0 {
		w.Strings("include", list)
	}
}

// cache writes what routes requests with the same prefix to the same cache:
// the client's key, or one for its user where it marks what is to be cached.
func (w *responsesWriter) cache(req *ir.Request) {
	key := req.CacheKey
	if key == "" && !w.marks && req.User != "" && cachedElsewhere(req) {
		key = shortened(req.User)
		w.losses.Note("cache_key", "made of the user, since prefixes are marked")
	} else {
		key = w.short("cache_key", key)
	}
	w.OptStr("prompt_cache_key", key)
	w.OptStr("prompt_cache_retention", req.CacheLife)
}

// maxIdentifier is how long identifiers may be, in characters.
const maxIdentifier = 64

// short gives an identifier that is too long a checksum for a name.
func (w *responsesWriter) short(path, s string) string {
	if len(s) > maxIdentifier {
		w.losses.Note(path, "hashed, since only 64 characters are allowed")
	}
	return shortened(s)
}

func shortened(s string) string {
	if len(s) <= maxIdentifier {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

// requestExtras writes the members that have no field and are not part of
// another object.
func (w *responsesWriter) requestExtras(req *ir.Request) {
	for i := range req.Extras {
		e := &req.Extras[i]
		if e.Dialect != responsesDialect || isNested(e.Path) || e.Path == "include" || e.Path == "instructions" || silent(e) {
			continue
		}
		w.Raw(e.Path, e.Raw)
	}
	w.losses.Extras("", req.Extras, responsesDialect)
}

func isNested(path string) bool {
	return strings.HasPrefix(path, "text.") || strings.HasPrefix(path, "reasoning.")
}

func (w *responsesWriter) hasNested(req *ir.Request, prefix string) bool {
	return slices.ContainsFunc(req.Extras, func(e ir.Extra) bool {
		return e.Dialect == responsesDialect && strings.HasPrefix(e.Path, prefix)
	})
}

// nested writes the extras of the object whose path prefix is.
func (w *responsesWriter) nested(req *ir.Request, prefix string) {
	for i := range req.Extras {
		e := &req.Extras[i]
		name, ok := strings.CutPrefix(e.Path, prefix)
		if ok && e.Dialect == responsesDialect && (prefix != "text." || !strings.HasPrefix(name, "format.")) {
			w.Raw(name, e.Raw)
		}
	}
}
