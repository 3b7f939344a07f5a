package judge

import (
	"cloud.google.com/go/ai/generativelanguage/apiv1beta/generativelanguagepb"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// GeminiRequest reads a generateContent body with Google's own types; unknown
// members and enum values are errors there.
func GeminiRequest(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.GenerateContentRequest{})
}

// GeminiAnswer reads a whole answer or a chunk of a stream.
func GeminiAnswer(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.GenerateContentResponse{})
}

func protobuf(text []byte, m proto.Message) Verdict {
	if err := protojson.Unmarshal(text, m); err != nil {
		return Verdict{Failures: []string{err.Error()}}
	}
	return Verdict{}
}
