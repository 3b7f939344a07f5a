package demo

import (
	"encoding/json"
	"slices"
	"strconv"
)

// responsesRequest is what is read of a Responses request; the fields that the
// answer repeats stay as they came.
type responsesRequest struct {
	Model              string   `json:"model"`
	Stream             bool     `json:"stream"`
	Input              raw      `json:"input"`
	Instructions       string   `json:"instructions"`
	MaxOutputTokens    int64    `json:"max_output_tokens"`
	PreviousResponseID string   `json:"previous_response_id"`
	Include            []string `json:"include"`
	ToolChoice         raw      `json:"tool_choice"`
	Tools              raw      `json:"tools"`
	Text               struct {
		Format struct {
			Type   string `json:"type"`
			Schema raw    `json:"schema"`
		} `json:"format"`
	} `json:"text"`
	RawText           raw `json:"-"`
	Metadata          raw `json:"metadata"`
	ParallelToolCalls raw `json:"parallel_tool_calls"`
	Reasoning         raw `json:"reasoning"`
	Store             raw `json:"store"`
	Temperature       raw `json:"temperature"`
	TopP              raw `json:"top_p"`
	Truncation        raw `json:"truncation"`
	User              raw `json:"user"`
	PromptCacheKey    raw `json:"prompt_cache_key"`
	SafetyIdentifier  raw `json:"safety_identifier"`
}

type responsesTool struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	Description string `json:"description"`
	Parameters  raw    `json:"parameters"`
}

