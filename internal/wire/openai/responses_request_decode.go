package openai

import (
	"encoding/json"

	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// DecodeRequest implements wire.Front for /v1/responses and
// /v1/responses/input_tokens, whose bodies are alike.
//
// instructions and the system messages that begin the input are the system
// prompt.
func (Responses) DecodeRequest(_ wire.Route, body []byte) (*ir.Request, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{Limits: wire.AnswerLimits()})
	if err != nil {
		return nil, err
	}
	req := &ir.Request{
		Model:         o.Need("model"),
		ParallelCalls: o.Bool("parallel_tool_calls"),
		MaxOutput:     o.Int("max_output_tokens"),
		Temperature:   o.Float("temperature"),
		TopP:          o.Float("top_p"),
		TopLogprobs:   o.Int("top_logprobs"),
		User:          o.Str("user"),
		SafetyID:      o.Str("safety_identifier"),
		CacheKey:      o.Str("prompt_cache_key"),
		CacheLife:     o.Str("prompt_cache_retention"),
		ServiceTier:   o.Str("service_tier"),
		Store:         o.Bool("store"),
		PreviousID:    o.Str("previous_response_id"),

		FrequencyPenalty: o.Float("frequency_penalty"), // Open Responses
		PresencePenalty:  o.Float("presence_penalty"),
	}
	if s := o.Bool("stream"); s != nil {
		req.Stream = *s
	}
	responsesMetadata(req, o.Object("metadata"))
	req.Tools = responsesTools(nil, o.Array("tools"))
	req.ToolChoice = responsesToolChoice(o.Get("tool_choice"))
	responsesTextOptions(req, o.Object("text"))
	responsesReasoning(req, o.Object("reasoning"))
	responsesInclude(req, o.Strings("include"))
	responsesInput(req, o)
	if req.Store == nil {
		req.Extras = append(req.Extras, responsesSilence("store")) // kept unless it says no; elsewhere it is not
	}
	responsesRequestExtras(req, o)
	if err := o.Err(); err != nil {
		return nil, err
	}
	return req, nil
}

// responsesInput reads instructions and input.
func responsesInput(req *ir.Request, o *jsondoc.Object) {
	instructions, input := o.Get("instructions"), o.Get("input")
	switch instructions.Kind() {
	case jsondoc.IsArray:
		for _, it := range responsesItems(instructions.Array()) {
			if m, ok := it.(ir.Message); ok {
				req.System = append(req.System, m.Parts...)
			} else {
				instructions.Fail("must be a string or messages")
			}
		}
	case jsondoc.Absent, jsondoc.String, jsondoc.IsObject, jsondoc.Number, jsondoc.Bool:
		if s := instructions.Str(); s != "" {
			req.System = []ir.Part{ir.Text{Text: s}}
		}
	}
	alone := len(req.System) > 0
	switch input.Kind() {
	case jsondoc.Absent:
	case jsondoc.String:
		req.Items = []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: input.Str()}}}}
	case jsondoc.IsArray, jsondoc.IsObject, jsondoc.Number, jsondoc.Bool:
		responsesInputItems(req, input.Array())
	}
	if len(req.System) > 0 && !alone {
		req.Extras = append(req.Extras, responsesSilence("instructions")) // the system prompt is all in messages
	}
}

func responsesInputItems(req *ir.Request, list []jsondoc.Value) {
	req.Items = make([]ir.Item, 0, len(list))
	for _, v := range list {
		if v.Kind() == jsondoc.IsObject {
			if o := v.Object(); o.Str("type") == "additional_tools" {
				req.Tools = responsesTools(req.Tools, o.Array("tools"))
				continue
			}
		}
		req.Items = responsesItem(req.Items, v)
	}
	head := 0
	for ; head < len(req.Items); head++ {
		m, ok := req.Items[head].(ir.Message)
		if !ok || m.Role != ir.RoleSystem || len(m.Extras) > 0 || !onlyTexts(m.Parts) {
			break
		}
		req.System = append(req.System, m.Parts...)
	}
	if req.Items = req.Items[head:]; len(req.Items) == 0 {
		req.Items = nil
	}
}

func onlyTexts(parts []ir.Part) bool {
	for _, p := range parts {
		if _, ok := p.(ir.Text); !ok {
			return false
		}
	}
	return true
}

func responsesMetadata(req *ir.Request, o *jsondoc.Object) {
	for _, k := range o.Keys() {
		if req.Metadata == nil {
			req.Metadata = map[string]string{}
		}
		req.Metadata[k] = o.Str(k)
	}
}

