// Package judge holds what the gateway writes against the vendors' own
// descriptions: OpenAI's and Open Responses' OpenAPI documents, Anthropic's
// official Go SDK, Google's protobuf types. It is a module of its own because
// those are large. The OpenAPI documents are not part of this project: the
// judge reads them from TOLLGATE_SHARED where they are present.
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

// Verdict is what a judge finds. Failures are wrong types and values outside of
// closed lists; warnings are members that the description requires and that
// are left out.
type Verdict struct{ Failures, Warnings []string }

// Description is an OpenAPI 3.1 document.
type Description struct {
	strict, loose *jsonschema.Compiler
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
	d := &Description{strict: jsonschema.NewCompiler(), loose: jsonschema.NewCompiler()}
	for _, c := range []*jsonschema.Compiler{d.strict, d.loose} {
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return nil, err
		}
		clean(doc, c == d.loose)
		c.DefaultDraft(jsonschema.Draft2020)
		if err := c.AddResource(base, doc); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// clean removes what OpenAPI documents have beside JSON Schema and, if loose is
// set, every required member that does not discriminate.
func clean(v any, loose bool) {
	switch v := v.(type) {
	case map[string]any:
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
		if list, ok := v["required"].([]any); ok && loose {
			v["required"] = only(list, "type", "role", "object")
		}
		for k := range maps.Clone(v) {
			if names, ok := v[k].(map[string]any); ok && (k == "properties" || k == "schemas") { // its keys are names
				for n := range names {
					clean(names[n], loose)
				}
				continue
			}
			clean(v[k], loose)
		}
	case []any:
		for _, e := range v {
			clean(e, loose)
		}
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

func only(list []any, names ...string) []any {
	kept := []any{}
	for _, e := range list {
		for _, n := range names {
			if e == n {
				kept = append(kept, e)
			}
		}
	}
	return kept
}

// Judge validates text against components.schemas.NAME.
func (d *Description) Judge(name string, text []byte) (Verdict, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return Verdict{}, err
	}
	at := base + "#/components/schemas/" + name
	strict, err := d.strict.Compile(at)
	if err != nil {
		return Verdict{}, err
	}
	why := strict.Validate(doc)
	if why == nil {
		return Verdict{}, nil
	}
	loose, err := d.loose.Compile(at)
	if err != nil {
		return Verdict{}, err
	}
	if err := loose.Validate(doc); err != nil {
		return Verdict{Failures: []string{shorten(err)}}, nil
	}
	return Verdict{Warnings: []string{shorten(why)}}, nil
}

// shorten keeps the lines of a validation error that are about a place.
func shorten(err error) string {
	lines := strings.Split(err.Error(), "\n")
	return strings.Join(lines[:min(len(lines), 14)], "\n")
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
