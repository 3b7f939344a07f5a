package openai_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

func TestEmbeddingRequests(t *testing.T) {
	tests := map[string]struct {
		body string
		want *ir.Embedding
		bad  string // the field
	}{
		"one":       {body: `{"model":"m","input":"a"}`, want: &ir.Embedding{Model: "m", Inputs: []string{"a"}}},
		"many":      {body: `{"model":"m","input":["a","b"],"dimensions":3,"encoding_format":"base64","user":"u"}`, want: &ir.Embedding{Model: "m", Inputs: []string{"a", "b"}, Dimensions: 3, Base64: true, User: "u"}},
		"more":      {body: `{"model":"m","input":"a","input_type":"query"}`, want: &ir.Embedding{Model: "m", Inputs: []string{"a"}, Extras: []ir.Extra{{Dialect: "openai-chat", Path: "input_type", Raw: []byte(`"query"`)}}}},
		"tokens":    {body: `{"model":"m","input":[1,2]}`, bad: "input[0]"},
		"tokens of": {body: `{"model":"m","input":[[1],[2]]}`, bad: "input[0]"},
		"none":      {body: `{"model":"m"}`, bad: "input"},
		"empty":     {body: `{"model":"m","input":[]}`, bad: "input"},
		"number":    {body: `{"model":"m","input":5}`, bad: "input"},
		"format":    {body: `{"model":"m","input":"a","encoding_format":"int8"}`, bad: "encoding_format"},
		"size":      {body: `{"model":"m","input":"a","dimensions":0}`, bad: "dimensions"},
		"model":     {body: `{"input":"a"}`, bad: "model"},
		"no JSON":   {body: `{`, bad: "body"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := openai.Chat{}.DecodeEmbedding(wire.Route{}, []byte(tt.body))
			if tt.bad != "" {
				if e := tollgate.AsError(err); err == nil || e.Code != tollgate.CodeInvalid || e.Field != tt.bad {
					t.Errorf("error is %v, want one of %s", err, tt.bad)
				}
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" || err != nil {
				t.Fatal(diff, err)
			}
			body, losses, err := openai.Chat{}.EncodeEmbedding(got)
			if err != nil || len(losses) > 0 {
				t.Fatal(losses, err)
			}
			again, err := openai.Chat{}.DecodeEmbedding(wire.Route{}, body)
			if diff := cmp.Diff(got, again); diff != "" || err != nil {
				t.Error(diff, err)
			}
		})
	}
}

func TestEmbeddingsOfGeminiLoseWhatTheyAreFor(t *testing.T) {
	body, losses, err := openai.Chat{}.EncodeEmbedding(&ir.Embedding{Model: "m", Inputs: []string{"a"}, Task: "RETRIEVAL_QUERY", Title: "t", Single: true})
	if err != nil || string(body) != `{"model":"m","input":["a"]}` {
		t.Errorf("%s (%v)", body, err)
	}
	if got := chatLossText(losses); got != "task: OpenAI's embeddings do not depend on what they are for\ntitle: OpenAI's embeddings have none\n~ single: it is a list of one\n" {
		t.Error(got)
	}
}

func TestEmbeddingAnswersKeepVectorsAndUsage(t *testing.T) {
	want := &ir.Embeddings{
		Model: "m", Vectors: [][]float32{{0.5, -1.25e-8, 3}, {0.1, 0, 1}},
		Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 7}},
	}
	for _, packed := range []bool{false, true} {
		body, losses := openai.Chat{}.EncodeEmbeddings(&ir.Embedding{Model: "m", Base64: packed}, want)
		if len(losses) > 0 {
			t.Error(losses)
		}
		got, err := openai.Chat{}.DecodeEmbeddings(body)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("packed %v: %s %v\n%s", packed, diff, err, body)
		}
	}
}

func TestEmbeddingAnswersOfProviders(t *testing.T) {
	tests := map[string]struct {
		body string
		code tollgate.Code
		want [][]float32
	}{
		"out of order":  {`{"data":[{"index":1,"embedding":[2]},{"index":0,"embedding":[1]}]}`, "", [][]float32{{1}, {2}}},
		"no numbers":    {`{"data":[{"embedding":[1]},{"embedding":"AACAPw=="}]}`, "", [][]float32{{1}, {1}}},
		"twice":         {`{"data":[{"index":0,"embedding":[2]},{"index":0,"embedding":[1]}]}`, tollgate.CodeUpstream, nil},
		"far":           {`{"data":[{"index":9,"embedding":[2]}]}`, tollgate.CodeUpstream, nil},
		"none":          {`{"data":[]}`, tollgate.CodeUpstream, nil},
		"missing":       {`{"data":[{"index":0}]}`, tollgate.CodeUpstream, nil},
		"no float32":    {`{"data":[{"embedding":"AAA="}]}`, tollgate.CodeUpstream, nil},
		"not a number":  {`{"data":[{"embedding":"AADAfw=="}]}`, tollgate.CodeUpstream, nil},
		"words":         {`{"data":[{"embedding":["a"]}]}`, tollgate.CodeUpstream, nil},
		"no JSON":       {`x`, tollgate.CodeUpstream, nil},
		"error and 200": {`{"error":{"message":"slow down","code":429}}`, tollgate.CodeRateLimited, nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := openai.Chat{}.DecodeEmbeddings([]byte(tt.body))
			if tollgate.ErrorCode(err) != tt.code {
				t.Fatalf("error is %v", err)
			}
			if err == nil {
				if diff := cmp.Diff(tt.want, got.Vectors); diff != "" {
					t.Error(diff)
				}
			}
		})
	}
}
