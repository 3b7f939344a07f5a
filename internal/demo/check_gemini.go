package demo

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
)

const (
	geminiMembers = `model contents systemInstruction tools toolConfig safetySettings generationConfig cachedContent labels serviceTier store
		generateContentRequest`
	geminiGeneration = `stopSequences responseMimeType responseSchema responseJsonSchema responseModalities candidateCount maxOutputTokens
		temperature topP topK seed presencePenalty frequencyPenalty responseLogprobs logprobs enableEnhancedCivicAnswers speechConfig
		thinkingConfig mediaResolution imageConfig audioTimestamp routingConfig`
	geminiPart = `text inlineData fileData functionCall functionResponse executableCode codeExecutionResult thought thoughtSignature
		videoMetadata partMetadata mediaResolution toolCall toolResponse`
	geminiSchema = `type format title description nullable enum items minItems maxItems minProperties maxProperties minLength maxLength
		minimum maximum pattern properties required anyOf propertyOrdering default example`
	// skipValidator is the documented stand-in for a signature of another model.
	skipValidator = "skip_thought_signature_validator"
)

// camel returns the camelCase spelling of a name; both are accepted.
func camel(name string) string {
	parts := strings.Split(name, "_")
	for i := 1; i < len(parts); i++ {
		if parts[i] != "" {
			parts[i] = strings.ToUpper(parts[i][:1]) + parts[i][1:]
		}
	}
	return strings.Join(parts, "")
}

func (c *checker) known(m object, names, at string) {
	for _, k := range m.keys() {
		if !slices.Contains(words(names), camel(k)) {
			where := ""
			if at != "" {
				where = " at '" + at + "'"
			}
			c.wrong("", "Invalid JSON payload received. Unknown name \"%s\"%s: Cannot find field.", k, where)
		}
	}
}

// checkGemini judges a generateContent request.
func checkGemini(model string, q object) *checker {
	c := &checker{}
	c.known(q, geminiMembers, "")
	g := q.object("generationConfig")
	c.known(g, geminiGeneration, "generation_config")
	if t, ok := g.number("temperature"); ok && (t < 0 || t > 2) {
		c.wrong("", "* GenerateContentRequest.generation_config.temperature: must be in the range [0, 2]")
	}
	if n := len(anyList(g["stopSequences"])); n > 5 {
		c.wrong("", "* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed, got %d", n)
	}
	if g.has("responseSchema") {
		c.geminiSchema(g.object("responseSchema"), "generation_config.response_schema")
	}
	if (g.has("responseSchema") || g.has("responseJsonSchema")) && !strings.HasSuffix(g.text("responseMimeType"), "json") && g.text("responseMimeType") != "text/x.enum" {
		c.wrong("", "* GenerateContentRequest.generation_config.response_schema: only allowed with response_mime_type application/json")
	}
	c.geminiTools(q)
	c.geminiTurns(model, q.list("contents"))
	return c
}

