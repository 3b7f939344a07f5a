package anthropic

import (
	"slices"
	"strconv"
	"strings"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire/jsondoc"
)

// encoder writes one request for the vendor.
type encoder struct {
	blockWriter
	req       *ir.Request
	rules     rules
	maxTokens int64
	think     thinking
	count     bool // for the count of tokens, which takes fewer members
}

// EncodeRequest implements wire.Back, for anthropic-version 2023-06-01, which
// the gateway sends where the client names none. max_tokens, which the protocol
// demands, is req.MaxOutput, else a default by the model's name.
func (Codec) EncodeRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	return encodeRequest(req, false)
}

// EncodeCountRequest implements wire.Back: /v1/messages/count_tokens takes what
// the model reads and nothing about the answer.
func (Codec) EncodeCountRequest(req *ir.Request) ([]byte, []ir.Loss, error) {
	return encodeRequest(req, true)
}

func encodeRequest(req *ir.Request, count bool) ([]byte, []ir.Loss, error) {
	e := &encoder{req: req, rules: rulesOf(req.Model), count: count}
	w := jsondoc.NewWriter(make([]byte, 0, 4096))
	e.w = w
	if err := e.refuse(); err != nil {
		return nil, nil, err
	}
	w.Object("")
	w.Str("model", req.Model)
	e.planOutput()
	e.planThinking()
	e.writeTools()
	e.writeSystem()
	e.writeMessages()
	e.writeThinking(w)
	e.writeOutputConfig()
	if !count {
		e.writeSettings()
	}
	e.losses.Extras("", req.Extras, own)
	for i := range req.Extras {
		if x := &req.Extras[i]; !count || x.Path != "container" { // which holds nothing that is counted
			writeExtras(w, req.Extras[i:i+1], "")
		}
	}
	w.End()
	if e.err != nil {
		return nil, nil, e.err
	}
	return w.Bytes(), e.losses.List(), nil
}

// refuse names what cannot be asked of this dialect at all.
func (e *encoder) refuse() error {
	switch {
	case e.req.Choices > 1:
		return tollgate.Invalidf("choices", "Anthropic gives one answer at a time; ask %d times", e.req.Choices)
	case e.req.PreviousID != "":
		return &tollgate.Error{
			Code: tollgate.CodeInvalid, Field: "previous_id", Reason: "previous_response_not_found",
			Message: "Anthropic keeps no answers that could be continued; send the whole conversation",
		}
	}
	return nil
}

func (e *encoder) planOutput() {
	if e.req.MaxOutput != nil {
		e.maxTokens = *e.req.MaxOutput
		if !e.count {
			e.w.Int("max_tokens", e.maxTokens)
		}
		return
	}
	if e.count {
		e.maxTokens = noLimit
		return
	}
	e.maxTokens = e.rules.maxOutput
	e.w.Int("max_tokens", e.maxTokens)
	e.Note("max_output", "Anthropic demands a limit; it got "+strconv.FormatInt(e.maxTokens, 10))
}

// noLimit is more tokens than any budget for thinking has.
const noLimit = 1 << 40

// writeSystem writes the system prompt, the billing header of Claude Code and
// blocks of unknown kinds at the places they came from.
func (e *encoder) writeSystem() {
	extras := e.req.Extras
	instruction := e.formatInstruction()
	k, open := 0, false // k is the block's number in the client's own request
	next := func() {    // before every block
		if !open {
			e.w.Array("system")
		}
		open = true
		k++
	}
	asides := func() {
		for raw := findExtra(extras, systemAt(k)); raw != nil; raw = findExtra(extras, systemAt(k)) {
			next()
			e.w.Raw("", raw)
		}
	}
	for i, p := range e.req.System {
		asides()
		at := ir.SystemPath(i)
		t, ok := p.(ir.Text)
		switch {
		case !ok:
			e.Lose(at, "a system prompt is text alone")
			k++
			continue
		case strings.TrimSpace(t.Text) == "":
			e.Note(at, "empty texts are not taken")
			e.loseExtras("", extras, systemAt(k)+".")
			k++
			continue
		}
		prefix := systemAt(k) + "."
		next()
		e.text(at, t, extras, prefix)
	}
	asides()
	if instruction != "" {
		next()
		e.text(ir.SystemPath(len(e.req.System)), ir.Text{Text: instruction}, nil, "")
	}
	if open {
		e.w.End()
	}
}

func systemAt(k int) string { return onSystem + strconv.Itoa(k) + "]" }

// formatInstruction asks in words for a form that the model cannot be bound to.
func (e *encoder) formatInstruction() string {
	f := e.req.Format
	switch {
	case f.Kind == ir.FormatJSON:
		e.Lose("format", "asked for in words: Anthropic knows JSON by a schema alone")
	case f.Kind == ir.FormatSchema && !e.rules.schema:
		e.Lose("format", "asked for in words: the model cannot be bound to a schema")
	default:
		return ""
	}
	e.Note(ir.SystemPath(len(e.req.System)), "an instruction in place of a format")
	text := "Answer with one JSON object and nothing else."
	if f.Kind == ir.FormatSchema {
		text += " It must fit this JSON schema:\n" + string(f.Schema)
	}
	return text
}