func responsesTextOptions(req *ir.Request, o *jsondoc.Object) {
	req.Verbosity = o.Str("verbosity")
	f := o.Object("format")
	switch kind := f.Str("type"); kind {
	case "", "text":
	case "json_object":
		req.Format.Kind = ir.FormatJSON
	case "json_schema":
		req.Format = ir.Format{
			Kind: ir.FormatSchema, Name: f.Str("name"), Description: f.Str("description"),
			Schema: responsesSchema(f.Get("schema")), Strict: f.Bool("strict"),
		}
	default:
		f.Get("type").Fail("must be text, json_object or json_schema, not %q", kind)
	}
	responsesNested(req, f, "text.format.")
	responsesNested(req, o, "text.")
}

func responsesReasoning(req *ir.Request, o *jsondoc.Object) {
	r := &req.Reasoning
	if r.Effort = o.Str("effort"); r.Effort == "none" {
		r.Effort, r.Mode = "", ir.ReasoningOff
	}
	if r.Summary = o.Str("summary"); r.Summary == "" {
		r.Summary = o.Str("generate_summary") // its name until 2025
	} else {
		o.Get("generate_summary")
	}
	responsesNested(req, o, "reasoning.")
}

// responsesNested keeps what nobody read of an object of the request.
func responsesNested(req *ir.Request, o *jsondoc.Object, prefix string) {
	o.Rest(func(name string, raw json.RawMessage) {
		req.Extras = append(req.Extras, ir.Extra{Dialect: responsesDialect, Path: prefix + name, Raw: raw})
	})
}

const (
	includeSealed   = "reasoning.encrypted_content"
	includeLogprobs = "message.output_text.logprobs"
)

// responsesInclude reads what the answer is to show; details of server tools
// stay as they are.
func responsesInclude(req *ir.Request, list []string) {
	var rest []string
	for _, s := range list {
		switch s {
		case includeSealed:
			req.Reasoning.Sealed = true
		case includeLogprobs:
			req.Logprobs = true
		default:
			rest = append(rest, s)
		}
	}
	if len(rest) > 0 {
		req.Extras = append(req.Extras, ir.Extra{Dialect: responsesDialect, Path: "include", Raw: mustJSON(rest), Hint: true})
	}
}

// responsesRequestExtras keeps the members that have no field.
func responsesRequestExtras(req *ir.Request, o *jsondoc.Object) {
	o.Rest(func(name string, raw json.RawMessage) {
		req.Extras = append(req.Extras, ir.Extra{Dialect: responsesDialect, Path: name, Raw: raw, Hint: responsesIsHint(name, raw)})
	})
	if !hasExtra(req.Extras, "prompt_cache_options") && responsesHasBreakpoint(req) {
		// Marks are understood by the models that know these options; none of
		// them set says the same and lets the marks go back.
		req.Extras = append(req.Extras, ir.Extra{Dialect: responsesDialect, Path: "prompt_cache_options", Raw: json.RawMessage("{}"), Hint: true})
	}
}

// responsesIsHint tells what changes no answer: delivery, telemetry, caching,
// and defaults that are said aloud.
func responsesIsHint(name string, raw json.RawMessage) bool {
	switch name {
	case "stream_options", "client_metadata", "prompt_cache_options":
		return true
	case "background", "generate":
		return string(raw) != "true"
	case "truncation":
		return string(raw) == `"disabled"`
	default:
		return false
	}
}

func hasExtra(extras []ir.Extra, path string) bool {
	_, ok := findExtra(extras, path)
	return ok
}

// findExtra returns an extra of this dialect.
func findExtra(extras []ir.Extra, path string) (json.RawMessage, bool) {
	for i := range extras {
		if extras[i].Path == path && extras[i].Dialect == responsesDialect {
			return extras[i].Raw, true
		}
	}
	return nil, false
}

// responsesHasBreakpoint reports whether anything ends a cached prefix.
func responsesHasBreakpoint(req *ir.Request) bool {
	if cachedParts(req.System) {
		return true
	}
	for _, it := range req.Items {
		switch x := it.(type) {
		case ir.Message:
			if cachedParts(x.Parts) {
				return true
			}
		case ir.ToolResult:
			if cachedParts(x.Parts) {
				return true
			}
		case ir.ToolCall, ir.Thought, ir.Opaque:
		}
	}
	return false
}

func cachedParts(parts []ir.Part) bool {
	for _, p := range parts {
		if cacheOf(p) != nil {
			return true
		}
	}
	return false
}

func cacheOf(p ir.Part) *ir.Cache {
	switch x := p.(type) {
	case ir.Text:
		return x.Cache
	case ir.Image:
		return x.Cache
	case ir.File:
		return x.Cache
	case ir.Audio, ir.Refusal, ir.Opaque:
	}
	return nil
}

// EncodeCount implements wire.Front: the answer of responses/input_tokens.
func (Responses) EncodeCount(tokens int64) []byte {
	w := jsondoc.NewWriter(nil)
	w.Object("")
	w.Str("object", "response.input_tokens")
	w.Int("input_tokens", tokens)
	w.End()
	return w.Bytes()
}
