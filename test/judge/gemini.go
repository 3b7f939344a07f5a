package judge

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"cloud.google.com/go/ai/generativelanguage/apiv1beta/generativelanguagepb"
	"google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// GeminiRequest reads a generateContent body with Google's own types.
func GeminiRequest(text []byte) Verdict {
	return protobuf(text, &generativelanguagepb.GenerateContentRequest{})
}

// GeminiAnswer reads a whole answer or a chunk of a stream, which may be an error.
func GeminiAnswer(text []byte) Verdict {
	var failure struct {
		Error *struct {
			Code            int
			Message, Status string
			Details         []json.RawMessage
		}
	}
	if json.Unmarshal(text, &failure) == nil && failure.Error != nil {
		if _, ok := code.Code_value[failure.Error.Status]; !ok {
			return Verdict{{Path: "/error/status", Says: fmt.Sprintf("the value %q is not known", failure.Error.Status)}}
		}
		return nil
	}
	return protobuf(text, &generativelanguagepb.GenerateContentResponse{})
}

// protobuf finds the members and the enum values that m does not have, and
// reads what is left with protojson for its types.
func protobuf(text []byte, m proto.Message) Verdict {
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return Verdict{{Says: err.Error()}}
	}
	var out Verdict
	prune(&out, "", doc, m.ProtoReflect().Descriptor())
	rest, err := json.Marshal(doc)
	if err != nil {
		return Verdict{{Says: err.Error()}}
	}
	if err := protojson.Unmarshal(rest, m); err != nil {
		out = append(out, Finding{Says: err.Error()})
	}
	return out
}

// prune takes out of v what the message d does not have.
func prune(out *Verdict, at string, v any, d protoreflect.MessageDescriptor) {
	o, ok := v.(map[string]any)
	if !ok || d.ParentFile().Package() == "google.protobuf" { // any JSON
		return
	}
	for _, k := range slices.Sorted(maps.Keys(o)) {
		f := d.Fields().ByJSONName(k)
		if f == nil {
			f = d.Fields().ByTextName(k)
		}
		switch {
		case f == nil:
			*out = append(*out, Finding{Path: at + "/" + k, Says: "is not known"})
			delete(o, k)
		case f.IsMap():
		case f.IsList():
			list, _ := o[k].([]any)
			kept := []any{}
			for _, e := range list {
				if pruneValue(out, at+"/"+k+"/*", e, f) {
					kept = append(kept, e)
				}
			}
			if list != nil {
				o[k] = kept
			}
		default:
			if !pruneValue(out, at+"/"+k, o[k], f) {
				delete(o, k)
			}
		}
	}
}

// pruneValue reports whether v can stay.
func pruneValue(out *Verdict, at string, v any, f protoreflect.FieldDescriptor) bool {
	if f.Message() != nil {
		prune(out, at, v, f.Message())
	}
	s, ok := v.(string)
	if f.Enum() == nil || !ok || f.Enum().Values().ByName(protoreflect.Name(s)) != nil {
		return true
	}
	*out = append(*out, Finding{Path: at, Says: fmt.Sprintf("the value %q is not known", s)})
	return false
}
