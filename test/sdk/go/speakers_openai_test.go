package sdk_test

import (
	"errors"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/responses"
)

func openaiStatus(err error) int {
	if e, ok := errors.AsType[*openai.Error](err); ok {
		return e.StatusCode
	}
	return 0
}

func chatSpeaker() speaker {
	return speaker{name: "openai chat", status: openaiStatus, say: func(t *testing.T, q question) (reply, error) {
		t.Helper()
		params := ask(q.text)
		params.Model = q.model
		if q.image {
			params.Messages[0] = openai.UserMessage([]openai.ChatCompletionContentPartUnionParam{
				openai.TextContentPart(q.text),
				openai.ImageContentPart(openai.ChatCompletionContentPartImageImageURLParam{URL: "data:image/png;base64," + picture}),
			})
		}
		if q.tools {
			params.Tools = chatTools()
		}
		if q.schema {
			params.ResponseFormat.OfJSONSchema = &openai.ResponseFormatJSONSchemaParam{
				JSONSchema: openai.ResponseFormatJSONSchemaJSONSchemaParam{Name: "place", Strict: openai.Bool(true), Schema: answerSchema()},
			}
		}
		return sayChat(t, params, q.stream)
	}}
}

func sayChat(t *testing.T, params openai.ChatCompletionNewParams, stream bool) (reply, error) {
	t.Helper()
	client := openaiClient(t)
	var whole *openai.ChatCompletion
	var err error
	if stream {
		params.StreamOptions.IncludeUsage = openai.Bool(true)
		var acc openai.ChatCompletionAccumulator
		s := client.Chat.Completions.NewStreaming(t.Context(), params)
		for s.Next() {
			acc.AddChunk(s.Current())
		}
		whole, err = &acc.ChatCompletion, s.Err()
	} else {
		whole, err = client.Chat.Completions.New(t.Context(), params)
	}
	if err != nil || len(whole.Choices) == 0 {
		return reply{}, err
	}
	choice := whole.Choices[0]
	r := reply{
		text: choice.Message.Content, input: whole.Usage.PromptTokens, output: whole.Usage.CompletionTokens,
		done: choice.FinishReason == map[bool]string{true: "tool_calls", false: "stop"}[len(choice.Message.ToolCalls) > 0],
	}
	for _, c := range choice.Message.ToolCalls {
		r.calls = append(r.calls, call{c.ID, c.Function.Name, c.Function.Arguments})
	}
	r.next = func(results []string) (reply, error) {
		params.Messages = append(params.Messages, choice.Message.ToParam())
		for i, c := range r.calls {
			params.Messages = append(params.Messages, openai.ToolMessage(results[i], c.id))
		}
		return sayChat(t, params, stream)
	}
	return r, nil
}

func responsesSpeaker() speaker {
	return speaker{name: "openai responses", status: openaiStatus, say: func(t *testing.T, q question) (reply, error) {
		t.Helper()
		content := responses.ResponseInputMessageContentListParam{responses.ResponseInputContentParamOfInputText(q.text)}
		if q.image {
			part := responses.ResponseInputContentParamOfInputImage(responses.ResponseInputImageDetailAuto)
			part.OfInputImage.ImageURL = openai.String("data:image/png;base64," + picture)
			content = append(content, part)
		}
		params := responses.ResponseNewParams{Model: q.model, Store: openai.Bool(false)}
		params.Input.OfInputItemList = responses.ResponseInputParam{responses.ResponseInputItemParamOfMessage(content, responses.EasyInputMessageRoleUser)}
		if q.tools {
			params.Tools = []responses.ToolUnionParam{responses.ToolParamOfFunction(toolName, toolSchema(), false)}
		}
		if q.schema {
			params.Text.Format.OfJSONSchema = &responses.ResponseFormatTextJSONSchemaConfigParam{
				Name: "place", Strict: openai.Bool(true), Schema: answerSchema(),
			}
		}
		return sayResponse(t, params, q.stream)
	}}
}

func sayResponse(t *testing.T, params responses.ResponseNewParams, stream bool) (reply, error) {
	t.Helper()
	client := openaiClient(t)
	var whole *responses.Response
	var err error
	if stream {
		s := client.Responses.NewStreaming(t.Context(), params)
		whole = &responses.Response{}
		for s.Next() {
			if event := s.Current(); event.Type == "response.completed" {
				whole = &event.Response
			}
		}
		err = s.Err()
	} else {
		whole, err = client.Responses.New(t.Context(), params)
	}
	if err != nil {
		return reply{}, err
	}
	r := reply{text: whole.OutputText(), input: whole.Usage.InputTokens, output: whole.Usage.OutputTokens, done: whole.Status == "completed"}
	items := params.Input.OfInputItemList
	for _, item := range whole.Output {
		if item.Type == "function_call" {
			c := item.AsFunctionCall()
			r.calls = append(r.calls, call{c.CallID, c.Name, c.Arguments})
			items = append(items, responses.ResponseInputItemParamOfFunctionCall(c.Arguments, c.CallID, c.Name))
		}
	}
	r.next = func(results []string) (reply, error) {
		for i, c := range r.calls {
			result := responses.ResponseInputItemParamOfFunctionCallOutput(results[i])
			result.OfFunctionCallOutput.CallID = openai.String(c.id)
			items = append(items, result)
		}
		params.Input.OfInputItemList = items
		return sayResponse(t, params, stream)
	}
	return r, nil
}

func TestOpenAIEmbedsWithGemini(t *testing.T) {
	client := openaiClient(t)
	var floats [2][]float64
	for i, provider := range []string{"demo-chat", "demo-gemini"} {
		answer, err := client.Embeddings.New(t.Context(), openai.EmbeddingNewParams{
			Model: provider + "/" + embedModel, Input: openai.EmbeddingNewParamsInputUnion{OfArrayOfStrings: []string{"a tollgate", "a bridge"}},
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(answer.Data) != 2 || answer.Data[1].Index != 1 || answer.Usage.PromptTokens <= 0 {
			t.Fatalf("%s: %s", provider, answer.RawJSON())
		}
		floats[i] = answer.Data[1].Embedding
	}
	checkVectors(t, floats[0], floats[1])
}
