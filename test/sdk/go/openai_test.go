package sdk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
)

func openaiClient(t *testing.T) openai.Client {
	t.Helper()
	url, key := gateway(t)
	return openaiWith(url, key)
}

func openaiWith(url, key string) openai.Client {
	return openai.NewClient(option.WithBaseURL(url+"/v1"), option.WithAPIKey(key), option.WithMaxRetries(0))
}

func ask(text string) openai.ChatCompletionNewParams {
	return openai.ChatCompletionNewParams{
		Model:    chatModel,
		Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage(text)},
	}
}

func chatTools() []openai.ChatCompletionToolUnionParam {
	return []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(openai.FunctionDefinitionParam{
		Name: toolName, Description: openai.String(toolText), Parameters: toolSchema(),
	})}
}

func TestOpenAIListsModels(t *testing.T) {
	client := openaiClient(t)
	var ids []string
	pages := client.Models.ListAutoPaging(t.Context())
	for pages.Next() {
		ids = append(ids, pages.Current().ID)
	}
	if err := pages.Err(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{chatModel, "demo-large", embedModel} {
		if !slices.Contains(ids, want) {
			t.Errorf("%s is not in %v", want, ids)
		}
	}
}

func TestOpenAICompletes(t *testing.T) {
	client := openaiClient(t)
	answer, err := client.Chat.Completions.New(t.Context(), ask("Say hello."))
	if err != nil {
		t.Fatal(err)
	}
	if answer.Model != chatModel || answer.Choices[0].Message.Content == "" || answer.Choices[0].FinishReason != "stop" {
		t.Errorf("answer is %s", answer.RawJSON())
	}
	checkUsage(t, answer.Usage.PromptTokens, answer.Usage.CompletionTokens, answer.Usage.TotalTokens)
}

func TestOpenAIStreams(t *testing.T) {
	client := openaiClient(t)
	params := ask("Count to five.")
	params.StreamOptions.IncludeUsage = openai.Bool(true)
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var acc openai.ChatCompletionAccumulator
	chunks := 0
	for stream.Next() {
		if !acc.AddChunk(stream.Current()) {
			t.Fatalf("chunk does not fit: %s", stream.Current().RawJSON())
		}
		chunks++
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if chunks < 3 || acc.Choices[0].Message.Content == "" || acc.Choices[0].FinishReason != "stop" {
		t.Errorf("%d chunks: %+v", chunks, acc.Choices)
	}
	checkUsage(t, acc.Usage.PromptTokens, acc.Usage.CompletionTokens, acc.Usage.TotalTokens)
}

func TestOpenAICallsATool(t *testing.T) {
	client := openaiClient(t)
	params := ask(toolQuestion)
	params.Tools = chatTools()
	params.ToolChoice.OfAuto = openai.String("required")
	first, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	message := first.Choices[0].Message
	if first.Choices[0].FinishReason != "tool_calls" || len(message.ToolCalls) == 0 {
		t.Fatalf("no tool was called: %s", first.RawJSON())
	}
	checkCall(t, message.ToolCalls[0].Function.Name, message.ToolCalls[0].Function.Arguments)

	params.Messages = append(params.Messages, message.ToParam())
	for _, call := range message.ToolCalls {
		params.Messages = append(params.Messages, openai.ToolMessage(toolAnswer, call.ID))
	}
	params.ToolChoice = openai.ChatCompletionToolChoiceOptionUnionParam{}
	second, err := client.Chat.Completions.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.Choices[0].Message.Content, toolDetail) || second.Choices[0].FinishReason != "stop" {
		t.Errorf("the result was not taken: %s", second.RawJSON())
	}
	if second.Usage.PromptTokens <= first.Usage.PromptTokens {
		t.Errorf("the second turn counts %d tokens, the first %d", second.Usage.PromptTokens, first.Usage.PromptTokens)
	}
}

func TestOpenAIStreamsAToolCall(t *testing.T) {
	client := openaiClient(t)
	params := ask(toolQuestion)
	params.Tools = chatTools()
	params.ToolChoice.OfAuto = openai.String("required")
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		acc.AddChunk(stream.Current())
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if len(acc.Choices) == 0 || len(acc.Choices[0].Message.ToolCalls) == 0 {
		t.Fatal("no tool was called")
	}
	call := acc.Choices[0].Message.ToolCalls[0].Function
	checkCall(t, call.Name, call.Arguments)
}

func TestOpenAIResponses(t *testing.T) {
	client := openaiClient(t)
	params := responses.ResponseNewParams{
		Model: chatModel,
		Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Say hello.")},
	}
	answer, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if answer.Status != "completed" || answer.OutputText() == "" {
		t.Errorf("answer is %s", answer.RawJSON())
	}
	checkUsage(t, answer.Usage.InputTokens, answer.Usage.OutputTokens, answer.Usage.TotalTokens)

	stream := client.Responses.NewStreaming(t.Context(), params)
	var text string
	completed := false
	for stream.Next() {
		switch event := stream.Current(); event.Type {
		case "response.output_text.delta":
			text += event.Delta
		case "response.completed":
			completed = true
			if whole := event.Response.OutputText(); whole != text {
				t.Errorf("the parts make %q, the whole is %q", text, whole)
			}
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if !completed || text == "" {
		t.Errorf("completed %v, text %q", completed, text)
	}
}

func TestOpenAIResponsesCallATool(t *testing.T) {
	client := openaiClient(t)
	input := responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(toolQuestion, responses.EasyInputMessageRoleUser)}
	params := responses.ResponseNewParams{
		Model: chatModel,
		Input: responses.ResponseNewParamsInputUnion{OfInputItemList: input},
		Tools: []responses.ToolUnionParam{responses.ToolParamOfFunction(toolName, toolSchema(), false)},
		ToolChoice: responses.ResponseNewParamsToolChoiceUnion{
			OfToolChoiceMode: openai.Opt(responses.ToolChoiceOptionsRequired),
		},
	}
	first, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	for _, item := range first.Output {
		if item.Type != "function_call" {
			continue
		}
		calls++
		call := item.AsFunctionCall()
		checkCall(t, call.Name, call.Arguments)
		result := responses.ResponseInputItemParamOfFunctionCallOutput(toolAnswer)
		result.OfFunctionCallOutput.CallID = openai.String(call.CallID)
		input = append(input, responses.ResponseInputItemParamOfFunctionCall(call.Arguments, call.CallID, call.Name), result)
	}
	if calls == 0 {
		t.Fatalf("no tool was called: %s", first.RawJSON())
	}
	params.Input.OfInputItemList = input
	params.ToolChoice = responses.ResponseNewParamsToolChoiceUnion{}
	second, err := client.Responses.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(second.OutputText(), toolDetail) {
		t.Errorf("the result was not taken: %s", second.RawJSON())
	}
}

func TestOpenAIEmbeds(t *testing.T) {
	client := openaiClient(t)
	answer, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
		Model: embedModel,
		Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a tollgate", "a bridge"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Data) != 2 || len(answer.Data[0].Embedding) == 0 || slices.Equal(answer.Data[0].Embedding, answer.Data[1].Embedding) {
		t.Errorf("answer is %s", answer.RawJSON())
	}
}

func TestOpenAIErrors(t *testing.T) {
	url, key := gateway(t)
	bad := ask("hello")
	bad.Model = "no-such-model"
	cases := map[string]struct {
		client openai.Client
		params openai.ChatCompletionNewParams
		status int
	}{
		"unknown key":   {openaiWith(url, wrongKey(key)), ask("hello"), 401},
		"unknown model": {openaiWith(url, key), bad, 404},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := c.client.Chat.Completions.New(t.Context(), c.params)
			var apiErr *openai.Error
			if !errors.As(err, &apiErr) {
				t.Fatalf("error is %v", err)
			}
			if apiErr.StatusCode != c.status || apiErr.Message == "" || apiErr.Type == "" {
				t.Errorf("status %d: %s", apiErr.StatusCode, apiErr.RawJSON())
			}
		})
	}
}
