package gemini_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/gemini"
)

// thoughtful is an answer of a vendor that seals thoughts.
func thoughtful() *ir.Response {
	return &ir.Response{Model: "m", Choices: []ir.Choice{{
		Items: []ir.Item{
			ir.Thought{Texts: []string{"First the file."}, Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "sig"}},
			ir.Message{Role: ir.RoleAssistant, Parts: []ir.Part{ir.Text{Text: "I read it."}}},
			ir.Thought{Private: &ir.Private{Vendor: ir.VendorAnthropic, Data: "blob"}, Redacted: true},
			ir.ToolCall{ID: "a", Kind: ir.ToolFunction, Name: "f", Arguments: "{}"},
			ir.ToolCall{ID: "b", Kind: ir.ToolFunction, Name: "f", Arguments: "{}"},
		},
		Stop: ir.Stop{Reason: ir.StopTools},
	}}}
}

// partsOf returns the parts of an answer, those of a stream one after the other.
func partsOf(t *testing.T, stream bool) []map[string]any {
	t.Helper()
	req := &ir.Request{Model: "m"}
	var bodies [][]byte
	if stream {
		e := gemini.Codec{}.StreamEncoder(req, wire.FramingSSE, 1)
		ir.Unfold(thoughtful(), func(ev ir.Event) bool {
			for frame := range bytes.SplitSeq(e.Event(nil, ev), []byte("\r\n\r\n")) {
				if len(frame) > 0 {
					bodies = append(bodies, bytes.TrimPrefix(frame, []byte("data: ")))
				}
			}
			return true
		})
	} else {
		body, _ := gemini.Codec{}.EncodeResponse(req, thoughtful(), 1)
		bodies = [][]byte{body}
	}
	var out []map[string]any
	for _, body := range bodies {
		var answer struct {
			Candidates []struct {
				Content struct{ Parts []map[string]any }
			}
		}
		if err := json.Unmarshal(body, &answer); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, c := range answer.Candidates {
			out = append(out, c.Content.Parts...)
		}
	}
	return out
}

// Google's clients drop thoughts from what they give back, and keep the
// signatures of calls.
func TestThoughtsSurviveClientsThatDropThem(t *testing.T) {
	want := thoughtful().Choices[0].Items
	for name, stream := range map[string]bool{"whole": false, "stream": true} {
		for drops, dropped := range map[string]bool{"dropped": true, "kept": false} {
			t.Run(name+", "+drops, func(t *testing.T) {
				var said []map[string]any
				for _, p := range partsOf(t, stream) {
					if thought, _ := p["thought"].(bool); (!thought || !dropped) && (p["text"] != "" || p["thoughtSignature"] != nil) {
						said = append(said, p)
					}
				}
				body, err := json.Marshal(map[string]any{"contents": []any{
					map[string]any{"role": "user", "parts": []any{map[string]any{"text": "q"}}},
					map[string]any{"role": "model", "parts": said},
				}})
				if err != nil {
					t.Fatal(err)
				}
				req, err := gemini.Codec{}.DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, body)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, req.Items[1:]); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
}

func TestSignaturesThatOnlyLookLikeOursAreTheVendorsOwn(t *testing.T) {
	for _, text := range []string{"tg1-thoughts-", "tg1-thoughts-{", `tg1-thoughts-{"t":[{"s":"nothing"}]}`} {
		signature := base64.StdEncoding.EncodeToString([]byte(text))
		body := `{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"` + signature + `"}]}]}`
		req, err := gemini.Codec{}.DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, []byte(body))
		if err != nil || len(req.Items) != 1 {
			t.Errorf("%s: %v, %+v", text, err, req)
		}
	}
}
