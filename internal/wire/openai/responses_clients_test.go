package openai_test

import (
	"strings"
	"testing"

	"tollgate"
	"tollgate/internal/ir"
	"tollgate/internal/wire"
	"tollgate/internal/wire/openai"
)

// Clients of other protocols that ask to see thoughts in any way are given the
// sealed form too, since a client gives back only what it got.
func TestSealedThoughtsAreAskedForWhereThoughtsAre(t *testing.T) {
	tests := map[string]struct {
		reasoning ir.Reasoning
		want      bool
	}{
		"nothing":          {ir.Reasoning{}, false},
		"thoughts shown":   {ir.Reasoning{Summary: "auto"}, true},
		"an effort":        {ir.Reasoning{Effort: "low"}, true},
		"no effort":        {ir.Reasoning{Effort: "none", Summary: "auto"}, false},
		"reasoning is off": {ir.Reasoning{Mode: ir.ReasoningOff, Summary: "auto"}, false},
	}
	for name, tt := range tests {
		req := &ir.Request{Model: "gpt-5", Reasoning: tt.reasoning, Items: []ir.Item{ir.Message{Role: ir.RoleUser, Parts: []ir.Part{ir.Text{Text: "q"}}}}}
		body, _, err := openai.Responses{}.EncodeRequest(req)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(body), "reasoning.encrypted_content"); got != tt.want {
			t.Errorf("%s: %s", name, body)
		}
	}
}

// What Codex tells its own server about a turn is no loss elsewhere.
func TestInternalMembersOfItemsAreHints(t *testing.T) {
	body := `{"model":"m","input":[{"type":"message","role":"user","content":"q","internal_chat_message_metadata_passthrough":{"turn_id":"1"},"other":1}]}`
	req, err := openai.Responses{}.DecodeRequest(wire.Route{Operation: tollgate.OpGenerate}, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	m, _ := req.Items[0].(ir.Message)
	if len(m.Extras) != 2 || !m.Extras[0].Hint || m.Extras[1].Hint {
		t.Errorf("extras are %+v", m.Extras)
	}
}