func (c *checker) geminiTools(q object) {
	for i, t := range q.list("tools") {
		for k, f := range t.list("functionDeclarations") {
			at := fmt.Sprintf("tools[%d].function_declarations[%d]", i, k)
			c.known(f, "name description parameters parametersJsonSchema response responseJsonSchema behavior", at)
			if !matches(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$`, f.text("name")) {
				c.wrong("", "* GenerateContentRequest.%s.name: [FIELD_INVALID] Invalid function name. Must start with a letter or an underscore.", at)
			}
			if f.has("parameters") {
				c.geminiSchema(f.object("parameters"), at+".parameters")
			}
		}
	}
	fc := q.object("toolConfig").object("functionCallingConfig")
	mode := strings.ToUpper(fc.text("mode"))
	if len(anyList(fc["allowedFunctionNames"])) > 0 && mode != "ANY" && mode != "VALIDATED" {
		c.wrong("", "Please set allowed_function_names only when function calling mode is ANY.")
	}
}

func (c *checker) geminiSchema(s object, at string) {
	c.known(s, geminiSchema, at)
	for _, name := range s.object("properties").keys() {
		c.geminiSchema(s.object("properties").object(name), at+".properties["+name+"]")
	}
	if s.has("items") {
		c.geminiSchema(s.object("items"), at+".items")
	}
	for i, alternative := range s.list("anyOf") {
		c.geminiSchema(alternative, fmt.Sprintf("%s.any_of[%d]", at, i))
	}
}

// geminiTurns judges the conversation: roles, parts, and that calls and
// responses come in pairs of turns.
func (c *checker) geminiTurns(model string, contents []object) {
	calls := -1 // of the turn before
	last := lastUserText(contents)
	for i, content := range contents {
		at := fmt.Sprintf("contents[%d]", i)
		role, parts := content.text("role"), content.list("parts")
		if !slices.Contains([]string{"", "user", "model", "function"}, role) {
			c.wrong("", "Please use a valid role: user, model.")
		}
		if len(parts) == 0 {
			c.wrong("", "* GenerateContentRequest.%s.parts: contents.parts must not be empty.", at)
		}
		made, answered := 0, 0
		for k, p := range parts {
			c.geminiPart(p, fmt.Sprintf("%s.parts[%d]", at, k))
			if p.has("functionCall") {
				made++
			}
			if p.has("functionResponse") {
				answered++
			}
		}
		switch {
		case made > 0 && role != "model":
			c.wrong("", "Function call parts are only allowed in turns of the model.")
		case made > 0 && i > 0 && contents[i-1].text("role") == "model":
			c.wrong("", "Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
		case answered > 0 && calls <= 0:
			c.wrong("", "Please ensure that function response turn comes immediately after a function call turn.")
		case calls > 0 && answered != calls:
			c.wrong("", "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
		}
		if made > 0 && i > last && strings.Contains(model, "gemini-3") {
			c.geminiSigned(parts, at)
		}
		calls = made
	}
	if calls > 0 {
		c.wrong("", "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
}

// lastUserText is where the current turn begins.
func lastUserText(contents []object) int {
	for i, content := range slices.Backward(contents) {
		for _, p := range content.list("parts") {
			if content.text("role") != "model" && p.text("text") != "" {
				return i
			}
		}
	}
	return -1
}

// geminiSigned wants the signature on the first call of a step.
func (c *checker) geminiSigned(parts []object, at string) {
	for k, p := range parts {
		if p.has("functionCall") {
			if p.text("thoughtSignature") == "" {
				c.wrong("", "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly, and missing thought_signature may lead to degraded model performance. Additional data, function call `%s`, position %d of %s.", p.object("functionCall").text("name"), k+1, at)
			}
			return
		}
	}
}

func (c *checker) geminiPart(p object, at string) {
	c.known(p, geminiPart, at)
	data := 0
	for _, name := range []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult", "toolCall", "toolResponse"} {
		if p.has(name) {
			data++
		}
	}
	switch {
	case data != 1 && !p.has("thoughtSignature"), data > 1:
		c.wrong("", "* GenerateContentRequest.%s.data: required oneof field 'data' must have one initialized field", at)
	case p.has("functionResponse"):
		c.geminiResponse(p.object("functionResponse"), at)
	case p.has("functionCall"):
		f := p.object("functionCall")
		if _, ok := f["args"].(map[string]any); f.has("args") && !ok {
			c.wrong("", "Invalid value at '%s.function_call.args' (type.googleapis.com/google.protobuf.Struct)", at)
		}
	case p.has("inlineData"):
		d := p.object("inlineData")
		if _, err := base64.StdEncoding.DecodeString(d.text("data")); err != nil || d.text("mimeType") == "" {
			c.wrong("", "* GenerateContentRequest.%s.inline_data: mime_type and base64 data are required", at)
		}
	case p.has("fileData"):
		uri := p.object("fileData").text("fileUri")
		if !strings.HasPrefix(uri, "gs://") && !strings.HasPrefix(uri, "https://generativelanguage.googleapis.com/") && !strings.HasPrefix(uri, "https://www.youtube.com/") {
			c.wrong("", "Unsupported file URI type: %s. File URI must be a File API (i.e. https://generativelanguage.googleapis.com/files/<id>), Youtube (i.e. https://www.youtube.com/watch?v=<id>), or Google Cloud Storage (i.e. gs://path/to/file) URI.", uri)
		}
	}
	if seal := p.text("thoughtSignature"); seal != "" && !skips(seal) && !signedBy(seal, signedCall) {
		c.wrong("", "Thought signature is not valid")
	}
}

// skips recognises the stand-in, bare or as the bytes field that it is.
func skips(seal string) bool {
	return seal == skipValidator || seal == base64.StdEncoding.EncodeToString([]byte(skipValidator))
}

func (c *checker) geminiResponse(f object, at string) {
	if f.text("name") == "" {
		c.wrong("", "* GenerateContentRequest.%s.function_response.name: Name cannot be empty.", at)
	}
	if _, ok := f["response"].(map[string]any); !ok {
		c.wrong("", "Invalid value at '%s.function_response.response' (type.googleapis.com/google.protobuf.Struct)", at)
	}
}
