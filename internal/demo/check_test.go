package demo_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tollgate/internal/demo"
)

// ask sends a body to a vendor of any model and returns status and answer.
func ask(t *testing.T, path, body string) (int, string) {
	t.Helper()
	req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	req.Header.Set("Anthropic-Version", "2023-06-01")
	w := httptest.NewRecorder()
	(&demo.Vendor{AnyModel: true}).ServeHTTP(w, req)
	return w.Code, w.Body.String()
}

const (
	pathChat      = "/v1/chat/completions"
	pathResponses = "/v1/responses"
	pathMessages  = "/v1/messages"
	pathGemini3   = "/v1beta/models/gemini-3-demo:generateContent"
	pathGemini    = "/v1beta/models/demo-small:generateContent"
)

// TestVendorRefusesWhatRealOnesRefuse sends one fault at a time.
func TestVendorRefusesWhatRealOnesRefuse(t *testing.T) {
	t.Parallel()
	chat := func(messages, more string) string { return `{"model":"m","messages":[` + messages + `]` + more + `}` }
	messages := func(list, more string) string {
		return `{"model":"m","max_tokens":2000,"messages":[` + list + `]` + more + `}`
	}
	responses := func(items, more string) string { return `{"model":"m","input":[` + items + `]` + more + `}` }
	gemini := func(contents, more string) string { return `{"contents":[` + contents + `]` + more + `}` }
	const (
		user      = `{"role":"user","content":"hi"}`
		chatCall  = `{"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{}"}}]}`
		toolUse   = `{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]}`
		toolDone  = `{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"ok"}]}`
		geminiAsk = `{"role":"user","parts":[{"text":"hi"}]}`
	)
	for _, c := range []struct{ path, body, want string }{
		{pathChat, chat(user, `,"top_k":5`), "Unrecognized request argument supplied: top_k"},
		{pathChat, chat(user, `,"max_tokens":1,"max_completion_tokens":1`), "at the same time"},
		{pathChat, chat(user, `,"temperature":3`), "Invalid 'temperature'"},
		{pathChat, chat(user, `,"stop":["a","b","c","d","e"]`), "Invalid 'stop'"},
		{pathChat, chat(user, `,"stream_options":{"include_usage":true}`), "only allowed when 'stream'"},
		{pathChat, chat(user, `,"parallel_tool_calls":false`), "only allowed when 'tools'"},
		{pathChat, chat(user, `,"tool_choice":"required"`), "only allowed when 'tools'"},
		{pathChat, chat(user, `,"tools":[{"type":"function","function":{"name":"a b"}}]`), "does not match pattern"},
		{pathChat, chat(user, `,"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"string"}}}]`), "got 'type: \\\"string\\\"'"},
		{pathChat, chat(user, `,"tools":[{"type":"function","function":{"name":"f","strict":true,"parameters":{"type":"object","properties":{}}}}]`), "'additionalProperties' is required"},
		{pathChat, chat(user, `,"response_format":{"type":"json_schema","json_schema":{"schema":{}}}`), "response_format.json_schema.name"},
		{pathChat, chat(user, `,"response_format":{"type":"json_schema","json_schema":{"name":"n","strict":true,"schema":{"type":"object","properties":{"a":{}},"additionalProperties":false,"required":[]}}}`), "Missing 'a'"},
		{pathChat, chat(user+`,{"role":"tool","tool_call_id":"c1","content":"x"}`, ""), "must be a response to a preceding message"},
		{pathChat, chat(user+`,`+chatCall+`,`+user, ""), "did not have response messages: c1"},
		{pathChat, chat(user+`,`+chatCall, ""), "did not have response messages: c1"},
		{pathChat, chat(user+`,`+chatCall+`,{"role":"tool","tool_call_id":"c1","content":[{"type":"image_url","image_url":{"url":"https://x"}}]}`, ""), "Invalid value: 'image_url'"},
		{pathChat, chat(`{"role":"user","content":[{"type":"image_url","image_url":{"url":"nonsense"}}]}`, ""), "Invalid image data"},
		{pathChat, chat(`{"role":"robot","content":"x"}`, ""), "Invalid value: 'robot'"},
		{pathChat, chat(`{"role":"assistant","content":null}`, ""), "expected a string, got null"},

		{pathResponses, responses(`{"role":"user","content":"hi"}`, `,"stop":["a"]`), "Unknown parameter: 'stop'"},
		{pathResponses, responses(`{"role":"user","content":[{"type":"output_text","text":"x"}]}`, ""), "Invalid value: 'output_text'"},
		{pathResponses, responses(`{"role":"assistant","content":[{"type":"input_text","text":"x"}]}`, ""), "Invalid value: 'input_text'"},
		{pathResponses, responses(`{"type":"function_call_output","call_id":"c1","output":"x"}`, ""), "No tool call found"},
		{pathResponses, responses(`{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}`, ""), "No tool output found"},
		{pathResponses, responses(`{"type":"function_call","id":"x","call_id":"c1","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c1","output":"x"}`, ""), "begins with 'fc'"},
		{pathResponses, responses(`{"type":"reasoning","id":"x","summary":[]}`, ""), "begins with 'rs'"},
		{pathResponses, responses(`{"type":"reasoning","summary":[],"encrypted_content":"forged"}`, ""), "could not be verified"},
		{pathResponses, responses(`{"type":"function_call","call_id":"`+strings.Repeat("c", 65)+`","name":"f","arguments":"{}"}`, ""), "maximum length 64"},
		{pathResponses, responses(`{"role":"user","content":"hi"}`, `,"text":{"format":{"type":"json_schema","name":"n","strict":true,"schema":{"type":"object","properties":{}}}}`), "'additionalProperties' is required"},

		{pathMessages, messages(user, `,"seed":1`), "seed: Extra inputs are not permitted"},
		{pathMessages, `{"model":"m","messages":[` + user + `]}`, "max_tokens: Field required"},
		{pathMessages, messages(user, `,"temperature":1.5`), "temperature: range: 0..1"},
		{pathMessages, messages(user, `,"thinking":{"type":"enabled","budget_tokens":100}`), "greater than or equal to 1024"},
		{pathMessages, messages(user, `,"thinking":{"type":"enabled","budget_tokens":5000}`), "`max_tokens` must be greater"},
		{pathMessages, messages(user, `,"thinking":{"type":"enabled","budget_tokens":1024},"temperature":0.5`), "`temperature` may only be set to 1"},
		{pathMessages, messages(user, `,"tools":[{"name":"a.b","input_schema":{"type":"object"}}]`), "tools.0.custom.name"},
		{pathMessages, messages(user, `,"tools":[{"name":"f","input_schema":{}}]`), "input_schema.type: Field required"},
		{pathMessages, messages(user, `,"tool_choice":{"type":"tool","name":"g"}`), "Tool 'g' not found"},
		{pathMessages, messages(user, `,"stop_sequences":[" "]`), "non-whitespace"},
		{pathMessages, messages(`{"role":"system","content":"x"},`+user, ""), "Input should be 'user' or 'assistant'"},
		{pathMessages, messages(`{"role":"user","content":""}`, ""), "text content blocks must be non-empty"},
		{pathMessages, messages(`{"role":"user","content":[]}`, ""), "must have non-empty content"},
		{pathMessages, messages(user+`,`+toolUse+`,`+user, ""), "were found without `tool_result` blocks"},
		{pathMessages, messages(user+`,`+toolUse, ""), "were found without `tool_result` blocks"},
		{pathMessages, messages(toolDone, ""), "unexpected `tool_use_id`"},
		{pathMessages, messages(user+`,{"role":"assistant","content":[{"type":"tool_use","id":"a:b","name":"f","input":{}}]}`, ""), "should match pattern"},
		{pathMessages, messages(user+`,`+toolUse+`,`+toolDone+`,`+toolUse+`,`+toolDone, ""), "ids must be unique"},
		{pathMessages, messages(user+`,{"role":"assistant","content":[{"type":"thinking","thinking":"x"}]},`+user, ""), "signature: Field required"},
		{pathMessages, messages(user+`,{"role":"assistant","content":[{"type":"thinking","thinking":"x","signature":"forged"}]},`+user, ""), "Invalid `signature`"},
		{pathMessages, messages(user+`,`+toolUse+`,`+toolDone, `,"thinking":{"type":"enabled","budget_tokens":1024}`), "Expected `thinking` or `redacted_thinking`, but found `tool_use`"},
		{pathMessages, messages(`{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/tiff","data":"AA=="}}]}`, ""), "media_type"},

		{pathGemini, gemini(geminiAsk, `,"seed":1`), `Unknown name \"seed\"`},
		{pathGemini, gemini(geminiAsk, `,"generationConfig":{"max_tokens":1}`), `Unknown name \"max_tokens\"`},
		{pathGemini, gemini(geminiAsk, `,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","additionalProperties":false}}]}]`), `Unknown name \"additionalProperties\"`},
		{pathGemini, gemini(geminiAsk, `,"tools":[{"functionDeclarations":[{"name":"1f"}]}]`), "Invalid function name"},
		{pathGemini, gemini(geminiAsk, `,"toolConfig":{"functionCallingConfig":{"mode":"AUTO","allowedFunctionNames":["f"]}}`), "only when function calling mode is ANY"},
		{pathGemini, gemini(geminiAsk, `,"generationConfig":{"responseSchema":{"type":"OBJECT"}}`), "only allowed with response_mime_type"},
		{pathGemini, gemini(`{"role":"assistant","parts":[{"text":"x"}]}`, ""), "valid role: user, model"},
		{pathGemini, gemini(`{"role":"user","parts":[]}`, ""), "parts must not be empty"},
		{pathGemini, gemini(`{"role":"user","parts":[{}]}`, ""), "oneof field 'data'"},
		{pathGemini, gemini(geminiAsk+`,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":"text"}}]}`, ""), "function_response.response"},
		{pathGemini, gemini(geminiAsk+`,{"role":"model","parts":[{"functionCall":{"name":"f","args":{}}}]},{"role":"user","parts":[{"functionResponse":{"response":{}}}]}`, ""), "Name cannot be empty"},
		{pathGemini, gemini(geminiAsk+`,{"role":"model","parts":[{"functionCall":{"name":"f"}},{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}`, ""), "number of function response parts"},
		{pathGemini, gemini(geminiAsk+`,{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}`, ""), "immediately after a function call turn"},
		{pathGemini, gemini(geminiAsk+`,{"role":"model","parts":[{"functionCall":{"name":"f"},"thoughtSignature":"forged"}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}`, ""), "Thought signature is not valid"},
		{pathGemini3, gemini(geminiAsk+`,{"role":"model","parts":[{"functionCall":{"name":"f"}}]},{"role":"user","parts":[{"functionResponse":{"name":"f","response":{}}}]}`, ""), "missing a thought_signature"},
		{pathGemini, gemini(`{"role":"user","parts":[{"fileData":{"fileUri":"https://example.com/a.png"}}]}`, ""), "Unsupported file URI type"},
	} {
		status, got := ask(t, c.path, c.body)
		if status != http.StatusBadRequest || !strings.Contains(got, c.want) {
			t.Errorf("%s %s\n answers %d %s\n want 400 with %s", c.path, c.body, status, got, c.want)
		}
	}
}