type responsesItem struct {
	Type      string `json:"type"`
	Role      string `json:"role"`
	Content   raw    `json:"content"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
	Input     string `json:"input"`
	Output    raw    `json:"output"`
}

func (q *responsesRequest) prompt() *prompt {
	p := &prompt{model: q.Model, choice: openAIChoice(q.ToolChoice), maxOutput: q.MaxOutputTokens}
	p.add(q.Instructions)
	var text string
	var items []responsesItem
	if json.Unmarshal(q.Input, &text) == nil {
		items = []responsesItem{{Role: "user", Content: encode(text)}}
	} else {
		_ = json.Unmarshal(q.Input, &items) // items of unknown shape say nothing
	}
	names := map[string]string{}
	for _, it := range items {
		switch it.Type {
		case "", "message":
			text := contentText(it.Content)
			p.add(text)
			p.results, p.resultsOf = nil, nil
			if it.Role == "user" {
				p.last, p.media = text, media(it.Content)
			}
		case "function_call", "custom_tool_call":
			names[it.CallID] = it.Name
			p.add(it.Arguments + it.Input)
			p.results, p.resultsOf = nil, nil
		case "function_call_output", "custom_tool_call_output":
			text := contentText(it.Output)
			p.add(text)
			p.results = append(p.results, text)
			p.resultsOf = append(p.resultsOf, names[it.CallID])
		}
	}
	var tools []responsesTool
	_ = json.Unmarshal(q.Tools, &tools) // no list = no tools
	for _, t := range tools {
		if t.Type == "function" || t.Type == "custom" {
			p.offer(tool{name: t.Name, description: t.Description, schema: t.Parameters, custom: t.Type == "custom"})
		}
	}
	switch q.Text.Format.Type {
	case "json_schema":
		p.schema = or(q.Text.Format.Schema, "{}")
	case "json_object":
		p.schema = raw(`{"type":"object","properties":{"answer":{"type":"string"}}}`)
	}
	return p
}

// responses answers POST /responses.
func (x *exchange) responses() {
	q, ok := x.responsesRequest()
	if !ok {
		return
	}
	a := x.answer(q.prompt())
	if !x.begin() {
		return
	}
	if !q.Stream {
		x.reply(x.response(q, a, responseStatus(a), x.outputItems(q, a), nil))
		return
	}
	s := &responseStream{x: x, q: q, a: a}
	x.stream(s.events(), frameNamed, s.failure)
}

func (x *exchange) responsesRequest() (*responsesRequest, bool) {
	var q responsesRequest
	if !x.decode(&q) {
		return nil, false
	}
	var text struct {
		Text raw `json:"text"`
	}
	_ = json.Unmarshal(x.body, &text) // decoded just before
	q.RawText = text.Text
	switch {
	case q.Model == "":
		x.failWith(400, "missing_required_parameter", "Missing required parameter: 'model'.")
		return nil, false
	case !x.model(q.Model, false):
		return nil, false
	case q.PreviousResponseID != "":
		x.failWith(400, "previous_response_not_found", "Previous response with id '"+q.PreviousResponseID+"' not found.")
		return nil, false
	}
	return &q, x.pass(checkResponses(x.parsed()))
}

// countResponses answers POST /responses/input_tokens.
func (x *exchange) countResponses() {
	q, ok := x.responsesRequest()
	if !ok {
		return
	}
	a := x.answer(q.prompt())
	if x.begin() {
		x.reply(o("object", "response.input_tokens", "input_tokens", a.usage.input))
	}
}

// compactResponses answers POST /responses/compact: the conversation becomes
// one item that only the vendor reads.
func (x *exchange) compactResponses() {
	q, ok := x.responsesRequest()
	if !ok {
		return
	}
	a := x.answer(q.prompt())
	if x.begin() {
		item := o("id", x.id("cmp_"), "type", "compaction", "encrypted_content", sign(signedSummary, x.id("")))
		x.reply(o("id", x.id("resp_"), "object", "response.compaction", "created_at", x.created(), "output", []raw{item}, "usage", responsesUsage(a.usage)))
	}
}

func responseStatus(a answer) string {
	if a.stop == stopLength || a.stop == stopFilter {
		return "incomplete"
	}
	return "completed"
}

func responsesUsage(u usage) raw {
	return o("input_tokens", u.input, "input_tokens_details", o("cached_tokens", u.cached),
		"output_tokens", u.output, "output_tokens_details", o("reasoning_tokens", u.reasoning), "total_tokens", u.input+u.output)
}

// response writes the response object in the given state.
func (x *exchange) response(q *responsesRequest, a answer, status string, output []raw, failure raw) raw {
	incomplete, completed, used, tier := any(nil), any(nil), any(nil), "auto"
	if status == "incomplete" {
		reason := "max_output_tokens"
		if a.stop == stopFilter {
			reason = "content_filter"
		}
		incomplete = o("reason", reason)
	}
	if status != "in_progress" {
		completed, tier = x.created(), "default"
		if !x.d.noUsage && failure == nil {
			used = responsesUsage(a.usage)
		}
	}
	limit := any(nil)
	if q.MaxOutputTokens > 0 {
		limit = q.MaxOutputTokens
	}
	return o("id", x.id("resp_"), "object", "response", "created_at", x.created(), "status", status, "background", false,
		"completed_at", completed, "error", failure, "incomplete_details", incomplete, "instructions", orNull(q.Instructions),
		"max_output_tokens", limit, "max_tool_calls", nil, "model", q.Model, "output", output,
		"parallel_tool_calls", or(q.ParallelToolCalls, "true"), "previous_response_id", nil, "prompt_cache_key", q.PromptCacheKey,
		"reasoning", or(q.Reasoning, `{"effort":null,"summary":null}`), "safety_identifier", q.SafetyIdentifier, "service_tier", tier,
		"store", or(q.Store, "true"), "temperature", or(q.Temperature, "1.0"), "text", or(q.RawText, `{"format":{"type":"text"},"verbosity":"medium"}`),
		"tool_choice", or(q.ToolChoice, `"auto"`), "tools", or(q.Tools, "[]"), "top_logprobs", 0, "top_p", or(q.TopP, "1.0"),
		"truncation", or(q.Truncation, `"disabled"`), "usage", used, "user", q.User, "metadata", or(q.Metadata, "{}"))
}

// item writes an output item; done says whether it is filled in.
func (x *exchange) item(it outputItem, done bool) raw {
	status, text, args := "in_progress", "", ""
	if done {
		status, text, args = "completed", it.text, it.call.args
	}
	switch it.kind {
	case "reasoning":
		summary := []raw{}
		if done {
			summary = []raw{o("type", "summary_text", "text", text)}
		}
		pairs := []any{"id", it.id, "type", "reasoning", "summary", summary}
		if it.sealed {
			pairs = append(pairs, "encrypted_content", sign(signedReasoning, it.id))
		}
		return o(pairs...)
	case "function_call":
		return o("id", it.id, "type", "function_call", "status", status, "arguments", args, "call_id", "call_"+it.call.id, "name", it.call.name)
	case "custom_tool_call":
		return o("id", it.id, "type", "custom_tool_call", "status", status, "call_id", "call_"+it.call.id, "input", args, "name", it.call.name)
	default:
		content := []raw{}
		if done {
			content = []raw{textPart(text)}
		}
		return o("id", it.id, "type", "message", "status", status, "content", content, "role", "assistant")
	}
}

func textPart(text string) raw {
	return o("type", "output_text", "annotations", []raw{}, "logprobs", []raw{}, "text", text)
}

// outputItem is an item of the answer.
type outputItem struct {
	kind, id, text string
	call           call
	sealed         bool // reasoning that the client asked to see sealed
}

// items lists what the answer consists of.
func (x *exchange) items(q *responsesRequest, a answer) []outputItem {
	var out []outputItem
	if a.reasoning != "" {
		out = append(out, outputItem{kind: "reasoning", id: x.id("rs_"), text: a.reasoning, sealed: slices.Contains(q.Include, "reasoning.encrypted_content")})
	}
	for i, c := range a.calls {
		it := outputItem{kind: "function_call", id: x.id("fc_") + "_" + strconv.Itoa(i), call: c}
		if c.custom {
			it.kind, it.id = "custom_tool_call", x.id("ctc_")+"_"+strconv.Itoa(i)
		}
		out = append(out, it)
	}
	if len(a.calls) == 0 {
		out = append(out, outputItem{kind: "message", id: x.id("msg_"), text: a.text})
	}
	return out
}

func (x *exchange) outputItems(q *responsesRequest, a answer) []raw {
	var out []raw
	for _, it := range x.items(q, a) {
		out = append(out, x.item(it, true))
	}
	return out
}

// responseStream numbers the events of a Responses stream.
type responseStream struct {
	x    *exchange
	q    *responsesRequest
	a    answer
	list []event
	seq  int
}

// add appends an event; its sequence number is dense.
func (s *responseStream) add(content bool, kind string, pairs ...any) {
	pairs = append([]any{"type", kind}, append(pairs, "sequence_number", s.seq)...)
	s.seq++
	s.list = append(s.list, event{name: kind, data: o(pairs...), content: content})
}

func (s *responseStream) events() []event {
	s.add(false, "response.created", "response", s.x.response(s.q, s.a, "in_progress", []raw{}, nil))
	s.add(false, "response.in_progress", "response", s.x.response(s.q, s.a, "in_progress", []raw{}, nil))
	for i, it := range s.x.items(s.q, s.a) {
		s.add(false, "response.output_item.added", "item", s.x.item(it, false), "output_index", i)
		switch it.kind {
		case "reasoning":
			s.reasoning(i, it)
		case "message":
			s.message(i, it)
		default:
			s.call(i, it)
		}
		s.add(false, "response.output_item.done", "item", s.x.item(it, true), "output_index", i)
	}
	status := responseStatus(s.a)
	s.add(false, "response."+status, "response", s.x.response(s.q, s.a, status, s.x.outputItems(s.q, s.a), nil))
	return s.list
}

func (s *responseStream) message(i int, it outputItem) {
	s.add(false, "response.content_part.added", "content_index", 0, "item_id", it.id, "output_index", i, "part", textPart(""))
	for _, p := range s.a.parts {
		s.add(true, "response.output_text.delta", "content_index", 0, "delta", p, "item_id", it.id, "logprobs", []raw{}, "output_index", i)
	}
	s.add(false, "response.output_text.done", "content_index", 0, "item_id", it.id, "logprobs", []raw{}, "output_index", i, "text", it.text)
	s.add(false, "response.content_part.done", "content_index", 0, "item_id", it.id, "output_index", i, "part", textPart(it.text))
}

func (s *responseStream) reasoning(i int, it outputItem) {
	where := []any{"item_id", it.id, "output_index", i, "summary_index", 0}
	with := func(more ...any) []any { return append(append([]any{}, where...), more...) }
	s.add(false, "response.reasoning_summary_part.added", with("part", o("type", "summary_text", "text", ""))...)
	for _, p := range pieces(it.text) {
		s.add(true, "response.reasoning_summary_text.delta", with("delta", p)...)
	}
	s.add(false, "response.reasoning_summary_text.done", with("text", it.text)...)
	s.add(false, "response.reasoning_summary_part.done", with("part", o("type", "summary_text", "text", it.text))...)
}

func (s *responseStream) call(i int, it outputItem) {
	kind, field := "response.function_call_arguments", "arguments"
	if it.call.custom {
		kind, field = "response.custom_tool_call_input", "input"
	}
	for _, p := range pieces(it.call.args) {
		s.add(true, kind+".delta", "delta", p, "item_id", it.id, "output_index", i)
	}
	s.add(false, kind+".done", field, it.call.args, "item_id", it.id, "output_index", i)
}

// failure is an error event and response.failed, as the API ends a stream that breaks.
func (s *responseStream) failure(after int) []event {
	const message = "The server had an error while processing your request. Sorry about that!"
	s.list, s.seq = nil, after
	s.add(false, "error", "error", o("type", "server_error", "code", "server_error", "message", message, "param", nil))
	s.add(false, "response.failed", "response", s.x.response(s.q, s.a, "failed", []raw{}, o("code", "server_error", "message", message)))
	return s.list
}
