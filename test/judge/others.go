package judge

import (
	"cloud.google.com/go/ai/generativelanguage/apiv1beta/generativelanguagepb"
	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/packages/pagination"
)

// AnthropicCount reads the answer to count_tokens.
func AnthropicCount(text []byte) Verdict {
	var n anthropic.MessageTokensCount
	return answer(text, &n)
}

// AnthropicCountRequest reads the body of count_tokens.
func AnthropicCountRequest(text []byte) Verdict {
	var p anthropic.MessageCountTokensParams
	out := params(text, &p)
	if len(out) == 0 {
		return nil
	}
	var beta anthropic.BetaMessageCountTokensParams
	if again := params(text, &beta); len(again) < len(out) {
		return again
	}
	return out
}

// AnthropicModels reads a page of models.
func AnthropicModels(text []byte) Verdict {
	var p pagination.Page[anthropic.ModelInfo]
	return answer(text, &p)
}

// AnthropicModel reads a model.
func AnthropicModel(text []byte) Verdict {
	var m anthropic.ModelInfo
	return answer(text, &m)
}

// GeminiCount reads the answer to countTokens.
func GeminiCount(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.CountTokensResponse{})
}

// GeminiCountRequest reads the body of countTokens.
func GeminiCountRequest(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.CountTokensRequest{})
}

// GeminiEmbedRequest reads the body of batchEmbedContents.
func GeminiEmbedRequest(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.BatchEmbedContentsRequest{})
}

// GeminiEmbedAnswer reads the answer to batchEmbedContents.
func GeminiEmbedAnswer(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.BatchEmbedContentsResponse{})
}

// GeminiEmbedOne reads the answer to embedContent.
func GeminiEmbedOne(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.EmbedContentResponse{})
}

// GeminiModels reads a page of models.
func GeminiModels(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.ListModelsResponse{})
}

// GeminiModel reads a model.
func GeminiModel(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.Model{})
}
