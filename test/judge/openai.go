package judge

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// Description is an OpenAPI 3.1 document.
type Description struct {
	compiler *jsonschema.Compiler
	schemas  map[string]*jsonschema.Schema
}

const base = "https://description.invalid/api.json"

// ReadDescription reads a YAML or JSON document.
func ReadDescription(file string) (*Description, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if strings.HasSuffix(file, ".yaml") {
		if text, err = yaml.YAMLToJSON(text); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	clean(doc)
	d := &Description{compiler: jsonschema.NewCompiler(), schemas: map[string]*jsonschema.Schema{}}
	d.compiler.DefaultDraft(jsonschema.Draft2020)
	return d, d.compiler.AddResource(base, doc)
}

// clean removes what OpenAPI documents have beside JSON Schema.
func clean(v any) {
	switch v := v.(type) {
	case map[string]any:
		cleanSchema(v)
		for k := range maps.Clone(v) {
			if names, ok := v[k].(map[string]any); ok && (k == "properties" || k == "schemas") { // its keys are names
				for n := range names {
					clean(names[n])
				}
				continue
			}
			clean(v[k])
		}
	case []any:
		for _, e := range v {
			clean(e)
		}
	}
}

func cleanSchema(v map[string]any) {
	if v["nullable"] == true { // OpenAPI 3.0's way to say it
		orNull(v)
	}
	for _, k := range []string{"discriminator", "example", "examples", "format", "nullable", "$recursiveAnchor", "$recursiveRef"} {
		delete(v, k)
	}
	for _, k := range []string{"minimum", "maximum"} {
		if _, ok := v[k].(string); ok { // beyond what JSON numbers carry
			delete(v, k)
		}
	}
	// The forms of both documents overlap (an input message fits three), which
	// only a discriminator makes a choice of one.
	if forms, ok := v["oneOf"].([]any); ok && v["anyOf"] == nil {
		v["anyOf"] = forms
		delete(v, "oneOf")
	}
}

// orNull lets null through as well.
func orNull(v map[string]any) {
	if t, ok := v["type"].(string); ok {
		v["type"] = []any{t, "null"}
	}
	if list, ok := v["enum"].([]any); ok {
		v["enum"] = append(list, nil)
	}
}

// Judge validates text against components.schemas.NAME. The error is about the
// text or the description not being readable.
func (d *Description) Judge(name string, text []byte) (Verdict, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	schema := d.schemas[name]
	if schema == nil {
		if schema, err = d.compiler.Compile(base + "#/components/schemas/" + name); err != nil {
			return nil, err
		}
		d.schemas[name] = schema
	}
	return findings(schema.Validate(doc)), nil
}

// member returns the string member of a JSON object.
func member(text []byte, name string) string {
	var o map[string]json.RawMessage
	var s string
	if json.Unmarshal(text, &o) != nil || json.Unmarshal(o[name], &s) != nil {
		return ""
	}
	return s
}

// ChatEvent names the schema of an event of a Chat stream.
func ChatEvent(text []byte) string {
	var o struct{ Error json.RawMessage }
	if json.Unmarshal(text, &o) == nil && o.Error != nil {
		return "ErrorResponse"
	}
	return "CreateChatCompletionStreamResponse"
}

// OpenResponsesEvent names the schema of an event of the Open Responses
// description; empty for events that are not in it.
func OpenResponsesEvent(text []byte) string {
	known := map[string]string{
		"response.created": "ResponseCreatedStreamingEvent", "response.in_progress": "ResponseInProgressStreamingEvent",
		"response.completed": "ResponseCompletedStreamingEvent", "response.failed": "ResponseFailedStreamingEvent",
		"response.incomplete": "ResponseIncompleteStreamingEvent", "response.output_item.added": "ResponseOutputItemAddedStreamingEvent",
		"response.output_item.done": "ResponseOutputItemDoneStreamingEvent", "response.content_part.added": "ResponseContentPartAddedStreamingEvent",
		"response.content_part.done": "ResponseContentPartDoneStreamingEvent", "response.output_text.delta": "ResponseOutputTextDeltaStreamingEvent",
		"response.output_text.done": "ResponseOutputTextDoneStreamingEvent", "response.refusal.delta": "ResponseRefusalDeltaStreamingEvent",
		"response.refusal.done":                  "ResponseRefusalDoneStreamingEvent",
		"response.reasoning_summary_part.added":  "ResponseReasoningSummaryPartAddedStreamingEvent",
		"response.reasoning_summary_part.done":   "ResponseReasoningSummaryPartDoneStreamingEvent",
		"response.reasoning_summary_text.delta":  "ResponseReasoningSummaryDeltaStreamingEvent",
		"response.reasoning_summary_text.done":   "ResponseReasoningSummaryDoneStreamingEvent",
		"response.output_text.annotation.added":  "ResponseOutputTextAnnotationAddedStreamingEvent",
		"response.function_call_arguments.delta": "ResponseFunctionCallArgumentsDeltaStreamingEvent",
		"response.function_call_arguments.done":  "ResponseFunctionCallArgumentsDoneStreamingEvent",
		"error":                                  "ErrorStreamingEvent",
	}
	return known[member(text, "type")]
}
