package sdk_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"google.golang.org/genai"
)

func geminiClient(t *testing.T) *genai.Client {
	t.Helper()
	url, key := gateway(t)
	return geminiWith(t, url, key, "")
}

func geminiWith(t *testing.T, url, key, version string) *genai.Client {
	t.Helper()
	client, err := genai.NewClient(t.Context(), &genai.ClientConfig{
		APIKey: key, Backend: genai.BackendGeminiAPI,
		HTTPOptions: genai.HTTPOptions{BaseURL: url, APIVersion: version},
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func geminiTools(mode genai.FunctionCallingConfigMode) *genai.GenerateContentConfig {
	return &genai.GenerateContentConfig{
		Tools: []*genai.Tool{{FunctionDeclarations: []*genai.FunctionDeclaration{{
			Name: toolName, Description: toolText, ParametersJsonSchema: toolSchema(),
		}}}},
		ToolConfig: &genai.ToolConfig{FunctionCallingConfig: &genai.FunctionCallingConfig{Mode: mode}},
	}
}

func checkGeminiUsage(t *testing.T, u *genai.GenerateContentResponseUsageMetadata) {
	t.Helper()
	if u == nil {
		t.Error("the answer carries no usage")
		return
	}
	checkUsage(t, int64(u.PromptTokenCount), int64(u.CandidatesTokenCount+u.ThoughtsTokenCount), int64(u.TotalTokenCount))
}

func checkGeminiCall(t *testing.T, call *genai.FunctionCall) {
	t.Helper()
	args, err := json.Marshal(call.Args)
	if err != nil {
		t.Fatal(err)
	}
	checkCall(t, call.Name, string(args))
}

func TestGeminiListsModels(t *testing.T) {
	var names []string
	for m, err := range geminiClient(t).Models.All(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, m.Name)
	}
	if !slices.Contains(names, "models/"+chatModel) {
		t.Errorf("models/%s is not in %v", chatModel, names)
	}
}

func TestGeminiGenerates(t *testing.T) {
	url, key := gateway(t)
	for _, version := range []string{"v1beta", "v1"} {
		t.Run(version, func(t *testing.T) {
			answer, err := geminiWith(t, url, key, version).Models.GenerateContent(t.Context(), chatModel, genai.Text("Say hello."), nil)
			if err != nil {
				t.Fatal(err)
			}
			if answer.Text() == "" || answer.Candidates[0].FinishReason != genai.FinishReasonStop {
				t.Errorf("answer is %+v", answer.Candidates)
			}
			checkGeminiUsage(t, answer.UsageMetadata)
		})
	}
}

func TestGeminiStreams(t *testing.T) {
	var text strings.Builder
	var last *genai.GenerateContentResponse
	events := 0
	for event, err := range geminiClient(t).Models.GenerateContentStream(t.Context(), chatModel, genai.Text("Count to five."), nil) {
		if err != nil {
			t.Fatal(err)
		}
		text.WriteString(event.Text())
		last = event
		events++
	}
	if events < 2 || text.Len() == 0 || last.Candidates[0].FinishReason != genai.FinishReasonStop {
		t.Fatalf("%d events, text %q", events, text.String())
	}
	checkGeminiUsage(t, last.UsageMetadata)
}

func TestGeminiCallsAFunction(t *testing.T) {
	client := geminiClient(t)
	contents := genai.Text(toolQuestion)
	first, err := client.Models.GenerateContent(t.Context(), chatModel, contents, geminiTools(genai.FunctionCallingConfigModeAny))
	if err != nil {
		t.Fatal(err)
	}
	var result map[string]any
	if err := json.Unmarshal([]byte(toolAnswer), &result); err != nil {
		t.Fatal(err)
	}
	results := &genai.Content{Role: genai.RoleUser}
	for _, call := range first.FunctionCalls() {
		checkGeminiCall(t, call)
		results.Parts = append(results.Parts, &genai.Part{
			FunctionResponse: &genai.FunctionResponse{ID: call.ID, Name: call.Name, Response: result},
		})
	}
	if results.Parts == nil {
		t.Fatalf("no function was called: %+v", first.Candidates)
	}
	contents = append(contents, first.Candidates[0].Content, results)
	second, err := client.Models.GenerateContent(t.Context(), chatModel, contents, geminiTools(genai.FunctionCallingConfigModeAuto))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.Text(), toolDetail) || len(second.FunctionCalls()) > 0 {
		t.Errorf("the result was not taken: %+v", second.Candidates)
	}
	if second.UsageMetadata.PromptTokenCount <= first.UsageMetadata.PromptTokenCount {
		t.Errorf("the second turn counts %d tokens, the first %d", second.UsageMetadata.PromptTokenCount, first.UsageMetadata.PromptTokenCount)
	}
}

func TestGeminiStreamsAFunctionCall(t *testing.T) {
	var calls []*genai.FunctionCall
	config := geminiTools(genai.FunctionCallingConfigModeAny)
	for event, err := range geminiClient(t).Models.GenerateContentStream(t.Context(), chatModel, genai.Text(toolQuestion), config) {
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, event.FunctionCalls()...)
	}
	if len(calls) == 0 {
		t.Fatal("no function was called")
	}
	checkGeminiCall(t, calls[0])
}

func TestGeminiCountsTokens(t *testing.T) {
	client := geminiClient(t)
	contents := genai.Text("How many tokens is this?")
	count, err := client.Models.CountTokens(t.Context(), chatModel, contents, nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Models.GenerateContent(t.Context(), chatModel, contents, nil)
	if err != nil {
		t.Fatal(err)
	}
	if count.TotalTokens != answer.UsageMetadata.PromptTokenCount {
		t.Errorf("counted %d tokens, the answer says %d", count.TotalTokens, answer.UsageMetadata.PromptTokenCount)
	}
}

func TestGeminiEmbeds(t *testing.T) {
	contents := append(genai.Text("a tollgate"), genai.Text("a bridge")...)
	answer, err := geminiClient(t).Models.EmbedContent(t.Context(), embedModel, contents, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Embeddings) != 2 || len(answer.Embeddings[0].Values) == 0 || slices.Equal(answer.Embeddings[0].Values, answer.Embeddings[1].Values) {
		t.Errorf("got %d embeddings", len(answer.Embeddings))
	}
}

func TestGeminiErrors(t *testing.T) {
	url, key := gateway(t)
	cases := map[string]struct {
		key, model, status string
		code               int
	}{
		"unknown key":   {wrongKey(key), chatModel, "UNAUTHENTICATED", 401},
		"unknown model": {key, "no-such-model", "NOT_FOUND", 404},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := geminiWith(t, url, c.key, "").Models.GenerateContent(t.Context(), c.model, genai.Text("hello"), nil)
			var apiErr genai.APIError
			if !errors.As(err, &apiErr) {
				t.Fatalf("error is %v", err)
			}
			if apiErr.Code != c.code || apiErr.Status != c.status || apiErr.Message == "" {
				t.Errorf("error is %+v", apiErr)
			}
		})
	}
}
