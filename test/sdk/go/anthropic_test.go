package sdk_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
)

func anthropicClient(t *testing.T) anthropic.Client {
	t.Helper()
	url, key := gateway(t)
	return anthropicWith(url, option.WithAPIKey(key))
}

func anthropicWith(url string, key option.RequestOption) anthropic.Client {
	return anthropic.NewClient(option.WithBaseURL(url), key, option.WithMaxRetries(0))
}

func tell(text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model: chatModel, MaxTokens: 256,
		Messages: []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
	}
}

func withTool(params anthropic.MessageNewParams, choice anthropic.ToolChoiceUnionParam) anthropic.MessageNewParams {
	params.ToolChoice = choice
	params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{
		Name: toolName, Description: anthropic.String(toolText),
		InputSchema: anthropic.ToolInputSchemaParam{Properties: toolProperties(), Required: []string{"city"}},
	}}}
	return params
}

func anyTool() anthropic.ToolChoiceUnionParam {
	return anthropic.ToolChoiceUnionParam{OfAny: &anthropic.ToolChoiceAnyParam{}}
}

func text(m *anthropic.Message) string {
	var out strings.Builder
	for _, block := range m.Content {
		out.WriteString(block.Text)
	}
	return out.String()
}

func TestAnthropicListsModels(t *testing.T) {
	client := anthropicClient(t)
	var ids []string
	pages := client.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{})
	for pages.Next() {
		ids = append(ids, pages.Current().ID)
	}
	if err := pages.Err(); err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(ids, chatModel) {
		t.Errorf("%s is not in %v", chatModel, ids)
	}
}

func TestAnthropicCompletes(t *testing.T) {
	url, key := gateway(t)
	forms := map[string]option.RequestOption{"x-api-key": option.WithAPIKey(key), "bearer": option.WithAuthToken(key)}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			client := anthropicWith(url, form)
			answer, err := client.Messages.New(t.Context(), tell("Say hello."))
			if err != nil {
				t.Fatal(err)
			}
			if answer.Model != chatModel || answer.StopReason != "end_turn" || text(answer) == "" {
				t.Errorf("answer is %s", answer.RawJSON())
			}
			if answer.Usage.InputTokens <= 0 || answer.Usage.OutputTokens <= 0 {
				t.Errorf("usage is %s", answer.Usage.RawJSON())
			}
		})
	}
}

func TestAnthropicStreams(t *testing.T) {
	client := anthropicClient(t)
	stream := client.Messages.NewStreaming(t.Context(), tell("Count to five."))
	var whole anthropic.Message
	var parts strings.Builder
	for stream.Next() {
		event := stream.Current()
		if err := whole.Accumulate(event); err != nil {
			t.Fatal(err)
		}
		if event.Type == "content_block_delta" {
			parts.WriteString(event.Delta.Text)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	if whole.StopReason != "end_turn" || text(&whole) == "" || text(&whole) != parts.String() {
		t.Errorf("stop reason %q; the parts make %q, the whole is %q", whole.StopReason, parts.String(), text(&whole))
	}
	if whole.Usage.InputTokens <= 0 || whole.Usage.OutputTokens <= 0 {
		t.Errorf("usage is %+v", whole.Usage)
	}
}

func TestAnthropicCallsATool(t *testing.T) {
	client := anthropicClient(t)
	params := withTool(tell(toolQuestion), anyTool())
	first, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	var results []anthropic.ContentBlockParamUnion
	for _, block := range first.Content {
		if block.Type == "tool_use" {
			checkCall(t, block.Name, string(block.Input))
			results = append(results, anthropic.NewToolResultBlock(block.ID, toolAnswer, false))
		}
	}
	if first.StopReason != "tool_use" || results == nil {
		t.Fatalf("no tool was called: %s", first.RawJSON())
	}
	params.Messages = append(params.Messages, first.ToParam(), anthropic.NewUserMessage(results...))
	params.ToolChoice = anthropic.ToolChoiceUnionParam{}
	second, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if second.StopReason != "end_turn" || !strings.Contains(text(second), toolDetail) {
		t.Errorf("the result was not taken: %s", second.RawJSON())
	}
	if second.Usage.InputTokens <= first.Usage.InputTokens {
		t.Errorf("the second turn counts %d tokens, the first %d", second.Usage.InputTokens, first.Usage.InputTokens)
	}
}

func TestAnthropicStreamsAToolCall(t *testing.T) {
	client := anthropicClient(t)
	stream := client.Messages.NewStreaming(t.Context(), withTool(tell(toolQuestion), anyTool()))
	var whole anthropic.Message
	for stream.Next() {
		if err := whole.Accumulate(stream.Current()); err != nil {
			t.Fatal(err)
		}
	}
	if err := stream.Err(); err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(whole.Content, func(b anthropic.ContentBlockUnion) bool { return b.Type == "tool_use" })
	if at < 0 {
		t.Fatalf("no tool was called: %+v", whole.Content)
	}
	checkCall(t, whole.Content[at].Name, string(whole.Content[at].Input))
}

func TestAnthropicCountsTokens(t *testing.T) {
	client := anthropicClient(t)
	params := tell("How many tokens is this?")
	count, err := client.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: params.Model, Messages: params.Messages})
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if count.InputTokens != answer.Usage.InputTokens {
		t.Errorf("counted %d tokens, the answer says %d", count.InputTokens, answer.Usage.InputTokens)
	}
}

func TestAnthropicErrors(t *testing.T) {
	url, key := gateway(t)
	bad := tell("hello")
	bad.Model = "no-such-model"
	cases := map[string]struct {
		key    string
		params anthropic.MessageNewParams
		status int
		kind   string
	}{
		"unknown key":   {wrongKey(key), tell("hello"), 401, "authentication_error"},
		"unknown model": {key, bad, 404, "not_found_error"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			client := anthropicWith(url, option.WithAPIKey(c.key))
			_, err := client.Messages.New(t.Context(), c.params)
			var apiErr *anthropic.Error
			if !errors.As(err, &apiErr) {
				t.Fatalf("error is %v", err)
			}
			if apiErr.StatusCode != c.status || !strings.Contains(apiErr.RawJSON(), c.kind) {
				t.Errorf("status %d: %s", apiErr.StatusCode, apiErr.RawJSON())
			}
		})
	}
}
