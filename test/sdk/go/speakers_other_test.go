package sdk_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"google.golang.org/genai"
)

// checkVectors fails unless two vectors are the same, up to rounding.
func checkVectors(t *testing.T, a, b []float64) {
	t.Helper()
	if len(a) == 0 || len(a) != len(b) {
		t.Fatalf("%d and %d dimensions", len(a), len(b))
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-6 {
			t.Fatalf("dimension %d is %v and %v", i, a[i], b[i])
		}
	}
}

func anthropicSpeaker() speaker {
	params := func(q question) anthropic.MessageNewParams {
		p := tell(q.text)
		p.Model = q.model
		if q.image {
			p.Messages[0].Content = append(p.Messages[0].Content, anthropic.NewImageBlockBase64("image/png", picture))
		}
		if q.tools {
			p = withTool(p, anthropic.ToolChoiceUnionParam{})
		}
		if q.schema {
			p.OutputConfig = anthropic.OutputConfigParam{Format: anthropic.JSONOutputFormatParam{Schema: answerSchema()}}
		}
		return p
	}
	return speaker{
		name: "anthropic",
		say: func(t *testing.T, q question) (reply, error) {
			t.Helper()
			return sayMessage(t, params(q), q.stream)
		},
		status: func(err error) int {
			if e, ok := errors.AsType[*anthropic.Error](err); ok {
				return e.StatusCode
			}
			return 0
		},
		count: func(t *testing.T, q question) (int64, error) {
			t.Helper()
			client, p := anthropicClient(t), params(q)
			n, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: p.Model, Messages: p.Messages})
			if err != nil {
				return 0, err
			}
			return n.InputTokens, nil
		},
	}
}

func sayMessage(t *testing.T, params anthropic.MessageNewParams, stream bool) (reply, error) {
	t.Helper()
	client := anthropicClient(t)
	whole := &anthropic.Message{}
	var err error
	if stream {
		s := client.Messages.NewStreaming(t.Context(), params)
		for s.Next() {
			if err := whole.Accumulate(s.Current()); err != nil {
				return reply{}, err
			}
		}
		err = s.Err()
	} else {
		whole, err = client.Messages.New(t.Context(), params)
	}
	if err != nil {
		return reply{}, err
	}
	r := reply{text: text(whole), input: whole.Usage.InputTokens, output: whole.Usage.OutputTokens}
	for _, b := range whole.Content {
		if b.Type == "tool_use" {
			r.calls = append(r.calls, call{b.ID, b.Name, string(b.Input)})
		}
	}
	r.done = whole.StopReason == map[bool]anthropic.StopReason{true: "tool_use", false: "end_turn"}[len(r.calls) > 0]
	r.next = func(results []string) (reply, error) {
		var blocks []anthropic.ContentBlockParamUnion
		for i, c := range r.calls {
			blocks = append(blocks, anthropic.NewToolResultBlock(c.id, results[i], false))
		}
		params.Messages = append(params.Messages, whole.ToParam(), anthropic.NewUserMessage(blocks...))
		return sayMessage(t, params, stream)
	}
	return r, nil
}

func geminiSpeaker() speaker {
	return speaker{
		name: "genai",
		say: func(t *testing.T, q question) (reply, error) {
			t.Helper()
			contents := genai.Text(q.text)
			if q.image {
				b, err := base64.StdEncoding.DecodeString(picture)
				if err != nil {
					t.Fatal(err)
				}
				contents[0].Parts = append(contents[0].Parts, genai.NewPartFromBytes(b, "image/png"))
			}
			config := &genai.GenerateContentConfig{}
			if q.tools {
				config = geminiTools(genai.FunctionCallingConfigModeAuto)
			}
			if q.schema {
				config.ResponseMIMEType, config.ResponseJsonSchema = "application/json", answerSchema()
			}
			return sayContent(t, q.model, contents, config, q.stream)
		},
		status: func(err error) int {
			if e, ok := errors.AsType[genai.APIError](err); ok {
				return e.Code
			}
			return 0
		},
		count: func(t *testing.T, q question) (int64, error) {
			t.Helper()
			n, err := geminiClient(t).Models.CountTokens(t.Context(), q.model, genai.Text(q.text), nil)
			if err != nil {
				return 0, err
			}
			return int64(n.TotalTokens), nil
		},
	}
}

func sayContent(t *testing.T, model string, contents []*genai.Content, config *genai.GenerateContentConfig, stream bool) (reply, error) {
	t.Helper()
	models := geminiClient(t).Models
	var r reply
	said := &genai.Content{Role: genai.RoleModel}
	take := func(answer *genai.GenerateContentResponse) {
		for _, c := range answer.Candidates {
			r.done = r.done || c.FinishReason == genai.FinishReasonStop
			for _, p := range c.Content.Parts {
				if p.Text != "" || p.FunctionCall != nil { // the SDK would write an empty text as no text at all
					said.Parts = append(said.Parts, p)
				}
			}
		}
		if u := answer.UsageMetadata; u != nil {
			r.input, r.output = int64(u.PromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount)
		}
		r.text += answer.Text()
		for _, c := range answer.FunctionCalls() {
			args, err := json.Marshal(c.Args)
			if err != nil {
				t.Fatal(err)
			}
			r.calls = append(r.calls, call{c.ID, c.Name, string(args)})
		}
	}
	if stream {
		for answer, err := range models.GenerateContentStream(t.Context(), model, contents, config) {
			if err != nil {
				return r, err
			}
			take(answer)
		}
	} else {
		answer, err := models.GenerateContent(t.Context(), model, contents, config)
		if err != nil {
			return r, err
		}
		take(answer)
	}
	r.next = func(results []string) (reply, error) {
		back := &genai.Content{Role: genai.RoleUser}
		for i, c := range r.calls {
			var response map[string]any
			if err := json.Unmarshal([]byte(results[i]), &response); err != nil {
				t.Fatal(err)
			}
			back.Parts = append(back.Parts, &genai.Part{FunctionResponse: &genai.FunctionResponse{ID: c.id, Name: c.name, Response: response}})
		}
		return sayContent(t, model, append(contents, said, back), config, stream)
	}
	return r, nil
}

func TestGeminiEmbedsWithOpenAI(t *testing.T) {
	var floats [2][]float64
	for i, provider := range []string{"demo-chat", "demo-gemini"} {
		contents := append(genai.Text("a tollgate"), genai.Text("a bridge")...)
		answer, err := geminiClient(t).Models.EmbedContent(t.Context(), provider+"/"+embedModel, contents, nil)
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Embeddings) != 2 {
			t.Fatalf("%s: %d embeddings", provider, len(answer.Embeddings))
		}
		for _, x := range answer.Embeddings[1].Values {
			floats[i] = append(floats[i], float64(x))
		}
	}
	checkVectors(t, floats[0], floats[1])
}
