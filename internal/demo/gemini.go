package demo

import (
	"encoding/json"
	"slices"
	"strings"
)

// geminiRequest is what is read of a generateContent request, also inside
// countTokens.
type geminiRequest struct {
	Contents          []geminiContent `json:"contents"`
	SystemInstruction geminiContent   `json:"systemInstruction"`
	Tools             []struct {
		FunctionDeclarations []struct {
			Name                 string `json:"name"`
			Description          string `json:"description"`
			Parameters           raw    `json:"parameters"`
			ParametersJSONSchema raw    `json:"parametersJsonSchema"`
		} `json:"functionDeclarations"`
	} `json:"tools"`
	ToolConfig struct {
		FunctionCallingConfig struct {
			Mode    string   `json:"mode"`
			Allowed []string `json:"allowedFunctionNames"`
		} `json:"functionCallingConfig"`
	} `json:"toolConfig"`
	GenerationConfig struct {
		MaxOutputTokens    int64    `json:"maxOutputTokens"`
		StopSequences      []string `json:"stopSequences"`
		ResponseMIMEType   string   `json:"responseMimeType"`
		ResponseSchema     raw      `json:"responseSchema"`
		ResponseJSONSchema raw      `json:"responseJsonSchema"`
	} `json:"generationConfig"`
	GenerateContentRequest *geminiRequest `json:"generateContentRequest"`
}

type geminiContent struct {
	Role  string `json:"role"`
	Parts []struct {
		Text         string `json:"text"`
		FunctionCall *struct {
			Name string `json:"name"`
			Args raw    `json:"args"`
		} `json:"functionCall"`
		FunctionResponse *struct {
			Name     string `json:"name"`
			Response raw    `json:"response"`
		} `json:"functionResponse"`
	} `json:"parts"`
}

