package gemini_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

func TestEmbeddingsRoundTrip(t *testing.T) {
	tests := map[string]struct {
		op   tollgate.Operation
		body string
		want ir.Embedding
		sent string
	}{
		"single": {
			tollgate.OpEmbed, `{"content":{"parts":[{"text":"a"},{"text":"b"}]},"task_type":"RETRIEVAL_QUERY","title":"t","outputDimensionality":"256"}`,
			ir.Embedding{Model: "e", Inputs: []string{"a\nb"}, Single: true, Task: "RETRIEVAL_QUERY", Title: "t", Dimensions: 256},
			`{"requests":[{"model":"models/e","content":{"parts":[{"text":"a\nb"}]},"taskType":"RETRIEVAL_QUERY","title":"t","outputDimensionality":256}]}`,
		},
		"batch": {
			tollgate.OpBatchEmbed, `{"requests":[{"content":{"parts":[{"text":"a"}],"role":"user"},"model":"models/e","autoTruncate":true},{"content":{"parts":{"text":"b"}},"model":"models/e","autoTruncate":true}]}`,
			ir.Embedding{Model: "e", Inputs: []string{"a", "b"}, Extras: []ir.Extra{{Dialect: "gemini", Path: "autoTruncate", Raw: []byte("true")}}},
			`{"requests":[{"model":"models/e","content":{"parts":[{"text":"a"}]},"autoTruncate":true},{"model":"models/e","content":{"parts":[{"text":"b"}]},"autoTruncate":true}]}`,
		},
	}
	for name, tt := range tests {
		got, err := gemini.Codec{}.DecodeEmbedding(wire.Route{Operation: tt.op, Model: "e"}, []byte(tt.body))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(&tt.want, got); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		sent, _, err := gemini.Codec{}.EncodeEmbedding(got)
		if err != nil || string(sent) != tt.sent {
			t.Errorf("%s: %s (%v)", name, sent, err)
		}
	}
}

func TestEmbeddingRequestsThatAreWrong(t *testing.T) {
	for body, field := range map[string]string{
		`{}`:                "requests",
		`{"requests":[{}]}`: "requests[0].content",
		`{"requests":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}]}`:            "requests[0].content.parts[0]",
		`{"requests":[{"content":{"parts":[{"text":"a"}]},"taskType":"A"},{"content":{"parts":[{"text":"a"}]}}]}`: "requests[1]",
		`{"requests":[{"content":{"parts":[{"text":"a"}]}},{"content":{"parts":[{"text":"a"}]},"other":1}]}`:      "requests[1]",
		`{"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":0}]}`:                            "requests[0].outputDimensionality",
	} {
		_, err := gemini.Codec{}.DecodeEmbedding(wire.Route{Operation: tollgate.OpBatchEmbed}, []byte(body))
		if e := tollgate.AsError(err); err == nil || e.Field != field {
			t.Errorf("%s: %v", body, err)
		}
	}
}

func TestVectorsRoundTrip(t *testing.T) {
	out := &ir.Embeddings{Vectors: [][]float32{{0.1, -1e-9, 3}, {1}}, Usage: ir.Usage{Reported: true, Tokens: tollgate.Tokens{Input: 4}}}
	body, losses := gemini.Codec{}.EncodeEmbeddings(&ir.Embedding{}, out)
	if want := `{"embeddings":[{"values":[0.1,-1e-09,3]},{"values":[1]}],"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}}`; string(body) != want || len(losses) > 0 {
		t.Errorf("%s, %v", body, losses)
	}
	back, err := gemini.Codec{}.DecodeEmbeddings(body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(out, back); diff != "" {
		t.Error(diff)
	}
	single, _ := gemini.Codec{}.EncodeEmbeddings(&ir.Embedding{Single: true}, &ir.Embeddings{Vectors: [][]float32{{1}}})
	if string(single) != `{"embedding":{"values":[1]}}` {
		t.Errorf("%s", single)
	}
	for _, body := range []string{`{}`, `{"embeddings":[{"values":["x"]}]}`, `[]`} {
		if _, err := (gemini.Codec{}).DecodeEmbeddings([]byte(body)); tollgate.ErrorCode(err) != tollgate.CodeUpstream {
			t.Errorf("%s: %v", body, err)
		}
	}
}