// writeOutputConfig writes the effort and the form of the answer.
func (e *encoder) writeOutputConfig() {
	extras := e.req.Extras
	schema := e.req.Format.Kind == ir.FormatSchema && e.rules.schema
	more := slices.ContainsFunc(extras, outputExtra)
	if e.think.effort == "" && !schema && !more {
		return
	}
	e.w.Object("output_config")
	e.w.OptStr("effort", e.think.effort)
	if schema {
		f := e.req.Format
		e.w.Object("format")
		e.w.Str("type", "json_schema")
		e.w.Raw("schema", e.closedSchema("format.schema", f.Schema))
		e.w.End()
		e.noteIf(f.Name != "", "format.name", "Anthropic's formats have no name")
		e.noteIf(f.Description != "", "format.description", "Anthropic's formats have no description")
		e.noteIf(f.Strict != nil, "format.strict", "Anthropic always holds the model to the schema")
	}
	for _, x := range extras {
		if outputExtra(x) {
			e.w.Raw(memberName(strings.TrimPrefix(x.Path, onOutputConfig)), x.Raw)
		}
	}
	e.w.End()
}

// outputExtra reports whether an extra is a member of output_config that is
// written as it came.
func outputExtra(x ir.Extra) bool {
	return x.Dialect == own && x.Path != effortAlone && strings.HasPrefix(x.Path, onOutputConfig)
}

// writeSettings writes what is about the answer.
func (e *encoder) writeSettings() {
	req, w := e.req, e.w
	if req.Stream {
		w.Bool("stream", true)
	}
	e.writeSampling()
	e.writeStop()
	e.writeUser()
	switch req.ServiceTier {
	case "":
	case "auto":
		w.Str("service_tier", "auto")
	case "default":
		w.Str("service_tier", "standard_only")
	case "priority":
		w.Str("service_tier", "auto")
		e.Lose("service_tier", "Anthropic gives priority where there is capacity bought for it, and cannot be made to")
	default:
		e.Lose("service_tier", "Anthropic has no such tier")
	}
	e.loseSettings()
}

func (e *encoder) loseSettings() {
	req := e.req
	e.loseIf(req.Verbosity != "", "verbosity", "Anthropic has no such setting")
	e.loseIf(req.FrequencyPenalty != nil, "frequency_penalty", "Anthropic has no such setting")
	e.loseIf(req.PresencePenalty != nil, "presence_penalty", "Anthropic has no such setting")
	e.loseIf(req.Seed != nil, "seed", "Anthropic has no such setting")
	e.loseIf(req.Logprobs, "logprobs", "Anthropic tells no probabilities")
	e.loseIf(req.TopLogprobs != nil, "top_logprobs", "Anthropic tells no probabilities")
	e.loseIf(len(req.LogitBias) > 0, "logit_bias", "token ids mean something to their own vendor alone")
	e.loseIf(len(req.Metadata) > 0, "metadata", "Anthropic keeps no labels")
	e.noteIf(req.CacheKey != "", "cache_key", "Anthropic finds cached prefixes by themselves")
	e.noteIf(req.CacheLife != "", "cache_life", "Anthropic takes cache lives on marks alone")
	if req.Store != nil {
		e.loseIf(*req.Store, "store", "Anthropic keeps no answers")
		e.noteIf(!*req.Store, "store", "Anthropic keeps no answers")
	}
	e.noteIf(req.Choices == 1, "choices", "Anthropic gives one answer")
}

// writeSampling writes temperature, top_p and top_k as far as the model takes
// them; with thinking none of them may be changed but top_p, and that little.
func (e *encoder) writeSampling() {
	req := e.req
	thinks := e.think.mode == "enabled" || e.think.mode == "adaptive"
	switch t := req.Temperature; {
	case t == nil:
	case !e.rules.sampling:
		e.Lose("temperature", "the model takes none")
	case thinks && *t != 1:
		e.Lose("temperature", "not while thinking")
	default:
		e.w.Float("temperature", min(max(*t, 0), 1))
		e.loseIf(*t > 1 || *t < 0, "temperature", "brought between 0 and 1")
	}
	switch p := req.TopP; {
	case p == nil:
	case !e.rules.sampling:
		e.Lose("top_p", "the model takes none")
	case !e.rules.pair && req.Temperature != nil:
		e.Lose("top_p", "the model takes it or a temperature, not both")
	case thinks && *p < 0.95:
		e.Lose("top_p", "not below 0.95 while thinking")
	default:
		e.w.Float("top_p", *p)
	}
	switch k := req.TopK; {
	case k == nil:
	case !e.rules.sampling:
		e.Lose("top_k", "the model takes none")
	case thinks:
		e.Lose("top_k", "not while thinking")
	default:
		e.w.Int("top_k", *k)
	}
}

// writeStop writes the stop sequences. The vendor refuses those of white space.
func (e *encoder) writeStop() {
	var stop []string
	for i, s := range e.req.Stop {
		if strings.TrimSpace(s) == "" {
			e.Lose("stop["+strconv.Itoa(i)+"]", "Anthropic takes no stop sequence of white space alone")
			continue
		}
		stop = append(stop, s)
	}
	if len(stop) != len(e.req.Stop) && len(stop) > 0 {
		e.Note("stop", "the others move up")
	}
	if len(stop) > 0 {
		e.w.Strings("stop_sequences", stop)
	}
}

func (e *encoder) writeUser() {
	user := e.req.User
	switch {
	case user == "" && e.req.SafetyID != "":
		user = e.req.SafetyID
		e.Note("safety_id", "carried as metadata.user_id")
		e.Note("user", "the safety id stands for it")
	case e.req.SafetyID != "":
		e.Note("safety_id", "Anthropic takes one id, and got the user")
	}
	if user == "" && !hasExtras(e.req.Extras, onMetadata) {
		return
	}
	e.w.Object("metadata")
	e.w.OptStr("user_id", user)
	writeExtras(e.w, e.req.Extras, onMetadata)
	e.w.End()
}
