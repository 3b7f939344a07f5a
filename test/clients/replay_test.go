package main

import (
	"strings"
	"testing"

	"tollgate/internal/demo"
)

// exchanges are the second requests of the task as each dialect spells them,
// after a first one that was the vendor's seventh.
func exchanges() map[string]string {
	return map[string]string{
		"chat": `{"tools":[{}],"messages":[{"role":"user","content":"[[demo:call="},
			{"role":"assistant","tool_calls":[{"id":"call_demo000000000007_0","function":{"arguments":"ONE"}},{"id":"call_demo000000000007_1","function":{"arguments":"TWO"}}]},
			{"role":"tool","tool_call_id":"call_demo000000000007_1","content":"second"},{"role":"tool","tool_call_id":"call_demo000000000007_0","content":"first"}]}`,
		"responses": `{"tools":[{}],"input":[{"role":"user","content":"[[demo:call="},{"type":"reasoning","encrypted_content":"SEAL"},
			{"type":"function_call","call_id":"call_demo000000000007_0","arguments":"ONE"},{"type":"function_call","call_id":"call_demo000000000007_1","arguments":"TWO"},
			{"type":"function_call_output","call_id":"call_demo000000000007_0","output":"first"},{"type":"function_call_output","call_id":"call_demo000000000007_1","output":"second"}]}`,
		"anthropic": `{"tools":[{}],"messages":[{"role":"user","content":"[[demo:call="},
			{"role":"assistant","content":[{"type":"thinking","signature":"SEAL"},{"type":"tool_use","id":"toolu_demo000000000007_0","input":"ONE"},{"type":"tool_use","id":"toolu_demo000000000007_1","input":"TWO"}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_demo000000000007_0","content":"first"},{"type":"tool_result","tool_use_id":"toolu_demo000000000007_1","content":"second"}]}]}`,
		"gemini": `{"tools":[{}],"contents":[{"parts":[{"text":"[[demo:call="}]},
			{"parts":[{"functionCall":{"id":"a","args":"ONE"},"thoughtSignature":"SEAL"},{"functionCall":{"id":"b","args":"TWO"}}]},
			{"parts":[{"functionResponse":{"id":"a","response":"first"}},{"functionResponse":{"id":"b","response":"second"}}]}]}`,
	}
}

// judged says what judge finds in body as the second request.
func judged(dialect, body string) string {
	t := task{files: [2]string{"ONE", "TWO"}, marks: [2]string{"first", "second"}}
	err := judge(dialect, t, []demo.Request{
		{Number: 6, Path: "/models", Body: nil},
		{Number: 7, Body: []byte(`{"tools":[{}],"messages":[],"x":"[[demo:call="}`)},
		{Number: 8, Body: []byte(body)},
	})
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestJudgeTakesWhatIsRight(t *testing.T) {
	for dialect, body := range exchanges() {
		if fault := judged(dialect, body); fault != "" {
			t.Errorf("%s: %s", dialect, fault)
		}
	}
}

func TestJudgeFindsWhatIsWrong(t *testing.T) {
	tests := []struct{ dialect, old, is, want string }{
		{"chat", "call_demo000000000007_0", "call_other", "the vendor gave it"},
		{"chat", `"content":"second"`, `"content":"lost"`, "want second in it"},
		{"responses", `"encrypted_content":"SEAL"`, `"summary":[]`, "did not come back with its seal"},
		{"responses", `"arguments":"TWO"`, `"arguments":"ONE"`, "want those for TWO"},
		{"anthropic", `"signature":"SEAL"`, `"thinking":"x"`, "did not come back with its seal"},
		{"anthropic", `{"type":"tool_result","tool_use_id":"toolu_demo000000000007_1","content":"second"}`, `{}`, "2 calls and 1 results"},
		{"gemini", `"thoughtSignature":"SEAL"`, `"thoughtSignature":"skip_thought_signature_validator"`, "without its signature"},
		{"gemini", `"id":"a","response":"first"`, `"id":"b","response":"first"`, `is for call "b"`},
		{"gemini", "functionResponse", "text", "0 results"},
	}
	for _, tt := range tests {
		body := strings.ReplaceAll(exchanges()[tt.dialect], tt.old, tt.is)
		if fault := judged(tt.dialect, body); !strings.Contains(fault, tt.want) {
			t.Errorf("%s with %s: %q, want %q in it", tt.dialect, tt.is, fault, tt.want)
		}
	}
}

func TestJudgeWantsEachTurnOnce(t *testing.T) {
	body := []byte(exchanges()["chat"])
	err := judge("chat", task{}, []demo.Request{{Number: 7, Body: body}, {Number: 8, Body: body}})
	if err == nil || !strings.Contains(err.Error(), "once each") {
		t.Errorf("a repeated turn: %v", err)
	}
}
