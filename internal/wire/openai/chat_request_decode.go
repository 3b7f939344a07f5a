package openai

import (
	"encoding/json"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/jsondoc"
)

// chatName is the wire name of the dialect, which its extras carry.
const chatName = string(tollgate.DialectOpenAIChat)

// DecodeRequest implements wire.Front. Members are those of
// CreateChatCompletionRequest in OpenAI's description, and what compatible
// servers added and clients send: top_k, reasoning, reasoning_content,
// reasoning_details, cache_control.
func (Chat) DecodeRequest(_ wire.Route, body []byte) (*ir.Request, error) {
	o, err := jsondoc.Parse(body, jsondoc.Options{})
	if err != nil {
		return nil, err
	}
	d := chatReader{req: &ir.Request{Model: o.Need("model")}}
	d.options(o)
	d.sampling(o)
	d.output(o)
	d.reasoning(o)
	d.tools(o)
	d.messages(o.Get("messages"))
	d.req.Extras = append(d.req.Extras, chatExtras(o, "")...)
	if err := o.Err(); err != nil {
		return nil, err
	}
	return d.req, nil
}

// chatReader reads one request.
type chatReader struct {
	req   *ir.Request
	ids   ir.CallIDs             // of legacy function calls, which have none
	kinds map[string]ir.ToolKind // of the calls so far, by id
}

// chatExtras returns the members of o that nobody asked for; at goes before
// their names.
func chatExtras(o *jsondoc.Object, at string) []ir.Extra {
	var out []ir.Extra
	o.Rest(func(name string, raw json.RawMessage) {
		out = append(out, ir.Extra{Dialect: chatName, Path: at + name, Raw: raw, Hint: chatHint(at+name, raw)})
	})
	return out
}

// chatHint knows members of requests that change no answer: how it is
// delivered, how fast it may come, what is the default elsewhere.
func chatHint(path string, raw json.RawMessage) bool {
	switch path {
	case "prediction", "prompt_cache_options":
		return true
	case "modalities":
		return chatCompact(raw) == `["text"]`
	default:
		return chatInside(path, "stream_options.")
	}
}

// options reads who asks, how the answer is sent and what is kept.
func (d *chatReader) options(o *jsondoc.Object) {
	r := d.req
	if b := o.Bool("stream"); b != nil {
		r.Stream = *b
	}
	stream := o.Object("stream_options")
	if b := stream.Bool("include_usage"); b != nil {
		r.Form.StreamUsage = *b && r.Stream
	}
	r.Extras = append(r.Extras, chatExtras(stream, "stream_options.")...)
	r.User, r.SafetyID = o.Str("user"), o.Str("safety_identifier")
	if meta := o.Object("metadata"); meta.Present() {
		r.Metadata = map[string]string{}
		for _, k := range meta.Keys() {
			r.Metadata[k] = meta.Str(k)
		}
	}
	r.CacheKey, r.CacheLife = o.Str("prompt_cache_key"), o.Str("prompt_cache_retention")
	if r.ServiceTier = o.Str("service_tier"); r.ServiceTier == "standard" {
		r.ServiceTier = "default"
	}
	r.Store = o.Bool("store")
}

// chatMaxChoices is how many answers OpenAI gives at once.
const chatMaxChoices = 128

func (d *chatReader) sampling(o *jsondoc.Object) {
	r := d.req
	r.Temperature, r.TopP, r.TopK = o.Float("temperature"), o.Float("top_p"), o.Int("top_k")
	r.FrequencyPenalty, r.PresencePenalty = o.Float("frequency_penalty"), o.Float("presence_penalty")
	r.Seed = o.Int("seed")
	stop := o.Get("stop")
	if stop.Kind() == jsondoc.String {
		r.Stop = []string{stop.Str()}
	} else {
		r.Stop = stop.Strings()
	}
	if n := o.Int("n"); n != nil {
		if *n < 1 || *n > chatMaxChoices {
			o.Get("n").Fail("must be between 1 and %d", chatMaxChoices)
		}
		r.Choices = int(*n)
	}
	if b := o.Bool("logprobs"); b != nil {
		r.Logprobs = *b
	}
	r.TopLogprobs = o.Int("top_logprobs")
	if bias := o.Object("logit_bias"); bias.Present() {
		r.LogitBias = map[string]float64{}
		for _, k := range bias.Keys() {
			if f := bias.Float(k); f != nil {
				r.LogitBias[k] = *f
			}
		}
	}
}

// output reads how much and in which form the model is to write.
func (d *chatReader) output(o *jsondoc.Object) {
	r := d.req
	r.MaxOutput = o.Int("max_completion_tokens")
	if r.MaxOutput == nil {
		r.MaxOutput = o.Int("max_tokens")
	} else if old := o.Int("max_tokens"); old != nil && *old != *r.MaxOutput {
		r.Extras = append(r.Extras, ir.Extra{Dialect: chatName, Path: "max_tokens", Raw: o.Raw("max_tokens")})
	}
	r.Verbosity = o.Str("verbosity")
	format := o.Object("response_format")
	if !format.Present() {
		return
	}
	switch format.Need("type") {
	case "text":
	case "json_object":
		r.Format.Kind = ir.FormatJSON
	case "json_schema":
		d.schema(format.Object("json_schema"))
	default:
		r.Extras = append(r.Extras, ir.Extra{Dialect: chatName, Path: "response_format", Raw: format.Value().Raw()})
		return
	}
	r.Extras = append(r.Extras, chatExtras(format, "response_format.")...)
}

func (d *chatReader) schema(o *jsondoc.Object) {
	if !o.Present() {
		o.Value().Fail("is missing")
		return
	}
	d.req.Format = ir.Format{
		Kind: ir.FormatSchema, Name: o.Need("name"), Description: o.Str("description"),
		Schema: chatSchema(o.Get("schema")), Strict: o.Bool("strict"),
	}
	d.req.Extras = append(d.req.Extras, chatExtras(o, "response_format.json_schema.")...)
}

// chatSchema reads a JSON schema, which is an object (or true and false, which
// no vendor takes).
func chatSchema(v jsondoc.Value) json.RawMessage {
	if v.Present() && v.Kind() != jsondoc.IsObject {
		v.Fail("must be an object")
	}
	return v.Raw()
}

// reasoning reads OpenAI's reasoning_effort and OpenRouter's reasoning.
func (d *chatReader) reasoning(o *jsondoc.Object) {
	r := &d.req.Reasoning
	r.Effort = o.Str("reasoning_effort")
	if router := o.Get("reasoning"); router.Kind() == jsondoc.IsObject && !d.routerReasoning(router.Object()) {
		d.req.Extras = append(d.req.Extras, ir.Extra{Dialect: chatName, Path: "reasoning", Raw: router.Raw()})
	}
	if r.Effort == "none" {
		r.Mode = ir.ReasoningOff
	}
}

// routerReasoning takes OpenRouter's object if it says nothing beyond what
// package ir can.
func (d *chatReader) routerReasoning(o *jsondoc.Object) bool {
	for _, k := range o.Keys() {
		if k != "effort" && k != "max_tokens" && k != "enabled" {
			return false
		}
	}
	r := &d.req.Reasoning
	if effort := o.Str("effort"); effort != "" && r.Effort == "" {
		r.Effort = effort
	}
	r.Budget = o.Int("max_tokens")
	if on := o.Bool("enabled"); on != nil {
		r.Mode = ir.ReasoningOff
		if *on {
			r.Mode = ir.ReasoningOn
		}
	}
	return true
}