func (c geminiContent) text() string {
	var texts []string
	for _, p := range c.Parts {
		if p.Text != "" {
			texts = append(texts, p.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func (q *geminiRequest) prompt(model string) *prompt {
	g, fc := q.GenerationConfig, q.ToolConfig.FunctionCallingConfig
	p := &prompt{model: model, stop: g.StopSequences, maxOutput: g.MaxOutputTokens}
	mode := strings.ToUpper(fc.Mode)
	p.choice = choice{none: mode == "NONE", force: mode == "ANY"}
	if mode == "ANY" && len(fc.Allowed) > 0 {
		p.choice.name = fc.Allowed[0]
	}
	p.add(q.SystemInstruction.text())
	for _, c := range merged(q.Contents) {
		p.geminiTurn(c)
	}
	for _, t := range q.Tools {
		for _, f := range t.FunctionDeclarations {
			p.offer(tool{name: f.Name, description: f.Description, schema: or(f.ParametersJSONSchema, string(f.Parameters))})
		}
	}
	if g.ResponseMIMEType == "application/json" {
		p.schema = or(or(g.ResponseJSONSchema, string(g.ResponseSchema)), `{"type":"object","properties":{"answer":{"type":"string"}}}`)
	}
	return p
}

// merged joins contents of one role that follow each other: they are one turn.
func merged(contents []geminiContent) []geminiContent {
	var out []geminiContent
	for _, c := range contents {
		if n := len(out) - 1; n >= 0 && (out[n].Role == "model") == (c.Role == "model") {
			out[n].Parts = append(slices.Clip(out[n].Parts), c.Parts...)
			continue
		}
		out = append(out, c)
	}
	return out
}

func (p *prompt) geminiTurn(c geminiContent) {
	p.results, p.resultsOf = nil, nil
	for _, part := range c.Parts {
		p.add(part.Text)
		if part.FunctionCall != nil {
			p.add(string(part.FunctionCall.Args))
		}
		if part.FunctionResponse != nil {
			text := string(part.FunctionResponse.Response)
			p.add(text)
			p.results = append(p.results, text)
			p.resultsOf = append(p.resultsOf, part.FunctionResponse.Name)
		}
	}
	if text := c.text(); c.Role != "model" && text != "" {
		p.last, p.media = text, 0
		for _, part := range c.Parts {
			if part.Text == "" && part.FunctionResponse == nil {
				p.media++
			}
		}
	}
}

// gemini answers POST /models/{model}:{verb}.
func (x *exchange) gemini(model, verb string) {
	model = strings.TrimPrefix(model, "models/")
	switch verb {
	case "embedContent", "batchEmbedContents":
		x.geminiEmbed(model, verb == "batchEmbedContents")
		return
	case "generateContent", "streamGenerateContent", "countTokens":
	default:
		x.fail(404, "", "Method "+verb+" not found.")
		return
	}
	var q geminiRequest
	if !x.decode(&q) || !x.model(model, false) {
		return
	}
	body := x.parsed()
	if q.GenerateContentRequest != nil {
		q, body = *q.GenerateContentRequest, body.object("generateContentRequest")
	}
	if len(q.Contents) == 0 {
		x.fail(400, "", "* GenerateContentRequest.contents: contents is not specified")
		return
	}
	if !x.pass(checkGemini(model, body)) {
		return
	}
	a := x.answer(q.prompt(model))
	if !x.begin() {
		return
	}
	switch verb {
	case "countTokens":
		x.reply(o("totalTokens", a.usage.input, "promptTokensDetails", textTokens(a.usage.input)))
	case "generateContent":
		x.reply(x.candidate(model, geminiParts(a), geminiFinish(a.stop), a.usage))
	default:
		f := frameArray
		if x.query().Get("alt") == "sse" {
			f = frameCRLF
		}
		x.stream(x.geminiEvents(model, a), f, func(int) []event { return []event{{data: x.streamError()}} })
	}
}

func textTokens(n int64) []raw { return []raw{o("modality", "TEXT", "tokenCount", n)} }

// geminiUsage counts as this vendor does: candidates without thoughts.
func geminiUsage(u usage) raw {
	pairs := []any{"promptTokenCount", u.input, "candidatesTokenCount", u.output - u.reasoning, "totalTokenCount", u.input + u.output}
	if u.cached > 0 {
		pairs = append(pairs, "cachedContentTokenCount", u.cached)
	}
	pairs = append(pairs, "promptTokensDetails", textTokens(u.input))
	if u.reasoning > 0 {
		pairs = append(pairs, "thoughtsTokenCount", u.reasoning)
	}
	return o(pairs...)
}

func geminiFinish(s stopReason) string {
	switch s {
	case stopLength:
		return "MAX_TOKENS"
	case stopFilter:
		return "SAFETY"
	case stopEnd, stopTools, stopSequence:
	}
	return "STOP"
}

// candidate writes one GenerateContentResponse; finish "" leaves the reason out.
func (x *exchange) candidate(model string, parts []raw, finish string, u usage) raw {
	c := []any{"content", o("parts", parts, "role", "model")}
	if finish != "" {
		c = append(c, "finishReason", finish)
	}
	c = append(c, "index", 0)
	pairs := []any{"candidates", []raw{o(c...)}}
	if !x.d.noUsage {
		pairs = append(pairs, "usageMetadata", geminiUsage(u))
	}
	return o(append(pairs, "modelVersion", model, "responseId", x.id(""))...)
}

func geminiParts(a answer) []raw {
	var parts []raw
	if a.reasoning != "" {
		parts = append(parts, o("text", a.reasoning, "thought", true))
	}
	parts = append(parts, callParts(a.calls)...)
	if len(a.calls) == 0 {
		parts = append(parts, o("text", a.text))
	}
	return parts
}

// callParts writes the calls whole; only the first carries a signature.
func callParts(calls []call) []raw {
	var parts []raw
	for i, c := range calls {
		pairs := []any{"functionCall", o("name", c.name, "args", or(raw(c.args), "{}"))}
		if i == 0 {
			pairs = append(pairs, "thoughtSignature", sign(signedCall, c.name))
		}
		parts = append(parts, o(pairs...))
	}
	return parts
}

// geminiEvents: each event is a full response, usage grows with it, the last
// one has the finish reason; there is no terminator.
func (x *exchange) geminiEvents(model string, a answer) []event {
	var events []event
	u := a.usage
	u.output, u.reasoning = 0, 0
	add := func(part raw) {
		events = append(events, event{data: x.candidate(model, []raw{part}, "", u), content: true})
	}
	for _, p := range pieces(a.reasoning) {
		u.output, u.reasoning = u.output+1, u.reasoning+1
		add(o("text", p, "thought", true))
	}
	for _, p := range a.parts {
		u.output++
		add(o("text", p))
	}
	u = a.usage
	if calls := callParts(a.calls); len(calls) > 0 {
		events = append(events, event{data: x.candidate(model, calls, "", u), content: true})
	}
	return append(events, event{data: x.candidate(model, []raw{o("text", "")}, geminiFinish(a.stop), u)})
}

// geminiEmbed answers :embedContent and :batchEmbedContents.
func (x *exchange) geminiEmbed(model string, batch bool) {
	type embedRequest struct {
		Content geminiContent `json:"content"`
		Size    int           `json:"outputDimensionality"`
	}
	var q struct {
		embedRequest
		Requests []embedRequest `json:"requests"`
	}
	if !x.decode(&q) || !x.model(model, true) {
		return
	}
	if !batch {
		q.Requests = []embedRequest{q.embedRequest}
	}
	var texts []string
	var vectors []raw
	for _, r := range q.Requests {
		text := r.Content.text()
		texts = append(texts, text)
		vectors = append(vectors, o("values", vector(text, r.Size)))
	}
	n := x.embedTokens(texts)
	if !x.begin() {
		return
	}
	used := o("promptTokenCount", n, "promptTokenDetails", textTokens(n))
	switch {
	case batch:
		x.reply(o("embeddings", slices.Clip(vectors), "usageMetadata", used))
	default:
		x.reply(o("embedding", vectors[0], "usageMetadata", used))
	}
}

// stringOrList reads a string or a list of strings, or lists of token numbers
// as one text per list.
func stringOrList(v raw) []string {
	if texts := stopList(v); len(texts) > 0 {
		return texts
	}
	var lists [][]int64
	if json.Unmarshal(v, &lists) == nil {
		texts := make([]string, len(lists))
		for i, l := range lists {
			texts[i] = strings.TrimSpace(strings.Repeat("token ", len(l)))
		}
		return texts
	}
	var tokens []int64
	if json.Unmarshal(v, &tokens) == nil && len(tokens) > 0 {
		return []string{strings.TrimSpace(strings.Repeat("token ", len(tokens)))}
	}
	return nil
}