// TestVendorKnowsWhatItSigned replays answers as clients do.
func TestVendorKnowsWhatItSigned(t *testing.T) {
	t.Parallel()
	const question = `what is the weather? [[demo:parallel=2]][[demo:reasoning=4]]`
	member := func(t *testing.T, body, name string) json.RawMessage {
		t.Helper()
		var m map[string]json.RawMessage
		if err := json.Unmarshal([]byte(body), &m); err != nil || m[name] == nil {
			t.Fatalf("no %s in %s", name, body)
		}
		return m[name]
	}
	again := func(t *testing.T, path, body string) {
		t.Helper()
		if status, got := ask(t, path, body); status != http.StatusOK || !strings.Contains(got, "According to") {
			t.Errorf("%s: %d %s", body, status, got)
		}
	}
	t.Run("anthropic", func(t *testing.T) {
		t.Parallel()
		head := `{"model":"m","max_tokens":2000,"thinking":{"type":"enabled","budget_tokens":1024},"tools":[{"name":"a","input_schema":{"type":"object"}},{"name":"b","input_schema":{"type":"object"}}],"messages":[{"role":"user","content":"` + question + `"}`
		_, got := ask(t, pathMessages, head+`]}`)
		content := member(t, got, "content")
		var blocks []struct{ Type, ID string }
		if err := json.Unmarshal(content, &blocks); err != nil || len(blocks) != 3 {
			t.Fatalf("%s", content)
		}
		again(t, pathMessages, head+`,{"role":"assistant","content":`+string(content)+`},{"role":"user","content":[{"type":"tool_result","tool_use_id":"`+blocks[1].ID+`","content":"x"},{"type":"tool_result","tool_use_id":"`+blocks[2].ID+`","content":"y"}]}]}`)
	})
	t.Run("gemini", func(t *testing.T) {
		t.Parallel()
		head := `{"tools":[{"functionDeclarations":[{"name":"a"},{"name":"b"}]}],"contents":[{"role":"user","parts":[{"text":"` + question + `"}]}`
		_, got := ask(t, pathGemini3, head+`]}`)
		var resp struct {
			Candidates []struct{ Content json.RawMessage }
		}
		if err := json.Unmarshal([]byte(got), &resp); err != nil || len(resp.Candidates) != 1 {
			t.Fatal(got)
		}
		results := `{"role":"user","parts":[{"functionResponse":{"name":"a","response":{"output":"x"}}},{"functionResponse":{"name":"b","response":{"output":"y"}}}]}`
		again(t, pathGemini3, head+`,`+string(resp.Candidates[0].Content)+`,`+results+`]}`)
		again(t, pathGemini3, head+`,{"role":"model","parts":[{"functionCall":{"name":"a"},"thoughtSignature":"skip_thought_signature_validator"},{"functionCall":{"name":"b"}}]},`+results+`]}`)
	})
	t.Run("responses", func(t *testing.T) {
		t.Parallel()
		tools := `"include":["reasoning.encrypted_content"],"tools":[{"type":"function","name":"a"},{"type":"function","name":"b"}]`
		_, got := ask(t, pathResponses, `{"model":"m",`+tools+`,"input":"`+question+`"}`)
		output := string(member(t, got, "output"))
		var items []struct {
			Type   string
			CallID string `json:"call_id"`
		}
		if err := json.Unmarshal([]byte(output), &items); err != nil || len(items) != 3 || !strings.Contains(output, "encrypted_content") {
			t.Fatal(output)
		}
		input := []string{`{"role":"user","content":"` + question + `"}`, strings.Trim(output, "[]")}
		for _, it := range items[1:] {
			input = append(input, `{"type":"function_call_output","call_id":"`+it.CallID+`","output":"x"}`)
		}
		again(t, pathResponses, `{"model":"m",`+tools+`,"input":[`+strings.Join(input, ",")+`]}`)
	})
}
